"""Waiting for a condition, the only way in which these tests wait for anything."""
import time

# How long a test waits for something that must happen. Generous: it is only ever used up by a failing test.
PATIENCE = 30.0


def wait_until(condition, what, patience=PATIENCE):
    """Returns the first true value of condition(); fails with `what` in the message when there is none in time."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience:g} s in vain: {what}")
        time.sleep(0.01)
