"""posternctl message: send, react, read and broadcast, and what goes wrong."""

import json
import os
import subprocess

import pytest

from daemon import POSTERNCTL


def run(world, *args, **kw):
    sock = os.path.join(world.postern.dir, "run", "control.sock")
    return subprocess.run([POSTERNCTL, "-s", sock, "message", *args],
                          capture_output=True, text=True, timeout=60, **kw)


def good(world, *args, **kw):
    r = run(world, *args, "--json", **kw)
    assert r.returncode == 0, r.stderr
    return json.loads(r.stdout)


def bad(world, code, *args):
    """What was said on stderr."""
    r = run(world, *args)
    assert r.returncode == code, (r.returncode, r.stdout, r.stderr)
    assert "✅" not in r.stdout
    return r.stderr


def posts(world, channel=None):
    return world.server.replies(channel or world.channel, world.bot,
                                world.user.api)


@pytest.fixture
def w(world):
    world.start(world.config(actions={"messages": True}))
    world.to = "channel:" + world.channel
    return world


def test_text_for_people(w):
    r = run(w, "send", "-t", w.to, "-m", r"one\ntwo")
    (post,) = posts(w)
    assert r.returncode == 0 and post["message"] == "one\ntwo"
    assert r.stdout == "✅ Sent via Mattermost. Message ID: %s " \
        "(channel %s)\n" % (post["id"], w.channel)


def test_json_for_programs(w):
    got = good(w, "send", "--to", w.to, "--message", "hi", "--channel",
               "mattermost", "--silent")
    (post,) = posts(w)
    assert got == {
        "action": "send", "channel": "mattermost", "dryRun": False,
        "handledBy": "core", "messageId": post["id"], "payload": {
            "channel": "mattermost", "to": w.to, "via": "direct",
            "mediaUrl": None, "result": {
                "channel": "mattermost", "messageId": post["id"],
                "target": {"kind": "channel", "id": w.channel}},
            "deliveryStatus": "sent"}}


def test_dry_run_resolves(w):
    r = run(w, "send", "-t", w.to, "-m", "x", "--dry-run")
    assert r.stdout == "[dry-run] would run send via mattermost\n"
    got = good(w, "send", "-t", "@" + w.user.name, "-m", "x", "--dry-run")
    assert got["dryRun"] and got["handledBy"] == "dry-run"
    assert got["payload"]["result"]["target"]["id"] == w.dm
    assert "not found in any team" in bad(
        w, 1, "send", "-t", "#no-such-place", "-m", "x", "--dry-run")
    assert posts(w) == [] and posts(w, w.dm) == []


def test_thread(w):
    root = good(w, "send", "-t", w.to, "-m", "root")["messageId"]
    for option in ("--reply-to", "--thread-id"):
        got = good(w, "send", "-t", w.to, "-m", "in it", option, root)
        post = w.user.api.get("/posts/" + got["messageId"])
        assert post["root_id"] == root
    assert "two threads" in bad(w, 2, "send", "-t", w.to, "-m", "x",
                                "--reply-to", root, "--thread-id", "a" * 26)


def test_long_text_is_split_in_order(world):
    world.start(world.config(textChunkLimit=100))
    world.to = "channel:" + world.channel
    text = "\n".join("line %04d" % i for i in range(60))
    got = good(world, "send", "-t", world.to, "-m", "-", input=text)
    ids = got["payload"]["result"]["messageIds"]
    found = posts(world)
    assert [p["id"] for p in found] == ids and len(ids) > 5
    assert "\n".join(p["message"] for p in found) == text
    assert got["messageId"] == ids[0]
    assert "too long: it would be" in bad(
        world, 1, "send", "-t", world.to, "-m", "x " * 4000)
    assert len(posts(world)) == len(ids)


def test_prefix_and_tables(world):
    world.start(world.config(responsePrefix="[bot]",
                             markdown={"tables": "bullets"}))
    good(world, "send", "-t", "channel:" + world.channel, "-m", "-",
         input="| A | B |\n|---|---|\n| x | y |\n")
    (post,) = posts(world)
    assert post["message"].startswith("[bot] ")
    assert "|---|" not in post["message"]


def test_part_of_it_is_told(sim, world):
    world.start(world.config(textChunkLimit=20))
    sim.fault("rest", method="POST", path_prefix="/api/v4/posts",
              user=world.bot.name, status=403, times=1)
    r = run(world, "send", "-t", "channel:" + world.channel, "--json", "-m",
            "a" * 15 + "\\n" + "b" * 15)
    got = json.loads(r.stdout)
    assert r.returncode == 1 and got["ok"] is False
    assert got["deliveryStatus"] == "partial_failed"
    (post,) = posts(world)
    assert got["sentBeforeError"] == [post["id"]]
    assert "only a part" in r.stderr


def test_bad_targets(w):
    said = lambda *t: bad(w, 1, "send", "-m", "x", "-t", *t)  # noqa: E731
    assert "Channel id is required for Mattermost sends" in said("channel:")
    assert "Channel name is required for Mattermost sends" in said("#")
    assert "User id is required for Mattermost sends" in said("user:")
    assert "Username is required for Mattermost sends" in said("@")
    assert "Recipient is required for Mattermost sends" in said(" ")
    assert "not a user id" in said("user:alice")
    assert "not found in any team" in said("#nowhere")
    assert "40" in said("user:" + "z" * 26)
    assert "40" in said("channel:" + "z" * 26)
    assert "user" in said("@nobody-of-that-name")
    assert "too long" in said("#" + "x" * 200)
    r = run(w, "send", "-m", "x")
    assert r.returncode == 2 and "Delivering to Mattermost requires --to " \
        "<channelId|@username|user:ID|channel:ID>" in r.stderr
    # The link to the account stands.
    assert w.postern.status()["workers"]
    good(w, "send", "-t", w.to, "-m", "still here")


def test_bad_messages(w):
    for text in ("", " \n "):
        r = run(w, "send", "-t", w.to, "-m", text)
        assert r.returncode != 0 and "empty" in r.stderr
    assert "empty" in bad(w, 1, "send", "-t", w.to, "-m", "  ")
    assert "requires text" in bad(w, 2, "send", "-t", w.to)
    r = run(w, "send", "-t", w.to, "-m", "-", input="x" * 60000)
    assert r.returncode == 2 and "too long" in r.stderr
    for root in ("nonsense", "a" * 100):
        assert "not a post id" in bad(
            w, 1, "send", "-t", w.to, "-m", "x", "--reply-to", root)
    assert bad(w, 1, "send", "-t", w.to, "-m", "x", "--reply-to", "a" * 26)
    assert posts(w) == []


def test_failure_for_programs(w):
    r = run(w, "send", "-t", "#nowhere", "-m", "x", "--json")
    got = json.loads(r.stdout)
    assert r.returncode == 1 and got["ok"] is False
    assert "not found in any team" in got["error"]
    assert got["deliveryStatus"] == "failed" and "messageId" not in got


def test_closed_channel_and_deactivated_user(w):
    gone = w.server.new_user()
    closed = w.server.new_channel([w.bot])
    w.server.admin.delete("/channels/" + closed)
    w.server.admin.delete("/users/" + gone.id)
    assert bad(w, 1, "send", "-t", "channel:" + closed, "-m", "x")
    r = run(w, "send", "-t", "user:" + gone.id, "-m", "x")
    # Mattermost lets one write to those; what it says is what we say.
    assert r.returncode in (0, 1) and (r.returncode == 0 or r.stderr)


def test_accounts_by_name(w):
    assert "there is no account" in bad(w, 1, "send", "-t", w.to, "-m", "x",
                                "--account", "other")
    assert "--account must not be blank" in bad(
        w, 2, "send", "-t", w.to, "-m", "x", "--account", " ")
    assert "not served here" in bad(
        w, 2, "send", "-t", w.to, "-m", "x", "--channel", "slack")


def test_react(w):
    post = w.user.say(w.channel, "nice")["id"]
    r = run(w, "react", "-t", w.to, "--message-id", post, "--emoji", ":+1:")
    assert r.returncode == 0, r.stderr
    assert r.stdout == "✅ Reacted with :+1: on %s\n" % post
    names = [x["emoji_name"] for x in w.user.api.get(
        "/posts/%s/reactions" % post)]
    assert names == ["+1"]
    got = good(w, "react", "--message-id", post, "--emoji", "+1", "--remove")
    assert got["action"] == "react" and got["payload"] == {
        "ok": True, "removed": "+1"}
    assert not w.user.api.get("/posts/%s/reactions" % post)
    got = good(w, "react", "--message-id", post, "--emoji", "x", "--dry-run")
    assert got["dryRun"]
    assert not w.user.api.get("/posts/%s/reactions" % post)


def test_react_refused(w):
    post = w.user.say(w.dm, "elsewhere")["id"]
    react = ["react", "--emoji", "tada", "--message-id"]
    assert "not in that conversation" in bad(
        w, 1, *react, post, "-t", w.to)
    assert "requires messageId" in bad(w, 1, *react, "x")
    assert "reaction failed: 4" in bad(w, 1, *react, "z" * 26)
    assert "requires emoji" in bad(
        w, 1, "react", "--message-id", post, "--emoji", "::")
    assert "no emoji" in bad(
        w, 1, "react", "--message-id", post, "--emoji", "a/../b")
    assert "--message-id" in bad(w, 2, "react", "--emoji", "tada")
    assert not w.user.api.get("/posts/%s/reactions" % post)


def test_what_is_switched_off(world):
    world.start(world.config(actions={"reactions": False}))
    post = world.user.say(world.channel, "x")["id"]
    assert "reactions are disabled in config" in bad(
        world, 1, "react", "--message-id", post, "--emoji", "tada")
    assert "reads are disabled in config" in bad(
        world, 1, "read", "-t", "channel:" + world.channel)


def test_read(w):
    ids = [w.user.say(w.channel, "number %d" % i)["id"] for i in range(5)]
    got = good(w, "read", "-t", w.to, "--limit", "3")["payload"]
    assert got["ok"] and got["hasMore"] and got["channelId"] == w.channel
    assert [m["id"] for m in got["messages"]] == ids[:1:-1]
    assert {"timestampMs", "timestampUtc"} <= set(got["messages"][0])
    got = good(w, "read", "-t", w.to, "--before", ids[2])["payload"]
    assert [m["id"] for m in got["messages"]][:2] == ids[1::-1]
    got = good(w, "read", "-t", w.to, "--after", ids[2])["payload"]
    assert [m["id"] for m in got["messages"]] == ids[:2:-1]
    shown = run(w, "read", "-t", w.to).stdout
    assert "number 4" in shown and ids[0] in shown


def test_read_refused(w):
    for limit in ("0", "-1", "many"):
        assert "read limit must be a positive integer." in bad(
            w, 2, "read", "-t", w.to, "--limit", limit)
    assert "either before or after, not both" in bad(
        w, 2, "read", "-t", w.to, "--before", "a" * 26, "--after", "b" * 26)
    assert "requires a channel target" in bad(
        w, 1, "read", "-t", "@" + w.user.name)
    assert "id of a post" in bad(w, 1, "read", "-t", w.to, "--before", "x")
    assert good(w, "read", "-t", w.to, "--limit", "9999")["payload"]["ok"]
    private = w.server.new_channel(kind="P")
    assert "Mattermost read failed: 40" in bad(
        w, 1, "read", "-t", "channel:" + private)


def test_broadcast(w):
    other = w.server.new_channel([w.bot, w.user])
    got = good(w, "broadcast", "--targets", w.to, "channel:" + other, "-m",
               "to all", "--channel", "all")
    assert got["ok"] and [r["ok"] for r in got["payload"]["results"]] == [
        True, True]
    assert posts(w)[0]["message"] == posts(w, other)[0]["message"] == "to all"
    r = run(w, "broadcast", "--targets", w.to, "#nowhere", "--targets",
            "channel:" + other, "-m", "again", "--json")
    got = json.loads(r.stdout)
    assert r.returncode == 1 and not got["ok"]
    assert [x["ok"] for x in got["payload"]["results"]] == [
        True, False, True]
    assert "not found" in got["payload"]["results"][1]["error"]
    assert len(posts(w)) == len(posts(w, other)) == 2
