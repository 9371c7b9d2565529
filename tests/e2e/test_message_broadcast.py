"""The model's message tool: one message to several, and how one is
delivered."""

import json

import pytest

from tool_rig import Agent, agent, call


def test_broadcast(agent):
    w = agent.world
    other = w.server.new_channel([w.bot, w.user])
    without = w.server.new_channel([w.user])
    targets = ["channel:" + w.channel, "#nowhere-at-all", "channel:" + other,
               "channel:" + without, "@" + w.user.name]
    got = agent.do([call(action="broadcast", targets=targets, message="all")])
    assert got[0].startswith("Error: ")
    result = json.loads(got[0][len("Error: "):])
    assert result["ok"] is False
    assert [(r["channel"], r["to"], r["ok"]) for r in result["results"]] == [
        ("mattermost", t, ok) for t, ok in zip(
            targets, [True, False, True, False, True])]
    for r in result["results"]:
        assert ("error" in r) != r["ok"] == ("messageId" in r)
    assert "not found" in result["results"][1]["error"]
    assert result["results"][1]["attempted"] is False
    text = "[from @%s] all" % w.user.name
    assert agent.said(w.channel) == agent.said(other) == [text]
    assert agent.said() == ["all", "done"]


def test_send_to_several_is_a_broadcast(agent):
    w = agent.world
    targets = ["channel:" + w.channel, "@" + w.user.name]
    got = agent.do(
        [call(action="send", targets=targets[:1], message="one")],
        [call(action="send", targets=targets, message="two")],
        [call(action="send", targets=targets, message="dry", dryRun=True)],
        [call(action="broadcast", targets=targets * 11, message="x")])
    assert json.loads(got[0])["channelId"] == w.channel
    assert json.loads(got[1])["ok"] is True
    assert [r["to"] for r in json.loads(got[1])["results"]] == targets
    assert [r["ok"] for r in json.loads(got[2])["results"]] == [True, True]
    assert "no more than 20 targets" in got[3]
    assert agent.said() == ["two", "done"]


def test_broadcast_counts_against_the_cap(agent):
    w = agent.world
    here = "@" + w.user.name
    got = agent.do(
        [call(action="broadcast", targets=[here] * 15, message="x")],
        [call(action="broadcast", targets=[here] * 15, message="x")])
    results = json.loads(got[1][len("Error: "):])["results"]
    assert [r["ok"] for r in results] == [True] * 4 + [False] * 11
    assert "more than one message may post" in results[-1]["error"]
    assert agent.said() == ["x"] * 19 + ["done"]


@pytest.mark.parametrize("more, actions", [
    ({"broadcast": {"enabled": False}}, ["send", "react"]),
    ({"crossContext": {"allowWithinProvider": False}}, ["send", "react"]),
    ({"broadcast": {"enabled": True}}, ["send", "react", "broadcast"])])
def test_broadcast_can_be_forbidden(llm, world, more, actions):
    a = Agent(world)
    a.config["tools"] = {"message": more}
    a.start()
    got = a.do([call(action="broadcast", targets=["@" + world.user.name],
                     message="x")])
    props = a.requests()[-1]["tools"][0]["function"]["parameters"][
        "properties"]
    assert props["action"]["enum"] == actions
    assert ("broadcasts are disabled in config" in got[0]) == (
        "broadcast" not in actions)


def test_pin_and_silent(agent):
    w = agent.world
    got = agent.do([
        call(action="send", message="a", pin=True),
        call(id="b", action="send", message="b", delivery={"pin": True},
             silent=True),
        call(id="c", action="send", message="c", bestEffort=True)])
    for text, pinned in zip(got, [True, True, None]):
        result = json.loads(text)
        assert result.get("pinned") is pinned
        assert ("silent" in result.get("note", "")) == ('"note"' in text)
        post = w.user.api.get("/posts/" + result["messageId"])
        assert post["is_pinned"] is bool(pinned)
    assert "note" in json.loads(got[1])


@pytest.mark.simulator
def test_pin_that_is_refused(sim, llm, world):
    a = Agent(world).start()
    sim.fault("rest", method="POST", path_contains="/pin", status=403,
              times=2)
    got = a.do([call(action="send", message="a", pin=True),
                call(id="b", action="send", message="b",
                     delivery={"pin": {"required": True}})])
    result = json.loads(got[0])
    assert result["ok"] and not result["pinned"] and "403" in result["pinError"]
    assert got[1].startswith("Error: the message was posted, and could not")
    assert a.said() == ["a", "b", "done"]


@pytest.mark.simulator
@pytest.mark.parametrize("best", [False, True])
def test_best_effort(sim, llm, world, best):
    a = Agent(world, textChunkLimit=100).start()
    sim.fault("rest", method="POST", path_prefix="/api/v4/posts",
              body_contains="second", status=400, times=-1)
    text = "first %s\n\nsecond %s" % ("x" * 80, "x" * 80)
    got = a.do([call(action="send", message=text, bestEffort=best)])
    if best:
        result = json.loads(got[0])
        assert result["ok"] and result["deliveryStatus"] == "partial_failed"
        assert "400" in result["error"] and len(result["messageIds"]) == 1
    else:
        assert "failed after a part of it was posted" in got[0]
    assert a.said()[0].startswith("first")


def test_power_cut_in_the_middle_of_a_broadcast(sim, agent):
    """One has it, for one it waits, one has not been begun: each gets it."""
    w = agent.world
    others = [w.server.new_channel([w.bot, w.user]) for _ in range(2)]
    calls = [call(action="broadcast", message="to all", targets=[
        "channel:" + c for c in (w.channel, *others)])]
    sim.fault("rest", path_prefix="/api/v4/posts", method="POST", times=-1,
              body_contains=others[0], user=w.bot.name, status=503)
    agent.script(calls, reply="answer")
    agent.say()
    agent.postern.wait(lambda: agent.said(w.channel))
    agent.postern.wait(
        lambda: agent.postern.account()["live"]["outbox"] == 1)
    agent.postern.kill_all()
    sim.clear_faults()
    agent.script(calls, reply="answer")
    agent.postern.start()
    agent.wait_said(["answer"], timeout=30)
    for c in (w.channel, *others):
        assert agent.said(c) == ["[from @%s] to all" % w.user.name]
    result = json.loads(agent.results()[0])
    assert result["ok"] is True
    assert [r["messageId"] for r in result["results"]] == [
        w.server.replies(c, w.bot)[0]["id"] for c in (w.channel, *others)]


def test_power_cut_between_post_and_pin(sim, agent):
    w = agent.world
    calls = [call(action="send", message="keep", pin=True)]
    sim.fault("rest", path_contains="/pin", method="POST", times=1,
              user=w.bot.name, delay_ms=60000)
    agent.script(calls, reply="answer")
    agent.say()
    agent.wait_said(["keep"])
    agent.postern.kill_all()
    sim.clear_faults()
    agent.script(calls, reply="answer")
    agent.postern.start()
    agent.wait_said(["keep", "answer"], timeout=30)
    posts = w.server.replies(w.dm, w.bot, w.user.api)
    assert [p["is_pinned"] for p in posts] == [True, False]
    assert json.loads(agent.results()[0])["pinned"] is True
