"""The reference's batch job in small: the purchases of a topic, from Kafka as Parquet into HDFS, printed as they went.

  spark-submit kafka_to_hdfs.py BROKER TOPIC FOLDER"""

import json
import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import udf
from pyspark.sql.types import BooleanType


@udf(BooleanType())
def is_purchase(event_as_json):
    return json.loads(event_as_json)["event_type"] == "purchase_sword"


def main(broker, topic, folder):
    spark = SparkSession.builder.appName("ExtractEventsJob").getOrCreate()
    raw = (spark.read.format("kafka").option("kafka.bootstrap.servers", broker).option("subscribe", topic)
           .option("startingOffsets", "earliest").option("endingOffsets", "latest").load())
    purchases = raw.select(raw.value.cast("string").alias("raw"), raw.timestamp.cast("string")).filter(is_purchase("raw"))
    extracted = spark.read.json(purchases.rdd.map(lambda row: json.dumps({"timestamp": row.timestamp, **json.loads(row.raw)})))
    extracted.write.mode("overwrite").parquet(folder)
    for row in spark.read.parquet(folder).orderBy("Host").collect():
        print(row.event_type, row.Host)


main(*sys.argv[1:])
