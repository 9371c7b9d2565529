"""REST answers against captures of a real 5.37 server (wire/)."""

import concurrent.futures
import json
import select
import socket
import urllib.parse

import pytest

from wiresetup import REST, check
from wsclient import WS

def rest_cases():
    return [pytest.param(x, id="%s-%s" % (f[:2], x["name"]))
            for f in REST for x in REST[f]]


@pytest.mark.parametrize("item", rest_cases())
def test_rest(setup, item):
    check(setup, item)


def test_pending_while_saving(setup):
    """Five at once: one is saved, four are refused."""
    s = setup
    s.sim.fault("rest", method="POST", path_prefix="/api/v4/posts",
                delay_ms=300, saving=True)
    bot = s.c["wbot0"]

    def one(_):
        return bot.say(s.pub["id"], "conc", pending_post_id="x:2002")
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        got = list(pool.map(one, range(5)))
    s.sim.clear()
    assert sorted(a.status for a in got) == [201, 500, 500, 500, 500]
    for a in got:
        if a.status == 500:
            assert a.json["id"] == \
                "api.post.deduplicate_create_post.pending"


def test_upload_over_limit_is_refused_early(setup):
    """Announced too large: 413 before the body, then the end."""
    s = setup
    u = urllib.parse.urlsplit(s.sim.url)
    k = socket.create_connection((u.hostname, u.port), 10)
    k.sendall(("POST /api/v4/files?channel_id=%s&filename=big.bin HTTP/1.1"
               "\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
               "Content-Length: 104857601\r\n\r\n" % (
                   s.pub["id"], s.c["wbot0"].token)).encode() + b"x" * 1000)
    data = k.recv(65536)
    assert data.startswith(b"HTTP/1.1 413 ")
    assert b'"api.file.upload_file.too_large_detailed.app_error"' in data
    assert b"104857601 bytes exceeds the maximum allowed 104857600" in data
    with pytest.raises((ConnectionResetError, BrokenPipeError, EOFError)):
        while True:
            if not k.recv(65536):
                raise EOFError
    k.close()


def raw_http(url, data, quiet=0.5):
    u = urllib.parse.urlsplit(url)
    k = socket.create_connection((u.hostname, u.port), 10)
    k.sendall(data)
    out, how = b"", "open"
    while select.select([k], [], [], quiet)[0]:
        more = k.recv(65536)
        if not more:
            how = "fin"
            break
        out += more
    k.close()
    return out, how


def test_http_framing(setup):
    """Chunked requests, 100-continue, pipelining, HTTP/1.0, no Host."""
    s = setup
    auth = "Host: x\r\nAuthorization: Bearer %s\r\n" % s.c["wbot0"].token
    body = json.dumps({"channel_id": s.pub["id"], "message": "chunked é"})
    out, _ = raw_http(s.sim.url, (
        "POST /api/v4/posts HTTP/1.1\r\n%sTransfer-Encoding: chunked\r\n\r\n"
        "10\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (
            auth, body[:16], len(body) - 16, body[16:])).encode())
    assert out.startswith(b"HTTP/1.1 201 Created\r\nContent-Type: ")
    out, _ = raw_http(s.sim.url, (
        "POST /api/v4/posts HTTP/1.1\r\n%sExpect: 100-continue\r\n"
        "Content-Length: %d\r\n\r\n%s" % (auth, len(body), body)).encode())
    assert out.startswith(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\n")
    get = "GET /api/v4/users/me HTTP/1.1\r\n%s\r\n" % auth
    out, how = raw_http(s.sim.url, (get * 2).encode())
    assert out.count(b"HTTP/1.1 200 OK\r\n") == 2 and how == "open"
    out, how = raw_http(s.sim.url, get.replace("1.1", "1.0").encode())
    assert out.startswith(b"HTTP/1.0 200 OK\r\n") and how == "fin"
    out, how = raw_http(s.sim.url, get.replace("Host: x\r\n", "").encode())
    assert out == (b"HTTP/1.1 400 Bad Request: missing required Host header"
                   b"\r\nContent-Type: text/plain; charset=utf-8\r\n"
                   b"Connection: close\r\n\r\n"
                   b"400 Bad Request: missing required Host header")
    assert how == "fin"


def test_long_answers_are_chunked(setup):
    a = setup.c["wbot0"].get("/channels/%s/posts" % setup.pub["id"])
    assert len(a.body) > 2048
    assert a.header("Transfer-Encoding") == "chunked"
    assert a.header("Content-Length") is None


def test_rate_limit(setup):
    """Headers and body of 429 as captured; the upgrade counts too."""
    s = setup
    s.sim.fault("rate_limit", per_sec=1, burst=2)
    try:
        got = [s.c["wbot0"].get("/users/me") for _ in range(4)]
        assert [a.status for a in got] == [200, 200, 200, 429]
        assert got[0].header("X-Ratelimit-Limit") == "3"
        assert got[0].header("X-Ratelimit-Remaining") == "2"
        last = got[3]
        assert last.body == b"limit exceeded\n"
        assert sorted(k for k, _ in last.headers if k != "Date") == sorted([
            "Content-Type", "Retry-After", "X-Content-Type-Options",
            "X-Ratelimit-Limit", "X-Ratelimit-Remaining",
            "X-Ratelimit-Reset", "Content-Length"])
        assert last.header("Content-Type") == "text/plain; charset=utf-8"
        assert 1 <= int(last.header("X-Ratelimit-Reset")) <= 4
        assert WS(s.sim.url, s.c["wbot0"].token).status == 429
    finally:
        s.sim.clear()
