"""?wait=landed: the answer says that the event is in its table."""

import json
import threading
import time

import pytest
from waiting import wait_until


def landed(questlog, table):
    return questlog.value_of(f"SELECT count(*) FROM {table}", "--landed")


def test_a_200_says_that_it_is_landed(questlog):
    with questlog.serve() as server:  # with a cut a minute, but for who waits
        began = time.monotonic()
        for count in range(1, 4):
            answer = server.get("/purchase_a_sword?wait=landed&receipt=1")
            assert (answer.status, json.loads(answer.body)["offset"]) == (200, 2 * count - 2)
            assert landed(questlog, "purchase_sword") == count
            answer = server.post("/events?wait=landed", '{"event_type": "raid"}\n{nonsense}\n')
            assert answer.status == 207
            assert landed(questlog, "raid") == count
        assert time.monotonic() - began < 30
        with server.wire() as wire:  # later answers of the connection wait behind it, and come in order
            wire.send(b"GET /purchase_a_sword?wait=landed&receipt=1 HTTP/1.1\r\nHost: a\r\n\r\n"
                      b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            assert json.loads(wire.answer().body)["offset"] == 6
            assert wire.answer().body == b"ok\n"


@pytest.mark.parametrize("limits", ["landed_wait_ms = 200", "landed_wait_ms = 1500\nsend_timeout_ms = 500"], ids=["short", "long"])
def test_a_202_has_the_receipt_when_the_time_is_over(questlog, limits):
    """Also where the answer waited longer than a client has for reading it."""
    questlog.write_config(f"[limits]\n{limits}\n")
    with questlog.serve() as server:
        server.get("/purchase_a_sword")
        folder = questlog.data / "lake" / "events" / "purchase_sword"
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.write_text("no folder")  # nothing can be landed in it
        answer = server.get("/purchase_a_sword?wait=landed")
        assert answer.status == 202, answer
        assert json.loads(answer.body)["offset"] == 1
        for table in ("events", "purchase_sword"):
            assert questlog.value_of(f"SELECT count(*) FROM {table}") == 2, "it is stored all the same"


def test_who_waits_is_answered_when_the_server_stops(questlog):
    questlog.write_config("[landing]\ncut_ms = 3600000\n")
    with questlog.serve() as server:
        (questlog.data / "lake").mkdir(exist_ok=True)
        (questlog.data / "lake" / "events").write_text("no folder")
        answers = []
        client = threading.Thread(target=lambda: answers.append(server.get("/purchase_a_sword?wait=landed")))
        client.start()
        wait_until(lambda: questlog.value_of("SELECT count(*) FROM events") == 1, "it is stored")
        assert server.stop() == 0
        client.join(10)
        assert answers[0].status == 202


def test_it_is_refused_where_the_server_does_not_land(questlog):
    questlog.write_config("[landing]\nenabled = false\n")
    with questlog.serve() as server:
        answer = server.get("/purchase_a_sword?wait=landed")
        assert answer.status == 400
        assert "wait=landed: this server lands nothing" in answer.body.decode()
        assert questlog.value_of("SELECT count(*) FROM events") == 0
