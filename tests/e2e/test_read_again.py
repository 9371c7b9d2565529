"""After a crash the posts of the last seconds are read again: none is lost
that was told of late, and none has a second effect."""

import json
import time

import pytest


def kept(p):
    """The drops of the account by reason, as the store counts them."""
    return p.status()["store"]["accounts"]["default"]["drops"]


def explained(p, post):
    r = p.ctl("explain", post["id"], "--json", check=False)
    return [row for row in json.loads(r.stdout or "[]") if row["reason"]]


def later_answer(p, world):
    """One of ours that nobody asked for."""
    sent = json.loads(p.ctl("message", "send", "-t", "channel:" +
                            world.channel, "-m", "news", "--json").stdout)
    return sent["messageId"]


def later_question(p, world):
    """Somebody else's, and it was answered."""
    post = world.user.say(world.channel, "@%s early?" % world.bot.name)
    world.server.wait_replies(world.channel, world.bot, 1)
    return post["id"]


def later_chatter(p, world):
    """Somebody else's, and not for the bot."""
    post = world.user.say(world.channel, "lunch?")
    p.wait(lambda: explained(p, post))
    return post["id"]


@pytest.mark.parametrize(
    "later", [later_answer, later_question, later_chatter])
def test_a_question_told_of_after_a_later_post(world, later):
    """A server dates a post first and tells of it later: here never, for the
    one who could have heard of it is killed before."""
    p = world.start()
    admin = world.server.admin
    at = admin.get("/posts/" + later(p, world))["create_at"]
    time.sleep(0.5)  # more than what is heard of takes to reach the store
    p.kill_all()
    before = len(world.server.replies(world.channel, world.bot))
    late = admin.post("/posts", {
        "channel_id": world.channel, "create_at": at - 5,
        "message": "@%s late?" % world.bot.name})
    assert late["create_at"] == at - 5
    p.start()
    found = world.server.wait_replies(world.channel, world.bot, before + 1)
    assert [m for m in found if "late?" in m["message"]], found
    assert len([m for m in found if "early?" in m["message"]]) == \
        (later is later_question)


def test_a_drop_is_recorded_once(world):
    p = world.start()
    posts = [world.user.say(world.channel, "chatter %d" % i)
             for i in range(5)]
    p.wait(lambda: kept(p).get("no-mention") == 5)
    for _ in range(2):
        p.kill_all()
        p.start()
        # It is through with what it read again when it answers.
        before = len(world.server.replies(world.channel, world.bot))
        world.user.say(world.channel, "@%s there?" % world.bot.name)
        world.server.wait_replies(world.channel, world.bot, before + 1)
        drops = p.account()["live"]["drops"]
        assert drops["duplicate"] >= 5, "it read nothing again"
        assert "no-mention" not in drops
        assert kept(p)["no-mention"] == 5
    for post in posts:
        assert len(explained(p, post)) == 1


def test_a_stranger_is_told_one_code(world):
    p = world.start(world.config(dmPolicy="pairing", allowFrom=[]))
    post = world.user.say(world.dm, "hello?")
    world.server.wait_replies(world.dm, world.bot, 1, api=world.user.api)
    p.wait(lambda: kept(p).get("pairing"))
    p.kill_all()
    p.start()
    p.wait(lambda: p.account()["live"]["drops"].get("duplicate"))
    time.sleep(0.5)
    assert len(world.server.replies(
        world.dm, world.bot, world.user.api)) == 1
    assert len(explained(p, post)) == 1 and kept(p)["pairing"] == 1


def test_what_was_dropped_stays_so(world):
    """By whatever rules the bot goes when it reads it again."""
    p = world.start(world.config(dmPolicy="allowlist", allowFrom=[]))
    post = world.user.say(world.dm, "before?")
    p.wait(lambda: explained(p, post))
    p.kill_all()
    c = p.config
    c["channels"]["mattermost"].update(dmPolicy="open", allowFrom=["*"])
    p.write(c)
    p.start()
    assert "after?" in world.ask("after?")
    found = world.server.replies(world.dm, world.bot, world.user.api)
    assert len(found) == 1
    assert explained(p, post)[0]["reason"] == "not-in-allowlist"


def test_a_command_is_carried_out_once(world):
    p = world.start()
    world.ask("my question")
    world.user.say(world.dm, "/status")
    world.server.wait_replies(world.dm, world.bot, 2, api=world.user.api)
    p.wait(world.is_idle)
    p.kill_all()
    p.start()
    p.wait(lambda: p.account()["live"]["drops"].get("duplicate", 0) >= 2)
    time.sleep(0.5)
    assert len(world.server.replies(
        world.dm, world.bot, world.user.api)) == 2


def test_the_mark_follows(world):
    """A channel that was read is not read for ever."""
    p = world.start()
    world.user.say(world.channel, "chatter")
    p.wait(lambda: kept(p).get("no-mention") == 1)
    for starts in range(2, 6):
        time.sleep(32)  # it ripens, is looked at, is written
        p.kill_all()
        p.start()
        p.wait(lambda: p.logs().count("account.filled") == starts)
        filled = [line for line in p.logs().splitlines()
                  if "account.filled" in line]
        if "with_news=0" in filled[-1]:
            return
    assert False, filled[-1]
