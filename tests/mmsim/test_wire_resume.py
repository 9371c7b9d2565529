"""Resume, and the pending_post_id window, against captures."""

import json
import re
import socket
import time

import pytest

from simctl import Sim
from wiresetup import PENDING, SOCKETS
from wsclient import CLOSE, TEXT, Closed, WS

@pytest.fixture(scope="module", autouse=True)
def window():
    with Sim() as sim:
        w = sim.world()
        t = w.team("window")
        b = w.bot("windowbot", t)
        c = w.channel(t, "window", b)
        first = {x["wait_s"]: b.say(
            c["id"], "first", pending_post_id="%s:%d" % (b.id, x["wait_s"]))
            for x in PENDING}
        yield b, c, first, time.monotonic()


class Resume:
    """One captured case of two connections, on a bot of its own."""

    def __init__(self, s, case, name):
        self.s, self.case, self.name = s, case, name
        self.bot = s.w.bot("r" + re.sub("[^a-z0-9]", "", name)[-18:],
                           s.team)
        self.ch = s.w.channel(s.team, "r-" + re.sub(
            "[^a-z0-9]", "-", name.lower()), self.bot, s.c["wuser0"])
        self.user = s.c["wuser0"]
        self.cid = None

    def say(self, text):
        assert self.user.say(self.ch["id"], text).status == 201

    def label(self, e):
        if e["event"] == "posted":
            return "posted:" + json.loads(e["data"]["post"])["message"]
        if e["event"] == "status_change":
            return "status_change:" + e["data"]["status"]
        return e["event"]

    def want(self, part):
        out = []
        for op, way, p in self.case[part]["frames"]:
            if way == "in" and op == TEXT and p.startswith('{"event"'):
                e = json.loads(p)
                out.append((e["seq"], self.label(e)))
        return out

    def drop(self, ws, how):
        if how == "close1000":
            ws.frame(CLOSE, (1000).to_bytes(2, "big"))
            ws.until_closed(3)
        elif how != "halfopen":
            ws.close(rst=how == "rst")
        deadline = time.monotonic() + 3
        while how != "halfopen" and time.monotonic() < deadline and \
                self.bot.name in self.s.sim.state()["socket_users"]:
            time.sleep(0.005)

    def query(self, part):
        q = self.case[part]["line"].split(" ")[1].partition("?")[2]
        first = json.loads(self.case["first"]["frames"][0][2]
                           if self.case["first"]["frames"][0][1] == "in"
                           else self.case["first"]["frames"][1][2])
        q = q.replace(first["data"]["connection_id"], self.cid)
        return "?" + q if q else ""

    def gather(self, ws, n, messages=()):
        """At least n events (or the end), then what comes unasked."""
        out = []
        try:
            while len(out) < n:
                e = ws.event(2)
                if "event" in e:
                    out.append((e["seq"], self.label(e)))
        except (Closed, socket.timeout):
            pass
        return out


def how_dropped(case):
    m = re.search(r"away \((\w+)\)", case["note"])
    return m.group(1) if m else "rst"


def messages(want):
    return [x[1][7:] for x in want if x[1].startswith("posted:")]


RESUME_PLAIN = [k for k in SOCKETS["resume"] if k not in (
    "resume_twice", "challenge_auth_resume",
    "challenge_first_header_resume", "other_users_id",
    "N_plus_one_no_missed")]


@pytest.mark.parametrize("name", RESUME_PLAIN)
def test_resume(setup, name):
    case = SOCKETS["resume"][name]
    r = Resume(setup, case, name)
    how = how_dropped(case)
    ws = WS(setup.sim.url, r.bot.token)
    hello = ws.event()
    r.cid = hello["data"]["connection_id"]
    first = r.want("first")
    live = [m for m in messages(first) if m.startswith("m")]
    for m in live:
        r.say(m)
    got = [(hello["seq"], "hello")] + r.gather(ws, 1 + len(live))
    assert got == first[:len(got)] and len(got) == 2 + len(live)
    r.drop(ws, how)
    away = int(re.search(r"(\d+) posts while away", case["note"]).group(1))
    for i in range(away):
        r.say("x%d" % i)
    ws2 = WS(setup.sim.url, r.bot.token, query=r.query("second"))
    want = r.want("second")
    if case["second"]["closed"]:
        frames, end = ws2.until_closed(2)
        assert frames == [] and end == "fin"
        return
    assert want[-1][1] == "posted:after"
    got = r.gather(ws2, len(want) - 1)
    r.say("after")
    got += r.gather(ws2, 1)
    assert got == want
    assert ws2.drain(0.1) == []
    if how == "halfopen":
        old = r.gather(ws, away)
        assert old == [x for x in first if x[1].startswith("posted:x")]
    ws2.close()


def test_resume_twice(setup):
    case = SOCKETS["resume"]["resume_twice"]
    r = Resume(setup, case, "resume_twice")
    ws = WS(setup.sim.url, r.bot.token)
    r.cid = ws.event()["data"]["connection_id"]
    r.say("m0")
    r.say("m1")
    r.gather(ws, 3)
    r.drop(ws, "rst")
    r.say("x0")
    ws = WS(setup.sim.url, r.bot.token, query=r.query("second"))
    assert r.gather(ws, 3) == r.want("second")
    r.drop(ws, "rst")
    r.say("x1")
    ws = WS(setup.sim.url, r.bot.token, query=r.query("third"))
    got = r.gather(ws, 3)
    r.say("x2")
    assert got + r.gather(ws, 1) == r.want("third")
    ws.close()


def test_resume_challenge(setup):
    """A challenge never resumes; what it made, a header may resume."""
    case = SOCKETS["resume"]["challenge_first_header_resume"]
    r = Resume(setup, case, "challenge_first")
    ws = WS(setup.sim.url)
    ws.action("authentication_challenge", {"token": r.bot.token})
    hello = ws.event()
    assert hello["event"] == "hello"
    assert ws.event() == {"status": "OK", "seq_reply": 1}
    r.cid = hello["data"]["connection_id"]
    r.say("m0")
    ws.wait("posted")
    r.drop(ws, "rst")
    r.say("x0")
    ws = WS(setup.sim.url, r.bot.token, query=r.query("second"))
    assert r.gather(ws, 3) == r.want("second")
    r.drop(ws, "rst")
    ws = WS(setup.sim.url, query="?connection_id=%s&sequence_number=6"
            % r.cid)
    ws.action("authentication_challenge", {"token": r.bot.token})
    e = ws.event()
    assert (e["event"], e["seq"]) == ("hello", 0)
    assert e["data"]["connection_id"] != r.cid
    assert ws.event() == {"status": "OK", "seq_reply": 1}
    assert ws.event()["event"] == "status_change"
    ws.close()


def test_resume_other_user(setup):
    r = Resume(setup, SOCKETS["resume"]["N_next_expected"], "other_user")
    ws = WS(setup.sim.url, r.bot.token)
    cid = ws.event()["data"]["connection_id"]
    r.drop(ws, "rst")
    ws = WS(setup.sim.url, setup.c["wbot1"].token,
            query="?connection_id=%s&sequence_number=2" % cid)
    e = ws.event()
    assert (e["event"], e["seq"]) == ("hello", 0)
    assert e["data"]["connection_id"] != cid
    ws.close()


@pytest.mark.parametrize("lag,resumed", [(128, True), (129, False)])
def test_resume_ring(setup, lag, resumed):
    """Of what was sent, the last 128 can be had again."""
    r = Resume(setup, SOCKETS["resume"]["N_next_expected"], "ring%d" % lag)
    ws = WS(setup.sim.url, r.bot.token)
    r.cid = ws.event()["data"]["connection_id"]
    for i in range(140):
        r.say("p%d" % i)
    got = r.gather(ws, 141)
    last = got[-1][0]
    r.drop(ws, "rst")
    n = last + 1 - lag
    # The offline event is queued behind, it does not count.
    ws = WS(setup.sim.url, r.bot.token, query="?connection_id=%s&"
            "sequence_number=%d" % (r.cid, n))
    e = ws.event()
    if resumed:
        assert e["seq"] == n and e["event"] == "posted"
        rest = r.gather(ws, lag + 1)
        assert [x[0] for x in rest] == list(range(n + 1, n + 1 + len(rest)))
    else:
        assert (e["event"], e["seq"]) == ("hello", 0)
    ws.close()


@pytest.mark.parametrize("missed,resumed", [(255, True), (256, False)])
def test_resume_queue(setup, missed, resumed):
    """256 waiting events survive, the own status_change among them."""
    r = Resume(setup, SOCKETS["resume"]["N_next_expected"],
               "queue%d" % missed)
    ws = WS(setup.sim.url, r.bot.token)
    hello = ws.event()
    e = ws.event()
    assert e["event"] == "status_change"
    r.drop(ws, "rst")
    for i in range(missed):
        r.say("q%d" % i)
    ws = WS(setup.sim.url, r.bot.token, query="?connection_id=%s&"
            "sequence_number=2" % hello["data"]["connection_id"])
    if resumed:
        got = r.gather(ws, missed + 1)
        assert got[0] == (2, "status_change:offline")
        assert got[-1] == (2 + missed, "posted:q%d" % (missed - 1))
    else:
        e = ws.event()
        assert (e["event"], e["seq"]) == ("hello", 0)
    ws.close()


def test_resume_bug(setup):
    """2.11 of the server's oddities, when it is asked for."""
    setup.sim.fault("ws_resume_bug")
    try:
        r = Resume(setup, SOCKETS["resume"]["N_plus_one_gap"], "bug")
        ws = WS(setup.sim.url, r.bot.token)
        cid = ws.event()["data"]["connection_id"]
        r.gather(ws, 1)
        r.drop(ws, "rst")
        ws = WS(setup.sim.url, r.bot.token, query="?connection_id=%s&"
                "sequence_number=9" % cid)
        assert [ws.event()["event"] for _ in range(2)] == ["hello"] * 2
        ws.drain(0.1)
        r.say("twice")
        a, b = ws.wait("posted"), ws.wait("posted")
        assert a["data"] == b["data"] and b["seq"] == a["seq"] + 1
        ws.close()
    finally:
        setup.sim.clear()


def test_resume_off(setup):
    """EnableReliableWebSockets=false: no ids, parameters ignored."""
    setup.sim.fault("reliable", on=False)
    try:
        ws = WS(setup.sim.url, setup.c["wbot1"].token,
                query="?connection_id=short&sequence_number=x")
        assert ws.event()["data"]["connection_id"] == ""
        a = setup.c["wbot1"].get("/config/client?format=old")
        assert a.json["EnableReliableWebSockets"] == "false"
        ws.close()
    finally:
        setup.sim.clear()


@pytest.mark.parametrize("wait", [0, 29, 31])
def test_pending_window(window, wait):
    b, c, first, t0 = window
    case = [x for x in PENDING if x["wait_s"] == wait][0]
    time.sleep(max(0, t0 + wait - time.monotonic()))
    p = "%s:%d" % (b.id, wait)
    a = b.say(c["id"], "second", pending_post_id=p)
    assert a.status == 201
    assert (a.id == first[wait].id) == case["same"]
    assert list(a.json) == case["keys_second"]
    assert a.json["pending_post_id"] == ("" if case["same"] else p)
