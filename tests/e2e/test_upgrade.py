"""What a newer questlog wrote is refused in words; what an older one wrote opens."""

import re
import shutil
from pathlib import Path

import pytest
from kafka.record._crc32c import crc as crc32c
from questlog_process import ServerEnded

GOLDEN = Path(__file__).parents[1] / "golden" / "log"


def written_by_a_newer(path):
    covered = path.read_text().replace("version = 1\n", "version = 2\n").rpartition("crc32c = ")[0]
    path.write_text(f"{covered}crc32c = {crc32c(covered.encode()):08x}\n")


def test_a_log_of_a_newer_format_is_refused_by_every_command_and_left_as_it_is(questlog):
    with questlog.serve() as server:
        server.get("/")
        assert server.stop() == 0
    written_by_a_newer(questlog.data / "log" / "game-events.topic")
    before = {path: path.read_bytes() for path in (questlog.data / "log").rglob("*") if path.is_file()}
    says = ["game-events.topic", "version 2", "reads version 1", "use the newer questlog"]
    for command in (["tail", "-e"], ["log", "inspect"], ["log", "verify"], ["log", "repair", "--topic", "game-events"],
                    ["batch", "separate_events"], ["sql", "SELECT count(*) FROM events"], ["topic", "describe"]):
        questlog.fails(*command, code=2, says=says)
    done = questlog.run("status")
    assert done.code == 1 and all(text in re.sub(r"\s+", " ", done.out) for text in says), str(done)
    with pytest.raises(ServerEnded) as ended:
        questlog.serve()
    assert ended.value.code == 2 and all(text in ended.value.output for text in says)
    assert {path: path.read_bytes() for path in before} == before


def test_a_log_of_every_format_opens(questlog):
    shutil.copytree(GOLDEN, questlog.data / "log")  # version 1
    assert "sound" in questlog.ok("log", "verify", "--topic", "game-events")
    assert len(questlog.values()) == 9
    with questlog.serve() as server:
        server.get("/")
        assert server.stop() == 0
    assert len(questlog.values()) == 10
