"""drip.py PORT N: N connections from a hundred addresses, each of which says
one byte of a request a second, and is there again when it was closed, a fifth
of them in a second. "hold" on standard input: no new ones; its end: the end.
"""

import select
import socket
import sys
import time

SOURCES = 100
REQUEST = b"POST /hooks/agent HTTP/1.1\r\nContent-Length: 60000\r\n\r\n{"


class Drips:
    def __init__(self, port, n):
        self.port = port
        self.n = n
        self.poll = select.epoll()
        self.socks = {}    # descriptor: [socket, bytes said]
        self.opened = self.closed = self.said = 0

    def open(self):
        s = socket.socket()
        s.setblocking(False)
        # The address alone; the port is chosen when it connects.
        s.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
        s.bind(("127.0.1.%d" % (1 + self.opened % SOURCES), 0))
        s.connect_ex(("127.0.0.1", self.port))
        self.poll.register(s, select.EPOLLIN | select.EPOLLHUP)
        self.socks[s.fileno()] = [s, 0]
        self.opened += 1

    def close(self, fd):
        s, _ = self.socks.pop(fd)
        s.close()
        self.closed += 1

    def reap(self, wait):
        for fd, what in self.poll.poll(wait, 1000):
            try:
                if what & select.EPOLLIN and self.socks[fd][0].recv(4096):
                    continue
            except OSError:
                pass
            self.close(fd)

    def drip(self):
        for x in list(self.socks.values()):
            try:
                x[0].send(REQUEST[x[1] % len(REQUEST):][:1])
                x[1] += 1
                self.said += 1
            except OSError:
                pass

    def run(self):
        holding = False
        due = last = time.monotonic()
        while True:
            ready = select.select([sys.stdin], [], [], 0)[0]
            if ready:
                if not sys.stdin.readline():
                    break
                holding = True
            self.reap(0.01)
            now = time.monotonic()
            may = int((now - last) * self.n / 5)
            if may > 0 and not holding:
                last = now
                for _ in range(min(may, self.n - len(self.socks))):
                    self.open()
            if now >= due:
                due = now + 1
                self.drip()
        print(self.opened, self.closed, self.said)


if __name__ == "__main__":
    Drips(int(sys.argv[1]), int(sys.argv[2])).run()
