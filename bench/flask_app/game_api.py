"""The reference's API server. Its producer keeps nothing: what is measured is the web framework, in its favour."""

import json

from flask import Flask, request


class Producer:
    def send(self, topic, value):
        pass


app = Flask(__name__)
producer = Producer()


def log_to_kafka(topic, event):
    event.update(request.headers)
    producer.send(topic, json.dumps(event).encode())


@app.route("/")
def default_response():
    log_to_kafka("game-events", {"event_type": "default"})
    return "\nThis is the default response!\n"


@app.route("/purchase_a_sword")
def purchase_a_sword():
    log_to_kafka("game-events", {"event_type": "purchase_sword"})
    return "\nSword Purchased!\n"
