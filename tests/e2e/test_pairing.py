"""Pairing: a stranger's direct message, a code, an operator, access."""

import json
import os
import re
import signal

import pytest

from daemon import kill_pid

CODE = r"\b[A-HJ-NP-Z2-9]{8}\b"


def code_of(text):
    """The code in a pairing reply: alone in a fenced block."""
    return re.search(r"```\n(%s)\n```" % CODE, text).group(1)


class Pairing:
    def __init__(self, world, **more):
        self.world = world
        world.start(world.config(dmPolicy="pairing", allowFrom=[],
                                 groupPolicy="allowlist", **more))
        self.ctl = world.postern.ctl

    def said(self, user):
        dm = user.direct(self.world.bot)
        return [p["message"] for p in self.world.server.replies(
            dm, self.world.bot, user.api)]

    def wait_said(self, user, n):
        self.world.postern.wait(lambda: len(self.said(user)) >= n)
        found = self.said(user)
        assert len(found) == n, found
        return found

    def say(self, user, text):
        return user.say(user.direct(self.world.bot), text)

    def list(self, *more):
        return json.loads(self.ctl(
            "pairing", "list", "mattermost", "--json", *more).stdout)

    def decided(self, post):
        """The reason of what became of a post."""
        def ask():
            r = self.ctl("explain", post["id"], "--json", check=False)
            rows = json.loads(r.stdout or "[]")
            return rows and rows[0]["reason"]
        return self.world.postern.wait(ask)


@pytest.fixture
def pairing(world):
    return Pairing(world)


def test_code_then_access(pairing, world):
    user = world.user
    post = pairing.say(user, "hello?")
    text = pairing.wait_said(user, 1)[0]
    code = code_of(text)
    assert "Your Mattermost user id: " + user.id in text
    assert "posternctl pairing approve mattermost " + code in text
    assert pairing.decided(post) == "pairing"

    # Once more: nothing is said, the request is as it was, but seen later.
    first = pairing.list()["requests"][0]
    again = pairing.say(user, "hello??")
    assert pairing.decided(again) == "pairing"
    second = pairing.list()["requests"]
    assert len(second) == 1
    assert second[0]["code"] == code == first["code"]
    assert second[0]["id"] == user.id
    assert second[0]["createdAt"] == first["createdAt"]
    assert second[0]["lastSeenAt"] > first["lastSeenAt"]
    assert second[0]["meta"] == {"name": user.name, "accountId": "default"}
    assert len(pairing.said(user)) == 1
    out = pairing.ctl("pairing", "list").stdout
    assert code in out and user.id in out

    # Approved, whatever the case: told so, and answered, without a restart.
    pid = world.postern.pids()["account:default"]
    r = pairing.ctl("pairing", "approve", "mattermost", code.lower())
    assert r.stdout == "Approved mattermost sender %s.\n" % user.id
    assert "approved" in pairing.wait_said(user, 2)[1]
    pairing.say(user, "and now?")
    assert "and now?" in pairing.wait_said(user, 3)[2]
    assert world.postern.pids()["account:default"] == pid
    assert pairing.list()["requests"] == []
    assert [g["id"] for g in pairing.list()["grants"]] == [user.id]
    assert pairing.ctl("pairing", "list").stdout.startswith(
        "No pending mattermost pairing requests.\n")

    # The code is used up.
    r = pairing.ctl("pairing", "approve", "mattermost", code, check=False)
    assert r.returncode == 1
    assert 'No pending pairing request found for code "%s".' % code in r.stderr

    # A pairing is for direct messages only.
    post = user.say(world.channel, "@%s and here?" % world.bot.name)
    assert pairing.decided(post) == "empty-allowlist"

    # Taken back, at once.
    r = pairing.ctl("pairing", "revoke", "mattermost", user.id)
    assert user.id in r.stdout
    assert pairing.list()["grants"] == []
    post = pairing.say(user, "still?")
    assert code_of(pairing.wait_said(user, 4)[3]) != code
    assert pairing.ctl("pairing", "revoke", "mattermost", "x" * 26,
                       check=False).returncode == 1


def test_three_wait_and_no_more(pairing, world):
    users = [world.server.new_user() for _ in range(4)]
    for u in users[:3]:
        pairing.say(u, "let me in")
        pairing.wait_said(u, 1)
    post = pairing.say(users[3], "me too")
    assert pairing.decided(post) == "pairing-full"
    assert pairing.said(users[3]) == []
    codes = [r["code"] for r in pairing.list()["requests"]]
    assert len(set(codes)) == 3
    # One is refused: there is room again.
    pairing.ctl("pairing", "revoke", "mattermost", codes[0])
    pairing.say(users[3], "me too, please")
    pairing.wait_said(users[3], 1)


def test_no_notify_and_usage(pairing, world):
    pairing.say(world.user, "hello?")
    code = code_of(pairing.wait_said(world.user, 1)[0])
    r = pairing.ctl("pairing", "approve", code, "--no-notify", "--json")
    answer = json.loads(r.stdout)
    assert answer["id"] == world.user.id and answer["notified"] is False
    pairing.say(world.user, "now?")
    assert "now?" in pairing.wait_said(world.user, 2)[1]
    for bad in (["approve"], ["approve", code, "--account", " "],
                ["approve", code, "--notify", "--no-notify"],
                ["list", "--notify"]):
        assert pairing.ctl("pairing", *bad, check=False).returncode == 2


def test_reactions_do_not_pair(pairing, world):
    other = world.server.new_user()
    pairing.say(world.user, "hello?")
    pairing.wait_said(world.user, 1)
    dm = other.direct(world.bot)
    post = world.bot.say(dm, "a post of the bot")
    other.api.post("/reactions", {
        "user_id": other.id, "post_id": post["id"], "emoji_name": "tada"})
    pairing.say(world.user, "again")
    assert [r["id"] for r in pairing.list()["requests"]] == [world.user.id]
    assert len(pairing.said(other)) == 1


def test_accounts_are_apart(world, server):
    second = server.new_bot()
    config = world.config(dmPolicy="pairing", allowFrom=[])
    mm = config["channels"]["mattermost"]
    token = mm.pop("botToken")
    mm["accounts"] = {"one": {"botToken": token},
                      "two": {"botToken": second.token}}
    p = world.start(config)
    user = world.user
    user.say(world.dm, "hello one")
    text = server.wait_replies(world.dm, world.bot, 1, api=user.api)
    p.ctl("pairing", "approve", code_of(text[0]["message"]), "--account",
          "two", check=False)
    assert len(json.loads(p.ctl(
        "pairing", "list", "--json").stdout)["requests"]) == 1
    p.ctl("pairing", "approve", code_of(text[0]["message"]))
    other = user.direct(second)
    user.say(other, "hello two")
    text = server.wait_replies(other, second, 1, api=user.api)
    code_of(text[0]["message"])
    got = json.loads(p.ctl("pairing", "list", "--json", "--account",
                           "two").stdout)
    assert [r["meta"]["accountId"] for r in got["requests"]] == ["two"]
    assert got["grants"] == []


def test_restart_after_approval(pairing, world):
    pairing.say(world.user, "hello?")
    code = code_of(pairing.wait_said(world.user, 1)[0])
    pairing.ctl("pairing", "approve", code)
    pairing.wait_said(world.user, 2)
    world.postern.kill_all()
    world.postern.start()
    pairing.say(world.user, "after the restart")
    assert "after the restart" in pairing.wait_said(world.user, 3)[2]


def test_asked_while_down(pairing, world):
    """The gap is filled with strangers, too."""
    p = world.postern
    p.kill_all()
    pairing.say(world.user, "anybody there?")
    pairing.say(world.user, "hello?")
    p.start()
    code = code_of(pairing.wait_said(world.user, 1)[0])
    pairing.ctl("pairing", "approve", code)
    assert "approved" in pairing.wait_said(world.user, 2)[1]
    pairing.say(world.user, "thank you")
    assert "thank you" in pairing.wait_said(world.user, 3)[2]


@pytest.mark.parametrize("role", ["account:default", "store"])
def test_approved_while_down(pairing, world, role):
    """The account, or the store behind its back, is not there just then."""
    p = world.postern
    pairing.say(world.user, "hello?")
    code = code_of(pairing.wait_said(world.user, 1)[0])
    pid = p.pids()[role]
    os.kill(pid, signal.SIGKILL if role == "store" else signal.SIGSTOP)
    if role == "store":
        p.wait(lambda: p.ctl("pairing", "approve", code,
                             check=False).returncode == 0)
    else:
        p.ctl("pairing", "approve", code)
        os.kill(pid, signal.SIGKILL)
        p.wait(lambda: p.pids()[role] not in (pid, None))
    assert "approved" in pairing.wait_said(world.user, 2)[1]
    pairing.say(world.user, "and now?")
    assert "and now?" in pairing.wait_said(world.user, 3)[2]


@pytest.mark.parametrize("fault", [
    {"stall": True}, {"stall": True, "after_effect": True},
    {"status": 503}, {"close": "before", "after_effect": True}])
def test_kill_between_request_and_reply(sim, world, fault):
    """The reply is neither lost nor said twice."""
    pairing = Pairing(world)
    p = world.postern
    sim.fault("rest", method="POST", path_prefix="/api/v4/posts",
              user=world.bot.name, **fault)
    pairing.say(world.user, "hello?")
    p.wait(lambda: pairing.list()["requests"])
    p.kill_all()
    sim.clear_faults()
    p.start()
    code = code_of(pairing.wait_said(world.user, 1)[0])
    assert [r["code"] for r in pairing.list()["requests"]] == [code]
    pairing.decided(pairing.say(world.user, "hello again"))
    p.ctl("pairing", "approve", code)
    assert "approved" in pairing.wait_said(world.user, 2)[1]


@pytest.mark.parametrize("role", ["account:default", "store", "all"])
def test_kills_all_along(pairing, world, role):
    """Something dies at every step: each is said once all the same."""
    p = world.postern

    def kill():
        if role == "all":
            p.kill_all()
            p.start(wait=False)
            return
        try:
            pid = p.pids().get(role)
        except (AssertionError, KeyError, ValueError):
            return  # it is down as it is
        if pid:
            kill_pid(pid)

    def approved(code):
        # An answer that was lost may have been a yes.
        r = p.ctl("pairing", "approve", code, check=False)
        return r.returncode == 0 or not any(
            q["code"] == code for q in pairing.list()["requests"])

    users = [world.server.new_user() for _ in range(3)]
    for u in users:
        pairing.say(u, "let me in")
    kill()
    codes = [code_of(p.wait(lambda: pairing.said(u))[0]) for u in users]
    for post in [pairing.say(u, "please") for u in users]:
        assert pairing.decided(post) == "pairing"
    for code in codes:
        p.wait(lambda: approved(code))
    kill()
    for u in users:
        p.wait(lambda: len(pairing.said(u)) >= 2)
        pairing.say(u, "thank you")
    kill()
    for u in users:
        texts = p.wait(lambda: len(pairing.said(u)) >= 3 and pairing.said(u))
        assert len(texts) == 3, texts
        assert "approved" in texts[1] and "thank you" in texts[2], texts


def test_import(pairing, world, tmp_path):
    u, v, w = [world.server.new_user() for _ in range(3)]
    (tmp_path / "mattermost-allowFrom.json").write_text(json.dumps(
        {"version": 1, "allowFrom": [u.id, "mattermost:" + v.id, "@bob"]}))
    import datetime
    now = datetime.datetime.now(datetime.timezone.utc)
    old = now - datetime.timedelta(hours=2)

    def iso(t):
        return t.strftime("%Y-%m-%dT%H:%M:%S.123Z")

    soon = now - datetime.timedelta(seconds=5)
    (tmp_path / "mattermost-pairing.json").write_text(json.dumps(
        {"version": 1, "requests": [
            {"id": w.id, "code": "ABCDEFGH", "createdAt": iso(soon),
             "lastSeenAt": iso(soon), "meta": {"name": "@" + w.name,
                                               "accountId": "default"}},
            {"id": world.user.id, "code": "ABCDEFGJ", "createdAt": iso(old),
             "lastSeenAt": iso(old)}]}))
    (tmp_path / "other.json").write_text("not of it")
    r = pairing.ctl("pairing", "import", str(tmp_path), "--json")
    assert json.loads(r.stdout) == {
        "ok": True, "grants": 2, "requests": 1, "skipped": 2}
    pairing.say(v, "known from before")
    assert "known from before" in pairing.wait_said(v, 1)[0]
    pairing.ctl("pairing", "approve", "abcdefgh")
    # Nobody knows the direct channel of that one: he is not told.
    pairing.say(w, "me too")
    assert "me too" in pairing.wait_said(w, 1)[0]
    again = json.loads(pairing.ctl(
        "pairing", "import", str(tmp_path / "mattermost-allowFrom.json"),
        "--json").stdout)
    assert again["grants"] == 0
    for bad in ("nothing-there", "other.json"):
        assert pairing.ctl("pairing", "import", str(tmp_path / bad),
                           check=False).returncode == 1
    r = pairing.ctl("pairing", "import", "--account", "nobody",
                    str(tmp_path / "mattermost-allowFrom.json"), check=False)
    assert r.returncode == 1 and 'no account "nobody"' in r.stderr
