#!/usr/bin/env python3
"""A first look at Postern: a simulated Mattermost server, two accounts, an
agent, and a chat with the bot. Everything it makes is below build/demo and
is removed at the end.

MATTERMOST_URL and MATTERMOST_BOT_TOKEN: that server instead.
OPENAI_BASE_URL (and OPENAI_API_KEY, OPENAI_MODEL): that model as the agent.
"""

import os
import shutil
import signal
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "e2e"))

from daemon import Postern  # noqa: E402
from mattermost import BUILD, Simulator  # noqa: E402
from patience import tries  # noqa: E402


def agents(config):
    """Ask the model of the environment, if one is named there."""
    url = os.environ.get("OPENAI_BASE_URL")
    if not url:
        return "the built-in echo agent"
    model = os.environ.get("OPENAI_MODEL", "gpt-4o-mini")
    provider = {"baseUrl": url, "api": "openai-completions",
                "models": [{"id": model}]}
    if os.environ.get("OPENAI_API_KEY"):
        provider["apiKey"] = "${OPENAI_API_KEY}"
    config["models"] = {"providers": {"demo": provider}}
    config["agents"] = {"defaults": {"model": "demo/" + model}}
    return model


def say(text):
    print(text, flush=True)


def chat(server, user, bot, channel):
    """A line in, an answer out; the status of a scripted run."""
    script = None
    if not sys.stdin.isatty():
        script = ["Hello, are you there?", "And a second time?"]
    seen, failed = 0, 0
    while True:
        try:
            line = script.pop(0) if script else (
                None if script is not None else input("you> "))
        except (EOFError, KeyboardInterrupt):
            line = None
        if not line:
            return failed
        if script is not None:
            say("you> " + line)
        user.say(channel, line)
        found = server.wait_replies(
            channel, bot, seen + 1, 60, user.api)[seen:]
        seen += len(found)
        if not found:
            failed = 1
            say("(no answer)")
        for p in found:
            say("%s> %s" % (bot.name, p["message"]))


def simulated(directory):
    server = Simulator()
    bot, second = server.new_bot("helper"), server.new_bot("second")
    user = server.new_user("you")
    config = {"channels": {"mattermost": {
        "baseUrl": server.url, "dmPolicy": "open", "allowFrom": ["*"],
        "groupPolicy": "open", "accounts": {
            "default": {"name": "Helper", "botToken": bot.token},
            "second": {"name": "Second", "botToken": second.token}}}}}
    model = agents(config)
    postern = Postern(config, directory=directory)
    try:
        postern.start()
        say(postern.ctl("status").stdout)
        say("You are talking to @helper, answered by %s. An empty line "
            "ends it." % model)
        return chat(server, user, bot, user.direct(bot))
    except AssertionError as e:
        say(str(e))
        return 1
    finally:
        postern.close()
        server.close()


def connect(postern):
    """None, or why the bot is not on its server."""
    postern.start(wait=False)
    why = "no answer"
    for _ in tries(30):
        if postern.process.poll() is not None:
            return "posternd has ended\n" + postern.logs()
        try:
            a = postern.account()
        except AssertionError:
            continue  # it has only just been started
        if a["state"] == "connected":
            return None
        why = a.get("reason") or a.get("lastError") or a["state"]
        if a["state"] in ("parked", "disabled"):
            break
    return why


def real(directory):
    """The bot of the environment, on its server, until interrupted."""
    config = {"channels": {"mattermost": {
        "enabled": True, "dmPolicy": "open", "allowFrom": ["*"],
        "groupPolicy": "open"}}}
    model = agents(config)
    postern = Postern(config, directory=directory)
    try:
        why = connect(postern)
        if why:
            say("%s: %s" % (os.environ["MATTERMOST_URL"], why))
            return 1
        say(postern.ctl("status").stdout)
        if not sys.stdin.isatty():
            return 0
        say("Connected. Write to the bot on %s; it answers with %s. "
            "^C ends it." % (os.environ["MATTERMOST_URL"], model))
        signal.pause()
    except KeyboardInterrupt:
        pass
    except AssertionError as e:
        say(str(e))
        return 1
    finally:
        postern.close()
    return 0


def main():
    demo = os.path.join(BUILD, "demo")
    os.makedirs(demo, exist_ok=True)
    directory = tempfile.mkdtemp(dir=demo)
    signal.signal(signal.SIGTERM, lambda *a: sys.exit(1))
    try:
        if os.environ.get("MATTERMOST_URL") and \
           os.environ.get("MATTERMOST_BOT_TOKEN"):
            return real(directory)
        return simulated(directory)
    except KeyboardInterrupt:
        return 1
    finally:
        shutil.rmtree(demo, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
