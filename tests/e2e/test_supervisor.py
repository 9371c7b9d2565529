"""The supervisor and its workers, from outside: start, death, reload, end."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

from supervisor_rig import HERE, alive, daemon, unprivileged, wait_for

BAD = ("unlisted", "ctl", "deep", "long", "huge", "garbage", "badtype",
       "extra", "badword", "descriptor")


def test_start_wires_everybody(daemon):
    daemon.configure("one", "two")
    daemon.start()
    assert daemon.seen("standin account (one|two): started", count=2)
    log = daemon.log()
    for want in (
            r"account one: secret token 12 bytes",
            r"account one: link dial  null",
            r"account one: link store  null",
            r"account one: link turn main null",
            r"account one: link control  null",
            r"agent main: link turn one null",
            r"agent main: link turn two null",
            r"agent main: link store  null",
            r"agent main: link control  null",
            r'dialer: link account one {"endpoints":\[\d+\]}',
            r'dialer: link account two {"endpoints":\[\d+\]}'):
        assert re.search(want, log), want
    # The echo agent dials nobody.
    assert "link agent main" not in log
    assert "agent main: link dial" not in log
    # Everything that is known at the start comes before "started".
    one = [line for line in log.splitlines() if "account one:" in line]
    assert "started" in one[-1] or "started" in one[-2], one


def test_status(daemon):
    daemon.configure("one", "two")
    daemon.start()
    assert wait_for(lambda: daemon.status()["summary"]
                    == "2/2 accounts connected")
    status = daemon.status()
    assert {a["id"]: (a["state"], a["user"]) for a in status["accounts"]} == {
        "one": ("connected", "@one"), "two": ("connected", "@two")}
    assert status["store"]["accounts"] is not None
    assert {w["role"] for w in status["workers"]} == {
        "store", "dialer", "agent", "account", "control"}
    text = daemon.ctl("status").stdout
    assert "2/2 accounts connected" in text
    assert "\033" not in text
    listed = daemon.ctl("channels", "list").stdout
    assert "http://127.0.0.1:9" in listed and "@two" in listed


def test_secret_is_nowhere_to_be_seen(daemon):
    daemon.configure("one", tokens={"one": "verysecrettoken"})
    daemon.start("-v")
    assert "verysecrettoken" not in daemon.log()
    assert "verysecrettoken" not in json.dumps(daemon.status())
    for pid in daemon.pids().values():
        proc = pathlib.Path(f"/proc/{pid}")
        assert b"verysecrettoken" not in (proc / "cmdline").read_bytes()
        try:
            environ = (proc / "environ").read_bytes()
        except PermissionError:
            continue  # not dumpable: nobody can look
        assert environ.count(b"=") <= 1 and environ.startswith(b"TZ=")


def test_dead_worker_restarts_alone(daemon):
    daemon.configure("one", "two")
    daemon.start()
    before = daemon.pids()
    os.kill(before["account", "one"], signal.SIGKILL)
    assert daemon.seen("worker.died role=account name=one .*signal 9.*"
                       "retryMs=1000")
    assert wait_for(
        lambda: daemon.pids().get(("account", "one"), before[
            "account", "one"]) != before["account", "one"])
    after = daemon.pids()
    for key, pid in before.items():
        assert (after[key] == pid) == (key != ("account", "one")), key
    # Both ends of its links got new ones.
    assert daemon.seen("agent main: link turn one", count=2)
    assert daemon.seen("dialer: link account one", count=2)
    assert daemon.seen("account one: link turn main", count=2)
    assert len(re.findall("account two: link", daemon.log())) == 4
    one = [w for w in daemon.status()["workers"] if w.get("name") == "one"]
    assert one[0]["restarts"] == 1


def test_dead_agent_and_store_are_linked_again(daemon):
    daemon.configure("one")
    daemon.start()
    before = daemon.pids()
    os.kill(before["agent", "main"], signal.SIGKILL)
    assert daemon.seen("account one: link turn main", count=2)
    os.kill(before["store", ""], signal.SIGKILL)
    assert daemon.seen("account one: link store", count=2)
    assert daemon.pids()["account", "one"] == before["account", "one"]
    assert wait_for(lambda: "store" in daemon.status())


def test_broken_promise_ends_only_that_worker(daemon):
    daemon.configure(*BAD, "one")
    daemon.start()
    for name in BAD:
        assert daemon.seen(f"worker.died role=account name={name}"), name
    assert daemon.seen("account one: started")
    assert daemon.proc.poll() is None
    status = daemon.status()
    states = {a["id"]: a["state"] for a in status["accounts"]}
    assert states["one"] == "connected"
    assert {w["role"]: w["restarts"] for w in status["workers"]
            if w.get("name") not in BAD} == {
        "store": 0, "dialer": 0, "agent": 0, "account": 0, "control": 0}
    # Each is tried again, later and later.
    for name in BAD:
        assert daemon.seen(f"name={name} .*retryMs=2000", 6), name
    assert "name=one" not in daemon.log()


def test_death_is_named(daemon):
    daemon.configure("crash", "sigsys", "oldversion", "one")
    daemon.start()
    assert daemon.seen('name=crash why="signal 11"')
    assert daemon.seen('name=sigsys why="signal 31 .sandbox violation.')
    assert daemon.seen('name=oldversion why="program of another version"')
    states = {a["id"]: a for a in daemon.status()["accounts"]}
    assert states["sigsys"]["state"] == "down"
    assert "sandbox violation" in states["sigsys"]["reason"]
    assert states["one"]["state"] == "connected"


def test_no_hello(daemon):
    daemon.configure("silent", "one")
    began = time.monotonic()
    daemon.start(ready=False)
    # The other one does not wait for it.
    assert daemon.seen("account one: started", 3)
    assert daemon.seen('name=silent why="no hello in time"', 14)
    assert time.monotonic() - began > 9.5
    assert daemon.seen("daemon.ready")


def test_missing_program(daemon):
    daemon.configure("one")
    (daemon.bin / "postern-agent").unlink()
    daemon.start()
    assert daemon.seen("worker.died role=agent name=main .*No such file")
    assert daemon.seen("account one: started")
    shutil.copy(HERE / "standin.py", daemon.bin / "postern-agent")
    (daemon.bin / "postern-agent").chmod(0o755)
    assert daemon.seen("account one: link turn main", 8)


def test_log_lines_cannot_be_forged_or_flooded(daemon):
    daemon.configure("newline", "flood")
    daemon.start()
    assert daemon.seen("account flood: started|flood 900")
    lines = daemon.log().splitlines()
    assert not any(line.startswith("forged") for line in lines)
    assert any("a?forged: line?[31m" in line for line in lines)
    assert sum(" flood " in line for line in lines) <= 1001


def test_accusations_are_not_a_flood_either(daemon):
    daemon.configure("accuser", "one")
    daemon.start()
    assert daemon.seen("account accuser: started")
    assert daemon.seen("link.broken role=store says=account")
    assert daemon.seen("account accuser: link store", count=2)
    assert daemon.log().count("link.broken") < 10
    assert {w["role"]: w["restarts"] for w in daemon.status()["workers"]
            }["store"] == 0


def test_sigterm_leaves_nothing(daemon):
    daemon.configure("one", "two")
    daemon.start()
    pids = daemon.pids()
    daemon.proc.terminate()
    assert daemon.proc.wait(10) == 0
    assert not any(alive(pid) for pid in pids.values())
    assert not daemon.socket.exists()
    log = daemon.log()
    assert log.index("stopped role=account") < log.index(
        "stopped role=store")
    assert "daemon.stopped" in log


def test_kill_of_the_supervisor_leaves_nothing(daemon):
    daemon.configure("one")
    daemon.start()
    pids = daemon.pids()
    daemon.proc.kill()
    daemon.proc.wait()
    assert wait_for(lambda: not any(alive(p) for p in pids.values()))
    # The socket that it left behind is not in the way.
    daemon.log_path.write_text("")
    daemon.own()
    daemon.start()
    assert daemon.status()["pid"] == daemon.proc.pid


def test_worker_that_does_not_stop(daemon):
    daemon.configure("stubborn", "one")
    daemon.start()
    pids = daemon.pids()
    began = time.monotonic()
    daemon.proc.terminate()
    assert daemon.proc.wait(10) == 0
    assert 4.5 < time.monotonic() - began < 8
    assert "did not stop in time" in daemon.log()
    assert not any(alive(pid) for pid in pids.values())


def test_ctl_stop(daemon):
    daemon.configure("one")
    daemon.start()
    pids = daemon.pids()
    r = daemon.ctl("stop")
    assert (r.returncode, r.stdout) == (0, "stopped\n")
    assert daemon.proc.wait(2) == 0
    assert not any(alive(pid) for pid in pids.values())
    r = daemon.ctl("status")
    assert r.returncode == 1
    assert "not running" in r.stderr and "start it with" in r.stderr


def test_second_instance_is_refused(daemon):
    daemon.configure("one")
    daemon.start()
    r = subprocess.run(
        [daemon.bin / "posternd", "-d", "-f", daemon.conf],
        capture_output=True, text=True, timeout=10, **unprivileged())
    assert r.returncode == 1
    assert f"running already in {daemon.top}/run, as process " \
        f"{daemon.proc.pid}" in r.stderr
    assert daemon.status()["pid"] == daemon.proc.pid


def test_something_else_in_the_sockets_place(daemon):
    daemon.configure("one")
    (daemon.top / "run").mkdir(mode=0o700)
    daemon.socket.write_text("precious")
    daemon.own()
    daemon.start(ready=False)
    assert daemon.proc.wait(5) == 1
    assert "is not a socket" in daemon.log()
    assert daemon.socket.read_text() == "precious"


def test_filled_empty_directory_is_refused(daemon):
    daemon.configure("one")
    (daemon.top / "run" / "empty").mkdir(parents=True)
    (daemon.top / "run" / "empty" / "x").write_text("")
    daemon.own()
    daemon.start(ready=False)
    assert daemon.proc.wait(5) == 1
    assert "must be empty" in daemon.log()


def test_background(daemon):
    daemon.configure("one", log={"destination": str(daemon.top / "file")})
    daemon.start(foreground=False, ready=False)
    assert daemon.proc.wait(5) == 0  # the parent, once all is up
    pid = daemon.status()["pid"]
    assert pid != daemon.proc.pid
    assert (daemon.top / "run" / "posternd.pid").read_text() == f"{pid}\n"
    assert daemon.ctl("stop").returncode == 0
    assert wait_for(lambda: not alive(pid))


def test_log_file_is_reopened(daemon):
    path = daemon.top / "file"
    daemon.configure("one", log={"destination": str(path),
                                 "format": "json"})
    daemon.start(foreground=False, ready=False)
    assert daemon.proc.wait(5) == 0
    pid = daemon.status()["pid"]
    try:
        for line in path.read_text().splitlines():
            assert "time" in json.loads(line)
        path.rename(daemon.top / "file.1")
        os.kill(pid, signal.SIGUSR1)
        assert wait_for(path.exists)
        assert wait_for(lambda: "log.reopened" in path.read_text())
    finally:
        assert daemon.ctl("stop").returncode == 0


def test_broken_file_keeps_the_old(daemon):
    daemon.configure("one")
    daemon.start()
    before = daemon.pids()
    daemon.configure(text="{ channels: { mattermost: { botTokne: 1 ")
    daemon.proc.send_signal(signal.SIGHUP)
    assert daemon.seen("reload.failed")
    for verb in (["reload"], ["config", "check"]):
        r = daemon.ctl(*verb)
        assert r.returncode == 1
        assert str(daemon.conf) in r.stderr
    assert daemon.pids() == before
    assert daemon.status()["reload"]["ok"] is False


def test_reload_touches_only_what_changed(daemon):
    daemon.configure("one", "two", "three")
    daemon.start()
    before = daemon.pids()
    daemon.configure("one", "two", "four", tokens={"two": "another"})
    r = daemon.ctl("reload")
    assert r.returncode == 0, r.stderr
    assert daemon.seen("reload.done")
    after = daemon.pids()
    assert after["account", "one"] == before["account", "one"]
    assert after["agent", "main"] == before["agent", "main"]
    assert after["store", ""] == before["store", ""]
    assert after["control", ""] == before["control", ""]
    assert after["account", "two"] != before["account", "two"]
    assert ("account", "three") not in after
    assert ("account", "four") in after
    assert not alive(before["account", "three"])
    assert daemon.seen("account two: secret token 7 bytes")
    assert daemon.seen("agent main: unlink turn three")
    assert daemon.seen("agent main: link turn four")
    # A new account is a new endpoint for the dialer, and a new link to it.
    assert after["dialer", ""] != before["dialer", ""]
    assert daemon.seen("account one: link dial", count=2)
    # Nothing changed: nothing happens.
    daemon.proc.send_signal(signal.SIGHUP)
    assert daemon.seen("reload.done", count=2)
    assert daemon.pids() == after


def test_reload_of_one_secret_leaves_the_dialer_alone(daemon):
    daemon.configure("one", "two")
    daemon.start()
    before = daemon.pids()
    daemon.configure("one", "two", tokens={"one": "another"})
    r = daemon.ctl("reload")
    assert "1 worker restarted, 0 added, 0 removed" in r.stdout
    assert daemon.seen("reload.done")
    after = daemon.pids()
    assert {k for k in before if before[k] != after[k]} == {
        ("account", "one")}


def test_reload_retries_the_dead_at_once(daemon):
    daemon.configure("crash", "one")
    daemon.start()
    assert daemon.seen("name=crash .*retryMs=2000")
    began = len(daemon.log())
    assert daemon.ctl("reload").returncode == 0
    assert wait_for(lambda: "retryMs=1000" in daemon.log()[began:], 1)


def test_certificates_come_with_https_alone(daemon):
    if not pathlib.Path("/etc/ssl/certs/ca-certificates.crt").exists():
        pytest.skip("no system certificates")
    daemon.configure("one", "two")
    conf = json.loads(daemon.conf.read_text())
    accounts = conf["channels"]["mattermost"]["accounts"]
    accounts["two"]["baseUrl"] = "https://127.0.0.1:9"
    daemon.configure(text=json.dumps(conf))
    daemon.start()
    assert daemon.seen("account two: started")
    assert daemon.seen("account one: started")
    assert "account two: fd ca" in daemon.log()
    assert "account one: fd" not in daemon.log()


@pytest.mark.skipif("POSTERN_TEST_SLOW" not in os.environ,
                    reason="takes a minute")
def test_deaf_worker_is_ended(daemon):
    daemon.configure("deaf", "one")
    daemon.start(env={"NOTIFY_SOCKET": str(daemon.top / "nobody"),
                      "PATH": os.environ["PATH"]})
    assert daemon.seen('name=deaf why="does not answer"', 65)
    assert daemon.seen("account deaf: started", count=2)
    assert "name=one" not in daemon.log()


def test_reloads_leave_no_descriptors(daemon):
    daemon.configure("one", "two")
    daemon.start()

    def open_files():
        found = {}
        for key in (("control", ""), ("store", "")):
            pid = daemon.pids()[key]
            found[key] = len(os.listdir(f"/proc/{pid}/fd"))
        found["supervisor"] = len(os.listdir(f"/proc/{daemon.proc.pid}/fd"))
        return found

    if os.geteuid() != 0:
        pytest.skip("needs root to look")
    # The connection of the last posternctl may still be among them.
    looks = [open_files() for _ in range(5)]
    before = {key: min(look[key] for look in looks) for key in looks[0]}
    for i in range(1, 11):
        daemon.configure("one", "two", tokens={"one": f"token{i}"})
        assert daemon.ctl("reload").returncode == 0
        assert daemon.seen("reload.done", count=i)
    assert wait_for(lambda: open_files() == before), (before, open_files())


def test_hup_during_a_reload_is_remembered_once(daemon):
    daemon.configure("stubborn", "one")
    daemon.start()
    daemon.configure("stubborn", "one", tokens={"stubborn": "another"})
    daemon.proc.send_signal(signal.SIGHUP)
    assert daemon.seen("reload.applied")
    # It takes five seconds to get rid of the old one.
    for _ in range(3):
        daemon.proc.send_signal(signal.SIGHUP)
        time.sleep(0.1)
    assert len(re.findall("reload.applied", daemon.log())) == 1
    assert daemon.seen("reload.done", 10, count=2)
    time.sleep(0.3)
    assert len(re.findall("reload.applied", daemon.log())) == 2


def test_service_manager(daemon):
    daemon.configure("one", "two")
    path = daemon.top / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(str(path))
        path.chmod(0o777)
        s.settimeout(5)
        got = []

        def hear(word):
            end = time.monotonic() + 6
            while not any(word in g for g in got):
                if time.monotonic() > end:
                    return False
                try:
                    got.append(s.recv(4096).decode())
                except socket.timeout:
                    return False
            return True

        daemon.start(env={"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC":
                          "600000", "PATH": os.environ["PATH"]})
        assert hear("READY=1")
        assert hear("STATUS=2/2 accounts connected")
        assert hear("WATCHDOG=1")
        got.clear()
        daemon.proc.send_signal(signal.SIGHUP)
        assert hear("RELOADING=1\nMONOTONIC_USEC=")
        assert hear("READY=1")
        # One that hangs: the truth is not told any more.
        pid = daemon.pids()["account", "one"]
        os.kill(pid, signal.SIGSTOP)
        time.sleep(11)
        s.setblocking(False)
        try:
            while True:
                s.recv(4096)
        except BlockingIOError:
            pass
        s.settimeout(5)
        got.clear()
        time.sleep(1)
        os.kill(pid, signal.SIGCONT)
        assert hear("WATCHDOG=1")
        daemon.proc.terminate()
        assert hear("STOPPING=1")


def test_check_only(daemon):
    daemon.configure("one")

    def check(*args):
        return subprocess.run(
            [daemon.bin / "posternd", "-n", "-f", daemon.conf, *args],
            capture_output=True, text=True, timeout=10, **unprivileged())

    assert check().returncode == 0
    r = daemon.ctl("config", "check", "-f", daemon.conf)
    assert r.returncode == 0
    daemon.configure(text="{ nonsense")
    r = check()
    assert r.returncode == 1 and str(daemon.conf) in r.stderr
    assert daemon.ctl("config", "check", "-f", daemon.conf).returncode == 1
    assert check("-x").returncode == 2
