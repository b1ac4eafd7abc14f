"""Waiting for conditions, with deadlines. No test sleeps to "give it time"."""

import contextlib
import threading
import time

_pause = threading.Event()


def wait_until(condition, what, deadline_s=10.0, poll_s=0.005):
    """Returns the first true value of condition(); fails, saying `what` did not come true, after the deadline."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s} s: {what}")
        _pause.wait(poll_s)


def stays(condition, during_s=1.0, poll_s=0.02):
    """True if the condition holds at every look during that time."""
    end = time.monotonic() + during_s
    while time.monotonic() < end:
        if not condition():
            return False
        _pause.wait(poll_s)
    return True


@contextlib.contextmanager
def repeating(*actions):
    """Calls each action again and again, on a thread of its own, until the `with` block is left, however it is left.

    An action that fails is not called again, and what it failed with is raised when the block is left.
    """
    stop, faults = threading.Event(), []

    def repeat(action):
        try:
            while not stop.is_set():
                action()
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=repeat, args=(action,), daemon=True) for action in actions]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
        if faults:
            raise faults[0]
        assert not any(thread.is_alive() for thread in threads), "an action goes on 60 s after it should have ended"
