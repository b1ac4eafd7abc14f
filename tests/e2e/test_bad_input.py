"""What is wrong is said clearly, with the right status or exit code, and nothing is lost."""

import os
import re

import pytest
from questlog_process import ServerEnded
from reference_flow import send_reference_traffic
from segment import flip_bit
from wire import Closed, chunked

# --- limits of a request ---------------------------------------------------------------------------------------------

def answers_to(server, data):
    """Answers to bytes that the server may stop reading before their end."""
    with server.wire() as wire:
        try:
            wire.send(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            return [wire.answer().status]
        except Closed:
            return []


def padded(count, line=b"X-%d: y\r\n"):
    return b"".join(line % number for number in range(count))


LIMITS = {
    "a long request line": (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    "a long header": (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 40_000 + b"\r\n\r\n", 431),
    "many headers": (b"GET / HTTP/1.1\r\nHost: a\r\n" + padded(101) + b"\r\n", 431),
    "endless headers": (b"GET / HTTP/1.1\r\nHost: a\r\n" + padded(100_000), 431),
    "an announced big body": (b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n", 413),
    "a sent big body": (b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 2_000_000, 413),
    "a big chunk": (b"POST /events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n" + b"x" * 2_097_152, 413),
    "many chunks": (b"POST /events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
                    chunked(*[b"x" * 1000] * 1100), 413),
}


@pytest.mark.parametrize("name", LIMITS)
def test_a_request_over_a_limit_is_told_which(questlog, server, name):
    data, status = LIMITS[name]
    assert answers_to(server, data) == [status]
    assert server.get("/healthz").status == 200
    assert questlog.values() == []


def test_requests_at_the_limits_are_taken(questlog, server):
    with server.wire() as wire:
        wire.send(b"GET / HTTP/1.1\r\nHost: a\r\n" + padded(99) + b"\r\n")
        assert wire.answer().status == 200
        line = b'{"event_type": "a", "s": "' + b"x" * 973 + b'"}\n'
        body = line * (1024 * 1024 // len(line))
        assert wire.post("/events", body + b" " * (1024 * 1024 - len(body))).status == 200
        target = "/" + "?x=" + "a" * 8000
        assert wire.get(target).status == 200


# --- configuration ---------------------------------------------------------------------------------------------------

EVENT_HEAD = '[[event]]\npath = "/buy"\nmethods = ["POST"]\ntype = "buy"\nreply = "ok"\n'
OUTPUT = '[[job]]\nname = "j"\n  [[job.output]]\n  path = "tmp/j"\n'

CONFIG_ERRORS = [
    # text, line, what the message must name
    ("[server\n", 1, []),
    ('[server]\nlisten = 5000\n', 2, ["listen", 'listen = "']),
    ('[server]\nlisten = "nowhere"\n', 2, ["nowhere"]),
    ('[server]\nlisten = "127.0.0.1:99999"\n', 2, ["99999"]),
    ('[server]\nlisen = "127.0.0.1:0"\n', 2, ["lisen", "listen"]),
    ('[server]\naccess_log = "yes"\n', 2, ["access_log", "true"]),
    ("[sever]\n", 1, ["sever", "server"]),
    ("[log]\npartitions = 0\n", 2, ["partitions", "1"]),
    ("[log]\nsegment_bytes = 5\n", 2, ["segment_bytes", "1048576"]),
    ('[log]\ntopic = "a b"\n', 2, ["a b"]),
    ('[lake]\nroot = 7\n', 2, ["root"]),
    ('[lake]\nroot = "hdfs://namenode/lake"\n', 2, ["hdfs://namenode/lake", "hdfs://HOST:PORT/PATH"]),
    ('[lake]\nroot = "s3://bucket/lake"\n', 2, ["s3://bucket/lake", "hdfs://HOST:PORT/PATH"]),
    ('[lake]\nwebhdfs = "namenode"\n', 2, ["webhdfs", "namenode:9870"]),
    ('[lake]\nuser = ""\n', 2, ["user"]),
    ('[lake]\nreplication = 0\n', 2, ["replication", "1"]),
    ('[lake]\ncache_bytes_max = 5\n', 2, ["cache_bytes_max"]),
    ('lake = "hdfs://namenode:8020/a:b"\n', 1, ["a:b"]),
    ('lake = 7\n', 1, ["lake"]),
    ('[[event]]\npath = "/buy"\nmethods = ["POST"]\nreply = "ok"\n', 1, ["type"]),
    (EVENT_HEAD.replace('"/buy"', '"buy"'), 2, ["buy", "/"]),
    (EVENT_HEAD.replace('"POST"', '"BREW"'), 3, ["BREW"]),
    (EVENT_HEAD + EVENT_HEAD, None, ["/buy", "twice"]),
    (EVENT_HEAD.replace('"/buy"', '"/events"'), 2, ["/events"]),
    (EVENT_HEAD + 'fields = { price = { type = "money" } }\n', 6, ["money", "double"]),
    (EVENT_HEAD + 'fields = { event_type = { type = "string" } }\n', 6, ["event_type"]),
    (EVENT_HEAD + 'fields = { receipt = { type = "string" } }\n', 6, ["receipt"]),
    (EVENT_HEAD + 'store_headers = ["Host"]\n', 6, ["Host", "Cookie"]),
    ('[[job]]\n', 1, ["name"]),
    ('[[job]]\nname = "j"\n', None, ["output"]),
    (OUTPUT.replace("tmp/j", "../j"), 4, ["../j"]),
    (OUTPUT.replace("tmp/j", "/etc/j"), 4, ["/etc/j"]),
    (OUTPUT.replace("tmp/j", "tmp/events"), 4, ["events"]),
    (OUTPUT + OUTPUT, None, ["j", "twice"]),
    (OUTPUT.replace("tmp/j", "other/purchases"), None, ["purchases"]),
    (OUTPUT + '  where = "event_type ="\n', 5, []),
    (OUTPUT + '  where = "event_type == \'a\' AND"\n', 5, []),
    (OUTPUT + '  where = "random() > 0.5"\n', 5, ["random"]),
    (OUTPUT + '  where = "now() > timestamp"\n', 5, ["now"]),
    (OUTPUT + '  where = "count(*) > 1"\n', 5, ["count"]),
    (OUTPUT + '  where = "x IN (SELECT 1)"\n', 5, ["subquery"]),
    (OUTPUT + '  where = "x; DROP TABLE y"\n', 5, [";"]),
    (OUTPUT + '  where = "read_text(\'/etc/passwd\') = x"\n', 5, ["read_text"]),
    ('[[job]]\nname = "j"\nset = { Host = "moe(" }\n  [[job.output]]\n  path = "tmp/j"\n', 3, []),
    ('[[job]]\nname = "j"\nset = { Host = 7 }\n  [[job.output]]\n  path = "tmp/j"\n', 3, ["Host"]),
]


@pytest.mark.parametrize("text, line, says", CONFIG_ERRORS, ids=[repr(text)[-45:] for text, _, _ in CONFIG_ERRORS])
def test_a_wrong_configuration_is_told_at_file_line_and_column(questlog, text, line, says):
    path = questlog.write_config(text)
    for command in (["batch", "separate_events"], ["serve", "--listen", "127.0.0.1:0"]):
        done = questlog.fails(*command, code=2, says=says, deadline_s=10)
        place = re.search(re.escape(path.name) + r":(\d+):(\d+)", done.err)
        assert place, done.err
        assert line is None or int(place.group(1)) == line, done.err
    assert not list(questlog.data.rglob("*.log")), "nothing may be made before the configuration is right"


def test_the_column_is_that_of_the_fault_within_an_expression(questlog):
    where = '  where = "event_type = \'buy\' AND random() > 1"'
    questlog.write_config(OUTPUT + where + "\n")
    questlog.fails("batch", "j", code=2, says=[f"questlog.toml:5:{where.index('random') + 1}"])


def test_a_missing_configuration_is_told(questlog):
    questlog.config = questlog.folder / "nowhere.toml"
    questlog.fails("status", code=2, says=["nowhere.toml"])


# --- usage -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("args, says", [
    ([], "--help"), (["dance"], "dance"), (["serve", "--lisen", "x"], "--lisen"), (["batch"], "job"), (["show"], "table"),
    (["sql", "SELECT 1", "--format", "xml"], "xml"), (["topic"], "--help"), (["log"], "--help"),
    (["serve", "--listen", "nowhere"], "nowhere"), (["serve", "--listen", "127.0.0.1:http"], "127.0.0.1:http"),
    (["show", "purchases", "--rows", "few"], "--rows"),
])
def test_wrong_usage_is_2_and_says_where_to_look(questlog, args, says):
    done = questlog.fails(*args, code=2, says=[says], deadline_s=10)
    assert done.out == "" and (not args or len(done.err.splitlines()) < 12), done.err


@pytest.mark.parametrize("args", [["--help"], ["serve", "--help"], ["topic", "create", "--help"], ["--version"]])
def test_help_and_version_are_answers(questlog, args):
    done = questlog.run(*args)
    assert done.code == 0 and done.out and done.err == ""


@pytest.mark.parametrize("args", [["tail", "-e"], ["status"], ["sql", "SELECT count(*) FROM events"], ["batch", "separate_events"],
                                  ["log", "inspect"]])
def test_commands_before_the_first_start_make_no_mess_and_say_what_to_do(questlog, args):
    done = questlog.run(*args)
    assert done.code in (0, 1, 2) and "terminate" not in done.err and "abort" not in done.err.lower()
    if done.code:
        assert "questlog serve" in done.err or "questlog topic create" in done.err, str(done)
    assert not list(questlog.data.rglob("*.log"))


def test_a_data_folder_that_cannot_be_is_told(questlog):
    (questlog.folder / "file").write_text("x")
    questlog.data = questlog.folder / "file"
    with pytest.raises(ServerEnded) as ended:
        questlog.serve()
    assert ended.value.code in (1, 2) and "file" in ended.value.output


def test_standard_output_that_is_full_is_a_failure(reference):
    with open("/dev/full", "wb") as full:
        for command in (["tail", "-o", "beginning", "-e"], ["sql", "FROM events"], ["topic", "list"]):
            process = reference.start(*command, stdout=full)
            _, err = process.communicate(timeout=20)
            assert process.returncode == 1 and err, command


# --- damaged files ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("damage", ["truncated", "flipped footer", "empty", "not Parquet"])
def test_a_damaged_parquet_file_is_named_and_batch_repairs_the_table(questlog, damage):
    with questlog.serve() as server:
        server.get("/purchase_a_sword")
        assert server.stop() == 0
    questlog.ok("batch", "filtered_writes")
    path, = (questlog.data / "lake" / "tmp" / "purchases").glob("*.parquet")
    size = path.stat().st_size
    if damage == "truncated":
        os.truncate(path, size // 2)
    elif damage == "empty":
        os.truncate(path, 0)
    elif damage == "not Parquet":
        path.write_bytes(b"x" * size)
    else:
        for position in range(size - 60, size - 8):
            flip_bit(path, position, bit=6)
    for command in (["show", "purchases"], ["sql", "FROM purchases"], ["sql", "FROM purchases", "--landed"]):
        questlog.fails(*command, code=1, says=[path.name, "questlog batch"])
    # What is broken is one table: the log and the others still answer.
    assert questlog.value_of("SELECT count(*) FROM events") == 1
    assert questlog.value_of("SELECT count(*) FROM sword_purchases") == 1
    questlog.ok("batch", "filtered_writes", "--force")
    assert questlog.value_of("SELECT count(*) FROM purchases", "--landed") == 1


def test_damage_inside_a_landed_file_names_the_table_and_the_cure(questlog):
    with questlog.serve() as server:
        send_reference_traffic(server)
        assert server.stop() == 0
    questlog.ok("batch", "separate_events")
    path, = (questlog.data / "lake" / "tmp" / "sword_purchases").glob("*.parquet")
    flip_bit(path, 20, bit=7)
    for command in (["show", "sword_purchases"], ["sql", "FROM sword_purchases"]):
        questlog.fails(*command, code=1, says=["sword_purchases", "damaged", "questlog batch separate_events"])
    questlog.ok("batch", "separate_events")
    assert questlog.value_of("SELECT count(*) FROM sword_purchases") == 20


def test_a_configuration_that_is_there_and_cannot_be_read_is_never_passed_over(questlog):
    path = questlog.folder / "questlog.toml"
    path.mkdir()
    for options in ([], ["--config", str(questlog.folder)]):
        questlog.fails("topic", "list", *options, code=2, says=["is a directory"])
    path.rmdir()
    path.symlink_to(path)  # a file that no one may read is the same, but not to root
    questlog.fails("topic", "list", code=2, says=["cannot read the configuration questlog.toml", "symbolic links"])


def test_a_tail_that_follows_ends_when_its_output_is_lost_however_little_it_is(questlog):
    with questlog.serve() as server:
        server.get("/")
        assert server.stop() == 0
    with open("/dev/full", "wb") as full:
        for options in ([], ["-q"], ["-f", "%o"]):
            process = questlog.start("tail", "-o", "beginning", *options, stdout=full)
            assert process.wait(timeout=20) == 1, options
            assert b"cannot write the output" in process.stderr.read()


def test_output_that_is_lost_is_a_failure(reference):
    with open("/dev/full", "wb") as full:
        process = reference.start("tail", "-e", stdout=full)
        assert process.wait(timeout=30) == 1
        assert b"cannot write the output" in process.stderr.read()
