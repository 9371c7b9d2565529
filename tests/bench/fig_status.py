"""posternctl status, from its start to its end; the floor is a program that
does nothing."""

import subprocess
import time

from stage import Figure, Stage, median


def run(options):
    ours, base = [], []
    with Stage(options.accounts, options.accounts, floor=False) as s:
        for _ in range(10 * options.repeat):
            t0 = time.monotonic()
            s.ours.ctl("status")
            t1 = time.monotonic()
            subprocess.run(["true"], check=True, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True)
            base.append((time.monotonic() - t1) * 1000)
            ours.append((t1 - t0) * 1000)
    yield Figure("status_ms", median(ours), "ms", median(base), 30)
