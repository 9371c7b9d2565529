"""The service files: the fence holds, and Postern works inside of it."""

import os
import re
import shutil
import subprocess

import pytest

from daemon import POSTERND
from mattermost import BUILD

UNIT = os.path.join(BUILD, "etc", "systemd", "postern.service")


def settings(key):
    with open(UNIT) as f:
        return [line.split("=", 1)[1].strip() for line in f
                if line.startswith(key + "=")]


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"),
                    reason="needs root and setpriv")
def test_capabilities_of_the_unit_are_enough(world):
    names = " ".join(settings("CapabilityBoundingSet")).split()
    assert names and "CAP_SYS_ADMIN" not in names
    keep = ["+" + n[len("CAP_"):].lower() for n in names]
    p = world.daemons(world.config(), start=False)
    p.command = ["setpriv", "--bounding-set", ",".join(["-all"] + keep),
                 "--inh-caps=-all", "--no-new-privs", POSTERND]
    p.start()
    world.postern = p
    assert "hello" in world.ask("hello")
    with open("/proc/%d/status" % p.process.pid) as f:
        caps = dict(line.split(":", 1) for line in f)
    assert bin(int(caps["CapEff"], 16)).count("1") == len(names)


@pytest.mark.skipif(not shutil.which("systemd-analyze"),
                    reason="needs systemd-analyze")
def test_exposure_of_the_unit():
    r = subprocess.run(
        ["systemd-analyze", "security", "--no-pager", "--offline=yes", UNIT],
        capture_output=True, text=True)
    level = re.search(r"exposure level for \S+: ([0-9.]+)", r.stdout)
    assert level, r.stdout + r.stderr
    assert float(level.group(1)) <= 2.8, r.stdout
