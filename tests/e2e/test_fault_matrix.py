"""Every fault of a network at every step of what is said: found within 40 s,
and what was said meanwhile is answered once, in order.

One daemon for each kind of fault; each step has an account of its own, which
reaches the server through a proxy that goes wrong at this step, once.
"""

import os
import signal
import time

import pytest

from conftest import account
from fault_proxy import KINDS, FaultProxy, Step
from patience import tries
from test_media import upload

pytestmark = pytest.mark.simulator

FOUND = 46  # s: a ping every 30 s, 10 s for its answer, and the next try
POSTS = "^POST /api/v4/posts "
START, CUT, TALK = "start", "cut", "talk"

# When it happens (as the account starts, as its connection is lost, as one
# talks), which agent answers, and where.
STEPS = [
    (START, "echo", Step("dial", dial=True)),
    (START, "echo", Step("me", "^GET /api/v4/users/me ")),
    (START, "echo", Step("upgrade", "^GET /api/v4/websocket")),
    (START, "echo", Step("hello", frame=b'"event": ?"hello"')),
    (START, "echo", Step("teams", "^GET /api/v4/users/me/teams ")),
    (START, "echo", Step("channels", "^GET .*/teams/[a-z0-9]+/channels")),
    (START, "echo", Step("page", "^GET /api/v4/channels/[a-z0-9]+/posts")),
    (CUT, "echo", Step("redial", dial=True)),
    (CUT, "echo", Step("resume", "^GET /api/v4/websocket.*sequence_number")),
    (CUT, "echo", Step("replay", frame=b'"event": ?"posted"')),
    (TALK, "echo", Step("event", frame=b'"event": ?"posted"')),
    (TALK, "echo", Step("post-not-taken", POSTS, taken=False)),
    (TALK, "echo", Step("post-taken", POSTS)),
    (TALK, "sim", Step("typing", frame=b"user_typing", side="client")),
    (TALK, "sim", Step("preview-not-taken", POSTS, taken=False)),
    (TALK, "sim", Step("preview-taken", POSTS)),
    (TALK, "sim", Step("edit-not-taken", "^PUT .*/patch", taken=False)),
    (TALK, "sim", Step("edit-taken", "^PUT .*/patch")),
    (TALK, "sim", Step("last-edit", "^PUT .*/patch", b"the end")),
    (TALK, "echo", Step("file-info", "^GET /api/v4/files/.*/info")),
    (TALK, "echo", Step("file", "^GET /api/v4/files/[a-z0-9]+ ")),
    (TALK, "own", Step("model", "^POST /v1/chat", b"two", taken=False)),
    (TALK, "own", Step("model-stream", "^POST /v1/chat", b"two")),
]
# A model may think for two minutes: its silence is no fault (yet).
PATIENT = ("hole", "stall")


class Lane:
    """An account behind a proxy of its own, and its conversation."""

    def __init__(self, sim, user, when, agent, step):
        self.sim, self.user = sim, user
        self.when, self.agent, self.step = when, agent, step
        self.id = step.name
        self.bot = sim.new_bot()
        self.dm = user.direct(self.bot)
        self.proxy = FaultProxy(sim.admin.host, sim.admin.port)
        self.model = None
        if agent == "own":
            host, port = sim.model_url.split("/")[2].split(":")
            self.model = FaultProxy(host, int(port))
        self.said = []
        self.sorry = False

    def say(self, text):
        more = {}
        if self.id.startswith("file") and text == "two":
            more["file_ids"] = [upload(self.user, self.dm, "a.txt", b"text")]
        self.said.append(text)
        self.user.say(self.dm, "%s, the end of %s" % (text, self.id), **more)

    def arm(self, kind):
        # What a model's server says is believed: it has no answer to "two".
        self.sorry = self.model and kind in ("nonsense", "refusal")
        (self.model or self.proxy).arm(self.step, kind)

    def struck_at(self):
        return (self.model or self.proxy).struck_at

    def answers(self):
        return [p["message"] for p in self.sim.replies(
            self.dm, self.bot, self.user.api)]

    def answered(self):
        got = self.answers()
        return len(got) >= len(self.said) and all(
            "the end of " + self.id in g or "could not" in g for g in got)

    def check(self):
        got, want = self.answers(), list(self.said)
        if self.sorry:
            want[1] = "I could not answer this"
        assert len(got) == len(want) and all(
            w in g for w, g in zip(want, got)), (self.id, got)

    def close(self):
        self.proxy.close()
        if self.model:
            self.model.close()


def config(sim, lanes):
    def provider(url):
        return {"baseUrl": url, "apiKey": "sk-test",
                "api": "openai-completions",
                "models": [{"id": "m", "contextWindow": 32000}]}
    providers = {"sim": provider(sim.model_url)}
    agents = [{"id": "echo", "runtime": "echo", "default": True},
              {"id": "sim", "model": "sim/m"}]
    bindings = []
    for lane in lanes:
        agent = lane.agent
        if lane.model:
            agent = lane.id
            providers[agent] = provider(lane.model.url + "/v1")
            agents.append({"id": agent, "model": agent + "/m"})
        bindings.append({"agentId": agent, "match": {
            "channel": "mattermost", "accountId": lane.id}})
    return {"channels": {"mattermost": {"accounts": {
        lane.id: dict(account(sim, lane.bot), baseUrl=lane.proxy.url)
        for lane in lanes}}},
        "models": {"providers": providers}, "agents": {"list": agents},
        "bindings": bindings}


def wait_answered(lanes, postern, seconds):
    """Until everybody has all answers; when that was, for each."""
    when = {}
    for _ in tries(seconds, 0.1):
        for lane in lanes:
            if lane.id not in when and lane.answered():
                when[lane.id] = time.monotonic()
        if len(when) == len(lanes):
            return when
    late = {lane.id: lane.answers() for lane in lanes if lane.id not in when}
    raise AssertionError("%s\n%s" % (late, postern.logs()[-12000:]))


@pytest.fixture
def lanes(sim):
    made = []
    sim.team = sim.new_team()
    user = sim.new_user()

    def make(kind):
        for when, agent, step in STEPS:
            if not (agent == "own" and kind in PATIENT):
                made.append(Lane(sim, user, when, agent, step))
        return made

    yield make
    for lane in made:
        lane.close()


@pytest.mark.parametrize("kind", KINDS)
def test_everywhere(sim, daemons, lanes, kind):
    here = lanes(kind)
    # Long enough for somebody to see it being written.
    sim.model(echo=True, first_delay_ms=400, chunks=4, chunk_delay_ms=500)
    p = daemons(config(sim, here))
    for lane in here:
        lane.say("one")
    wait_answered(here, p, 30)
    for lane in here:
        lane.arm(kind)
    pids = p.pids()
    for lane in here:
        if lane.when == START:
            os.kill(pids["account:" + lane.id], signal.SIGKILL)
        elif lane.when == CUT:
            lane.proxy.cut()
    for text in ("two", "three"):
        for lane in here:
            lane.say(text)
    begun = time.monotonic()
    when = wait_answered(here, p, FOUND + 15)
    time.sleep(1)
    for lane in here:
        assert lane.struck_at(), lane.id + ": the step never came"
        lane.check()
        print("%-9s %-18s %5.1f s" % (
            kind, lane.id, when[lane.id] - lane.struck_at()))
    print("%-9s all %20.1f s" % (kind, max(when.values()) - begun))
