"""posternd -nn: what the servers grant, before anything depends on it."""

import json
import os
import subprocess

import pytest

from called import Called
from conftest import account
from daemon import POSTERND


def check(world, config, *args, directory=None):
    """(exit status, rows or None, stdout, stderr) of posternd -nn."""
    p = world.daemons(config, start=False)
    r = subprocess.run(
        [POSTERND, "-nn", *args, "-f", p.path], capture_output=True,
        text=True, timeout=120, env=p.env, stdin=subprocess.DEVNULL)
    rows = json.loads(r.stdout)["checks"] if "--json" in args and \
        r.stdout else None
    return r.returncode, rows, r.stdout, r.stderr, p


def states(rows, what, name="default"):
    return [r["state"] for r in rows
            if r["what"] == what and r["account"] == name]


def detail(rows, what):
    return " ".join(r["detail"] for r in rows if r["what"] == what)


def test_all_is_well(world):
    rc, rows, out, err, p = check(world, world.config(), "--json")
    assert rc == 0, out + err
    assert json.loads(out)["ok"] is True
    assert states(rows, "token") == ["ok"]
    assert world.bot.name in detail(rows, "token")
    assert world.bot.id in detail(rows, "token")
    for what in ("server", "teams", "channels", "direct messages",
                 "post size", "edit limit", "attachments", "rate limit"):
        assert states(rows, what) == ["ok"], (what, rows)
    assert "16383" in detail(rows, "post size")
    assert not states(rows, "slash commands")
    # Neither a database nor a socket nor a post is left behind.
    assert not os.path.exists(os.path.join(p.dir, "store"))
    assert not os.path.exists(os.path.join(p.dir, "run", "control.sock"))
    assert world.bot.token not in out + err


def test_patterns_that_cannot_be_had(world):
    """Each is told with its place, once, and is no failure."""
    c = world.config()
    c["agents"] = {"list": [{"id": "main", "groupChat": {
        "mentionPatterns": ["(?=helper)", "ok", "["]}}]}
    rc, rows, _, err, _ = check(world, c, "--json")
    assert rc == 0 and not states(rows, "mention pattern")
    assert err.count("mentionPatterns[0]: \"(?=helper)\" is not used") == 1
    assert err.count("mentionPatterns[2]: \"[\" is not used") == 1


def test_a_table_for_people(world):
    rc, _, out, err, _ = check(world, world.config())
    assert rc == 0, out + err
    lines = out.splitlines()
    assert lines[0].split() == ["ACCOUNT", "WHAT", "STATE", "DETAIL"]
    assert any(w.split()[:3] == ["default", "token", "ok"] for w in lines)


def test_refused_token(world):
    bad = world.server.new_bot()
    config = world.config()
    config["channels"]["mattermost"] = {"accounts": {
        "good": config["channels"]["mattermost"],
        "bad": dict(account(world.server, bad), botToken="x" * 26)}}
    rc, rows, out, err, _ = check(world, config, "--json")
    assert rc == 1
    assert json.loads(out)["ok"] is False
    assert states(rows, "token", "bad") == ["fail"]
    assert "401" in detail(rows, "token")
    # One account's trouble is not another's.
    assert states(rows, "channels", "good") == ["ok"]


@pytest.mark.simulator
def test_many_accounts(sim, world):
    """However many they are, each tells all, and one after the other."""
    config = world.config()
    one = config["channels"]["mattermost"]
    names = ["a%02d" % i for i in range(60)]
    config["channels"]["mattermost"] = {"accounts": dict.fromkeys(names, one)}
    rc, rows, out, err, _ = check(world, config, "--json")
    assert rc == 0, [r for r in rows if r["state"] == "fail"][:5]
    assert len(rows) > 500
    assert [r["account"] for r in rows] == [
        n for n in names for r in rows if r["account"] == n]
    assert rows[0]["what"] == "token"


def test_nobody_answers(world):
    config = world.config()
    config["channels"]["mattermost"]["baseUrl"] = "http://127.0.0.1:1"
    rc, rows, out, err, _ = check(world, config, "--json")
    assert rc == 1 and states(rows, "token") == ["fail"]
    assert "refused" in detail(rows, "token").lower(), rows


def test_slash_rights(world):
    c = Called(world)
    config = c.config(commands={"native": True, "callbackUrl":
                                c.base + "/api/channels/mattermost/command"})
    before = {} if world.server.simulated else None
    rc, rows, out, err, _ = check(world, config, "--json")
    if before is not None:
        before = c.commands()
    may = states(rows, "slash commands")
    assert may in (["ok"], ["fail"])
    c.promote(world.bot)
    rc, rows, out, err, _ = check(world, config, "--json")
    assert states(rows, "slash commands") == ["ok"], rows
    # Its own callback worker has answered at the public address.
    assert states(rows, "reach of commands") == ["ok"], rows
    assert rc == 0, out + err
    # The line that the server needs, word for word.
    assert '"AllowedUntrustedInternalConnections": "127.0.0.1"' in err
    # And nothing was registered.
    if before is not None:
        assert c.commands() == before


def test_beside_a_daemon_that_runs(world):
    c = Called(world)
    config = c.config(commands={"native": True, "callbackUrl":
                                c.base + "/api/channels/mattermost/command"})
    c.promote(world.bot)
    p = world.start(config)
    pids = p.pids()
    r = subprocess.run([POSTERND, "-nn", "--json", "-f", p.path],
                       capture_output=True, text=True, timeout=120,
                       env=p.env, stdin=subprocess.DEVNULL)
    rows = json.loads(r.stdout)["checks"]
    assert states(rows, "reach of commands") == ["ok"], rows
    assert r.returncode == 0
    assert p.pids() == pids
    assert "hello" in world.ask("hello")


def test_callbacks_that_do_not_come_in(world):
    c = Called(world)
    config = c.config(commands={"native": True, "callbackUrl":
                                "http://127.0.0.1:1/x"})
    c.promote(world.bot)
    rc, rows, out, err, _ = check(world, config, "--json")
    assert rc == 1 and states(rows, "reach of commands") == ["fail"], rows


def test_names(world):
    config = world.config(dmPolicy="allowlist",
                          dangerouslyAllowNameMatching=True,
                          allowFrom=[world.user.name, "nobody-at-all"])
    rc, rows, out, err, _ = check(world, config, "--json")
    found = {r["detail"].split()[0]: r for r in rows
             if r["what"] == "name in an allowlist"}
    assert found[world.user.name]["state"] == "ok"
    assert world.user.id in found[world.user.name]["detail"]
    assert found["nobody-at-all"]["state"] == "fail"
    assert rc == 1


def test_a_file_that_is_wrong_asks_nobody(world):
    config = world.config()
    config["channels"]["mattermost"]["noSuchKey"] = 1
    rc, rows, out, err, _ = check(world, config, "--json")
    assert rc == 1 and out == "" and "noSuchKey" in err


@pytest.mark.parametrize("args", [["-n", "--json"], ["--json"], ["-nn", "x"]])
def test_usage(args):
    r = subprocess.run([POSTERND, *args], capture_output=True, text=True,
                       timeout=30)
    assert r.returncode == 2 and "usage" in r.stderr
