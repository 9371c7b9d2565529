"""What is too long, odd, hidden, or comes in another order."""

import contextlib
import json
import os
import sqlite3
import time
import unicodedata

import pytest

RLO, ZWSP = "\u202e", "\u200b"


def mention(world, text, **more):
    return world.user.say(
        world.channel, "@%s %s" % (world.bot.name, text), **more)["id"]


def answers(world, n, timeout=15):
    return [x["message"] for x in world.server.wait_replies(
        world.channel, world.bot, n, timeout)]


def raw(sim, world, text, name, post="q" * 26, channel=None, create_at=5):
    """A post by a server that lets people be called anything."""
    channel = channel or world.channel
    sim.fault("ws_raw", user=world.bot.name, text=json.dumps({
        "event": "posted", "seq": 0, "broadcast": {"channel_id": channel},
        "data": {"post": json.dumps({
            "id": post, "user_id": world.user.id, "channel_id": channel,
            "create_at": create_at, "update_at": create_at,
            "message": text}),
            "channel_type": "D" if channel == world.dm else "O",
            "sender_name": "@" + name}}))


@pytest.mark.parametrize("rune", ["x", "\u00e9", "\u20ac", "\U0001f600"])
def test_the_longest_post(world, rune):
    """16,383 runes of one, two, three and four bytes, there and back."""
    p = world.start(world.config(chunkMode="length"))
    n = 16383 - len("@%s " % world.bot.name)
    post = mention(world, rune * n)

    def parts():
        (row,) = json.loads(p.ctl("explain", post, "--json").stdout)
        assert row["outcome"] in ("answered", "")
        return [world.server.admin.get("/posts/" + i)["message"]
                for i in row["answer_posts"]]
    p.wait(lambda: sum(x.count(rune) for x in parts()) == n)
    assert len(parts()) > 1 and all(len(x) <= 16383 for x in parts())


@pytest.mark.simulator
@pytest.mark.parametrize("name", [
    RLO + "ecila", "a" * 5000, "al\nice", "\x1b[31malice", "*", "\"},{\"",
    "@@", "channel", "../../etc/passwd", "a](http://x)"])
def test_names_that_are_none(sim, world, name):
    p = world.start()
    raw(sim, world, "@%s hello" % world.bot.name, name)
    found = world.server.wait_replies(
        world.channel, world.bot, 1, api=world.user.api)
    assert [x["message"] for x in found] == ["echo: hello"]
    log = p.logs()
    assert "\x1b" not in log and RLO not in log
    assert all(w["restarts"] == 0 for w in p.status()["workers"])


@pytest.mark.simulator
def test_a_name_cannot_turn_the_table_around(sim, world):
    """The operator who approves a code reads what stands there."""
    p = world.start(world.config(dmPolicy="pairing", allowFrom=[]))
    raw(sim, world, "let me in", RLO + "ecila\x1b[2J", channel=world.dm)
    out = p.wait(lambda: "ecila" in p.ctl("pairing", "list").stdout and
                 p.ctl("pairing", "list").stdout)
    assert not [c for c in out if unicodedata.bidirectional(c) in (
        "RLO", "LRO", "RLE", "LRE", "PDF", "RLI", "LRI", "FSI", "PDI")]
    assert "\x1b" not in out
    # Programs get it as it is.
    rows = json.loads(p.ctl("pairing", "list", "--json").stdout)
    assert RLO in json.dumps(rows, ensure_ascii=False)


def test_nothing_to_be_seen(world):
    p = world.start()
    post = world.user.say(world.dm, ZWSP + "\u2066\u2069" + ZWSP)["id"]
    row = p.wait(lambda: json.loads(p.ctl(
        "explain", post, "--json", check=False).stdout or "[]"))[0]
    assert (row["stage"], row["reason"]) == ("normalise", "empty-text")
    assert "echo: seen" in world.ask("seen")


@pytest.mark.simulator
@pytest.mark.parametrize("fault", [
    {"kind": "ws_reorder", "on": True, "seq": "wire"},
    {"kind": "ws_drop", "n": 3}])
def test_numbers_in_another_order(sim, world, fault):
    """Each is answered once, and what was taken for lost is filled in."""
    p = world.start()
    world.ask("first")
    sim.fault(fault.pop("kind"), user=world.bot.name, **fault)
    posts = [mention(world, "q%d." % i) for i in range(8)]
    found = world.server.wait_replies(
        world.channel, world.bot, 8, 30, world.user.api)
    p.wait(lambda: p.account()["live"]["outbox"] == 0)
    found = world.server.replies(world.channel, world.bot, world.user.api)
    assert sorted(x["message"] for x in found) == [
        "echo: q%d." % i for i in range(8)]
    for post in posts:
        rows = json.loads(p.ctl("explain", post, "--json").stdout)
        assert [r["outcome"] for r in rows] == ["answered"]


@pytest.mark.simulator
@pytest.mark.parametrize("seq", [
    10**18, (1 << 63) - 1, 1 << 70, -1, -(1 << 63), "7", 0.5])
def test_numbers_beyond_all_others(sim, world, seq):
    """What cannot be counted from ends the connection, nothing is lost."""
    p = world.start()
    world.ask("first")
    sim.fault("ws_raw", user=world.bot.name, text=json.dumps(
        {"event": "typing", "seq": seq, "data": {}, "broadcast": {}}))
    posts = [mention(world, "q%d." % i) for i in range(3)]
    assert len(answers(world, 3, 30)) == len(posts)
    assert p.logs().count("account.gap") == 0
    assert all(w["restarts"] == 0 for w in p.status()["workers"])


def missed(sim, world, page):
    """A post that is missed, and what the first list says instead of it."""
    p = world.start()
    mention(world, "before")
    world.server.wait_replies(world.channel, world.bot, 1)
    p.wait(lambda: p.account()["live"]["outbox"] == 0)
    p.stop()
    late = mention(world, "late")
    order, posts = page(late, world.server.admin.get("/posts/" + late))
    sim.fault("rest", method="GET", user=world.bot.name, times=1,
              path_prefix="/api/v4/channels/%s/posts" % world.channel,
              status=200, body=json.dumps({"order": order, "posts": posts}))
    p.start()
    found = world.server.wait_replies(
        world.channel, world.bot, 2, api=world.user.api)
    assert [x["message"] for x in found] == ["echo: before", "echo: late"]
    assert all(w["restarts"] == 0 for w in p.status()["workers"])
    return p


@pytest.mark.simulator
def test_lists_that_lie(sim, world):
    """A page of the gap fill with everything in it but a post."""
    def page(late, good):
        posts = {"a" * 26: dict(good, id="a" * 26, user_id="nobody"),
                 "b" * 26: dict(good, id="b" * 26, message=[1]),
                 "c" * 26: dict(good, id="c" * 26, channel_id="../x"),
                 late: good}
        return ["e" * 26, *reversed(posts), "e" * 26, late, 7, None], posts
    p = missed(sim, world, page)

    def reason(post):
        return p.wait(lambda: json.loads(p.ctl(
            "explain", post, "--json",
            check=False).stdout or "[]"))[0]["reason"]
    assert reason("a" * 26) == "no-actor"
    assert reason("b" * 26) == "malformed"
    assert reason("c" * 26) == "no-channel"
    assert p.account()["live"]["drops"]["duplicate"] >= 1


@pytest.mark.simulator
@pytest.mark.parametrize("post", [5, None, [], {}, {"id": "x"}])
def test_lists_that_are_none(sim, world, post):
    """Nothing of such a page is taken: it is asked for again."""
    missed(sim, world, lambda late, good: (
        [late, "d" * 26], {late: good, "d" * 26: post}))


def nested(levels):
    v = 1
    for _ in range(levels):
        v = [v]
    return v


def before_a_restart(sim, world, **of_a_stranger):
    """What somebody in the channel posts, whom nobody answers; then what was
    missed is fetched with it."""
    p = world.start()
    stranger = world.server.new_user()
    world.server.join(world.channel, stranger)
    mention(world, "one")
    assert answers(world, 1) == ["echo: one"]
    stranger.say(world.channel, "nothing", **of_a_stranger)
    mention(world, "two")
    assert answers(world, 2) == ["echo: one", "echo: two"]
    p.stop()
    mention(world, "three")
    p.start()
    assert answers(world, 3) == ["echo: one", "echo: two", "echo: three"]
    p.wait(lambda: p.account()["live"]["outbox"] == 0)
    assert all(w["restarts"] == 0 for w in p.status()["workers"])


@pytest.mark.simulator
@pytest.mark.parametrize("levels", [40, 120])
def test_nested_props_hide_nothing(sim, world, levels):
    before_a_restart(sim, world, props={"x": nested(levels)})


@pytest.mark.simulator
def test_large_props_hide_nothing(sim, world):
    """As large as servers of today let them be: more than a page may be."""
    sim.fault("max_props_size", runes=800000)
    sockets = sim.state()["ws_accepted"]
    before_a_restart(sim, world, props={"x": "\U0001f600" * 799990})
    assert sim.state()["ws_accepted"] == sockets + 2


@pytest.mark.simulator
def test_a_date_that_lies_ahead(sim, world):
    """It does not hide what is missed until then."""
    p = world.start()
    raw(sim, world, "nothing", "alice", create_at=1 << 61)
    time.sleep(21)  # the mark of the channel has followed
    mention(world, "one")
    assert answers(world, 1) == ["echo: one"]
    p.stop()
    mention(world, "two")
    p.start()
    assert answers(world, 2) == ["echo: one", "echo: two"]


@pytest.mark.simulator
@pytest.mark.parametrize("n", [450, 2000])
def test_more_posts_than_were_asked_for(sim, world, n):
    """One list that is longer than a page ever is: nothing of it is lost,
    and it is read once."""
    p = world.start()
    mention(world, "before")
    world.server.wait_replies(world.channel, world.bot, 1)
    p.stop()
    made = [world.user.say(world.channel, "chatter %d" % i)
            for i in range(n - 1)]
    made.append(world.user.say(
        world.channel, "@%s after all" % world.bot.name))
    sim.fault("rest", method="GET", user=world.bot.name, times=1,
              path_prefix="/api/v4/channels/%s/posts" % world.channel,
              status=200, body=json.dumps({
                  "order": [x["id"] for x in reversed(made)],
                  "posts": {x["id"]: x for x in made}}))
    p.start()
    assert answers(world, 2, 60)[-1] == "echo: after all"
    p.wait(lambda: p.account()["live"]["drops"].get("no-mention") == n - 1)
    assert "connection dropped" not in p.logs()
    assert all(w["restarts"] == 0 for w in p.status()["workers"])


@pytest.mark.simulator
def test_the_same_page_again_and_again(sim, world):
    """Whatever is asked for: what it has is taken, and live goes on."""
    p = world.start()
    mention(world, "before")
    world.server.wait_replies(world.channel, world.bot, 1)
    p.stop()
    made = [world.user.say(world.channel, "chatter %d" % i)
            for i in range(250)]
    made.append(world.user.say(
        world.channel, "@%s after all" % world.bot.name))
    sim.fault("rest", method="GET", user=world.bot.name, times=100000,
              path_prefix="/api/v4/channels/%s/posts" % world.channel,
              status=200, body=json.dumps({
                  "order": [x["id"] for x in reversed(made)],
                  "posts": {x["id"]: x for x in made}}))
    p.start()
    assert answers(world, 2, 30)[-1] == "echo: after all"
    mention(world, "and now")
    assert answers(world, 3)[-1] == "echo: and now"


def test_a_mark_that_lies_ahead(world):
    """Left by somebody whose clock, or whose server, was wrong."""
    p = world.start()
    mention(world, "before")
    world.server.wait_replies(world.channel, world.bot, 1)
    p.stop()
    path = os.path.join(p.config["store"]["path"], "postern.db")
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("INSERT OR REPLACE INTO mark (account, channel, post, at)"
                   " VALUES ('default', ?, '', ?)",
                   (world.channel, int(time.time() * 1000) + 10**9))
    mention(world, "late")
    p.start()
    assert answers(world, 2) == ["echo: before", "echo: late"]
    p.wait_logged("mark.ahead")


def test_more_was_said_than_is_kept(world):
    """In a place without a mark, so that it is read from its end."""
    p = world.start()
    mention(world, "before")
    world.server.wait_replies(world.channel, world.bot, 1)
    p.stop()
    mention(world, "first")
    n = 1700
    for i in range(n):
        world.user.say(world.channel, "chatter %d" % i)
    mention(world, "last")
    p.start()
    assert answers(world, 3, 60) == [
        "echo: before", "echo: first", "echo: last"]
    p.wait(lambda: p.account()["live"]["drops"].get("no-mention") == n)
