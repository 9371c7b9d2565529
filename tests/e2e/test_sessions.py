"""Which conversation a message belongs to, and what posternctl says of it."""

import json

import pytest


def config(world, session=None, **more):
    c = world.model_config(**more)
    c["session"] = session or {"dmScope": "per-peer"}
    return c


def sessions(world):
    r = world.postern.ctl("sessions", "list", "--json")
    return {s["session"]: s["messages"] for s in json.loads(r.stdout)}


def bodies(world):
    return [r["body"] for r in world.model_requests()]


def contents(body):
    return [str(m["content"]) for m in body["messages"]]


def asked(world, text):
    def find():
        for body in reversed(bodies(world)):
            if text in contents(body)[-1]:
                return body
        return None
    return world.postern.wait(find)


def mention(world, text, **more):
    return world.user.say(
        world.channel, "@%s %s" % (world.bot.name, text), **more)


def answered(world, n):
    found = world.server.wait_replies(world.channel, world.bot, n)
    assert len(found) == n
    world.postern.wait(
        lambda: world.postern.account()["live"]["running"] == 0)
    return found


@pytest.mark.parametrize("scope, want", [
    ("main", "agent:main:main"),
    ("per-peer", "agent:main:direct:{user}"),
    ("per-channel-peer", "agent:main:mattermost:direct:{user}"),
    ("per-account-channel-peer",
     "agent:main:mattermost:default:direct:{user}")])
def test_direct_scope(llm, world, scope, want):
    world.start(config(world, {"dmScope": scope}))
    world.ask("hello")
    world.postern.wait(
        lambda: list(sessions(world)) == [want.format(user=world.user.id)])


def test_linked_identities_share_a_session(llm, world):
    other = world.server.new_user()
    world.start(config(world, {"dmScope": "per-peer", "identityLinks": {
        "ada": ["mattermost:" + world.user.id, other.id]}}))
    world.ask("my name is Ada")
    other.say(other.direct(world.bot), "what is my name?")
    body = asked(world, "what is my name?")
    assert any("Ada" in t for t in contents(body)[:-1])
    world.postern.wait(
        lambda: sessions(world) == {"agent:main:direct:ada": 4})


@pytest.mark.parametrize("kind, word", [("O", "channel"), ("P", "group")])
def test_channels_and_threads(llm, world, kind, word):
    world.channel = world.server.new_channel([world.bot, world.user], kind)
    world.start(config(world))
    root = mention(world, "at the top")
    answered(world, 1)
    mention(world, "in the thread", root=root["id"])
    answered(world, 2)
    base = "agent:main:mattermost:%s:%s" % (word, world.channel)
    # The thread begins with what the channel had.
    assert sessions(world) == {base: 2, base + ":thread:" + root["id"]: 4}


def test_group_scope_main(llm, world):
    world.start(config(world, {"dmScope": "main", "groupScope": "main"}))
    mention(world, "my name is Ada")
    answered(world, 1)
    world.ask("what is my name?")
    assert any("Ada" in t for t in contents(
        asked(world, "what is my name?"))[:-1])
    world.postern.wait(lambda: list(sessions(world)) == ["agent:main:main"])


@pytest.mark.parametrize("mode", ["first", "all", "batched"])
def test_replies_begin_threads(llm, world, mode):
    world.start(config(world, replyToMode=mode))
    post = mention(world, "at the top")
    found = answered(world, 1)
    assert found[0]["root_id"] == post["id"]
    # Direct messages ignore it.
    world.ask("hello")
    dm = world.server.replies(world.dm, world.bot, world.user.api)
    assert dm[0]["root_id"] == ""
    want = {"agent:main:mattermost:channel:%s:thread:%s" % (
        world.channel, post["id"]), "agent:main:direct:" + world.user.id}
    world.postern.wait(lambda: set(sessions(world)) == want)


def test_replies_by_kind_of_conversation(llm, world):
    world.start(config(world, replyToMode="off", replyToModeByChatType={
        "direct": "all", "channel": "off"}))
    mention(world, "at the top")
    assert answered(world, 1)[0]["root_id"] == ""
    post = world.user.say(world.dm, "hello")
    found = world.server.wait_replies(
        world.dm, world.bot, 1, api=world.user.api)
    assert found[0]["root_id"] == post["id"]


def test_thread_begins_with_its_channel_and_goes_its_own_way(llm, world):
    world.start(config(world))
    mention(world, "my name is Ada")
    answered(world, 1)
    root = world.user.say(world.channel, "a root")
    mention(world, "what is my name?", root=root["id"])
    answered(world, 2)
    assert any("Ada" in t for t in contents(asked(world, "my name?"))[:-1])
    mention(world, "my cat is Bob")
    answered(world, 3)
    mention(world, "what is my cat?", root=root["id"])
    answered(world, 4)
    texts = contents(asked(world, "my cat?"))[:-1]
    assert any("Ada" in t for t in texts)
    assert any("what is my name?" in t for t in texts)
    assert not any("Bob" in t for t in texts)
    # One that is new again is empty.
    mention(world, "/new", root=root["id"])
    answered(world, 5)
    mention(world, "who am I?", root=root["id"])
    answered(world, 6)
    assert len(contents(asked(world, "who am I?"))) == 2


def test_bindings(llm, world):
    c = config(world)
    c["agents"]["list"] = [
        {"id": "main", "default": True}, {"id": "room"}, {"id": "team"},
        {"id": "friend"}]
    special = world.server.new_channel([world.bot, world.user])
    c["bindings"] = [
        {"agentId": "team", "match": {"channel": "mattermost",
                                      "teamId": world.server.team}},
        {"agentId": "room", "match": {
            "channel": "mattermost",
            "peer": {"kind": "channel", "id": special}}},
        {"agentId": "friend", "match": {
            "channel": "mattermost",
            "peer": {"kind": "direct", "id": world.user.id}}}]
    world.start(c)
    world.ask("hello friend")
    mention(world, "hello team")
    answered(world, 1)
    world.user.say(special, "@%s hello room" % world.bot.name)
    world.server.wait_replies(special, world.bot, 1)
    other = world.server.new_user()
    dm = other.direct(world.bot)
    other.say(dm, "hello main")
    world.server.wait_replies(dm, world.bot, 1, api=other.api)
    want = {"agent:friend:direct:" + world.user.id,
            "agent:team:mattermost:channel:" + world.channel,
            "agent:room:mattermost:channel:" + special,
            "agent:main:direct:" + other.id}
    world.postern.wait(lambda: set(sessions(world)) == want)
    r = world.postern.ctl("sessions", "list", "--agent", "room", "--json")
    assert [s["session"] for s in json.loads(r.stdout)] == [
        "agent:room:mattermost:channel:" + special]


def test_operator_shows_and_resets(llm, world):
    world.start(config(world))
    world.ask("my name is Ada")
    name = "agent:main:direct:" + world.user.id
    assert name in world.postern.ctl("sessions", "list").stdout
    shown = world.postern.ctl("sessions", "show", name).stdout
    assert "my name is Ada" in shown and "assistant:" in shown
    assert "%s`, 2 messages" % name in world.ask("/status")
    world.postern.ctl("sessions", "reset", name)
    assert "%s`, 0 messages" % name in world.ask("/status")
    world.ask("what is my name?")
    assert not any("Ada" in t for t in contents(asked(world, "my name?")))
    r = world.postern.ctl("sessions", "reset", "agent:main:nobody",
                          check=False)
    assert r.returncode == 1
