"""A topic of the real broker: written and read by kcat, and read by questlog's commands."""

import json
import subprocess
from collections import Counter

from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from kafka.errors import TopicAlreadyExistsError
from kafka.structs import TopicPartition
from questlog_process import Questlog
from waiting import wait_until

DEADLINE_S = 60


class Topic:
    def __init__(self, address, name, partitions=1, **configs):
        self.address, self.name = address, name
        self.create(partitions, **configs)

    def _admin(self, act):
        admin = KafkaAdminClient(bootstrap_servers=self.address)
        try:
            return act(admin)
        finally:
            admin.close()

    def create(self, partitions=1, **configs):
        named = {name.replace("_", "."): str(value) for name, value in configs.items()}
        wait_until(lambda: self._created(NewTopic(self.name, partitions, 1, topic_configs=named)), f"{self.name} is made", DEADLINE_S)
        # Of a topic that was made in this moment kcat says that it has no leader yet.
        wait_until(lambda: "leader 1" in self._kcat("-L").stdout.decode(), f"topic {self.name} has a leader", DEADLINE_S)

    def _created(self, topic):
        """False: one of this name is still being deleted."""
        try:
            self._admin(lambda admin: admin.create_topics([topic]))
        except TopicAlreadyExistsError:
            return False
        return True

    def make_anew(self, partitions=1):
        self._admin(lambda admin: admin.delete_topics([self.name]))
        self.create(partitions)

    def grow(self, partitions):
        self._admin(lambda admin: admin.create_partitions({self.name: partitions}))
        wait_until(lambda: self._kcat("-L").stdout.decode().count("leader 1") == partitions, "the new ones have a leader", DEADLINE_S)

    def delete_before(self, offset, partition=0):
        self._admin(lambda admin: admin.delete_records({TopicPartition(self.name, partition): offset}))

    def _kcat(self, *args, stdin=""):
        done = subprocess.run(["kcat", "-b", self.address, "-t", self.name, *map(str, args)], input=stdin.encode(),
                              capture_output=True, timeout=DEADLINE_S, check=False)
        assert done.returncode == 0, done
        return done

    def put(self, lines, *options):
        """A record of each line."""
        self._kcat("-P", *options, stdin="".join(f"{line}\n" for line in lines))

    def put_events(self, numbers, *options, event_type="n", key=""):
        """Events with these numbers; with `key`, each has a key before the character that -K names."""
        self.put([f'{key.format(n)}{json.dumps({"event_type": event_type, "n": n})}' for n in numbers], *options)

    def kcat(self, *options):
        """What kcat prints, in bytes: of several partitions in the order in which they came."""
        return self._kcat("-C", "-q", *options).stdout

    def records(self):
        """(partition, offset, value) of each that kcat sees, sorted."""
        rows = (row.split(" ", 2) for row in self.kcat("-o", "beginning", "-e", "-f", r"%p %o %s\n").decode().splitlines())
        return sorted((int(partition), int(offset), value) for partition, offset, value in rows)

    def reader(self, folder, more=""):
        """A data folder of its own, whose log is this topic."""
        questlog = TopicReader(folder)
        questlog.write_config(f'[log]\ntopic = "{self.name}"\n[kafka]\nbootstrap = "{self.address}"\n{more}')
        return questlog


ALL_JOB = """
[[job]]
name = "all_of_them"
[[job.output]]
path = "tmp/everything"
show = false
"""


class TopicReader(Questlog):
    def tail(self, *options):
        return self.ok("tail", "-q", *options, binary_output=True)

    def tailed(self):
        rows = (row.split(" ", 2) for row in self.tail("-o", "beginning", "-e", "-f", r"%p %o %s\n").decode().splitlines())
        return sorted((int(partition), int(offset), value) for partition, offset, value in rows)

    def selected(self):
        rows = self.sql('SELECT partition, "offset", value FROM events ORDER BY ALL')
        return [(row["partition"], row["offset"], row["value"]) for row in rows]

    def landed_files(self):
        return sorted((self.data / "lake" / "events").glob("*/date=*/*.parquet"))

    def landed_places(self, duckdb):
        """How often each (partition, offset) is in the files as they lie."""
        files = [str(file) for file in self.landed_files()]
        return Counter(duckdb.sql(f"SELECT CAST(_partition AS INT), _offset FROM read_parquet({files}, union_by_name = true)").fetchall()
                       ) if files else Counter()

    def ledger(self, *columns):
        """Sums over the ledger, whose every row must balance."""
        rows = self.sql("SELECT * FROM ledger")
        for row in rows:
            fates = sum(row[fate] for fate in ("landed", "pending", "filtered", "dead_lettered", "duplicates"))
            assert row["balanced"] and row["problem"] is None and row["accepted"] == fates, row
        return tuple(sum(row[column] for row in rows) for column in columns)
