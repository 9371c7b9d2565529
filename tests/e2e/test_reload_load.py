"""Reload and upgrade while callbacks come and people talk: nobody is
refused, nothing is lost, and what was rotated is refused at once."""

import copy
import fcntl
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from callbacks import free_port
from called import Called, signed
from conftest import account
from daemon import POSTERNCTL, POSTERND

SECONDS = float(os.environ.get("POSTERN_LOAD_SECONDS", "3"))
RATE = int(os.environ.get("POSTERN_LOAD_RATE", "1000"))
THREADS = 16


HOOK = "hook-secret-token"


class Load:
    """Calls at a rate, each on a connection of its own.

    One in ten is a hook that becomes an event and a turn, and is answered
    when it is stored; nine are presses of a button that somebody forged,
    which are refused. No other answer is right, ever.
    """

    def __init__(self, port, forged, rate=RATE):
        self.port = port
        self.forged = json.dumps(forged).encode()
        self.rate = rate
        self.on = True
        self.n = 0
        self.statuses = {}
        self.failed = []
        self.slowest = 0.0
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run, args=(i,))
                        for i in range(THREADS)]

    def call(self, n):
        """(what it was, status)"""
        head = {"Content-Type": "application/json"}
        path, data, what = "/mattermost/interactions/default", \
            self.forged, "forged"
        # As many as one list of sessions can show.
        if n % 10 == 0 and n < 2400:
            path, what = "/hooks/agent", "hook"
            head["Authorization"] = "Bearer " + HOOK
            data = json.dumps({"message": "load %d" % n,
                               "idempotencyKey": "load-%d" % n})
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=25)
        try:
            c.request("POST", path, data, head)
            return what, c.getresponse().status
        finally:
            c.close()

    def run(self, i):
        every = THREADS / self.rate
        due = time.monotonic() + i / self.rate
        while self.on:
            wait = due - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            due += every
            begun = time.monotonic()
            with self.lock:
                self.n += 1
                tag = self.n
            try:
                got = self.call(tag)
            except (OSError, http.client.HTTPException) as e:
                self.failed.append(repr(e))
                continue
            with self.lock:
                self.statuses[got] = self.statuses.get(got, 0) + 1
                self.slowest = max(self.slowest, time.monotonic() - begun)

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *exc):
        self.on = False
        for t in self.threads:
            t.join(60)
            assert not t.is_alive()

    def hooks(self):
        return self.statuses.get(("hook", 200), 0)

    def done(self):
        return sum(self.statuses.values())

    def check(self):
        assert not self.failed, self.failed[:5]
        assert set(self.statuses) == {("hook", 200), ("forged", 403)}, \
            (self.statuses, self.failed[:3])
        assert self.done() == self.n


def forged(world):
    return {"user_id": world.user.id, "channel_id": world.channel,
            "post_id": "p" * 26, "team_id": world.server.team,
            "context": signed("not the token", {"action_id": "load"})}


def hooked(config):
    config["hooks"] = {"enabled": True, "token": HOOK}
    return config


def wait_events(postern, n):
    """So many hooks have become events: none was lost, none came twice."""
    def count():
        return sum(s["messages"] for s in json.loads(
            postern.ctl("sessions", "list", "--limit", "500", "--json").stdout))
    postern.wait(lambda: count() >= 2 * n, 60)
    assert count() == 2 * n


def two_accounts(world, c):
    """The world's account, which changes, and one that never does."""
    quiet = world.server.new_bot(team=world.server.team)
    config = c.config()
    top = config["channels"]["mattermost"]
    config["channels"]["mattermost"] = {"accounts": {
        "default": top, "quiet": account(world.server, quiet,
                                         capabilities=["inlineButtons"])}}
    return config, quiet


def connections(postern):
    """The sockets of each worker to its server: the same descriptors after
    a reload are the same connections, with their connection_id."""
    out = {}
    for name, pid in postern.pids().items():
        if name.startswith("account:"):
            out[name] = (pid, postern.account(name[8:])["live"]["since"])
    return out


def wait_done(load, more, timeout=60):
    want = load.done() + more
    end = time.monotonic() + timeout
    while load.done() < want:
        assert time.monotonic() < end, (load.statuses, load.failed[:5])
        time.sleep(0.01)


def test_reload_refuses_nobody(world):
    c = Called(world)
    config, quiet = two_accounts(world, c)
    hooked(config)
    # People of both accounts are answered all the while.
    p = world.start(config)
    before = connections(p)
    listener = p.pids()["callback"]
    with Load(c.port, forged(world)) as load:
        wait_done(load, 50)
        end = time.monotonic() + SECONDS
        rounds = 0
        while time.monotonic() < end:
            rounds += 1
            # Its part changes, and with it what callbacks are told.
            top = config["channels"]["mattermost"]["accounts"]["default"]
            top["responsePrefix"] = "[%d]" % rounds
            config["gateway"]["trustedProxies"] = [
                    "10.%d.%d.1" % divmod(rounds, 256)]
            p.write(dict(p.config, **config))
            p.process.send_signal(signal.SIGHUP)
            p.wait(lambda n=rounds: p.logs().count("reload.done") >= n, 60)
            # A broken file changes nothing.
            with open(p.path, "a") as f:
                f.write("}")
            p.process.send_signal(signal.SIGHUP)
            p.wait(lambda n=rounds:
                   p.logs().count("reload.failed") >= n, 60)
            wait_done(load, 20)
    assert "worker.died" not in p.logs(), p.logs()[-5000:]
    load.check()
    wait_events(p, load.hooks())
    after = connections(p)
    assert rounds >= 2
    assert before["account:quiet"] == after["account:quiet"]
    assert before["account:default"][0] != after["account:default"][0]
    assert p.pids()["callback"] != listener
    print(load.n, "calls,", rounds, "reloads, slowest %.2f s" %
          load.slowest)


def test_rotated_secret_is_refused_at_once(world):
    c = Called(world)
    p = c.start()
    post = c.post_signed(signed(world.bot.token, {"action_id": "load"}))
    old = signed(world.bot.token, {"action_id": "load", "n": 1})
    assert c.press(post, old)[0] == 200
    # A turn is under way: the old process takes its time to end.
    fresh = world.server.admin.post("/users/%s/tokens" % world.bot.id,
                                    {"description": "rotated"})["token"]
    config = dict(p.config)
    config["channels"] = json.loads(json.dumps(config["channels"]))
    config["channels"]["mattermost"]["botToken"] = fresh
    p.write(config)
    p.ctl("reload")
    # From the answer to the reload on, whatever is still running.
    for n in range(5):
        status, _ = c.press(post, signed(
            world.bot.token, {"action_id": "load", "n": 10 + n}))
        assert status == 403, status
    again = c.post_signed(signed(fresh, {"action_id": "load"}))
    assert c.press(again, signed(
        fresh, {"action_id": "load", "n": 99}))[0] == 200


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs UNIX")
def test_upgrade_loses_nothing(world):
    c = Called(world)
    p = world.start(hooked(c.config()))
    main = p.process.pid
    old = p.pids()
    said = []
    with Load(c.port, forged(world)) as load:
        wait_done(load, 50)
        before = load.done()
        for n in range(3):
            said.append("while %d" % n)
            world.user.say(world.dm, said[-1])
        r = p.ctl("upgrade", timeout=90)
        said.append("after")
        world.user.say(world.dm, said[-1])
        wait_done(load, RATE / 2)
    assert p.process.pid == main and p.process.poll() is None
    new = p.pids()
    assert set(new) == set(old)
    assert not set(new.values()) & set(old.values())
    load.check()
    assert load.done() > before
    wait_events(p, load.hooks() + len(said))
    assert "posternd " in r.stdout
    p.wait_connected()
    # Each once, in order.
    p.wait(lambda: len(world.said()) >= len(said), 30)
    got = world.said()
    assert [s for s in said if any(s in g for g in got)] == said
    assert len(got) == len(said), got
    print(load.n, "calls, slowest %.2f s;" % load.slowest, r.stdout)
    # And again: what the successor was left it can leave, too.
    p.ctl("upgrade", timeout=90)
    p.wait_connected()
    assert load.call(0) == ("hook", 200)
    p.ctl("stop")
    assert p.process.wait(30) == 0


def test_upgrade_needs_a_good_file(world):
    p = world.start()
    pids = p.pids()
    with open(p.path, "a") as f:
        f.write("}")
    r = p.ctl("upgrade", check=False)
    assert r.returncode == 1 and "refused" in r.stderr
    assert re.search(r"^%s:\d+:\d+: " % re.escape(p.path), r.stderr, re.M)
    assert p.pids() == pids
    assert "hello" in world.ask("hello")


def no_user(p):
    p.config["postern"]["user"] = "nosuchuser"
    return "no user nosuchuser; create it with: useradd"


def no_store_user(p):
    p.config["postern"]["storeUser"] = "nosuchuser"
    return "no user nosuchuser; create it with: useradd"


def no_group(p):
    p.config["postern"]["group"] = "nosuchgroup"
    return "no group nosuchgroup; create it with: groupadd"


def one_user_for_both(p):
    p.config["postern"]["storeUser"] = p.config["postern"]["user"]
    return "the database needs a user of its own"


def store_of_another(p):
    path = p.config["store"]["path"] = os.path.join(p.dir, "other")
    os.mkdir(path, 0o700)
    return "%s belongs to uid 0; make it right with: chown" % path


def run_dir_is_a_file(p):
    path = p.config["postern"]["runDir"] = os.path.join(p.dir, "file")
    open(path, "w").close()
    return path + " is not a directory"


def empty_is_not_empty(p):
    run = p.config["postern"]["runDir"] = os.path.join(p.dir, "run2")
    os.makedirs(os.path.join(run, "empty", "something"))
    return "must be empty"


def another_runs_there(p):
    run = p.config["postern"]["runDir"] = os.path.join(p.dir, "run3")
    os.mkdir(run)
    p.held = open(os.path.join(run, "posternd.pid"), "w")
    fcntl.flock(p.held, fcntl.LOCK_EX)
    return "posternd is running already in " + run


def no_log_file(p):
    p.config["log"] = {"destination": os.path.join(p.dir, "none", "log")}
    return "none/log: No such file"


def no_worker(p):
    path = os.path.join(p.dir, "bin", "postern-agent")
    os.unlink(path)
    return path + ": No such file"


@pytest.mark.parametrize("spoil", [
    no_user, no_store_user, no_group, one_user_for_both, store_of_another,
    run_dir_is_a_file, empty_is_not_empty, another_runs_there, no_log_file,
    no_worker], ids=lambda f: f.__name__)
def test_upgrade_needs_what_a_start_needs(world, spoil):
    """The configuration is good; whoever started with it would end."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    config = world.config()
    p = world.daemons(config, start=False, standins={})
    subprocess.run([*p.command, "-f", p.path], check=True, timeout=60)
    try:
        p.wait_connected()
        pids = p.pids()
        old = copy.deepcopy(p.config)
        run = old["postern"]["runDir"]
        why = spoil(p)
        p.write(p.config)
        said = subprocess.run(
            [POSTERNCTL, "-s", os.path.join(run, "control.sock"),
             "upgrade"], capture_output=True, text=True, timeout=60)
        p.config = old
        assert said.returncode == 1 and why in said.stderr, said.stderr
        assert p.pids() == pids
        world.postern = p
        assert "hello" in world.ask("hello")
    finally:
        p.ctl("stop", check=False)


def replaced(p, script):
    """Another program lies at the place of posternd."""
    path = p.command[0]
    os.rename(path, path + ".real")
    with open(path, "w") as f:
        f.write("#!/bin/sh\n" + script % (path + ".real"))
    os.chmod(path, 0o755)


@pytest.mark.parametrize("script, why", [
    # A release that knows one step less of the database.
    ('POSTERN_UPGRADE_SCHEMA=$((POSTERN_UPGRADE_SCHEMA + 1)) exec %s "$@"\n',
     "the database is of a later release: version "),
    ("exec sleep 100 # %s\n", "for 40 seconds and came to no end"),
], ids=["older", "hangs"])
def test_upgrade_to_what_is_no_good(world, script, why):
    p = world.daemons(world.config(), start=False, standins={})
    p.start()
    p.wait_connected()
    pids = p.pids()
    replaced(p, script)
    r = p.ctl("upgrade", check=False, timeout=90)
    assert r.returncode == 1 and why in r.stderr, r.stderr
    assert p.pids() == pids
    os.rename(p.command[0] + ".real", p.command[0])
    p.ctl("upgrade", timeout=90)
    p.wait_connected()
    world.postern = p
    assert "hello" in world.ask("hello")


def test_upgrade_of_one_in_the_background(world):
    """It was started with relative paths, and is in another directory."""
    p = world.daemons(world.config(), start=False)
    start = os.path.relpath(POSTERND, p.dir)
    subprocess.run([start, "-f", os.path.basename(p.path)], cwd=p.dir,
                   check=True, timeout=60)
    try:
        p.wait_connected()
        before = p.status()
        said = p.ctl("upgrade", timeout=90).stdout
        assert "1/1 account connected" in said
        p.wait_connected()
        after = p.status()
        assert after["pid"] == before["pid"]
        assert after["upMs"] < before["upMs"] + 90000
        world.postern = p
        assert "hello" in world.ask("hello")
    finally:
        p.ctl("stop", check=False)


def test_upgrade_needs_its_ports(world):
    """The file names another one, which is in use: nobody goes over."""
    c = world.config()
    c["hooks"] = {"enabled": True, "token": "t" * 20}
    c["gateway"] = {"port": free_port()}
    p = world.start(c)
    pids = p.pids()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        p.write(dict(p.config, gateway={"port": taken}))
        r = p.ctl("upgrade", check=False)
        assert r.returncode == 1 and "cannot listen on" in r.stderr
        assert p.pids() == pids
        assert "hello" in world.ask("hello")
    p.ctl("upgrade", timeout=90)
    p.wait_connected()
    socket.create_connection(("127.0.0.1", taken), 5).close()
