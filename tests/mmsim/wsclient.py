"""A small websocket client (RFC 6455) of the standard library alone.

WS(url, token=None, query="", headers={}, raw=False) connects and upgrades;
frames come from recv(), JSON events from event() and wait().  Nothing is
answered but server pings (auto_pong).  Times out with socket.timeout.
"""

import base64
import hashlib
import json
import os
import select
import socket
import ssl
import struct
import time
import urllib.parse

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Closed(Exception):
    """The server ended the connection. .how is "fin" or "rst"."""

    def __init__(self, how):
        super().__init__(how)
        self.how = how


class WS:
    def __init__(self, url, token=None, query="", headers=None, timeout=10,
                 context=None, auto_pong=True, path="/api/v4/websocket"):
        u = urllib.parse.urlsplit(url)
        self.timeout = timeout
        self.auto_pong = auto_pong
        self.buf = b""
        self.seq = 0
        self.closed = None
        self.close_code = None
        self.sock = socket.create_connection((u.hostname, u.port), timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if u.scheme in ("https", "wss"):
            context = context or ssl._create_unverified_context()
            self.sock = context.wrap_socket(self.sock,
                                            server_hostname=u.hostname)
        self.key = base64.b64encode(os.urandom(16)).decode()
        head = [("Host", u.netloc), ("Upgrade", "websocket"),
                ("Connection", "Upgrade"), ("Sec-WebSocket-Key", self.key),
                ("Sec-WebSocket-Version", "13")]
        if token is not None:
            head.append(("Authorization", "Bearer " + token))
        head = dict(head)
        for k, v in (headers or {}).items():
            if v is None:
                head.pop(k, None)
            else:
                head[k] = v
        self.sock.sendall(
            ("GET %s%s HTTP/1.1\r\n" % (path, query) +
             "".join("%s: %s\r\n" % kv for kv in head.items()) +
             "\r\n").encode())
        self._read_head()

    def _read_head(self):
        while b"\r\n\r\n" not in self.buf:
            data = self.sock.recv(65536)
            if not data:
                raise Closed("fin")
            self.buf += data
        head, self.buf = self.buf.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        self.status_line = lines[0]
        self.status = int(lines[0].split()[1])
        self.headers = [tuple(x.split(": ", 1)) for x in lines[1:]]
        if self.status == 101:
            want = base64.b64encode(
                hashlib.sha1(self.key.encode() + GUID).digest()).decode()
            got = dict((k.lower(), v) for k, v in self.headers)
            assert got["sec-websocket-accept"] == want

    def body(self):
        """The body of a refused upgrade."""
        n = int(dict((k.lower(), v) for k, v in self.headers)
                ["content-length"])
        while len(self.buf) < n:
            self.buf += self.sock.recv(65536)
        return self.buf[:n].decode()

    # sending

    def frame(self, op, payload=b"", fin=True, rsv=0, mask=True):
        if isinstance(payload, str):
            payload = payload.encode()
        b = bytes([(0x80 if fin else 0) | rsv | op])
        n, m = len(payload), 0x80 if mask else 0
        if n < 126:
            b += bytes([m | n])
        elif n < 65536:
            b += bytes([m | 126]) + struct.pack(">H", n)
        else:
            b += bytes([m | 127]) + struct.pack(">Q", n)
        if mask:
            k = os.urandom(4)
            payload = bytes(c ^ k[i & 3] for i, c in enumerate(payload))
            b += k
        self.sock.sendall(b + payload)

    def send(self, obj):
        self.frame(TEXT, obj if isinstance(obj, str) else json.dumps(obj))

    def action(self, action, data=None, seq=None):
        """Send an action and return its seq."""
        if seq is None:
            self.seq += 1
            seq = self.seq
        msg = {"seq": seq, "action": action}
        if data is not None:
            msg["data"] = data
        self.send(msg)
        return seq

    # receiving

    def _more(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0:
            raise socket.timeout("no frame")
        pending = getattr(self.sock, "pending", lambda: 0)()
        if not pending and not select.select([self.sock], [], [], left)[0]:
            raise socket.timeout("no frame")
        try:
            data = self.sock.recv(1 << 20)
        except ConnectionResetError:
            data, how = b"", "rst"
        else:
            how = "fin"
        if not data:
            self.closed = how
            raise Closed(how)
        self.buf += data

    def _parse(self):
        b = self.buf
        if len(b) < 2:
            return None
        n, at = b[1] & 127, 2
        if n == 126:
            if len(b) < 4:
                return None
            n, at = struct.unpack(">H", b[2:4])[0], 4
        elif n == 127:
            if len(b) < 10:
                return None
            n, at = struct.unpack(">Q", b[2:10])[0], 10
        if len(b) < at + n:
            return None
        self.buf = b[at + n:]
        return b[0] & 15, bool(b[0] & 0x80), b[at:at + n]

    def recv(self, timeout=None):
        """The next frame as (op, fin, payload)."""
        deadline = time.monotonic() + (
            self.timeout if timeout is None else timeout)
        while True:
            f = self._parse()
            if f is None:
                self._more(deadline)
                continue
            if f[0] == PING and self.auto_pong:
                self.frame(PONG, f[2])
                continue
            if f[0] == CLOSE and len(f[2]) >= 2:
                self.close_code = struct.unpack(">H", f[2][:2])[0]
            return f

    def event(self, timeout=None):
        """The next text frame as an object."""
        while True:
            op, _, p = self.recv(timeout)
            if op == TEXT:
                return json.loads(p)

    def wait(self, what, timeout=None):
        """Skip to the first event of that name (or that what(e) likes)."""
        deadline = time.monotonic() + (
            self.timeout if timeout is None else timeout)
        test = what if callable(what) else (
            lambda e: e.get("event") == what)
        while True:
            e = self.event(max(0, deadline - time.monotonic()))
            if test(e):
                return e

    def reply(self, seq, timeout=None):
        return self.wait(lambda e: e.get("seq_reply") == seq, timeout)

    def call(self, action, data=None, seq=None, timeout=None):
        return self.reply(self.action(action, data, seq), timeout)

    def drain(self, quiet=0.15):
        """All events until nothing came for quiet seconds."""
        out = []
        while True:
            try:
                out.append(self.event(quiet))
            except (socket.timeout, Closed):
                return out

    def until_closed(self, timeout):
        """Frames until the end, and "fin" or "rst"."""
        out = []
        deadline = time.monotonic() + timeout
        while True:
            try:
                out.append(self.recv(deadline - time.monotonic()))
            except Closed as e:
                return out, e.how

    def close(self, rst=False):
        if rst:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                 struct.pack("ii", 1, 0))
        self.sock.close()
