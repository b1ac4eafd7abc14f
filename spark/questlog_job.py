"""`questlog batch JOB --engine spark`, the part that runs in Spark. questlog starts it by spark-submit with the path of a Unix
socket, and through it both say lines of JSON (docs/formats/spark.md): it is given the work order, says what is in the topic's range, and is told which
tables to write, and where. It commits nothing: the tables' folders are questlog's."""

import json
import os
import queue
import re
import socket
import sys
import threading
from itertools import islice

import questlog_events
from pyspark.accumulators import AccumulatorParam
from pyspark.sql import SparkSession
from pyspark.sql.types import BooleanType, DoubleType, LongType, StringType, StructField, StructType

VIEW = "questlog_events"
TYPES = {"boolean": BooleanType(), "bigint": LongType(), "double": DoubleType()}
SPLIT_EVENTS_MIN, SPLIT_EVENTS_MAX = 50_000, 5_000_000
PROGRESS_S = 0.5
REASON_CHARACTERS_MAX = 2000

# What decides the meaning of the expressions and the form of the files, whatever Spark is configured to.
SETTINGS = {"spark.sql.ansi.enabled": "true", "spark.sql.session.timeZone": "UTC", "spark.sql.caseSensitive": "false",
            "spark.sql.variable.substitute": "false", "spark.sql.parser.escapedStringLiterals": "false",
            "spark.sql.parquet.compression.codec": "snappy", "spark.sql.parquet.writeLegacyFormat": "false",
            "spark.sql.files.maxRecordsPerFile": "0", "spark.sql.optimizer.maxIterations": "1000"}


class Channel:
    """The socket to questlog. When questlog goes, this process ends with it, and by that Spark."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        os.chdir(os.path.dirname(path))  # a path of a socket is short
        self._socket.connect(os.path.basename(path))
        self._lock = threading.Lock()
        self._requests = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self._socket.makefile(encoding="utf-8"):
            self._requests.put(json.loads(line))
        os._exit(1)

    def say(self, **message):
        with self._lock:
            self._socket.sendall((json.dumps(message) + "\n").encode())

    def next(self):
        return self._requests.get()


class Progress:
    """Says now and then how many tasks of the present jobs are done."""

    def __init__(self, spark, channel):
        self._tracker, self._channel, self._over = spark.sparkContext.statusTracker(), channel, threading.Event()

    def __enter__(self):
        threading.Thread(target=self._watch, daemon=True).start()

    def __exit__(self, *_):
        self._over.set()

    def _watch(self):
        while not self._over.wait(PROGRESS_S):
            stages = [info for stage in self._tracker.getActiveStageIds() if (info := self._tracker.getStageInfo(stage))]
            if stages and not self._over.is_set():
                self._channel.say(say="progress", done=sum(stage.numCompletedTasks for stage in stages),
                                  total=sum(stage.numTasks for stage in stages))


class ReadParts(AccumulatorParam):
    """index -> (partition, first offset, rows read): a task that is run twice says the same twice."""

    def zero(self, _):
        return {}

    def addInPlace(self, one, other):
        one.update(other)
        return one


class Job:
    def __init__(self, spark, order):
        self._spark, self._order = spark, order
        self._records = self._read()
        self._seen_before = {}
        self._splits = []

    def _read(self):
        """(partition, offset, milliseconds, value, origin) of the range's records."""
        ranges = self._order["ranges"]
        records = sum(part["to"] - part["from"] for part in ranges)
        if records == 0:
            return self._spark.sparkContext.emptyRDD()
        topic = self._order["topic"]
        reader = self._spark.read.format("kafka").options(**self._order["kafka"])
        reader = (reader.option("assign", json.dumps({topic: [part["partition"] for part in ranges]})).option("includeHeaders", "true")
                  .option("startingOffsets", json.dumps({topic: {str(part["partition"]): part["from"] for part in ranges}}))
                  .option("endingOffsets", json.dumps({topic: {str(part["partition"]): part["to"] for part in ranges}})))
        splits = max(-(-records // SPLIT_EVENTS_MAX), min(self._spark.sparkContext.defaultParallelism, records // SPLIT_EVENTS_MIN))
        if splits > sum(part["to"] > part["from"] for part in ranges):
            reader = reader.option("minPartitions", splits)
        return reader.load().selectExpr(
            "partition", "offset", "CASE WHEN timestampType = -1 THEN -1 ELSE unix_millis(timestamp) END", "value",
            "try_element_at(filter(headers, header -> header.key = 'questlog.origin'), -1).value").rdd

    def census(self):
        splits = self._look({})
        before, has_repeats = questlog_events.origins_before(splits)
        if has_repeats:
            splits = self._look(before)
        self._seen_before = before if has_repeats else {place: {} for place in before}
        self._splits = splits
        return questlog_events.merged(splits)

    def _look(self, before):
        kept = self._order["types"]
        found = self._records.mapPartitionsWithIndex(lambda index, records: questlog_events.census(index, records, kept, before)).collect()
        return sorted((split for split in found if split["partition"] is not None), key=lambda split: (split["partition"], split["first"]))

    def _table(self, request, parts=None):
        """The table as a DataFrame whose partitions are the splits."""
        columns = [tuple(column) for column in request["columns"]]
        rows = questlog_events.Rows(columns, request["types"], self._seen_before, parts.add if parts else lambda _: None)
        schema = StructType([StructField("timestamp", StringType())] +
                            [StructField(f"c{i}", TYPES.get(type_, StringType())) for i, (_, type_) in enumerate(columns)])
        self._spark.createDataFrame(self._records.mapPartitionsWithIndex(rows), schema, verifySchema=False).createOrReplaceTempView(VIEW)
        return self._spark.sql(request["select"])

    def write(self, request):
        """Files in the folder, which is not there yet, one for each split that has rows."""
        parts = self._spark.sparkContext.accumulator({}, ReadParts())
        self._table(request, parts).write.parquet(request["folder"])
        places = [[index, partition, first] for index, (partition, first, _) in parts.value.items() if partition is not None]
        return {"say": "written", "read": sum(read for _, _, read in parts.value.values()), "parts": places}

    def take(self, request):
        """The first rows in the order of the topic."""
        rows, wanted = [], request["rows"]
        table = self._table(request).rdd
        for split in self._splits:
            if len(rows) >= wanted or split["index"] >= table.getNumPartitions():
                break
            rows += self._spark.sparkContext.runJob(table, lambda found: islice(found, wanted), [split["index"]])
        return {"say": "rows", "rows": [[text_of(value) for value in row] for row in rows[:wanted]]}


def text_of(cell):
    """A double keeps all its digits, and a text all its bytes."""
    return None if cell is None else cell.encode().hex() if isinstance(cell, str) else repr(cell)


def reason_of(error):
    """What a person is told; the whole of it is in the log."""
    text = str(error)
    if "find data source: kafka" in text or "find the data source: kafka" in text:
        version = SparkSession.getActiveSession().version if SparkSession.getActiveSession() else "3.5.7"
        return ("this Spark has no Kafka source. Write packages = [\"org.apache.spark:spark-sql-kafka-0-10_2.12:" + version + "\"] in [spark], or put its "
                "jars on Spark's class path")
    causes = re.findall(r"^(?:Caused by: )?(?:[\w.$]+(?:Error|Exception)): (.+)$", text, re.MULTILINE)
    return (causes[-1] if causes else text.strip() or type(error).__name__)[:REASON_CHARACTERS_MAX]


def run(channel):
    order = channel.next()
    spark = SparkSession.builder.appName(f"questlog batch {order['job']}").getOrCreate()
    for name, value in SETTINGS.items():
        spark.conf.set(name, value)
    job = Job(spark, order)
    with Progress(spark, channel):
        found = job.census()
    channel.say(say="census", **found)
    acts = {"write": job.write, "take": job.take}
    while (request := channel.next())["do"] != "end":
        try:
            with Progress(spark, channel):
                answer = acts[request["do"]](request)
        except Exception as error:  # one table's; the others may do
            print(f"questlog: {request['do']}: {error}", file=sys.stderr, flush=True)
            answer = {"say": "failed", "why": reason_of(error)}
        channel.say(**answer)
    spark.stop()


def main(socket_path):
    channel = Channel(socket_path)
    try:
        run(channel)
    except Exception as error:
        channel.say(say="ended", why=reason_of(error))
        raise


if __name__ == "__main__":
    main(*sys.argv[1:])
