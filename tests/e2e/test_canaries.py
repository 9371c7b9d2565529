"""Secrets that can be told from everything else, real work with all of them,
and then a look at whatever somebody could get hold of."""

import json
import os
import urllib.request

import pytest

from called import Called, secret_of
from callbacks import free_port
from conftest import account
from patience import tries
from test_logs import Secrets, conversation, logged

CHUNK = 1 << 20


class Place:
    """A world with a secret of every kind."""

    def __init__(self, world):
        self.world = world
        self.calls = Called(world)
        self.calls.promote(world.bot)
        self.metrics = free_port()
        self.said = Secrets()    # what people write: in the database
        self.secret = Secrets()  # what is in the configuration, or made of it
        s = self.secret
        s.add("bot token", world.bot.token)
        s.add("interaction secret", secret_of(world.bot.token))
        made = world.server.admin.post("/commands", {
            "team_id": world.server.team, "trigger": "ask", "method": "P",
            "url": self.calls.base + "/api/channels/mattermost/command"})
        s.add("token of a command by hand", made["token"])
        self.other = world.server.new_bot()
        s.add("other bot token", self.other.token)
        c = logged(world, dmPolicy="pairing", allowFrom=[world.user.id],
                   chatmode="oncall", capabilities=["inlineButtons"],
                   commands={"native": True, "tokens": {
                       world.server.team + "/ask": made["token"]}})
        top = c["channels"]["mattermost"]
        c["channels"]["mattermost"] = {"accounts": {
            "default": top, "other": account(world.server, self.other),
            "wrong": account(world.server, world.bot,
                             botToken=s.new("wrong bot token"))}}
        c["gateway"] = {"port": self.calls.port,
                        "customBindHost": "127.0.0.1"}
        # Its word is that of the conversation, which calls with it.
        c["hooks"] = {"enabled": True,
                      "token": "hook-token-" + self.said.new("hook")}
        s.add("hook token", c["hooks"]["token"])
        c["models"]["providers"]["sim"]["apiKey"] = "sk-" + s.new("model key")
        c["postern"] = {"metrics": "127.0.0.1:%d" % self.metrics}
        self.config = c

    def run(self):
        w = self.world
        p = w.start(self.config, start=False)
        p.start(wait=False)
        p.wait_state("default", "connected", 30)
        p.wait_state("other", "connected", 30)
        p.wait_state("wrong", "parked", 30)
        conversation(w, self.said, self.calls, p)
        for trigger, c in self.calls.commands().items():
            self.secret.add("token of /" + trigger, c["token"])
        p.wait(lambda: self.calls.run("/ask me")[0] == 200)
        self.calls.call(self.calls.form(
            {"trigger": "ask", "token": self.secret.new("forged token")}))
        self.asked = w.user.say(w.dm, "once more")["id"]
        p.wait(lambda: any("once more" in m for m in w.said()), 30)
        return p


@pytest.fixture
def place(world):
    return Place(world)


def outputs(p, place):
    """All that posternctl tells, and the page of metrics."""
    verbs = [["status"], ["explain", place.asked], ["sessions", "list"],
             ["channels", "status"], ["channels", "status", "--probe"],
             ["channels", "list"], ["channels", "dead-letters", "list"],
             ["pairing", "list"], ["cron", "list"],
             ["directory", "peers", "list"], ["doctor"]]
    for verb in verbs:
        for more in ([], ["--json"]):
            r = p.ctl(*verb, *more, check=False, timeout=60)
            assert r.stdout + r.stderr, verb
            yield " ".join(verb + more), r.stdout + r.stderr
    for s in json.loads(p.ctl("sessions", "list", "--json").stdout):
        yield "sessions show", p.ctl("sessions", "show",
                                     s["session"]).stdout
    with urllib.request.urlopen("http://127.0.0.1:%d/metrics" %
                                place.metrics, timeout=15) as r:
        yield "metrics", r.read().decode()


def files_below(p):
    """The database with its log, attachments, the run directory, the log."""
    n = 0
    for where, _, files in os.walk(p.dir):
        for name in files:
            path = os.path.join(where, name)
            if path == p.path or not os.path.isfile(path):
                continue  # the configuration itself
            with open(path, "rb") as f:
                yield path, f.read().decode("latin-1")
                n += 1
    assert n >= 4, "database, its log, pid, log"


def processes(p):
    for pid in p.children():
        for what in ("cmdline", "environ"):
            with open("/proc/%d/%s" % (pid, what), "rb") as f:
                yield "%s of %d" % (what, pid), f.read().decode("latin-1")


def test_nowhere_to_be_read(place):
    p = place.run()
    if os.geteuid() != 0:
        pytest.skip("needs root to look everywhere")
    for source in (outputs(p, place), files_below(p), processes(p)):
        for name, text in source:
            found = [what for what, word in place.secret.words.items()
                     if word in text]
            assert not found, (name, found)
    # The same words are found where they may be: one does see them.
    with open(p.path) as f:
        assert place.secret.words["bot token"] in f.read()
    p.ctl("stop")
    p.process.wait(30)
    for name, text in files_below(p):
        assert not any(word in text
                       for word in place.secret.words.values()), name
    place.said.check(p.logs())


def test_nothing_is_dumped(world):
    """No core file of anybody, and no debugger of the same user."""
    p = world.start()
    if p.sanitized():
        pytest.skip("a sanitizer looks into its process")
    for pid in p.children():
        with open("/proc/%d/limits" % pid) as f:
            core, = [x for x in f if x.startswith("Max core file size")]
        assert core.split()[4:6] == ["0", "0"], (pid, core)
        # What can be dumped belongs to its user.
        assert os.stat("/proc/%d/environ" % pid).st_uid == 0
        with open("/proc/%d/status" % pid) as f:
            assert "NoNewPrivs:\t1" in f.read()


def memory_of(pid):
    """All that the process could read of itself, in pieces that overlap."""
    with open("/proc/%d/maps" % pid) as f, \
            open("/proc/%d/mem" % pid, "rb", 0) as mem:
        for line in f:
            span, mode = line.split()[:2]
            if mode[:2] != "rw":
                continue
            at, end = (int(x, 16) for x in span.split("-"))
            while at < end:
                try:
                    mem.seek(at)
                    yield mem.read(min(CHUNK + 256, end - at))
                except (OSError, ValueError):
                    break
                at += CHUNK


def held(pid, words):
    """Which of the words are in its memory."""
    found = set()
    for piece in memory_of(pid):
        found |= {what for what, word in words.items()
                  if word.encode() in piece}
    return found


def test_in_memory_where_it_is_used(place):
    """Each worker has what it works with, and none of the others' secrets."""
    if os.geteuid() != 0:
        pytest.skip("needs root to look into processes")
    p = place.run()
    if p.sanitized():
        pytest.skip("a sanitizer keeps what is freed")
    words = place.secret.words
    pids = p.pids()
    slash = {w for w in words if w.startswith("token of")}
    may = {"dialer": set(), "store": set(), "control": set(),
           "account:default": {"bot token", "interaction secret"} | slash,
           "account:other": {"other bot token"},
           "account:wrong": {"wrong bot token"},
           "agent:main": {"model key"},
           "callback": {"interaction secret", "hook token", "forged token"}
           | slash}
    for key, pid in pids.items():
        more = held(pid, words) - may[key]
        assert not more, (key, more)
    assert "bot token" in held(pids["account:default"], words)
    assert "model key" in held(pids["agent:main"], words)
    # It compares with what it was told, and does not keep it: of tokens it
    # has those that somebody showed it last.
    told = {w for w in slash if w.startswith("token of /oc_")}
    assert len(told) > 5
    for _ in tries(10):
        got = held(pids["callback"], words) & (told | {"hook token"})
        if not got:
            break
    assert not got
