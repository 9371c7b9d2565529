"""Waiting for something, on machines that are slow or stand still."""

import time


def tries(seconds, pause=0.02):
    """As often as one should look: for that long, and often enough.

    A machine that stood still for a minute has used up every deadline
    without having done anything, so the clock alone does not end it.
    """
    end = time.monotonic() + seconds
    least = seconds / pause / 5
    n = 0
    while True:
        yield n
        n += 1
        if n > least and time.monotonic() > end:
            return
        time.sleep(pause)
