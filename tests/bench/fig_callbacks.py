"""Verified callbacks: as many as one core takes, each of them in the store
before its answer, and how long an answer takes when 1,000 a second come. Then
what 10,000 idle connections do to a bot that is asked something meanwhile,
and whether the time of a comparison tells anything about a token."""

import os
import resource
import socket
import subprocess
import time

from stage import BUILD, Figure, Stage, median
from callbacks import free_port, wait_linked  # found by stage

TOOL = os.path.join(BUILD, "tests", "bench", "callbacks")
TOKEN = "bench-hook-token"
CONNECTIONS = 100


class Called(Stage):
    def config(self, bots):
        c = super().config(bots)
        self.port = free_port()
        c["gateway"] = {"port": self.port}
        c["hooks"] = {"enabled": True, "token": TOKEN,
                      "allowRequestSessionKey": True}
        return c


def pin(pids, cores):
    for pid in pids:
        for tid in os.listdir("/proc/%d/task" % pid):
            os.sched_setaffinity(int(tid), cores)


def load(port, count, rate, cores):
    out = subprocess.run(
        [TOOL, str(port), TOKEN, str(CONNECTIONS), str(count), str(rate)],
        check=True, capture_output=True, text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, cores)).stdout.split()
    return float(out[0]), float(out[1])


def rss(pid):
    with open("/proc/%d/status" % pid) as f:
        for line in f:
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024


def idle_ones(s, n):
    """Latency of a bot before and beside n idle connections, and growth."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, n + 1000), hard))
    pid = s.ours.pids()["callback"]
    def answered():
        return s.ask(s.ours, 20, latency=True)["turn_us"]["p50"] / 1000

    alone = answered()
    before = rss(pid)
    socks = []
    for _ in range(n):
        k = socket.create_connection(("127.0.0.1", s.port))
        k.send(b"P")
        socks.append(k)
    beside = answered()
    grown = rss(pid) - before
    for k in socks:
        k.close()
    return alone, beside, grown


def run(options):
    cores = sorted(os.sched_getaffinity(0))
    first, last = {cores[0]}, {cores[-1]}
    count = 200 * options.rounds
    with Called(1, 4, floor=False) as s:
        wait_linked(s.ours)
        pin(s.ours.children(), first)
        rates = [load(s.port, count, 0, last)[0]
                 for _ in range(options.repeat)]
        s.ours.wait(lambda: s.ours.account("a000")["live"]["waiting"] == 0,
                    timeout=300)
        paced = [load(s.port, 30 * options.rounds, 1000, last)[1]
                 for _ in range(options.repeat)]
        s.ours.wait(lambda: s.ours.account("a000")["live"]["waiting"] == 0,
                    timeout=300)
        pin(s.ours.children(), set(cores))
        time.sleep(0.2)
        alone, beside, grown = idle_ones(s, 100 * options.rounds)
    yield Figure("callbacks_per_s", median(rates), "1/s", None, 5000, False)
    yield Figure("callback_ack_ms_p99", median(paced), "ms", None, 20)
    yield Figure("beside_idle_ms", beside, "ms", alone)
    yield Figure("callback_idle_grown_mb", grown, "MB", None, 8)
    if options.no_targets:
        return  # a minute of comparisons, of no use on a busy machine
    t = float(subprocess.run([TOOL, "timing"], check=True, text=True,
                             capture_output=True).stdout.split()[0])
    yield Figure("callback_timing_t", t, "", None, 4.5)
