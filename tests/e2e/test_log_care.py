"""`log verify` and `log repair`: damage is told, and given up only when someone says so."""

import json

import pytest
from load import Load
from questlog_process import ServerEnded
from segment import flip_bit, read_batches
from small_segments import SMALL_SEGMENTS, numbered


def contents(questlog):
    return {path: path.read_bytes() for path in questlog.data.rglob("*") if path.is_file() and path.suffix != ".lock"}


def verified(questlog, code=0):
    done = questlog.run("log", "verify", "--json")
    assert done.code == code, str(done)
    return [json.loads(line) for line in done.out.splitlines()]


def test_verify_finds_a_sound_log_sound_and_changes_nothing(filled):
    before = contents(filled)
    report, = verified(filled)
    assert report["sound"] and report["events"] == 10_000 and report["segments"] == len(filled.segments())
    assert filled.ok("log", "verify").splitlines()[-1] == "sound"
    assert contents(filled) == before


def test_verify_beside_a_server_under_load_sees_no_damage(questlog):
    questlog.write_config(SMALL_SEGMENTS)
    with questlog.serve() as server, Load(server, connections=4) as load:
        for _ in range(5):
            load.wait_for_acks(len(load.acked) + 50)
            assert verified(questlog)[-1]["events"] >= 50
        load.finish()
        assert server.stop() == 0
    load.assert_kept(questlog)


def damage(questlog, which, index):
    path = questlog.segments()[which]
    batch = read_batches(path)[index]
    flip_bit(path, batch.position + batch.size - 30)
    return path, batch


@pytest.mark.parametrize("which", [0, 1, -1])
def test_a_damaged_batch_is_named_given_up_and_all_else_is_kept(filled, which):
    values = filled.values()
    path, batch = damage(filled, which, 1 if which != -1 else 0)
    lost = range(batch.base_offset, batch.base_offset + len(batch.records))
    damaged = path.read_bytes()[batch.position:batch.position + batch.size]
    fault, report = verified(filled, code=1)
    assert (fault["path"], fault["byte"], fault["bytes"]) == (str(path), batch.position, batch.size)
    assert (fault["from"], fault["to"]) == (lost[0], lost[-1] + 1) and report["lost"] == len(lost)
    # The commands that meet it name the way out, and a dry run takes nothing.
    filled.fails("tail", "-o", "beginning", "-e", code=1, says=["questlog log repair"])
    before = contents(filled)
    would = filled.ok("log", "repair", "--topic", "game-events", "--dry-run")
    assert f"byte {batch.position}" in would and "nothing was changed" in would and contents(filled) == before

    done = filled.ok("log", "repair", "--topic", "game-events")
    assert f"offsets {lost[0]}..{lost[-1]}" in done and "is repaired" in done
    aside = path.with_name(f"{path.name}.damaged-{batch.position}")
    assert aside.read_bytes() == damaged
    report, = verified(filled)
    assert report["sound"] and report["given_up"] == len(lost)
    kept = [value for offset, value in enumerate(values) if offset not in lost]
    assert filled.values() == kept
    offsets = filled.ok("tail", "-o", "beginning", "-e", "-f", "%o\\n").split()
    assert [int(offset) for offset in offsets] == [offset for offset in range(10_000) if offset not in lost]
    assert filled.ok("sql", "--format", "csv", "SELECT count(*) AS n, max(\"offset\") AS last FROM events").split() == [
        "n,last", f"{len(kept)},9999"]
    # A parser that is not ours steps over the hole too.
    read = [record.offset for segment in filled.segments() for one in read_batches(segment) for record in one.records]
    assert read == [int(offset) for offset in offsets]
    assert "given up" in filled.ok("log", "inspect")
    with filled.serve() as server:
        assert server.get("/?receipt=1").json()["offset"] == 10_000
        assert server.stop() == 0
    assert "nothing to repair" in filled.ok("log", "repair", "--topic", "game-events")


def test_jobs_and_books_know_what_a_repair_gave_up(filled):
    filled.ok("batch", "separate_events")
    rows = filled.value_of("SELECT count(*) FROM default_hits")
    _, batch = damage(filled, 0, 1)
    filled.ok("log", "repair", "--topic", "game-events")
    status = filled.status()
    assert status["sound"], status
    partition, = status["topics"][0]["partitions"]
    assert partition["lost"] == len(batch.records) and partition["holes"][0]["from"] == batch.base_offset
    assert all(table["balanced"] for table in filled.tables())
    # What was landed before the damage has it still; to land it anew would lose it.
    assert filled.value_of("SELECT count(*) FROM default_hits") == rows
    landed = [table for table in filled.tables() if table["landed"]]
    if landed:
        filled.fails("batch", "separate_events", code=2, says=["repair"])
    filled.ok("batch", "separate_events", "--force")
    assert filled.status()["sound"]
    assert {table["lost"] for table in filled.tables() if table["state"] == "landed"} == {len(batch.records)}
    assert "events lost (offsets" in filled.ok("status")


def test_a_missing_segment_becomes_a_hole(filled):
    missing = filled.segments()[1]
    lost = [record.offset for batch in read_batches(missing) for record in batch.records]
    values = filled.values()
    missing.unlink()
    filled.ok("log", "repair", "--topic", "game-events")
    assert filled.values() == values[:lost[0]] + values[lost[-1] + 1:]
    assert verified(filled)[0]["given_up"] == len(lost)


def test_tail_comes_to_the_end_over_a_hole_that_is_the_end(filled):
    values = filled.values()
    _, batch = damage(filled, -1, -1)
    filled.ok("log", "repair", "--topic", "game-events")
    done = filled.run("tail", "-o", "beginning", "-e", deadline_s=20)
    assert done.code == 0 and done.out.splitlines() == values[:batch.base_offset]
    assert "at offset 10000" in done.err


def test_repair_is_refused_beside_a_server_which_goes_on(questlog, server):
    for dry_run in ([], ["--dry-run"]):
        questlog.fails("log", "repair", "--topic", "game-events", *dry_run, code=1, says=[str(server.pid)])
    assert server.get("/?receipt=1").json()["offset"] == 0


def test_serve_points_to_repair_and_starts_after_it(filled):
    damage(filled, -1, 0)
    with pytest.raises(ServerEnded) as ended:
        filled.serve()
    assert ended.value.code == 1 and "questlog log repair" in ended.value.output and "backup" in ended.value.output
    filled.ok("log", "repair", "--topic", "game-events")
    with filled.serve() as server:
        assert server.stop() == 0


def test_usage(filled):
    filled.fails("log", "repair", code=2, says=["--topic"])
    filled.fails("log", "verify", "-p", "7", code=2, says=["partitions 0 to 0"])
    filled.fails("log", "verify", "-t", "nothing", code=2, says=["does not exist"])
