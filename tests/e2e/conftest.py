import os

import pytest

from daemon import Postern
from mattermost import Server, Simulator
from patience import tries


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "simulator: needs the simulated server (faults)")


@pytest.fixture(scope="session")
def server():
    url = os.environ.get("POSTERN_TEST_MM_URL")
    if url:
        login, password = os.environ["POSTERN_TEST_MM_ADMIN"].split(":", 1)
        s = Server(url, login, password)
    else:
        s = Simulator()
    yield s
    s.close()


@pytest.fixture
def llm(server):
    """The server with its model, which echoes until it is told what to do."""
    server.model()
    yield server
    server.model()


@pytest.fixture
def sim(server):
    """The simulator, without faults before and after."""
    if not server.simulated:
        pytest.skip("needs the simulated server")
    server.clear_faults()
    server.model()
    yield server
    server.clear_faults()
    server.model()


def account(server, bot, **more):
    a = {"botToken": bot.token, "baseUrl": server.url, "dmPolicy": "open",
         "allowFrom": ["*"], "groupPolicy": "open"}
    a.update(more)
    return a


@pytest.fixture
def daemons():
    """start(config) gives a running Postern that ends with the test."""
    running = []

    def make(config, start=True, **kw):
        p = Postern(config, **kw)
        running.append(p)
        if start:
            p.start()
        return p

    yield make
    for p in running:
        p.close()


class World:
    """A bot, a person, a channel of both, and their direct channel."""

    def __init__(self, server, daemons):
        self.server = server
        self.daemons = daemons
        server.team = server.new_team()  # a team has room for 50 members
        self.bot = server.new_bot()
        self.user = server.new_user()
        self.channel = server.new_channel([self.bot, self.user])
        self.dm = self.user.direct(self.bot)
        self.asked_before = len(server.model_requests())

    def config(self, **more):
        return {"channels": {"mattermost": account(
            self.server, self.bot, **more)}}

    def model_config(self, **more):
        c = self.config(**more)
        c["models"] = {"providers": {"sim": {
            "baseUrl": self.server.model_url, "apiKey": "sk-test",
            "api": "openai-completions",
            "models": [{"id": "test-model", "contextWindow": 32000}]}}}
        c["agents"] = {"defaults": {"model": "sim/test-model"}}
        return c

    def start(self, config=None, **kw):
        self.postern = self.daemons(config or self.config(), **kw)
        return self.postern

    def model_requests(self):
        """What the model was asked since this world began."""
        return self.server.model_requests()[self.asked_before:]

    def said(self):
        """What the bot has said in the direct channel."""
        return [p["message"] for p in self.server.replies(
            self.dm, self.bot, self.user.api)]

    def is_idle(self):
        return all(a["live"]["running"] == 0
                   for a in self.postern.status()["accounts"]
                   if a.get("live"))

    def ask(self, text, want=None, timeout=15):
        """Say it in the direct channel; the text of the next answer.

        The answer of a model begins as a preview: its turn is waited for,
        and what it has to be when want says so.
        """
        before = len(self.said())
        self.user.say(self.dm, text)
        found = []
        for _ in tries(timeout):
            idle = bool(found) and self.is_idle()
            found = self.said()[before:]
            if idle and want in (None, found[-1]):
                break
        assert len(found) == 1, "%r\n%s" % (found, self.postern.logs())
        return found[0]


@pytest.fixture
def world(server, daemons):
    return World(server, daemons)
