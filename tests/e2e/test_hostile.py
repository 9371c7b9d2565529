"""Servers that mean harm: the account gives up, backs off and comes back,
holds no more memory, and nobody else notices."""

import socket
import threading
import time
import zlib

import pytest

from conftest import account
from patience import tries

pytestmark = pytest.mark.simulator
GROWN_KB = 8 * 1024
GRACE_S = 60  # the longest deadline of a request or a handshake, and more


def rss(pid):
    with open("/proc/%d/status" % pid) as f:
        for line in f:
            if line.startswith("VmRSS"):
                return int(line.split()[1])


def bomb():
    """A megabyte that would be a gigabyte."""
    z = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(1 << 20)
    return b"".join([z.compress(zeros) for _ in range(1024)] + [z.flush()])


class Hostile:
    """A port whose server does one thing, to everyone, again and again."""

    def __init__(self, act, inside=None):
        self.act = act
        self.inside = inside
        self.came = 0
        self.sent = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        port = self.listener.getsockname()[1]
        self.url = "%s://127.0.0.1:%d" % (
            "https" if act == "mute" else "http", port)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            self.came += 1
            threading.Thread(target=self.serve, args=(s,),
                             daemon=True).start()

    def serve(self, s):
        try:
            if self.act != "mute":
                s.recv(65536)
            for data in self.answer():
                s.sendall(data)
                self.sent += len(data)
            time.sleep(0.2)
        except OSError:
            pass
        s.close()

    def answer(self):
        ok = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        if self.act == "gzip":
            data = bomb()
            yield ok + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" \
                % len(data)
            yield data
        elif self.act == "body":
            yield ok + b"Transfer-Encoding: chunked\r\n\r\n"
            for _ in range(4096):
                yield b"10000\r\n" + b" " * 65536 + b"\r\n"
        elif self.act == "head":
            yield ok
            for n in range(1 << 16):
                yield b"X-%d: %s\r\n" % (n, b"x" * 1000)
        elif self.act == "length":
            yield ok + b"Content-Length: 9223372036854775807\r\n\r\n"
            for _ in range(4096):
                yield b" " * 65536
        elif self.act == "deep":
            data = b"[" * 100000 + b"]" * 100000
            yield ok + b"Content-Length: %d\r\n\r\n" % len(data) + data
        elif self.act == "redirect":
            yield b"HTTP/1.1 307 Go\r\nLocation: %s/\r\nContent-Length: 0" \
                b"\r\n\r\n" % self.inside.encode()
        elif self.act == "informing":
            for _ in range(100000):
                yield b"HTTP/1.1 100 Continue\r\n\r\n"
        elif self.act == "mute":
            time.sleep(600)

    def close(self):
        self.listener.close()


ACTS = ("gzip", "body", "head", "length", "deep", "redirect", "informing",
        "mute")


def test_hostile_answers(sim, world):
    """One account for each kind of server, and the world's beside them."""
    inside = Hostile("inside")
    servers = {act: Hostile(act, inside.url) for act in ACTS}
    config = world.config()
    config["channels"]["mattermost"] = {"accounts": dict(
        {"default": account(sim, world.bot)},
        **{act: account(sim, world.bot, botToken="token-of-" + act,
                        baseUrl=s.url) for act, s in servers.items()})}
    p = world.start(config, start=False)
    p.start(wait=False)
    p.wait_state("default", "connected", 30)
    pids = p.pids()
    most = dict.fromkeys(ACTS, 0)

    def given_up():
        for act in ACTS:
            most[act] = max(most[act], rss(pids["account:" + act]))
        return all(p.account(act)["state"] in ("backoff", "parked") and
                   servers[act].came for act in ACTS)

    p.wait(given_up, GRACE_S)
    assert "one." in world.ask("one.")
    # Again and again, slower and slower.
    for _ in tries(8):
        given_up()
    assert "two." in world.ask("two.")
    assert p.pids() == pids
    assert inside.came == 0, "a redirect was followed"
    honest = rss(pids["account:default"])
    if not p.sanitized():
        for act in ACTS:
            assert most[act] < honest + GROWN_KB, (act, most, honest)
    for act in ("body", "head", "length"):
        assert servers[act].came < 40, (act, servers[act].came)
    print(honest, most, {a: (s.came, s.sent) for a, s in servers.items()})
    for s in (*servers.values(), inside):
        s.close()


def part(first, last, data):
    """A frame of a message in pieces, as hex."""
    head = bytes([(0x80 if last else 0) | (1 if first else 0), 126])
    return (head + len(data).to_bytes(2, "big") + data).hex()


FLOODS = {
    "endless fragments": lambda n: part(n == 0, False, b"x" * 60000),
    "empty fragments": lambda n: (b"\x01\0" if n == 0 else b"").hex() +
    (b"\0\0" * 30000).hex(),
    "pings": lambda n: (b"\x89\0" * 30000).hex(),
    "large pings": lambda n: (b"\x89\x7d" + b"x" * 125).hex() * 400,
    "pongs": lambda n: (b"\x8a\0" * 30000).hex(),
    "masked": lambda n: "8185010203046968676860",
    "2^63": lambda n: "817f8000000000000000",
    "reserved bits": lambda n: "f1026869",
    "long control frame": lambda n: "897e0080" + "00" * 128,
}


# No more than a nuisance: these need not end the connection.
BORNE = ("empty fragments", "pings", "large pings", "pongs")


@pytest.mark.parametrize("kind", FLOODS)
def test_hostile_sockets(sim, world, kind):
    p = world.start()
    assert "one." in world.ask("one.")
    pid = p.pids()["account:default"]
    before, most = rss(pid), 0
    sockets = sim.state()["ws_accepted"]
    for n in range(100):
        sim.fault("ws_raw", user=world.bot.name, hex=FLOODS[kind](n))
        most = max(most, rss(pid))
        if sim.state()["socket_users"].count(world.bot.name) == 0:
            break  # it has hung up
    sim.clear_faults()
    assert "two." in world.ask("two.", timeout=60)
    assert p.pids()["account:default"] == pid
    assert len(world.said()) == 2
    assert kind in BORNE or sim.state()["ws_accepted"] > sockets
    if not p.sanitized():
        assert most - before < GROWN_KB, (before, most)
