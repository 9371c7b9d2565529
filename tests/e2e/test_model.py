"""Agents with a model: history, failures, and what the model is asked."""

import time

import pytest

pytestmark = pytest.mark.simulator


def contents(request):
    return [(m["role"], m["content"]) for m in request["body"]["messages"]]


def asked(sim):
    """The completions that any test has asked for so far."""
    return [r for r in sim.model_requests()
            if r["path"].endswith("/chat/completions")]


def said(world):
    return [p["message"] for p in world.server.replies(
        world.dm, world.bot, world.user.api)] or [""]


def test_model_answers_with_history(world, sim):
    sim.model(reply="first answer")
    world.start(world.model_config())
    assert world.ask("first question") == "first answer"
    sim.model(reply="second answer")
    assert world.ask("second question") == "second answer"
    last = asked(sim)[-1]
    assert last["authorized"]
    seen = contents(last)
    assert seen[0][0] == "system"
    assert "first question" not in seen[0][1]
    assert seen[1] == ("user", "first question")
    assert seen[2] == ("assistant", "first answer")
    assert seen[3][0] == "user" and seen[3][1].endswith("second question")
    assert len(seen) == 4


def test_rate_limit_is_waited_for(world, sim):
    sim.model(status=429, retry_after=1, times=1)
    before = len(asked(sim))
    world.start(world.model_config())
    t0 = time.monotonic()
    assert "hello" in world.ask("hello")
    assert time.monotonic() - t0 >= 1
    assert len(asked(sim)) == before + 2


def test_stream_that_breaks_off_is_asked_again(world, sim):
    sim.model(reply="a long answer of many words", cut="rst", cut_after=300,
              times=1)
    before = len(asked(sim))
    p = world.start(world.model_config())
    world.user.say(world.dm, "hello")
    p.wait(lambda: "hello" in said(world)[-1])
    assert len(said(world)) == 1  # the preview became the answer
    assert len(asked(sim)) == before + 2


def test_refused_key_is_told_and_not_repeated(world, sim):
    sim.model(status=401)
    before = len(asked(sim))
    world.start(world.model_config())
    assert "refused my access key" in world.ask("hello")
    time.sleep(1)
    assert len(asked(sim)) == before + 1
    assert "sk-test" not in world.postern.logs()


def test_only_the_final_text_is_posted(world, sim):
    sim.model(reply="<think>what do they want?</think>\n\nyes")
    world.start(world.model_config())
    assert world.ask("hello") == "yes"
