#!/usr/bin/env python3
"""Writes the texts beside it with a real Spark: pip install pyspark==3.5.7, Java 17; then ./generate.py.

show_*.txt and schema_*.txt are what show() and printSchema() print for the tables of src/query/spark_text_test.cpp.
The *.stdout.txt files come from whole Spark jobs over the reference traffic, doubles.txt from Doubles.java.
"""
import contextlib
import io
import os

from pyspark.sql import SparkSession
from pyspark.sql.types import (BooleanType, DoubleType, LongType, StringType, StructField, StructType, TimestampType)

HERE = os.path.dirname(os.path.abspath(__file__))
spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
         .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
         .config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "1").getOrCreate())


def write(name, text):
    with open(os.path.join(HERE, name), "w", encoding="utf-8", newline="") as file:
        file.write(text)


def printed(action):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        action()
    return out.getvalue()


def table(columns, rows):
    schema = StructType([StructField(name, kind) for name, kind in columns])
    return spark.createDataFrame(rows, schema)


escapes = table([("line\nbreak", StringType()), ("text", StringType())],
                [("a\nb", "tab\there"), ("cr\r", "ff\f bs\b"), ("vt\x0b", "bell\x07"), ('"\\', "esc\x1b nul\x00.")])
write("show_escapes.txt", printed(lambda: escapes.show()))
write("show_escapes_whole.txt", printed(lambda: escapes.show(truncate=False)))
write("schema_escapes.txt", printed(lambda: escapes.printSchema()))

wide = table([("名前", StringType()), ("n", LongType())],
             [("全角文字", 1), ("ｱｲｳ", 22), ("한글", 333), ("😀😀", None), ("Ä€é", 4444), ("，．！", 5), (None, -6)])
write("show_wide.txt", printed(lambda: wide.show()))
write("show_wide_whole.txt", printed(lambda: wide.show(truncate=False)))

long = table([("a_column_name_of_more_than_twenty_characters", StringType()), ("s", StringType())],
             [("x" * 19, "1"), ("x" * 20, "12"), ("x" * 21, "123"), ("x" * 16 + "😀😀😀", "1234"), (None, None),
              ("\n" * 10, "12345"), ("\n" * 11, "é" * 25)])
for truncate in (1, 2, 3, 4, 5, 20, 100):
    write(f"show_truncate_{truncate}.txt", printed(lambda: long.show(truncate=truncate)))
write("show_truncate_whole.txt", printed(lambda: long.show(truncate=False)))

types = table([("b", BooleanType()), ("l", LongType()), ("d", DoubleType()), ("s", StringType()), ("t", TimestampType())],
              [(True, 1, 1.0, "x", None), (False, -9223372036854775808, -0.0, "", None), (None, None, None, None, None)])
types = types.selectExpr("b", "l", "d", "s", "timestamp_millis(case when l = 1 then 1795384733873 "
                         "when l < 0 then 1795384734000 end) as t")
write("show_types.txt", printed(lambda: types.show()))
write("schema_types.txt", printed(lambda: types.printSchema()))

three = table([("n", LongType())], [(1,), (2,), (3,)])
for rows in (0, 1, 2, 3, 4):
    write(f"show_top_{rows}.txt", printed(lambda: three.show(rows)))
write("show_empty.txt", printed(lambda: three.limit(0).show()))
write("show_no_columns.txt", printed(lambda: three.select().show()))
write("schema_no_columns.txt", printed(lambda: three.select().printSchema()))
