"""The reference's batch job, from a topic of Kafka into two Parquet tables in a folder, file:// or hdfs://:

  spark-submit separate_events.py BROKER TOPIC FOLDER"""

import json
import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import udf
from pyspark.sql.types import StringType


@udf(StringType())
def munge_event(event_as_json):
    event = json.loads(event_as_json)
    event["Host"] = "moe"
    event["Cache-Control"] = "no-cache"
    return json.dumps(event)


def main(broker, topic, folder):
    spark = SparkSession.builder.appName("ExtractEventsJob").getOrCreate()
    raw = (spark.read.format("kafka").option("kafka.bootstrap.servers", broker).option("subscribe", topic)
           .option("startingOffsets", "earliest").option("endingOffsets", "latest").load())
    munged = (raw.select(raw.value.cast("string").alias("raw"), raw.timestamp.cast("string"))
              .withColumn("munged", munge_event("raw")))
    extracted = spark.read.json(munged.rdd.map(lambda row: json.dumps({"timestamp": row.timestamp, **json.loads(row.munged)})))
    for table, kind in (("sword_purchases", "purchase_sword"), ("default_hits", "default")):
        events = extracted.filter(extracted.event_type == kind)
        events.show()
        events.write.mode("overwrite").parquet(f"{folder}/{table}")


main(*sys.argv[1:])
