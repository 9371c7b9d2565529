"""What calls Postern back, by hand: raw HTTP, and the signatures."""

import hashlib
import hmac
import json
import socket

from patience import tries


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Answer:
    def __init__(self, raw):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.raw = raw
        self.status = int(lines[0].split(" ")[1]) if raw else 0
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return repr(self.raw[:400])


def connect(port, host="127.0.0.1", timeout=20):
    return socket.create_connection((host, port), timeout)


def read_all(s):
    raw = b""
    try:
        while True:
            got = s.recv(65536)
            if not got:
                break
            raw += got
    except ConnectionResetError:
        pass
    return raw


def exchange(port, data, **kw):
    """Send these bytes, read to the end."""
    with connect(port, **kw) as s:
        try:
            s.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return Answer(read_all(s))


def request(port, path, body=b"", method="POST", headers=None,
            content_type="application/json", **kw):
    if not isinstance(body, (bytes, str)):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode("utf-8", "surrogatepass")
    lines = ["%s %s HTTP/1.1" % (method, path), "Host: x",
             "Connection: close", "Content-Length: %d" % len(body)]
    if content_type:
        lines.append("Content-Type: " + content_type)
    for name, value in (headers or {}).items():
        lines.append("%s: %s" % (name, value))
    head = "\r\n".join(lines) + "\r\n\r\n"
    return exchange(port, head.encode("latin-1") + body, **kw)


def secret(token):
    return hmac.new(b"openclaw-mattermost-interactions", token.encode(),
                    hashlib.sha256).hexdigest()


def sign(token, context, **dumps):
    """As a script in Python does it."""
    text = json.dumps(context, sort_keys=True, separators=(",", ":"), **dumps)
    mac = hmac.new(secret(token).encode(), text.encode(), hashlib.sha256)
    return dict(context, _token=mac.hexdigest())


def results(postern):
    return postern.status()["callbacks"]["results"]


def counted(postern, name, before=0, n=1):
    """Wait until that reason was counted n more times."""
    postern.wait(lambda: results(postern).get(name, 0) >= before + n)


def wait_linked(postern, timeout=15):
    """All accounts have told the worker what they have to tell."""
    def ready():
        c = postern.status().get("callbacks")
        return c and c["listening"] and all(
            a["linked"] and a["signed"] for a in c["accounts"])
    postern.wait(ready, timeout)


def until(what, timeout=15):
    for _ in tries(timeout):
        got = what()
        if got:
            return got
    raise AssertionError("timeout")
