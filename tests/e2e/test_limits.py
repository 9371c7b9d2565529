"""What goes from worker to worker fits what the other one takes, however
long or many the things are that people, programs and models send."""

import json

import pytest

from callbacks import free_port, until, wait_linked
from test_callback_hooks import hook_config, send
from tool_rig import Agent, call


def is_whole(p):
    """No worker has ended a link, nor was ended for one."""
    return all(w["restarts"] == 0 for w in p.status()["workers"]) and \
        "violation" not in p.logs() and "broken" not in p.logs()


LONG = "x" * 128


@pytest.mark.parametrize("more", [
    {"idempotencyKey": LONG}, {"sessionKey": LONG * 2},
    {"sessionKey": "\u20ac" * 85}, {"sessionKey": "x" + "\u20ac" * 85},
    {"sessionKey": "xx\U0001f600" * 42},
    {"agentId": "nobody", "idempotencyKey": LONG}])
def test_hooks_with_long_names(world, more):
    world.port = free_port()
    p = world.start(hook_config(
        world, world.port, allowRequestSessionKey=True))
    wait_linked(p)
    for _ in range(2):
        a = send(world, dict(
            more, message="hello", channel="mattermost",
            to="user:" + world.user.id))
        assert a.status == (400 if "agentId" in more else 200), a
    if "agentId" not in more:
        n = 1 if "idempotencyKey" in more else 2
        until(lambda: len(world.said()) == n)
    assert "echo: and now" in world.ask("and now")
    assert is_whole(p), p.logs()


def test_hooks_of_long_ids(world):
    c = hook_config(world, free_port())
    world.port = c["gateway"]["port"]
    name, agent = "a" * 64, "b" * 64
    m = c["channels"]["mattermost"]
    c["channels"]["mattermost"] = {"accounts": {name: m},
                                   "defaultAccount": name}
    c["agents"] = {"list": [{"id": agent}]}
    p = world.start(c)
    wait_linked(p)
    a = send(world, {"message": "hello", "channel": "mattermost",
                     "to": "user:" + world.user.id})
    assert a.status == 200, a
    until(lambda: world.said())
    assert is_whole(p), p.logs()


@pytest.mark.parametrize("n", [256, 257, 400, 600, 16000])
def test_model_of_a_long_name(llm, world, n):
    """Of a server whose models nobody has listed any name is taken."""
    c = world.model_config()
    del c["models"]["providers"]["sim"]["models"]
    c["session"] = {"dmScope": "per-peer"}
    p = world.start(c)
    name = "m" * n
    said = world.ask("/model " + name)
    assert ("There is no model" in said) == (n > 256), said
    world.server.model(reply="fine")
    assert "fine" in world.ask("hello")
    asked = world.model_requests()[-1]["body"]["model"]
    assert asked == (name if n <= 256 else "test-model")
    assert is_whole(p), p.logs()


@pytest.mark.parametrize("rounds, n", [(2, 32), (16, 32), (3, 31), (1, 32)])
def test_more_calls_than_are_made(llm, world, rounds, n):
    """Calls that are refused are answered, too, and remembered."""
    agent = Agent(world).start()
    agent.script(*[[call("nothing", id="c%d" % i) for i in range(n)]
                   for _ in range(rounds)], reply="done")
    agent.say()
    agent.wait_said(["done"])
    assert is_whole(agent.postern), agent.postern.logs()
    agent.say("again")
    agent.wait_said(["done", "done"])


def test_more_buttons_than_a_message_has(world):
    p = world.start()
    rows = json.dumps([[{"text": "b%d" % i, "callback_data": "x"}]
                       for i in range(30)])
    r = p.ctl("message", "send", "--target", "user:" + world.user.id,
              "--message", "choose", "--buttons", rows, check=False)
    assert r.returncode == 1 and "button" in r.stderr, r.stderr
    assert "hello" in world.ask("hello")
    assert is_whole(p), p.logs()
