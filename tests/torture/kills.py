"""kill -9 under load, at any moment, at chosen system calls, and inside recovery."""

import shutil

from casework import Part
from ledger import Ledger, RecordedLoad
from questlog_process import Questlog, ServerEnded
from tracing import WRITING, read_calls, traced

KILLS_A_ROUND = 10  # the last of each inside recovery
COMPRESSIONS = ("none", "lz4", "zstd")
CALLS = ("pwrite64", "fdatasync", "fsync", "ftruncate", "rename", "msync", "openat")


class Kills(Part):
    name = "kills"
    what = "kill -9 under load; after each, every receipt is kept"

    def case(self, number, chance, folder, book):
        """One round: a log that is killed ten times, and looked at after each."""
        questlog = Questlog(folder)
        questlog.write_config(f"[log]\nsegment_bytes = 1048576\npartitions = {(1, 3)[number % 2]}\n"
                              f'compression = "{COMPRESSIONS[number // 2 % 3]}"\n')
        ledger = Ledger()
        for kill in range(KILLS_A_ROUND - 1):
            last = kill == KILLS_A_ROUND - 2
            if last or chance.random() < 0.5:
                kill_at_a_moment(questlog, ledger, chance)
                book.add("kills at a moment")
            else:
                book.add("kills " + kill_at_a_call(questlog, ledger, chance))
            if last:  # nothing has recovered it yet
                call = kill_inside_recovery(questlog, chance, by_serving=number % 2 == 0)
                book.add("kills inside recovery")
                book.add(f"    at its {call}")
            look(questlog, ledger, chance)
        questlog.ok("log", "verify")
        book.add("receipts, all kept", len(ledger.acked))
        book.add("events kept that were not answered", ledger.check(questlog) - len(ledger.acked))


def load_on(server, ledger, chance):
    return RecordedLoad(server, ledger, chance.random(), pad_bytes=chance.choice((50, 500, 5000)))


def kill_at_a_moment(questlog, ledger, chance):
    with questlog.serve() as server, load_on(server, ledger, chance) as load:
        load.wait_for_answers(chance.randrange(1, 300))
        server.kill()


def kill_at_a_call(questlog, ledger, chance):
    """Dies at the entry of a system call that no one can be sure of reaching; else in the midst of its load."""
    call, nth = chance.choice(CALLS), chance.randrange(1, 60)
    trace = questlog.folder / "trace"
    try:
        server = questlog.serve(launcher=traced(trace, CALLS, f"{call}:signal=SIGKILL:when={nth}"))
    except ServerEnded as ended:
        assert ended.code == -9, ended
        return "at a call of its start"
    with server, load_on(server, ledger, chance) as load:
        load.wait_for_answers(chance.randrange(100, 400))
        died = load.done() and server.process.poll() is not None
        server.kill()
    assert server.process.returncode == -9, server.output
    return f"at a {call}" if died else "at a moment, traced"


def recovery_calls(questlog, folder):
    """The calls by which a recovery changes the log, found on a copy."""
    copy = Questlog(folder / "copy", data=folder / "copy" / "data")
    questlog.copy_data(copy.data)
    trace = folder / "recovery.trace"
    process = copy.start("tail", "-o", "end", "-e", launcher=traced(trace, WRITING))
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err.decode()
    calls = [call for call in read_calls(trace) if call.touches(f"{copy.data}/log/game-events-")]
    shutil.rmtree(copy.folder)
    return calls


def kill_inside_recovery(questlog, chance, by_serving):
    calls = recovery_calls(questlog, questlog.folder)
    assert calls, "an unclean log was recovered without a write"
    call = chance.choice(calls)
    launcher = traced(questlog.folder / "trace", WRITING, f"{call.name}:signal=SIGKILL:when={call.nth}")
    if by_serving:
        try:
            with questlog.serve(launcher=launcher) as server:
                raise AssertionError(f"serve announced itself before the {call} of its recovery\n{server.output}")
        except ServerEnded as ended:
            assert ended.code == -9, ended
    else:
        process = questlog.start("tail", "-o", "end", "-e", launcher=launcher)
        _, err = process.communicate(timeout=60)
        assert process.returncode == -9, (call, process.returncode, err.decode())
    return call.name


def look(questlog, ledger, chance):
    """Either a reading command recovers the log, or the server does and is read beside."""
    if not ledger.sent and not questlog.ok("topic", "list"):
        return  # killed before there was a topic
    if chance.random() < 0.5:
        ledger.check(questlog)
        questlog.ok("log", "verify")
        return
    with questlog.serve() as server:
        ledger.check(questlog)
        assert server.stop() == 0, server.output
