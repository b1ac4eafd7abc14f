"""`questlog dead-letters replay`: dead letters go through again, each once."""

import json

from questlog_process import json_rows
from waiting import wait_until

OFF = "[landing]\nenabled = false\n"


def declared(most):
    return OFF + ('[[event]]\npath = "/raid"\ntype = "raid"\non_mismatch = "keep"\n'
                  f'fields = {{ level = {{ type = "bigint", required = true, max = {most} }} }}\n')


def raid(level, **more):
    return {"event_type": "raid", "level": level, **more}


def levels(questlog):
    return [row["level"] for row in questlog.sql("SELECT level FROM raid ORDER BY level")]


def balanced(questlog):
    return all(row["balanced"] for row in questlog.sql("SELECT * FROM ledger"))


def test_what_is_declared_otherwise_by_now_goes_through_once(questlog):
    questlog.write_config(declared(60))
    with questlog.serve() as server:
        server.send_events([raid(1), raid(61, message_id="m61"), raid(70), raid(200)])
        assert server.stop() == 0
    questlog.ok("land", "--once")
    questlog.write_config(declared(100))
    questlog.fails("dead-letters", "replay", code=1, says=["2 dead letters can be sent again", "questlog serve"])
    dry = questlog.fails("dead-letters", "replay", "--dry-run", code=2)
    assert dry.out == ('2 dead letters would be sent again, 1 left\n'
                          '  game-events [0] offset 3: field "level": out of its range\n')
    with questlog.serve() as server:
        assert levels(questlog) == [1]
        told = questlog.fails("dead-letters", "replay", code=2, says=["repair their values"])
        assert told.out.startswith("2 dead letters sent again, 1 left\n")
        assert levels(questlog) == [1, 61, 70], "also one that has a message_id of its own"
        again = questlog.fails("dead-letters", "replay", code=2)
        assert again.out.startswith("0 dead letters sent again, 2 before, 1 left\n")
        assert levels(questlog) == [1, 61, 70]
        assert balanced(questlog)
        assert server.stop() == 0
    questlog.ok("land", "--once")
    assert levels(questlog) == [1, 61, 70]


def test_what_was_repaired_goes_through_once(questlog):
    questlog.write_config(declared(60))
    with questlog.serve() as server:
        server.send_events([raid("7"), raid(61), raid(5)])
        letters = json_rows(questlog.ok("dead-letters", "--format", "json"))
        assert [letter["offset"] for letter in letters] == [0, 1]
        repaired = questlog.folder / "repaired.json"
        letters[0]["value"] = letters[0]["value"].replace('"7"', "7")
        letters[1]["value"] = raid(60)  # the event itself will do, too
        repaired.write_text("\n".join(map(json.dumps, letters)))
        assert questlog.ok("dead-letters", "replay", str(repaired)) == "2 dead letters sent again\n"
        assert levels(questlog) == [5, 7, 60]
        assert questlog.ok("dead-letters", "replay", str(repaired)) == "0 dead letters sent again, 2 before\n"
        assert questlog.ok("dead-letters", "replay", "-", stdin=json.dumps(letters)) == \
            "0 dead letters sent again, 2 before\n"
        assert levels(questlog) == [5, 7, 60]
        letters[0]["offset"] = 2
        repaired.write_text(json.dumps(letters))
        questlog.fails("dead-letters", "replay", str(repaired), code=2, says=["offset 2 of partition 0 is no dead letter"])
        repaired.write_text("{nonsense")
        questlog.fails("dead-letters", "replay", str(repaired), code=2, says=["repaired.json:1: the line is no JSON"])
        repaired.write_text('{"offset": 1}')
        questlog.fails("dead-letters", "replay", str(repaired), code=2, says=["has a partition, an offset and a value"])
        letters[0]["offset"] = 0
        for number in ("0", "x", 0.9, 1.0, -1, True, [], 2**32, 2**64):
            for name in ("partition", "offset"):
                if (name, number) == ("offset", 2**32):
                    continue  # there may be such a letter
                wrong = {"partition": 0, "offset": 1, "value": raid(1), name: number}
                says = [f"the {name} is ", "which is none"]
                repaired.write_text(json.dumps(letters[0]) + "\n\n" + json.dumps(wrong))
                questlog.fails("dead-letters", "replay", str(repaired), code=2, says=["repaired.json:3: ", *says])
                repaired.write_text(json.dumps([letters[0], wrong]))
                questlog.fails("dead-letters", "replay", str(repaired), code=2, says=["repaired.json: letter 2: ", *says])
        assert levels(questlog) == [5, 7, 60]
        questlog.fails("dead-letters", "replay", "missing.json", code=2, says=["missing.json cannot be read"])
        assert balanced(questlog)


def test_what_is_replayed_is_the_value_that_came_in(questlog):
    questlog.write_config("[intake]\nheaders = true\n" + declared(60))
    with questlog.serve() as server:
        server.post("/events", raid(61), headers=[("X-Of-Old", "1")])
        assert server.stop() == 0
    questlog.ok("land", "--once")
    questlog.write_config("[intake]\nheaders = true\n" + declared(100))
    with questlog.serve():
        assert questlog.ok("dead-letters", "replay") == "1 dead letter sent again\n"
        letter, event = questlog.values()
        assert letter == event and json.loads(event)["X-Of-Old"] == "1"


def test_what_would_have_no_table_is_not_sent_again(questlog):
    tables_max = 1000
    questlog.write_config(OFF)
    types = [f"t{n}" for n in range(tables_max + 2)]
    with questlog.serve() as server:
        for at in range(0, len(types), 500):
            server.send_events([{"event_type": name} for name in types[at:at + 500]])
        letters = json_rows(questlog.ok("dead-letters", "--format", "json"))
        assert [letter["reason"] for letter in letters] == ["too many event types"] * 2
        told = questlog.fails("dead-letters", "replay", code=2, says=["no events that a table takes"])
        assert told.out.startswith("0 dead letters sent again, 2 left\n") and "none is t1001" in told.out
        assert questlog.value_of("SELECT count(*) FROM events") == len(types)
        letters[1]["value"] = {"event_type": "t7"}
        told = questlog.fails("dead-letters", "replay", "-", code=2, stdin=json.dumps(letters))
        assert told.out.startswith("1 dead letter sent again, 1 left\n")
        assert questlog.value_of("SELECT count(*) FROM t7") == 2 and balanced(questlog)


def test_dead_letters_have_the_room_for_tables_that_there_is(questlog):
    questlog.write_config(declared(60))
    with questlog.serve() as server:
        server.send_events([{"event_type": f"t{n}"} for n in range(996)] + [raid(61), raid(61), raid(61), raid(1)])
        letters = json_rows(questlog.ok("dead-letters", "--format", "json"))
        for letter, name in zip(letters, ("new", "newer", "newest")):
            letter["value"] = {"event_type": name}
        told = questlog.fails("dead-letters", "replay", "-", code=2, stdin=json.dumps(letters))
        assert told.out.startswith("2 dead letters sent again, 1 left\n"), "beside raid and dead_letters"
        assert questlog.value_of("SELECT count(*) FROM ledger WHERE dead_lettered > 0 OR \"table\" LIKE 'new%'") == 3
        assert balanced(questlog)


def test_a_replay_that_was_killed_goes_on_without_doubling(questlog):
    count = 600
    questlog.write_config(declared(60))
    with questlog.serve() as server:
        server.send_events([raid(61 + n) for n in range(count)])
        assert server.stop() == 0
    questlog.ok("land", "--once")
    questlog.write_config(declared(10_000) + "[deduplication]\nids = 0\n")  # the records alone must keep it to once
    with questlog.serve() as server:
        for sent in (1, 300, count - 1):
            replay = questlog.start("dead-letters", "replay")
            wait_until(lambda: questlog.value_of("SELECT count(*) FROM events") >= count + sent, "some are sent")
            replay.kill()
            replay.wait()
        questlog.ok("dead-letters", "replay")
        assert levels(questlog) == list(range(61, 61 + count))
        assert balanced(questlog)
        assert server.stop() == 0


def test_replay_needs_a_key_at_the_door(server):
    answer = server.post("/events?replay=1", '{"event_type": "a"}')
    assert (answer.status, json.loads(answer.body)["error"]) == (400, "replay=1 needs an Idempotency-Key")
