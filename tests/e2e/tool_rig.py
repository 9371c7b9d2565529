"""What the tests of the message tool share."""

import json

import pytest


def call(name="message", id=None, **args):
    return {"id": id or "call_" + name, "function": {
        "name": name, "arguments": json.dumps(args)}}


class Agent:
    """A bot whose model calls tools as it is told."""

    def __init__(self, world, **config):
        self.world = world
        self.server = world.server
        self.config = world.model_config(**config)
        self.turns = 0
        self.server.mmsim.sim("DELETE", "/model")

    def start(self):
        self.postern = self.world.start(self.config)
        return self

    def script(self, *rounds, reply="done", **more):
        """Rounds of calls, and then the answer."""
        self.server.model(reply=reply)
        for calls in rounds:
            self.server.model(tool_calls=calls, times=1, **more)

    def say(self, text="do it", channel=None, **more):
        return self.world.user.say(channel or self.world.dm, text, **more)

    def requests(self):
        return [r["body"] for r in self.server.model_requests()
                if r["path"].endswith("/chat/completions")]

    def results(self):
        """What the model was told in the last request, in order."""
        last = self.requests()[-1]["messages"]
        start = max(i for i, m in enumerate(last) if m["role"] == "user")
        return [m["content"] for m in last[start:] if m["role"] == "tool"]

    def look(self):
        """A post in the direct channel that was answered with silence."""
        self.do(reply="NO_REPLY", text="look at this")
        w = self.world
        return w.server.replies(w.dm, w.user, w.user.api)[-1]["id"]

    def said(self, channel=None):
        w = self.world
        api = w.user.api if (channel or w.dm) == w.dm else None
        return [p["message"] for p in w.server.replies(
            channel or w.dm, w.bot, api)]

    def wait_said(self, want, channel=None, timeout=20):
        self.postern.wait(
            lambda: self.said(channel) == want or None, timeout)

    def do(self, *rounds, reply="done", channel=None, text="do it"):
        """One turn; the results that the model was given."""
        self.script(*rounds, reply=reply)
        self.turns += 1
        mention = "" if channel is None else "@%s " % self.world.bot.name
        self.say(mention + text, channel)
        self.postern.wait(
            lambda: self.postern.account()["live"]["accepted"] >= self.turns
            and self.postern.account()["live"]["running"] == 0
            and self.postern.account()["live"]["outbox"] == 0, 30)
        return self.results()


@pytest.fixture
def agent(llm, world):
    return Agent(world).start()


def reactions(world, post):
    found = world.server.admin.get("/posts/%s/reactions" % post) or []
    return [(r["user_id"], r["emoji_name"]) for r in found]
