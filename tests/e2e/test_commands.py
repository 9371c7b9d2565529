"""Commands to the gateway itself: what they do, to whom, and once."""

import json
import time

import pytest

from daemon import kill_pid


def config(world, **more):
    """Two models to choose from; every conversation is its own."""
    c = world.model_config(**more)
    c["models"]["providers"]["sim"]["models"] = [
        {"id": "test-model", "contextWindow": 32000},
        {"id": "other-model", "contextWindow": 32000}]
    c["session"] = {"dmScope": "per-peer"}
    return c


@pytest.fixture
def talk(llm, world):
    world.start(config(world))
    return world


@pytest.fixture
def room(llm, world):
    """In the channel: the person may give commands there."""
    world.start(config(world, groupAllowFrom=[world.user.id]))
    return world


def requests(world):
    return [r["body"] for r in world.model_requests()]


def asked(world, text):
    """The last request whose newest message has text in it."""
    def find():
        for body in reversed(requests(world)):
            if text in str(body["messages"][-1]["content"]):
                return body
        return None
    return world.postern.wait(find)


def in_channel(world, n, user=None):
    found = world.server.wait_replies(world.channel, world.bot, n)
    assert len(found) == n, [p["message"] for p in found]
    return [p["message"] for p in found]


def mention(world, text, **more):
    return world.user.say(
        world.channel, "@%s %s" % (world.bot.name, text), **more)


def outcome(world, post):
    def ask():
        r = world.postern.ctl("explain", post["id"], "--json", check=False)
        rows = json.loads(r.stdout or "[]")
        return rows and rows[0]["state"] == "done" and rows[0]["outcome"]
    return world.postern.wait(ask)


def reason(world, post):
    def ask():
        r = world.postern.ctl("explain", post["id"], "--json", check=False)
        rows = json.loads(r.stdout or "[]")
        return rows and rows[0]["reason"]
    return world.postern.wait(ask)


@pytest.mark.parametrize("text, want", [
    ("/help", "/status"), ("/commands", "/activation"),
    ("/status", "test-model"), ("/whoami", "direct"), ("/id", "user id"),
    ("/model", "test-model"), ("/models", "other-model"),
    ("/models nobody", "Unknown provider"), ("/think", "default"),
    ("/think bogus", "no level"), ("/t: high", "high"),
    ("/verbose on", "streaming"), ("/reasoning on", "never posted"),
    ("/queue", "one after the other"), ("/compact", "by itself"),
    ("/context", "messages"), ("/usage", "No use"),
    ("/activation", "direct message"), ("/stop", "Nothing is running"),
    ("STOP!", "Nothing is running"), ("/bash ls", "not available"),
    ("/reset soft", "each message"), ("/model bogus", "no model"),
])
def test_answer_of_a_command(llm, world, text, want):
    world.start(config(world))
    assert want in world.ask(text)
    assert requests(world) == []


def test_all_of_them_in_one_life(talk):
    """One line each, in the order in which they were said."""
    texts = ["/status", "/help", "/model", "/new", "/think low", "/whoami"]
    for i, text in enumerate(texts):
        talk.user.say(talk.dm, text)
        talk.postern.wait(lambda: len(talk.said()) == i + 1)
    said = talk.said()
    assert "New session" in said[3] and "low" in said[4]
    assert talk.user.name in said[5] and talk.user.id in said[5]
    assert requests(talk) == []


def test_new_forgets_the_conversation(talk):
    talk.ask("my name is Ada")
    assert "New session" in talk.ask("/new")
    talk.ask("what is my name?")
    texts = [str(m["content"]) for m in asked(talk, "my name?")["messages"]]
    assert not any("Ada" in t for t in texts)


def test_new_is_durable(talk):
    talk.ask("my name is Ada")
    talk.ask("/new")
    talk.postern.kill_all()
    talk.postern.start()
    talk.ask("what is my name?")
    assert "Ada" not in str(asked(talk, "my name?"))


def test_new_with_a_model_and_a_message(talk):
    talk.ask("my name is Ada")
    talk.ask("/new other-model what is my name?")
    body = asked(talk, "what is my name?")
    assert body["model"] == "other-model"
    assert "Ada" not in str(body)
    assert "other-model" not in str(body["messages"])
    talk.ask("and now?")
    body = asked(talk, "and now?")
    assert body["model"] == "other-model"
    assert "what is my name?" in str(body) and "Ada" not in str(body)


def test_model_of_a_conversation(talk):
    assert "other-model" in talk.ask("/model sim/other-model")
    talk.ask("hello")
    assert asked(talk, "hello")["model"] == "other-model"
    # Another conversation has its own.
    other = talk.server.new_user()
    dm = other.direct(talk.bot)
    other.say(dm, "hello from another")
    assert asked(talk, "from another")["model"] == "test-model"
    # It outlives a restart, and a new session.
    talk.postern.stop()
    talk.postern.start()
    assert "other-model" in talk.ask("/status")
    talk.ask("/new")
    talk.ask("hello again")
    assert asked(talk, "hello again")["model"] == "other-model"
    assert "test-model" in talk.ask("/model default")
    talk.ask("hello at last")
    assert asked(talk, "at last")["model"] == "test-model"


def test_thinking_of_a_conversation(talk):
    talk.ask("/think high")
    talk.ask("hello")
    assert asked(talk, "hello")["reasoning_effort"] == "high"
    talk.postern.stop()
    talk.postern.start()
    talk.ask("hello again")
    assert asked(talk, "hello again")["reasoning_effort"] == "high"
    talk.ask("/think off")
    talk.ask("hello at last")
    assert "reasoning_effort" not in asked(talk, "at last")


def test_directives_within_a_message(talk):
    talk.ask("/think low /model other-model why is it dark?")
    body = asked(talk, "why is it dark?")
    assert "/think" not in str(body) and "/model" not in str(body)
    assert body["reasoning_effort"] == "low"
    assert body["model"] == "other-model"
    # For that message only.
    talk.ask("and now?")
    body = asked(talk, "and now?")
    assert "reasoning_effort" not in body
    assert body["model"] == "test-model"
    # Alone, all of them stay.
    said = talk.ask("/think medium /model other-model")
    assert "medium" in said and "other-model" in said
    talk.ask("once more")
    body = asked(talk, "once more")
    assert body["reasoning_effort"] == "medium"
    assert body["model"] == "other-model"


def test_shortcut_within_a_message(talk):
    talk.user.say(talk.dm, "tell me /whoami and the time")
    talk.postern.wait(lambda: len(talk.said()) == 2)
    talk.postern.wait(lambda: any(talk.user.id in s for s in talk.said()))
    text = asked(talk, "and the time")["messages"][-1]["content"]
    assert text.endswith("tell me and the time")


def test_strangers_give_no_commands(llm, world):
    """In the channel anybody may talk, and one person may give commands."""
    other = world.server.new_user()
    world.server.join(world.channel, other)
    world.start(config(world, allowFrom=[world.user.id],
                       dmPolicy="allowlist"))
    me = "@%s " % world.bot.name
    dropped = other.say(world.channel, me + "/status")
    other.say(world.channel, me + "please /think high now")
    in_channel(world, 1)
    assert "reasoning_effort" not in asked(world, "please /think high now")
    world.user.say(world.channel, me + "/status")
    assert "test-model" in in_channel(world, 2)[1]
    assert reason(world, dropped) == "command-not-authorised"


def test_unauthorised_command_in_a_direct_message_is_text(llm, world):
    c = config(world)
    c["commands"] = {"allowFrom": {"mattermost": [world.bot.id]}}
    world.start(c)
    world.ask("/status")
    world.ask("/think high why")
    assert "reasoning_effort" not in asked(world, "/think high why")


def test_text_commands_can_be_switched_off(llm, world):
    c = config(world)
    c["commands"] = {"text": False}
    world.start(c)
    world.ask("/status")
    world.postern.wait(lambda: "/status" in world.said()[-1])


def test_command_without_a_mention(room):
    """Who may give commands need not name the bot for one."""
    room.user.say(room.channel, "/status")
    assert "test-model" in in_channel(room, 1)[0]


def slow(world):
    world.server.model(reply="one two three four five six seven eight",
                       chunks=8, chunk_delay_ms=1500)


def wait_running(world, n=1):
    world.postern.wait(
        lambda: world.postern.account()["live"]["running"] == n)


def test_stop_ends_the_running_turn(talk):
    slow(talk)
    post = talk.user.say(talk.dm, "count")
    talk.server.wait_replies(talk.dm, talk.bot, 1, 10, talk.user.api)
    talk.user.say(talk.dm, "/stop")
    talk.postern.wait(lambda: talk.said() == ["Stopped."])
    assert outcome(talk, post) == "stopped"
    talk.server.model()
    talk.ask("and now")
    asked(talk, "and now")


def test_stop_while_others_wait(talk):
    """What the same person said before goes with it, answered by nothing."""
    slow(talk)
    talk.user.say(talk.dm, "count")
    wait_running(talk)
    waiting = [talk.user.say(talk.dm, "and %d" % i) for i in range(3)]
    talk.user.say(talk.dm, "please stop!")
    talk.postern.wait(lambda: talk.said() == ["Stopped."])
    assert [outcome(talk, p) for p in waiting] == ["stopped"] * 3
    talk.server.model()
    talk.ask("next")
    assert len(talk.said()) == 2


def test_stop_of_more_than_a_commit_takes(sim, talk):
    """The oldest are ended, and the person knows that others wait."""
    slow(talk)
    talk.user.say(talk.dm, "count")
    wait_running(talk)
    posts = [talk.user.say(talk.dm, "and %d" % i) for i in range(4100)]
    talk.postern.wait(
        lambda: talk.postern.account()["live"]["waiting"] >= 4099, 60)
    talk.server.model()
    talk.user.say(talk.dm, "/stop")
    talk.postern.wait(lambda: any(
        s.startswith("Stopped. So much was waiting") for s in talk.said()))
    assert outcome(talk, posts[1]) == "stopped"
    asked(talk, "and 4099")
    assert all(w["restarts"] == 0 for w in talk.postern.status()["workers"])


def test_stop_leaves_what_others_said(llm, world):
    other = world.server.new_user()
    world.server.join(world.channel, other)
    world.start(config(world, groupAllowFrom=[world.user.id]))
    slow(world)
    mention(world, "count")
    wait_running(world)
    kept = other.say(world.channel, "@%s mine" % world.bot.name)
    world.postern.wait(
        lambda: world.postern.account()["live"]["waiting"] == 2)
    world.server.model()
    mention(world, "/stop")
    said = in_channel(world, 2)
    assert sorted(said)[0] == "Stopped."
    asked(world, "mine")
    assert outcome(world, kept) == "answered"


def test_stop_survives_a_power_cut(talk):
    slow(talk)
    talk.user.say(talk.dm, "count")
    talk.server.wait_replies(talk.dm, talk.bot, 1, 10, talk.user.api)
    talk.user.say(talk.dm, "/stop")
    talk.postern.kill_all()
    talk.postern.start()
    talk.postern.wait(lambda: talk.said() and all(
        s in ("Stopped.", "Nothing is running here.") for s in talk.said()),
        30)
    assert len(talk.said()) == 1
    talk.server.model()
    talk.ask("still there")
    asked(talk, "still there")


def test_stop_in_a_channel_of_threads(llm, world):
    """At the top it means all of the threads: it has none of its own."""
    world.start(config(world, groupAllowFrom=[world.user.id],
                       replyToMode="all"))
    slow(world)
    posts = [mention(world, "count %d" % i) for i in range(2)]
    wait_running(world, 2)
    mention(world, "/stop")
    world.postern.wait(lambda: [p["message"] for p in world.server.replies(
        world.channel, world.bot)] == ["Stopped."])
    assert [outcome(world, p) for p in posts] == ["stopped"] * 2


def test_status_does_not_wait(talk):
    slow(talk)
    talk.user.say(talk.dm, "count")
    wait_running(talk)
    talk.user.say(talk.dm, "/status")
    talk.postern.wait(lambda: any("answering" in s for s in talk.said()), 8)
    talk.user.say(talk.dm, "/stop")
    talk.postern.wait(lambda: "Stopped." in talk.said())


def test_activation(room):
    room.user.say(room.channel, "just talking")
    mention(room, "/activation always")
    assert "every message" in in_channel(room, 1)[0]
    room.user.say(room.channel, "is anybody there?")
    asked(room, "is anybody there?")
    in_channel(room, 2)
    room.postern.stop()
    room.postern.start()
    room.user.say(room.channel, "and after a restart?")
    asked(room, "and after a restart?")
    in_channel(room, 3)
    # Another channel is as configured.
    other = room.server.new_channel([room.bot, room.user])
    dropped = room.user.say(other, "and here?")
    mention(room, "/activation default")
    in_channel(room, 4)
    room.user.say(room.channel, "nobody asked")
    mention(room, "last")
    asked(room, "last")
    in_channel(room, 5)
    assert reason(room, dropped) == "no-mention"


@pytest.mark.parametrize("how", ["busy", "kill", "missed"])
def test_activation_counts_at_once(room, how):
    """What is said behind it is judged by it, however long it waits."""
    if how == "missed":
        room.postern.stop()
    else:
        slow(room)
        mention(room, "count")
        wait_running(room)
    room.server.model(reply="an answer")
    mention(room, "/activation always")
    heard = room.user.say(room.channel, "is anybody there?")
    if how == "kill":
        room.postern.wait(
            lambda: room.postern.account()["live"]["accepted"] == 3)
        room.postern.kill_all()
        heard = room.user.say(room.channel, "and now?")
    if how != "busy":
        room.postern.start()
    assert outcome(room, heard) == "answered"
    # And the other way round.
    mention(room, "/activation mention")
    unheard = room.user.say(room.channel, "nobody asked")
    assert reason(room, unheard) == "no-mention"


def test_activation_that_changes_nothing(room):
    slow(room)
    mention(room, "count")
    wait_running(room)
    mention(room, "/activation sometimes")
    mention(room, "/activation")
    unheard = room.user.say(room.channel, "nobody asked")
    assert reason(room, unheard) == "no-mention"


def test_usage_is_counted(talk):
    talk.ask("hello")
    talk.ask("hello again")
    said = talk.ask("/usage")
    assert said.startswith("2 turns, ")
    assert "last used" in talk.ask("/status")


def test_commands_through_kills(talk):
    """Each is answered once, whatever dies in between."""
    p = talk.postern
    n = 12
    for i in range(n):
        talk.user.say(talk.dm, "/think bogus%d" % i)
        if i % 4 == 1:
            p.kill_all()
            p.start()
        elif i % 4 == 3:
            pids = p.wait(p.pids)
            for key in ("store", "account:default"):
                if pids.get(key):
                    kill_pid(pids[key])
    p.wait(lambda: len(talk.said()) >= n, 60)
    time.sleep(1)
    said = talk.said()
    assert len(said) == n, said
    for i in range(n):
        assert "`bogus%d`" % i in said[i]
