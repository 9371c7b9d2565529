"""A wall clock that jumps by hours, forwards and back, at each step: nothing
waits longer for it, nothing is missed, and nothing is answered twice."""

import os
import struct
import subprocess
import time

import pytest

from mattermost import BUILD

JUMP = os.path.join(os.path.realpath(BUILD), "tests", "sandbox", "jump.so")
HOURS = (2, -2, 30, -30, 0)
ROLES = ("account", "agent", "store", "dialer", "control")

pytestmark = pytest.mark.simulator


def can_jump(path):
    r = subprocess.run(["date", "+%s"], capture_output=True, text=True, env={
        "LD_PRELOAD": JUMP, "JUMP_FILE": path, "PATH": os.environ["PATH"]})
    return r.returncode == 0 and \
        3000 < int(r.stdout) - time.time() < 4000


class Clock:
    def __init__(self, path):
        self.path = path
        self.set(3600)

    def set(self, seconds):
        with open(self.path, "r+b" if os.path.exists(self.path) else "wb") \
                as f:
            f.write(struct.pack("q", seconds))


@pytest.fixture
def jumping(sim, world, tmp_path):
    """The world's daemon, all of whose workers have that clock."""
    clock = Clock(str(tmp_path / "ahead"))
    if not os.path.exists(JUMP) or not can_jump(clock.path):
        pytest.skip("no library can be loaded before the programs")
    clock.set(0)
    p = world.start(start=False, standins={})
    for role in ROLES:
        p.preface(role, "env LD_PRELOAD=%s JUMP_FILE=%s" % (JUMP, clock.path))
    p.start(wait=False)
    if p.sanitized():
        pytest.skip("a sanitizer wants to be loaded first")
    p.wait_connected()
    for pid in p.pids().values():
        with open("/proc/%d/maps" % pid) as f:
            assert JUMP in f.read()
    world.clock = clock
    return world


def answered(world, n):
    world.postern.wait(lambda: len(world.said()) >= n, 46)
    time.sleep(0.3)
    said = world.said()
    assert said == ["echo: number %d." % i for i in range(n)], said


def test_jumps(sim, jumping):
    w, p, n = jumping, jumping.postern, 0

    def say():
        nonlocal n
        w.user.say(w.dm, "number %d." % n)
        n += 1

    for hours in HOURS:
        # While it is idle.
        w.clock.set(hours * 3600)
        say()
        answered(w, n)
        # While an answer waits to be sent again.
        sim.fault("rest", method="POST", path_prefix="/api/v4/posts",
                  user=w.bot.name, status=503, times=2)
        say()
        time.sleep(0.2)
        w.clock.set(-hours * 3600)
        answered(w, n)
        # While there is no connection, and what was missed is fetched.
        sim.fault("refuse", on=True)
        sim.fault("ws_reset", user=w.bot.name)
        p.wait_state("default", "backoff")
        say()
        say()
        w.clock.set(hours * 1800)
        sim.fault("refuse", on=False)
        answered(w, n)
        # While it is down; the store's times are of another clock then.
        p.stop()
        say()
        w.clock.set(hours * 3600)
        p.start()
        answered(w, n)
        # While the request is under way: killed before it heard the answer.
        sim.fault("rest", method="POST", path_prefix="/api/v4/posts",
                  user=w.bot.name, stall=True, after_effect=True)
        say()
        p.wait(lambda: len(w.said()) >= n)
        p.kill_all()
        sim.clear_faults()
        w.clock.set(-hours * 3600)
        p.start()
        answered(w, n)
    assert "worker.died" not in p.logs()
