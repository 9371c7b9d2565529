"""What a model is asked, and how often."""

import time


def contents(request):
    return [(m["role"], m["content"]) for m in request["body"]["messages"]]


def asked(llm):
    """The completions that any test has asked for so far."""
    return [r for r in llm.model_requests()
            if r["path"].endswith("/chat/completions")]


def test_model_answers_with_history(world, llm):
    llm.model(reply="first answer")
    world.start(world.model_config())
    assert world.ask("first question", "first answer") == "first answer"
    llm.model(reply="second answer")
    assert world.ask("second question", "second answer") == "second answer"
    last = asked(llm)[-1]
    assert last["authorized"]
    seen = contents(last)
    assert seen[0][0] == "system"
    assert "first question" not in seen[0][1]
    assert seen[1] == ("user", "first question")
    assert seen[2] == ("assistant", "first answer")
    assert seen[3][0] == "user" and seen[3][1].endswith("second question")
    assert len(seen) == 4


def test_rate_limit_is_waited_for(world, llm):
    llm.model(reply="hello yourself")
    llm.model(status=429, retry_after=1, times=1)
    before = len(asked(llm))
    world.start(world.model_config())
    t0 = time.monotonic()
    assert world.ask("hello", "hello yourself") == "hello yourself"
    assert time.monotonic() - t0 >= 1
    assert len(asked(llm)) == before + 2


def test_stream_that_breaks_off_is_asked_again(world, llm):
    llm.model(reply="a long answer of many words", cut="rst", cut_after=300,
              times=1)
    before = len(asked(llm))
    p = world.start(world.model_config())
    world.user.say(world.dm, "hello")
    p.wait(lambda: "hello" in "".join(world.said()[-1:]))
    assert len(world.said()) == 1  # the preview became the answer
    assert len(asked(llm)) == before + 2


def test_refused_key_is_told_and_not_repeated(world, llm):
    llm.model(status=401)
    before = len(asked(llm))
    world.start(world.model_config())
    assert "refused my access key" in world.ask("hello")
    time.sleep(1)
    assert len(asked(llm)) == before + 1
    assert "sk-test" not in world.postern.logs()


def test_only_the_final_text_is_posted(world, llm):
    llm.model(reply="<think>what do they want?</think>\n\nyes")
    world.start(world.model_config())
    assert world.ask("hello", "yes") == "yes"
