"""A proxy before a server that does one thing wrong, at one step of what is
said: it knows HTTP/1.1 requests and the frames of a websocket.

    proxy = FaultProxy(host, port)
    proxy.arm(Step(...), "hole")   # the next time that step comes
"""

import os
import re
import socket
import struct
import threading
import time

LINGER = struct.pack("ii", 1, 0)  # close() sends RST

KINDS = ("rst", "hole", "half", "stall", "truncate", "garbage", "nonsense",
         "refusal")


class Step:
    """A place in what is said: a request, by its first line and body; with
    a frame, one of a websocket, from that side; with dial, a connection.

    taken: the server has had the request before anything goes wrong.
    """

    def __init__(self, name, request=None, body=None, taken=True, frame=None,
                 side="server", dial=False):
        self.name = name
        self.request = request and re.compile(request)
        self.body = body and re.compile(body)
        self.taken = taken
        self.frame = frame and re.compile(frame)
        self.side = side
        self.dial = dial

    def is_request(self, line, body):
        return bool(self.request and self.request.search(line) and
                    (self.body is None or self.body.search(body)))


class Ended(Exception):
    pass


class Reader:
    """Bytes of one side, as many as one wants."""

    def __init__(self, sock):
        self.sock = sock
        self.buf = b""

    def more(self):
        try:
            got = self.sock.recv(65536)
        except OSError:
            raise Ended()
        if not got:
            raise Ended()
        self.buf += got

    def take(self, n):
        while len(self.buf) < n:
            self.more()
        got, self.buf = self.buf[:n], self.buf[n:]
        return got

    def until(self, mark):
        while mark not in self.buf:
            self.more()
        return self.take(self.buf.index(mark) + len(mark))

    def rest(self):
        got, self.buf = self.buf, b""
        return got

    def message(self, has_body=True):
        """(head, body as it was sent) of an HTTP message."""
        head = self.until(b"\r\n\r\n")
        low = head.lower()
        if not has_body:
            return head, b""
        m = re.search(rb"\r\ncontent-length: *(\d+)", low)
        if m:
            return head, self.take(int(m.group(1)))
        body = b""
        if b"\r\ntransfer-encoding: chunked" in low:
            while True:
                line = self.until(b"\r\n")
                body += line + self.take(int(line, 16) + 2)
                if int(line, 16) == 0:
                    return head, body
        return head, body

    def frame(self):
        """(raw, payload) of a frame of a websocket."""
        raw = self.take(2)
        n, masked = raw[1] & 127, raw[1] & 128
        if n > 125:
            more = self.take(2 if n == 126 else 8)
            raw, n = raw + more, int.from_bytes(more, "big")
        mask = self.take(4) if masked else b"\0\0\0\0"
        data = self.take(n)
        plain = bytes(c ^ mask[i % 4] for i, c in enumerate(data)) \
            if masked else data
        return raw + (mask if masked else b"") + data, plain


class Link:
    """One connection of the client, and ours to the server."""

    def __init__(self, proxy, client):
        self.proxy = proxy
        self.client = client
        self.server = None
        self.spoilt = threading.Event()  # nothing passes any more
        self.run(self.requests)

    def run(self, what):
        def guarded():
            try:
                what()
            except (Ended, OSError, ValueError):
                if not self.spoilt.is_set():
                    self.close()
        threading.Thread(target=guarded, daemon=True).start()

    def requests(self):
        step, kind = self.proxy.hit(lambda s: s.dial)
        if step:
            self.spoil(kind, b"")
            return
        self.server = socket.create_connection(self.proxy.target)
        up, down = Reader(self.client), Reader(self.server)
        while True:
            head, body = up.message(True)
            line = head.split(b"\r\n", 1)[0].decode("latin-1")
            step, kind = self.proxy.hit(lambda s: s.is_request(line, body))
            if step and not step.taken:
                self.spoil(kind, b"")
                return
            self.server.sendall(head + body)
            head, body = down.message()
            if step:
                self.spoil(kind, head + body, len(head))
                return
            self.client.sendall(head + body)
            if b" 101 " in head.split(b"\r\n", 1)[0]:
                self.run(lambda: self.frames(up, self.server, "client"))
                self.frames(down, self.client, "server")

    def frames(self, reader, to, side):
        while True:
            raw, plain = reader.frame()
            if self.spoilt.is_set():
                return
            step, kind = self.proxy.hit(
                lambda s: s.frame and s.side == side and s.frame.search(plain))
            if not step:
                to.sendall(raw)
            elif side == "client":
                # What it says does not arrive; the server goes on.
                self.spoil(kind, b"")
                return
            else:
                self.spoil(kind, raw, 2, frame=True)
                return

    def spoil(self, kind, raw, head=0, frame=False):
        """In the place of what the client should get now."""
        self.spoilt.set()
        if kind == "rst":
            self.reset()
        elif kind == "hole":
            pass
        elif kind == "half":
            self.client.shutdown(socket.SHUT_WR)
        elif kind == "stall":
            self.client.sendall(raw[:(head + len(raw)) // 2])
        elif kind == "truncate":
            self.client.sendall(raw[:(head + len(raw)) // 2])
            self.close()
        elif kind == "garbage":
            self.client.sendall(b"\xff\x00" + os.urandom(200) + b"\r\n\r\n")
            self.close()
        elif kind in ("nonsense", "refusal") and frame:
            self.client.sendall(b"\x81\x0b[1,{\"a\":{}}")
            self.close()
        elif kind == "nonsense":
            self.client.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                b"Content-Length: 11\r\n\r\n[1,{\"a\":{}}")
            self.close()
        elif kind == "refusal":
            self.client.sendall(
                b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\n"
                b"Content-Length: 20\r\n\r\n<html>Log in.</html>")
            self.close()

    def reset(self):
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
        self.client.shutdown(socket.SHUT_RD)  # wakes who reads it
        self.client.close()
        self.end_server()

    def end_server(self):
        if self.server is not None:
            try:
                self.server.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self.server.close()

    def close(self):
        for s in (self.client, self.server):
            if s is not None:
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                s.close()


class FaultProxy:
    def __init__(self, host, port):
        self.target = (host, port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.links = []
        self.step = self.kind = None
        self.struck_at = None
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.links.append(Link(self, client))

    def arm(self, step, kind):
        with self.lock:
            self.step, self.kind = step, kind

    def hit(self, matches):
        """The step and its fault, once, when this is the place."""
        with self.lock:
            step = self.step
            if step is None or not matches(step):
                return None, None
            self.step = None
            self.struck_at = time.monotonic()
            return step, self.kind

    def cut(self):
        """RST to whatever is connected."""
        for link in self.links:
            try:
                link.reset()
            except OSError:
                pass
        self.links.clear()

    def close(self):
        self.listener.close()
        for link in self.links:
            link.close()
