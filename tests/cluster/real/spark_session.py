"""A Spark session on the cluster that answers many tests, as starting one takes seconds."""

import json
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

DRIVER = Path(__file__).with_name("spark_driver.py")
QUICK_JVM = "-XX:TieredStopAtLevel=1"  # a test's session is started more than it is used


class SparkFailed(Exception):
    """With what Spark said."""


@dataclass
class Table:
    types: dict  # column -> Spark's name of its type, in order
    rows: list   # a dictionary each


class SparkSession:
    """Leaving the `with` block ends it."""

    def __init__(self, environment):
        """environment: as the cluster's notebooks have it."""
        environment = {**environment, "PYSPARK_SUBMIT_ARGS": f"--driver-java-options {QUICK_JVM} pyspark-shell"}
        self._driver = subprocess.Popen([environment["PYSPARK_PYTHON"], DRIVER, QUICK_JVM], env=environment, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._said = []
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self):
        for line in self._driver.stderr:
            self._said.append(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._driver.stdin.close()
        try:
            self._driver.wait(60)
        finally:
            self._driver.kill()

    def run(self, code):
        """Runs lines of Python with `spark` in scope; what they leave as `table`."""
        self._driver.stdin.write(json.dumps({"code": code}) + "\n")
        self._driver.stdin.flush()
        line = self._driver.stdout.readline()
        if not line:
            self._listener.join(5)
            raise SparkFailed("it ended:\n" + "".join(self._said[-50:]))
        answer = json.loads(line)
        if "error" in answer:
            raise SparkFailed(answer["error"])
        if "columns" not in answer:
            return None
        types = dict(answer["columns"])
        return Table(types, [dict(zip(types, row, strict=True)) for row in answer["rows"]])

    def sql(self, text):
        return self.run(f"table = spark.sql({text!r})")

    def read(self, folder, where="true", **options):
        """Rows of a Delta table."""
        return self.run(f"table = spark.read.format('delta').options(**{options!r}).load('file://{folder}').where({where!r})")
