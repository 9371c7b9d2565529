"""Connections that only look alive, bots that come and go, and clocks: found
within 40 s, the gap filled, nothing answered twice."""

import os
import socket
import threading
import time

import pytest

from conftest import World
from mattermost import Simulator

# Minutes in which nothing happens.
QUIET = int(os.environ.get("POSTERN_TEST_QUIET", "0"))


class IdleProxy:
    """Passes TCP on, and cuts what was silent for longer than idle_s."""

    def __init__(self, host, port, idle_s, at=("127.0.0.1", 0)):
        self.target = (host, port)
        self.idle_s = idle_s
        self.cuts = 0
        self.accepted = 0
        self.listener = socket.create_server(at)
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            try:
                server = socket.create_connection(self.target)
            except OSError:
                client.close()
                continue
            last = [time.monotonic()]
            for a, b in ((client, server), (server, client)):
                threading.Thread(target=self.copy, args=(a, b, last),
                                 daemon=True).start()

    def copy(self, source, to, last):
        source.settimeout(0.5)
        try:
            while True:
                try:
                    data = source.recv(65536)
                except socket.timeout:
                    if time.monotonic() - last[0] < self.idle_s:
                        continue
                    self.cuts += 1
                    break
                if not data:
                    break
                last[0] = time.monotonic()
                to.sendall(data)
        except OSError:
            pass
        for s in (source, to):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()


@pytest.mark.simulator
def test_quiet_behind_a_proxy_that_cuts_idle_connections(sim, world):
    """The ping comes often enough: silence is no reason to reconnect."""
    proxy = IdleProxy(sim.admin.host, sim.admin.port, 40)
    p = world.start(world.config(baseUrl=proxy.url))
    accepted = sim.state()["ws_accepted"]
    since = p.account()["live"]["since"]
    time.sleep(45)
    assert p.account()["live"]["since"] == since
    assert sim.state()["ws_accepted"] == accepted
    assert "still there" in world.ask("still there?")
    proxy.close()


def test_bot_disabled_and_enabled_again(world):
    """Its old socket stays deaf for ever: a new one must be made."""
    p = world.start()
    assert "one." in world.ask("one.")
    admin = world.server.admin
    admin.post("/bots/%s/disable" % world.bot.id)
    p.wait(lambda: p.account()["state"] == "parked", 45)
    assert "401" in p.account()["reason"]
    for w in ("two.", "three."):
        world.user.say(world.dm, w)
    admin.post("/bots/%s/enable" % world.bot.id)
    p.wait_state("default", "connected", 45)
    p.wait(lambda: len(world.said()) >= 3)
    time.sleep(0.5)
    said = world.said()
    assert [w in t for w, t in zip(("one.", "two.", "three."), said)] == \
        [True] * 3 and len(said) == 3


@pytest.fixture(params=[-2, 2])
def other_time(request, daemons):
    """A server whose clock is two hours behind, or ahead."""
    s = Simulator("-C", str(request.param * 3600 * 1000))
    yield World(s, daemons)
    s.close()


@pytest.mark.simulator
def test_clocks_that_differ(other_time):
    """What was missed is not taken for too old; a post of ours is found."""
    world = other_time
    p = world.start()
    assert "one." in world.ask("one.")
    p.stop()
    world.user.say(world.dm, "two.")
    p.start()
    p.wait(lambda: len(world.said()) == 2)
    # Posted, and killed before it heard so: looked for, not sent again.
    world.server.fault("rest", method="POST", path_prefix="/api/v4/posts",
                       user=world.bot.name, stall=True, after_effect=True)
    world.user.say(world.dm, "three.")
    p.wait(lambda: len(world.said()) == 3)
    p.kill_all()
    world.server.clear_faults()
    p.start()
    assert "four." in world.ask("four.")
    assert len(world.said()) == 4, p.logs()[-4000:]


def test_pages_of_long_posts(world):
    """Two hundred long posts are more than one answer may have."""
    stranger = world.server.new_user()
    world.server.join(world.channel, stranger)
    c = world.config(groupPolicy="allowlist",
                     groupAllowFrom=[world.user.id])
    p = world.start(c)
    p.stop()
    for _ in range(120):
        stranger.say(world.channel, "\u20ac" * 16000)
    world.user.say(world.channel, "@%s and now?" % world.bot.name)
    p.start()
    found = world.server.wait_replies(world.channel, world.bot, 1, 30)
    assert len(found) == 1 and "and now?" in found[0]["message"], p.logs()


@pytest.mark.simulator
def test_two_thousand_channels(sim, world):
    """The gap of a busy bot is filled with four requests at a time."""
    n = 2000
    with_news = [sim.new_channel([world.bot, world.user])
                 for _ in range(n)][::100]
    p = world.start()
    p.stop()
    for c in with_news:
        world.user.say(c, "@%s are you there?" % world.bot.name)
    p.start(timeout=60)
    p.wait(lambda: all(
        sim.replies(c, world.bot) for c in with_news), 60)
    p.wait(lambda: "channels=200" in p.logs())
    spans = [(r["t_us"], r["t_us"] + r["ms"] * 1000)
             for r in sim.mmsim.sim("GET", "/requests")
             if "/channels/" in r["path"] and r["path"].find("posts") > 0 and
             r["method"] == "GET" and r["status"] == 200]
    assert len(spans) >= len(with_news)
    for a, _ in spans:
        assert sum(1 for b, e in spans if b <= a < e) <= 4


@pytest.mark.skipif(not QUIET, reason="POSTERN_TEST_QUIET is not set")
def test_a_quiet_workspace(world):
    """Nothing happens for POSTERN_TEST_QUIET minutes, and nothing happens."""
    p = world.start()
    world.ask("anybody?")

    def state():
        live = p.account()["live"]
        return {k: live[k] for k in
                ("state", "since", "resumes", "fills", "events", "accepted")}
    p.wait(world.is_idle)
    before, lines = state(), len(p.logs().splitlines())
    for _ in range(QUIET):
        time.sleep(60)
        assert state() == before, p.logs()[-4000:]
    assert p.logs().splitlines()[lines:] == []
    assert all(w["restarts"] == 0 for w in p.status()["workers"])
    world.ask("still there?")
