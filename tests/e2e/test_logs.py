"""The log: one event a line, in two forms, nothing of what people write and
no secret at any level, and a file that is opened again when it was moved."""

import json
import os
import re
import signal
import subprocess

import pytest

from called import Called, signed
from mattermost import tag

STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
EVENT = re.compile(STAMP + r" [a-z]+: [a-z]+([._-][a-z]+)*"
                   r"( [A-Za-z_]+=(\"(\\.|[^\"\\])*\"|[^\s\"]+))*$")
TEXT = re.compile(STAMP + r" [a-z]+: \S.*$")


def canary():
    return "canary" + tag(12)


class Secrets:
    """Words that must be nowhere but where they belong."""

    def __init__(self):
        self.words = {}

    def new(self, what):
        self.words[what] = canary()
        return self.words[what]

    def add(self, what, word):
        self.words[what] = word

    def check(self, text):
        found = [what for what, word in self.words.items() if word in text]
        assert not found, found


def logged(world, level="trace", form="text", **more):
    """A configuration that writes all that there is to a file."""
    c = world.model_config(**more)
    c["log"] = {"level": level, "format": form}
    return c


def conversation(world, s, c, p):
    """All ways in and out once, each with words of its own."""
    server = world.server
    server.model(reply="the answer is " + s.new("answer"))
    world.user.say(world.dm, "my question " + s.new("question"))
    p.wait(lambda: any(s.words["answer"] in m for m in world.said()), 30)
    # A channel, where the bot is not meant: dropped with a reason.
    world.user.say(world.channel, "not for you " + s.new("dropped"))
    # Somebody who has to be let in.
    stranger = server.new_user()
    there = stranger.direct(world.bot)
    stranger.say(there, "let me in " + s.new("stranger"))
    code = p.wait(lambda: [r for r in json.loads(p.ctl(
        "pairing", "list", "--json").stdout).get("requests", [])] or None)
    s.add("pairing code", code[0]["code"])
    # A button that a script has signed, and one that nobody has.
    context = signed(world.bot.token, {"action_id": "go",
                                       "value": s.new("button value")})
    post = c.post_signed(context, name=s.new("button name"))
    s.add("button token", context["_token"])
    assert c.press(post, context)[0] == 200
    forged = signed(s.new("forged secret"), {"action_id": "go"})
    s.add("forged token", forged["_token"])
    assert c.press(post, forged)[0] == 403
    # A hook, good and bad.
    for token, status in (("hook-token-" + s.words["hook"], 200),
                          (s.new("wrong hook token"), 401)):
        got, _ = c.call(json.dumps({"message": s.new("hook %d" % status)}),
                        "/hooks/agent", "application/json",
                        Authorization="Bearer " + token)
        assert got == status
    # A message of the operator.
    p.ctl("message", "send", "-t", "user:" + world.user.id, "-m",
          "from the operator " + s.new("operator"))
    # An attachment.
    name = s.new("file name") + ".txt"
    path = os.path.join(p.dir, name)
    with open(path, "w") as f:
        f.write("what is in it " + s.new("file content"))
    p.ctl("message", "send", "-t", "user:" + world.user.id, "-m",
          "with a file", "--media", path)
    # The model fails, and says why.
    server.model(status=400)
    world.user.say(world.dm, "and now " + s.new("second"))
    p.wait(lambda: any("could not answer" in m for m in world.said()), 60)
    server.model()


@pytest.mark.parametrize("form", ["text", "json"])
def test_nothing_of_a_conversation(world, form):
    s = Secrets()
    c = Called(world)
    config = logged(world, form=form, dmPolicy="pairing",
                    allowFrom=[world.user.id],
                    chatmode="oncall", capabilities=["inlineButtons"])
    config["gateway"] = {"port": c.port, "customBindHost": "127.0.0.1"}
    config["hooks"] = {"enabled": True,
                       "token": "hook-token-" + s.new("hook")}
    provider = config["models"]["providers"]["sim"]
    provider["apiKey"] = "sk-" + s.new("model key")
    s.add("bot token", world.bot.token)
    p = world.start(config)
    conversation(world, s, c, p)
    p.ctl("reload")
    os.kill(p.pids()["account:default"], signal.SIGKILL)
    p.wait_connected()
    p.ctl("stop")
    p.process.wait(30)
    text = p.logs()
    assert len(text.splitlines()) > 20
    s.check(text)


def test_lines(world):
    p = world.start(logged(world))
    world.ask("hello")
    p.stop()
    events = 0
    for line in p.logs().splitlines():
        assert TEXT.match(line), line
        events += EVENT.match(line) is not None
    assert events > 10


def test_json_lines(world):
    p = world.start(logged(world, form="json"))
    world.ask("hello")
    p.stop()
    names = set()
    for line in p.logs().splitlines():
        o = json.loads(line)
        assert re.fullmatch(STAMP, o["time"]) and o["level"], line
        names.add(o.get("event"))
    assert {"daemon.ready", "account.connected", "daemon.stopped"} <= names


def test_level_while_it_runs(world):
    config = world.config()
    p = world.start(config)
    world.ask("one")
    assert "worker.ready" not in p.logs()
    p.ctl("log", "level", "debug")
    os.kill(p.pids()["account:default"], signal.SIGKILL)
    p.wait(lambda: "worker.ready" in p.logs())
    p.wait_connected()
    p.ctl("log", "level", "info")
    before = p.logs().count("worker.ready")
    os.kill(p.pids()["account:default"], signal.SIGKILL)
    p.wait(lambda: p.logs().count("worker.died") >= 2)
    p.wait_connected()
    assert p.logs().count("worker.ready") == before


def test_file_is_opened_again(world):
    config = world.config()
    p = world.daemons(config, start=False)
    path = os.path.join(p.dir, "events.log")
    p.write(dict(p.config, log={"destination": path}))
    # In the background, as a service: -d would log to standard error.
    assert subprocess.run([*p.command, "-f", p.path], env=p.env,
                          timeout=60).returncode == 0
    with open(os.path.join(p.dir, "run", "posternd.pid")) as f:
        pid = int(f.read())
    try:
        def has(name, what):
            try:
                with open(name) as f:
                    return what in f.read()
            except FileNotFoundError:
                return False
        p.wait(lambda: has(path, "daemon.ready"))
        os.rename(path, path + ".1")
        os.kill(pid, signal.SIGUSR1)
        p.wait(lambda: has(path, "log.reopened"))
        p.wait_connected()
        p.ctl("reload")
        p.wait(lambda: has(path, "reload.done"))
        assert not has(path + ".1", "reload.done")
        assert os.stat(path).st_mode & 0o7777 == 0o640
    finally:
        os.kill(pid, signal.SIGTERM)
        p.wait(lambda: not os.path.exists("/proc/%d" % pid) or
               open("/proc/%d/stat" % pid).read().split()[2] == "Z")


def test_no_worker_has_the_daemons_stderr(world):
    """Where the log may go: it could be filled there, or shut down."""
    p = world.start()
    if p.sanitized():
        pytest.skip("sanitizers tell there what they found")
    for name, pid in p.pids().items():
        assert os.readlink("/proc/%d/fd/2" % pid) == "/dev/null", name
