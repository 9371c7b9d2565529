"""An event that ends its worker again and again becomes a dead letter,
whatever it is; what waits behind it goes on."""

import contextlib
import json
import os
import sqlite3
import time

import pytest

from daemon import kill_pid
from test_commands import config


def change(p, *statements):
    """In the database of one that is not running."""
    path = os.path.join(p.config["store"]["path"], "postern.db")
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        for s in statements:
            db.execute(*s)


def dead(p):
    return json.loads(p.ctl(
        "channels", "dead-letters", "list", "--json").stdout)


class Stuck:
    """What is said to it stays open, as if its worker had died over it."""

    def __init__(self, world, c):
        self.world = world
        self.p = world.start(c)
        self.p.stop()
        change(self.p, (
            "CREATE TRIGGER stuck BEFORE UPDATE ON inbox"
            " WHEN NEW.state <> 0 BEGIN SELECT RAISE(ABORT, 'no'); END",))
        self.p.start()

    def say(self, text, n=1):
        for _ in range(n):
            self.world.user.say(self.world.dm, text)
        self.p.wait(lambda: self.p.account()["live"]["waiting"] == n, 60)
        live = self.p.account()["live"]
        assert all(w["restarts"] == 0 for w in self.p.status()["workers"])
        self.p.kill_all()
        return live

    def again(self, attempts):
        change(self.p, ("DROP TRIGGER stuck",),
               ("UPDATE inbox SET attempts = ? WHERE state = 0", (attempts,)))
        self.p.start()


@pytest.mark.parametrize("text", ["/whoami", "hello"])
@pytest.mark.parametrize("attempts", [11, 12])
def test_worker_that_died_over_it(llm, world, text, attempts):
    s = Stuck(world, config(world))
    s.say(text)
    s.again(attempts)
    s.p.wait(lambda: len(world.said()) == 1 and world.is_idle())
    told, = world.said()
    assert ("I could not " in told) == (attempts == 12), told
    world.ask("and now")
    if attempts == 11:
        assert dead(s.p) == []
        return
    (letter,) = dead(s.p)
    assert letter["reason"] == "crash: the worker died over it"
    # The operator has mended what was wrong.
    s.p.ctl("channels", "dead-letters", "resubmit", str(letter["seq"]))
    s.p.wait(lambda: len(world.said()) == 3 and world.is_idle())
    assert dead(s.p) == [] and "I could not" not in world.said()[2]


@pytest.mark.parametrize("attempts", [10, 11])
def test_agent_that_dies_over_it(llm, world, attempts):
    s = Stuck(world, config(world))
    s.say("hello")
    world.server.model(reply="slow", first_delay_ms=60000)
    s.again(attempts)
    s.p.wait(lambda: s.p.account()["live"]["running"] == 1)
    s.p.wait(lambda: world.model_requests())
    world.server.model(reply="answer")
    kill_pid(s.p.pids()["agent:main"])
    s.p.wait(lambda: any(
        ("answer" if attempts == 10 else "the worker died") in x
        for x in world.said()))
    assert len(dead(s.p)) == (attempts == 11)


@pytest.mark.simulator
@pytest.mark.parametrize("worker", ["account:default", "agent:main"])
def test_those_that_only_ran_beside_it(llm, world, worker):
    """Whichever it is that the worker dies of: the others are not given up
    with it. After three workers they run one at a time."""
    n = 12
    p = world.start(world.model_config(groupPolicy="open", replyToMode="all"))
    world.server.model(reply="slow", first_delay_ms=60000)
    for i in range(n):
        world.user.say(world.channel, "@%s number %d" % (world.bot.name, i))

    def running():
        return p.account()["live"]["running"]
    for _ in range(3):
        p.wait(lambda: running() == n, 30)
        pid = p.pids()[worker]
        kill_pid(pid)
        p.wait(lambda: p.pids().get(worker) not in (pid, 0, None), 30)
    p.wait(lambda: running() > 0, 30)
    time.sleep(0.5)
    assert running() == 1
    # What is new does not wait for them.
    world.user.say(world.channel, "@%s one more" % world.bot.name)
    p.wait(lambda: running() == 2)
    world.server.model(reply="answer")
    kill_pid(p.pids()[worker])
    world.server.wait_replies(world.channel, world.bot, n + 1, 60)
    p.wait(world.is_idle)
    assert dead(p) == []


@pytest.mark.simulator
def test_commands_without_number(llm, world):
    """While the store takes nothing they cannot end; no more are begun than
    the account may work on, and all are answered in the end."""
    n = 4300
    s = Stuck(world, config(world))
    assert s.say("/whoami", n)["running"] == 128
    s.again(0)
    s.p.wait(lambda: len(world.said()) == n, 60)
