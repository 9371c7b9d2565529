"""What was decided about a post, in one sentence, for every kind of it."""

import json
import os
import re
import signal
import time
from email.utils import formatdate

import pytest

from called import Called
from conftest import account

NOBODY = "a" * 26


def rows(p, post, *args):
    r = p.ctl("explain", post, "--json", *args, check=False)
    return json.loads(r.stdout or "[]")


def ended(row):
    """Also what it ends with is there."""
    return row["state"] in ("ignored", "noted") or row["state"] == "done" \
        and (row["outcome"] != "answered" or row["answer_posts"])


def sentence(p, post, ok=ended):
    """Of the last decision about it that is ok."""
    def find():
        found = [r for r in rows(p, post) if ok(r)]
        return found and found[-1]["sentence"]
    text = p.wait(find)
    # The same for people, on one line.
    assert text in p.ctl("explain", post).stdout.splitlines()
    return text


def drops(p):
    return p.account()["live"]["drops"]


def mention(world, text, **more):
    return world.user.say(
        world.channel, "@%s %s" % (world.bot.name, text), **more)["id"]


def test_answered_in_a_direct_message(world):
    p = world.start(world.config(dmPolicy="allowlist",
                                 allowFrom=[world.user.id]))
    post = world.user.say(world.dm, "hello")["id"]
    assert sentence(p, post) == (
        "The post was accepted at stage turn (decided by allowFrom has the "
        "id; agent main), and was answered by 1 post.")
    # The answer is explained by what it answers.
    own = rows(p, post)[0]["answer_posts"][0]
    assert sentence(p, own).startswith(
        "The bot itself wrote it, because of post %s: " % post)


def test_a_post_of_its_own(world):
    """It answers nobody: an operator has sent it."""
    p = world.start()
    sent = json.loads(p.ctl("message", "send", "-t", "channel:" +
                            world.channel, "-m", "news", "--json").stdout)
    assert sentence(p, sent["messageId"]) == (
        "The post was ignored at stage decode, own-post: The bot itself "
        "wrote it.")
    assert "own-post" not in p.status()["store"]["accounts"]["default"].get(
        "drops", {})


def test_which_entry_of_groups_decided(world):
    other = world.server.new_channel([world.bot, world.user])
    p = world.start(world.config(groups={
        world.channel: {"requireMention": False},
        "*": {"requireMention": True}}))
    post = world.user.say(world.channel, "hello")["id"]
    assert ('groupPolicy="open"; groups["%s"].requireMention=false; '
            "agent main" % world.channel) in sentence(p, post)
    post = world.user.say(other, "hello")["id"]
    assert sentence(p, post) == (
        "The post was ignored at stage gate, no-mention: The channel "
        "requires a mention and the bot was not addressed (decided by "
        'groups["*"].requireMention=true).')
    # Counted by its reason, for people and for programs.
    assert drops(p)["no-mention"] == 1
    kept = p.status()["store"]["accounts"]["default"]["drops"]
    assert kept["no-mention"] == 1
    table = p.ctl("status").stdout
    assert re.search(r"^ACCOUNT +STAGE +IGNORED FOR +SINCE START +EVER$",
                     table, re.M)
    assert re.search(r"^default +gate +no-mention +1 +1$", table, re.M)


def test_edits(world):
    p = world.start()
    post = world.user.say(world.channel, "what is this?")["id"]

    def edit(text):
        world.user.api.put("/posts/%s/patch" % post, {"message": text})
    assert "stage gate, no-mention" in sentence(p, post)
    edit("what was this?")
    assert sentence(p, post, lambda r: r["kind"] == "edit").startswith(
        "The edit was ignored at stage gate, edit-no-mention: ")
    edit("@%s what is this?" % world.bot.name)
    said = sentence(p, post, lambda r: r["answer_posts"])
    assert "an edit added the mention" in said and "answered by 1" in said
    edit("@%s what is this, then?" % world.bot.name)
    assert sentence(
        p, post, lambda r: r["reason"] == "edit-answered").startswith(
        "The edit was ignored at stage dedupe, edit-answered: ")
    world.user.api.post("/posts/%s/pin" % post)
    assert sentence(p, post, lambda r: r["reason"] in (
        "not-an-edit", "edit-answered"))


def test_missed_while_down(world):
    p = world.start()
    world.ask("are you there?")
    p.kill_all()
    late = mention(world, "are you back?")
    missed = world.user.say(world.channel, "nobody is meant")["id"]
    p.start()
    said = sentence(p, late)
    assert "missed while away, found by the gap fill" in said
    assert "answered by 1 post" in said
    assert "no-mention" in sentence(p, missed)


@pytest.mark.simulator
def test_too_old(sim, world):
    """The server's clock says that it was two hours ago."""
    p = world.start()
    mention(world, "are you there?")
    world.server.wait_replies(world.channel, world.bot, 1)
    p.wait(lambda: p.account()["live"]["outbox"] == 0)
    p.stop()
    late = mention(world, "are you back?")
    sim.fault("rest", method="GET", path_prefix="/api/v4/users/me",
              times=1, user=world.bot.name, status=200,
              headers={"Date": formatdate(time.time() + 7200, usegmt=True)},
              body=json.dumps({"id": world.bot.id, "is_bot": True,
                               "username": world.bot.name}))
    p.start()
    assert sentence(p, late) == (
        "The post was ignored at stage dedupe, too-old: It was missed longer "
        "ago than gapFill.maxAgeMinutes allows (decided by "
        "gapFill.maxAgeMinutes).")


def test_reactions(world):
    p = world.start(world.config(
        groupPolicy="allowlist", groupAllowFrom=[world.user.id]))
    post = mention(world, "hello")
    other = world.server.new_user()
    world.server.join(world.channel, other)

    def react(user, emoji):
        user.api.post("/reactions", {
            "user_id": user.id, "post_id": post, "emoji_name": emoji})
    react(world.user, "tada")
    assert sentence(p, post, lambda r: r["state"] == "noted") == (
        "A reaction to it was accepted at stage turn (decided by "
        "groupAllowFrom has the id; agent main), and is told to the agent "
        "with its next turn.")
    react(other, "tada")
    assert sentence(
        p, post, lambda r: r["kind"] == "reaction" and
        r["state"] == "ignored") == (
        "A reaction to it was ignored at stage authorise, not-in-allowlist: "
        "The sender's user id is not in the allowlist that applies here "
        '(decided by groupPolicy="allowlist", groupAllowFrom).')
    # What was taken is no drop.
    assert "ok" not in drops(p)
    assert "ok" not in p.status()["store"]["accounts"]["default"]["drops"]


def test_slash_buttons_and_hooks(world):
    called = Called(world)
    called.promote(world.bot)
    c = called.config(commands={"native": True})
    c["hooks"] = {"enabled": True, "token": "hook-secret-token"}
    p = world.start(c)
    called.wait_commands("oc_help")

    def newest(text):
        called.wait_said(text)
        return [x["id"] for x in world.server.replies(
            world.channel, world.bot, world.user.api)
            if text in x["message"]][-1]
    assert called.run("/oc_help")[0] == 200
    said = sentence(p, newest("/"))
    assert re.match(r"The bot itself wrote it, because of slash \S+: The "
                    r"slash command was accepted at stage turn \(decided by "
                    r'groupPolicy="open"; agent main\), and was obeyed as a '
                    r"command\.$", said), said
    post = called.send("-m", "Shall I?", "--buttons", json.dumps(
        [[{"text": "Yes", "callback_data": "yes"}]]))
    called.click(post, "yes")
    assert sentence(
            p, post, lambda r: r["kind"] == "button" and ended(r)).startswith(
        "A click on its button was accepted at stage turn (decided by "
        'groupPolicy="open"; agent main), and was answered by 1 post.')
    called.call({"message": "the build is done", "channel": "mattermost",
                 "to": "channel:" + world.channel}, "/hooks/agent",
                Authorization="Bearer hook-secret-token")
    said = sentence(p, newest("the build is done"))
    assert "The hook's message was accepted at stage turn" in said
    assert "decided by hooks.token; agent main" in said


def test_never_seen(world):
    p = world.start()
    r = p.ctl("explain", NOBODY, check=False)
    assert r.returncode == 1 and r.stdout == ""
    assert "no account has seen post " + NOBODY in r.stderr
    assert "retentionDays" in r.stderr
    r = p.ctl("explain", NOBODY, "--json", check=False)
    assert r.returncode == 1 and json.loads(r.stdout) == []
    # A post that one account has seen is none of another's.
    post = world.user.say(world.dm, "hello")["id"]
    sentence(p, post)
    r = p.ctl("explain", post, "--account", "other", check=False)
    assert r.returncode == 1


def test_given_up(llm, world):
    p = world.start(world.model_config())
    llm.model(status=401)
    post = world.user.say(world.dm, "hello?")["id"]
    said = sentence(p, post, lambda r: r["state"] == "dead")
    assert said.startswith(
        'The post was accepted at stage turn (decided by allowFrom has "*"; '
        "agent main), but was given up after 1 failed attempt: auth: ")
    assert said.endswith("; it is among the dead letters.")


def test_answer_that_the_server_refuses(sim, world):
    p = world.start()
    sim.fault("rest", method="POST", path_prefix="/api/v4/posts",
              user=world.bot.name, status=400)
    post = world.user.say(world.dm, "hello?")["id"]
    said = sentence(p, post, lambda r: r["error"])
    assert said.endswith(
        "and was answered, but the answer could not be posted: refused: 400 "
        "sim.fault.app_error: Injected.")


def raw(sim, world, event, seq=0, **data):
    """A frame of the server's that nothing else has sent."""
    sim.fault("ws_raw", user=world.bot.name, text=json.dumps({
        "event": event, "seq": seq, "data": data,
        "broadcast": {"channel_id": world.channel}}))


@pytest.mark.simulator
@pytest.mark.parametrize("change, reason, found", [
    ({"message": 5}, "malformed", True),
    ({"message": None, "root_id": "x"}, "malformed", True),
    ({"file_ids": [1]}, "malformed", True),
    ({"message": "x" * 65536}, "too-large", True),
    ({"channel_id": ""}, "no-channel", True),
    ({"channel_id": "not/an/id"}, "no-channel", True),
    ({"user_id": "x"}, "no-actor", True),
    ({"user_id": None}, "no-actor", True),
    ({"id": "../../../etc/passwd"}, "no-post-id", False),
    ({"id": None}, "no-post-id", False),
    ({"type": "system_join_channel"}, "system-post", True),
    ({"type": "custom_thing"}, "typed-post", True),
    ({"delete_at": 5}, "deleted", True)])
def test_posts_that_are_none(sim, world, change, reason, found):
    p = world.start()
    post = {"id": "q" * 26, "user_id": world.user.id, "create_at": 5,
            "update_at": 5, "channel_id": world.channel,
            "message": "@%s hello" % world.bot.name}
    post.update(change)
    raw(sim, world, "posted", post=json.dumps(post), channel_type="O",
        sender_name="@" + world.user.name)
    p.wait(lambda: drops(p).get(reason))
    p.wait(lambda: p.status()["store"]["accounts"]["default"]["drops"].get(
        reason))
    if found:
        assert "ignored at stage decode, %s: " % reason in sentence(
            p, "q" * 26)
    assert "hello" in world.ask("hello")
    assert all(w["restarts"] == 0 for w in p.status()["workers"])


@pytest.mark.simulator
def test_channels_of_no_known_type(sim, world):
    p = world.start()
    world.ask("hello")
    sim.fault("rest", method="GET", path_prefix="/api/v4/channels/" + "x" * 26,
              times=-1, status=200, body=json.dumps({
                  "id": "x" * 26, "type": "Z", "name": "n",
                  "display_name": "N", "team_id": ""}))
    post = {"id": "q" * 26, "user_id": world.user.id, "create_at": 5,
            "update_at": 5, "channel_id": "x" * 26,
            "message": "@%s hello" % world.bot.name}
    sim.fault("ws_raw", user=world.bot.name, text=json.dumps({
        "event": "posted", "seq": 0, "broadcast": {"channel_id": "x" * 26},
        "data": {"post": json.dumps(post), "channel_type": "Z",
                 "sender_name": "@" + world.user.name}}))
    assert "ignored at stage surface, unknown-surface: " in sentence(
        p, "q" * 26)


@pytest.mark.simulator
def test_events_that_come_twice_are_counted(sim, world):
    p = world.start()
    sim.fault("ws_double", user=world.bot.name, on=True)
    post = mention(world, "once")
    assert "answered by 1 post" in sentence(p, post)
    p.wait(lambda: drops(p).get("duplicate"))
    assert re.search(r"^default +dedupe +duplicate +\d+ +-$",
                     p.ctl("status").stdout, re.M)
    assert [r["kind"] for r in rows(p, post)] == ["post"]


def test_who_took_it_comes_first(world):
    """Of many bots in a channel one was meant."""
    bots = [world.server.new_bot() for _ in range(3)]
    channel = world.server.new_channel([world.user, *bots])
    c = world.config()
    c["channels"]["mattermost"] = {"accounts": {
        "abc"[i]: account(world.server, b) for i, b in enumerate(bots)}}
    p = world.start(c)
    post = world.user.say(channel, "@%s hello" % bots[2].name)["id"]
    p.wait(lambda: [r["state"] for r in rows(p, post)] == [
        "done", "ignored", "ignored"])
    assert rows(p, post)[0]["account"] == "c"
    out = p.ctl("explain", post).stdout
    assert out.startswith("The post was accepted"), out


def test_a_store_that_hangs(world):
    p = world.start()
    os.kill(p.pids()["store"], signal.SIGSTOP)
    r = p.ctl("explain", NOBODY, check=False)
    os.kill(p.pids()["store"], signal.SIGCONT)
    assert r.returncode == 1
    assert "the store gave no answer in time" in r.stderr
