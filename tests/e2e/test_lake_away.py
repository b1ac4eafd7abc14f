"""A lake that cannot be reached: collecting does not wait for it."""

import re

from questlog_process import Questlog
from waiting import wait_until

EVENTS = 30


def test_what_is_collected_while_hdfs_is_away_is_on_disk(tmp_path):
    questlog = Questlog(tmp_path)
    questlog.write_config('lake = "hdfs://127.0.0.1:1/"\n[landing]\ncut_ms = 100\n')
    with questlog.serve(deadline_s=60) as server:
        server.send_events([{"event_type": "sword", "n": n} for n in range(EVENTS)])
        wait_until(lambda: re.search(r"landing waits: .*cannot reach HDFS", server.errors), "it is told", 90)
        assert server.stop() == 0
    assert questlog.ok("tail", "-e", "-q").count("\n") == EVENTS
