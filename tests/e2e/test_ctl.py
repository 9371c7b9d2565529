"""posternctl(8) against a daemon that serves an account."""

import json
import os
import re
import subprocess

import pytest

from daemon import POSTERNCTL, POSTERND


def ctl(postern, *args, **kw):
    return subprocess.run(
        [POSTERNCTL, "-s", os.path.join(postern.dir, "run", "control.sock"),
         *args], capture_output=True, text=True, timeout=60, **kw)


def rows(postern, *args):
    r = ctl(postern, *args, "--json")
    assert r.returncode == 0, r.stderr
    return json.loads(r.stdout)


def test_status_has_what_the_account_counts(world):
    p = world.start()
    world.ask("hello")
    status = rows(p, "status")
    (a,) = status["accounts"]
    assert a["state"] == "connected"
    assert a["live"]["posts"] >= 1 and a["live"]["events"] >= 1
    assert status["summary"] == "1/1 account connected"
    assert {w["restarts"] for w in status["workers"]} == {0}
    line = [x for x in ctl(p, "channels", "status").stdout.splitlines()
            if x.startswith("default")]
    assert "connected" in line[0] and world.bot.name in line[0]


def test_explain(world):
    p = world.start()
    post = world.user.say(world.dm, "hello")
    post = post["id"] if isinstance(post, dict) else post
    found = world.server.wait_replies(
        world.dm, world.bot, 1, 15, world.user.api)
    # It can be read before we are told so.
    p.wait(lambda: rows(p, "explain", post)[0]["answer_posts"])
    (o,) = rows(p, "explain", post)
    assert o["account"] == "default" and o["state"] == "done"
    assert o["answer_posts"] == [found[0]["id"]]
    assert found[0]["id"] in ctl(p, "explain", post).stdout
    r = ctl(p, "explain", "a" * 26)
    assert r.returncode == 1 and "no account has seen" in r.stderr


def test_sessions(world):
    p = world.start()
    world.ask("remember the milk")
    (s,) = rows(p, "sessions", "list")
    assert s["messages"] == 2
    shown = ctl(p, "sessions", "show", s["session"]).stdout
    assert "user: remember the milk" in shown and "assistant: " in shown
    assert ctl(p, "sessions", "reset", s["session"]).returncode == 0
    assert ctl(p, "sessions", "show", s["session"]).returncode == 1
    assert ctl(p, "sessions", "reset", "no:such").returncode == 1


def test_message_send(world):
    p = world.start()
    r = ctl(p, "message", "send", "-t", "channel:" + world.channel,
            "-m", "-", "--json", input="from a pipe\n")
    assert r.returncode == 0, r.stderr
    sent = json.loads(r.stdout)
    assert sent["payload"]["result"]["target"]["id"] == world.channel
    posts = world.server.replies(world.channel, world.bot, world.user.api)
    assert [(x["id"], x["message"]) for x in posts] == [
        (sent["messageId"], "from a pipe")]
    # Into its thread.
    r = ctl(p, "message", "send", "-t", "channel:" + world.channel,
            "-m", "more", "--reply-to", sent["messageId"], "--json")
    assert r.returncode == 0, r.stderr
    r = ctl(p, "message", "send", "-t", "channel:" + "z" * 26, "-m", "x")
    assert r.returncode == 1 and r.stderr
    r = ctl(p, "message", "send", "-t", "@x", "-m", "x", "-a", "nobody")
    assert r.returncode == 1 and "there is no account" in r.stderr


def test_dead_letters(world):
    p = world.start()
    assert ctl(p, "channels", "dead-letters", "list").stdout == "none\n"
    assert rows(p, "channels", "dead-letters", "list") == []
    r = ctl(p, "channels", "dead-letters", "resubmit", "7")
    assert r.returncode == 1 and "no such dead letter" in r.stderr


@pytest.mark.parametrize("word", ["-V", "--version"])
@pytest.mark.parametrize("program", [POSTERND, POSTERNCTL])
def test_version(program, word):
    """It comes from one place."""
    top = os.path.join(os.path.dirname(__file__), "..", "..")
    with open(os.path.join(top, "configure.ac"), encoding="utf-8") as f:
        version = re.search(r"AC_INIT\(\[\w+\], \[([\d.]+)\]", f.read())[1]
    r = subprocess.run([program, word], capture_output=True, text=True,
                       timeout=60)
    assert (r.returncode, r.stderr) == (0, "")
    assert r.stdout == "%s %s\n" % (os.path.basename(program), version)
