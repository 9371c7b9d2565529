"""A bot's token is what a program writes, at the start and again with each
reload. It runs as a shell of the operator's would, with the network."""

import os

import pytest

SCRIPT = """#!/usr/bin/env python3
import socket, time
with socket.create_server(("127.0.0.1", 0)) as s:
    c = socket.create_connection(s.getsockname())
    s.accept()[0].sendall(b"%s")
    time.sleep(%s)
    print(c.recv(100).decode())
"""


class Programs:
    """One for each account; all but the first have a bot that is nobody."""

    def __init__(self, world, path, n):
        self.path = path
        for d in path.parents:
            if "pytest" in str(d):
                d.chmod(0o755)
        c = world.config()
        mm = c["channels"]["mattermost"]
        del mm["botToken"]
        mm["accounts"] = {"a%d" % i: {} for i in range(n)}
        for name, a in mm["accounts"].items():
            self.write(name, world.bot.token if name == "a0" else "x")
            a["botToken"] = {"source": "exec", "command": str(path / name)}
        self.config = c

    def write(self, name, token, slow=0):
        p = self.path / name
        p.write_text(SCRIPT % (token, slow))
        p.chmod(0o755)


@pytest.fixture
def two(world, tmp_path):
    return Programs(world, tmp_path, 2)


def test_programs_that_take_their_time(world, two):
    """Longer than a request may elsewhere: nobody is told that it failed."""
    p = world.start(two.config, start=False)
    p.start(wait=False)
    p.wait_state("a0", "connected")
    assert "one" in world.ask("one")
    two.write("a0", world.bot.token, 6)
    two.write("a1", "y", 6)
    p.ctl("reload", timeout=60)
    assert "two" in world.ask("two")


def test_programs_that_hang(world, tmp_path):
    """Together they hold the daemon up for half a minute, not for more."""
    programs = Programs(world, tmp_path, 5)
    for n in range(1, 5):
        programs.write("a%d" % n, "x", 100)
    p = world.start(programs.config, start=False)
    p.start(wait=False)
    p.wait_state("a0", "connected", 50)
    states = [a["state"] for a in p.status()["accounts"]]
    assert sorted(states) == ["connected"] + ["parked"] * 4
    p.wait_logged("a4: not run: those before it took 30 seconds")
    assert p.logs().count("took too long") == 3
    assert "one" in world.ask("one")
