#!/usr/bin/env -S python3 -IS
"""An agent that plays what the message tells it.

It is installed under the name of the agent's program. The text of a message
is a JSON list of steps: ["sleep", seconds], ["think"], ["text", so far],
["tool", {members of turn.tool}], ["final", text], ["fail", code, transient],
["die"]. Once: a message whose first step is ["once", TAG, [steps], ...] has
its first steps played the first time, and those after it later.
"""

import array
import json
import os
import select
import socket
import struct
import sys
import tempfile
import threading
import time

HEAD = struct.Struct("=IHH")


class Channel:
    def __init__(self, fd):
        self.sock = socket.socket(fileno=fd)
        self.sock.setblocking(True)
        self.buf = b""
        self.fds = []
        self.lock = threading.Lock()

    def send(self, msg):
        body = json.dumps(msg).encode()
        with self.lock:
            try:
                self.sock.sendall(HEAD.pack(len(body), 0, 1) + body)
            except OSError:
                pass

    def fill(self):
        data, anc, _, _ = self.sock.recvmsg(65536, socket.CMSG_SPACE(64))
        for level, kind, cdata in anc:
            fds = array.array("i")
            fds.frombytes(cdata[: len(cdata) // 4 * 4])
            self.fds.extend(fds)
        self.buf += data
        return bool(data)

    def frames(self):
        while len(self.buf) >= HEAD.size:
            length, flags, _ = HEAD.unpack(self.buf[: HEAD.size])
            if len(self.buf) < HEAD.size + length:
                return
            body = self.buf[HEAD.size: HEAD.size + length]
            self.buf = self.buf[HEAD.size + length:]
            yield json.loads(body), self.fds.pop(0) if flags & 1 else -1


def steps_of(msg):
    steps = json.loads(msg["text"])
    if steps[0][0] != "once":
        return steps
    mark = os.path.join(tempfile.gettempdir(), "standin-" + steps[0][1])
    try:
        os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
        return steps[0][2]
    except FileExistsError:
        return steps[1:]


def play(chan, msg):
    turn = msg["turn"]
    for step in steps_of(msg):
        kind = step[0]
        if kind == "sleep":
            time.sleep(step[1])
        elif kind == "think":
            chan.send({"t": "turn.thinking", "turn": turn})
        elif kind == "text":
            chan.send({"t": "turn.text", "turn": turn, "text": step[1]})
        elif kind == "tool":
            chan.send(dict(step[1], t="turn.tool", turn=turn))
        elif kind == "final":
            chan.send({"t": "turn.final", "turn": turn, "text": step[1],
                       "transcript": []})
        elif kind == "fail":
            chan.send({"t": "turn.error", "turn": turn, "code": step[1],
                       "transient": step[2], "text": "it went wrong"})
        elif kind == "die":
            os._exit(1)


def main():
    top = Channel(3)
    links = []
    top.send({"t": "hello", "version": "0.1.0", "proto": 1,
              "pid": os.getpid(), "sandbox": "none"})
    while True:
        ready, _, _ = select.select(
            [top.sock] + [c.sock for c in links], [], [])
        for c in [top] + links:
            if c.sock not in ready:
                continue
            if not c.fill():
                if c is top:
                    return
                links.remove(c)
                continue
            for msg, fd in c.frames():
                kind = msg["t"]
                if kind == "turn.start":
                    threading.Thread(
                        target=play, args=(c, msg), daemon=True).start()
                elif kind == "link":
                    if msg["kind"] == "turn":
                        links.append(Channel(fd))
                elif kind == "ping":
                    top.send({"t": "pong", "id": msg["id"]})
                elif kind == "start":
                    top.send({"t": "ready"})
                elif kind == "stop":
                    return


if __name__ == "__main__":
    main()
    sys.exit(0)
