"""posternctl directory: pages, queries, and lists that are long."""

import json
import os
import subprocess

import pytest

from conftest import World
from daemon import POSTERNCTL
from mattermost import Simulator


def run(world, *args):
    sock = os.path.join(world.postern.dir, "run", "control.sock")
    return subprocess.run([POSTERNCTL, "-s", sock, "directory", *args],
                          capture_output=True, text=True, timeout=120)


def rows(world, *args):
    r = run(world, *args, "--json")
    assert r.returncode == 0, r.stderr
    return json.loads(r.stdout)


def test_groups(world):
    private = world.server.new_channel([world.bot], kind="P")
    outside = world.server.new_channel()
    world.start()
    got = rows(world, "groups", "list")
    kinds = {g["id"]: g["kind"] for g in got}
    assert kinds["channel:" + world.channel] == "channel"
    assert kinds["channel:" + private] == "group"
    assert "channel:" + outside not in kinds
    assert "channel:" + world.dm not in kinds
    name = world.server.admin.get("/channels/" + private)["name"]
    (found,) = rows(world, "groups", "list", "--query", name[3:].upper())
    assert found == {"kind": "group", "id": "channel:" + private,
                     "name": name, "handle": name}
    # One that the bot has left since is gone.
    world.server.admin.delete("/channels/%s/members/%s" % (
        private, world.bot.id))
    assert rows(world, "groups", "list", "--query", name) == []
    assert len(rows(world, "groups", "list", "--limit", "1")) == 1
    shown = run(world, "groups", "list").stdout.splitlines()
    assert shown[0].split() == ["ID", "NAME", "SHOWN", "AS"]
    assert any(x.startswith("channel:" + world.channel) for x in shown)


def test_peers(world):
    world.start()
    got = rows(world, "peers", "list")
    ids = {p["id"]: p for p in got}
    assert ids["user:" + world.user.id]["name"] == world.user.name
    assert {p["kind"] for p in got} == {"user"}
    assert "user:" + world.bot.id not in ids
    (one,) = rows(world, "peers", "list", "--query", world.user.name)
    assert one["id"] == "user:" + world.user.id
    assert rows(world, "peers", "list", "--query", "zzzznobody") == []
    assert run(world, "peers", "list", "--query", "zzzznobody").stdout == \
        "none\n"
    # What is listed can be written to.
    p = world.postern.ctl("message", "send", "-t", one["id"], "-m", "hello")
    assert world.dm in p.stdout


def test_long_names_of_all_scripts(world):
    """Mattermost counts the 64 characters of a name, whatever their bytes."""
    long = {}
    for name in ("\u4e2d" * 64, "a" + "\u0416" * 63, "\U0001f600" * 60):
        u = world.server.new_user()
        u.api.put("/users/me/patch", {"first_name": name})
        long["user:" + u.id] = name
    world.start()
    got = {p["id"]: p for p in rows(world, "peers", "list")}
    for user, name in long.items():
        assert got[user]["handle"] == name
    assert world.postern.ctl("status").stdout.count("connected") >= 1


def test_two_teams_name_nobody_twice(world):
    other = world.server.new_team()
    world.server.join_team(world.bot.id, other)
    world.server.join_team(world.user.id, other)
    alone = world.server.new_user(team=other)
    world.start()
    ids = [p["id"] for p in rows(world, "peers", "list")]
    assert len(ids) == len(set(ids))
    assert {"user:" + alone.id, "user:" + world.user.id} <= set(ids)


def test_refused(world):
    world.start()
    r = run(world, "peers", "list", "--limit", "0")
    assert r.returncode == 2 and "positive integer" in r.stderr
    r = run(world, "peers", "list", "--account", "none", "--json")
    assert r.returncode == 1
    got = json.loads(r.stdout)
    assert got["ok"] is False and got["error"]["type"] == "cli_error"
    assert "there is no account" in got["error"]["message"]


def test_failing_server(sim, world):
    world.start()
    sim.fault("rest", path_prefix="/api/v4/users/me/teams", times=-1,
              user=world.bot.name, status=403)
    r = run(world, "groups", "list", "--json")
    assert r.returncode == 1
    assert "directory failed: 403" in json.loads(r.stdout)["error"]["message"]


def peak(pid):
    with open("/proc/%d/status" % pid) as f:
        for line in f:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    raise AssertionError("no VmHWM")


def test_ten_thousand(daemons):
    """A list of any length passes through the same few pages of memory."""
    s = Simulator()
    try:
        w = World(s, daemons)  # in a new team
        n = 10000
        s.mmsim.sim("POST", "/users", {"n": n, "team": s.team})
        p = w.start()
        rows(w, "peers", "list", "--limit", "200")
        before = {k: peak(v) for k, v in p.pids().items()}
        got = rows(w, "peers", "list")
        assert len({x["id"] for x in got}) == len(got) >= n
        if p.sanitized():
            return
        for k, v in p.pids().items():
            assert peak(v) - before[k] < 3 << 20, k
    finally:
        s.close()


@pytest.mark.simulator
@pytest.mark.parametrize("kind", ["groups", "peers"])
@pytest.mark.parametrize("team", ["", "../../../roles/x", 5, None])
def test_teams_that_are_none(sim, world, kind, team):
    """An id of the server goes into no path unless it is one."""
    world.start()
    sim.fault("rest", method="GET", path_prefix="/api/v4/users/me/teams",
              user=world.bot.name, times=1, status=200,
              body=json.dumps([{"id": team, "name": "a"}]))
    r = run(world, kind, "list")
    assert r.returncode != 0
    assert "the list of teams is not usable" in r.stderr
    asked = [x["path"] for x in sim.mmsim.sim("GET", "/requests")][-2:]
    assert asked[-1].startswith("/api/v4/users/me/teams"), asked
    assert "/channels" not in asked[-1] and "in_team" not in asked[-1]
