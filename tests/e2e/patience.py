"""Waiting for something, on machines that are slow or stand still."""

import os
import time

# Under memcheck a worker takes thirty times as long to start.
SLOWNESS = 6 if os.environ.get("POSTERN_MEMCHECK") else 1


def tries(seconds, pause=0.02):
    """As often as one should look: for that long, and often enough.

    A machine that stood still for a minute has used up every deadline
    without having done anything, so the clock alone does not end it.
    """
    seconds *= SLOWNESS
    end = time.monotonic() + seconds
    least = seconds / pause / 5
    n = 0
    while True:
        yield n
        n += 1
        if n > least and time.monotonic() > end:
            return
        time.sleep(pause)
