"""The service files: the fence holds, and Postern works inside of it."""

import grp
import os
import pwd
import re
import shutil
import signal
import subprocess

import pytest

from daemon import MEMCHECK
from mattermost import BUILD

UNIT = os.path.join(BUILD, "etc", "systemd", "postern.service")


def settings(key):
    with open(UNIT) as f:
        return [line.split("=", 1)[1].strip() for line in f
                if line.startswith(key + "=")]


BITS = {"CAP_KILL": 5, "CAP_SETGID": 6, "CAP_SETUID": 7,
        "CAP_SYS_CHROOT": 18}


def bits(names):
    return sum(1 << BITS[n] for n in names)


def status(pid):
    with open("/proc/%d/status" % pid) as f:
        return dict(line.split(":", 1) for line in f)


def caps_of(pid):
    """Effective and permitted: one number when they are the same."""
    s = status(pid)
    return {int(s["CapEff"], 16), int(s["CapPrm"], 16)}


def uid_of(pid):
    return {int(n) for n in status(pid)["Uid"].split()}


def as_user(user, keep, command):
    return ["setpriv", "--reuid", str(user.pw_uid), "--regid",
            str(user.pw_gid), "--groups",
            str(grp.getgrnam("nogroup").gr_gid), "--bounding-set",
            ",".join(["-all"] + keep), "--inh-caps", ",".join(keep),
            "--ambient-caps", ",".join(keep), "--no-new-privs"] + command


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"),
                    reason="needs root and setpriv")
@pytest.mark.skipif(MEMCHECK is not None, reason="memcheck writes where bin may not")
def test_capabilities_of_the_unit_are_enough(world):
    names = " ".join(settings("CapabilityBoundingSet")).split()
    assert names and "CAP_SYS_ADMIN" not in names
    keep = ["+" + n[len("CAP_"):].lower() for n in names]
    assert settings("AmbientCapabilities") == [" ".join(names)]
    assert settings("User") == ["_posternd"]
    config = world.config()
    # Programs of its own: not everybody may look into the build directory.
    p = world.daemons(config, start=False, standins={})
    user = pwd.getpwnam("bin")  # any but root, nobody and daemon
    store = os.path.join(p.dir, "store")
    for path in (store, os.path.join(store, "media")):
        os.mkdir(path, 0o700)
        os.chown(path, pwd.getpwnam("daemon").pw_uid,
                 pwd.getpwnam("daemon").pw_gid)
    os.mkdir(os.path.join(p.dir, "run"), 0o755)
    for path in (p.path, os.path.join(p.dir, "run")):
        os.chown(path, user.pw_uid, user.pw_gid)
    p.command = as_user(user, keep, p.command)
    p.start()
    world.postern = p
    assert "hello" in world.ask("hello")
    assert caps_of(p.process.pid) == {bits(names)}
    assert uid_of(p.process.pid) == {user.pw_uid}
    # The workers have none of it, and are other users, locked in.
    for name, pid in p.pids().items():
        assert caps_of(pid) == {0}, name
        want = "daemon" if name == "store" else "nobody"
        assert uid_of(pid) == {pwd.getpwnam(want).pw_uid}, name
        root = os.readlink("/proc/%d/root" % pid)
        assert root == (store if name == "store" else
                        "/" if name == "dialer" else
                        os.path.join(p.dir, "run", "empty")), name
    # It can end what runs as somebody else, and start it again.
    os.kill(p.pids()["account:default"], signal.SIGSTOP)
    p.ctl("upgrade", timeout=90)
    p.wait_connected()
    assert "again" in world.ask("again")
    assert p.stop() == 0


@pytest.mark.skipif(not shutil.which("systemd-analyze"),
                    reason="needs systemd-analyze")
def test_exposure_of_the_unit():
    r = subprocess.run(
        ["systemd-analyze", "security", "--no-pager", "--offline=yes", UNIT],
        capture_output=True, text=True)
    level = re.search(r"exposure level for \S+: ([0-9.]+)", r.stdout)
    assert level, r.stdout + r.stderr
    assert float(level.group(1)) <= 2.0, r.stdout


@pytest.mark.skipif(not shutil.which("apparmor_parser"),
                    reason="needs apparmor_parser")
def test_apparmor_profile():
    """It is taken, and has every program of ours."""
    path = os.path.join(BUILD, "etc", "apparmor", "postern")
    r = subprocess.run(["apparmor_parser", "-Q", "-K", "-T", path],
                       capture_output=True, text=True)
    assert r.returncode == 0, r.stdout + r.stderr
    r = subprocess.run(["apparmor_parser", "-N", path],
                       capture_output=True, text=True)
    programs = {"posternd"} | {n for n in os.listdir(BUILD)
                               if n.startswith("postern-") and "." not in n
                               and os.access(os.path.join(BUILD, n), os.X_OK)}
    assert set(r.stdout.split()) == programs
