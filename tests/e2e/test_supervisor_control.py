"""The control socket and posternctl, from outside."""

import json
import os
import random
import socket
import struct
import subprocess
import time

import pytest

from supervisor_rig import daemon

HEAD = struct.Struct("=IHH")


def test_random_bytes_to_the_control_socket(daemon):
    daemon.configure("one")
    daemon.start()
    before = daemon.pids()
    rng = random.Random(7)
    for i in range(300):
        s = socket.socket(socket.AF_UNIX)
        s.connect(str(daemon.socket))
        s.settimeout(2)
        data = rng.randbytes(rng.randrange(1, 400))
        if i % 3 == 0:  # a true header, and rubbish in it
            data = HEAD.pack(len(data), 0, 1) + data
        elif i % 3 == 1:
            body = json.dumps(rng.choice([
                {"t": "req"}, {"t": "req", "id": "x"}, [], {"t": "res"},
                {"t": "req", "id": 1, "verb": "status", "args": [1]},
                {"t": "req", "id": 1, "verb": 3, "args": {}},
                {"t": "init", "id": 1}])).encode()
            data = HEAD.pack(len(body), 0, 1) + body
        try:
            s.sendall(data)
        except OSError:
            pass
        s.close()
    assert daemon.pids() == before


def request(sock, verb, args=None):
    body = json.dumps({"t": "req", "id": 5, "verb": verb,
                       "args": args or {}}).encode()
    sock.sendall(HEAD.pack(len(body), 0, 1) + body)
    head = sock.recv(HEAD.size, socket.MSG_WAITALL)
    if len(head) < HEAD.size:
        return None
    return json.loads(sock.recv(HEAD.unpack(head)[0], socket.MSG_WAITALL))


def test_control_protocol(daemon):
    daemon.configure("one")
    daemon.start()
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(5)
        s.connect(str(daemon.socket))
        r = request(s, "status")
        assert r["t"] == "res" and r["id"] == 5 and r["ok"] is True
        r = request(s, "frobnicate")
        assert r["ok"] is False
        r = request(s, "explain", {"post": "x", "surplus": 1})
        assert r["ok"] is False
        r = request(s, "explain", {"post": "nosuchpost"})
        assert r["ok"] is True and r["data"]["rows"] == []
        r = request(s, "send", {"to": "@x", "text": "y", "account": "no"})
        assert r["ok"] is False and "there is no account" in r["text"]


@pytest.mark.skipif("POSTERN_TEST_SLOW" not in os.environ,
                    reason="takes a minute")
def test_idle_client_is_let_go(daemon):
    daemon.configure("one")
    daemon.start()
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(70)
        s.connect(str(daemon.socket))
        assert request(s, "status")["ok"] is True
        began = time.monotonic()
        assert s.recv(1) == b""
        assert 55 < time.monotonic() - began < 65


def test_too_many_clients(daemon):
    daemon.configure("one")
    daemon.start()
    socks = []
    for _ in range(50):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(2)
        s.connect(str(daemon.socket))
        socks.append(s)
    # Those who say nothing do not keep others out.
    assert daemon.status()["pid"] == daemon.proc.pid
    assert socks[0].recv(1) == b""
    assert request(socks[-1], "status")["ok"] is True
    for s in socks:
        s.close()


def test_control_socket_is_ours_alone(daemon):
    daemon.configure("one")
    daemon.start()
    assert daemon.socket.stat().st_mode & 0o777 == 0o600
    assert (daemon.top / "run").stat().st_mode & 0o777 == 0o700
    assert (daemon.top / "db").stat().st_mode & 0o777 == 0o700


def test_completion(daemon):
    script = daemon.ctl("completion", "bash").stdout + """
try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _posternctl;
        echo "${COMPREPLY[*]}"; }
try posternctl sta
try posternctl channels ''
try posternctl channels dead-letters l
try posternctl message send --ta
"""
    r = subprocess.run(["bash", "-c", script], capture_output=True,
                       text=True, timeout=10)
    assert r.returncode == 0, r.stderr
    assert r.stdout.splitlines() == [
        "status",
        "add capabilities dead-letters list logs remove resolve status", "list",
        "--target"]


def test_ctl_usage(daemon):
    assert daemon.ctl("help").returncode == 0
    r = daemon.ctl("staus")
    assert r.returncode == 2 and 'did you mean "status"' in r.stderr
    r = daemon.ctl("st")
    assert r.returncode == 2 and "ambiguous" in r.stderr
    r = daemon.ctl("message", "send", "-m", "x")
    assert r.returncode == 2 and "requires --to <" in r.stderr
    r = daemon.ctl("message", "send", "-t", "#x", "-m", "hi", "--dry-run")
    assert r.returncode == 1 and "start it with" in r.stderr
    r = daemon.ctl("config", "explain", "dmPolicy")
    assert r.returncode == 0 and "dmPolicy" in r.stdout
