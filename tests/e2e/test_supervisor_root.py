"""The supervisor as root: what it gives away, and what it refuses."""

import ctypes
import os
import pathlib
import pwd
import re
import signal
import socket

import pytest

import supervisor_rig
from supervisor_rig import daemon


@pytest.fixture
def as_root(monkeypatch):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    monkeypatch.setattr(supervisor_rig, "AS_ROOT", True)


def ids_of(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return {key: re.search(rf"^{key}:\s+(.*)$", status, re.M)[1].split()
            for key in ("Uid", "Gid", "Groups", "NoNewPrivs", "Seccomp")}


def test_root_gives_everything_away(as_root, daemon):
    user, store = pwd.getpwnam("nobody"), pwd.getpwnam("daemon")
    daemon.postern = {"user": "nobody", "storeUser": "daemon",
                      "group": "nogroup"}
    daemon.configure("one")
    daemon.start()
    pids = daemon.pids()
    for role, who in (("store", store), ("control", user)):
        ids = ids_of(pids[role, ""])
        assert ids["Uid"] == [str(who.pw_uid)] * 4
        assert ids["Gid"] == [str(who.pw_gid)] * 4
        assert ids["NoNewPrivs"] == ["1"]
    root = pathlib.Path(f"/proc/{pids['control', '']}/root")
    assert os.readlink(root) == str(daemon.top / "run" / "empty")
    root = pathlib.Path(f"/proc/{pids['store', '']}/root")
    assert os.readlink(root) == str(daemon.top / "db")
    run = (daemon.top / "run").stat()
    assert (run.st_uid, run.st_mode & 0o777) == (0, 0o755)
    db = (daemon.top / "db").stat()
    assert (db.st_uid, db.st_mode & 0o777) == (store.pw_uid, 0o700)
    sock = daemon.socket.stat()
    assert (sock.st_uid, sock.st_mode & 0o777) == (0, 0o660)
    # Only what is listed is open in a worker.
    fds = os.listdir(f"/proc/{pids['control', '']}/fd")
    assert len(fds) < 20


def listener_of(pid):
    """The same control socket that a process of that id has."""
    call = ctypes.CDLL(None, use_errno=True).syscall
    pidfd = os.pidfd_open(pid)
    for n in os.listdir(f"/proc/{pid}/fd"):
        fd = call(438, pidfd, int(n), 0)  # pidfd_getfd
        if fd == -1:
            continue
        try:
            s = socket.socket(fileno=fd)
            if s.family == socket.AF_UNIX and s.getsockopt(
                    socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                return s
        except OSError:
            continue
    return None


def test_what_a_worker_did_to_the_listener_ends_with_it(as_root, daemon):
    daemon.postern = {"user": "nobody", "storeUser": "daemon",
                      "group": "nogroup"}
    daemon.configure("one")
    daemon.start()
    listener = listener_of(daemon.proc.pid)
    if listener is None:
        pytest.skip("no pidfd_getfd here")
    control = daemon.pids()["control", ""]
    # A captured worker may say this of a descriptor that it was given.
    listener.setblocking(True)
    os.kill(control, signal.SIGKILL)
    assert daemon.seen("worker.died role=control")
    for _ in range(3):
        assert daemon.status()["workers"]


def test_root_without_the_users(as_root, daemon):
    daemon.postern = {"user": "nosuchuser"}
    daemon.configure("one")
    daemon.start(ready=False)
    assert daemon.proc.wait(5) == 1
    assert re.search("no user nosuchuser; create it with: useradd .*nosuch",
                     daemon.log())


def test_root_does_not_run_what_others_may_write(as_root, daemon):
    daemon.postern = {"user": "nobody", "storeUser": "daemon",
                      "group": "nogroup"}
    daemon.configure("one")
    daemon.bin.chmod(0o777)
    daemon.start(ready=False)
    assert daemon.seen("can be written by others than root")
    assert not daemon.seen("standin", 1)
