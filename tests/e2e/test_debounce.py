"""messages.inbound.debounceMs: what one person says in quick succession is
answered together, and nothing of it is lost."""

import json
import time

import pytest


def config(world, ms, key="debounceMs", **more):
    c = world.model_config(**more)
    c["session"] = {"dmScope": "per-peer"}
    inbound = {"debounceMs": ms}
    if key == "byChannel":
        inbound = {"debounceMs": 0, "byChannel": {"mattermost": ms}}
    c["messages"] = {"inbound": inbound}
    return c


def texts(world):
    """What the model was asked, without the data before it."""
    return [r["body"]["messages"][-1]["content"].split("⟧\n\n", 1)[-1]
            for r in world.model_requests()]


def rows(world, post):
    r = world.postern.ctl("explain", post["id"], "--json", check=False)
    return json.loads(r.stdout or "[]")


@pytest.mark.parametrize("key", ["debounceMs", "byChannel"])
def test_messages_are_merged(llm, world, key):
    world.start(config(world, 700, key))
    posts = [world.user.say(world.dm, "part %d" % i) for i in range(3)]
    world.postern.wait(lambda: len(texts(world)) == 1)
    assert texts(world) == ["part 0\npart 1\npart 2"]
    context = world.model_requests()[0]["body"]["messages"][-1]
    for p in posts:
        assert p["id"] in context["content"]
    world.postern.wait(lambda: [
        [r["outcome"] for r in rows(world, p)] for p in posts] == [
        ["merged"], ["merged"], ["answered"]])
    assert len(world.said()) == 1


def test_off_by_default(llm, world):
    world.start(config(world, 0))
    for i in range(3):
        world.user.say(world.dm, "part %d" % i)
    world.postern.wait(lambda: len(texts(world)) == 3)


def test_never_longer_than_five_windows(llm, world):
    world.start(config(world, 400))
    begun = time.monotonic()
    for i in range(60):
        world.user.say(world.dm, "part %d" % i)
        time.sleep(0.1)
        if texts(world):
            break
    assert time.monotonic() - begun < 5
    assert texts(world)[0].startswith("part 0\npart 1\n")


def test_each_person_alone(llm, world):
    other = world.server.new_user()
    world.server.join(world.channel, other)
    world.start(config(world, 800, chatmode="onmessage"))
    for i in range(2):
        world.user.say(world.channel, "mine %d" % i)
        other.say(world.channel, "yours %d" % i)
    world.postern.wait(lambda: len(texts(world)) == 2)
    assert sorted(texts(world)) == ["mine 0\nmine 1", "yours 0\nyours 1"]


def test_command_does_not_wait_nor_merge(llm, world):
    world.start(config(world, 20000))
    world.user.say(world.dm, "part 0")
    world.user.say(world.dm, "part 1")
    world.user.say(world.dm, "/new")
    world.user.say(world.dm, "/whoami")
    # What came before the command is answered before it, now.
    world.postern.wait(lambda: len(texts(world)) == 1, 10)
    assert texts(world) == ["part 0\npart 1"]
    world.postern.wait(lambda: any(
        "New session" in s for s in world.said()), 10)


def test_stop_ends_what_waits(llm, world):
    world.start(config(world, 20000))
    post = world.user.say(world.dm, "never mind")
    world.postern.wait(
        lambda: world.postern.account()["live"]["waiting"] == 1)
    world.user.say(world.dm, "/stop")
    world.postern.wait(lambda: world.said() == ["Stopped."])
    assert rows(world, post)[0]["outcome"] == "stopped"
    assert texts(world) == []


def test_power_cut_while_a_batch_waits(llm, world):
    world.start(config(world, 20000))
    posts = [world.user.say(world.dm, "part %d" % i) for i in range(3)]
    world.postern.wait(
        lambda: world.postern.account()["live"]["waiting"] == 3)
    world.postern.kill_all()
    world.postern.start()
    # It is not put off again.
    world.postern.wait(lambda: len(texts(world)) == 1, 10)
    assert texts(world) == ["part 0\npart 1\npart 2"]
    world.postern.wait(lambda: [
        [r["outcome"] for r in rows(world, p)] for p in posts] == [
        ["merged"], ["merged"], ["answered"]])
    assert len(world.said()) == 1


def test_power_cut_while_the_batch_is_answered(llm, world):
    world.start(config(world, 300))
    llm.model(reply="alpha beta gamma", chunks=3, chunk_delay_ms=1500)
    for i in range(3):
        world.user.say(world.dm, "part %d" % i)
    llm.wait_replies(world.dm, world.bot, 1, 10, world.user.api)
    world.postern.kill_all()
    llm.model(reply="alpha beta gamma")
    world.postern.start()
    world.postern.wait(lambda: world.said() == ["alpha beta gamma"], 20)
    # Nothing of it is asked alone afterwards.
    world.user.say(world.dm, "last")
    world.postern.wait(lambda: len(world.said()) == 2)
    assert texts(world)[-1] == "last"
    for t in texts(world)[:-1]:
        assert t == "part 0\npart 1\npart 2"
