"""The listener as an operator has it: public addresses, sockets, reloads."""

import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest

from callbacks import connect, exchange, free_port, read_all, request, \
    sign, until, wait_linked, Answer
from daemon import POSTERND

HOOK = "hook-token"


def config(world, port, commands=None, buttons=None, gateway=None):
    c = world.config(capabilities=["inlineButtons"])
    mm = c["channels"]["mattermost"]
    if commands:
        mm["commands"] = {"native": True, "callbackUrl": commands}
    if buttons:
        mm["interactions"] = {"callbackBaseUrl": buttons}
    c["gateway"] = dict({"port": port}, **(gateway or {}))
    return c


def probes(world):
    return {p["what"]: p for p in world.postern.account()["live"]["callbacks"]}


def wait_state(world, what, state):
    world.postern.wait(lambda: probes(world)[what]["state"] == state)
    return probes(world)[what]


def test_an_address_that_leads_here(world):
    port = free_port()
    origin = "http://127.0.0.1:%d" % port
    path = "/api/channels/mattermost/command"
    world.start(config(world, port, origin + path, origin))
    wait_state(world, "commands", "reachable")
    wait_state(world, "buttons", "reachable")
    text = world.postern.ctl("status").stdout
    assert origin + path in text and "reachable" in text
    assert world.postern.status()["callbacks"]["results"]["probe"] >= 2
    world.postern.wait_logged("callback.reachable")


def test_an_address_where_nobody_is(world):
    world.start(config(world, free_port(),
                       "http://127.0.0.1:%d/x" % free_port()))
    p = wait_state(world, "commands", "unreachable")
    assert "refused" in p["error"]
    world.postern.wait_logged("callback.unreachable")


class Other(http.server.BaseHTTPRequestHandler):
    """A front end: passes on to another path, or answers by itself."""

    to = None

    def do_POST(self):
        self.seen.append(self.headers.get("X-Postern-Probe"))
        status, body = 200, b"{\"token\":\"\",\"route\":\"action\"}"
        if self.to:
            a = request(self.to[0], self.to[1], b"", headers={
                "X-Postern-Probe": self.headers["X-Postern-Probe"]})
            status, body = a.status, a.body
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def other():
    handler = type("H", (Other,), {"seen": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.handler = handler
    yield server
    server.shutdown()
    server.server_close()


def test_an_address_of_somebody_else(world, other):
    port = free_port()
    world.start(config(world, port, buttons="http://127.0.0.1:%d"
                       % other.server_port))
    p = wait_state(world, "buttons", "unreachable")
    assert "somebody else" in p["error"]
    # The front end is put right: it is found out without a restart.
    other.handler.to = (port, "/mattermost/interactions/default")
    wait_state(world, "buttons", "reachable")
    # Nothing that was sent there is of use to a listener.
    assert world.bot.token not in str(other.handler.seen)
    nonce, mac = other.handler.seen[-1].split(" ")
    a = request(port, "/mattermost/interactions/default", {
        "user_id": "u" * 26, "channel_id": "c" * 26, "post_id": "p" * 26,
        "context": {"postern_probe": nonce, "_token": mac}})
    assert a.status == 400 and "action_id" in a.json()["error"]


def test_a_front_end_that_changes_paths(world, other):
    port = free_port()
    other.handler.to = (port, "/mattermost/interactions/other")
    world.start(config(world, port, buttons="http://127.0.0.1:%d"
                       % other.server_port))
    p = wait_state(world, "buttons", "unreachable")
    assert "another path" in p["error"]


def check(c, tmp_path, *args):
    path = str(tmp_path / "c.json5")
    with open(path, "w") as f:
        json.dump(c, f)
    os.chmod(path, 0o600)
    return subprocess.run([POSTERND, "-n", "-f", path, *args],
                          capture_output=True, text=True).stderr


def test_what_the_server_must_be_told(world, tmp_path):
    line = '"AllowedUntrustedInternalConnections": "%s"'
    for commands, buttons, want in (
            (None, None, "localhost"),
            ("http://10.1.2.3/x", None, "10.1.2.3 localhost"),
            ("http://gw/x", "http://gw", "gw"),
            ("https://gw.lan/x", "https://[fd00::1]", "gw.lan fd00::1"),
            ("https://bots.example.com/x", "https://8.8.8.8", None)):
        text = check(config(world, 18789, commands, buttons), tmp_path)
        if want is None:
            assert "AllowedUntrusted" not in text
        else:
            assert line % want in text, text
    c = config(world, 18789)
    c["channels"]["mattermost"]["accounts"] = {
        "a": {}, "b": {"botToken": "x", "interactions": {
            "callbackBaseUrl": "http://10.9.9.9"}}}
    assert (line % "localhost 10.9.9.9") in check(c, tmp_path)
    world.start(config(world, free_port()))
    world.postern.wait(lambda: line % "localhost" in
                       world.postern.logs().replace("\\", ""))


def hooks(c):
    c["hooks"] = {"enabled": True, "token": HOOK}
    return c


def knock(port, token=HOOK):
    return request(port, "/hooks/agent", {"message": "x"},
                   headers={"Authorization": "Bearer " + token})


def test_a_unix_socket(world):
    path = os.path.join("/tmp", "postern-test-%d.sock" % os.getpid())
    world.start(hooks(config(world, free_port(),
                             gateway={"socket": path})))
    wait_linked(world.postern)
    assert os.stat(path).st_mode & 0o777 == 0o660
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        s.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert Answer(read_all(s)).status == 200
    world.postern.stop()
    assert not os.path.exists(path)


PASSER = """
import os, sys
os.environ["LISTEN_PID"] = str(os.getpid())
os.environ["LISTEN_FDS"] = "1"
fd = int(sys.argv[1])
if fd != 3:
    os.dup2(fd, 3)
else:
    os.set_inheritable(3, True)
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_a_socket_of_the_service_manager(world):
    """It is used, in place of what the file says."""
    with socket.create_server(("127.0.0.1", 0)) as given:
        port, unused = given.getsockname()[1], free_port()
        p = world.start(hooks(config(world, unused)), start=False)
        p.log = open(p.log_path, "ab")
        p.process = subprocess.Popen(
            [sys.executable, "-c", PASSER, str(given.fileno()), POSTERND,
             "-d", "-f", p.path], pass_fds=(given.fileno(),),
            stdin=subprocess.DEVNULL, stdout=p.log, stderr=p.log)
        p.wait_connected()
        wait_linked(p)
        assert knock(port).status == 200
        with pytest.raises(ConnectionRefusedError):
            connect(unused)
        for pid in p.pids().values():
            if os.geteuid() == 0:
                with open("/proc/%d/environ" % pid) as f:
                    assert "LISTEN" not in f.read()


def test_a_port_that_is_taken(world):
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
        p = world.start(hooks(config(world, port)), start=False)
        p.start(wait=False)
        assert p.process.wait(15) == 1
        assert "127.0.0.1:%d" % port in p.logs()


def test_reload(world):
    """No connection is refused, and the old secret is, at once."""
    port = free_port()
    p = world.start(hooks(config(world, port)))
    wait_linked(p)
    pids = p.pids()
    stop, failed, served = threading.Event(), [], []

    def load():
        while not stop.is_set():
            try:
                a = request(port, "/healthz", method="GET")
                served.append(a.status)
            except OSError as e:
                failed.append(e)

    threads = [threading.Thread(target=load) for _ in range(4)]
    for t in threads:
        t.start()
    # One has come in by the old rules and shows its token under the new.
    early = connect(port)
    early.sendall(b"POST /hooks/agent HTTP/1.1\r\nHost: x\r\n")
    until(lambda: len(served) > 20)
    c = p.config
    c["hooks"]["token"] = "another"
    p.write(c)
    p.ctl("reload")
    early.sendall(b"Authorization: Bearer %s\r\nContent-Length: 15\r\n\r\n"
                  b'{"message":"x"}' % HOOK.encode())
    assert knock(port).status == 401
    assert Answer(read_all(early)).status == 401
    assert knock(port, "another").status == 200
    # A broken file changes nothing; a port in use neither.
    with socket.create_server(("127.0.0.1", 0)) as s:
        c["gateway"]["port"] = s.getsockname()[1]
        p.write(c)
        r = p.ctl("reload", check=False)
        assert r.returncode != 0 and "cannot listen" in r.stdout + r.stderr
    assert knock(port, "another").status == 200
    after = p.pids()
    assert after["account:default"] == pids["account:default"]
    assert after["callback"] != pids["callback"]
    stop.set()
    for t in threads:
        t.join()
    assert set(served) == {200} and not failed
    new = c["gateway"]["port"] = free_port()
    p.write(c)
    p.ctl("reload")
    until(lambda: exchange(new, b"GET /healthz HTTP/1.0\r\n\r\n").status
          == 200)
    with pytest.raises(ConnectionRefusedError):
        connect(port)


def test_a_reload_is_told_of_when_it_is_in_force(world):
    """However late the callback worker reads that it is to go."""
    port = free_port()
    p = world.start(hooks(config(world, port)))
    wait_linked(p)
    c = p.config
    c["hooks"]["token"] = "another"
    p.write(c)
    old = p.pids()["callback"]
    os.kill(old, signal.SIGSTOP)
    try:
        told = threading.Thread(target=p.ctl, args=("reload",))
        told.start()
        told.join(0.5)
        assert told.is_alive()
    finally:
        os.kill(old, signal.SIGCONT)
    told.join(10)
    assert not told.is_alive()
    assert knock(port).status == 401
    assert knock(port, "another").status == 200


def test_reloads_that_wait_are_few(world):
    """One who asks without end, while the old worker does not go."""
    port = free_port()
    p = world.start(hooks(config(world, port)))
    wait_linked(p)
    c = p.config
    c["hooks"]["token"] = "another"
    p.write(c)
    old, said = p.pids()["callback"], []

    def ask():
        r = p.ctl("reload", check=False)
        said.append((r.returncode, r.stdout + r.stderr))
    os.kill(old, signal.SIGSTOP)
    threads = [threading.Thread(target=ask) for _ in range(24)]
    try:
        for t in threads:
            t.start()
        until(lambda: len(said) >= 8)
        assert all(code == 1 and "at once" in text for code, text in said)
    finally:
        os.kill(old, signal.SIGCONT)
        for t in threads:
            t.join(15)
    assert sum(code == 0 for code, _ in said) == 16
    assert knock(port).status == 401
    assert p.ctl("reload").returncode == 0


def test_none_when_nothing_is_called(world):
    p = world.start()
    assert "callback" not in p.pids()
    c = p.config
    port = free_port()
    c["gateway"] = {"port": port}
    p.write(hooks(c))
    p.ctl("reload")
    p.wait(lambda: "callback" in p.pids())
    wait_linked(p)
    assert knock(port).status == 200
    c["hooks"]["enabled"] = False
    p.write(c)
    p.ctl("reload")
    p.wait(lambda: "callback" not in p.pids())
    with pytest.raises(ConnectionRefusedError):
        connect(port)


def test_the_worker_is_restarted_alone(world):
    port = free_port()
    p = world.start(hooks(config(world, port)))
    wait_linked(p)
    before = p.pids()
    os.kill(before["callback"], 9)
    p.wait(lambda: p.pids()["callback"] != before["callback"])
    wait_linked(p)
    assert knock(port).status == 200
    assert p.pids()["account:default"] == before["account:default"]
    # A button of before is one of after: the secret came again.
    a = request(port, "/mattermost/interactions/default", {
        "context": sign(world.bot.token, {"action_id": "x"})})
    assert a.status == 400 and a.json()["error"] == "Invalid request body"
