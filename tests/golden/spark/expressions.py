#!/usr/bin/env python3
"""Fills the third field of expressions.txt with a real Spark: pip install pyspark==3.5.7, Java 17.

A line is: an expression of the subset, its text for Spark (scan::BoundExpression::spark_sql), and its values over the rows
below, tab-separated. Values are joined by |: ~ is NULL, a double is the 16 hex digits of its bits.
src/scan/expression_engines_test.cpp holds DuckDB to the same values.
"""
import os
import struct

from pyspark.sql import SparkSession
from pyspark.sql.types import BooleanType, DoubleType, LongType, StringType, StructField, StructType

ROWS = [("a", "a", 1, 1.5, True), ("abc", "cba", -7, -2.5, False), (None, None, None, None, None),
        ("", "", 0, 0.0, True), ("  x ", " x  ", 922337203, 1e10, False), ("ÄÖß İ", "İ ßÖÄ", 5, 1e-5, None),
        ("12", "21", 12, 12.0, True), ("-1.5e3", "true", 2**63 - 1, 1e300, True), ("false", "3", -2**63, -1e300, False),
        ("1e400", "01", 3, 3.0, True), ("+1", ".5", -1, 0.5, False), ("5 ", "NaN", 1, 5.0, True)]
SCHEMA = StructType([StructField("s", StringType()), StructField("t", StringType()), StructField("n", LongType()),
                     StructField("d", DoubleType()), StructField("b", BooleanType())])
PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "expressions.txt")

spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
         .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
         .config("spark.sql.ansi.enabled", "true").config("spark.sql.ansi.doubleQuotedIdentifiers", "true").getOrCreate())
spark.createDataFrame(ROWS, SCHEMA).createOrReplaceTempView("events")


def text(value):
    if value is None:
        return "~"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return struct.pack(">d", value).hex()
    return str(value)


with open(PATH, encoding="utf-8") as file:
    lines = [line.rstrip("\n").split("\t") for line in file]
answers = []
for expression, for_spark, *_ in lines:
    rows = spark.sql(f"SELECT {for_spark} FROM events").collect()
    answers.append(f"{expression}\t{for_spark}\t{'|'.join(text(row[0]) for row in rows)}\n")
with open(PATH, "w", encoding="utf-8") as file:
    file.writelines(answers)
