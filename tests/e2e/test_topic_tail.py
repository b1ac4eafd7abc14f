"""topic and tail: the flags, texts and ways of waiting of kafka-topics and kcat."""

import os
import re
import signal
import subprocess

import pytest
from reference_flow import golden
from waiting import stays

LINES = golden("kcat_all.txt").splitlines(keepends=True)


# --- topic -----------------------------------------------------------------------------------------------------------

def test_a_topic_that_exists_is_an_error_unless_it_may(questlog):
    questlog.ok("topic", "create", "--topic", "raids")
    questlog.fails("topic", "create", "--topic", "raids", code=1, says=["raids", "exists"])
    assert questlog.ok("topic", "create", "--topic", "raids", "--if-not-exists") == ""


def test_partitions_and_configs_are_kept_and_described(questlog):
    questlog.ok("topic", "create", "--topic", "raids", "--partitions", "3", "--config", "segment.bytes=2097152",
                "--bootstrap-server", "localhost:9092")
    first, *partitions = questlog.ok("topic", "describe", "--topic", "raids").splitlines()
    assert re.fullmatch(r"Topic: raids\tTopicId: [\w-]{22}\tPartitionCount: 3\tReplicationFactor: 1\t"
                        r"Configs: segment\.bytes=2097152", first)
    assert partitions == [f"\tTopic: raids\tPartition: {i}\tLeader: 1\tReplicas: 1\tIsr: 1\tElr: \tLastKnownElr: "
                          for i in range(3)]


def test_describe_without_a_topic_describes_all(questlog):
    for name in ("raids", "guilds"):
        questlog.ok("topic", "create", "--topic", name)
    assert questlog.ok("topic", "list") == "guilds\nraids\n"
    described = questlog.ok("topic", "describe")
    assert described == "".join(questlog.ok("topic", "describe", "--topic", name) for name in ("guilds", "raids"))


def test_topic_ids_are_unique_and_stay(questlog):
    def topic_id(name):
        return re.search(r"TopicId: (\S+)", questlog.ok("topic", "describe", "--topic", name)).group(1)
    questlog.ok("topic", "create", "--topic", "raids")
    questlog.ok("topic", "create", "--topic", "guilds")
    assert topic_id("raids") == topic_id("raids") != topic_id("guilds")


@pytest.mark.parametrize("flags, code, says", [  # 2: wrong usage; 1: refused, as kafka-topics ends
    (["--topic", "../etc"], 2, "../etc"),
    (["--topic", "."], 2, "."),
    (["--topic", "a b"], 2, "a b"),
    (["--topic", "x" * 250], 2, "249"),
    (["--topic", "t", "--partitions", "0"], 2, "questlog: --partitions 0: the number of partitions must be larger than 0\n"),
    (["--topic", "t", "--partitions", "-3"], 2, "questlog: --partitions -3: the number of partitions must be larger than 0\n"),
    (["--topic", "t", "--partitions", "0", "--kafka", "nowhere:1"], 2, "--partitions 0: the number"),
    (["--topic", "t", "--partitions", "100000"], 2, "1024"),
    (["--topic", "t", "--partitions", "many"], 2, "partitions"),
    (["--topic", "t", "--replication-factor", "3"], 1, "eplication"),
    (["--topic", "t", "--config", "no.such=1"], 1, "no.such"),
    (["--topic", "t", "--config", "nonsense"], 2, "nonsense"),
    (["--topic", "t", "--config", "segment.bytes=lots"], 1, "segment.bytes"),
    ([], 2, "--topic"),
])
def test_what_cannot_be_a_topic_is_refused(questlog, flags, code, says):
    questlog.fails("topic", "create", *flags, code=code, says=[says])
    assert questlog.ok("topic", "list") == ""


def test_describing_a_missing_topic_names_it(questlog):
    questlog.fails("topic", "describe", "--topic", "nowhere", code=1, says=["nowhere"])


def test_a_configured_topic_with_partitions_is_made_by_serve(questlog):
    questlog.write_config('[log]\ntopic = "raids"\npartitions = 2\n')
    with questlog.serve() as server:
        server.get("/")
        assert server.stop() == 0
    assert "PartitionCount: 2" in questlog.ok("topic", "describe", "--topic", "raids")
    assert len(questlog.values()) == 1
    done = questlog.run("tail", "-o", "beginning", "-e")
    assert sorted(re.findall(r"Reached end of topic raids \[(\d)\]", done.err)) == ["0", "1"]


# --- tail ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("flags, expected", [
    (["-o", "beginning", "-e"], LINES),
    (["-o", "end", "-e"], []),
    (["-o", "75", "-e"], LINES[75:]),
    (["-o", "80", "-e"], []),
    (["-o", "-5", "-e"], LINES[-5:]),
    (["-o", "-500", "-e"], LINES),
    (["-o", "beginning", "-c", "3"], LINES[:3]),
    (["-o", "78", "-c", "2"], LINES[78:]),
    (["-o", "78", "-c", "5", "-e"], LINES[78:]),
    (["-t", "game-events", "-o", "beginning", "-e"], LINES),
    (["--topic", "game-events", "-o", "79", "-e"], LINES[79:]),
])
def test_tail_reads_from_where_it_is_told(reference, flags, expected):
    assert reference.ok("tail", *flags) == "".join(expected)


def test_tail_is_quiet_when_asked(reference):
    assert reference.run("tail", "-o", "beginning", "-e", "-q").err == ""


def test_tail_formats_as_kcat_does(reference):
    lines = reference.ok("tail", "-o", "beginning", "-e", "-f", r"%T\t%t %p %o %S [%k] %s\n").splitlines()
    previous = 0
    for offset, (line, value) in enumerate(zip(lines, LINES, strict=True)):
        value = value.rstrip("\n")
        match = re.fullmatch(r"(\d{13})\t(.*)", line)
        assert match.group(2) == f"game-events 0 {offset} {len(value)} [] {value}"
        assert int(match.group(1)) >= previous
        previous = int(match.group(1))


@pytest.mark.parametrize("flags, says", [
    (["-o", "sideways", "-e"], "sideways"),
    (["-c", "-1"], "-c"),
    (["-t", "nowhere", "-e"], "nowhere"),
])
def test_tail_refuses_what_it_cannot_do(reference, flags, says):
    reference.fails("tail", *flags, code=2, says=[says])


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_tail_waits_for_new_events_without_burning_a_core(questlog, server):
    server.get("/purchase_a_sword")  # before tail starts, or it may tell of the end of an empty log first
    tail = questlog.start("tail", "-o", "beginning")
    try:
        assert b"purchase_sword" in tail.stdout.readline()
        assert tail.stderr.readline() == b"% Reached end of topic game-events [0] at offset 1\n"
        before = cpu_seconds(tail.pid)
        assert stays(lambda: tail.poll() is None, during_s=1.0), "tail ended instead of waiting"
        assert cpu_seconds(tail.pid) - before <= 0.05
        server.get("/join_guild")
        assert b"join_guild" in tail.stdout.readline()
        assert tail.stderr.readline() == b"% Reached end of topic game-events [0] at offset 2\n"
        tail.send_signal(signal.SIGINT)
        assert tail.wait(5) == 0
    finally:
        tail.kill()
        tail.communicate()


def test_tail_outlives_a_restart_of_the_server(questlog):
    with questlog.serve() as server:
        server.get("/")
        tail = questlog.start("tail", "-o", "beginning", "-q", "-f", "%o\\n", "-c", "3")
        try:
            assert tail.stdout.readline() == b"0\n"
            server.get("/")
            server.kill()
            with questlog.serve() as again:
                again.get("/")
                out, _ = tail.communicate(timeout=10)
                assert out == b"1\n2\n" and tail.returncode == 0
        finally:
            tail.kill()


def test_tail_at_the_end_shows_only_what_comes(questlog, server):
    server.get("/")
    tail = questlog.start("tail", "-o", "end", "-c", "1", "-f", "%o\\n")
    try:
        assert tail.stderr.readline() == b"% Reached end of topic game-events [0] at offset 1\n"
        server.get("/")
        out, _ = tail.communicate(timeout=10)
        assert out == b"1\n"
    finally:
        tail.kill()


def test_tail_into_a_closed_pipe_ends_quietly(reference):
    tail = reference.start("tail", "-o", "beginning")
    tail.stdout.readline()
    tail.stdout.close()
    try:
        assert tail.wait(5) in (0, -signal.SIGPIPE)
        assert b"rror" not in tail.stderr.read()
    except subprocess.TimeoutExpired:
        # Every value went into the pipe before it was closed: nothing is left to write, and so nothing is noticed.
        tail.kill()
    finally:
        tail.kill()
        tail.communicate()


def test_tail_works_with_server_up_and_down(questlog):
    with questlog.serve() as server:
        server.get("/")
        assert len(questlog.values()) == 1  # a 200 is visible
        assert server.stop() == 0
    assert len(questlog.values()) == 1


def test_tail_begins_and_ends_at_a_time_as_kcat(questlog):
    with questlog.serve() as server:
        for n in range(30):
            server.send_events([{"event_type": "n", "n": n}])
        assert server.stop() == 0
    stamped = [line.split(" ", 2) for line in
               questlog.ok("tail", "-o", "beginning", "-e", "-q", "-f", "%T %o %s\\n").splitlines()]
    times = [int(time) for time, _, _ in stamped]
    since, until = times[7], times[20]
    def offsets(*options):
        done = questlog.run("tail", "-f", "%o\\n", *options)
        assert done.code == 0, str(done)
        return [int(line) for line in done.out.split()], done.err
    got, err = offsets("-o", f"s@{since}", "-e")
    assert got == [n for n in range(30) if times[n] >= since] and "Reached end" in err
    first_after = next(n for n in range(30) if times[n] >= until)
    got, err = offsets("-o", f"s@{since}", "-o", f"e@{until}")  # ends by itself, without -e
    assert got == [n for n in range(30) if since <= times[n] < until]
    assert f"% Reached stop timestamp for topic game-events [0] at offset {first_after}: exiting" in err
    assert offsets("-o", f"e@{until}", "-q") == ([n for n in range(30) if times[n] < until], "")
    assert offsets("-o", f"s@{times[-1] + 1}", "-e", "-q")[0] == []
    assert offsets("-o", "-5", "-e", "-q")[0] == [25, 26, 27, 28, 29]
    questlog.fails("tail", "-o", "s@now", code=2, says=["s@now", "s@MS"])
