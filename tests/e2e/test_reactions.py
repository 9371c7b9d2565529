"""Reactions of people are told to the agent with its next turn."""

import json
import re

import pytest

from prompts import asked, mention


def config(world, **more):
    c = world.model_config(**more)
    c["session"] = {"dmScope": "per-peer"}
    return c


def react(user, post, emoji):
    user.api.post("/reactions", {
        "user_id": user.id, "post_id": post["id"], "emoji_name": emoji})


def unreact(user, post, emoji):
    user.api.delete("/users/%s/posts/%s/reactions/%s" % (
        user.id, post["id"], emoji))


def lines(content):
    """What follows the time in each System: line."""
    return re.findall(
        r"^> System: \[\d{4}-\d\d-\d\dT[\d:.]+Z\] (.*)$", content, re.M)




def ask_until(world, text, want, tries=20):
    """A reaction is on its way by itself: ask until it is told."""
    for i in range(tries):
        before = len(world.server.replies(world.channel, world.bot))
        mention(world, "%s %d" % (text, i))
        found = lines(asked(world, "%s %d" % (text, i)))
        world.server.wait_replies(world.channel, world.bot, before + 1)
        if found:
            assert found == want
            return
    raise AssertionError("never told")


def text_of(world, how, emoji, user, post):
    return "Mattermost reaction %s: :%s: by @%s on post %s in channel %s" % (
        how, emoji, user.name, post["id"], world.channel)


def answer(world, text="hello"):
    before = len(world.server.replies(world.channel, world.bot))
    mention(world, text)
    return world.server.wait_replies(
        world.channel, world.bot, before + 1)[-1]


def test_told_once_and_starts_nothing(llm, world):
    world.start(config(world))
    post = answer(world)
    n = len(world.model_requests())
    react(world.user, post, "thumbsup")
    ask_until(world, "what?", [
        text_of(world, "added", "thumbsup", world.user, post)])
    assert len(world.server.replies(world.channel, world.bot)) >= 2
    mention(world, "and again?")
    assert lines(asked(world, "and again?")) == []
    # Each request was asked for by a message.
    assert all("what?" in r["body"]["messages"][-1]["content"]
               for r in world.model_requests()[n:-1])


def test_survives_a_power_cut(llm, world):
    world.start(config(world))
    post = answer(world)
    react(world.user, post, "tada")
    # A second one that is told proves that the first is kept.
    other = world.server.new_user()
    world.server.join(world.channel, other)
    world.postern.wait(lambda: kept(world) == 1)
    world.postern.kill_all()
    world.postern.start()
    mention(world, "what?")
    assert lines(asked(world, "what?")) == [
        text_of(world, "added", "tada", world.user, post)]


def kept(world):
    """Notes in the store's file, read beside it."""
    import shutil
    import sqlite3
    import tempfile
    d = tempfile.mkdtemp()
    try:
        src = world.postern.config["store"]["path"]
        for name in ("postern.db", "postern.db-wal"):
            try:
                shutil.copy("%s/%s" % (src, name), d)
            except OSError:
                pass
        db = sqlite3.connect(d + "/postern.db")
        try:
            return db.execute("SELECT count(*) FROM note").fetchone()[0]
        finally:
            db.close()
    finally:
        shutil.rmtree(d)


def test_taken_back(llm, world):
    world.start(config(world))
    post = answer(world)
    react(world.user, post, "eyes")
    unreact(world.user, post, "eyes")
    react(world.user, post, "eyes")
    world.postern.wait(lambda: kept(world) == 2)
    react(world.user, post, "tada")
    world.postern.wait(lambda: kept(world) == 3)
    mention(world, "what?")
    # The same again takes the place of the first.
    assert lines(asked(world, "what?")) == [
        text_of(world, how, emoji, world.user, post) for how, emoji in (
            ("removed", "eyes"), ("added", "eyes"), ("added", "tada"))]


def test_at_most_twenty(llm, world):
    world.start(config(world))
    post = answer(world)
    names = ["thumbsup", "thumbsdown", "tada", "eyes", "heart", "smile",
             "joy", "rocket", "pray", "fire", "zap", "wave", "x", "100",
             "brain", "computer", "warning", "scream", "raised_hands",
             "thinking_face", "white_check_mark", "heavy_plus_sign"]
    for name in names:
        react(world.user, post, name)
    world.postern.wait(lambda: kept(world) == 20)
    mention(world, "what?")
    found = lines(asked(world, "what?"))
    assert len(found) == 20
    assert found == [text_of(world, "added", n, world.user, post)
                     for n in names[2:]]


def test_same_policy_as_messages(llm, world):
    stranger = world.server.new_user()
    world.server.join(world.channel, stranger)
    world.start(config(world, groupPolicy="allowlist", dmPolicy="pairing",
                       allowFrom=[], groupAllowFrom=[world.user.id]))
    post = answer(world)
    react(stranger, post, "thumbsdown")
    # No code for a stranger who reacts in a direct message.
    dm = stranger.direct(world.bot)
    own = world.bot.say(dm, "good morning")
    react(stranger, own, "wave")
    react(world.bot, post, "robot_face")
    react(world.user, post, "thumbsup")
    ask_until(world, "what?", [
        text_of(world, "added", "thumbsup", world.user, post)])
    r = world.postern.ctl("pairing", "list", "mattermost", "--json")
    assert json.loads(r.stdout)["requests"] == []
    assert [p["message"] for p in world.server.replies(
        dm, world.bot, stranger.api)] == ["good morning"]


def test_belongs_to_the_conversation_not_the_thread(llm, world):
    world.start(config(world))
    root = mention(world, "hello")
    world.server.wait_replies(world.channel, world.bot, 1)
    react(world.user, root, "eyes")
    world.postern.wait(lambda: kept(world) == 1)
    mention(world, "in the thread", root=root["id"])
    assert lines(asked(world, "in the thread")) == []
    mention(world, "at the top")
    assert len(lines(asked(world, "at the top"))) == 1


def test_where_every_message_begins_a_thread(llm, world):
    world.start(config(world, replyToMode="all"))
    root = mention(world, "hello")
    world.server.wait_replies(world.channel, world.bot, 1)
    react(world.user, root, "eyes")
    world.postern.wait(lambda: kept(world) == 1)
    mention(world, "another")
    assert len(lines(asked(world, "another"))) == 1


def test_in_a_direct_message(llm, world):
    world.start(config(world))
    world.ask("hello")
    post = world.server.replies(world.dm, world.bot, world.user.api)[0]
    react(world.user, post, "heart")
    world.postern.wait(lambda: kept(world) == 1)
    world.user.say(world.dm, "what?")
    found = lines(asked(world, "what?"))
    assert len(found) == 1 and ":heart:" in found[0]


def test_made_while_down(llm, world):
    """The server tells of those to a post that was missed as well."""
    world.start(config(world))
    answer(world)
    world.postern.wait(
        lambda: world.postern.account()["live"]["outbox"] == 0)
    world.postern.kill_all()
    post = world.user.say(world.channel, "by the way")
    react(world.user, post, "eyes")
    react(world.user, post, "tada")
    unreact(world.user, post, "tada")
    world.postern.start()
    ask_until(world, "what?", [
        text_of(world, "added", "eyes", world.user, post)])
    # And once: the next turn has nothing of it, nor has a new connection.
    before = len(world.server.replies(world.channel, world.bot))
    mention(world, "what else?")
    assert lines(asked(world, "what else?")) == []
    world.server.wait_replies(world.channel, world.bot, before + 1)
    world.postern.kill_all()
    world.postern.start()
    mention(world, "anything?")
    assert lines(asked(world, "anything?")) == []


@pytest.mark.simulator
def test_lists_of_reactions_that_lie(sim, llm, world):
    world.start(config(world))
    answer(world)
    world.postern.wait(
        lambda: world.postern.account()["live"]["outbox"] == 0)
    world.postern.stop()
    post = world.user.say(world.channel, "by the way")
    whole = {"user_id": world.user.id, "post_id": post["id"],
             "emoji_name": "eyes", "create_at": post["create_at"] + 1}
    bad = dict(post, metadata={"reactions": [
        5, None, {}, dict(whole, emoji_name="x" * 65),
        dict(whole, user_id="x"), dict(whole, post_id=[]), whole, whole]})
    sim.fault("rest", method="GET", user=world.bot.name, times=1,
              path_prefix="/api/v4/channels/%s/posts" % world.channel,
              status=200, body=json.dumps(
                  {"order": [post["id"]], "posts": {post["id"]: bad}}))
    world.postern.start()
    ask_until(world, "what?", [
        text_of(world, "added", "eyes", world.user, post)])
    drops = world.postern.account()["live"]["drops"]
    assert drops["malformed"] == 4
    assert drops["no-actor"] == 1 and drops["no-post-id"] == 1
    assert drops["duplicate"] >= 1


@pytest.mark.simulator
@pytest.mark.parametrize("said", [
    {"sender": "System", "type": "system_join_channel"},
    {"sender": "ceo", "props": {"from_webhook": "true",
                                "override_username": "ceo"}}])
def test_under_ones_own_name(sim, llm, world, said):
    """Whatever a post of that user is signed with: a webhook of theirs may
    call itself anything, and the server signs some with "System"."""
    world.start(config(world))
    first = answer(world)
    sim.fault("ws_raw", user=world.bot.name, text=json.dumps({
        "event": "posted", "seq": 0,
        "broadcast": {"channel_id": world.channel}, "data": {
            "sender_name": said["sender"], "channel_type": "O",
            "post": json.dumps(dict(first, id="q" * 26,
                                    user_id=world.user.id,
                                    props=said.get("props", {}),
                                    type=said.get("type", "")))}}))
    react(world.user, first, "tada")
    ask_until(world, "who was that?", [
        text_of(world, "added", "tada", world.user, first)])
