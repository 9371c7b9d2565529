"""Scheduled jobs: when they run, where they answer, and that none runs
twice, whatever is killed and whatever the clock of the database says."""

import contextlib
import json
import os
import sqlite3
import time

import pytest

from daemon import kill_pid


class Jobs:
    def __init__(self, world):
        self.world = world

    def start(self, config=None):
        self.postern = self.world.start(config)
        self.ctl = self.postern.ctl
        return self

    def add(self, *args, to=None, message="wake up", **kw):
        to = to or "channel:" + self.world.channel
        more = [] if to == "-" else ["--to", to]
        return json.loads(self.ctl(
            "cron", "add", "--message", message, "--json", *more,
            *args, **kw).stdout)

    def list(self, *args):
        return json.loads(self.ctl("cron", "list", "--json", *args).stdout)

    def get(self, job):
        return [j for j in self.list() if j["id"] == job["id"]][0]

    def posts(self, channel=None):
        w = self.world
        return w.server.replies(channel or w.channel, w.bot)

    def said(self, channel=None):
        return [p["message"].removeprefix("echo: ")
                for p in self.posts(channel)]

    def wait_said(self, n, channel=None, timeout=20):
        self.postern.wait(lambda: len(self.said(channel)) >= n, timeout)
        return self.said(channel)

    def database(self):
        """Of a daemon that does not run."""
        return contextlib.closing(sqlite3.connect(
            os.path.join(self.postern.config["store"]["path"], "postern.db")))

    def change(self, sql, *values):
        with self.database() as db:
            assert db.execute(sql, values).rowcount > 0
            db.commit()

    def events(self):
        with self.database() as db:
            return [r[0] for r in db.execute(
                "SELECT event FROM inbox WHERE kind = 'cron' ORDER BY seq")]


@pytest.fixture
def jobs(world):
    return Jobs(world)


def settled(jobs):
    a = jobs.postern.account()["live"]
    return a["running"] == 0 and a["waiting"] == 0 and a["outbox"] == 0


def test_every_second(jobs):
    jobs.start()
    job = jobs.add("--every", "1s", "--name", "tick")
    jobs.wait_said(3)
    jobs.ctl("cron", "disable", "tick")
    jobs.postern.wait(lambda: settled(jobs))
    said = jobs.said()
    got = jobs.get(job)
    assert said == ["wake up"] * got["runs"]
    assert got["enabled"] is False and got["next_at"] == 0
    assert got["state"] == "done" and got["outcome"] == "answered"
    # No preview, no typing, nothing in a session.
    assert json.loads(jobs.ctl("sessions", "list", "--json").stdout) == []
    out = jobs.ctl("cron", "list").stdout
    assert "every 1 s" in out and "off" in out and "answered" in out
    row = json.loads(jobs.ctl(
        "explain", got["last_event"], "--json").stdout)[0]
    assert row["kind"] == "cron" and row["outcome"] == "answered"
    assert row["answer_posts"] == [jobs.posts()[-1]["id"]]

    # On again: what was due meanwhile is not made up for.
    jobs.ctl("cron", "enable", job["id"])
    jobs.wait_said(len(said) + 1)
    jobs.ctl("cron", "rm", "tick")
    assert jobs.list() == []
    assert "No scheduled jobs." in jobs.ctl("cron", "list").stdout


def test_at(jobs):
    jobs.start()
    job = jobs.add("--at", "+1s")
    assert jobs.wait_said(1) == ["wake up"]
    jobs.postern.wait(lambda: jobs.get(job)["state"] == "done")
    got = jobs.get(job)
    assert got["enabled"] is False and got["runs"] == 1
    r = jobs.ctl("cron", "enable", job["id"], check=False)
    assert r.returncode == 1 and "its time is past" in r.stderr

    # One that has not come yet waits, over a restart, too.
    later = jobs.add("--at", "2099-01-01 00:00", "--tz", "UTC")
    assert later["next_at"] == 4070908800000
    jobs.postern.stop()
    jobs.postern.start()
    assert jobs.get(later)["enabled"] and jobs.get(later)["runs"] == 0
    assert jobs.said() == ["wake up"]


def test_cron_expression(jobs):
    jobs.start()
    every = jobs.add("--cron", "* * * * *", "--tz", "UTC")
    far = jobs.add("--cron", "30 4 1 jan *", "--tz", "CET-1CEST,M3.5.0,"
                   "M10.5.0/3")
    got = jobs.get(far)
    assert time.strftime("%m-%d %H:%M", time.gmtime(
        got["next_at"] / 1000)) == "01-01 03:30"
    assert "rules" not in got
    # Not before the minute is over; then once.
    now = time.time()
    next_at = jobs.get(every)["next_at"] / 1000
    assert now < next_at <= now + 60.5 and next_at % 60 == 0
    jobs.postern.stop()
    jobs.change("UPDATE cron SET floor = floor - 60000 WHERE id = ?",
                every["id"])
    jobs.postern.start()
    assert jobs.wait_said(1) == ["wake up"]
    jobs.ctl("cron", "disable", every["id"])
    jobs.postern.wait(lambda: settled(jobs))
    assert jobs.get(every)["last_event"].startswith(every["id"] + ":")
    at = int(jobs.get(every)["last_event"].split(":")[1])
    assert at % 60000 == 0


@pytest.mark.parametrize("how, n", [("once", 1), ("skip", 0)])
def test_missed_while_down(jobs, how, n):
    jobs.start()
    job = jobs.add("--every", "1h", "--catch-up", how)
    assert job["catch_up"] == how
    jobs.postern.stop()
    # Two and a half hours later.
    jobs.change("UPDATE cron SET floor = floor - ? WHERE id = ?",
                2 * 3600000 + 1800000, job["id"])
    jobs.postern.start()
    got = jobs.postern.wait(lambda: [
        j for j in jobs.list() if j["runs"] + j["skipped"] > 0])[0]
    assert (got["runs"], got["skipped"]) == (n, 1 - n)
    if n:
        jobs.wait_said(1)
    # The hours go on from where they were.
    left = got["next_at"] / 1000 - time.time()
    assert 1700 < left <= 1801
    jobs.postern.stop()
    jobs.postern.start()
    jobs.postern.wait(lambda: settled(jobs))
    assert len(jobs.said()) == n


def test_once_is_the_default_and_off_is_off(jobs):
    jobs.start()
    on = jobs.add("--every", "1h")
    off = jobs.add("--every", "1h", message="not this")
    assert on["catch_up"] == "once"
    jobs.ctl("cron", "disable", off["id"])
    jobs.postern.stop()
    jobs.change("UPDATE cron SET floor = floor - 5400000")
    jobs.postern.start()
    assert jobs.wait_said(1) == ["wake up"]
    # Switched on: from now.
    jobs.ctl("cron", "enable", off["id"])
    left = jobs.get(off)["next_at"] / 1000 - time.time()
    assert 3590 < left <= 3600
    assert jobs.said() == ["wake up"]


def test_clock_set_back(jobs):
    """What a clock that was ahead has done hinders nothing, and what was
    done is not done again."""
    jobs.start()
    hour = jobs.add("--every", "1h")
    second = jobs.add("--every", "1s", message="second")
    minute = jobs.add("--cron", "* * * * *", "--tz", "UTC",
                      message="minute")
    jobs.ctl("cron", "disable", second["id"])
    jobs.postern.stop()
    jobs.change("UPDATE cron SET floor = floor - 60000 WHERE id = ?",
                minute["id"])
    jobs.postern.start()
    jobs.postern.wait(lambda: "minute" in jobs.said())
    jobs.postern.wait(lambda: settled(jobs))
    event = jobs.get(minute)["last_event"]
    jobs.ctl("cron", "enable", second["id"])
    jobs.postern.stop()
    # All has happened two hours from now; the minute is to come again.
    jobs.change("UPDATE cron SET floor = floor + 7200000 WHERE id <> ?",
                minute["id"])
    jobs.change("UPDATE cron SET floor = ? WHERE id = ?",
                int(event.split(":")[1]) - 1, minute["id"])
    jobs.postern.start()
    jobs.postern.wait(lambda: "second" in jobs.said())
    left = jobs.get(hour)["next_at"] / 1000 - time.time()
    assert 3500 < left <= 3601
    for job in (second, minute):
        jobs.ctl("cron", "disable", job["id"])
    jobs.postern.wait(lambda: settled(jobs))
    log = jobs.postern.logs()
    assert log.count("event_id=" + event) >= 2  # it was due once more
    assert jobs.said().count("minute") == jobs.get(minute)["runs"]
    jobs.postern.stop()
    events = jobs.events()
    assert len(events) == len(set(events)) and event in events


def test_killed_between_firing_and_answer(jobs, llm, world):
    """In the store before the model: the answer comes once."""
    llm.model(reply="good morning")
    llm.model(reply="good morning", first_delay_ms=2500, times=1)
    jobs.start(world.model_config())
    job = jobs.add("--at", "+1s")
    jobs.postern.wait(lambda: jobs.postern.account()["live"]["running"] > 0)
    jobs.postern.kill_all()
    assert len(jobs.events()) == 1
    jobs.postern.start()
    jobs.wait_said(1)
    jobs.postern.wait(lambda: settled(jobs))
    assert jobs.said() == ["good morning"]
    assert jobs.get(job)["runs"] == 1
    assert jobs.get(job)["enabled"] is False


def test_killed_again_and_again(jobs):
    jobs.start()
    job = jobs.add("--every", "1s")
    for i in range(4):
        jobs.wait_said(2 * i + 2, timeout=40)
        if i % 2:
            jobs.postern.kill_all()
            jobs.postern.start()
        else:
            pid = jobs.postern.pids()[("account:default", "store")[i // 2]]
            kill_pid(pid)
    jobs.wait_said(len(jobs.said()) + 1, timeout=40)
    jobs.ctl("cron", "disable", job["id"])
    jobs.postern.wait(lambda: settled(jobs), 40)
    runs = jobs.get(job)["runs"]
    assert len(jobs.said()) == runs
    jobs.postern.stop()
    events = jobs.events()
    assert len(events) == len(set(events)) == runs


def test_one_run_at_a_time(jobs, llm, world):
    llm.model(reply="quick")
    llm.model(reply="slow", first_delay_ms=3500, times=1)
    jobs.start(world.model_config())
    job = jobs.add("--every", "1s")
    jobs.postern.wait(lambda: jobs.postern.account()["live"]["running"] > 0)
    r = jobs.ctl("cron", "run", job["id"], check=False)
    assert r.returncode == 1 and "runs already" in r.stderr
    jobs.wait_said(1)
    jobs.ctl("cron", "disable", job["id"])
    jobs.postern.wait(lambda: settled(jobs))
    said = jobs.said()
    assert said[0] == "slow" and said.count("slow") == 1
    # What came due during the slow one was missed, not queued.
    assert len(said) <= 3 and set(said[1:]) <= {"quick"}


def test_run_now(jobs):
    jobs.start()
    job = jobs.add("--at", "2099-01-01T00:00:00Z", "--name", "later")
    jobs.ctl("cron", "disable", "later")
    out = json.loads(jobs.ctl("cron", "run", "later", "--json").stdout)
    assert out["ok"] and out["event"].startswith(job["id"] + ":run-")
    assert jobs.wait_said(1) == ["wake up"]
    got = jobs.postern.wait(lambda: jobs.get(job)["outcome"] == "answered"
                            and jobs.get(job))
    assert got["runs"] == 1 and got["enabled"] is False
    text = jobs.ctl("cron", "run", job["id"]).stdout
    assert "Started job %s." % job["id"] in text and "explain" in text
    jobs.wait_said(2)


def test_into_a_thread_without_taking_part(jobs, world):
    # Where bots are answered only when they are mentioned.
    jobs.start(world.config(requireMention=True))
    root = world.user.say(world.channel, "the root")
    jobs.add("--at", "+1s", "--thread-id", root["id"])
    jobs.wait_said(1)
    assert jobs.posts()[0]["root_id"] == root["id"]
    # A schedule is no conversation: who writes there is not answered.
    post = world.user.say(world.channel, "and now?", root["id"])
    row = jobs.postern.wait(lambda: json.loads(jobs.ctl(
        "explain", post["id"], "--json", check=False).stdout or "[]"))[0]
    assert row["reason"] == "no-mention"
    assert len(jobs.said()) == 1


@pytest.mark.parametrize("form", ["@name", "user", "#name"])
def test_targets(jobs, world, form):
    jobs.start()
    name = world.bot.api.get("/channels/" + world.channel)["name"] \
        if form == "#name" else None
    to = {"@name": "@" + world.user.name, "user": "user:" + world.user.id,
          "#name": "#%s" % name}[form]
    jobs.add("--at", "+1s", to=to)
    if form == "#name":
        assert jobs.wait_said(1) == ["wake up"]
    else:
        jobs.postern.wait(lambda: world.said() == ["echo: wake up"])


def test_target_that_is_not_there(jobs):
    jobs.start()
    job = jobs.add("--at", "+1s", to="#nowhere-at-all")
    got = jobs.postern.wait(lambda: jobs.get(job)["state"] == "dead" and
                            jobs.get(job), 60)
    assert "not found" in got["reason"]
    out = jobs.ctl("cron", "list").stdout
    assert "failed" in out and "not found" in out


def test_silence(jobs, llm, world):
    llm.model(reply="NO_REPLY")
    jobs.start(world.model_config())
    job = jobs.add("--at", "+1s")
    jobs.postern.wait(lambda: jobs.get(job)["outcome"] == "silent")
    jobs.postern.wait(lambda: settled(jobs))
    assert jobs.said() == []


def test_failure_is_the_operators(jobs, llm, world):
    llm.model(status=400)
    jobs.start(world.model_config())
    job = jobs.add("--at", "+1s")
    jobs.postern.wait(lambda: jobs.get(job)["state"] == "dead", 40)
    jobs.postern.wait(lambda: settled(jobs))
    assert jobs.said() == []
    dead = json.loads(jobs.ctl(
        "channels", "dead-letters", "list", "--json").stdout)
    assert [d["event"] for d in dead] == [jobs.get(job)["last_event"]]
    # And may be tried again.
    llm.model(reply="better now")
    jobs.ctl("channels", "dead-letters", "resubmit", str(dead[0]["seq"]))
    assert jobs.wait_said(1) == ["better now"]


def test_own_tool_has_said_it(jobs, llm, world):
    """No second announcement where the agent has posted already."""
    world.server.mmsim.sim("DELETE", "/model")
    llm.model(reply="I have told them")
    llm.model(tool_calls=[{"id": "c1", "function": {
        "name": "message", "arguments": json.dumps(
            {"action": "send", "message": "the news"})}}], times=1)
    jobs.start(world.model_config())
    job = jobs.add("--at", "+1s")
    jobs.postern.wait(lambda: jobs.get(job)["outcome"] == "answered", 30)
    jobs.postern.wait(lambda: settled(jobs))
    assert jobs.said() == ["the news"]


def test_wakes_a_session(jobs, world):
    """The conversation goes on, and is answered where it is."""
    jobs.start(world.config(requireMention=False))
    world.user.say(world.channel, "hello")
    jobs.wait_said(1)
    rows = json.loads(jobs.ctl("sessions", "list", "--json").stdout)
    session = rows[0]["session"]
    assert world.channel in session
    job = jobs.add("--at", "+1s", "--session", session, to="-")
    said = jobs.wait_said(2)
    assert said[1] == "wake up"
    assert jobs.get(job)["agent"] == session.split(":")[1]
    shown = json.loads(jobs.ctl(
        "sessions", "show", session, "--json").stdout)
    assert [m["content"] for m in shown if m["role"] == "user"][-1] \
        .endswith("wake up")

    # One that is nowhere: heard, and not answered to anybody.
    job = jobs.add("--at", "+1s", "--session", "errands", to="-")
    jobs.postern.wait(lambda: jobs.get(job)["outcome"] == "answered")
    assert len(jobs.said()) == 2
    rows = json.loads(jobs.ctl("sessions", "list", "--json").stdout)
    assert "agent:%s:errands" % session.split(":")[1] in \
        [r["session"] for r in rows]


def test_agent_that_is_not_there(jobs):
    jobs.start()
    job = jobs.add("--at", "+1s", "--agent", "nobody")
    got = jobs.postern.wait(
        lambda: jobs.get(job)["skipped"] == 1 and jobs.get(job))
    assert got["enabled"] is False and got["runs"] == 0
    at = got["at"]
    rows = jobs.postern.wait(lambda: json.loads(jobs.ctl(
        "explain", "%s:%d" % (job["id"], at), "--json",
        check=False).stdout or "[]"))
    assert rows[0]["reason"] == "no-agent"
    assert jobs.said() == []


def test_mistakes(jobs, world):
    jobs.start()
    to = ["--to", "channel:" + world.channel]
    cases = [
        (["--every", "1s", "--at", "+1m", *to], 2, "needs one of"),
        (to, 2, "needs one of --cron, --every and --at"),
        (["--every", "1s"], 2, "--to"),
        (["--every", "fast", *to], 2, "an interval is"),
        (["--every", "0s", *to], 2, "an interval is"),
        (["--every", "1s", "--tz", "UTC", *to], 2, "no time zone"),
        (["--cron", "* * * *", *to], 2, "five fields"),
        (["--cron", "0 25 * * *", *to], 2, "the hour is not"),
        (["--cron", "0 0 31 2 *", *to], 2, "no such day"),
        (["--cron", "* * * * *", "--tz", "Europe/Nowhere", *to], 2,
         "no such time zone"),
        (["--cron", "* * * * *", "--tz", "../../etc/passwd", *to], 2,
         "no such time zone"),
        (["--at", "2001-01-01 00:00", *to], 2, "is past"),
        (["--at", "2027-02-29 00:00", *to], 2, "a time is such as"),
        (["--at", "tomorrow", *to], 2, "a time is such as"),
        (["--every", "1s", "--catch-up", "twice", *to], 2, "once or skip"),
        (["--every", "1s", "--thread-id", "x", *to], 2, "26 characters"),
        (["--every", "1s", "--account", "other", *to], 1, "no account"),
    ]
    for args, rc, text in cases:
        r = jobs.ctl("cron", "add", "-m", "x", *args, check=False)
        assert r.returncode == rc and text in r.stderr, (args, r)
    r = jobs.ctl("cron", "add", "-m", " ", "--every", "1s", *to,
                 check=False)
    assert r.returncode == 2 and "empty" in r.stderr
    for verb in ("run", "rm", "enable", "disable"):
        r = jobs.ctl("cron", verb, "nothing", "--json", check=False)
        assert r.returncode == 1 and 'no job "nothing"' in r.stderr
        said = json.loads(r.stdout)
        assert not said["ok"] and 'no job "nothing"' in said["error"]
    jobs.add("--every", "1h", "--name", "one")
    r = jobs.ctl("cron", "add", "-m", "x", "--every", "1h", "--name", "one",
                 *to, check=False)
    assert r.returncode == 1 and "of that name" in r.stderr
    r = jobs.ctl("cron", "lst", check=False)
    assert r.returncode == 2 and 'did you mean "list"' in r.stderr


def test_accounts_have_their_own(jobs, server, world):
    other = server.new_bot()
    server.join(world.channel, other)
    c = world.config()
    mm = c["channels"]["mattermost"]
    token = mm.pop("botToken")
    mm["accounts"] = {"one": {"botToken": token},
                      "two": {"botToken": other.token}}
    jobs.start(c)
    jobs.add("--at", "+1s", "--name", "job", "--account", "two",
             message="from two")
    jobs.add("--every", "1h", "--name", "job", "--account", "one")
    jobs.postern.wait(lambda: [
        p["message"] for p in server.replies(world.channel, other)]
        == ["echo: from two"])
    assert jobs.said() == []
    r = jobs.ctl("cron", "rm", "job", check=False)
    assert r.returncode == 1 and "several accounts" in r.stderr
    jobs.ctl("cron", "rm", "job", "--account", "one")
    assert [j["account"] for j in jobs.list()] == ["two"]
