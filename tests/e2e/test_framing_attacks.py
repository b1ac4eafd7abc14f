"""No framing attack makes the server lose the border between two requests: over raw sockets, with a canary behind each."""

import re

import pytest
from framing_attacks import ATTACKS, PARSERS
from questlog_process import ROOT, Questlog

CANARY = b"GET /join_guild?canary=1 HTTP/1.1\r\nHost: canary\r\n\r\n"
BEFORE = b"GET /purchase_a_sword HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    """One server for all attacks."""
    questlog = Questlog(tmp_path_factory.mktemp("target"))
    with questlog.serve() as server:
        yield server
        assert server.stop() == 0
    events = [event["event_type"] for event in questlog.events()]
    assert "join_guild" not in events, "a canary sang"
    assert events and set(events) == {"purchase_sword"}


def accepted(server):
    return re.search(r"^questlog_events_accepted_total (\d+)", server.get("/metrics").text, re.MULTILINE).group(1)


def answers_to(server, pieces):
    with server.wire() as wire:
        for piece in pieces:
            try:
                wire.send(piece)
            except (BrokenPipeError, ConnectionResetError):
                break  # refused before its end
        try:
            wire.finish_sending()
        except OSError:
            pass
        return wire.answers_until_closed()


@pytest.mark.parametrize("cut", ["whole", "in two", "in single bytes"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_and_the_canary_behind_it_is_not_handled(target, attack, cut):
    data, statuses = ATTACKS[attack]
    sent = data + CANARY
    pieces = {"whole": [sent], "in two": [data, CANARY],
              "in single bytes": [sent[at:at + 1] for at in range(len(sent))]}[cut]
    before = accepted(target)
    answer, = answers_to(target, pieces)
    assert answer.status in (statuses if isinstance(statuses, tuple) else (statuses,)), answer
    assert answer.headers["connection"] == "close" and len(answer.text) > 20, "refused without a helpful word"
    assert accepted(target) == before, "the canary sang"


@pytest.mark.parametrize("attack", ATTACKS)
def test_requests_before_an_attack_are_answered_and_nothing_after_it(target, attack):
    data, _ = ATTACKS[attack]
    before = int(accepted(target))
    answers = answers_to(target, [BEFORE * 3 + data + CANARY + BEFORE])
    assert [answer.status for answer in answers[:3]] == [200] * 3 and len(answers) == 4, answers
    assert answers[3].status >= 400
    assert int(accepted(target)) == before + 3


def test_every_attack_that_the_parser_is_tested_with_is_tried_on_the_binary():
    source = (ROOT / "src" / "http" / "framing_attacks_test.cpp").read_text()
    assert set(re.findall(r'^        \{"([^"]+)", ', source, re.MULTILINE)) == set(PARSERS)
