"""A channel that is made private, or public, under the bot's feet."""

import json
import time

import pytest


@pytest.fixture
def room(llm, world):
    world.start(world.model_config(
        groupAllowFrom=[world.user.id],
        replyToModeByChatType={"channel": "off", "group": "all"}))
    return world


def convert(world, kind):
    world.server.admin.put("/channels/%s/privacy" % world.channel,
                           {"privacy": kind})


def ask(world, text, **more):
    post = world.user.say(
        world.channel, "@%s %s" % (world.bot.name, text), **more)

    def request():
        for r in reversed(world.server.model_requests()):
            if post["id"] in str(r["body"]["messages"][-1]["content"]):
                return r["body"]["messages"]
        return None
    messages = world.postern.wait(request)
    world.postern.wait(lambda: [
        p for p in world.server.replies(
            world.channel, world.bot, world.user.api)
        if p["create_at"] >= post["create_at"]])
    return post, messages


def sessions(world):
    rows = json.loads(world.postern.ctl("sessions", "list", "--json").stdout)
    rows = rows.get("sessions", rows) if isinstance(rows, dict) else rows
    return sorted(r.get("key") or r["session"] for r in rows)


def test_kind_and_session(room):
    base = "agent:main:mattermost:%s:" + room.channel
    ask(room, "the number is 7")
    room.postern.wait(lambda: sessions(room) == [base % "channel"])
    convert(room, "P")
    # It is private at once: this begins a thread, which goes on with what
    # was said before.
    post, messages = ask(room, "what is the number?")
    assert "the number is 7" in json.dumps(messages)
    room.postern.wait(lambda: [
        p["root_id"] for p in room.server.replies(
            room.channel, room.bot, room.user.api)][-1] == post["id"])
    room.postern.wait(lambda: (base % "group") + ":thread:" + post["id"]
                      in sessions(room))
    convert(room, "O")
    _, messages = ask(room, "and now?")
    assert "the number is 7" in json.dumps(messages)
    room.postern.wait(lambda: sessions(room)[0] == base % "channel")


def test_what_was_said_before_is_known(room):
    c = room.postern.config
    c["channels"]["mattermost"]["replyToModeByChatType"]["group"] = "off"
    room.postern.write(c)
    room.postern.ctl("reload")
    room.postern.wait_connected()
    ask(room, "hello")
    room.user.say(room.channel, "by the way, it rains")
    convert(room, "P")
    _, messages = ask(room, "what did I say?")
    assert "it rains" in json.dumps(messages)
    assert sum(m["role"] == "user" and "hello" in str(m["content"])
               for m in messages) == 1


def test_while_the_bot_is_away(room):
    ask(room, "the number is 7")
    room.postern.stop()
    convert(room, "P")
    room.postern.start()
    _, messages = ask(room, "what is the number?")
    assert "the number is 7" in json.dumps(messages)


def test_changed_again_while_it_is_asked_for(sim, room):
    """An answer from before the change does not settle it."""
    ask(room, "hello")
    sim.fault("rest", path_prefix="/api/v4/channels/" + room.channel,
              method="GET", user=room.bot.name, times=1,
              answer_delay_ms=1500)
    convert(room, "P")
    first = room.user.say(room.channel, "@%s one" % room.bot.name)
    time.sleep(0.5)  # it is asked for
    convert(room, "O")
    second = room.user.say(room.channel, "@%s two" % room.bot.name)

    def roots():
        return [p["root_id"] for p in room.server.replies(
            room.channel, room.bot, room.user.api)]
    room.postern.wait(lambda: len(roots()) == 3)
    assert first["id"] not in roots() and second["id"] not in roots()
