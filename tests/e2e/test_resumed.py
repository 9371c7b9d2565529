"""A connection that ends while messages wait to be judged, and goes on: what
waited has been told of, and the server will not tell of it again."""

import pytest

pytestmark = pytest.mark.simulator


@pytest.fixture
def talk(sim, world):
    world.start()
    return world


def resumed(world):
    world.postern.wait(
        lambda: world.postern.account()["live"]["resumes"] >= 1)


# What was sent before an orderly end arrives before it.


def answered(world, channel, words, api):
    """Each, once."""
    def found():
        texts = [p["message"] for p in
                 world.server.replies(channel, world.bot, api)]
        return len(texts) >= len(words) and texts
    texts = world.postern.wait(found)
    assert [w in t for w, t in zip(words, texts)] == [True] * len(words)
    assert len(texts) == len(words), texts


@pytest.mark.parametrize("kind", ["ws_close", "ws_close_frame"])
def test_behind_a_question(sim, talk, kind):
    """The channel is asked for; the others wait behind the first one."""
    sim.fault("rest", method="GET", user=talk.bot.name,
              path_prefix="/api/v4/channels/" + talk.channel, delay_ms=1500)
    talk.server.admin.put("/channels/%s/patch" % talk.channel,
                          {"header": "another"})
    said = ["one.", "two.", "three."]
    for word in said:
        talk.user.say(talk.channel, "@%s %s" % (talk.bot.name, word))
    sim.fault(kind, user=talk.bot.name)
    resumed(talk)
    answered(talk, talk.channel, said, talk.user.api)


@pytest.mark.parametrize("kind", ["ws_close", "ws_close_frame"])
def test_in_a_new_channel(sim, talk, kind):
    """It is not known yet, and is asked for."""
    sim.fault("rest", method="GET", user=talk.bot.name,
              path_prefix="/api/v4/channels/", times=1, delay_ms=1500)
    other = talk.server.new_user()
    dm = other.direct(talk.bot)
    other.say(dm, "one.")
    sim.fault(kind, user=talk.bot.name)
    resumed(talk)
    answered(talk, dm, ["one."], other.api)


@pytest.mark.parametrize("kind", ["ws_close", "ws_close_frame"])
def test_question_that_fails_meanwhile(sim, talk, kind):
    """Nobody is connected when it fails: the next connection is no resume,
    and fetches the message again."""
    sim.fault("rest", method="GET", user=talk.bot.name, status=503,
              path_prefix="/api/v4/channels/" + talk.channel, delay_ms=1000)
    talk.server.admin.put("/channels/%s/patch" % talk.channel,
                          {"header": "another"})
    talk.user.say(talk.channel, "@%s one." % talk.bot.name)
    sim.fault(kind, user=talk.bot.name)
    answered(talk, talk.channel, ["one."], talk.user.api)
    assert talk.postern.account()["live"]["resumes"] == 0


@pytest.mark.parametrize("status", [400, 401, 404, 500])
def test_resume_that_is_refused(sim, talk, status):
    """It is not asked for again: the next connection is a fresh one."""
    talk.ask("one.")
    sim.fault("rest", path_prefix="/api/v4/websocket", status=status)
    sim.fault("ws_close", user=talk.bot.name)
    assert "two." in talk.ask("two.")
    assert talk.postern.account()["live"]["resumes"] == 0


def test_channel_that_nobody_told_of(sim, world):
    """A team that is joined while a fill is under way: of its channels but
    one the server says nothing, and the list has been read."""
    team = world.server.new_team()
    world.server.join_team(world.user.id, team)
    world.start()
    world.postern.stop()
    world.user.say(world.channel, "some news")
    sim.fault("rest", method="GET", user=world.bot.name, delay_ms=2000,
              path_prefix="/api/v4/channels/%s/posts" % world.channel)
    world.postern.start()
    world.server.join_team(world.bot.id, team)
    room = world.user.api.get(
        "/teams/%s/channels/name/off-topic" % team)["id"]
    world.user.say(room, "@%s one." % world.bot.name)
    answered(world, room, ["one."], world.user.api)
