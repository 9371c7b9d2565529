#!/usr/bin/env python3
"""make soak: Postern under mixed traffic and faults, for as long as one
likes; whether descriptors and memory stay flat and every message is answered
exactly once. Exit status 1 when not."""

import argparse
import http.client
import json
import re
import sys
import time
import types

import people as talk  # it adds the other rooms to the path
from daemon import Postern  # noqa: E402
from ledger import Ledger  # noqa: E402
from mattermost import ApiError, Simulator, User  # noqa: E402
from patience import tries  # noqa: E402
from trouble import Trouble  # noqa: E402
from watch import Watch  # noqa: E402

ACCOUNTS = 4
USERS = 8
LOOK_EVERY = 20     # s: at the answers
MOST = 400000       # messages in all: the simulator keeps them in memory
END = 200           # s for the last answers
JOBS = {"soak-job-fast": "7s", "soak-job-slow": "31s"}


def seconds(text):
    """90s, 10m, 72h, 1h30m, or a number of seconds."""
    if re.fullmatch(r"\d+", text):
        return int(text)
    if not re.fullmatch(r"(\d+[smhd])+", text):
        raise argparse.ArgumentTypeError("not a time: " + text)
    unit = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    return sum(int(n) * unit[u] for n, u in re.findall(r"(\d+)([smhd])", text))


class Soak:
    def __init__(self, options):
        self.seed = options.seed
        self.jobs = list(JOBS)
        self.ending = False
        self.begun = time.monotonic()
        self.server = s = Simulator()
        self.bots = [s.new_bot() for _ in range(ACCOUNTS)]
        self.users = [s.new_user() for _ in range(USERS)]
        self.rooms = [s.new_channel([b] + self.users) for b in self.bots]
        self.dms = {(u.id, i): u.direct(b) for u in self.users
                    for i, b in enumerate(self.bots)}
        self.called = talk.Called(types.SimpleNamespace(server=s))
        # The first one has slash commands and buttons.
        s.admin.put("/teams/%s/members/%s/schemeRoles" % (
            s.team, self.bots[0].id),
            {"scheme_admin": True, "scheme_user": True})
        self.script = User(s, {"id": self.bots[0].id,
                               "username": self.bots[0].name},
                           self.bots[0].token)
        self.postern = Postern(self.config())

    def config(self):
        """Half of the accounts talk to a model, half to the echo agent."""
        own = {"a%d" % i: {
            "botToken": b.token, "baseUrl": self.server.url,
            "dmPolicy": "open", "allowFrom": ["*"], "groupPolicy": "open"}
            for i, b in enumerate(self.bots)}
        own["a0"].update(capabilities=["inlineButtons"], commands={
            "native": True, "custom": {"ping": {"description": "echo"}}})
        return {
            "channels": {"mattermost": {"accounts": own}},
            "gateway": {"port": self.called.port,
                        "customBindHost": "127.0.0.1"},
            "hooks": {"enabled": True, "token": talk.HOOK},
            "log": {"level": "warning"},
            "models": {"providers": {"sim": {
                "baseUrl": self.server.model_url, "apiKey": "sk-soak",
                "api": "openai-completions",
                "models": [{"id": "m", "contextWindow": 32000}]}}},
            "agents": {"list": [
                {"id": "main", "model": "sim/m", "default": True},
                {"id": "parrot", "runtime": "echo"}]},
            "bindings": [{"agentId": "parrot", "match": {
                "channel": "mattermost", "accountId": "a%d" % i}}
                for i in range(1, ACCOUNTS, 2)]}

    def start(self):
        self.server.model(echo=True, chunk_delay_ms=5)
        self.postern.start(timeout=60)
        for text, every in JOBS.items():
            self.postern.ctl("cron", "add", "--message", text, "--every",
                             every, "--name", text, "--account", "a1", "--to",
                             "channel:" + self.rooms[1])
        self.postern.wait(lambda: any(
            c["trigger"] == "oc_ping" for c in self.server.admin.get(
                "/commands?team_id=%s&custom_only=true" % self.server.team)))

    def elapsed(self):
        return time.monotonic() - self.begun

    def posts(self, after):
        """The server's posts; None while it is away."""
        try:
            return self.server.mmsim.sim("GET", "/posts?after_seq=%d" % after)
        except (OSError, http.client.HTTPException, ApiError):
            return None

    def nudge(self):
        """That events were dropped (ws_drop: three) shows with the next."""
        for room in self.rooms:
            for i in range(4):
                self.server.admin.put("/channels/%s/patch" % room,
                                      {"header": str(i)})

    def runs(self):
        """How often each job has run, once it does not any more."""
        for name in JOBS:
            self.postern.ctl("cron", "disable", name, "--account", "a1")
        return {j["name"]: j["runs"] for j in json.loads(self.postern.ctl(
            "cron", "list", "--account", "a1", "--json").stdout)}

    def close(self):
        self.postern.close()
        self.server.close()


def run(soak, options):
    people = talk.People(soak, min(options.rate, MOST / options.time))
    ledger, trouble = Ledger(soak, people), Trouble(soak)
    watch = Watch(soak.postern, soak.begun)
    next_look = next_fault = next_sample = 0
    people.start()
    while soak.elapsed() < options.time:
        now = soak.elapsed()
        if soak.postern.process.poll() is not None:
            raise AssertionError("posternd has ended")
        if now >= next_sample:
            watch.look()
            next_sample = now + options.sample
        if now >= next_fault:
            say(soak, trouble.next())
            next_fault = now + options.every
        if now >= next_look:
            ledger.look()
            next_look = now + LOOK_EVERY
        time.sleep(0.2)
    people.stop()
    soak.server.clear_faults()
    soak.nudge()
    soak.ending = True
    say(soak, "waiting for the last answers")
    for _ in tries(END, 2):
        ledger.look()
        if ledger.open() == 0:
            break
    runs = soak.postern.wait(soak.runs, 60)
    time.sleep(3)
    ledger.look()
    return report(soak, people, ledger, trouble, watch, runs)


def say(soak, text):
    print("%7.0f s  %s" % (soak.elapsed(), text), flush=True)


def report(soak, people, ledger, trouble, watch, runs):
    wrong = ["%s (seen at %.0f s)" % x for x in ledger.problems.items()]
    if ledger.open():
        wrong.append("%d messages are still open" % ledger.open())
    for name, n in runs.items():
        got = len(ledger.jobs.get(name, ()))
        print("%s: ran %d times, posted %d" % (name, n, got))
        due = soak.elapsed() > 2 * seconds(JOBS[name])
        if got != n or (n == 0 and due):
            wrong.append("%s ran %d times and posted %d" % (name, n, got))
    dead = soak.postern.ctl("channels", "dead-letters", "list").stdout
    if dead.strip() != "none":
        wrong.append("dead letters:\n" + dead)
    died = soak.postern.logs().count("worker.died")
    if died != trouble.kills:
        wrong.append("%d workers were killed, %d died" % (
            trouble.kills, died))
    rows, more = watch.verdict()
    wrong += more
    print("asked: " + ", ".join("%d %s" % (n, k) for k, n in sorted(
        people.counts.items())) + "; %d requests failed" % people.errors)
    print("answered once: %d of %d" % (len(ledger.done), ledger.n_settled))
    if ledger.latency:
        ms = sorted(ledger.latency)
        print("answer after: p50 %d ms, p99 %d ms, at most %d ms" % (
            ms[len(ms) // 2], ms[len(ms) * 99 // 100], ms[-1]))
    print("faults: " + ", ".join("%d %s" % (n, k) for k, n in sorted(
        trouble.counts.items())))
    print("\n".join(rows))
    for w in wrong[:50]:
        print("WRONG: " + w)
    print("verdict: " + ("failed, %d things wrong" % len(wrong) if wrong
                         else "ok"))
    return 1 if wrong else 0


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("time", type=seconds, nargs="?", default=600,
                   help="90s, 10m, 72h")
    p.add_argument("--rate", type=float, default=20,
                   help="messages a second; fewer in a long run")
    p.add_argument("--every", type=float, default=15, metavar="SECONDS",
                   help="between two faults")
    p.add_argument("--sample", type=float, default=3, metavar="SECONDS",
                   help="between two looks at the processes")
    p.add_argument("--seed", type=int, default=int(time.time()))
    options = p.parse_args()
    print("seed %d, %d s" % (options.seed, options.time))
    soak = Soak(options)
    try:
        soak.start()
        return run(soak, options)
    except AssertionError:
        print(soak.postern.logs()[-8000:], file=sys.stderr)
        raise
    finally:
        soak.close()


if __name__ == "__main__":
    sys.exit(main())
