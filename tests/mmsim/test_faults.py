"""Every fault does what README.md says; the model and the bench too."""

import concurrent.futures
import http.client
import json
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse
import urllib.request

import pytest

from simctl import Client, Sim
from wsclient import CLOSE, PONG, TEXT, Closed, WS


class People:
    def __init__(self, sim):
        self.sim = sim
        self.w = sim.world()
        self.team = self.w.team("faults")
        self.user = self.w.user("fred", self.team)
        self.bot = self.w.bot("faultbot", self.team)
        self.ch = self.w.channel(self.team, "faults", self.user, self.bot)

    def say(self, text, **kw):
        return self.user.say(self.ch["id"], text, **kw)

    def texts(self):
        return [p["post"]["message"] for p in self.sim.posts(self.ch["id"])
                if not p["post"]["type"]]

    def socket(self, **kw):
        ws = WS(self.sim.url, self.bot.token, **kw)
        ws.wait("hello")
        ws.drain(0.05)
        return ws


@pytest.fixture(scope="module")
def sim():
    with Sim() as s:
        yield s


@pytest.fixture
def p(sim):
    sim.reset()
    yield People(sim)
    sim.clear()


def no_answer(fn):
    with pytest.raises((ConnectionResetError, BrokenPipeError,
                        http.client.RemoteDisconnected)) as e:
        fn()
    return e.value


# REST

def test_executed_but_not_answered(p):
    p.sim.fault("rest", method="POST", path_prefix="/api/v4/posts",
                close="before", after_effect=True)
    e = no_answer(lambda: p.say("once", pending_post_id="f:1"))
    assert isinstance(e, ConnectionResetError)
    assert p.texts() == ["once"]
    assert p.say("once", pending_post_id="f:1").status == 201
    assert p.texts() == ["once"]
    assert p.sim.state()["pending_hits"] == 1


def test_not_executed_and_closed(p):
    p.sim.fault("rest", method="POST", path_prefix="/api/v4/posts",
                close="before", fin=True)
    e = no_answer(lambda: p.say("never"))
    assert isinstance(e, http.client.RemoteDisconnected)
    assert p.texts() == []


def test_created_with_unreadable_body(p):
    p.sim.fault("rest", path_prefix="/api/v4/posts", status=201,
                body="{\"id\":\"tru", after_effect=True)
    a = p.say("there")
    assert (a.status, a.body) == (201, b'{"id":"tru')
    assert p.texts() == ["there"]


def test_truncated(p):
    p.sim.fault("rest", path_prefix="/api/v4/posts", close="truncate")
    with pytest.raises(http.client.IncompleteRead):
        p.say("half")
    assert p.texts() == ["half"]
    p.sim.fault("rest", path_prefix="/api/v4/posts", close="truncate",
                send=7)
    with pytest.raises(http.client.IncompleteRead) as e:
        p.say("seven")
    assert len(e.value.partial) == 7


def test_close_after_body(p):
    p.sim.fault("rest", path_prefix="/api/v4/users/me", close="after_body")
    u = urllib.parse.urlsplit(p.sim.url)
    k = socket.create_connection((u.hostname, u.port), 5)
    k.sendall(b"GET /api/v4/users/me HTTP/1.1\r\nHost: x\r\n"
              b"Authorization: Bearer " + p.bot.token.encode() +
              b"\r\n\r\n")
    data = b""
    while True:
        more = k.recv(65536)
        if not more:
            break
        data += more
    assert b"200 OK" in data and b"Connection: close" not in data
    k.close()


def test_status_times_skip_and_match(p):
    p.sim.fault("rest", method="POST", path_prefix="/api/v4/posts",
                status=503, times=2, skip=1)
    assert [p.say("s%d" % i).status for i in range(4)] == [
        201, 503, 503, 201]
    p.sim.fault("rest", user="faultbot", status=401, times=-1)
    assert p.bot.get("/users/me").status == 401
    assert p.user.get("/users/me").status == 200
    p.sim.clear()
    assert p.bot.get("/users/me").status == 200
    p.sim.fault("rest", body_contains="magic", status=500)
    assert p.say("plain").status == 201
    assert p.say("magic word").status == 500
    p.sim.fault("rest", path_contains="/patch", status=500)
    post = p.say("x")
    assert p.user.put("/posts/%s/patch" % post.id,
                      {"message": "y"}).status == 500


def test_429_and_headers(p):
    p.sim.fault("rest", status=429, headers={"X-Ratelimit-Reset": "7",
                                             "Retry-After": "1"})
    a = p.bot.get("/users/me")
    assert (a.status, a.body) == (429, b"limit exceeded\n")
    assert a.header("X-Ratelimit-Reset") == "7"
    p.sim.fault("rest", redirect="http://127.0.0.1:9/elsewhere")
    a = p.bot.get("/users/me")
    assert a.status == 307
    assert a.header("Location") == "http://127.0.0.1:9/elsewhere"


def test_delays(p):
    p.sim.fault("rest", path_prefix="/api/v4/posts", delay_ms=300)
    t = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        f = pool.submit(p.say, "late")
        time.sleep(0.1)
        assert p.texts() == []
        assert f.result().status == 201
    assert 0.29 < time.monotonic() - t < 1
    p.sim.fault("rest", path_prefix="/api/v4/posts", answer_delay_ms=300)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        f = pool.submit(p.say, "soon")
        time.sleep(0.1)
        assert p.texts() == ["late", "soon"]
        assert not f.done()
        assert f.result().status == 201


def test_stall(p):
    p.sim.fault("rest", path_prefix="/api/v4/users/me", stall=True)
    c = Client(p.sim.url, p.bot.token, timeout=0.4)
    with pytest.raises(socket.timeout):
        c.get("/users/me")
    assert c.get("/users/me").status == 200


def test_client_leaves_before_a_late_answer(p):
    """The server goes on and does not trip over the missing client."""
    p.sim.fault("rest", path_prefix="/api/v4/posts", delay_ms=200, times=3)
    c = Client(p.sim.url, p.user.token, timeout=0.05)
    for _ in range(3):
        with pytest.raises(socket.timeout):
            c.say(p.ch["id"], "left")
    time.sleep(0.4)
    assert p.texts() == ["left"] * 3


def test_limits(p):
    p.sim.fault("max_post_size", runes=10)
    cfg = p.bot.get("/config/client?format=old").json
    assert cfg["MaxPostSize"] == "10"
    assert p.say("x" * 11).status == 400
    p.sim.fault("edit_limit", seconds=0)
    a = p.say("old")
    # The simulator's clock may be ahead of the wall clock.
    while time.time() * 1000 < a.json["create_at"] + 20:
        time.sleep(0.02)
    b = p.user.put("/posts/%s/patch" % a.id, {"message": "new"})
    assert (b.status, b.json["id"]) == (
        400, "api.post.update_post.permissions_time_limit.app_error")
    p.sim.fault("max_file_size", bytes=3)
    assert p.user.post("/files?channel_id=%s&filename=a" % p.ch["id"],
                       b"four").status == 413


def test_refuse(p):
    ws = p.socket()
    p.sim.fault("drop_http")
    u = urllib.parse.urlsplit(p.sim.url)
    keep = http.client.HTTPConnection(u.hostname, u.port)
    keep.request("GET", "/_sim/state")
    keep.getresponse().read()
    keep.request("POST", "/_sim/fault", '{"kind":"refuse"}')
    assert keep.getresponse().read() == b'{"status":"OK"}'
    with pytest.raises(ConnectionRefusedError):
        p.bot.get("/users/me")
    assert ws.call("ping")["status"] == "OK"  # what is open stays
    keep.request("POST", "/_sim/fault", '{"kind":"refuse","on":false}')
    keep.getresponse().read()
    assert p.bot.get("/users/me").status == 200
    keep.close()


def test_restart(p):
    ws = p.socket()
    hello = WS(p.sim.url, p.bot.token)
    cid = hello.event()["data"]["connection_id"]
    p.say("kept", pending_post_id="r:1")
    try:
        p.sim.fault("restart", down_ms=400)
    except (ConnectionError, http.client.HTTPException):
        pass
    with pytest.raises(ConnectionRefusedError):
        p.bot.get("/users/me")
    _, how = ws.until_closed(2)
    assert how == "fin"
    time.sleep(0.5)
    assert p.bot.get("/users/me").status == 200
    again = WS(p.sim.url, p.bot.token,
               query="?connection_id=%s&sequence_number=2" % cid)
    e = again.event()
    assert (e["event"], e["seq"]) == ("hello", 0)
    p.say("kept", pending_post_id="r:1")  # the cache was forgotten
    assert p.texts() == ["kept", "kept"]
    st = p.sim.state()
    assert st["duplicates"] == 1 and st["pending_hits"] == 0


# Websockets

@pytest.mark.parametrize("kind,how", [("ws_close", "fin"),
                                      ("ws_reset", "rst")])
def test_ws_ends(p, kind, how):
    ws, other = p.socket(), WS(p.sim.url, p.user.token)
    other.wait("hello")
    p.sim.fault(kind, user="faultbot")
    frames, end = ws.until_closed(2)
    assert end == how and not [f for f in frames if f[0] == CLOSE]
    assert other.call("ping")["status"] == "OK"


def test_ws_close_frame(p):
    ws = p.socket()
    p.sim.fault("ws_close_frame", code=4001, reason="why")
    frames, end = ws.until_closed(2)
    assert frames[-1][2] == (4001).to_bytes(2, "big") + b"why"
    assert end == "fin"


def test_ws_stall(p):
    ws = p.socket()
    p.sim.fault("ws_stall")
    ws.action("ping")
    ws.frame(9, b"x")
    p.say("unseen")
    assert ws.drain(0.3) == [] and ws.closed is None
    fresh = p.socket()
    p.say("seen")
    assert fresh.wait("posted")["seq"] > 0
    p.sim.clear()
    _, end = ws.until_closed(2)
    assert end == "rst"


def test_ws_deaf(p):
    ws = p.socket(auto_pong=False)
    p.sim.fault("ws_deaf")
    ws.action("ping")
    p.say("unheard")
    ws.frame(9, b"alive?")
    op, _, data = ws.recv(2)
    assert (op, data) == (PONG, b"alive?")
    assert ws.drain(0.2) == []
    assert p.socket().call("ping")["status"] == "OK"


def test_ws_drop(p):
    ws = p.socket()
    p.sim.fault("ws_drop", n=2)
    for i in range(3):
        p.say("d%d" % i)
    e = ws.wait("posted")
    assert "d2" in e["data"]["post"]
    assert e["seq"] == 4  # hello 0, status 1, two lost


def test_ws_double(p):
    ws = p.socket()
    p.sim.fault("ws_double")
    p.say("two")
    a, b = ws.wait("posted"), ws.wait("posted")
    assert a["data"] == b["data"] and b["seq"] == a["seq"] + 1
    p.sim.fault("ws_double", on=False)
    p.say("one")
    assert len([e for e in ws.drain(0.2) if e["event"] == "posted"]) == 1


@pytest.mark.parametrize("mode,seqs", [("", [2, 3]), ("wire", [3, 2])])
def test_ws_reorder(p, mode, seqs):
    ws = p.socket()
    p.sim.fault("ws_reorder", seq=mode)
    p.say("first")
    p.say("second")
    got = [ws.wait("posted") for _ in range(2)]
    assert [json.loads(e["data"]["post"])["message"] for e in got] == [
        "second", "first"]
    assert [e["seq"] for e in got] == seqs
    p.say("alone")  # held for a moment only
    assert "alone" in ws.wait("posted", 2)["data"]["post"]


def test_ws_raw(p):
    ws = p.socket()
    p.sim.fault("ws_raw", hex="8105" + b"hello".hex())
    assert ws.recv(2) == (TEXT, True, b"hello")
    p.sim.fault("ws_raw", big=5 << 20)
    assert len(ws.recv(5)[2]) > 5 << 20
    p.sim.fault("ws_raw", deep=50000)
    assert ws.recv(5)[2].count(b"[") == 50000
    p.sim.fault("ws_raw", badutf8=True)
    assert b"\xff\xfe" in ws.recv(2)[2]
    p.sim.fault("ws_raw", text="not json")
    assert ws.recv(2)[2] == b"not json"


def test_ws_slow_reader(p):
    """A client that does not read: backlog, then an empty close frame."""
    ws = WS(p.sim.url, p.bot.token)
    ws.wait("hello")
    big = "x" * 16000
    for i in range(700):
        p.say("%d %s" % (i, big))
    frames, end = ws.until_closed(5)
    seqs = [json.loads(d)["seq"] for op, _, d in frames if op == TEXT]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
    assert 256 < len(seqs) < 700
    assert frames[-1][0] == CLOSE and frames[-1][2] == b""
    assert end == "fin"
    assert p.sim.state()["records"] == 0


def test_unknown_kind(p):
    a = p.sim.ctl.post("/_sim/fault", {"kind": "nonsense"})
    assert a.status == 400 and "unknown" in a.json["error"]


def test_requests_are_counted(p):
    before = p.sim.state()["by_route"].get("POST /api/v4/posts", 0)
    p.say("counted")
    assert p.sim.state()["by_route"]["POST /api/v4/posts"] == before + 1
    last = [r for r in p.sim.requests() if r["path"] == "/api/v4/posts"][-1]
    assert (last["method"], last["status"]) == ("POST", 201)
    assert last["ms"] >= 0


# TLS and the end

def test_tls(tmp_path):
    cert, key = str(tmp_path / "c.pem"), str(tmp_path / "k.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key,
                    "-out", cert, "-days", "1", "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True,
                   stderr=subprocess.DEVNULL)
    with Sim("-T", cert, key) as s:
        assert s.url.startswith("https://")
        w = s.world()
        t = w.team("tls")
        b = w.bot("tlsbot", t)
        ctx = ssl.create_default_context(cafile=cert)
        ws = WS(s.url, b.token, context=ctx)
        assert ws.event()["event"] == "hello"
        big = "é" * 8000
        c = w.channel(t, "tls", b)
        ws.drain(0.05)
        assert b.say(c["id"], big).json["message"] == big
        assert json.loads(ws.wait("posted")["data"]["post"])[
            "message"] == big
        s.fault("ws_close")
        assert ws.until_closed(2)[1] == "fin"


# Model

def chat(sim, stream=True, text="hi", timeout=10, key="k"):
    r = urllib.request.Request(
        sim.model_url + "/chat/completions",
        json.dumps({"stream": stream, "messages": [
            {"role": "user", "content": "no"},
            {"role": "user", "content": [{"type": "text", "text": text}]},
            {"role": "assistant", "content": "old"}]}).encode(),
        {"Authorization": "Bearer " + key, "X-Other": "1"})
    return urllib.request.urlopen(r, timeout=timeout)


def deltas(raw):
    out = []
    for line in raw.decode().split("\n\n"):
        if line.startswith("data: {"):
            out.append(json.loads(line[6:])["choices"][0])
    return out


def test_model_echo(p):
    raw = chat(p.sim, text="grüß").read()
    assert raw.endswith(b"data: [DONE]\n\n")
    got = deltas(raw)
    assert "".join(c["delta"].get("content", "") for c in got) == \
        "echo: grüß"
    assert got[-1]["finish_reason"] == "stop"
    j = json.load(chat(p.sim, stream=False, text="x"))
    assert j["choices"][0]["message"]["content"] == "echo: x"
    log = p.sim.model_requests()
    assert len(log) == 2 and log[0]["authorized"] is True
    assert log[0]["body"]["stream"] is True
    assert log[1]["t_us"] > log[0]["t_us"]
    assert "Authorization" not in log[0]["headers"]
    assert log[0]["headers"]["X-Other"] == "1"


def test_model_script(p):
    p.sim.model(reply="a b c d e f", chunks=3, chunk_delay_ms=100,
                first_delay_ms=200)
    t = time.monotonic()
    r = chat(p.sim)
    assert time.monotonic() - t > 0.19
    got = deltas(r.read())
    assert len([c for c in got if c["delta"].get("content")]) == 3
    assert time.monotonic() - t > 0.39
    p.sim.model(status=429, retry_after=3, times=1)
    p.sim.model(reply="special", match="needle", times=1, chunks=1)
    with pytest.raises(urllib.error.HTTPError) as e:
        chat(p.sim)
    assert e.value.code == 429 and e.value.headers["Retry-After"] == "3"
    assert b"special" in chat(p.sim, text="a needle").read()
    assert b"special" not in chat(p.sim, text="a needle").read()


def test_model_broken(p):
    p.sim.model(reply="x" * 100, cut_after=150, cut="rst", times=1)
    with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
        chat(p.sim).read()
    p.sim.model(reply="x" * 100, cut_after=150, cut="fin", times=1)
    with pytest.raises(http.client.IncompleteRead):
        chat(p.sim).read()
    p.sim.model(reply="xyz", garbage=True, times=1)
    assert b'data: {"choices":[{\n\n' in chat(p.sim).read()
    p.sim.model(reply="xyz", no_done=True, times=1)
    assert b"[DONE]" not in chat(p.sim).read()
    p.sim.model(tool_calls=[{"id": "c1", "function": {
        "name": "message", "arguments": "{\"a\":1}"}}], times=1)
    got = deltas(chat(p.sim).read())
    call = got[0]["delta"]["tool_calls"][0]
    assert call["function"] == {"name": "message", "arguments": "{\"a\":1}"}
    assert got[-1]["finish_reason"] == "tool_calls"
    assert p.sim.model_requests()[-1]["body"]["stream"] is True


# Bench

class EchoBot(threading.Thread):
    """The simplest bot: asks the model, streams a preview, then edits."""

    def __init__(self, p, model=True, twice=False):
        super().__init__(daemon=True)
        self.p, self.model, self.twice = p, model, twice
        self.ws = p.socket()

    def run(self):
        try:
            while True:
                e = self.ws.event(30)
                if e.get("event") != "posted":
                    continue
                post = json.loads(e["data"]["post"])
                if post["user_id"] != self.p.bot.id and \
                        self.p.bot.id in e["data"].get("mentions", ""):
                    self.answer(post)
        except (Closed, OSError):
            pass

    def answer(self, post):
        text = post["message"]
        if self.model:
            r = chat(self.p.sim, text=text)
            text = "".join(c["delta"].get("content", "")
                           for c in deltas(r.read()))
        a = self.p.bot.say(post["channel_id"], "...", root=post["id"])
        self.p.bot.put("/posts/%s/patch" % a.id, {"message": text})
        if self.twice:
            self.p.bot.say(post["channel_id"], text)


@pytest.mark.parametrize("mode", ["latency", "throughput"])
def test_bench(p, mode):
    EchoBot(p).start()
    j = p.sim.bench(users=3, rounds=4, channels=[p.ch["id"]],
                    concurrency=6, mention="@faultbot ", mode=mode,
                    gap_ms=1, settle_ms=50)
    assert (j["turns"], j["answered"]) == (12, 12)
    assert (j["missing"], j["duplicates"]) == (0, 0)
    for k in ("in_us", "out_us", "turn_us"):
        assert j[k]["n"] == 12
        assert 0 < j[k]["min"] <= j[k]["p50"] <= j[k]["p99"] <= j[k]["max"]
    assert j["turn_us"]["min"] >= j["in_us"]["min"] + j["out_us"]["min"]
    assert j["seconds"] > 0


def test_bench_sees_missing_and_doubled(p):
    EchoBot(p, model=False, twice=True).start()
    p.sim.fault("ws_drop", n=2)
    j = p.sim.bench(users=1, rounds=5, channels=[p.ch["id"]],
                    concurrency=5, mention="@faultbot ", timeout_s=1)
    assert (j["answered"], j["missing"], j["duplicates"]) == (3, 2, 3)
    assert j["in_us"]["n"] == 0


def test_bench_scripted_reply_and_dm(p):
    p.sim.model(reply="fixed", chunks=1)

    class DmBot(EchoBot):
        def answer(self, post):
            assert post["channel_id"] != self.p.ch["id"]
            super().answer(post)
    DmBot(p).start()
    j = p.sim.bench(users=2, rounds=2, dm=True, bot="faultbot",
                    mode="latency")
    assert j["answered"] == 4 and j["in_us"]["n"] == 4


def test_bench_refuses_nonsense(p):
    assert p.sim.ctl.post("/_sim/bench", {"users": 1}).status == 400
