"""posternctl directory self and members, channels logs, capabilities and
resolve, message send --pin, doctor --fix."""

import json
import os
import socket
import stat
import subprocess

import pytest

from conftest import account
from daemon import POSTERNCTL


def run(p, *args, **kw):
    return subprocess.run(
        [POSTERNCTL, "-s", os.path.join(p.dir, "run", "control.sock"), *args],
        capture_output=True, text=True, timeout=60, **kw)


def rows(p, *args):
    r = run(p, *args, "--json")
    assert r.returncode == 0, r.stderr
    return json.loads(r.stdout)


def test_directory_self(world):
    p = world.start()
    assert rows(p, "directory", "self") == [{
        "kind": "user", "id": "user:" + world.bot.id,
        "name": world.bot.name, "handle": ""}]
    assert world.bot.name in run(p, "directory", "self").stdout
    r = run(p, "directory", "self", "--account", "nobody", "--json")
    assert r.returncode == 1
    assert json.loads(r.stdout)["error"]["type"] == "cli_error"


def test_directory_members(world):
    p = world.start()
    outside = world.server.new_user()
    for form in (world.channel, "channel:" + world.channel):
        got = {m["id"]: m for m in rows(
            p, "directory", "groups", "members", "--group-id", form)}
        assert got["user:" + world.user.id]["name"] == world.user.name
        assert "user:" + world.bot.id in got
        assert "user:" + outside.id not in got
    (one,) = rows(p, "directory", "groups", "members", "--group-id",
                  world.channel, "--query", world.user.name.upper())
    assert one["id"] == "user:" + world.user.id
    r = run(p, "directory", "groups", "members")
    assert r.returncode == 2 and "--group-id" in r.stderr
    r = run(p, "directory", "groups", "members", "--group-id", "#town")
    assert r.returncode == 1 and "members of which channel" in r.stderr


@pytest.mark.simulator
def test_members_over_pages(sim, world):
    sim.mmsim.sim("POST", "/users", {"n": 450, "team": world.server.team})
    for page in range(3):
        for u in world.server.admin.get(
                "/users?in_team=%s&per_page=200&page=%d" % (
                    world.server.team, page)):
            if u["username"].startswith("many"):
                world.server.admin.post(
                    "/channels/%s/members" % world.channel,
                    {"user_id": u["id"]})
    p = world.start()
    got = [m["id"] for m in rows(p, "directory", "groups", "members",
                                 "--group-id", world.channel)]
    assert len(got) == len(set(got)) >= 452


def test_groups_of_all_accounts(world):
    """Each once, and an account that fails disturbs nobody."""
    other = world.server.new_bot()
    theirs = world.server.new_channel([other])
    both = world.server.new_channel([other, world.bot])
    c = world.config()
    mm = c["channels"]["mattermost"]
    c["channels"]["mattermost"] = {"accounts": {
        "default": mm, "other": account(world.server, other),
        "broken": account(world.server, other, botToken="wrong")}}
    p = world.daemons(c, start=False)
    p.start(wait=False)
    p.wait_state("default", "connected")
    p.wait_state("other", "connected")
    got = [g["id"] for g in rows(p, "directory", "groups", "list")]
    assert len(got) == len(set(got))
    assert {"channel:" + x for x in (world.channel, theirs, both)} <= set(got)
    got = [g["id"] for g in rows(
        p, "directory", "groups", "list", "--account", "other")]
    assert "channel:" + theirs in got
    assert "channel:" + world.channel not in got
    assert len(rows(p, "directory", "groups", "list", "--limit", "2")) == 2


def test_resolve(world):
    p = world.start()
    name = world.server.admin.get("/channels/" + world.channel)["name"]
    for entry, kind, id in (
            ("#" + name, "channel", "channel:" + world.channel),
            (name, "channel", "channel:" + world.channel),
            ("@" + world.user.name, "user", "user:" + world.user.id),
            (world.user.name, "user", "user:" + world.user.id),
            ("user:" + world.user.id, "user", "user:" + world.user.id)):
        (got,) = rows(p, "channels", "resolve", entry)
        assert (got["resolved"], got["kind"], got["id"]) == (
            True, kind, id), entry
        assert got["input"] == entry
    out = run(p, "channels", "resolve", "#" + name).stdout
    assert out == "#%s -> channel:%s %s\n" % (name, world.channel, name)
    # Exactly that name, and of that kind.
    for args in (["#" + name[:-1]], ["@" + name], ["#" + world.user.name],
                 [name, "--kind", "user"]):
        r = run(p, "channels", "resolve", *args, "--json")
        assert r.returncode == 1
        (got,) = json.loads(r.stdout)
        assert got["resolved"] is False and got["note"] == "not found"
    r = run(p, "channels", "resolve", "nobody")
    assert r.returncode == 1 and "is called nobody" in r.stderr
    r = run(p, "channels", "resolve", name, "--kind", "thing")
    assert r.returncode == 2 and "user, group or auto" in r.stderr


def test_resolve_of_two_teams(world):
    """A name that is in both is nobody's."""
    team = world.server.new_team()
    world.server.join_team(world.bot.id, team)
    name = world.server.admin.get("/channels/" + world.channel)["name"]
    second = world.server.admin.post("/channels", {
        "team_id": team, "name": name, "display_name": name, "type": "O"})
    world.server.join(second["id"], world.bot)
    p = world.start()
    r = run(p, "channels", "resolve", "#" + name, "--json")
    assert r.returncode == 1
    (got,) = json.loads(r.stdout)
    assert got["note"] == "ambiguous"
    assert {c["id"] for c in got["candidates"]} == {
        "channel:" + world.channel, "channel:" + second["id"]}


def test_capabilities(world):
    p = world.start(world.config(
        actions={"messages": True, "reactions": False}, streaming="off"))
    (got,) = rows(p, "channels", "capabilities")
    assert got["account"] == "default" and got["configured"]
    assert got["actions"] == ["send", "read"]
    assert got["chatTypes"] == ["direct", "group", "channel", "thread"]
    assert got["streaming"] == "off" and not got["buttons"]
    assert got["nativeCommands"] is False  # "auto" is off
    assert got["mediaMaxMb"] == 8 and "edit" in got["unsupported"]
    out = run(p, "channels", "capabilities").stdout.splitlines()
    assert out[0].split()[:4] == ["ACCOUNT", "SEND", "REACT", "READ"]
    assert out[1].split()[:4] == ["default", "yes", "no", "yes"]
    r = run(p, "channels", "capabilities", "--account", "none")
    assert r.returncode == 1 and 'no account "none"' in r.stderr
    # It is the file's, and takes no daemon.
    p.stop()
    (got,) = rows(p, "channels", "capabilities", "--file", p.path)
    assert got["account"] == "default"
    with open(p.path, "w") as f:
        f.write("{")
    r = run(p, "channels", "capabilities", "--file", p.path)
    assert r.returncode == 1 and "cannot be used" in r.stderr


def test_logs(world, tmp_path):
    other = world.server.new_bot()
    c = world.config()
    mm = c["channels"]["mattermost"]
    c["channels"]["mattermost"] = {"accounts": {
        "default": mm, "other": account(world.server, other)}}
    log = str(tmp_path / "postern.log")
    c["log"] = {"destination": log}
    p = world.start(c)
    f = ["--file", p.path]
    with open(log, "a") as out:
        out.write("2026-01-01T00:00:00.000Z account: evil account=default "
                  "x=\x1b[31m\n")
        out.write('{"event":"x","account":"other"}\n')
        out.write("2026-01-01T00:00:00.000Z posternd: nobody\n")
    got = rows(p, "channels", "logs", *f)
    assert got[-1] == '{"event":"x","account":"other"}'
    assert not any("posternd: nobody" in x for x in got)
    got = rows(p, "channels", "logs", "--account", "other", *f)
    assert got and not any("account=default" in x for x in got)
    assert len(rows(p, "channels", "logs", "--lines", "2", *f)) == 2
    shown = run(p, "channels", "logs", *f).stdout
    assert "\x1b" not in shown and "evil" in shown
    r = run(p, "channels", "logs", "--lines", "0", *f)
    assert r.returncode == 2 and "--lines 0" in r.stderr
    os.unlink(log)
    r = run(p, "channels", "logs", *f)
    assert r.returncode == 1 and "No such file" in r.stderr


def test_logs_that_are_no_file(world):
    c = world.config()
    c["log"] = {"destination": "syslog"}
    p = world.daemons(c, start=False)
    r = run(p, "channels", "logs", "--file", p.path)
    assert r.returncode == 1 and "goes to syslog" in r.stderr


def pinned(world):
    return world.server.admin.get(
        "/channels/%s/pinned" % world.channel)["order"]


def send(p, world, *args):
    return run(p, "message", "send", "-t", "channel:" + world.channel,
               "-m", "hello", "--json", *args)


@pytest.mark.parametrize("args, pins", [
    ([], False), (["--pin"], True), (["--delivery", '{"pin":true}'], True),
    (["--delivery", '{"pin":{"enabled":true,"notify":false}}'], True),
    (["--delivery", '{"pin":{"enabled":false}}'], False),
    (["--delivery", '{"pin":false}'], False), (["--delivery", "{}"], False),
    (["--pin", "--dry-run"], None)])
def test_pin(world, args, pins):
    p = world.start()
    r = send(p, world, *args)
    assert r.returncode == 0, r.stderr
    got = json.loads(r.stdout)
    if pins is None:
        assert "messageId" not in got
        return
    post = world.server.admin.get("/posts/" + got["messageId"])
    assert post["is_pinned"] is pins
    assert got["payload"]["result"].get("pinned", False) is pins


@pytest.mark.simulator
@pytest.mark.parametrize("args, status", [
    (["--pin"], 0), (["--delivery", '{"pin":{"required":true}}'], 1)])
def test_pin_that_is_refused(sim, world, args, status):
    """It was sent all the same, once, and that is said."""
    p = world.start()
    sim.fault("rest", method="POST", path_contains="/pin", status=403)
    r = send(p, world, *args)
    assert r.returncode == status
    assert "sent, but not pinned: 403" in r.stderr
    got = json.loads(r.stdout)
    assert "403" in got["payload"]["result"]["pinError"]
    assert [x["id"] for x in world.server.replies(
        world.channel, world.bot, world.user.api)] == [got["messageId"]]


@pytest.mark.parametrize("delivery", [
    "x", "[]", "5", '{"pin":"yes"}', '{"silent":true}'])
def test_delivery_that_is_none(world, delivery):
    p = world.start()
    r = send(p, world, "--delivery", delivery)
    assert r.returncode == 2 and "--delivery" in r.stderr
    assert world.server.replies(
        world.channel, world.bot, world.user.api) == []


def test_doctor_fix(world):
    p = world.start()
    store = os.path.join(p.dir, "store")
    runs = os.path.join(p.dir, "run")

    def mode(path):
        return stat.S_IMODE(os.stat(path).st_mode)

    def codes(*args):
        r = run(p, "doctor", "--json", "--file", p.path, *args)
        return ["%s %s" % (f["level"], f["code"])
                for f in json.loads(r.stdout)["findings"]]
    os.chmod(p.path, 0o666)
    os.chmod(store, 0o755)
    os.chmod(runs, 0o777)
    # Looking changes nothing.
    assert "error file.mode" in codes()
    assert (mode(p.path), mode(store), mode(runs)) == (0o666, 0o755, 0o777)
    found = codes("--fix")
    assert found.count("note fixed.mode") == 3
    assert not [f for f in found if f.startswith("error")]
    assert (mode(p.path), mode(store), mode(runs)) == (0o640, 0o700, 0o755)
    # Nothing is left to be mended, and the daemon goes on.
    assert "note fixed.mode" not in codes("--fix")
    assert "hello" in world.ask("hello")
    # The socket of somebody who listens stays.
    sock = os.path.join(runs, "control.sock")
    assert os.path.exists(sock)
    p.kill_all()
    if not os.path.exists(sock):
        s = socket.socket(socket.AF_UNIX)
        s.bind(sock)
        s.close()
    found = codes("--fix")
    assert "note fixed.socket" in found and "error daemon.down" in found
    assert not os.path.exists(sock)


def test_doctor_fix_follows_no_link(world, tmp_path):
    """A directory that somebody has put a link for is left alone."""
    p = world.start()
    p.stop()
    store = os.path.join(p.dir, "store")
    aside = str(tmp_path / "aside")
    os.rename(store, store + ".old")
    os.mkdir(aside)
    os.chmod(aside, 0o755)
    os.symlink(aside, store)
    run(p, "doctor", "--fix", "--file", p.path)
    assert stat.S_IMODE(os.stat(aside).st_mode) == 0o755
