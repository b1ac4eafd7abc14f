"""Administrative commands beside a running server, through the socket in its data folder."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest
from load import Load
from questlog_process import BINARY, Questlog
from waiting import wait_until

SERVER_USER, OTHER_USER = 65533, 65532


def socket_of(questlog):
    return questlog.data / "control.sock"


def ask(questlog, line, finish=True):
    """What the server answers to these bytes."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(str(socket_of(questlog)))
        client.sendall(line)
        if finish:
            client.shutdown(socket.SHUT_WR)
        with client.makefile("rb") as answer:
            return json.loads(answer.readline())


def server_of(questlog):
    return questlog.status()["server"]


# --- topic create ----------------------------------------------------------------------------------------------------

def test_a_topic_is_created_by_the_running_server_and_seen_at_once(questlog, server):
    made = questlog.ok("topic", "create", "--topic", "raids", "--partitions", "3", "--config", "segment.ms=60000")
    assert made == "Created topic raids.\n"
    described = questlog.ok("topic", "describe", "--topic", "raids")
    assert "PartitionCount: 3" in described and "Configs: segment.ms=60000" in described
    assert questlog.ok("topic", "list") == "game-events\nraids\n"
    assert [len(topic["partitions"]) for topic in questlog.status()["topics"]] == [1, 3]
    assert questlog.values("raids") == []
    assert "topic raids was created by an administrative command: 3 partitions" in server.errors
    server.get("/purchase_a_sword")
    assert questlog.value_of("SELECT count(*) FROM events") == 1
    assert server.stop() == 0
    # Its producer: a server of its own, on the same folder.
    questlog.write_config('[log]\ntopic = "raids"\n')
    with questlog.serve() as of_raids:
        of_raids.get("/join_guild")
        assert len(questlog.values("raids")) == 1


@pytest.mark.parametrize("running", [True, False])
def test_texts_and_exit_codes_are_the_same_with_and_without_a_server(questlog, running):
    def check():
        questlog.ok("topic", "create", "--topic", "raids")
        done = questlog.fails("topic", "create", "--topic", "raids", code=1)
        assert done.err == "questlog: Error while executing topic command : Topic 'raids' already exists.\n"
        assert questlog.ok("topic", "create", "--topic", "raids", "--if-not-exists") == ""
        done = questlog.fails("topic", "create", "--topic", "t", "--config", "no.such=1", code=1)
        assert done.err.startswith('questlog: Error while executing topic command : the topic config "no.such" is not')
        done = questlog.fails("topic", "create", "--topic", "t", "--config", "segment.ms=1", "--config", "segment.ms=1",
                              code=1)
        assert "segment.ms" in done.err
        questlog.fails("topic", "create", "--topic", "t", "--config", "nonsense", code=2, says=["name=value"])
        questlog.fails("topic", "create", "--topic", "../t", code=2, says=["../t"])
        questlog.fails("topic", "create", "--topic", "t", "--replication-factor", "2", code=1, says=["eplication"])
    if running:
        with questlog.serve() as server:
            check()
            assert questlog.ok("topic", "list") == "game-events\nraids\n"
            assert server.stop() == 0
    else:
        check()
        assert questlog.ok("topic", "list") == "raids\n"


def test_of_creations_at_once_one_creates(questlog, server):
    commands = [questlog.start("topic", "create", "--topic", "raids", "--partitions", "5") for _ in range(6)]
    codes = [command.wait(60) for command in commands]
    for command in commands:
        command.communicate()
    assert sorted(codes) == [0, 1, 1, 1, 1, 1]
    assert "PartitionCount: 5" in questlog.ok("topic", "describe", "--topic", "raids")


def test_creations_do_not_hold_up_events_and_are_whole_when_the_server_stops(questlog):
    with questlog.serve() as server, Load(server, connections=4) as load:
        load.wait_for_acks(100)
        commands = [questlog.start("topic", "create", "--topic", f"raids-{i}", "--partitions", "20") for i in range(8)]
        wait_until(lambda: "raids-" in questlog.ok("topic", "list"), "the first creation is done")
        assert server.stop() == 0
        load.finish()
        ended = [(command.wait(60), command.communicate()) for command in commands]
    load.assert_kept(questlog)
    # Each was done or refused, and what it says is so.
    listed = questlog.ok("topic", "list").split()
    for i, (code, (_, err)) in enumerate(ended):
        assert code in (0, 1), err
        assert (f"raids-{i}" in listed) == (code == 0), (i, code, err)
    questlog.ok("status")


# --- the server of a folder ------------------------------------------------------------------------------------------

def test_status_names_the_server(questlog):
    with questlog.serve() as server:
        told = server_of(questlog)
        assert (told["state"], told["pid"], told["url"], told["topic"], told["problem"]) == (
            "running", server.pid, server.url, "game-events", None)
        assert f"server: running, pid {server.pid}, {server.url}\n  topic game-events, since 20" in questlog.ok("status")
        assert server.stop() == 0
    assert not socket_of(questlog).exists()
    assert server_of(questlog)["state"] == "none"
    assert questlog.ok("status").startswith("server: none\n")


def test_a_killed_servers_socket_is_not_taken_for_a_server(questlog):
    with questlog.serve() as server:
        server.kill()
    assert socket_of(questlog).is_socket()
    assert server_of(questlog)["state"] == "none"
    questlog.ok("topic", "create", "--topic", "raids")
    with questlog.serve() as again:
        assert server_of(questlog)["pid"] == again.pid


def test_of_two_servers_the_first_answers_and_then_the_other(questlog):
    other = Questlog(questlog.folder, questlog.data)
    other.write_config('[log]\ntopic = "raids"\n', name="other.toml")
    with questlog.serve() as first, other.serve() as second:
        assert "another server answers the administrative commands" in second.errors
        assert server_of(questlog)["pid"] == first.pid == server_of(other)["pid"]
        assert first.stop() == 0
        wait_until(lambda: server_of(questlog)["pid"] == second.pid, "the second server answers")
        questlog.ok("topic", "create", "--topic", "guilds")
        assert "topic guilds was created" in second.errors


def test_a_server_that_does_not_answer_is_told_of(questlog, server):
    os.kill(server.pid, 19)  # SIGSTOP
    try:
        told = server_of(questlog)
        assert told["state"] == "silent" and "has not answered" in told["problem"]
    finally:
        os.kill(server.pid, 18)
    assert server_of(questlog)["state"] == "running"


def test_strangers_are_answered_and_the_next_is_served(questlog, server):
    for line in (b"GET / HTTP/1.1\r\n\r\n", b"\0\xff\n", b"{}\n", b"[" * 100_000 + b"\n"):
        try:
            answer = ask(questlog, line)
        except (BrokenPipeError, ConnectionResetError):
            continue  # it had enough of the long one
        assert answer["version"] == 1 and answer["error"] == "reject" and answer["message"], answer
    assert "version 7" in ask(questlog, b'{"version": 7, "command": "ping"}\n')["message"]
    assert '"topic create"' in ask(questlog, b'{"version": 1, "command": "reboot"}\n')["message"]
    assert ask(questlog, b'{"version": 1, "command": "ping"}\n', finish=False)["pid"] == server.pid
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(str(socket_of(questlog)))
        assert server.get("/purchase_a_sword").status == 200
        questlog.ok("topic", "create", "--topic", "raids")


def test_a_very_long_folder_path_works(tmp_path):
    questlog = Questlog(tmp_path, tmp_path / "/".join("d" * 100 for _ in range(5)))
    with questlog.serve() as server:
        assert socket_of(questlog).is_socket()
        assert server_of(questlog)["pid"] == server.pid
        questlog.ok("topic", "create", "--topic", "raids")
        assert server.stop() == 0


def with_a_failing_bind(error):
    """The second bind of the main thread is the control socket's; the first one is the HTTP port's."""
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    return ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=bind", "-e", f"inject=bind:error={error}:when=2"]


def test_a_folder_that_can_have_no_socket_is_served_without(questlog):
    with questlog.serve(launcher=with_a_failing_bind("EPERM")) as server:
        assert "no administrative commands are taken, all else works" in server.errors
        assert server.get("/purchase_a_sword").status == 200
        told = server_of(questlog)
        assert told["state"] == "silent" and "writes topic game-events" in told["problem"]
        assert questlog.ok("topic", "create", "--topic", "raids") == "Created topic raids.\n"
        assert server.stop() == 0


def test_a_socket_that_did_not_fit_on_the_disk_is_made_later(questlog):
    with questlog.serve(launcher=with_a_failing_bind("ENOSPC")) as server:
        assert "no administrative commands are taken until this is over" in server.errors
        wait_until(lambda: server_of(questlog)["state"] == "running", "the server answers")
        assert "administrative commands are answered at" in server.errors
        assert server.stop() == 0


# --- users -----------------------------------------------------------------------------------------------------------

def as_user(user):
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--inh-caps=-all"]


@pytest.fixture
def folder_of_another():
    """A data folder of the server's own user, where root and others can reach it."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("only root can run a server as another user")
    folder = Path(tempfile.mkdtemp(prefix="questlog-users-"))
    questlog = Questlog(folder)
    questlog.data.mkdir()
    for path in (folder, questlog.data):
        os.chown(path, SERVER_USER, SERVER_USER)
        path.chmod(0o755)
    if subprocess.run([*as_user(SERVER_USER), BINARY, "--version"], cwd="/", capture_output=True, check=False).returncode:
        shutil.rmtree(folder)
        pytest.skip("another user cannot run the binary where it lies")
    yield questlog
    shutil.rmtree(folder)


def test_what_root_creates_is_the_servers_own(folder_of_another):
    questlog = folder_of_another
    with questlog.serve(launcher=as_user(SERVER_USER)) as server:
        questlog.ok("topic", "create", "--topic", "raids", "--partitions", "2")
        paths = [path for path in questlog.data.rglob("*") if "raids" in str(path)]
        assert len(paths) >= 5
        assert {path.stat().st_uid for path in paths} == {SERVER_USER}
        assert server.stop() == 0
    questlog.write_config('[log]\ntopic = "raids"\n')
    with questlog.serve(launcher=as_user(SERVER_USER)) as of_raids:
        assert of_raids.get("/join_guild").status == 200


def test_other_users_may_not_command_the_server(folder_of_another):
    questlog = folder_of_another
    with questlog.serve(launcher=as_user(SERVER_USER)):
        command = [*as_user(OTHER_USER), BINARY, "--data", questlog.data, "topic", "create", "--topic", "raids"]
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1 and f"user {OTHER_USER} may give the server" in done.stderr, done
        socket_of(questlog).chmod(0o666)  # by mistake: who asks is still looked at
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1 and f"user {OTHER_USER} may give this server no commands" in done.stderr, done
        assert questlog.ok("topic", "list") == "game-events\n"
        asked = subprocess.run([*as_user(SERVER_USER), BINARY, "--data", questlog.data, "topic", "create", "--topic",
                                "raids"], cwd="/", capture_output=True, text=True, timeout=60, check=False)
        assert asked.returncode == 0, asked
