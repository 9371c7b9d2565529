"""A server that gets another address while it is talked to: the name is
asked for again with every new connection, and nothing is missed."""

import os
import shutil
import subprocess

import pytest

from patience import tries
from test_liveness import IdleProxy

NAME = "chat.postern.test"
# A view of /etc/hosts of its own, so that names can change.
VIEW = ["unshare", "-m", "sh", "-c",
        'mount --bind "$0" /etc/hosts && exec "$@"']

pytestmark = pytest.mark.simulator


def has_views(hosts):
    return shutil.which("unshare") and subprocess.run(
        [*VIEW, hosts, "true"], capture_output=True).returncode == 0


def move(hosts, address):
    with open(hosts, "w") as f:
        f.write("127.0.0.1 localhost\n%s %s\n" % (address, NAME))


def test_server_with_another_address(sim, world, tmp_path):
    hosts = str(tmp_path / "hosts")
    move(hosts, "127.0.0.1")
    os.chmod(tmp_path, 0o755)
    if not has_views(hosts):
        pytest.skip("no mount namespace here")
    proxy = IdleProxy(sim.admin.host, sim.admin.port, 600,
                      ("127.0.0.2", sim.admin.port))
    p = world.start(world.config(
        baseUrl="http://%s:%d" % (NAME, sim.admin.port)), start=False)
    p.command = [*VIEW, hosts, *p.command]
    p.start()
    assert "one." in world.ask("one.")
    assert proxy.accepted == 0
    # What is said meanwhile is found at the new address.
    move(hosts, "127.0.0.2")
    sim.fault("refuse", on=True)
    sim.fault("ws_reset", user=world.bot.name)
    p.wait(lambda: proxy.accepted > 0)
    for text in ("two.", "three."):
        world.user.say(world.dm, text)
    sim.fault("refuse", on=False)
    p.wait(lambda: len(world.said()) >= 3, 46)
    for _ in tries(0.5):
        assert len(world.said()) == 3
    assert [w in t for w, t in zip(("one.", "two.", "three."),
                                   world.said())] == [True] * 3
    # Nobody there at all, for a while.
    move(hosts, "127.0.0.3")
    sim.fault("ws_reset", user=world.bot.name)
    sim.fault("drop_http")
    p.wait_state("default", "backoff")
    world.user.say(world.dm, "four.")
    move(hosts, "127.0.0.2")
    p.wait(lambda: len(world.said()) >= 4, 46)
    assert "four." in world.said()[3]
    proxy.close()
