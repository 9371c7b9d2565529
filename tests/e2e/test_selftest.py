"""A sandbox that does not hold: the worker sees it and does not start."""

import os
import socket
import subprocess

import pytest

from callback_rig import Link
from callbacks import until
from mattermost import BUILD

ROLES = ("account", "agent", "callback", "control", "store", "dialer")
VOID = os.path.join(BUILD, "tests", "sandbox", "void_filter")
BROKEN = "the sandbox does not hold"


def can_void():
    return os.path.exists(VOID) and subprocess.run(
        [VOID, "/bin/true"], capture_output=True).returncode == 0


pytestmark = pytest.mark.skipif(
    not can_void(), reason="no system call filter in this build")


def start(role, directory, *before):
    """The shipped program, with our end of its channel."""
    ours, theirs = socket.socketpair()
    p = subprocess.Popen(
        [*before, os.path.join(BUILD, "postern-" + role), "-n", "x", "-u",
         str(os.geteuid()), "-g", str(os.getegid()), "-c", directory, "-R"],
        preexec_fn=lambda: os.dup2(theirs.fileno(), 3), pass_fds=(3,),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True)
    theirs.close()
    return p, Link(ours)


@pytest.mark.parametrize("role", ROLES)
def test_a_filter_that_does_nothing(role, tmp_path):
    # As it is, it says hello.
    p, link = start(role, str(tmp_path))
    until(lambda: link.of("hello") or p.poll() is not None)
    assert link.of("hello"), p.stdout.read()
    link.close()
    p.wait(15)
    # Without its filter, with Landlock or without, it never does.
    for before in ([VOID], [VOID, "-l"]):
        p, link = start(role, str(tmp_path), *before)
        assert p.wait(15) == 1
        until(lambda: link.closed)
        # Where its last words go: standard error is not its own.
        assert BROKEN in p.stdout.read() + "".join(
            m["line"] for m in link.of("log"))
        assert link.got == link.of("log")
        link.close()


def test_the_supervisor_says_which(world):
    """One program alone: its worker is down and says why, others run."""
    p = world.start(start=False, standins={})
    p.preface("account", VOID)
    p.start(wait=False)
    p.wait(lambda: BROKEN in p.logs() and p.account()["state"] == "down")
    for w in p.status()["workers"]:
        assert w["restarts"] == 0 or w["role"] == "account", w
