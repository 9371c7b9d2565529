"""A model behind the agent: streaming into a preview, history, failures."""

import os
import signal
import time

import pytest


@pytest.fixture
def talk(llm, world):
    world.start(world.model_config())
    return world


def dm_posts(world):
    return world.server.replies(world.dm, world.bot, world.user.api)


def only_answer(world, timeout=20, settle=1.0):
    """The single post of the bot once nothing changes any more."""
    found = world.server.wait_replies(
        world.dm, world.bot, 1, timeout, world.user.api)
    time.sleep(settle)
    found = dm_posts(world)
    assert len(found) == 1, [p["message"] for p in found]
    return found[0]


def test_answer_is_streamed_into_one_post(talk):
    talk.server.model(reply="one two three four five six seven eight",
                      chunks=8, chunk_delay_ms=400)
    talk.user.say(talk.dm, "count")
    first = talk.server.wait_replies(
        talk.dm, talk.bot, 1, 10, talk.user.api)[0]
    assert "eight" not in first["message"]
    talk.postern.wait(lambda: "eight" in dm_posts(talk)[0]["message"])
    last = only_answer(talk)
    assert last["id"] == first["id"]
    assert last["message"] == "one two three four five six seven eight"


def test_reply_tags_are_not_posted(talk):
    """Nor do they move the answer: that is replyToMode's to say."""
    talk.server.model(reply="[[reply_to_current]] here you are", chunks=6,
                      chunk_delay_ms=60)
    talk.user.say(talk.channel, "@%s what is it?" % talk.bot.name)
    seen = set()
    found = lambda: talk.server.replies(talk.channel, talk.bot)
    talk.postern.wait(lambda: [
        seen.add(p["message"]) or p["message"] for p in found()] ==
        ["here you are"])
    assert not [m for m in seen if "[" in m]
    assert found()[0]["root_id"] == ""


def test_final_answer_does_not_wait_for_the_throttle(talk):
    talk.server.model(reply="quick and complete", chunks=4, chunk_delay_ms=30)
    begun = time.monotonic()
    talk.user.say(talk.dm, "go")
    talk.postern.wait(lambda: [
        p for p in dm_posts(talk) if p["message"] == "quick and complete"])
    assert time.monotonic() - begun < 0.9
    only_answer(talk)


def test_history_comes_from_the_store(talk):
    talk.ask("my name is Ada")
    p = talk.postern
    p.stop()
    p.start()
    talk.ask("what is my name?")
    body = talk.server.model_requests()[-1]["body"]
    texts = [m["content"] for m in body["messages"]]
    assert any("Ada" in str(t) for t in texts[:-1])
    assert body["messages"][-1]["role"] == "user"


def test_key_is_sent_and_nowhere_else(talk):
    talk.ask("hello")
    r = talk.server.model_requests()[-1]
    assert r["authorized"]
    assert "sk-test" not in talk.postern.logs()
    assert talk.bot.token not in talk.postern.logs()


def test_long_answer_becomes_several_posts(talk):
    text = "\n\n".join("Paragraph %d. " % i + "word " * 150
                       for i in range(16))
    talk.server.model(reply=text, chunks=30, chunk_delay_ms=60)
    talk.user.say(talk.dm, "write a lot")
    talk.postern.wait(lambda: any(
        "Paragraph 15." in p["message"] for p in dm_posts(talk)))
    time.sleep(1)
    posts = [p["message"] for p in dm_posts(talk)]
    assert all(len(m) <= 4000 for m in posts)
    joined = "\n".join(posts)
    for i in range(16):
        assert joined.count("Paragraph %d." % i) == 1


@pytest.mark.parametrize("answer", ["NO_REPLY", ""])
def test_silent_turn_leaves_nothing(talk, answer):
    talk.server.model(reply=answer, chunks=2, chunk_delay_ms=100)
    talk.user.say(talk.dm, "psst")
    talk.postern.wait(lambda: talk.postern.account()["live"]["accepted"] == 1)
    time.sleep(2)
    assert dm_posts(talk) == []


def test_wrong_key_is_said_at_once(talk):
    talk.server.model(status=401)
    talk.user.say(talk.dm, "hello?")
    assert "could not answer" in only_answer(talk)["message"]
    assert "auth" in talk.postern.ctl(
        "channels", "dead-letters", "list").stdout


@pytest.mark.parametrize("script", [
    {"status": 500}, {"status": 429, "retry_after": 1}, {"status": 503},
    {"cut_after": 150, "cut": "fin"}, {"cut_after": 150, "cut": "rst"}])
def test_transient_failures_are_tried_again(talk, script):
    talk.server.model(times=1, chunks=6, reply="this was cut",
                      chunk_delay_ms=50, **script)
    talk.user.say(talk.dm, "try this")
    talk.postern.wait(lambda: [
        p for p in dm_posts(talk) if "try this" in p["message"]], 20)
    assert "try this" in only_answer(talk)["message"]


def test_garbage_between_the_events_of_a_stream(talk):
    talk.server.model(times=1, chunks=6, reply="not touched by it",
                      garbage=True)
    talk.user.say(talk.dm, "go")
    talk.postern.wait(lambda: [
        p for p in dm_posts(talk) if p["message"] == "not touched by it"])
    only_answer(talk)


def test_lasting_failure_ends_with_a_short_word(talk):
    talk.server.model(status=500)
    talk.user.say(talk.dm, "try this")
    assert "could not answer" in only_answer(talk, 40)["message"]
    talk.server.model()
    talk.user.say(talk.dm, "and now?")
    # It begins as a preview.
    talk.postern.wait(lambda: "and now?" in talk.said()[-1])


def test_channel_hears_of_failures_only_when_it_asked(llm, world):
    world.start(world.model_config(chatmode="onmessage"))
    llm.model(status=401)
    world.user.say(world.channel, "just talking")
    world.user.say(world.channel, "@%s are you there?" % world.bot.name)
    found = llm.wait_replies(world.channel, world.bot, 1)
    time.sleep(0.5)
    assert len(llm.replies(world.channel, world.bot)) == 1
    assert "could not answer" in found[0]["message"]


@pytest.mark.parametrize("fault", [
    {"status": 500}, {"status": 403}, {"status": 429},
    {"close": "before"}, {"close": "before", "after_effect": True},
    {"close": "truncate"}])
@pytest.mark.parametrize("skip", [0, 1])
def test_preview_in_trouble(sim, talk, fault, skip):
    """Whatever happens to the preview, one whole answer stays."""
    talk.server.model(reply="alpha beta gamma delta", chunks=4,
                      chunk_delay_ms=500)
    path = "/api/v4/posts"
    talk.server.fault("rest", path_prefix=path, user=talk.bot.name, times=1,
                      method="POST" if skip == 0 else "PUT", **fault)
    talk.user.say(talk.dm, "go")
    talk.postern.wait(lambda: [
        p for p in dm_posts(talk)
        if p["message"] == "alpha beta gamma delta"], 20)
    assert only_answer(talk)["message"] == "alpha beta gamma delta"


def test_deleted_preview(talk):
    talk.server.model(reply="alpha beta gamma delta", chunks=4,
                      chunk_delay_ms=500)
    talk.user.say(talk.dm, "go")
    first = talk.server.wait_replies(
        talk.dm, talk.bot, 1, 10, talk.user.api)[0]
    talk.bot.api.delete("/posts/" + first["id"])
    talk.postern.wait(lambda: [
        p for p in dm_posts(talk)
        if p["message"] == "alpha beta gamma delta"], 20)
    only_answer(talk)


def test_power_cut_in_the_middle_of_a_preview(talk):
    talk.server.model(reply="alpha beta gamma delta", chunks=4,
                      chunk_delay_ms=700)
    talk.user.say(talk.dm, "go")
    talk.server.wait_replies(talk.dm, talk.bot, 1, 10, talk.user.api)
    talk.postern.kill_all()
    talk.postern.start()
    talk.postern.wait(lambda: [
        p for p in dm_posts(talk)
        if p["message"] == "alpha beta gamma delta"], 20)
    only_answer(talk)


def test_agent_killed_in_the_middle(talk):
    talk.server.model(reply="alpha beta gamma delta", chunks=4,
                      chunk_delay_ms=700)
    talk.user.say(talk.dm, "go")
    talk.server.wait_replies(talk.dm, talk.bot, 1, 10, talk.user.api)
    os.kill(talk.postern.pids()["agent:main"], signal.SIGKILL)
    talk.postern.wait(lambda: [
        p for p in dm_posts(talk)
        if p["message"] == "alpha beta gamma delta"], 20)
    only_answer(talk)


def test_reasoning_is_announced_and_never_posted(talk):
    talk.server.model(reasoning="they must not know", chunks=2,
                      reply="what they may know", chunk_delay_ms=1500)
    talk.user.say(talk.dm, "why?")
    texts = set()

    def answered():
        texts.update(p["message"] for p in dm_posts(talk))
        return "what they may know" in texts
    talk.postern.wait(answered, 20)
    assert "Thinking\u2026" in texts
    assert not any("must not" in t for t in texts)
    only_answer(talk)


def test_think_block_is_announced_and_never_posted(talk):
    talk.server.model(reply="<think>they must not know</think>\n\nopen words",
                      chunks=4, chunk_delay_ms=800)
    talk.user.say(talk.dm, "why?")
    texts = set()

    def answered():
        texts.update(p["message"] for p in dm_posts(talk))
        return "open words" in texts
    talk.postern.wait(answered, 20)
    assert "Thinking\u2026" in texts
    assert not any("must not" in t for t in texts)
    only_answer(talk)
