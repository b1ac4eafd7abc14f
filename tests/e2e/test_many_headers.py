"""Headers that strangers choose: secrets are not kept, and no number of names blows anything up."""

import json
import time

import pytest
from questlog_process import Questlog

SECRETS = [("Authorization", "Bearer s3cret-a"), ("Proxy-Authorization", "s3cret-b"), ("cOOKIE", "s3cret-c")]
CONFIG = """
[[event]]
path = "/open"
type = "open"
[[event]]
path = "/login"
type = "login"
store_headers = ["Authorization"]
[[job]]
name = "all"
  [[job.output]]
  path = "tmp/all"
  show = false
"""


def test_secret_headers_are_nowhere_unless_declared(questlog):
    questlog.write_config(CONFIG)
    with questlog.serve("--access-log") as server:
        for method, target, body in [("GET", "/open", None), ("GET", "/open?x=1", None), ("POST", "/open", b'{"y": 1}'),
                                     ("POST", "/events", b'{"event_type": "z"}'), ("GET", "/nowhere", None),
                                     ("POST", "/open", b"{broken")]:
            server.get("/healthz")
            with server.wire() as wire:
                wire.request(method, target, body, headers=SECRETS)
        assert "s3cret" not in server.get("/metrics").text
        assert server.get("/login", headers=SECRETS).status == 200
        assert server.stop() == 0
        assert "s3cret" not in server.output
    kept = [value for value in questlog.values() if "s3cret" in value]
    assert len(kept) == 1 and json.loads(kept[0])["Authorization"] == "Bearer s3cret-a"
    assert "s3cret-b" not in kept[0] and "s3cret-c" not in kept[0]
    on_disk = b"".join(path.read_bytes() for path in questlog.data.rglob("*") if path.is_file())
    assert on_disk.count(b"s3cret") == 1


@pytest.fixture(scope="module")
def many_names(tmp_path_factory):
    """6,000 header names, 90 a request, among them some that want to be something else."""
    questlog = Questlog(tmp_path_factory.mktemp("many_names"))
    questlog.write_config(CONFIG)
    odd = [("X-'|drop-table-all|--", "quote"), ("X.Y", "dot"), ("Date", "d"), ("Timestamp", "t"), ("x-name-1", "case")]
    with questlog.serve() as server, server.wire() as wire:
        for number in range(0, 6_000, 90):
            names = [(f"X-Name-{n}", str(n)) for n in range(number, min(number + 90, 6_000))]
            assert wire.get("/open", headers=names).status == 200
        assert wire.get("/open", headers=odd).status == 200
        for line in open(f"/proc/{server.pid}/status", encoding="ascii"):
            if line.startswith("VmHWM"):
                questlog.server_kb = int(line.split()[1])
        assert server.stop() == 0
    return questlog


def test_six_thousand_header_names_cost_the_server_nothing(many_names):
    assert many_names.server_kb < 60_000


def test_sql_over_them_answers_in_bounded_columns_and_time(many_names):
    began = time.monotonic()
    for landed in (False, True):
        if landed:
            many_names.ok("batch", "all")
        columns = [row["column_name"] for row in many_names.sql('describe "all"')]
        assert 1000 <= len(columns) < 1010 and "_rescued_data" in columns
        assert many_names.value_of('select count(*) from "all"') == 68
        assert many_names.value_of('select count("X-Name-7") from "all"') == 1
        rescued = many_names.value_of('select "_rescued_data" from "all" where "_rescued_data" like \'%"X-Name-5999"%\'')
        assert json.loads(rescued)["X-Name-5999"] == "5999"
        assert many_names.value_of("select count(*) from events where event_type = 'open'") == 68
    assert time.monotonic() - began < 30
