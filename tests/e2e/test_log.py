"""The durable log: identity, format, damage, locks."""

import json
import re

import pytest
from load import Load, assert_kept
from questlog_process import Questlog, ServerEnded
from segment import flip_bit, read_batches
from small_segments import SMALL_SEGMENTS, numbered
from waiting import wait_until


# --- format ----------------------------------------------------------------------------------------------------------

def test_kafkas_own_format_is_read_by_a_parser_that_is_not_ours(filled):
    records = [record for path in filled.segments() for batch in read_batches(path) for record in batch.records]
    assert [record.offset for record in records] == list(range(10_000))
    assert [record.value.decode() for record in records] == filled.values()
    timestamps = [record.timestamp for record in records]
    assert timestamps == sorted(timestamps) and timestamps[0] > 1_500_000_000_000
    assert filled.ok("tail", "-o", "beginning", "-e", "-f", "%T\\n").split() == [str(stamp) for stamp in timestamps]


@pytest.mark.parametrize("compression, codec", [("lz4", 3), ("zstd", 4)])
def test_a_compressed_log_is_kafkas_too_and_every_command_reads_it(questlog, compression, codec):
    questlog.write_config(f'{SMALL_SEGMENTS}compression = "{compression}"\n')
    with questlog.serve() as server:
        for start in range(0, 30_000, 1000):
            server.send_events([{"event_type": "purchase_sword", "n": n} for n in range(start, start + 1000)])
        assert server.get("/?receipt=1").json()["offset"] == 30_000
        assert len(questlog.values()) == 30_001, "beside the live server"
        assert server.stop() == 0
    batches = [batch for path in questlog.segments() for batch in read_batches(path)]
    assert {batch.codec for batch in batches if len(batch.records) > 100} == {codec}
    assert sum(batch.size for batch in batches) < 30_000 * 15
    assert [record.value.decode() for batch in batches for record in batch.records] == questlog.values()
    assert questlog.value_of("SELECT sum(CAST(value->>'n' AS BIGINT)) FROM events") == sum(range(30_000))
    questlog.ok("batch", "separate_events")
    assert questlog.value_of("SELECT count(DISTINCT n) FROM sword_purchases WHERE n >= 0") == 30_000
    assert questlog.status()["sound"]
    shown = [json.loads(line) for line in questlog.ok("log", "inspect", "--json", "--records").splitlines()]
    assert [line["value"] for line in shown if line["kind"] == "record"] == questlog.values()
    assert {line["codec"] for line in shown if line["kind"] == "batch" and line["count"] > 100} == {compression}


def test_a_topics_own_compression_goes_before_the_servers(questlog):
    questlog.write_config('[log]\ncompression = "zstd"\n')
    questlog.ok("topic", "create", "--topic", "game-events", "--config", "compression.type=uncompressed")
    assert "compression.type=uncompressed" in questlog.ok("topic", "describe")
    with questlog.serve() as server:
        server.send_events(numbered(100))
        assert server.stop() == 0
    assert [batch.codec for path in questlog.segments() for batch in read_batches(path)] == [0]


def test_segments_are_named_by_their_first_offset_and_stay_within_their_size(filled):
    for path in filled.segments():
        assert re.fullmatch(r"\d{20}\.log", path.name)
        assert int(path.stem) == read_batches(path)[0].base_offset
        assert path.stat().st_size <= 1_048_576


def test_inspect_shows_batches_and_records(filled):
    batches = [batch for path in filled.segments() for batch in read_batches(path)]
    lines = [json.loads(line) for line in filled.ok("log", "inspect", "--json", "--records").splitlines()]
    shown = {kind: [line for line in lines if line["kind"] == kind] for kind in ("segment", "batch", "record")}
    assert [line["path"] for line in shown["segment"]] == [str(path) for path in filled.segments()]
    assert [(line["base_offset"], line["count"], line["position"], line["bytes"]) for line in shown["batch"]] == [
        (batch.base_offset, len(batch.records), batch.position, batch.size) for batch in batches]
    assert all(line["crc_ok"] and line["durable"] for line in shown["batch"])
    assert [(line["offset"], line["value"]) for line in shown["record"]] == list(enumerate(filled.values()))
    text = filled.ok("log", "inspect")
    assert all(str(path) in text for path in filled.segments()) and text.count(" batch offsets ") == len(batches)
    assert filled.values()[4321] not in text and filled.values()[4321] in filled.ok("log", "inspect", "--records")


def test_offsets_go_on_after_a_restart(filled):
    with filled.serve() as server:
        assert server.get("/?receipt=1").json()["offset"] == 10_000
        assert server.stop() == 0
    assert len(filled.values()) == 10_001


# --- damage ----------------------------------------------------------------------------------------------------------

def refuses_to_serve(questlog, *says):
    with pytest.raises(ServerEnded) as ended:
        questlog.serve()
    assert ended.value.code == 1, ended.value
    for text in says:
        assert str(text) in ended.value.output, f"{text!r} not in {ended.value.output}"


FLIPS = {"first batch": (0, -40), "middle": (1, -40), "last batch": (-1, -1), "length": (1, 10), "base offset": (1, 7)}
READING = (["tail", "-o", "beginning", "-e"], ["sql", "SELECT count(value) FROM events"], ["batch", "separate_events"])


@pytest.mark.parametrize("where", FLIPS)
@pytest.mark.parametrize("which", [0, 1, -1])
def test_a_flipped_bit_is_refused_with_file_and_byte_named_and_nothing_is_written(filled, which, where):
    path = filled.segments()[which]
    index, position = FLIPS[where]
    batch = read_batches(path)[index]
    flip_bit(path, batch.position + position + (batch.size if position < 0 else 0))
    before = {file: file.read_bytes() for file in filled.data.rglob("*") if file.is_file() and file.suffix != ".lock"}
    named = [path.name, f"byte {batch.position} ", "restore"]
    for command in READING:
        filled.fails(*command, code=1, says=named)
    if which == -1:  # the segment that would be appended to; earlier ones are checked whenever they are read
        refuses_to_serve(filled, *named)
    assert {file: file.read_bytes() for file in before} == before


@pytest.mark.parametrize("keep", ["nothing", "half", "all but a byte"])
def test_a_truncated_segment_is_refused_with_the_file_named(filled, keep):
    path = filled.segments()[-1]
    size = path.stat().st_size
    with open(path, "r+b") as file:
        file.truncate({"nothing": 0, "half": size // 2, "all but a byte": size - 1}[keep])
    refuses_to_serve(filled, path.name)
    filled.fails("tail", "-o", "beginning", "-e", code=1, says=[path.name])


@pytest.mark.parametrize("which", [0, 1, -1])
def test_a_missing_segment_is_refused_with_its_first_offset_named(filled, which):
    missing = filled.segments()[which]
    missing.unlink()
    for command in READING:
        filled.fails(*command, code=1, says=[missing.stem.lstrip("0") or "0", "restore"])
    if which != 1:  # a gap further back shows when it is read
        refuses_to_serve(filled, missing.stem.lstrip("0") or "0")


@pytest.mark.parametrize("which", [0, 1, -1])
@pytest.mark.parametrize("damage", ["missing", "cut short", "damaged at its end"])
def test_status_tells_of_a_segment_that_is_missing_or_damaged_and_what_to_do(filled, which, damage):
    assert filled.status()["sound"]
    path = filled.segments()[which]
    if damage == "missing":
        path.unlink()
    elif damage == "cut short":
        with open(path, "r+b") as file:
            file.truncate(path.stat().st_size - 1)
    else:
        flip_bit(path, path.stat().st_size - 1)
    done = filled.fails("status", code=1, says=["something is wrong"])
    names = path.stem.lstrip("0") or "0"  # of the last one, missing, only the offset is known
    assert names in done.out and "backup" in done.out and "sword_purchases" in done.out, str(done)
    told = json.loads(filled.run("status", "--json").out)
    topic, = told["topics"]
    problems = [topic["problem"], *(partition["problem"] for partition in topic["partitions"])]
    assert not told["sound"] and any(problem and names in problem for problem in problems)
    assert len(topic["tables"]) > 1


def test_inspect_names_the_damaged_place(filled):
    path = filled.segments()[0]
    batch = read_batches(path)[3]
    flip_bit(path, batch.position + batch.size - 1)
    done = filled.run("log", "inspect")
    assert done.code == 1 and path.name in done.out + done.err and str(batch.position) in done.out + done.err


def test_a_torn_tail_after_a_kill_is_cut_and_told_and_nothing_acked_is_lost(questlog):
    with questlog.serve() as server:
        server.send_events(numbered(100))
        server.kill()
    path = questlog.segments()[-1]
    end = read_batches(path)[-1]
    with open(path, "r+b") as file:  # the beginning of a batch that never got whole
        whole = path.read_bytes()[end.position:end.position + end.size // 2]
        file.seek(end.position + end.size)
        file.write((100).to_bytes(8, "big") + whole[8:])
    with questlog.serve() as server:
        assert server.get("/?receipt=1").json()["offset"] == 100
        assert "cut" in server.errors or "torn" in server.errors, server.errors
        assert server.stop() == 0
    assert [event.get("n") for event in questlog.events()] == [*range(100), None]
    assert len(read_batches(path)[-1].records) == 1


# --- kill -9 ---------------------------------------------------------------------------------------------------------

@pytest.mark.timeout(120)
def test_twenty_kills_under_load_lose_no_acked_event_and_double_none(questlog):
    questlog.write_config(SMALL_SEGMENTS)
    acked, start, seen = {}, 0, []
    for kill in range(20):
        with questlog.serve() as server, Load(server, connections=4, start=start) as load:
            load.wait_for_acks(20 + 37 * kill % 400)
            server.kill()
            load.finish()
        assert not acked.keys() & load.acked.keys()
        acked.update(load.acked)
        start = load.next_number()
        values = questlog.values()  # server down: a reading command recovers first
        assert values[:len(seen)] == seen, "what was shown after an earlier kill is gone or changed"
        seen = values
    assert_kept(questlog, acked)
    assert len(acked) >= 20 * 20
    with questlog.serve() as server:
        assert server.stop() == 0
    assert questlog.values() == seen


def test_a_reader_beside_the_server_never_shows_what_a_kill_then_takes_away(questlog):
    shown = []
    for _ in range(5):
        with questlog.serve() as server, Load(server, connections=4, start=1000 * len(shown)) as load:
            load.wait_for_acks(50)
            values = questlog.values()
            load.wait_for_acks(len(load.acked) + 20)
            server.kill()
        assert values[:len(shown)] == shown
        shown = questlog.values()
        assert shown[:len(values)] == values


# --- without a sync at each commit --------------------------------------------------------------------------------------

@pytest.mark.parametrize("sync", ['"never"', '"interval"\nsync_interval_ms = 20'])
def test_without_a_sync_at_each_commit_a_kill_takes_nothing_and_everyone_is_told(questlog, sync):
    questlog.write_config(f"[log]\nsync = {sync}\n")
    with questlog.serve() as server, Load(server, connections=4) as load:
        load.wait_for_acks(300)
        partition, = questlog.status()["topics"][0]["partitions"]
        assert partition["synced_end"] is not None and partition["synced_end"] <= partition["durable_end"]
        assert "a power cut may take what lies above offset" in questlog.ok("status")
        if "interval" in sync:
            wait_until(lambda: questlog.status()["topics"][0]["partitions"][0]["synced_end"] >= 300, "a sync in the background")
        server.kill()
        load.finish()
        assert "not durable: sync = " in server.output and "a power cut takes" in server.errors
    load.assert_kept(questlog)
    partition, = questlog.status()["topics"][0]["partitions"]
    assert partition["lost_events"] == 0
    questlog.write_config("")
    with questlog.serve() as server:
        assert "not durable" not in server.output
        assert questlog.status()["topics"][0]["partitions"][0]["synced_end"] is None
        assert server.stop() == 0


def test_damage_above_the_synced_end_is_cut_and_told_and_counted(questlog):
    questlog.write_config('[log]\nsync = "never"\n')
    with questlog.serve() as server:
        for start in range(0, 1000, 100):
            server.send_events(numbered(100, start=start))
        server.kill()
    path, = questlog.segments()
    flip_bit(path, read_batches(path)[6].position + 100)
    with questlog.serve() as server:
        assert "kept up to offset 600" in server.errors and "400 acknowledged events are lost" in server.errors
        assert server.get("/?receipt=1").json()["offset"] == 600
        assert server.stop() == 0
    assert questlog.status()["topics"][0]["partitions"][0]["lost_events"] == 400
    assert "400 events acknowledged before power cuts are lost" in questlog.ok("status")


# --- one writer ------------------------------------------------------------------------------------------------------

def test_a_second_server_on_the_same_log_is_refused_and_told_who_holds_it(questlog, server):
    before = {path: path.stat().st_mtime_ns for path in questlog.data.rglob("*.log")}
    with pytest.raises(ServerEnded) as ended:
        questlog.serve()
    assert ended.value.code == 1 and str(server.pid) in ended.value.output
    assert {path: path.stat().st_mtime_ns for path in questlog.data.rglob("*.log")} == before
    assert server.get("/?receipt=1").json()["offset"] == 0


def test_a_second_server_on_a_log_under_load_harms_nothing(questlog):
    with questlog.serve() as server, Load(server, connections=4) as load:
        for _ in range(5):
            load.wait_for_acks(len(load.acked) + 50)
            with pytest.raises(ServerEnded) as ended:
                questlog.serve()
            assert ended.value.code == 1 and str(server.pid) in ended.value.output
        load.wait_for_acks(len(load.acked) + 50)
        assert load.refused == 0
        assert server.stop() == 0
        load.finish()
    load.assert_kept(questlog)


def test_a_taken_port_is_told_before_a_connection_is_stolen_or_a_log_made(tmp_path, questlog, server):
    other = Questlog(tmp_path / "other")
    with Load(server, connections=4) as load:
        load.wait_for_acks(50)
        for _ in range(5):
            with pytest.raises(ServerEnded) as ended:
                other.serve(listen=f"127.0.0.1:{server.port}")
            assert ended.value.code in (1, 2)
            assert f"{server.port}" in ended.value.output and "--listen" in ended.value.output
        load.wait_for_acks(len(load.acked) + 50)
    assert not list(other.data.rglob("*.log"))
    load.assert_kept(questlog)


def test_a_port_in_time_wait_is_free_again(questlog):
    with questlog.serve() as server:
        port = server.port
        for _ in range(3):
            server.get("/")
        with server.wire() as open_one:
            open_one.get("/")
            server.kill()
    with questlog.serve(listen=f"127.0.0.1:{port}") as server:
        assert server.port == port and server.get("/healthz").status == 200
