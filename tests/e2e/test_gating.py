"""When is the bot meant: mentions, prefixes, patterns, threads, commands."""

import pytest

from test_access import Access


class Gating(Access):
    def say(self, text, channel=None, user=None, **more):
        return (user or self.world.user).say(
            channel or self.world.channel, text, **more)

    def ignored(self, *args, **more):
        assert self.reason(self.say(*args, **more)) == "no-mention"

    def answered(self, text, **more):
        """Exactly the answer to that, by the text that echo gives back."""
        post = self.say(text, **more)
        got = self.answers(post)
        assert len(got) == 1, got
        return got[0]


@pytest.fixture
def gating(world):
    return Gating(world)


def test_mentions(gating, world):
    gating.start()
    name = world.bot.name
    gating.ignored("hello")
    gating.ignored("hello %s" % name)
    gating.ignored("mail@%s" % name)
    gating.ignored("@%s-2 and @%s.dev and @%s_x" % (name, name, name))
    gating.ignored("@all @channel @here")
    world.postern.wait_logged("channel.needs_mention")
    assert world.postern.logs().count("channel.needs_mention") == 1
    assert "hello" in gating.answered("(@%s) hello" % name.upper())["message"]
    assert "hi" in gating.answered("hi `@%s`" % name)["message"]


def test_onmessage_and_groups(gating, world):
    quiet = world.server.new_channel([world.bot, world.user])
    gating.start(chatmode="onmessage",
                 groups={quiet: {"requireMention": True}})
    assert "no name" in gating.answered("no name")["message"]
    gating.ignored("no name here", channel=quiet)
    gating.answered("@%s here" % world.bot.name, channel=quiet)


def test_require_mention(gating, world):
    loud = world.server.new_channel([world.bot, world.user])
    gating.start(requireMention=False,
                 groups={"*": {"requireMention": True},
                         loud: {"requireMention": False}})
    gating.ignored("the star says yes")
    gating.answered("this channel says no", channel=loud)


def test_onchar(gating, world):
    gating.start(chatmode="onchar", oncharPrefixes=["!", ">>"],
                 groups={"*": {"requireMention": False}})
    # A prefix is needed whatever the groups say, or a mention.
    gating.ignored("nothing")
    gating.ignored("> another one")
    assert gating.answered("!  do it")["message"].endswith("do it")
    assert "!" not in gating.answered(" >> and this")["message"]
    gating.answered("@%s this too" % world.bot.name)
    # Not in direct messages: there the prefix is text.
    assert "! hello" in gating.answered("! hello", channel=world.dm)["message"]


def test_patterns(gating, world):
    gating.start(top={"messages": {"groupChat": {
        "mentionPatterns": ["\\bclaw(bot)?\\b"]}}})
    gating.answered("hey Claw, are you there?")
    gating.answered("CLAWBOT!")
    gating.ignored("clawing")


def thread(gating, world, text):
    """A thread with one answer of the bot in it; its root."""
    root = gating.say(text)
    gating.say("@%s you" % world.bot.name, root_id=root["id"])
    world.postern.wait(lambda: in_thread(gating, world, root, 1))
    return root


def in_thread(gating, world, root, n):
    found = [p for p in world.server.replies(
        world.channel, world.bot, world.user.api)
        if p["root_id"] == root["id"]]
    return found if len(found) >= n else []


def test_threads_of_the_bot(gating, world):
    p = gating.start()
    root = thread(gating, world, "first")
    other = gating.say("second")
    gating.say("and what else?", root_id=root["id"])
    found = p.wait(lambda: in_thread(gating, world, root, 2))
    assert "and what else?" in found[-1]["message"]
    gating.ignored("not your thread", root_id=other["id"])
    gating.ignored("top level")
    # It remembers, killed or not.
    p.kill_all()
    p.start()
    gating.say("do you remember?", root_id=root["id"])
    found = p.wait(lambda: in_thread(gating, world, root, 3))
    assert "do you remember?" in found[-1]["message"]
    gating.ignored("still not yours", root_id=other["id"])


@pytest.mark.parametrize("mode", ["off", "partial", "block", "progress"])
def test_threads_of_streamed_answers(llm, world, mode):
    """Also when the answer began as a preview."""
    gating = Gating(world)
    p = world.start(world.model_config(streaming={"mode": mode}))
    root = thread(gating, world, "first")
    p.wait(lambda: p.account()["live"]["running"] == 0 and
           p.account()["live"]["outbox"] == 0)
    gating.say("and what else?", root_id=root["id"])
    p.wait(lambda: in_thread(gating, world, root, 2))
    p.wait(lambda: p.account()["live"]["running"] == 0 and
           p.account()["live"]["outbox"] == 0)
    p.kill_all()
    p.start()
    gating.say("do you remember?", root_id=root["id"])
    p.wait(lambda: in_thread(gating, world, root, 3))


def test_threads_can_be_switched_off(gating, world):
    gating.start(implicitMentions={"threadParticipation": False})
    root = thread(gating, world, "first")
    gating.ignored("and what else?", root_id=root["id"])


def test_own_messages_take_no_part(gating, world):
    """What an operator sends into a thread is no answer."""
    p = gating.start()
    root = gating.say("first")
    p.ctl("message", "send", "-t", "channel:" + world.channel, "-m",
          "news", "--reply-to", root["id"])
    p.wait(lambda: in_thread(gating, world, root, 1))
    gating.ignored("oh, is it?", root_id=root["id"])


def test_reply_mode_has_its_own_roots(gating, world):
    """A top-level post is its own thread: nobody takes part in it yet."""
    p = gating.start(replyToMode="all")
    post = gating.say("@%s top" % world.bot.name)
    p.wait(lambda: in_thread(gating, world, post, 1))
    gating.say("go on", root_id=post["id"])
    p.wait(lambda: in_thread(gating, world, post, 2))
    gating.ignored("something else")


def test_commands_need_a_list(gating, world):
    """Open to all for talking; commands are for those who are listed."""
    gating.start(allowFrom=[], dmPolicy="disabled")
    gating.answered("@%s hello" % world.bot.name)
    for text in ("@%s /new", "@%s /status", "@%s stop"):
        post = gating.say(text % world.bot.name)
        assert gating.reason(post) == "command-not-authorised"


@pytest.mark.simulator
def test_an_answer_that_is_read_before_we_know(sim, gating, world):
    """The bot takes part from when its answer can be read, not from when
    the server has told us so."""
    gating.start()
    sim.fault("rest", method="POST", path_prefix="/api/v4/posts",
              user=world.bot.name, close="before", after_effect=True,
              times=1)
    root = thread(gating, world, "first")
    gating.answered("third", root_id=root["id"])
