"""Websocket authentication and actions against captures."""

import concurrent.futures
import json
import re
import socket
import time

import pytest

from wirecmp import Ids, compare
from wiresetup import IGNORED_HEADERS, SOCKETS
from wsclient import CLOSE, PING, PONG, TEXT, Closed, WS

def ws_headers(case, token):
    h = {k: re.sub(r"\bTOKEN\b", token, v).replace(
        "http://127.0.0.1:8065", "@SITE@") for k, v in case["headers"]}
    h.update(case.get("modify", {}))
    return h


def run_case(s, case, who):
    """Replay the frames that the client sent; what came, and the end."""
    token = s.c[who].token
    h = {k: v.replace("@SITE@", s.sim.url) if v else v
         for k, v in ws_headers(case, token).items()}
    path, _, query = case["line"].split(" ")[1].partition("?")
    ws = WS(s.sim.url, headers=h, path=path, auto_pong=False,
            query="?" + query.replace("TOKEN", token) if query else "")
    return ws


@pytest.mark.parametrize("name", sorted(
    k for k, v in SOCKETS["negative"].items() if v["status"] != 101))
def test_ws_refused(setup, name):
    case = SOCKETS["negative"][name]
    ws = run_case(setup, case, "wbot0")
    assert ws.status == case["status"]
    assert sorted(k for k, _ in ws.headers if k not in IGNORED_HEADERS) == \
        case["answer_headers"]
    body = ws.body()
    want = case["answer"]
    head, brace, _ = want.partition("{")
    assert body.startswith(head + brace)
    compare(json.loads(want[len(head):]), json.loads(body[len(head):]),
            setup.ids)
    ws.close()


def negative_101():
    return sorted(k for k, v in SOCKETS["negative"].items()
                  if v["status"] == 101)


def replay_negative(s, name):
    """(name, problem or None); the real times, so all at once."""
    case = SOCKETS["negative"][name]
    who = "wuser0" if name == "cookie_auth_no_origin" else "wbot0"
    t0 = time.monotonic()
    ws = run_case(s, case, who)
    heads = sorted(k for k, _ in ws.headers if k not in IGNORED_HEADERS)
    if heads != case["answer_headers"]:
        return "headers %s" % heads
    frames = [f for f in case["frames"] if f]
    for f in frames:
        if f["dir"] == "out":
            if name == "challenge_after_4_5s":
                time.sleep(4.5)
            elif name == "bad_bearer_header_then_good_challenge":
                time.sleep(0.5)
            ws.frame(f["op"], f["payload"].replace(
                "TOKEN", s.c[who].token), fin=f["fin"])
    want = [json.loads(f["payload"]) for f in frames
            if f["dir"] == "in" and f["op"] == TEXT]
    want = [e for e in want if e.get("event") != "status_change"]
    got, how = [], None
    alive = bool(want)
    try:
        while True:
            e = ws.event(1.0 if alive else 7.0)
            if e.get("event") != "status_change":
                got.append(e)
    except Closed as e:
        how = e.how
    except socket.timeout:
        how = "open"
    took = time.monotonic() - t0
    ws.close()
    if [e.get("event") or e["status"] for e in got] != \
            [e.get("event") or e["status"] for e in want]:
        return "got %s, want %s" % (got, want)
    for g, w in zip(got, want):
        ids = Ids()
        ids.map.update(s.ids.map)
        compare(w, g, ids, name)
    if alive:
        return None if how == "open" else "closed: " + how
    closed = case["closed"][0]
    if how != "fin":
        return "not closed by FIN: %s" % how
    if abs(took - closed) > 0.6:
        return "closed after %.2f s, real server %.2f s" % (took, closed)
    return None


def test_ws_negative_and_schemes(setup):
    names = negative_101()
    assert len(names) >= 15
    with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
        got = dict(zip(names, pool.map(
            lambda n: replay_negative(setup, n), names)))
    assert {k: v for k, v in got.items() if v} == {}


def test_ws_actions(setup):
    """The captured dialogue of actions, reply by reply."""
    case = SOCKETS["auth"]["challenge_auth"]
    ws = WS(setup.sim.url, auto_pong=False)
    tok = setup.c["wbot0"].token
    expected = None
    compared = 0
    for f in case["frames"]:
        if f is None:  # frames left out: start of a fragmented message
            ws.frame(TEXT, '{"seq":81,', fin=False)
            continue
        if f["dir"] == "out":
            ws.frame(f["op"], setup.ids.translate(
                f["payload"].replace("TOKEN", tok)), fin=f["fin"])
            continue
        while True:
            op, fin, p = ws.recv(5)
            if op != TEXT:
                break
            e = json.loads(p)
            if e.get("event") in ("status_change", "typing") and \
                    '"status_change"' not in f["payload"]:
                continue
            break
        assert (op, fin) == (f["op"], True)
        if op == TEXT:
            assert p.endswith(b"\n")
            expected = json.loads(f["payload"])
            if "get_statuses" not in f["payload"] and \
                    expected.get("seq_reply") != 9:
                ids = Ids()
                ids.map.update(setup.ids.map)
                compare(expected, e, ids)
            else:
                assert e["data"][setup.c["wbot0"].id] == "online"
        else:
            assert p == f["payload"].encode()
        compared += 1
    assert compared > 12
    _, how = ws.until_closed(5)  # the last frame was "not json"
    assert how == "fin"


@pytest.mark.parametrize("data,reply", [
    ('{"seq":-5,"action":"ping"}',
     {"status": "FAIL", "seq_reply": -5, "id":
      "api.web_socket_router.bad_seq.app_error", "status_code": 400}),
    ('{"action":"ping"}',
     {"status": "FAIL", "id": "api.web_socket_router.bad_seq.app_error",
      "status_code": 400}),
    ('{"seq":1}',
     {"status": "FAIL", "seq_reply": 1, "id":
      "api.web_socket_router.no_action.app_error", "status_code": 400}),
    ("{}", {"status": "FAIL", "id":
            "api.web_socket_router.no_action.app_error",
            "status_code": 400}),
    ("null", {"status": "FAIL", "id":
              "api.web_socket_router.no_action.app_error",
              "status_code": 400}),
    ('{"seq":9007199254740993,"action":"ping"} {"seq":2}',
     {"status": "OK", "seq_reply": 9007199254740993}),
])
def test_ws_odd_actions(setup, data, reply):
    ws = WS(setup.sim.url, setup.c["wbot0"].token)
    ws.send(data)
    e = ws.wait(lambda x: "status" in x, 3)
    assert e["status"] == reply["status"]
    assert e.get("seq_reply") == reply.get("seq_reply")
    if "id" in reply:
        assert e["error"]["id"] == reply["id"]
        assert e["error"]["status_code"] == reply["status_code"]
        assert list(e["error"]) == ["id", "message", "detailed_error",
                                    "status_code"]
    ws.close()


@pytest.mark.parametrize("name", ["unmasked", "rsv1", "op3", "json_array",
                                  "json_wrong_type", "empty_text_frame",
                                  "client_close_1000", "client_close_empty",
                                  "client_close_4000"])
def test_ws_protocol(setup, name):
    """Protocol errors and closes: code, reason and the kind of end."""
    case = SOCKETS["auth"][name]
    ws = WS(setup.sim.url, setup.c["wbot0"].token, auto_pong=False)
    ws.wait("hello")
    for f in case["frames"]:
        if f["dir"] != "out":
            continue
        p = (f["payload"] or "").encode()
        if f["op"] == CLOSE and f.get("close_code"):
            p = f["close_code"].to_bytes(2, "big") + p
        ws.frame(f["op"], p, fin=f["fin"], mask=name != "unmasked",
                 rsv=0x40 if name == "rsv1" else 0)
    frames, how = ws.until_closed(3)
    closes = [p for op, _, p in frames if op == CLOSE]
    want = [f for f in case["frames"] if f["dir"] == "in"
            and f["op"] == CLOSE]
    assert how == "fin"
    assert len(closes) == len(want)
    if want:
        code = want[0].get("close_code")
        assert closes[0] == (code.to_bytes(2, "big") if code else b"") + \
            want[0]["payload"].encode()


@pytest.mark.parametrize("size,parts,ok", [
    (8190, 1, True), (8191, 1, True), (8192, 1, True), (8193, 1, False),
    (9000, 1, False), (8192, 2, True), (9000, 2, False)])
def test_ws_client_limit(setup, size, parts, ok):
    ws = WS(setup.sim.url, setup.c["wbot0"].token)
    ws.wait("hello")
    text = '{"seq":1,"action":"ping","data":{"x":"'
    text += "a" * (size - len(text) - 3) + '"}}'
    assert len(text) == size
    if parts == 1:
        ws.frame(TEXT, text)
    else:
        ws.frame(TEXT, text[:4000], fin=False)
        ws.frame(0, text[4000:])
    if ok:
        assert ws.reply(1, 3)["data"]["text"] == "pong"
    else:
        with pytest.raises(Closed):
            while True:
                ws.recv(3)
        assert ws.close_code == 1009
    ws.close()


def test_ws_ping_pong_and_utf8(setup):
    ws = WS(setup.sim.url, setup.c["wbot0"].token, auto_pong=False)
    ws.frame(PING, b"x" * 125)
    while True:
        op, _, p = ws.recv(3)
        if op == PONG:
            break
    assert p == b"x" * 125
    ws.frame(TEXT, b'{"seq":1,"action":"\xff\xfe"}')
    assert ws.reply(1, 3)["error"]["id"] == \
        "api.web_socket_router.bad_action.app_error"
    ws.close()
