"""One Spark session for many requests, with a notebook's environment. A line of JSON with `code` comes in, which is run with `spark` in scope; a
line goes out, with what the code leaves as `table` (a DataFrame, if it does): its `columns`, as [name, type], and its `rows`;
or with the `error`.

Timestamps go out as microseconds since 1970 UTC, so that no time zone of Spark's or Python's stands between."""

import contextlib
import json
import sys
import traceback

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import col, unix_micros
from pyspark.sql.types import TimestampType


def answer_of(table):
    def selected(field):
        column = col(f"`{field.name}`")
        return unix_micros(column).alias(field.name) if isinstance(field.dataType, TimestampType) else column

    return {"columns": [[field.name, field.dataType.simpleString()] for field in table.schema],
            "rows": [list(row) for row in table.select([selected(field) for field in table.schema]).collect()]}


def run(code, spark):
    names = {"spark": spark}
    try:
        with contextlib.redirect_stdout(sys.stderr):
            exec(compile(code, "<request>", "exec"), names)
            return answer_of(names["table"]) if isinstance(names.get("table"), DataFrame) else {}
    except Exception:  # whatever it is, the test that asked is told
        return {"error": traceback.format_exc()}


def main(java_options):
    # As few tasks as such small tables need; what is read does not depend on it.
    spark = (SparkSession.builder.appName("questions").config("spark.sql.shuffle.partitions", 2)
             .config("spark.databricks.delta.snapshotPartitions", 2).config("spark.ui.enabled", False)
             .config("spark.executor.extraJavaOptions", java_options).getOrCreate())
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line)["code"], spark), default=str), flush=True)
    spark.stop()


main(*sys.argv[1:])
