"""A captured account among real ones: what it sends over its links that it
must not ends itself, is counted, and nobody else notices."""

import json
import os
import re
import shutil
import threading
import time

import pytest

from callbacks import free_port, request
from conftest import account
from mattermost import BUILD

ACTS = ("unknown", "direction", "account", "short", "long", "version", "text",
        "deep", "descriptor")


def forgers(world, link, acts, **more):
    """A daemon with the world's account, and one for each act."""
    config = dict(world.config(), **more)
    accounts = {"default": account(world.server, world.bot,
                                   capabilities=["inlineButtons"])}
    for act in acts:
        # Its server is its own: nobody answers there.
        accounts["forge-%s-%s" % (link, act)] = {
            "botToken": "token-" + act, "baseUrl": "http://127.0.0.1:9",
            "capabilities": ["inlineButtons"]}
    config["channels"]["mattermost"] = {"accounts": accounts}
    world.port = free_port()
    config["gateway"] = {"port": world.port, "customBindHost": "127.0.0.1"}
    p = world.start(config, start=False,
                    standins={"postern-account": "standin.py"})
    # Beside the real one, for the world's account.
    shutil.copy(os.path.join(BUILD, "postern-account"),
                os.path.join(p.dir, "bin", "postern-account.real"))
    p.start(wait=False)
    p.wait_state("default", "connected", 30)
    return p


def restarts(p):
    return {(w["role"], w.get("name", "")): w["restarts"]
            for w in p.status()["workers"]}


def others(p):
    """The processes of all but the forgers."""
    return {(w["role"], w.get("name")): w["pid"]
            for w in p.status()["workers"]
            if not w.get("name", "").startswith("forge-")}


def unharmed(p, before):
    assert others(p) == before, p.logs()[-4000:]
    for (_, name), n in restarts(p).items():
        assert n == 0 or name.startswith("forge-"), (name, p.logs()[-4000:])


@pytest.mark.parametrize("link,who", [
    ("store", "store"), ("dial", "dialer"), ("turn", "agent"),
    ("control", "control")])
def test_the_forger_is_ended_and_counted(world, link, who):
    acts = ACTS + (("endpoint",) if link == "dial" else ())
    p = forgers(world, link, acts)
    before = others(p)
    assert "one." in world.ask("one.")
    for act in acts:
        name = "forge-%s-%s" % (link, act)
        p.wait(lambda n=name: "worker.died role=account name=%s "
               'why="broke its word to %s' % (n, who) in p.logs(), 30)
        p.wait(lambda n=name: restarts(p)["account", n] >= 1)
    assert "two." in world.ask("two.")
    unharmed(p, before)
    assert len(world.said()) == 2


def test_a_callback_worker_ends_nobody(world):
    """It can be reached from outside, so its word ends only the link."""
    p = forgers(world, "callback", ACTS)
    before = others(p)
    for act in ACTS:
        p.wait(lambda a=act: "link.broken role=account name=forge-callback-"
               + a in p.logs(), 30)
    assert "one." in world.ask("one.")
    unharmed(p, before)
    assert not any(n for n in restarts(p).values())


def test_goodbyes_without_end_hold_up_nobody(world):
    """Hooks of other accounts do not wait for one that is always leaving."""
    p = forgers(world, "callback", ["bye"],
                hooks={"enabled": True, "token": "hook-secret-token"})
    took = []

    def hook(n):
        began = time.monotonic()
        a = request(world.port, "/hooks/agent", {
            "message": "hook %d" % n, "channel": "mattermost",
            "accountId": "default", "to": "user:" + world.user.id},
            headers={"Authorization": "Bearer hook-secret-token"})
        took.append((a.status, time.monotonic() - began))

    time.sleep(5)  # what a start may take is over
    assert "goodbyes" not in p.logs()
    threads = [threading.Thread(target=hook, args=(n,)) for n in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert all(status == 200 and s < 2 for status, s in took), took
    p.wait(lambda: len(world.said()) == 6)


def test_rows_of_others_are_not_touched(world):
    """By number, again and again while they come and go."""
    p = forgers(world, "store", ["others"])
    said = ["number %d." % i for i in range(20)]
    for text in said:
        world.user.say(world.dm, text)
    p.wait(lambda: len(world.said()) >= len(said), 60)
    p.wait(lambda: not p.account()["live"]["outbox"])
    got = world.said()
    assert len(got) == len(said) and \
        all(s in g for s, g in zip(said, got)), got
    dead = json.loads(p.ctl("channels", "dead-letters", "list",
                            "--json").stdout)
    assert dead == []
    p.wait(lambda: "refused" in p.logs())
    refused, done = re.search(r"(\d+) refused, (\d+) done", p.logs()).groups()
    assert int(refused) > 100 and int(done) == 0
    assert restarts(p)["account", "default"] == 0


@pytest.mark.simulator
def test_calls_without_end_are_not_all_kept(sim, world):
    """A captured callback worker, and a server that is slow to answer."""
    config = world.config(capabilities=["inlineButtons"])
    config["gateway"] = {"port": free_port(), "customBindHost": "127.0.0.1"}
    sim.fault("rest", method="GET", path_prefix="/api/v4/posts/",
              user=world.bot.name, stall=True, times=1000)
    p = world.start(config, start=False,
                    standins={"postern-callback": "standin.py"})
    p.start(wait=False)
    p.wait_state("default", "connected", 30)
    p.wait(lambda: "refused at once" in p.logs(), 30)
    found = re.search(r"600 calls, (\d+) refused at once", p.logs())
    assert int(found[1]) >= 300, found[0]
    assert restarts(p)["account", "default"] == 0
