#!/usr/bin/env -S python3 -IS
"""A worker for tests of the supervisor, well behaved or not.

It is installed under the name of a worker program. Its account id (-n)
says how it behaves; anything unknown behaves well. It logs what it is
given, so that a test can look for it in the daemon's log.

Where the real program lies beside it as NAME.real, accounts are real ones,
all but those named forge-LINK-ACT: these commit that act on that link.
"""

import array
import json
import os
import socket
import struct
import sys
import time

VERSION = "0.1.0"
HEAD = struct.Struct("=IHH")


class Channel:
    def __init__(self, fd=3):
        self.sock = socket.socket(fileno=fd)
        self.sock.setblocking(True)
        self.buf = b""
        self.fds = []

    def send(self, msg, raw=None):
        body = raw if raw is not None else json.dumps(msg).encode()
        self.sock.sendall(HEAD.pack(len(body), 0, 1) + body)

    def _fill(self, n):
        while len(self.buf) < n:
            data, anc, _, _ = self.sock.recvmsg(65536, socket.CMSG_SPACE(64))
            for level, kind, cdata in anc:
                fds = array.array("i")
                fds.frombytes(cdata[: len(cdata) // 4 * 4])
                self.fds.extend(fds)
            if not data:
                os._exit(0)
            self.buf += data

    def recv(self):
        self._fill(HEAD.size)
        length, flags, _ = HEAD.unpack(self.buf[: HEAD.size])
        self._fill(HEAD.size + length)
        body = self.buf[HEAD.size : HEAD.size + length]
        self.buf = self.buf[HEAD.size + length :]
        fd = self.fds.pop(0) if flags & 1 else -1
        return json.loads(body), fd


def main():
    role = os.path.basename(sys.argv[0]).replace("postern-", "")
    name = sys.argv[sys.argv.index("-n") + 1]
    forges = name.split("-")[1:] if name.startswith("forge-") else None
    real = sys.argv[0] + ".real"
    if not forges and os.path.exists(real):
        os.execv(real, sys.argv)
    chan = Channel()

    def log(text):
        who = role + (" " + name if name else "")
        chan.send({"t": "log", "prio": 6, "line": f"standin {who}: {text}"})

    if name == "silent":
        time.sleep(3600)
    version = "9.9.9" if name == "oldversion" else VERSION
    chan.send({"t": "hello", "version": version, "proto": 1,
               "pid": os.getpid(), "sandbox": "none"})
    held = []
    while True:
        msg, fd = chan.recv()
        kind = msg["t"]
        if fd != -1:
            held.append(fd)
        if kind == "init":
            log("init")
        elif kind == "secret":
            log(f"secret {msg['name']} {len(msg['value'])} bytes")
        elif kind == "fd":
            log(f"fd {msg['name']}")
        elif kind == "link":
            if forges and msg["kind"] == forges[0]:
                log(forge(Channel(held.pop()), *forges) or "forged")
            if role == "callback" and msg["kind"] == "account":
                log(flood_calls(Channel(held.pop())))
            log(f"link {msg['kind']} {msg['peer']} "
                + json.dumps(msg.get("opts"), separators=(",", ":")))
        elif kind == "unlink":
            log(f"unlink {msg['kind']} {msg['peer']}")
        elif kind == "ping":
            if name != "deaf":
                chan.send({"t": "pong", "id": msg["id"]})
        elif kind == "stop":
            log("stop")
            if name == "stubborn":
                time.sleep(3600)
            sys.exit(0)
        elif kind == "start":
            misbehave(chan, name)
            chan.send({"t": "ready"})
            if role == "account":
                chan.send({"t": "state", "state": "connected",
                           "detail": "@" + name})
            log("started")


# One that the other end may send, and one that this end may.
THEIRS = {"store": "load.end", "dial": "dial.ok", "turn": "turn.final",
          "control": "status", "callback": "cb.action"}
OURS = {"store": {"t": "load", "id": 1}, "dial": {"t": "dial", "id": 1},
        "turn": {"t": "turn.cancel"}, "control": {"t": "send.progress"},
        "callback": {"t": "cb.secret", "key": "k" * 64}}


def forge(chan, link, act):
    """The other end decides what becomes of it: nobody here hangs up."""
    if act == "unknown":
        chan.send({"t": "gossip"})
    elif act == "direction":
        chan.send({"t": THEIRS[link], "id": 1})
    elif act == "account":
        chan.send(dict(OURS[link], account="default"))
    elif act == "short":
        chan.sock.sendall(HEAD.pack(1, 0, 1) + b"{")
    elif act == "long":
        chan.sock.sendall(HEAD.pack(1 << 30, 0, 1))
    elif act == "version":
        chan.sock.sendall(HEAD.pack(2, 0, 2) + b"{}")
    elif act == "text":
        chan.send(None, raw=b'{"t": ')
    elif act == "deep":
        chan.send(None, raw=b'{"t":"x","x":' + b"[" * 40 + b"]" * 40 + b"}")
    elif act == "descriptor":
        body = json.dumps(OURS[link]).encode()
        chan.sock.sendmsg([HEAD.pack(len(body), 0, 1) + body],
                          [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                            array.array("i", [0, 1]))])
    elif act == "endpoint":
        for n in range(50):
            chan.send({"t": "dial", "id": n + 1, "ep": n})
    elif act == "bye":
        # As fast as it is answered: there is no other account for them.
        end, n = time.monotonic() + 25, 0
        chan.send(OURS["callback"])
        while time.monotonic() < end:
            n += 1
            chan.send({"t": "cb.bye", "id": n})
            while chan.recv()[0].get("t") != "cb.left":
                pass
        return "%d goodbyes" % n
    elif act == "others":
        # Rows of all, while those come and go.
        end, got = time.monotonic() + 4, b""
        while time.monotonic() < end:
            for seq in range(1, 60):
                chan.send({"t": "turn.dead", "id": 1, "seq": seq,
                           "reason": "forged", "status": 1})
                chan.send({"t": "turn.commit", "id": 2, "seq": seq,
                           "outcome": "answered", "outbox": []})
                got += chan.sock.recv(65536)
        return "%d refused, %d done" % (got.count(b'"err"'),
                                        got.count(b'"ok"'))


def flood_calls(chan, n=600):
    """Clicks on a post that is looked for first, many and large ones."""
    call = {"t": "cb.action", "user": "u" * 26, "channel": "c" * 26,
            "post": "p" * 26, "action": "a", "context": {"x": "x" * 500000}}
    while chan.recv()[0]["t"] != "cb.secret":  # it knows who it is
        pass
    for i in range(n):
        chan.send(dict(call, id=i + 1))
    end, busy = time.monotonic() + 3, 0
    chan.sock.settimeout(0.2)
    while time.monotonic() < end:
        try:
            busy += chan.recv()[0].get("status") == 503
        except OSError:
            pass
    return f"{n} calls, {busy} refused at once"


def misbehave(chan, name):
    if name == "unlisted":
        chan.send({"t": "gossip"})
    elif name == "ctl":
        chan.send({"t": "ctl", "id": 1, "verb": "stop"})
    elif name == "deep":
        chan.send(None, raw=b'{"t":"state","state":' + b"[" * 9 + b"]" * 9
                  + b"}")
    elif name == "long":
        chan.send({"t": "log", "prio": 6, "line": "x" * 5000})
    elif name == "huge":
        chan.sock.sendall(HEAD.pack(1 << 30, 0, 1))
    elif name == "garbage":
        chan.sock.sendall(os.urandom(256))
    elif name == "badtype":
        chan.send({"t": "state", "state": 7})
    elif name == "extra":
        chan.send({"t": "ready", "more": 1})
    elif name == "badword":
        chan.send({"t": "state", "state": "splendid"})
    elif name == "descriptor":
        body = json.dumps({"t": "ready"}).encode()
        fd = os.open("/dev/null", os.O_RDONLY)
        chan.sock.sendmsg([HEAD.pack(len(body), 1, 1) + body],
                          [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                            array.array("i", [fd]))])
    elif name == "crash":
        os.kill(os.getpid(), 11)
    elif name == "sigsys":
        os.kill(os.getpid(), 31)
    elif name == "newline":
        chan.send({"t": "log", "prio": 6,
                   "line": "a\nforged: line\x1b[31m"})
    elif name == "flood":
        for i in range(3000):
            chan.send({"t": "log", "prio": 6, "line": f"flood {i}"})
    elif name == "accuser":
        for i in range(3000):
            chan.send({"t": "broken", "kind": "store", "peer": "",
                       "why": "said so"})


if __name__ == "__main__":
    main()
