"""Two hundred accounts: memory, a processor's time while nothing happens
(also with ten), and a reload that changes one of them."""

import copy
import os
import signal
import time

import proc
from stage import Figure, Stage, all_connected, median

FEW = 10


def idle(stage, seconds):
    """Per cent of one processor: ours, the floor's."""
    time.sleep(1)  # what the start left to do
    sides = [side.children() for side in (stage.ours, stage.base)]
    before = [proc.cpu_ms(pids) for pids in sides]
    t0 = time.monotonic()
    time.sleep(seconds)
    took = (time.monotonic() - t0) * 1000
    return [100 * (proc.cpu_ms(pids) - b) / took
            for pids, b in zip(sides, before)]


def reload(stage, times):
    """SIGHUP to everything connected again, one account changed."""
    n, ours, took = stage.n, stage.ours, []
    config = copy.deepcopy(ours.config)
    accounts = config["channels"]["mattermost"]["accounts"]
    first = sorted(accounts)[0]
    for i in range(times):
        accounts[first]["dmPolicy"] = "disabled" if i % 2 == 0 else "open"
        before = stage.server.state()["ws_accepted"]
        ours.write(config)
        ours.notified.drain()
        t0 = time.monotonic()
        os.kill(ours.process.pid, signal.SIGHUP)
        ours.notified.wait("RELOADING=1")
        took.append((ours.notified.wait(all_connected(n)) - t0) * 1000)
        new = stage.server.state()["ws_accepted"] - before
        if new != 1:
            raise AssertionError("a reload made %d connections" % new)
    return median(took)


def run(options):
    with Stage(FEW, FEW) as s:
        ours, base = idle(s, options.idle)
    yield Figure("idle_cpu_pct", ours, "%", base, 0.5)
    n = options.many
    with Stage(n, n) as s:
        ours, base = idle(s, options.idle)
        yield Figure("idle_cpu_%d_pct" % n, ours, "%", base, 0.5)
        total = [None, None]
        for i, side in enumerate((s.ours, s.base)):
            found = proc.memory(side.children())
            if found is not None:
                total[i] = sum(p.proportional for p in found)
        yield Figure("mem_%d_mb" % n, total[0], "MB", total[1], 700)
        yield Figure("start_%d_ms" % n, s.ours.start_ms, "ms",
                     s.base.start_ms)
        yield Figure("reload_%d_ms" % n, reload(s, 2 * options.repeat - 1),
                     "ms", None, 2000)
