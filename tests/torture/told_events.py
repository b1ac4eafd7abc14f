"""Events of several types, some sent twice under one message id, and what clients were told of each."""

import json
import random

from ledger import Ledger, noise

TABLES = {"sword": "sword", "guild": "guild", "raid boss": "raid_x20_boss"}  # by type
TYPES = list(TABLES)
PREPARED = "prepared"  # how the names of events begin that no client has sent, and the text of dead letters


def an_event(who, kind, pad="", **more):
    return json.dumps({"event_type": kind, "who": who, **more, "pad": pad})


class ToldEvents(Ledger):
    """A ledger of events that have names (`who`). Every third one has its name as its message id, and every third sends an
    earlier one again under that id, in another guise. `told` names for each that was acknowledged its one place."""

    def __init__(self, seed):
        super().__init__()
        self.told = {}  # who -> (partition, offset)
        self._seed = seed

    def event(self, client, number, pad_bytes):
        chance = random.Random(f"{self._seed}/{client}/{number}")
        again = number % 3 == 1
        who = f"{client}-{chance.randrange(0, number, 3) if again else number}"
        more = {"message_id": who} if number % 3 != 2 else {}
        value = an_event(who, chance.choice(TYPES), noise(pad_bytes, client, number), number=number, **more)
        with self._lock:
            self.sent[value] = client, number
        return value

    def answered(self, values, answer):
        with self._lock:
            if answer.status != 200:
                assert answer.status == 503, (answer.status, answer.text)
                self.refused.update(values)
                return
            for value, place in zip(values, places(answer.json(), len(values)), strict=True):
                who = json.loads(value)["who"]
                assert self.told.setdefault(who, place) == place, f"{who} was told to be at {self.told[who]}, and at {place}"
                self.acked[place] = value

    def knows(self, who):
        """Of prepared events nobody was told."""
        return not who.startswith(PREPARED)

    def send_again(self, server, count=20):
        """As clients do with what was not answered, as far as it has an id; and with some of what was."""
        with self._lock:
            named = [value for value in self.sent if '"message_id"' in value and value not in self.refused]
        unknown = [value for value in named if json.loads(value)["who"] not in self.told]
        with server.wire() as wire:
            for value in unknown[:count] + named[:count]:
                self.answered([value], wire.post("/events?receipt=1", value))
        return len(unknown)


def places(receipt, count):
    if "receipts" in receipt:
        return [(one["partition"], one["offset"]) for one in receipt["receipts"]]
    first = receipt["first_offset"] if "first_offset" in receipt else receipt["offset"]
    return [(receipt["partition"], first + index) for index in range(count)]
