"""What the figures share: the simulated server with two sets of bots, one
for Postern and one for the floor, so that both can run side by side and be
asked in turn."""

import os
import select
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import namedtuple

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "e2e"))
from daemon import Postern  # noqa: E402
from mattermost import BUILD, Simulator  # noqa: E402

FLOOR = os.path.join(BUILD, "tests", "bench", "floor")
TEAM_ROOM = 40  # a team of the server has 50 members at most


class Figure(namedtuple("Figure", "name value unit floor target "
                                  "target_is_max")):
    """A value, the floor's in the same run, and what it has to be."""

    def __new__(cls, name, value, unit, floor=None, target=None,
                target_is_max=True):
        def short(x):
            return None if x is None else round(x, 3)
        return super().__new__(cls, name, short(value), unit, short(floor),
                               target, target_is_max)


def median(values):
    return statistics.median(values)


class Notified:
    """The service manager's end of a daemon: exact times, no polling."""

    def __init__(self):
        self.dir = tempfile.TemporaryDirectory(prefix="postern-bench-")
        self.path = os.path.join(self.dir.name, "notify")
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(self.path)

    def wait(self, text, timeout=60):
        """Until a message has text; when that was."""
        end = time.monotonic() + timeout
        while True:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.sock], [], [], left)[0]:
                raise AssertionError("the daemon did not say: " + text)
            message = self.sock.recv(4096).decode()
            now = time.monotonic()
            if any(text == part for part in message.split("\n")):
                return now

    def drain(self):
        while select.select([self.sock], [], [], 0)[0]:
            self.sock.recv(4096)

    def close(self):
        self.sock.close()
        self.dir.cleanup()


def all_connected(n):
    return "STATUS=%d/%d account%s connected" % (n, n, "" if n == 1 else "s")


class Ours(Postern):
    """posternd with its time of start and what it told its manager."""

    def __init__(self, config, accounts):
        self.notified = Notified()
        self.accounts = accounts
        super().__init__(config, env={"NOTIFY_SOCKET": self.notified.path})

    def start(self, wait=True, timeout=60):
        self.notified.drain()
        t0 = time.monotonic()
        super().start(wait=False)
        try:
            t1 = self.notified.wait(all_connected(self.accounts), timeout)
        except AssertionError as e:
            raise AssertionError("%s\n%s" % (e, self.logs()[-4000:]))
        self.start_ms = (t1 - t0) * 1000
        return self

    def close(self):
        super().close()
        self.notified.close()


class Base:
    """The floor: bare libcurl loops, one in a process of its own for each
    account or one for them all, with the methods of Postern that are used."""

    def __init__(self, server, bots, model, each=True):
        args = [FLOOR, server.url] + ([server.model_url] if model else [])
        loops = [[b] for b in bots] if each else [bots]
        t0 = time.monotonic()
        self.processes = [subprocess.Popen(
            args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in loops]
        for p, own in zip(self.processes, loops):
            p.stdin.write("".join(b.token + "\n" for b in own) + "\n")
            p.stdin.flush()
        for p in self.processes:
            if p.stdout.readline() != "connected\n":
                raise AssertionError("the floor does not connect")
        self.start_ms = (time.monotonic() - t0) * 1000

    def children(self):
        return [p.pid for p in self.processes]

    def close(self):
        for p in self.processes:
            p.stdin.close()
        for p in self.processes:
            p.stdout.close()
            p.wait(10)


class Stage:
    """with Stage(accounts, channels, model) as s: s.ours, s.base, s.ask()"""

    def __init__(self, accounts, channels, model=False, floor=True,
                 each=True):
        self.model = model
        self.n = accounts
        self.server = Simulator()
        self.ours = self.base = None
        try:
            self.ours_bots, self.ours_channels = self.people(
                accounts, channels)
            self.ours = Ours(self.config(self.ours_bots), accounts).start()
            if floor:
                self.base_bots, self.base_channels = self.people(
                    accounts, channels)
                self.base = Base(self.server, self.base_bots, model, each)
        except BaseException:
            self.close()
            raise

    def people(self, accounts, channels):
        """Bots, and the channels in which they are, by turns."""
        bots, where = [], []
        for i in range(accounts):
            if i % TEAM_ROOM == 0:
                team = self.server.new_team()
            bots.append(self.server.new_bot(team=team))
            bots[-1].team = team
        for i in range(channels):
            bot = bots[i % accounts]
            where.append((self.server.new_channel([bot], team=bot.team),
                          "@%s " % bot.name))
        return bots, where

    def config(self, bots):
        own = {"a%03d" % i: {"botToken": b.token}
               for i, b in enumerate(bots)}
        c = {"channels": {"mattermost": {
            "baseUrl": self.server.url, "dmPolicy": "open",
            "allowFrom": ["*"], "groupPolicy": "open", "accounts": own}}}
        if self.model:
            c["models"] = {"providers": {"sim": {
                "baseUrl": self.server.model_url, "apiKey": "sk-bench",
                "api": "openai-completions",
                "models": [{"id": "m", "contextWindow": 32000}]}}}
            c["agents"] = {"defaults": {"model": "sim/m"}}
        return c

    def ask(self, side, rounds, latency=False, chatter=0):
        """Questions in every channel of a side, each behind that many posts
        that mention nobody; the server's report."""
        where = self.ours_channels if side is self.ours \
            else self.base_channels
        n = len(where)
        r = self.server.mmsim.sim("POST", "/bench", {
            "users": n, "rounds": rounds, "channels": [c for c, _ in where],
            "mentions": [m for _, m in where], "concurrency": 2 * n,
            "chatter": chatter,
            "mode": "latency" if latency else "throughput"})
        if r["missing"] or r["duplicates"]:
            raise AssertionError("%d missing, %d twice" % (
                r["missing"], r["duplicates"]))
        return r

    def close(self):
        for part in (self.base, self.ours, self.server):
            if part is not None:
                part.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
