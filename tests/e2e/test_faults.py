"""What servers and networks do to a connection, and that every message is
answered exactly once all the same."""

import json
import os
import subprocess
import time

import pytest

from conftest import account
from daemon import POSTERND

pytestmark = pytest.mark.simulator


@pytest.fixture
def talk(sim, world):
    world.start()
    return world


def settle(world, n, timeout=20):
    """Exactly n answers, none more a little later."""
    found = world.server.wait_replies(
        world.dm, world.bot, n, timeout, world.user.api)
    time.sleep(0.5)
    found = world.server.replies(world.dm, world.bot, world.user.api)
    texts = [p["message"] for p in found]
    assert len(texts) == n, (texts, world.postern.logs()[-4000:])
    return texts


def ask_many(world, words):
    for w in words:
        world.user.say(world.dm, w)


@pytest.mark.parametrize("kind", ["ws_close", "ws_reset", "ws_close_frame"])
def test_lost_socket_is_resumed(talk, kind):
    talk.ask("one.")
    talk.server.fault(kind, user=talk.bot.name)
    ask_many(talk, ["two.", "three."])
    texts = settle(talk, 3)
    assert [w in t for w, t in zip(["one.", "two.", "three."], texts)] == \
        [True] * 3
    assert talk.postern.account()["live"]["resumes"] >= 1


def test_upgrade_over_the_rate_limit(sim, world):
    """The server says when it may be asked again."""
    sim.fault("rest", path_prefix="/api/v4/websocket", status=429,
              headers={"Retry-After": "4"})
    began = time.monotonic()
    world.start()
    assert time.monotonic() - began > 3.9
    world.postern.wait_logged(" ms=4000 ")
    assert "one." in world.ask("one.")


def test_server_restart_is_a_fresh_start(talk):
    talk.ask("one.")
    fills = talk.postern.account()["live"]["fills"]
    talk.server.fault("restart", down_ms=300)
    time.sleep(0.6)
    ask_many(talk, ["two.", "three."])
    settle(talk, 3)
    assert talk.postern.account()["live"]["fills"] > fills


def test_swallowed_events_are_fetched(talk):
    """A hole in the sequence: two events numbered but never sent."""
    talk.ask("one.")
    talk.server.fault("ws_drop", n=2, user=talk.bot.name)
    ask_many(talk, ["two.", "three.", "four."])
    texts = settle(talk, 4)
    for w, t in zip(["one.", "two.", "three.", "four."], texts):
        assert w in t


@pytest.mark.parametrize("kind", ["ws_double", "ws_reorder"])
def test_repeated_and_reordered_events(talk, kind):
    talk.server.fault(kind, on=True, user=talk.bot.name)
    ask_many(talk, ["q%d." % i for i in range(10)])
    texts = settle(talk, 10)
    assert sorted(texts) == sorted("echo: q%d." % i for i in range(10))


@pytest.mark.parametrize("frame", [
    {"big": 5 * 1024 * 1024}, {"deep": 100000}, {"badutf8": True},
    {"text": "not json"}, {"text": "[1]"}, {"hex": "ff00ff00"},
    {"hex": "8105"}, {"hex": "817fffffffffffffffff"}])
def test_hostile_frames(talk, frame):
    talk.ask("one.")
    talk.server.fault("ws_raw", user=talk.bot.name, **frame)
    ask_many(talk, ["two."])
    settle(talk, 2)
    p = talk.postern
    assert all(w["restarts"] == 0 for w in p.status()["workers"])


def test_post_executed_but_not_answered(talk):
    talk.server.fault("rest", method="POST", path_prefix="/api/v4/posts",
                      user=talk.bot.name, close="before", after_effect=True,
                      times=3)
    ask_many(talk, ["one.", "two.", "three."])
    settle(talk, 3)


def test_post_not_executed_and_reset(talk):
    talk.server.fault("rest", method="POST", path_prefix="/api/v4/posts",
                      user=talk.bot.name, close="before", times=3)
    ask_many(talk, ["one.", "two.", "three."])
    settle(talk, 3)


def test_created_with_a_cut_body_is_not_sent_again(talk):
    talk.server.fault("rest", method="POST", path_prefix="/api/v4/posts",
                      user=talk.bot.name, close="truncate", times=2)
    ask_many(talk, ["one.", "two."])
    settle(talk, 2)


@pytest.mark.parametrize("status", [500, 503, 429])
def test_transient_refusals(talk, status):
    talk.server.fault(
        "rest", method="POST", path_prefix="/api/v4/posts",
        user=talk.bot.name, status=status, times=2,
        headers={"X-Ratelimit-Reset": "1", "Retry-After": "1"})
    ask_many(talk, ["one.", "two."])
    texts = settle(talk, 2)
    assert "one." in texts[0] and "two." in texts[1]


@pytest.mark.skipif("POSTERN_TEST_SLOW" not in os.environ,
                    reason="takes some minutes")
def test_a_post_that_something_in_between_refuses(talk):
    """It is not the server's word, and may be meant for this very text: the
    others get through, and it is put aside with its reason."""
    talk.server.fault("rest", method="POST", path_prefix="/api/v4/posts",
                      user=talk.bot.name, body_contains="echo: evil",
                      status=403, body="<html>blocked</html>", times=1000)
    evil = talk.user.say(talk.dm, "evil")["id"]
    p = talk.postern

    def listed():
        return json.loads(p.ctl(
            "channels", "dead-letters", "list", "--json").stdout)
    talk.user.say(talk.channel, "@%s good" % talk.bot.name)
    talk.server.wait_replies(talk.channel, talk.bot, 1)
    assert listed() == []
    (dead,) = p.wait(listed, 420)
    assert dead["status"] == 599 and "no Mattermost server" in dead["error"], dead
    talk.user.say(talk.dm, "fine")
    assert settle(talk, 1) == ["echo: fine"]
    (row,) = json.loads(p.ctl("explain", evil, "--json").stdout)
    assert row["error"].endswith(dead["error"])


def test_executed_with_500(talk):
    talk.server.fault("rest", method="POST", path_prefix="/api/v4/posts",
                      user=talk.bot.name, status=500, after_effect=True,
                      times=1)
    ask_many(talk, ["one."])
    settle(talk, 1)


def test_permanent_refusal_is_a_dead_letter(talk):
    talk.server.fault("rest", method="POST", path_prefix="/api/v4/posts",
                      user=talk.bot.name, status=400, times=1)
    ask_many(talk, ["one.", "two."])
    texts = settle(talk, 1)
    assert "two." in texts[0]
    out = talk.postern.ctl("channels", "dead-letters", "list").stdout
    assert "400" in out
    # An operator tries again: it goes out at once, and once.
    dead = json.loads(talk.postern.ctl(
        "channels", "dead-letters", "list", "--json").stdout)[0]
    talk.postern.ctl("channels", "dead-letters", "resubmit", dead["key"])
    assert "one." in settle(talk, 2)[1]
    assert talk.postern.ctl(
        "channels", "dead-letters", "list").stdout == "none\n"


def test_server_away_for_a_while(talk):
    talk.ask("one.")
    talk.server.fault("refuse", on=True)
    talk.server.fault("ws_reset", user=talk.bot.name)
    talk.postern.wait_state("default", "backoff")
    talk.server.fault("refuse", on=False)
    ask_many(talk, ["two."])
    settle(talk, 2)


def test_half_open_and_deaf_sockets_are_found(sim, world, daemons):
    """No FIN, no RST: only the unanswered ping tells, within 40 s."""
    deaf = sim.new_bot()
    config = world.config()
    config["channels"]["mattermost"]["accounts"] = {
        "default": account(sim, world.bot), "deaf": account(sim, deaf)}
    world.start(config)
    dm = world.user.direct(deaf)
    world.ask("one.")
    sim.fault("ws_stall", user=world.bot.name)
    sim.fault("ws_deaf", user=deaf.name)
    world.user.say(world.dm, "two.")
    world.user.say(dm, "to the deaf.")
    begun = time.monotonic()
    sim.wait_replies(world.dm, world.bot, 2, 45, world.user.api)
    found = sim.wait_replies(dm, deaf, 1, 10, world.user.api)
    settle(world, 2)
    assert len(found) == 1
    assert time.monotonic() - begun < 46


def test_revoked_token_parks_and_says_so(sim, world):
    other = sim.new_bot()
    config = world.config()
    config["channels"]["mattermost"]["accounts"] = {
        "default": account(sim, world.bot), "other": account(sim, other)}
    p = world.start(config)
    sim.admin.post("/users/tokens/revoke", {"token_id": other.token_id})
    sim.fault("ws_close", user=other.name)
    p.wait_state("other", "parked")
    assert "401" in p.account("other")["reason"]
    assert p.account("default")["state"] == "connected"
    world.ask("still fine?")


def test_wrong_token_does_not_disturb_the_others(sim, world):
    config = world.config()
    config["channels"]["mattermost"]["accounts"] = {
        "default": account(sim, world.bot),
        "wrong": dict(account(sim, world.bot), botToken="nonsense")}
    p = world.start(config, start=False)
    p.start(wait=False)
    p.wait_state("default", "connected")
    p.wait_state("wrong", "parked")
    world.ask("hello?")


def test_missing_token_parks_one_account(sim, world):
    """A variable that is not set: said, and the others run."""
    config = world.config()
    config["channels"]["mattermost"]["accounts"] = {
        "default": account(sim, world.bot),
        "empty": dict(account(sim, world.bot), botToken="${NOT_SET_HERE}")}
    p = world.start(config, start=False)
    r = subprocess.run([POSTERND, "-n", "-f", p.path], capture_output=True,
                       text=True)
    assert r.returncode == 1
    assert "accounts.empty.botToken: environment variable NOT_SET_HERE" \
        in r.stderr
    p.start(wait=False)
    p.wait_state("default", "connected")
    p.wait_state("empty", "parked")
    assert "no bot token" in p.account("empty")["reason"]
    world.ask("hello?")


@pytest.mark.parametrize("lacks, said", [
    ({"botToken": None}, "accounts.lame: botToken is missing"),
    ({"baseUrl": None}, "accounts.lame: baseUrl is missing")])
def test_incomplete_account_stands_alone(sim, world, lacks, said):
    """Only that one is of no use: the check says so, the others start."""
    config = world.config()
    lame = dict(account(sim, world.bot), **lacks)
    config["channels"]["mattermost"]["accounts"] = {
        "default": account(sim, world.bot),
        "lame": {k: v for k, v in lame.items() if v is not None}}
    for key in ("botToken", "baseUrl"):
        config["channels"]["mattermost"].pop(key)
    p = world.start(config, start=False)
    r = subprocess.run([POSTERND, "-n", "-f", p.path], capture_output=True,
                       text=True)
    assert r.returncode == 1 and said in r.stderr
    p.start(wait=False)
    p.wait_state("default", "connected")
    p.wait_logged(said.split(": ")[1])
    states = {a["id"]: a["state"] for a in p.status()["accounts"]}
    assert states["lame"] == "parked"
    assert "no" in p.account("lame")["reason"]
    world.ask("hello?")
    r = p.ctl("message", "send", "-a", "lame", "-t", "channel:" +
              world.channel, "-m", "x", check=False)
    assert r.returncode == 1
    assert "botToken/baseUrl missing" in r.stderr or \
        "lame is not connected" in r.stderr
    # Mended, it runs; nobody else is restarted.
    pids = p.pids()
    p.config["channels"]["mattermost"]["accounts"]["lame"] = account(
        sim, world.server.new_bot())
    p.write(p.config)
    p.ctl("reload")
    p.wait_state("lame", "connected")
    assert p.pids()["account:default"] == pids["account:default"]
