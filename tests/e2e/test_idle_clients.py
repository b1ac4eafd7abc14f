"""Clients that say little or nothing: ten thousand of them are held, in bounded memory, and nobody else notices."""

import json
import resource
import socket
import time

import pytest
from waiting import wait_until
from wire import request_bytes

CLIENTS = 10_000


@pytest.fixture
def many_descriptors():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] != resource.RLIM_INFINITY and before[1] < CLIENTS + 200:
        pytest.skip(f"this machine lets a process open {before[1]} files only")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], CLIENTS + 200), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def memory_kb(server):
    with open(f"/proc/{server.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def answer_time(wire, count=500):
    """What an answer takes where nothing else on this machine comes between: the fastest tenth."""
    times = []
    for number in range(count):
        began = time.monotonic()
        assert wire.get("/healthz" if number % 10 else "/").status == 200
        times.append(time.monotonic() - began)
    return sorted(times)[count // 10]


def connect(server):
    client = socket.socket()
    client.connect((server.host, server.port))
    return client


@pytest.mark.timeout(120)
def test_ten_thousand_idle_connections_cost_little_memory_and_nobodys_time(questlog, many_descriptors):
    questlog.write_config("[limits]\nconnections = 10001\nheader_timeout_ms = 2000\n")
    request = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    clients = []
    with questlog.serve() as server, server.wire() as wire:
        try:
            alone = answer_time(wire)
            before_kb = memory_kb(server)
            clients = [connect(server) for _ in range(CLIENTS)]
            asked = clients[::4]  # a quarter has asked once and stays; the others never say a word
            for client in asked:
                client.sendall(request)
            for client in asked:
                client.settimeout(20)
                assert client.recv(4096).startswith(b"HTTP/1.1 200 ")
            assert "questlog_http_connections 10001\n" in wire.get("/metrics").text
            among = answer_time(wire)
            kb = (memory_kb(server) - before_kb) / CLIENTS
            assert kb < 9, f"{kb:.1f} KB a connection"
            assert among < alone * 3 + 0.001
            half = clients[1:2001:4]  # half a request, and no more: these are let go, and only these
            for client in half:
                client.sendall(request[:20])
            for client in half:
                client.settimeout(20)
                assert client.recv(4096).startswith(b"HTTP/1.1 408 ")
            assert answer_time(wire) < alone * 3 + 0.001
            for client in asked:
                client.sendall(request)
            for client in asked:
                assert client.recv(4096).startswith(b"HTTP/1.1 200 ")
            assert server.stop() == 0
        finally:
            for client in clients:
                client.close()


def test_clients_that_dribble_hold_up_no_other_client_and_cost_little_memory(questlog):
    """A thousand send their requests byte by byte; after each byte of theirs another client is answered."""
    questlog.write_config("[limits]\nheader_timeout_ms = 60000\nbody_timeout_ms = 60000\n")
    request = request_bytes("POST", "/events", "slow", {"event_type": "slow"})
    slow = []
    with questlog.serve() as server, server.wire() as fast:
        try:
            assert fast.get("/").status == 200
            before_kb = memory_kb(server)
            slow = [connect(server) for _ in range(1000)]
            for at in range(len(request) - 1):
                for client in slow:
                    client.send(request[at:at + 1])
                assert fast.get("/purchase_a_sword").status == 200
            assert (memory_kb(server) - before_kb) / len(slow) < 40
            for client in slow:
                client.send(request[-1:])
            for client in slow:
                client.settimeout(20)
                assert client.recv(4096).startswith(b"HTTP/1.1 200 ")
            assert server.stop() == 0
        finally:
            for client in slow:
                client.close()
    assert [event["event_type"] for event in questlog.events()].count("slow") == 1000


def test_the_limit_of_open_files_is_raised_as_far_as_it_goes(questlog):
    with questlog.serve(launcher=["sh", "-c", 'ulimit -Sn 300 && exec "$0" "$@"']) as server:
        soft, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        assert soft == hard > 300


def test_with_few_open_files_the_log_still_rolls_its_segments(questlog):
    questlog.write_config("[log]\nsegment_bytes = 1048576\n")
    launcher = ["sh", "-c", 'ulimit -n 200 && exec "$0" "$@"']
    clients = []
    with questlog.serve(launcher=launcher) as server:
        warning, = (line for line in server.stderr_lines if "may open 200 files" in line)
        taken = int(warning.split("it takes ")[1].split()[0])
        assert taken == 200 - 134 and "ulimit" in warning
        try:
            with server.wire() as wire:
                assert wire.get("/healthz").status == 200
                clients = [connect(server) for _ in range(300)]
                refused = wait_until(lambda: sum(has_answer(client) for client in clients), "some were told to come back")
                assert refused > 0
                line = json.dumps({"event_type": "a", "s": "x" * 1000}).encode() + b"\n"
                for _ in range(8):
                    assert wire.post("/events", line * 900).status == 200
            assert server.stop() == 0
        finally:
            for client in clients:
                client.close()
    assert len(questlog.segments()) >= 7
    assert questlog.value_of("select count(*) from events") == 8 * 900


def has_answer(client):
    client.setblocking(False)
    try:
        answer = client.recv(4096, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    assert answer.startswith(b"HTTP/1.1 503 ") and b"Retry-After: 1\r\n" in answer
    return True
