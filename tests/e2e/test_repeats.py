"""Events that clients send again with their message ids: stored once, landed once, read once."""

import json
import random
import threading

from waiting import wait_until
from wire import Closed

QUICK = "[landing]\ncut_ms = 200\n"


def raid(number, message_id=None):
    return {"event_type": "raid", "n": number, "message_id": message_id or f"m{number}"}


def post(server, events):
    """What the answer says; None: it is not 200."""
    answer = server.post("/events?receipt=1", "\n".join(map(json.dumps, events)))
    return json.loads(answer.body) if answer.status == 200 else None


def place_of(server, event):
    body = post(server, [event])
    return body["partition"], body["offset"]


def numbers(questlog):
    return [row["n"] for row in questlog.sql("SELECT n FROM raid ORDER BY n")]


def duplicates(questlog):
    rows = questlog.sql("SELECT * FROM ledger")
    assert all(row["balanced"] for row in rows), rows
    return sum(row["duplicates"] for row in rows)


def test_a_repeat_has_the_first_ones_receipt_after_kills_and_landing(questlog):
    questlog.write_config("[landing]\nenabled = false\n")
    with questlog.serve() as server:
        first = [place_of(server, raid(n)) for n in range(20)]
        server.kill()
    for how in ("from the log", "landed", "both"):
        with questlog.serve() as server:
            assert [place_of(server, raid(n)) for n in range(20)] == first, how
            if how == "landed":
                post(server, [raid(100)])
            server.kill()
        questlog.ok("land", "--once")
    assert numbers(questlog) == [*range(20), 100]
    assert duplicates(questlog) == 0, "none was stored"


def test_a_repeat_is_known_without_the_files_of_landed_ids(questlog):
    """Before a lander has mended them: the log has the ids."""
    questlog.write_config("[landing]\nenabled = false\n")
    with questlog.serve() as server:
        first = [place_of(server, raid(n)) for n in range(3)]
        questlog.ok("land", "--once")
        first.append(place_of(server, raid(3)))
        questlog.ok("land", "--once")
        server.kill()
    (lost, damaged) = sorted(questlog.data.glob("lake/.landing/*/0/*.ids"))
    lost.unlink()
    damaged.write_bytes(damaged.read_bytes()[:-1])
    with questlog.serve() as server:
        assert [place_of(server, raid(n)) for n in range(4)] == first
        assert server.stop() == 0
    questlog.ok("land", "--once")
    assert numbers(questlog) == [0, 1, 2, 3]
    assert duplicates(questlog) == 0, "none was stored"


def test_what_the_log_has_twice_is_landed_and_read_once(questlog):
    """As another producer would leave it: here a server that was told to know no ids."""
    questlog.write_config("[landing]\nenabled = false\n[deduplication]\nids = 0\n")
    with questlog.serve() as server:
        server.send_events([raid(1, "a"), raid(2, "b"), raid(3, "a")])
        assert server.stop() == 0
    questlog.write_config("[landing]\nenabled = false\n")
    assert numbers(questlog) == [1, 2]
    assert duplicates(questlog) == 1
    assert questlog.ok("land", "--once") == "game-events [0] offsets 0..2: 2 events in 1 table, 1 duplicate\n"
    assert numbers(questlog) == [1, 2]
    questlog.write_config("[landing]\nenabled = false\n[deduplication]\nids = 0\n")
    with questlog.serve() as server:
        server.send_events([raid(4, "b"), raid(5, "c"), raid(6, "c")])
        assert server.stop() == 0
    questlog.write_config("[landing]\nenabled = false\n")
    assert numbers(questlog) == [1, 2, 5], "one is in the files, one in the log"
    assert duplicates(questlog) == 3
    questlog.ok("land", "--once")
    assert numbers(questlog) == [1, 2, 5]
    assert duplicates(questlog) == 3
    assert questlog.value_of("SELECT count(*) FROM events") == 6, "the log is as it is"
    assert "+ dup" in questlog.ok("status")
    questlog.ok("verify")
    questlog.ok("rebuild", "raid")
    assert numbers(questlog) == [1, 2, 5]
    assert duplicates(questlog) == 3


def test_clients_that_send_all_again_after_each_kill_are_counted_once(questlog):
    """Each client goes on until every one of its events was answered 200, whatever is killed meanwhile."""
    questlog.write_config(QUICK)
    of_client = 60
    answered = {}

    def client(first):
        left = list(range(first, first + of_client))
        choose = random.Random(first)
        while left:
            batch = choose.sample(left, min(len(left), 8))
            try:
                body = post(running[0], [raid(n) for n in batch])
            except (OSError, Closed):
                body = None
            if body is None:
                continue  # killed, or not there yet: all again
            places = [(row["partition"], row["offset"]) for row in body["receipts"]] if "receipts" in body else \
                [(body["partition"], body.get("first_offset", body.get("offset")) + i) for i in range(len(batch))]
            for n, place in zip(batch, places):
                assert answered.setdefault(n, place) == place, f"event {n} is in two places"
                if choose.random() < 0.7:
                    left.remove(n)  # else it is sent once more

    running = []
    server = questlog.serve()
    running.append(server)
    clients = [threading.Thread(target=client, args=(first,)) for first in range(0, 4 * of_client, of_client)]
    for thread in clients:
        thread.start()
    for kills in range(4):
        wait_until(lambda: len(answered) > 40 * kills or not any(t.is_alive() for t in clients), "clients go on")
        running[0].kill()
        running[0] = questlog.serve()
    for thread in clients:
        thread.join(60)
    assert not any(thread.is_alive() for thread in clients)
    with running[0] as server:
        assert server.stop() == 0
    assert numbers(questlog) == list(range(4 * of_client))
    questlog.ok("land", "--once")
    assert numbers(questlog) == list(range(4 * of_client))
    assert duplicates(questlog) == 0
