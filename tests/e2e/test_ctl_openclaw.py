"""Under the name openclaw: the commands of the peer's documents, as written."""

import json
import os
import shutil
import subprocess

import pytest

from conftest import account
from daemon import POSTERNCTL


SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def make(where, *args):
    done = subprocess.run(["make", *args], cwd=where, capture_output=True,
                          text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def configured(tmp_path_factory):
    """A build folder with --enable-openclaw-alias, in which nothing is built."""
    configure = os.path.abspath(os.path.join(SOURCE, "configure"))
    if not os.path.exists(configure):
        pytest.skip("there is no configure")
    where = tmp_path_factory.mktemp("alias")
    done = subprocess.run(
        [configure, "-q", "--prefix=/usr", "--enable-openclaw-alias"],
        cwd=where, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return str(where)


@pytest.fixture(scope="session")
def installed(configured, tmp_path_factory):
    """The folder of programs after an install, whose hook makes the alias."""
    dest = str(tmp_path_factory.mktemp("dest"))
    sbin = os.path.join(dest, "usr", "sbin")
    os.makedirs(sbin)
    shutil.copy(POSTERNCTL, sbin)
    make(configured, "DESTDIR=" + dest, "install-exec-hook")
    return sbin


@pytest.fixture
def openclaw(installed, world):
    """run(command line): in a shell, with openclaw on the path."""
    world.start(world.config(dmPolicy="pairing", allowFrom=[]))
    env = dict(os.environ, PATH=installed + ":" + os.environ["PATH"],
               POSTERN_SOCKET=os.path.join(
                   world.postern.dir, "run", "control.sock"))

    def run(line):
        return subprocess.run(["sh", "-c", line], capture_output=True,
                              text=True, timeout=60, env=env)
    return run


def ok(r):
    assert r.returncode == 0, r.stderr
    return r.stdout


def test_alias_is_installed_when_asked_for(configured, installed, tmp_path):
    """A link that stays right wherever the whole of it is moved to."""
    link = os.path.join(installed, "openclaw")
    assert os.readlink(link) == "posternctl"
    # It is a part of the install, and of the uninstall, but only then.
    assert "ln -sf posternctl openclaw" in make(
        configured, "-n", "install-exec-am")
    build = os.path.dirname(os.path.abspath(POSTERNCTL))
    if os.path.exists(os.path.join(build, "Makefile")):
        with open(os.path.join(build, "config.log")) as f:
            asked = "--enable-openclaw-alias" in f.read()
        assert ("openclaw" in make(
            build, "-n", "install-exec-am")) == asked
    dest = str(tmp_path)
    sbin = os.path.join(dest, "usr", "sbin")
    os.makedirs(sbin)
    for _ in range(2):  # again over an older one
        make(configured, "DESTDIR=" + dest, "install-exec-hook")
    assert os.path.islink(os.path.join(sbin, "openclaw"))
    make(configured, "DESTDIR=" + dest, "uninstall-hook")
    assert os.listdir(sbin) == []


def test_plugins_install(openclaw):
    for what in ("@openclaw/mattermost", "./path/to/local/mattermost-plugin"):
        assert "built in" in ok(openclaw("openclaw plugins install " + what))


def test_pairing(openclaw, world):
    assert "No pending mattermost pairing requests" in ok(
        openclaw("openclaw pairing list mattermost"))
    world.user.say(world.dm, "hello")
    world.postern.wait(lambda: json.loads(
        openclaw("openclaw pairing list mattermost --json").stdout)["requests"])
    (request,) = json.loads(ok(openclaw(
        "openclaw pairing list mattermost --json")))["requests"]
    assert request["code"] in ok(openclaw("openclaw pairing list mattermost"))
    assert "Approved mattermost sender " + world.user.id in ok(
        openclaw("openclaw pairing approve mattermost " + request["code"]))
    r = openclaw("openclaw pairing approve mattermost WRONGCODE")
    assert r.returncode == 1 and "No pending pairing request" in r.stderr


def test_message_send(openclaw, world):
    name = world.server.admin.get("/channels/" + world.channel)["name"]
    for target, where in (("channel:" + world.channel, world.channel),
                          ("user:" + world.user.id, world.dm),
                          ("@" + world.user.name, world.dm),
                          ("'#%s'" % name, world.channel),
                          (world.user.id, world.dm)):
        out = ok(openclaw("openclaw message send --channel mattermost "
                          "--target %s --message 'to you'" % target))
        assert "Sent via Mattermost. Message ID: " in out
        assert "(channel %s)" % where in out
    out = ok(openclaw("openclaw message send -t channel:%s -m 'x' --json"
                      % world.channel))
    post = json.loads(out)["messageId"]
    assert "tada" in ok(openclaw(
        "openclaw message react --channel mattermost -t channel:%s "
        "--message-id %s --emoji :tada:" % (world.channel, post)))
    ok(openclaw(
        "openclaw message react --channel mattermost -t channel:%s "
        "--message-id %s --emoji tada --remove" % (world.channel, post)))
    assert not world.server.admin.get("/posts/" + post)[
        "metadata"].get("reactions")
    post = json.loads(ok(openclaw(
        "openclaw message send -t channel:%s -m 'look' --pin --json"
        % world.channel)))["messageId"]
    assert world.server.admin.get("/posts/" + post)["is_pinned"]


def test_the_rest(openclaw, world):
    assert "connected" in ok(openclaw(
        "openclaw channels status --channel mattermost --probe "
        "--timeout 10000"))
    assert world.server.url in ok(openclaw("openclaw channels list --all"))
    (a,) = json.loads(ok(openclaw(
        "openclaw channels status --probe --json")))
    assert a["probe"]["ok"] and a["probe"]["bot"]["id"] == world.bot.id
    assert world.user.name in ok(openclaw(
        "openclaw directory peers list --channel mattermost"))
    assert world.channel in ok(openclaw(
        "openclaw directory groups list --channel mattermost --limit 50"))
    assert world.bot.name in ok(openclaw(
        "openclaw directory self --channel mattermost"))
    assert world.user.name in ok(openclaw(
        "openclaw directory groups members --channel mattermost "
        "--group-id channel:" + world.channel))
    assert "user:" + world.user.id in ok(openclaw(
        "openclaw channels resolve --channel mattermost @" +
        world.user.name))
    assert "default" in ok(openclaw(
        "openclaw channels capabilities --channel mattermost"))
    r = openclaw("openclaw channels logs --channel mattermost --lines 200")
    assert r.returncode == 1 and "the log goes to" in r.stderr
    assert "connected" in ok(openclaw("openclaw status"))
    r = openclaw("openclaw frobnicate")
    assert r.returncode == 2 and "unknown verb" in r.stderr


def test_probe_that_fails(sim, daemons):
    """One server that does not answer does not hide the other."""
    bots = [sim.new_bot(), sim.new_bot()]
    p = daemons({"channels": {"mattermost": {"accounts": {
        "a": account(sim, bots[0]), "b": account(sim, bots[1])}}}})
    sim.fault("rest", path_prefix="/api/v4/users/me", times=-1,
              user=bots[0].name, stall=True)
    got = {a["accountId"]: a["probe"] for a in json.loads(p.ctl(
        "channels", "status", "--probe", "--timeout", "500", "--json").stdout)}
    assert got["b"]["ok"] and got["b"]["elapsedMs"] < 500
    assert not got["a"]["ok"] and got["a"]["error"]
    sim.clear_faults()
