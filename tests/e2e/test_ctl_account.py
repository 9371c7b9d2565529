"""--account: of one that there is not, or that nothing can be sent through."""

import json
import os
import subprocess

import pytest

from conftest import account
from daemon import POSTERNCTL

POST = "p" * 26
TARGET = "channel:" + "c" * 26


def run(p, *args, **kw):
    return subprocess.run(
        [POSTERNCTL, "-s", os.path.join(p.dir, "run", "control.sock"), *args],
        capture_output=True, text=True, timeout=60, **kw)


@pytest.fixture
def three(world):
    c = world.config()
    c["channels"]["mattermost"] = {"accounts": {
        "main": account(world.server, world.bot),
        "off": {"enabled": False, "botToken": "x" * 26,
                "baseUrl": world.server.url},
        "bare": {"botToken": "x" * 26}}}
    p = world.start(c, start=False)
    with open(os.path.join(p.dir, "old.json"), "w") as f:
        json.dump({"version": 1, "allowFrom": ["u" * 26]}, f)
    p.start(wait=False)
    p.wait_state("main", "connected")
    return world


# Through a live account, of the daemon's own records, and of the file.
SENDS = [
    ["message", "send", "-t", TARGET, "-m", "x"],
    ["message", "react", "--message-id", POST, "--emoji", "tada"],
    ["message", "read", "-t", TARGET],
    ["message", "broadcast", "--targets", TARGET, "-m", "x"],
    ["message", "sign"],
    ["directory", "self"],
    ["directory", "peers", "list"],
    ["directory", "groups", "list"],
    ["directory", "groups", "members", "--group-id", TARGET],
    ["channels", "resolve", "@somebody"],
    ["cron", "add", "--every", "1h", "--to", TARGET, "-m", "x"],
]
RECORDS = [
    ["pairing", "list"],
    ["pairing", "approve", "ABCD2345"],
    ["pairing", "revoke", "u" * 26],
    ["pairing", "import", "OLD"],
    ["channels", "dead-letters", "list"],
    ["channels", "dead-letters", "resubmit", "1"],
    ["explain", POST],
    ["cron", "list"],
    ["cron", "enable", "abc"],
    ["cron", "disable", "abc"],
    ["cron", "rm", "abc"],
    ["cron", "run", "abc"],
    ["channels", "capabilities", "-f", "FILE"],
]


def call(world, args, name):
    p = world.postern
    args = [{"FILE": p.path, "OLD": os.path.join(p.dir, "old.json")}.get(a, a)
            for a in args]
    return run(p, *args, "--account", name, input='{"action_id":"x"}')


@pytest.mark.simulator
def test_an_account_that_is_not_there(three):
    for args in SENDS + RECORDS:
        r = call(three, args, "nobody")
        assert r.returncode == 1, (args, r.stdout)
        assert 'there is no account "nobody", only bare, main, off' in \
            r.stderr, (args, r.stderr)
        assert not r.stdout or "nobody" in r.stdout, (args, r.stdout)


def test_an_account_that_is_off(three):
    for args in SENDS:
        r = call(three, args, "off")
        assert r.returncode == 1, (args, r.stdout)
        assert 'Mattermost account "off" is disabled' in r.stderr, (
            args, r.stderr)
        r = call(three, args, "bare")
        assert r.returncode == 1, (args, r.stdout)
        assert "Mattermost botToken/baseUrl missing." in r.stderr, (
            args, r.stderr)
    # What is recorded of it can be looked at, and prepared.
    r = call(three, ["pairing", "list"], "off")
    assert r.returncode == 0 and "No pending" in r.stdout, r.stderr
    r = call(three, ["pairing", "import", "OLD"], "off")
    assert r.returncode == 0, r.stderr


def test_an_account_in_other_letters(three):
    """As the configuration file may have it."""
    r = call(three, ["directory", "self"], "Main")
    assert r.returncode == 0 and three.bot.name in r.stdout, r.stderr
    r = call(three, ["channels", "capabilities", "-f", "FILE"], "MAIN")
    assert r.returncode == 0 and "main" in r.stdout, r.stderr


def test_jobs_of_an_account_that_is_gone(three):
    """They can still be taken away."""
    p = three.postern
    job = json.loads(call(three, [
        "cron", "add", "--every", "1h", "--to", TARGET, "-m", "x",
        "--json"], "main").stdout)["id"]
    c = dict(p.config)
    accounts = c["channels"]["mattermost"]["accounts"]
    accounts["other"] = accounts.pop("main")
    p.write(c)
    assert run(p, "reload").returncode == 1  # "bare" lacks what it needs
    del accounts["bare"]
    p.write(c)
    assert run(p, "reload").returncode == 0
    assert job in run(p, "cron", "list").stdout
    r = call(three, ["cron", "rm", job], "main")
    assert r.returncode == 0, r.stderr
    assert job not in run(p, "cron", "list").stdout


def test_the_log_of_an_account_that_is_not_there(three, tmp_path):
    p = three.postern
    log = tmp_path / "log"
    log.write_text("2026-01-01 account: x account=gone y=1\n")
    file = tmp_path / "f.json5"
    file.write_text(json.dumps(dict(p.config, log={"destination": str(log)})))
    file.chmod(0o600)
    for name, rc in (("gone", 0), ("main", 0), ("nobody", 1)):
        r = run(p, "channels", "logs", "-f", str(file), "--account", name)
        assert r.returncode == rc, (name, r.stderr)
        assert (rc == 1) == ('no account "nobody"' in r.stderr)
