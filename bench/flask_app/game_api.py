"""The reference's API server.

Its producer keeps nothing, so that what is measured is the web framework, unless BENCH_KAFKA names a broker. Then it is kafka-python's,
and does not wait, as the reference's; with BENCH_WAIT it waits for Kafka's acknowledgement before it answers."""

import json
import os

from flask import Flask, request

TOPIC = os.environ.get("BENCH_TOPIC", "game-events")
WAIT_S = 10


class Producer:
    def send(self, topic, value):
        pass


def make_producer():
    if not (broker := os.environ.get("BENCH_KAFKA")):
        return Producer()
    from kafka import KafkaProducer
    return KafkaProducer(bootstrap_servers=broker)


app = Flask(__name__)
producer = make_producer()


def log_to_kafka(topic, event):
    event.update(request.headers)
    future = producer.send(topic, json.dumps(event).encode())
    if os.environ.get("BENCH_WAIT"):
        future.get(timeout=WAIT_S)


@app.route("/")
def default_response():
    log_to_kafka(TOPIC, {"event_type": "default"})
    return "\nThis is the default response!\n"


@app.route("/purchase_a_sword")
def purchase_a_sword():
    log_to_kafka(TOPIC, {"event_type": "purchase_sword"})
    return "\nSword Purchased!\n"
