"""A whole daemon whose accounts, agents and dialer are stand-ins.

They behave or misbehave as their name says (standin.py); store and control
are the real ones. All runs without root, as an ordinary user.
"""

import json
import os
import pathlib
import pwd
import re
import shutil
import subprocess
import tempfile

import pytest

from patience import tries

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(
    os.environ.get("POSTERN_BUILD", HERE.parent.parent / "build")).resolve()
STANDINS = ("account", "agent", "dialer")
REAL = ("posternd", "posternctl", "postern-store", "postern-control")

AS_ROOT = False


def unprivileged():
    """Keyword arguments that make a child an ordinary user."""
    if os.geteuid() != 0 or AS_ROOT:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid,
            "extra_groups": []}


def wait_for(what, seconds=5.0):
    for _ in tries(seconds):
        value = what()
        if value:
            break
    return value


def alive(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return state.rsplit(")", 1)[1].split()[0] != "Z"


class Daemon:
    def __init__(self, top):
        self.top = top
        self.bin = top / "bin"
        self.conf = top / "postern.json5"
        self.log_path = top / "log"
        self.socket = top / "run" / "control.sock"
        self.proc = None
        self.postern = {}
        self.bin.mkdir()
        for name in REAL:
            shutil.copy(BUILD / name, self.bin / name)
        for role in STANDINS:
            shutil.copy(HERE / "standin.py", self.bin / f"postern-{role}")
            (self.bin / f"postern-{role}").chmod(0o755)

    def configure(self, *accounts, tokens=None, text=None, log=None):
        conf = {
            "channels": {"mattermost": {
                "baseUrl": "http://127.0.0.1:9",
                "accounts": {
                    a: {"botToken": (tokens or {}).get(a, f"token-of-{a}")}
                    for a in accounts}}},
            "postern": {"runDir": str(self.top / "run")},
            "store": {"path": str(self.top / "db")},
        }
        if log is not None:
            conf["log"] = log
        conf["postern"].update(self.postern)
        self.conf.write_text(json.dumps(conf) if text is None else text)
        self.conf.chmod(0o600)
        self.own()

    def own(self):
        if os.geteuid() != 0 or AS_ROOT:
            return
        nobody = pwd.getpwnam("nobody")
        for path in [self.top, *self.top.rglob("*")]:
            os.chown(path, nobody.pw_uid, nobody.pw_gid,
                     follow_symlinks=False)

    def start(self, *args, env=None, ready=True, foreground=True):
        out = open(self.log_path, "ab")
        argv = [self.bin / "posternd", "-f", self.conf, *args]
        if foreground:
            argv.append("-d")
        self.proc = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            cwd=self.top, env=env, **unprivileged())
        out.close()
        if ready:
            assert self.seen("daemon.ready"), self.log()
        return self.proc

    def log(self):
        return self.log_path.read_text(errors="replace")

    def seen(self, pattern, seconds=5.0, count=1):
        return wait_for(
            lambda: len(re.findall(pattern, self.log())) >= count, seconds)

    def ctl(self, *args):
        return subprocess.run(
            [self.bin / "posternctl", "-s", self.socket, *args],
            capture_output=True, text=True, timeout=60, **unprivileged())

    def status(self):
        r = self.ctl("status", "--json")
        assert r.returncode == 0, r.stderr
        return json.loads(r.stdout)

    def pids(self):
        return {(w["role"], w.get("name", "")): w["pid"]
                for w in self.status()["workers"] if "pid" in w}

    def stop(self):
        if self.proc is None or self.proc.poll() is not None:
            return
        self.proc.terminate()
        try:
            # A sanitizer that found something makes this not 0.
            assert self.proc.wait(20) == 0, self.log()
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
            raise


@pytest.fixture
def daemon():
    top = pathlib.Path(tempfile.mkdtemp(prefix="postern-super-"))
    top.chmod(0o755)
    d = Daemon(top)
    yield d
    try:
        d.stop()
    finally:
        shutil.rmtree(top)
