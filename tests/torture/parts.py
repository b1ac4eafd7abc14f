"""The parts of the torture, by name, in the order in which they are run; and how many cases are a handful."""

from damage import Damage
from faults import Faults
from kills import Kills
from landing import Landing
from mutated_requests import MutatedRequests
from pressure import Pressure
from replay import Replay

PARTS = {
    "kills": lambda cases=20: Kills(cases),
    "landing": lambda cases=None: Landing(cases, 4, 1) if cases else Landing(),
    "replay": lambda cases=None: Replay(cases, hours=3) if cases else Replay(),
    "faults": lambda cases=None: Faults(cases) if cases else Faults(),
    "damage": lambda cases=2000: Damage(cases),
    "requests": lambda cases=100: MutatedRequests(cases),
    "pressure": lambda cases=4: Pressure(cases),
}
QUICK_CASES = {"kills": 1, "landing": 1, "replay": 3, "faults": 3, "damage": 25, "requests": 3, "pressure": 1}
