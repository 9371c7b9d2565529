"""posternctl channels add and remove, doctor, and a daemon that is not there."""

import json
import os
import re
import shutil
import sqlite3
import stat
import subprocess

import pytest

from daemon import POSTERNCTL

COMMENT = "// what the operator wrote\n"


def run(p, *args, sock=None, **kw):
    sock = sock or os.path.join(p.dir, "run", "control.sock")
    return subprocess.run([POSTERNCTL, "-s", sock, *args], timeout=60,
                          capture_output=True, text=True, **kw)


def text(p):
    with open(p.path) as f:
        return f.read()


@pytest.fixture
def first(world):
    """A daemon with one account, and a file with a comment."""
    p = world.start()
    with open(p.path, "w") as f:
        f.write(COMMENT + json.dumps(p.config, indent=1))
    return world


def test_add_and_remove(first):
    p, server = first.postern, first.server
    bot = server.new_bot()
    channel = server.new_channel([bot])
    r = run(p, "channels", "add", "--channel", "mattermost", "--account",
            "Alerts", "--name", "Alerts", "--bot-token", "-", "--http-url",
            server.url, input=bot.token + "\n")
    assert r.returncode == 0, r.stderr
    assert 'Added Mattermost account "alerts".' in r.stdout
    assert text(p).startswith(COMMENT)
    assert stat.S_IMODE(os.stat(p.path).st_mode) == 0o600
    assert bot.token not in r.stdout + r.stderr
    p.wait_state("alerts", "connected")
    assert p.account("default")["state"] == "connected"
    assert run(p, "message", "send", "-a", "alerts", "-t",
               "channel:" + channel, "-m", "new").returncode == 0
    # Once more is refused, and nothing changes.
    before = text(p)
    r = run(p, "channels", "add", "--account", "alerts", "--token", "x",
            "--http-url", server.url)
    assert r.returncode == 1 and "already" in r.stderr and text(p) == before
    # Off, and then gone.
    r = run(p, "channels", "remove", "--account", "alerts")
    assert r.returncode == 0 and "Disabled" in r.stdout, r.stderr
    p.wait_state("alerts", "disabled")
    listed = run(p, "channels", "list").stdout
    assert "alerts" not in listed and "default" in listed
    assert "alerts" in run(p, "channels", "list", "--all").stdout
    r = run(p, "channels", "remove", "--account", "alerts", "--delete")
    assert r.returncode == 0, r.stderr
    p.wait(lambda: [a["id"] for a in p.status()["accounts"]] == ["default"])
    assert text(p).startswith(COMMENT) and bot.token not in text(p)
    assert os.listdir(p.dir).count("postern.json5") == 1
    assert not [n for n in os.listdir(p.dir) if n.startswith("postern.json5.")]


def test_add_refused(first):
    p = first.postern
    before = text(p)
    add = ["channels", "add", "--account", "x"]
    for args, said in (
            ([], "Mattermost requires --bot-token and --http-url (or "
             "--use-env)."),
            (["--bot-token", "t"], "requires --bot-token and --http-url"),
            (["--bot-token", "t", "--http-url", "nonsense"],
             "Mattermost --http-url must include a valid base URL."),
            (["--use-env"], "Mattermost env vars can only be used for the "
             "default account.")):
        r = run(p, *add, *args)
        assert r.returncode == 1 and said in r.stderr, r.stderr
    r = run(p, *add, "--bot-token", "s3cret", "--http-url",
            "https://chat.example.com", "--dry-run")
    assert r.returncode == 0 and "chat.example.com" in r.stdout
    assert "s3cret" not in r.stdout + r.stderr
    # What the daemon would not take is not written.
    r = run(p, *add, "--bot-token", "has space", "--name", "n" * 300,
            "--http-url", "https://chat.example.com")
    assert r.returncode == 1 and "nothing was changed" in r.stderr
    r = run(p, "channels", "remove", "--account", "nobody")
    assert r.returncode == 1 and "no account" in r.stderr
    r = run(p, "channels", "remove")
    assert r.returncode == 1 and "by hand" in r.stderr
    assert text(p) == before
    # A file that cannot be changed with care: what to write is shown.
    with open(p.path, "w") as f:
        f.write("{channels: [")
    r = run(p, *add, "--bot-token", "s3cret", "--http-url",
            "https://chat.example.com")
    assert r.returncode == 1 and "what belongs there" in r.stderr
    assert "s3cret" not in r.stderr and text(p) == "{channels: ["


def test_first_account_of_all(tmp_path, world):
    """No file yet, and no daemon."""
    path = str(tmp_path / "new.json5")
    r = subprocess.run(
        [POSTERNCTL, "-s", str(tmp_path / "none"), "channels", "add", "-f",
         path, "--bot-token", "t", "--http-url", "https://chat.example.com"],
        capture_output=True, text=True, timeout=30)
    assert r.returncode == 0, r.stderr
    assert "not running" in r.stdout
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    r = subprocess.run([POSTERNCTL, "config", "check", "-f", path],
                       capture_output=True, text=True, timeout=30)
    assert r.returncode == 0, r.stdout + r.stderr


def findings(p, *args):
    r = run(p, "doctor", "--json", *args)
    got = json.loads(r.stdout)
    assert r.returncode == (0 if got["ok"] else 1)
    return {f["code"]: f for f in got["findings"]}


def test_doctor(first):
    p = first.postern
    os.chmod(os.path.join(p.dir, "store"), 0o700)
    found = findings(p)
    errors = [f for f in found.values() if f["level"] == "error"]
    assert not errors, found
    c = json.loads(text(p)[len(COMMENT):])
    mm = c["channels"]["mattermost"]
    mm.update(streamMode="block", groupPolicy="allowlist",
              groupAllowFrom=["@alice"], dmPolicy="allowlist",
              allowFrom=["bob"])
    with open(p.path, "w") as f:
        json.dump(c, f)
    os.chmod(p.path, 0o666)
    found = findings(p)
    assert found["file.mode"]["level"] == "error"
    os.chmod(p.path, 0o600)
    found = findings(p)
    assert "streamMode" in found["config.legacy"]["text"]
    assert found["allowlist.no-match"]["level"] == "warning"
    mm.update(groupAllowFrom=[], allowFrom=[])
    del mm["streamMode"]
    with open(p.path, "w") as f:
        json.dump(c, f)
    found = findings(p)
    assert {"group-policy.never", "dm-policy.never"} <= set(found)
    assert "config.legacy" not in found
    with open(p.path, "w") as f:
        f.write("{ nonsense: ")
    assert findings(p)["config.error"]["level"] == "error"
    os.unlink(p.path)
    assert "file.missing" in findings(p)
    shown = run(p, "doctor")
    assert shown.returncode == 1 and "file.missing" in shown.stdout


def test_doctor_of_accounts(sim, first):
    p = first.postern
    sim.admin.post("/users/tokens/revoke", {"token_id": first.bot.token_id})
    os.kill(p.pids()["account:default"], 9)
    p.wait_state("default", "parked", 60)
    found = findings(p)
    assert found["account.parked"]["level"] == "error"
    for args in (["message", "send", "-t", "#x", "-m", "x"],
                 ["directory", "peers", "list"]):
        r = run(p, *args)
        assert r.returncode == 1
        assert "account default is not connected: the server refuses" in \
            r.stderr
    assert "worker.restarts" in found
    p.stop()
    assert "daemon.down" in findings(p, "-f", p.path)


def test_each_error_has_a_line(first):
    p = first.postern
    with open(p.path, "w") as f:
        json.dump(dict(p.config, log={"levle": "info", "format": 5}), f)
    for verb in (["config", "check"], ["reload"]):
        r = run(p, *verb)
        assert r.returncode == 1
        lines = r.stderr.splitlines()
        assert len(lines) >= 2 and "?/" not in r.stderr, r.stderr
        assert sum("levle" in x for x in lines) == 1
        assert sum("log.format" in x for x in lines) == 1


def test_doctor_of_the_store(first):
    """A store that cannot do its work is found; the account is not at fault."""
    p = first.postern
    p.stop()
    path = os.path.join(p.dir, "store", "postern.db")
    db = sqlite3.connect(path)
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    db.execute("BEGIN EXCLUSIVE")
    p.start(wait=False)
    p.wait(lambda: [w for w in p.status()["workers"]
                    if w["role"] == "store" and w["state"] == "backoff"])
    found = findings(p)
    db.close()
    assert found["worker.backoff"]["level"] == "error"
    assert "store is backoff: " in found["worker.backoff"]["text"]
    assert found["store.silent"]["level"] == "error"
    assert found["account.up"]["level"] == "warning"
    p.wait_connected(30)


def test_doctor_counts_lines_from_one(world):
    c = world.config(commands={"native": True, "callbackUrl":
                               "http://127.0.0.1:9/x"})
    p = world.daemons(c, start=False)
    text = findings(p, "-f", p.path)["config.note"]["text"]
    assert "AllowedUntrustedInternalConnections" in text
    assert not text.startswith("line ")


def test_no_daemon(tmp_path):
    sock = str(tmp_path / "control.sock")
    for args in (["status"], ["message", "send", "-t", "@x", "-m", "x"],
                 ["directory", "peers", "list"], ["channels", "status"],
                 ["channels", "list"], ["sessions", "list"]):
        r = run(None, *args, sock=sock)
        assert r.returncode == 1
        assert "posternd is not running" in r.stderr
        assert "systemctl start postern" in r.stderr


def test_what_the_file_says(world):
    c = world.config()
    c["channels"]["mattermost"]["accounts"] = {"off": {"enabled": False}}
    p = world.start(c, start=False)
    r = run(p, "channels", "status", "-f", p.path)
    assert r.returncode == 1 and "systemctl start postern" in r.stderr
    assert "not running" in r.stdout and world.server.url in r.stdout
    assert "off" not in r.stdout.split()
    r = run(p, "channels", "list", "--all", "--json", "-f", p.path)
    got = {a["id"]: a for a in json.loads(r.stdout)}
    assert got["off"]["state"] == "disabled"
    assert got["default"]["configured"]
    assert got["default"]["botTokenSource"] == "config"
    assert world.bot.token not in r.stdout
    # Which the daemon says just as well.
    p.start(wait=False)
    p.wait_state("default", "connected")
    r = run(p, "channels", "status", "--json", "--probe")
    said = {a["accountId"]: a for a in json.loads(r.stdout)}
    for key in ("configured", "botTokenSource", "baseUrlSource"):
        assert said["default"][key] == got["default"][key]
        assert said["off"][key] == got["off"][key]
    r = run(p, "channels", "status", "--probe")
    assert re.search(r"^off +not asked", r.stdout, re.M)
    assert re.search(r"^default +ok +200", r.stdout, re.M)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_socket_of_others(world):
    p = world.start(standins={})  # in a directory that all may look into
    sock = os.path.join(p.dir, "run", "control.sock")
    os.chmod(os.path.join(p.dir, "run"), 0o755)
    r = subprocess.run(
        [os.path.join(p.dir, "bin", "posternctl"), "-s", sock, "status"], capture_output=True, text=True,
        timeout=30, user=12345, group=12345, extra_groups=[])
    assert r.returncode == 1
    # That of this configuration, and not of the build.
    assert "member of group nogroup" in r.stderr


def test_help_of_each_verb():
    def help(*args):
        r = subprocess.run([POSTERNCTL, *args, "--help"], timeout=30,
                           capture_output=True, text=True)
        assert r.returncode == 0 and not r.stderr
        return r.stdout

    top = help()
    for verb in ("message", "directory", "channels", "doctor", "pairing"):
        assert verb in top
    shown = help("message", "send")
    assert "--target TO" in shown and "must be given" in shown
    assert "channels" not in shown
    assert "broadcast" in help("message")
    assert "--probe" in help("ch", "stat")
    r = subprocess.run([POSTERNCTL, "help", "ch", "stat"], timeout=30,
                       capture_output=True, text=True)
    assert r.returncode == 0 and r.stdout == help("channels", "status")
    r = subprocess.run([POSTERNCTL, "mesage"], capture_output=True, text=True,
                       timeout=30)
    assert r.returncode == 2 and 'did you mean "message"' in r.stderr
    # What was meant is all that is said.
    assert r.stderr.count("\n") == 1
    r = subprocess.run([POSTERNCTL, "st"], capture_output=True, text=True,
                       timeout=30)
    assert r.returncode == 2
    assert r.stderr == 'posternctl: ambiguous verb "st": status, stop\n'


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_completion(tmp_path):
    script = subprocess.run([POSTERNCTL, "completion", "bash"], check=True,
                            capture_output=True, text=True).stdout
    assert "complete -o default -F _posternctl posternctl" in script

    def complete(*words):
        r = subprocess.run(
            ["bash", "-c", script + """
                COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
                _posternctl; echo "${COMPREPLY[@]}" """, "-", "posternctl",
             *words], capture_output=True, text=True, timeout=30)
        assert not r.stderr, r.stderr
        return r.stdout.split()

    assert complete("st") == ["status", "stop"]
    assert complete("channels", "dead-letters", "") == ["list", "resubmit"]
    # The value of an option is no verb.
    for option in (["-s", "/x"], ["--socket", "/x"], ["--socket", "=", "/x"]):
        assert complete(*option, "st") == ["status", "stop"], option
    assert complete("message", "send", "-m", "text", "--ta") == ["--target"]
    # Nothing of ours: then bash looks for files.
    assert complete("config", "check", "--file", "/et") == []
