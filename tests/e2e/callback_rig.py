"""postern-callback alone: this side plays the supervisor and the accounts.

What reaches an account is seen frame by frame, so "no effect" can be told
from "no answer".
"""

import array
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading

from callbacks import free_port, until
from mattermost import BUILD

HEADER = struct.Struct("=IHH")


class Link:
    """Our end of one link; frames that came are in .got."""

    def __init__(self, sock, on_frame=None):
        self.sock = sock
        self.got = []
        self.closed = False
        self.on_frame = on_frame
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def send(self, msg, fd=None):
        data = json.dumps(msg).encode()
        frame = HEADER.pack(len(data), 0 if fd is None else 1, 1) + data
        with self.lock:
            if fd is None:
                self.sock.sendall(frame)
                return
            self.sock.sendmsg([frame[:1]], [
                (socket.SOL_SOCKET, socket.SCM_RIGHTS,
                 array.array("i", [fd]))])
            self.sock.sendall(frame[1:])

    def read(self, n):
        data = b""
        while len(data) < n:
            more = self.sock.recv(n - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def run(self):
        try:
            while True:
                length = HEADER.unpack(self.read(HEADER.size))[0]
                msg = json.loads(self.read(length))
                self.got.append(msg)
                if self.on_frame:
                    self.on_frame(self, msg)
        except (EOFError, OSError):
            self.closed = True

    def of(self, *types):
        return [m for m in self.got if m["t"] in types]

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()


class Account:
    """One account; answers each call with what reply(msg) returns."""

    def __init__(self, rig, name, token="bot-token"):
        from callbacks import secret
        self.rig = rig
        self.name = name
        self.key = secret(token) if token else None
        self.reply = lambda msg: {"status": 200, "body": {"seen": 1}}
        self.link = None
        self.gen = 0
        self.commands = []

    def connect(self):
        ours, theirs = socket.socketpair()
        self.link = Link(ours, self.on_frame)
        self.rig.up.send({"t": "link", "kind": "account", "peer": self.name},
                         theirs.fileno())
        theirs.close()
        if self.key:
            self.link.send({"t": "cb.secret", "key": self.key})
        if self.gen:
            self.tell(self.commands)
        return self

    def tell(self, commands):
        self.gen += 1
        self.commands = commands
        self.link.send({"t": "cb.commands", "gen": self.gen,
                        "commands": commands})
        self.rig.settled(self)

    def on_frame(self, link, msg):
        answer = self.reply(msg)
        if answer is not None:
            link.send(dict(answer, t="cb.reply", id=msg["id"]))

    @property
    def calls(self):
        return self.link.of("cb.command", "cb.action", "cb.hook")


class Rig:
    def __init__(self, accounts=("default",), hooks=None, tls=None,
                 unix=False, allowed=None, **config):
        self.dir = tempfile.mkdtemp(prefix="postern-rig-")
        self.port = free_port()
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(4096)
        self.listeners = [self.listener]
        self.path = None
        if unix:
            self.path = os.path.join(self.dir, "sock")
            s = socket.socket(socket.AF_UNIX)
            s.bind(self.path)
            s.listen(64)
            self.listeners.append(s)
        self.hooks = hooks
        self.tls = tls
        self.config = {
            "port": self.port, "trustedProxies": [],
            "allowRealIpFallback": False, "tls": tls is not None,
            "hooks": hooks is not None, "hookSessions": False,
            "hooksPath": "/hooks", "defaultAccount": accounts[0],
            "accounts": [self.account_config(a, allowedSourceIps=allowed)
                         for a in accounts]}
        self.config.update(config)
        self.accounts = {a: Account(self, a, "bot-token-" + a)
                         for a in accounts}
        self.process = None
        self.start()
        for a in self.accounts.values():
            a.connect()
            self.settled(a)

    @staticmethod
    def account_config(name, **more):
        return dict({
            "account": name, "buttons": True, "commands": True,
            "commandUrl": "http://gw:1/api/channels/mattermost/command",
            "interactionUrl": "http://gw:1/mattermost/interactions/" + name,
            "allowedSourceIps": None,
            "callbackPath": "/api/channels/mattermost/command"}, **more)

    def start(self):
        ours, theirs = socket.socketpair()
        empty = os.path.join(self.dir, "empty")
        os.makedirs(empty, exist_ok=True)

        def place():
            os.dup2(theirs.fileno(), 3)

        self.log = open(os.path.join(self.dir, "log"), "ab")
        self.process = subprocess.Popen(
            [os.path.join(BUILD, "postern-callback"), "-n", "", "-u",
             str(os.geteuid()), "-g", str(os.getegid()), "-c", empty, "-R"],
            preexec_fn=place, pass_fds=(3,), stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=self.log)
        theirs.close()
        self.up = Link(ours)
        self.control = None
        self.up.send({"t": "init", "config": self.config})
        if self.hooks is not None:
            self.up.send({"t": "secret", "name": "hookToken",
                          "value": self.hooks})
        if self.tls:
            for name, path in zip(("cert", "key"), self.tls):
                fd = os.open(path, os.O_RDONLY)
                self.up.send({"t": "fd", "name": name}, fd)
                os.close(fd)
        for s in self.listeners:
            self.up.send({"t": "fd", "name": "listen"}, s.fileno())
        control, theirs = socket.socketpair()
        self.control = Link(control)
        self.up.send({"t": "link", "kind": "control", "peer": ""},
                     theirs.fileno())
        theirs.close()
        self.up.send({"t": "start"})

    def wait_ready(self):
        until(lambda: self.up.of("ready") or self.process.poll() is not None)
        return self.process.poll() is None

    def status(self):
        n = len(self.control.of("data"))
        self.control.send({"t": "status", "id": n + 1})
        until(lambda: len(self.control.of("data")) > n or
              self.control.closed)
        assert not self.control.closed, self.logs()
        return self.control.of("data")[n]

    def settled(self, account):
        """The worker has read what this account has told."""
        def done():
            for a in self.status()["accounts"]:
                if a["account"] == account.name:
                    return (a["linked"] and
                            a["signed"] == bool(account.key) and
                            a["commands"] == len(account.commands))
        until(done)

    def results(self):
        return self.status()["results"]

    def rss(self):
        with open("/proc/%d/status" % self.process.pid) as f:
            for line in f:
                if line.startswith("VmRSS"):
                    return int(line.split()[1])

    def stop(self):
        if self.process.poll() is None:
            self.up.send({"t": "stop"})
        rc = self.process.wait(15)
        self.log.close()
        return rc

    def logs(self):
        lines = [m["line"] for m in self.up.of("log")]
        with open(os.path.join(self.dir, "log"), errors="replace") as f:
            return "\n".join(lines) + f.read()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.up.close()
        for a in self.accounts.values():
            if a.link:
                a.link.close()
        if self.control:
            self.control.close()
        for s in self.listeners:
            s.close()
        shutil.rmtree(self.dir, ignore_errors=True)
