"""HTTP at the callback worker, and clients that mean it no good."""

import json
import os
import resource
import shutil
import socket
import ssl
import subprocess
import time

import pytest

from callback_rig import Rig
from callbacks import Answer, connect, exchange, read_all, request, sign, \
    until

PATH = "/mattermost/interactions/default"
TOKEN = "bot-token-default"
SLOTS = 512
SHARE = 128


def click(**more):
    context = sign(TOKEN, dict({"action_id": "a"}, **more))
    return json.dumps({"user_id": "u" * 26, "channel_id": "c" * 26,
                       "post_id": "p" * 26, "context": context})


def raw_click(close=True, **more):
    body = click(**more)
    return ("POST %s HTTP/1.1\r\nContent-Length: %d\r\n%s\r\n%s" % (
        PATH, len(body), "Connection: close\r\n" if close else "",
        body)).encode()


@pytest.fixture
def rig():
    r = Rig()
    yield r
    r.close()


def test_health(rig):
    a = request(rig.port, "/healthz", method="GET")
    assert a.status == 200 and a.body == b"ok\n"
    a = request(rig.port, "/healthz", method="HEAD")
    assert a.status == 200 and a.body == b""
    assert request(rig.port, "/healthz", "x").status == 405
    assert rig.results() == {"health": 2, "method": 1}


def read_one(f):
    status = int(f.readline().split()[1])
    length = 0
    while True:
        line = f.readline().strip()
        if not line:
            return status, f.read(length)
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])


def test_one_connection_for_many(rig):
    with connect(rig.port) as s:
        f = s.makefile("rb")
        for n in range(5):
            s.sendall(raw_click(close=False, n=n))
            assert read_one(f)[0] == 200
        # All at once, too: one is answered after the other.
        s.sendall(b"".join(raw_click(close=False, n=n) for n in range(5)))
        for n in range(5):
            assert read_one(f)[0] == 200
        s.sendall(raw_click())
        assert read_one(f)[0] == 200
        assert f.read() == b""
    assert [c["context"].get("n") for c in rig.accounts["default"].calls] \
        == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, None]
    assert rig.status()["accepted"] == 1


def test_what_is_behind_a_refusal_is_no_request(rig):
    """A body that was not read must not become the next request."""
    inner = raw_click()
    a = exchange(rig.port, (
        "POST /nowhere HTTP/1.1\r\nContent-Length: %d\r\n\r\n"
        % len(inner)).encode() + inner)
    assert a.status == 404
    assert b"HTTP/1.1" not in a.raw[9:]
    assert rig.accounts["default"].calls == []


@pytest.mark.parametrize("data,status", [
    (b"\r\n\r\n", 400), (b"GET\r\n\r\n", 400), (b"\0" * 20 + b"\r\n\r\n", 400),
    (b"GET / HTTP/3.0\r\n\r\n", 505), (b"\x16\x03\x01\x02\0\x01\r\n\r\n", 400),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    (b"GET /healthz HTTP/1.1\r\nA: b\r\n c\r\n\r\n", 400),
    (b"GET /healthz HTTP/1.1\r\n" + b"A: b\r\n" * 65 + b"\r\n", 431),
    (b"GET /healthz HTTP/1.1\r\nA: " + b"x" * 9000, 431),
    (b"GET /" + b"x" * 9000, 431),
    (b"POST " + PATH.encode() + b" HTTP/1.1\r\nContent-Length: 2\r\n"
     b"Transfer-Encoding: chunked\r\n\r\n{}", 400)])
def test_what_is_no_request(rig, data, status):
    a = exchange(rig.port, data)
    assert a.status == status, a
    assert a.headers["connection"] == "close"
    until(lambda: rig.results() == {"bad-request": 1})


@pytest.mark.parametrize("more", ["", "Connection: close\r\n"])
def test_expect(rig, more):
    body = click().encode()
    with connect(rig.port) as s:
        s.sendall(("POST %s HTTP/1.1\r\nContent-Length: %d\r\n%s"
                   "Expect: 100-continue\r\n\r\n" % (
                       PATH, len(body), more)).encode())
        assert s.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        s.sendall(body)
        assert s.recv(100).startswith(b"HTTP/1.1 200")
    with connect(rig.port) as s:
        s.sendall(b"POST /nowhere HTTP/1.1\r\nContent-Length: 9\r\n"
                  b"Expect: 100-continue\r\n\r\n")
        assert s.recv(100).startswith(b"HTTP/1.1 404")


def test_a_byte_at_a_time(rig):
    with connect(rig.port) as s:
        for b in raw_click():
            s.sendall(bytes([b]))
        assert Answer(read_all(s)).status == 200


def test_half_closed(rig):
    with connect(rig.port) as s:
        s.sendall(raw_click())
        s.shutdown(socket.SHUT_WR)
        assert Answer(read_all(s)).status == 200


def test_it_hangs_up_on_who_says_nothing(rig):
    began = time.monotonic()
    silent, half, body = (connect(rig.port) for _ in range(3))
    half.sendall(b"POST / HT")
    body.sendall(("POST %s HTTP/1.1\r\nContent-Length: 9\r\n\r\n{" % PATH)
                 .encode())
    assert read_all(silent) == b""
    assert Answer(read_all(half)).status == 408
    a = Answer(read_all(body))
    assert a.status == 408
    assert a.json() == {"error": "Request body timeout"}
    assert 4 < time.monotonic() - began < 15
    until(lambda: rig.status()["connections"] == 0)


def test_dripping_does_not_extend_the_deadline(rig):
    began = time.monotonic()
    s = connect(rig.port)
    s.settimeout(0.25)
    got = b""
    for b in raw_click(text="x" * 1000):
        try:
            s.sendall(bytes([b]))
            got = s.recv(4096)
            break
        except socket.timeout:
            pass
        except OSError:
            break
        assert time.monotonic() - began < 20
    assert got == b"" or Answer(got).status == 408
    until(lambda: rig.results() == {"timeout": 1})
    assert rig.accounts["default"].calls == []


def test_one_address_has_its_share(rig):
    socks = [connect(rig.port) for _ in range(SHARE)]
    until(lambda: rig.status()["connections"] == SHARE)
    more = connect(rig.port)
    # The oldest of its own goes.
    assert socks[0].recv(10) == b""
    assert rig.status()["connections"] == SHARE
    assert exchange(rig.port, raw_click()).status == 200
    for s in socks + [more]:
        s.close()


def test_a_front_end_has_all_places():
    rig = Rig(trustedProxies=["127.0.0.1"], allowed=["10.0.0.1"])
    try:
        socks = [connect(rig.port) for _ in range(SLOTS)]
        until(lambda: rig.status()["connections"] == SLOTS)
        a = request(rig.port, PATH, click(),
                    headers={"X-Forwarded-For": "10.0.0.1"})
        assert a.status == 200
        assert socks[0].recv(10) == b""
        for s in socks:
            s.close()
    finally:
        rig.close()


def test_those_that_wait_for_an_answer_keep_their_place(rig):
    account = rig.accounts["default"]
    account.reply = lambda msg: None
    busy = []
    for _ in range(SHARE):
        s = connect(rig.port)
        s.sendall(raw_click())
        busy.append(s)
    until(lambda: len(account.calls) == SHARE)
    with connect(rig.port) as s:
        assert read_all(s) == b""
    for msg in account.calls:
        account.link.send({"t": "cb.reply", "id": msg["id"], "status": 200})
    for s in busy:
        assert Answer(read_all(s)).status == 200
        s.close()


def test_ten_thousand_idle_ones(rig):
    """Each is let in, none stays, memory is flat, callers are answered."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4096:
        pytest.skip("no descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384), hard))
    assert exchange(rig.port, raw_click()).status == 200
    before = rig.rss()
    socks = []
    for n in range(10000):
        s = connect(rig.port)
        s.sendall(b"POST /mattermost/int")
        socks.append(s)
        if len(socks) > 2000:
            socks.pop(0).close()
        if n % 1000 == 0:
            assert exchange(rig.port, raw_click()).status == 200
    assert rig.status()["connections"] <= SHARE
    assert exchange(rig.port, raw_click()).status == 200
    for s in socks:
        s.close()
    with open("/proc/%d/maps" % rig.process.pid) as f:
        sanitized = "libasan" in f.read()  # it keeps what is freed
    assert sanitized or rig.rss() - before < 8 * 1024
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_it_stops_when_answers_are_out(rig):
    account = rig.accounts["default"]
    account.reply = lambda msg: None
    idle, busy = connect(rig.port), connect(rig.port)
    busy.sendall(raw_click(close=False))
    until(lambda: account.calls)
    rig.up.send({"t": "stop"})
    assert idle.recv(10) == b""
    account.link.send({"t": "cb.reply", "id": account.calls[0]["id"],
                       "status": 200})
    a = Answer(read_all(busy))
    assert a.status == 200 and a.headers["connection"] == "close"
    assert rig.process.wait(15) == 0


def test_who_comes_during_an_exchange_is_served_by_the_next(rig):
    rig.up.send({"t": "stop"})
    assert rig.process.wait(15) == 0
    waiting = connect(rig.port)
    waiting.sendall(raw_click())
    rig.start()
    for a in rig.accounts.values():
        a.connect()
    assert Answer(read_all(waiting)).status in (200, 503)
    rig.settled(rig.accounts["default"])
    assert exchange(rig.port, raw_click()).status == 200


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    if shutil.which("openssl") is None:
        pytest.skip("no openssl")
    d = tmp_path_factory.mktemp("tls")
    cert, key = str(d / "cert.pem"), str(d / "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert,
         "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    return cert, key


def test_tls(certificate):
    rig = Rig(tls=certificate)
    try:
        context = ssl.create_default_context(cafile=certificate[0])
        with context.wrap_socket(connect(rig.port),
                                 server_hostname="localhost") as s:
            assert s.version() in ("TLSv1.2", "TLSv1.3")
            s.sendall(raw_click())
            assert Answer(read_all(s)).status == 200
        # Clear text, silence and old versions do not get in.
        assert exchange(rig.port, raw_click()).status == 0
        with connect(rig.port) as s:
            s.sendall(b"\x16\x03\x01")
            assert read_all(s) == b""
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname = False
        old.verify_mode = ssl.CERT_NONE
        old.options |= ssl.OP_NO_TLSv1_2 | ssl.OP_NO_TLSv1_3
        old.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.raises((ssl.SSLError, OSError)):
            old.wrap_socket(connect(rig.port)).close()
        assert len(rig.accounts["default"].calls) == 1
    finally:
        rig.close()


def test_a_key_that_is_not_of_the_certificate(certificate, tmp_path):
    other = str(tmp_path / "key.pem")
    subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey",
                    "-noout", "-out", other], check=True, capture_output=True)
    for files in ((certificate[0], other), (certificate[0], os.devnull),
                  (os.devnull, certificate[1])):
        rig = Rig.__new__(Rig)
        with pytest.raises((AssertionError, OSError)):
            rig.__init__(tls=files)
        assert rig.process.wait(15) == 1
        assert "gateway.tls" in rig.logs()
        rig.close()


def test_refusals_are_told(rig):
    """Who is turned away here is told of nowhere else; but not without end."""
    def lines(n):
        def found():
            return [x for x in rig.logs().splitlines()
                    if "callback.refused" in x]
        until(lambda: len(found()) >= n)
        return found()

    body = json.dumps({"user_id": "u" * 26, "channel_id": "c" * 26,
                       "post_id": "p" * 26, "context": {
                           "action_id": "a", "_token": "x"}})
    assert request(rig.port, PATH, body).status == 403
    rig.accounts["default"].tell([{
        "id": "i" * 26, "team": "t" * 26, "trigger": "oc_x", "token": "k"}])
    assert request(rig.port, "/api/channels/mattermost/command",
                   "token=nobody&team_id=%s&channel_id=%s&user_id=%s&"
                   "command=/oc_x&text=" % ("t" * 26, "c" * 26, "u" * 26),
                   content_type="application/x-www-form-urlencoded"
                   ).status == 401
    assert request(rig.port, "/nowhere", body).status == 404
    assert rig.results()["not-found"] == 1
    click, command = lines(2)
    for part in ("account=default", "what=button", "why=bad-token",
                 "status=403", "post=" + "p" * 26, "from=127.0.0.1"):
        assert part in click, click
    assert "what=command" in command and "why=bad-token" in command
    assert "post=" not in command
    # An id is 26 letters and digits, and nothing else is written.
    assert request(rig.port, PATH, body.replace(
        "p" * 26, "p" * 25 + "!")).status == 403
    assert "post=" not in lines(3)[2]
    for _ in range(40):
        assert request(rig.port, PATH, body).status == 403
    assert rig.results()["bad-token"] == 43
    assert len(lines(10)) == 10


def test_no_secret_is_logged(rig):
    exchange(rig.port, raw_click())
    request(rig.port, PATH, {"context": {"_token": "canary-1"}},
            headers={"Authorization": "Token canary-2"})
    request(rig.port, "/api/channels/mattermost/command",
            "token=canary-3", headers={"Authorization": "Token canary-3"})
    rig.stop()
    logs = rig.logs()
    assert "canary" not in logs
    assert rig.accounts["default"].key not in logs
