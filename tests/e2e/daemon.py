"""Postern itself, as an operator runs it: a file, posternd, posternctl."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

from mattermost import BUILD
from patience import SLOWNESS, tries

# "1": every process under memcheck. Wants a build with --disable-seccomp, for
# valgrind makes system calls of its own inside the worker.
MEMCHECK = os.environ.get("POSTERN_MEMCHECK")
VALGRIND = ("/usr/bin/valgrind -q --vgdb=no --leak-check=full "
            "--show-leak-kinds=definite --num-callers=20 "
            "--suppressions=%s/valgrind/libraries.supp "
            "--log-file=%s/memcheck.%%p %s")
HERE = os.path.dirname(os.path.abspath(__file__))
POSTERND = os.path.join(BUILD, "posternd")
POSTERNCTL = os.path.join(BUILD, "posternctl")


def kill_pid(pid):
    """At once, unless it has gone since somebody told its number."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def is_alive(pid):
    """It runs: it is neither gone nor a zombie."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Postern:
    """A daemon with a directory of its own, as root or not."""

    def __init__(self, config, env=None, directory=None, standins=None):
        self.dir = directory or tempfile.mkdtemp(prefix="postern-e2e-")
        os.chmod(self.dir, 0o755)
        self.path = os.path.join(self.dir, "postern.json5")
        self.log_path = os.path.join(self.dir, "log")
        self.env = dict(os.environ, **(env or {}))
        self.command = [POSTERND]
        self.process = None
        self.log = None
        config = dict(config)
        config.setdefault("store", {"path": os.path.join(self.dir, "store")})
        config.setdefault("postern", {})
        config["postern"].setdefault("runDir", os.path.join(self.dir, "run"))
        if os.geteuid() == 0:
            config["postern"].setdefault("user", "nobody")
            config["postern"].setdefault("storeUser", "daemon")
            config["postern"].setdefault("group", "nogroup")
        if standins is not None or MEMCHECK:
            self.install(standins or {})
        if MEMCHECK:
            self.wrap(standins or {})
        self.write(config)

    def install(self, standins):
        """Programs of its own: {"postern-agent": "agent_standin.py"}."""
        to = os.path.join(self.dir, "bin")
        os.mkdir(to, 0o755)
        for name in os.listdir(BUILD):
            if name.startswith("postern") and "." not in name:
                shutil.copy(os.path.join(BUILD, name), to)
        for name, source in standins.items():
            shutil.copy(os.path.join(HERE, source), os.path.join(to, name))
            os.chmod(os.path.join(to, name), 0o755)
        self.command = [os.path.join(to, "posternd")]

    def wrap(self, standins):
        """Scripts in the place of all programs but the operator's."""
        to = os.path.join(self.dir, "bin")
        for name in os.listdir(to):
            path = os.path.join(to, name)
            if name == "posternctl" or name in standins:
                continue
            real = os.path.join(self.dir, name)
            os.rename(path, real)
            with open(path, "w") as f:
                f.write("#!/bin/sh\nexec " + VALGRIND % (
                    os.path.dirname(HERE), self.dir, real) + ' "$@"\n')
            os.chmod(path, 0o755)
        os.rename(os.path.join(self.dir, "posternd"),
                  os.path.join(to, "posternd"))

    def memcheck(self):
        """What valgrind has found in each process. Lines that begin with
        "--" are about itself: it does not know Landlock's system calls."""
        out = ""
        for name in os.listdir(self.dir):
            if name.startswith("memcheck."):
                with open(os.path.join(self.dir, name)) as f:
                    out += "".join(x for x in f if x.startswith("=="))
        return out

    def preface(self, role, before):
        """Of its own programs: this one's command line begins like that."""
        path = os.path.join(self.dir, "bin", "postern-" + role)
        os.rename(path, path + ".real")
        with open(path, "w") as f:
            f.write('#!/bin/sh\nexec %s %s.real "$@"\n' % (before, path))
        os.chmod(path, 0o755)

    def write(self, config):
        self.config = config
        with open(self.path + ".new", "w") as f:
            json.dump(config, f, indent=1)
        os.chmod(self.path + ".new", 0o600)
        os.rename(self.path + ".new", self.path)

    def start(self, wait=True, timeout=15):
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            [*self.command, "-d", "-f", self.path], env=self.env,
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        if wait:
            self.wait_connected(timeout)
        return self

    def logs(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def ctl(self, *args, check=True, timeout=30):
        sock = os.path.join(self.config["postern"]["runDir"], "control.sock")
        r = subprocess.run(
            [POSTERNCTL, "-s", sock, *args], capture_output=True, text=True,
            timeout=timeout * SLOWNESS)
        if check and r.returncode != 0:
            raise AssertionError("posternctl %s: %d\n%s%s" % (
                " ".join(args), r.returncode, r.stdout, r.stderr))
        return r

    def status(self):
        return json.loads(self.ctl("status", "--json").stdout)

    def account(self, name="default"):
        for a in self.status()["accounts"]:
            if a["id"] == name:
                return a
        raise AssertionError("no account " + name)

    def wait(self, what, timeout=15):
        """Until what() is true; its value."""
        last = None
        for _ in tries(timeout):
            if self.process and self.process.poll() is not None:
                raise AssertionError("posternd has ended\n" + self.logs())
            try:
                got = what()
                if got:
                    return got
                last = None
            except (AssertionError, ValueError, KeyError,
                    subprocess.TimeoutExpired) as e:
                last = e
        raise AssertionError("timeout: %s\n%s" % (last, self.logs()[-6000:]))

    def wait_logged(self, *parts):
        """A worker's line passes through the daemon: it may come after
        what the line is about."""
        self.wait(lambda: all(x in self.logs() for x in parts))

    def wait_state(self, name, state, timeout=15):
        return self.wait(
            lambda: self.account(name)["state"] == state, timeout)

    def wait_connected(self, timeout=15):
        self.wait(lambda: all(
            a["state"] == "connected" for a in self.status()["accounts"]),
            timeout)

    def pids(self):
        """{"account:default": pid, ...} of the workers."""
        out = {}
        for w in self.status()["workers"]:
            key = w["role"] + (":" + w["name"] if w.get("name") else "")
            out[key] = w["pid"]
        return out

    def sanitized(self):
        """A sanitizer's build keeps what is freed, and so does memcheck:
        memory tells nothing."""
        if MEMCHECK:
            return True
        with open(POSTERND, "rb") as f:
            return b"libasan" in f.read()

    def children(self):
        """Pids of the daemon and all that it started, from /proc."""
        found = []
        top = self.process.pid
        for p in os.listdir("/proc"):
            if not p.isdigit():
                continue
            try:
                with open("/proc/%s/stat" % p) as f:
                    ppid = int(f.read().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            if ppid == top:
                found.append(int(p))
        return [top] + found

    def kill_all(self):
        """The power plug: everything at once, no goodbye."""
        pids = self.children()
        for pid in pids:
            kill_pid(pid)
        self.process.wait()
        # The last of them may still hold the control socket.
        end = time.monotonic() + 10
        while time.monotonic() < end and any(map(is_alive, pids)):
            time.sleep(0.005)
        self.log.close()
        self.process = None

    def stop(self, timeout=15):
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            rc = self.process.wait(timeout * SLOWNESS)
        except subprocess.TimeoutExpired:
            self.kill_all()
            raise AssertionError("posternd does not stop\n" + self.logs())
        self.log.close()
        self.process = None
        return rc

    def close(self):
        try:
            self.stop()
            # A worker that a sanitizer ended has been restarted.
            logs = self.logs() if os.path.exists(self.log_path) else ""
            for word in ("Sanitizer", "runtime error:"):
                assert word not in logs, logs[-20000:]
            found = self.memcheck()
            assert not found, found[:20000]
        finally:
            shutil.rmtree(self.dir, ignore_errors=True)
