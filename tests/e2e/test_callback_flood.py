"""Ten thousand at the callback port who say one byte a second: a bot's people
do not notice, a hook is taken, memory is flat, and places are free again."""

import json
import os
import resource
import statistics
import subprocess
import sys
import time

import pytest

from callbacks import request, wait_linked
from called import Called
from patience import tries

N = 10000
SLOTS = 512
ASKED = 30
TOKEN = "hook-token"
DRIP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "drip.py")


def rss(pid):
    with open("/proc/%d/status" % pid) as f:
        for line in f:
            if line.startswith("VmRSS"):
                return int(line.split()[1])


def delivery_ms(world):
    """From the post to the answer, as often as tells something."""
    took = []
    for n in range(ASKED):
        before = len(world.said())
        began = time.monotonic()
        world.user.say(world.dm, "number %d" % n)
        for _ in tries(20, 0.001):
            if len(world.said()) > before:
                break
        took.append((time.monotonic() - began) * 1000)
    return statistics.median(took)


def hook(c, n):
    return request(c.port, "/hooks/agent",
                   json.dumps({"message": "still here %d" % n}),
                   headers={"Authorization": "Bearer " + TOKEN})


def test_ten_thousand_that_drip(world):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < N + 1000:
        pytest.skip("no descriptors for so many")
    c = Called(world)
    config = c.config()
    config["hooks"] = {"enabled": True, "token": TOKEN}
    p = world.start(config)
    wait_linked(p)
    pid = p.pids()["callback"]
    assert hook(c, 0).status == 200
    alone = delivery_ms(world)
    before = rss(pid)
    drip = subprocess.Popen(
        [sys.executable, DRIP, str(c.port), str(N)], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_NOFILE, (hard, hard)))
    try:
        accepted = lambda: p.status()["callbacks"]["accepted"]
        p.wait(lambda: accepted() > 2 * N and
               p.status()["callbacks"]["connections"] > SLOTS / 2, 90)
        beside = delivery_ms(world)
        for n in range(10):
            assert hook(c, 1 + n).status == 200
        assert p.status()["callbacks"]["connections"] <= SLOTS
        grown = rss(pid) - before
        # No new ones, and the others go on: each loses its place in 5 s.
        drip.stdin.write("hold\n")
        drip.stdin.flush()
        began = time.monotonic()
        p.wait(lambda: p.status()["callbacks"]["connections"] == 0, 15)
        free = time.monotonic() - began
    finally:
        drip.stdin.close()
        opened, closed, said = map(int, drip.stdout.read().split())
        drip.wait(30)
    print("delivery %.1f ms alone, %.1f ms beside %d connections that said "
          "%d bytes; %d KiB more; all free after %.1f s" % (
              alone, beside, opened, said, grown, free))
    assert opened > 2 * N and said > 10 * SLOTS
    assert free < 15
    assert beside < 2 * alone + 20
    assert p.sanitized() or grown < 8 * 1024
    assert p.pids()["callback"] == pid and p.account()["state"] == "connected"
