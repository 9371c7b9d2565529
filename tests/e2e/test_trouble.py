"""Servers that cannot be trusted, and disks that take nothing."""

import os
import sqlite3
import subprocess
import time

import pytest

from conftest import World, account
from mattermost import Simulator


class Certs:
    """A CA, and certificates of 127.0.0.1 and of somebody else."""

    def __init__(self, where):
        self.dir = str(where)
        self.ca = self.make("ca", "/CN=test CA", ["-x509", "-days", "2"])
        self.good = self.leaf("good", "IP:127.0.0.1")
        self.wrong = self.leaf("wrong", "DNS:elsewhere.example")

    def path(self, name):
        return os.path.join(self.dir, name)

    def openssl(self, *args):
        subprocess.run(["openssl", *args], check=True, capture_output=True)

    def make(self, name, subject, more):
        key, cert = self.path(name + ".key"), self.path(name + ".pem")
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", subject,
                     "-keyout", key, "-out", cert, *more)
        return cert, key

    def leaf(self, name, san):
        request, key = self.make(name + "-req", "/CN=" + name, [])
        ext, cert = self.path(name + ".ext"), self.path(name + ".pem")
        with open(ext, "w") as f:
            f.write("subjectAltName=%s\n" % san)
        self.openssl("x509", "-req", "-in", request, "-CA", self.ca[0],
                     "-CAkey", self.ca[1], "-CAcreateserial", "-days", "2",
                     "-extfile", ext, "-out", cert)
        return cert, key


@pytest.fixture(scope="module")
def certs(tmp_path_factory):
    return Certs(tmp_path_factory.mktemp("certs"))


@pytest.fixture
def tls(daemons):
    """tls(cert) gives a world on a server with that certificate."""
    servers = []

    def make(cert):
        s = Simulator("-T", *cert)
        servers.append(s)
        return World(s, daemons)

    yield make
    for s in servers:
        s.close()


def refused(world, config):
    """The reason that status gives for not being connected."""
    p = world.daemons(config, start=False)
    p.start(wait=False)
    return p, p.wait(
        lambda: p.account()["state"] == "backoff" and p.account()["reason"])


@pytest.mark.simulator
def test_certificate_of_a_configured_ca(tls, certs):
    world = tls(certs.good)
    world.start(world.config(caFile=certs.ca[0]))
    assert "hello" in world.ask("hello")


@pytest.mark.simulator
def test_unknown_ca(tls, certs):
    world = tls(certs.good)
    p, why = refused(world, world.config())
    assert why == "tls: unknown issuer"
    # Nothing was sent to a server that is not the right one.
    assert world.bot.token not in p.logs()
    assert world.server.state()["ws_accepted"] == 0
    assert "echo" not in str(world.said())


@pytest.mark.simulator
def test_certificate_of_another_host(tls, certs):
    world = tls(certs.wrong)
    _, why = refused(world, world.config(caFile=certs.ca[0]))
    assert why.startswith("tls: ")


@pytest.mark.simulator
def test_wrong_server_does_not_disturb_the_others(tls, certs, world):
    bad = tls(certs.good)
    c = {"channels": {"mattermost": {"accounts": {
        "good": account(world.server, world.bot),
        "bad": account(bad.server, bad.bot)}}}}
    p = world.daemons(c, start=False)
    p.start(wait=False)
    p.wait_state("good", "connected")
    p.wait_state("bad", "backoff")
    world.postern = p
    assert "hello" in world.ask("hello")


def database(p):
    path = p.config["store"]["path"]
    return p.wait(lambda: [
        os.path.join(path, f) for f in os.listdir(path)
        if f.endswith((".db", ".sqlite", ".sqlite3"))])[0]


def test_locked_database(world):
    """Somebody else has it: nothing is lost, and the account says why."""
    p = world.start()
    assert "one" in world.ask("one")
    path = database(p)
    p.stop()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    p.start(wait=False)
    world.user.say(world.dm, "two")
    time.sleep(2.5)
    assert len(world.said()) == 1
    # Said once and with its likely cause, not with each try.
    names = "store.load", "store.access", "store.cron"
    p.wait_logged(*[n + " account=" for n in names])
    for name in names:
        assert p.logs().count(name + " account=") == 1, p.logs()[-4000:]
    p.wait_logged("does a second posternd use this store.path?")
    p.wait(lambda: "second posternd" in p.ctl("status").stdout)
    other.execute("ROLLBACK")
    other.close()
    found = world.server.wait_replies(
        world.dm, world.bot, 2, 40, world.user.api)
    assert [m["message"] for m in found][1:] == ["echo: two"], \
        p.logs()[-4000:]
    time.sleep(0.5)
    assert len(world.said()) == 2


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 4 MB, where root may mount one."""
    where = str(tmp_path / "disk")
    os.mkdir(where)
    if os.geteuid() != 0 or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=4m,mode=755", "tmpfs",
             where], capture_output=True).returncode != 0:
        pytest.skip("cannot mount a file system")
    yield where
    subprocess.run(["umount", "-l", where], check=True)


def test_full_disk(world, small_disk):
    """What comes while the disk is full is answered when it is not."""
    c = world.config()
    c["store"] = {"path": os.path.join(small_disk, "store")}
    p = world.start(c)
    assert "one" in world.ask("one")
    filler = os.path.join(small_disk, "filler")
    with open(filler, "wb", buffering=0) as f:
        try:
            while True:
                f.write(b"x" * 4096)
        except OSError:
            pass
    # As long as the write-ahead log has room some may still get through.
    said = 0

    def refused():
        nonlocal said
        if "inbox.refused" in p.logs():
            return True
        for _ in range(10):
            world.user.say(world.dm, "full%d " % said + "y" * 3900)
            said += 1

    p.wait(refused, 60)
    os.unlink(filler)
    world.server.wait_replies(
        world.dm, world.bot, said + 1, 90, world.user.api)
    time.sleep(0.5)
    found = world.said()
    assert len(found) == said + 1, p.logs()[-4000:]
    for i, m in enumerate(found[1:]):
        assert "full%d " % i in m


def test_an_account_with_its_share(world):
    """One that has filled its share of the store is told so, and waits with
    what comes; when there is room it is answered."""
    p = world.start()
    assert "one" in world.ask("one")
    p.stop()
    path = os.path.join(p.dir, "store", "postern.db")
    db = sqlite3.connect(path)
    db.execute("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM "
               "c LIMIT 140000) INSERT INTO tool(account, key, seq) "
               "SELECT 'default', 'old' || x, 999999 FROM c")
    db.commit()
    db.close()
    p.start()
    world.user.say(world.dm, "two")
    p.wait(lambda: "store.quota" in p.logs(), 30)
    p.wait(lambda: "its share of the store" in p.ctl("status").stdout, 30)
    # The store itself is well.
    assert not any(w.get("state") == "full" for w in p.status()["workers"])
    assert len(world.said()) == 1
    p.stop()
    db = sqlite3.connect(path)
    db.execute("DELETE FROM tool")
    db.commit()
    db.close()
    p.start()
    found = world.server.wait_replies(
        world.dm, world.bot, 2, 40, world.user.api)
    assert [m["message"] for m in found][1:] == ["echo: two"]
