"""What the message tool does is done once, whatever dies in between."""

import json
import os
import signal
import time

import pytest

from daemon import kill_pid
from patience import tries
from test_kill import kill_one
from tool_rig import agent, call


@pytest.mark.parametrize("target", ["here", "elsewhere", "back"])
def test_power_cut_in_the_middle_of_a_tool_turn(agent, target):
    """The send is done, the model's next answer never comes: kill -9."""
    w = agent.world
    where, channel, asked, marker = {
        "here": ({}, w.dm, w.dm, ""),
        "elsewhere": ({"target": "channel:" + w.channel}, w.channel, w.dm,
                      "[from @%s] " % w.user.name),
        "back": ({"target": "channel:" + w.dm}, w.dm, w.channel,
                 "[from #%s] " % w.server.admin.get(
                     "/channels/" + w.channel)["name"]),
    }[target]
    calls = [call(action="send", message="once", **where),
             call(id="b", action="send", message="once", **where),
             call(id="c", action="send", message="twice", **where)]
    agent.server.model(reply="late", first_delay_ms=60000)
    agent.server.model(tool_calls=calls, times=1)
    agent.say("@%s do it" % w.bot.name, asked)
    agent.postern.wait(lambda: len(agent.said(channel)) == 3)
    agent.postern.kill_all()
    agent.script(calls, reply="answer")
    agent.postern.start()
    agent.postern.wait(lambda: "answer" in agent.said(asked))
    time.sleep(0.5)
    want = [marker + t for t in ("once", "once", "twice")]
    assert agent.said(channel) == want + (
        ["answer"] if target == "here" else [])
    # The second run was told of the first one's posts.
    ids = [json.loads(g)["messageId"] for g in agent.results()]
    assert ids == [p["id"] for p in w.server.replies(
        channel, w.bot, w.user.api)][:3]


def test_lost_answer_of_a_tool_post(sim, agent):
    """The server has the post, its answer is lost: it is looked for."""
    sim.fault("rest", path_prefix="/api/v4/posts", method="POST", times=1,
              body_contains="just once", user=agent.world.bot.name,
              close="before", after_effect=True)
    got = agent.do([call(action="send", message="just once")])
    assert json.loads(got[0])["ok"]
    assert agent.said() == ["just once", "done"]


def test_power_cut_before_the_post_is_sent(sim, agent):
    """Put into the outbox and not sent: the next life sends it, once."""
    sim.fault("rest", path_prefix="/api/v4/posts", method="POST", times=-1,
              body_contains="kept", user=agent.world.bot.name, status=503)
    agent.script([call(action="send", message="kept")], reply="answer")
    agent.say()
    agent.postern.wait(
        lambda: agent.postern.account()["live"]["outbox"] == 1)
    agent.postern.kill_all()
    sim.clear_faults()
    agent.script([call(action="send", message="kept")], reply="answer")
    agent.postern.start()
    agent.wait_said(["kept", "answer"], timeout=30)


def test_store_dies_under_tool_calls(agent):
    """Answers of the store are lost, nothing is sent twice or never."""
    n = 6
    agent.server.model(reply="NO_REPLY")
    for i in range(n):
        agent.server.model(times=1, tool_calls=[
            call(id="a", action="send", message="first %d" % i),
            call(id="b", action="send", message="second %d" % i)])
        agent.server.model(times=1, reply="NO_REPLY")
    agent.say("go 0")
    for i in range(1, n):
        agent.say("go %d" % i)
        if i % 2:
            kill_pid(agent.postern.wait(
                lambda: agent.postern.pids().get("store")))
        time.sleep(0.2)
    want = ["%s %d" % (w, i) for i in range(n) for w in ("first", "second")]
    agent.wait_said(want, timeout=60)
    time.sleep(0.5)
    assert agent.said() == want


def test_failed_round_runs_again_without_a_second_post(agent):
    calls = [call(action="send", message="just once")]
    agent.server.model(reply="answer")
    agent.server.model(tool_calls=calls, times=1)
    agent.server.model(status=503, times=1)
    agent.server.model(tool_calls=calls, times=1)
    agent.say()
    agent.wait_said(["just once", "answer"], timeout=30)


def test_agent_dies_while_its_call_is_under_way(sim, agent):
    """Its late result goes nowhere, and the new agent's turn finds it."""
    sim.fault("rest", path_prefix="/api/v4/posts", method="POST", times=1,
              body_contains="just once", user=agent.world.bot.name,
              answer_delay_ms=700)
    calls = [call(action="send", message="just once")]
    agent.server.model(reply="answer")
    agent.server.model(tool_calls=calls, times=2)
    agent.say()
    agent.postern.wait(lambda: agent.said() == ["just once"])
    os.kill(agent.postern.pids()["agent:main"], signal.SIGKILL)
    agent.wait_said(["just once", "answer"], timeout=30)
    agent.say("and on")
    agent.wait_said(["just once", "answer", "answer"])


def test_kills_all_along(agent):
    """Each message gets the tool's post and the answer, once, in order."""
    w = agent.world
    n = 40
    agent.config["channels"]["mattermost"]["replyToMode"] = "first"
    agent.postern.stop()
    agent.postern.write(dict(agent.postern.config, **agent.config))
    agent.postern.start()
    agent.server.model(tool_calls=[call(action="send", message="posted")])
    agent.server.model(match='"role":"tool"', reply="answered", times=10000)
    roots = []
    for i in range(n):
        roots.append(w.user.say(
            w.channel, "@%s number %d" % (w.bot.name, i))["id"])
        if i % 4 == 3:
            kill_one(agent.postern)
        time.sleep(0.15)

    def threads():
        found = {r: [] for r in roots}
        for p in w.server.replies(w.channel, w.bot):
            found[p["root_id"]].append(p["message"])
        return found

    for _ in tries(90, 0.3):
        if all(len(t) >= 2 for t in threads().values()):
            break
    time.sleep(1)
    assert set(map(tuple, threads().values())) == {("posted", "answered")}, \
        "%r\n%s" % (threads(), agent.postern.logs()[-4000:])
