"""Starting, watching and stopping the server."""

import contextlib
import json
import re
import signal
import subprocess
from pathlib import Path

import pytest
from load import Load
from questlog_process import BINARY, Server
from waiting import wait_until
from wire import Closed, request_bytes


def metrics(server):
    """Sample name with labels -> value."""
    text = server.get("/metrics").text
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in text.splitlines()
                                                   if line and not line.startswith("#"))}


def total(samples, name):
    return sum(value for sample, value in samples.items() if sample.split("{")[0] == name)


# --- announcing ------------------------------------------------------------------------------------------------------

def test_serve_announces_where_it_runs_and_where_its_data_lies(questlog, server):
    lines = server.stdout_lines
    assert f" * questlog is running on {server.url} (Press CTRL+C to quit)" in lines
    assert any(str(questlog.data) in line for line in lines)
    assert server.port != 0


def test_serve_makes_its_topic(questlog, server):
    assert questlog.ok("topic", "list") == "game-events\n"


def test_options_may_stand_before_or_after_the_command(questlog):
    config = questlog.folder / "other.toml"
    config.write_text('[log]\ntopic = "raids"\n')
    questlog.ok("topic", "create", "--topic", "raids")
    data, options = ["--data", questlog.data], ["--data", questlog.data, "--config", config]
    for args in ([*data, "topic", "list"], ["topic", "list", *data], ["topic", *data, "list"],
                 [*options, "tail", "-e"], ["tail", "-e", *options], [*data, "tail", "--config", config, "-e"]):
        done = subprocess.run([BINARY, *args], cwd=questlog.folder, capture_output=True, check=True)
        assert (done.stdout or done.stderr) in (b"raids\n", b"% Reached end of topic raids [0] at offset 0: exiting\n")


def test_a_configuration_in_the_working_directory_is_used(questlog):
    (questlog.folder / "questlog.toml").write_text('[log]\ntopic = "raids"\n[server]\naccess_log = true\n')
    with questlog.serve() as server:
        server.get("/")
        assert server.stop() == 0
        assert any('"GET / HTTP/1.1" 200 -' in line for line in server.stderr_lines)
    assert questlog.ok("topic", "list") == "raids\n"


def test_the_configured_address_is_used(questlog):
    questlog.write_config('[server]\nlisten = "127.0.0.1:0"\n')
    with Server(questlog, ["serve"]) as server:
        assert server.get("/healthz").status == 200


def test_ipv6_and_names_can_be_listened_on(questlog):
    with questlog.serve(listen="localhost:0") as server:
        assert server.get("/healthz").status == 200
        assert server.stop() == 0
    if Path("/proc/net/if_inet6").exists():
        with questlog.serve(listen="[::1]:0") as server:
            assert server.url.startswith("http://[::1]:")
            server.host = "::1"
            assert server.get("/healthz").status == 200


# --- watching --------------------------------------------------------------------------------------------------------

def test_health_and_readiness_create_no_events(questlog, server):
    assert server.get("/healthz").status == 200
    assert server.get("/readyz").status == 200
    assert server.get("/metrics").status == 200
    assert questlog.values() == []


def test_metrics_count_what_the_log_holds(questlog, server):
    for _ in range(3):
        server.get("/purchase_a_sword")
    server.post("/events", b'{"event_type": "a"}\nbad\n{"event_type": "b"}\nworse')
    samples = metrics(server)
    assert total(samples, "questlog_events_accepted_total") == 5 == len(questlog.values())
    assert total(samples, "questlog_events_rejected_total") == 2
    for histogram in ("ack", "fsync"):
        counts = [value for sample, value in samples.items() if histogram in sample and sample.split("{")[0].endswith("_count")]
        assert counts and sum(counts) >= 4, (histogram, samples)


def test_metrics_are_in_prometheus_text_format(server):
    server.get("/")
    answer = server.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    sample = re.compile(r'[a-zA-Z_:][\w:]*(\{(\w+="[^"]*",?)*\})? (-?[\d.e+-]+|\+Inf|NaN)( \d+)?')
    for line in answer.text.splitlines():
        assert not line or line.startswith(("# HELP ", "# TYPE ")) or sample.fullmatch(line), line


def test_the_access_log_names_client_time_request_and_status(questlog):
    with questlog.serve("--access-log") as server:
        server.get("/purchase_a_sword?x=1")
        server.get("/nowhere")
        server.post("/events", b"bad")
        assert server.stop() == 0
    stamp = r"127\.0\.0\.1 - - \[\d\d/\w{3}/\d{4} \d\d:\d\d:\d\d\] "
    lines = [line for line in server.stderr_lines if re.match(stamp, line)]
    assert [re.sub(stamp, "", line) for line in lines] == [
        '"GET /purchase_a_sword?x=1 HTTP/1.1" 200 -', '"GET /nowhere HTTP/1.1" 404 -', '"POST /events HTTP/1.1" 400 -']


def test_no_access_log_unless_asked(questlog, server):
    server.get("/")
    assert server.stop() == 0
    assert '"GET' not in server.output


def test_an_access_log_line_cannot_be_forged(questlog):
    with questlog.serve("--access-log") as server:
        with server.wire() as wire:
            wire.send(b"GET /\x1b[2Jx\x0by HTTP/1.1\r\nHost: a\r\n\r\n")
            wire.finish_sending()
            wire.answers_until_closed()
        assert server.stop() == 0
    assert "\x1b" not in server.errors and "\x0b" not in server.errors


# --- stopping --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_under_load_answers_what_is_in_flight_and_keeps_every_acked_event(questlog, number):
    with questlog.serve() as server, Load(server, connections=8) as load:
        load.wait_for_acks(500)
        assert server.stop(number) == 0
        load.finish()
    load.assert_kept(questlog)


def test_a_stop_in_the_midst_of_pipelines_answers_or_refuses_each_request_and_stores_no_other(questlog):
    with questlog.serve() as server, contextlib.ExitStack() as stack:
        wires = [stack.enter_context(server.wire()) for _ in range(8)]
        for index, wire in enumerate(wires):
            wire.send(b"".join(request_bytes("POST", "/events?receipt=1", wire.host, {"event_type": "a", "of": index, "n": n})
                               for n in range(200)))
        first = [wire.answer() for wire in wires]
        server.process.send_signal(signal.SIGTERM)
        answers = [[answer, *wire.answers_until_closed()] for answer, wire in zip(first, wires)]
        assert server.wait() == 0
    assert all(answer.status in (200, 503) for each in answers for answer in each)
    places = {answer.json()["offset"]: (index, n) for index, each in enumerate(answers) for n, answer in enumerate(each)
              if answer.status == 200}
    events = questlog.events()
    assert sorted(places) == list(range(len(events))), "an event without an answer, or an answer without an event"
    assert all((events[offset]["of"], events[offset]["n"]) == place for offset, place in places.items())


def test_a_request_that_had_begun_is_answered_before_the_end(questlog):
    with questlog.serve() as server, server.wire() as wire:
        assert wire.get("/").status == 200
        request = request_bytes("POST", "/events", wire.host, {"event_type": "last_wish"})
        wire.send(request[:-5])
        # One request on another connection after it: the server has read what came before.
        assert server.get("/").status == 200
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not accepts(server), "the port is closed to new connections")
        wire.send(request[-5:])
        assert wire.answer().status == 200
        assert server.wait() == 0
    assert [event["event_type"] for event in questlog.events()] == ["default", "default", "last_wish"]


def accepts(server):
    try:
        with server.wire(timeout_s=1.0) as wire:
            return wire.get("/healthz").status == 200
    except (OSError, Closed):
        return False


def test_idle_connections_do_not_delay_the_end(questlog):
    with questlog.serve() as server, server.wire() as wire:
        wire.get("/")
        assert server.stop(deadline_s=5.0) == 0
        assert wire.is_closed()


def test_a_client_that_never_finishes_cannot_hold_the_server(questlog):
    with questlog.serve() as server, server.wire() as wire:
        wire.send(b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{")
        assert server.get("/").status == 200
        assert server.stop(deadline_s=10.0) == 0


def test_a_clean_stop_leaves_no_zeros_behind_and_starts_again_at_once(questlog):
    with questlog.serve() as server:
        server.send_events([{"event_type": "a", "n": n} for n in range(100)])
        assert server.stop() == 0
    assert questlog.segments()[-1].read_bytes()[-1:] != b"\0" or json.loads(questlog.values()[-1])["n"] == 99
    with questlog.serve() as server:
        assert json.loads(server.get("/?receipt=1").body)["offset"] == 100
        assert "recover" not in server.errors.lower()


# --- slow clients ----------------------------------------------------------------------------------------------------

@pytest.mark.timeout(40)
def test_slow_clients_are_let_go_and_the_others_do_not_notice(questlog, server):
    begun = {
        "silent header": b"GET / HTTP/1.1\r\nHost: a\r\n",
        "silent body": b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{",
    }
    wires = {name: server.wire(timeout_s=0.01) for name in begun}
    for name, data in begun.items():
        wires[name].send(data)

    def answered():
        for name in list(wires):
            wires[name].socket.settimeout(0.01)
            try:
                for answer in wires[name].answers_until_closed():
                    assert answer.status == 408, (name, answer)
                wires.pop(name).close()
            except TimeoutError:
                pass
        assert server.get("/healthz").status == 200
        return not wires
    wait_until(answered, "both slow clients were closed", deadline_s=15, poll_s=0.2)
    assert questlog.values() == []


# --- output that nobody reads ----------------------------------------------------------------------------------------

def test_an_access_log_that_nobody_reads_holds_up_nobody(questlog):
    process = subprocess.Popen([BINARY, "--data", questlog.data, "serve", "--listen", "127.0.0.1:0", "--access-log"],
                               cwd=questlog.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        port = next(int(found.group(1)) for line in process.stdout if (found := re.search(rb"http://[^ :]+:(\d+)", line)))
        subprocess.run(["ab", "-q", "-k", "-n", "5000", "-c", "4", f"http://127.0.0.1:{port}/purchase_a_sword"],
                       check=True, capture_output=True, timeout=60)  # some 400 KB of lines, for a pipe of 64
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.stdout.close()
        process.stderr.close()
    assert questlog.value_of("SELECT count(*) FROM events") == 5000
