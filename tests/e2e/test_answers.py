"""A direct message or a mention gets its answer."""


def test_direct_message(world):
    world.start()
    assert "good morning" in world.ask("good morning")


def test_mention_in_channel(world):
    world.start()
    world.user.say(world.channel, "nobody asked you")
    world.user.say(world.channel, "@%s what time is it?" % world.bot.name)
    found = world.server.wait_replies(world.channel, world.bot, 1)
    assert len(found) == 1
    assert "what time is it?" in found[0]["message"]
    assert "@" + world.bot.name not in found[0]["message"]


def test_reply_stays_in_thread(world):
    world.start()
    root = world.user.say(world.channel, "a root")
    world.user.say(world.channel, "@%s in here" % world.bot.name,
                   root=root["id"])
    found = world.server.wait_replies(world.channel, world.bot, 1)
    assert found[0]["root_id"] == root["id"]


def test_own_and_bot_posts_are_not_answered(world):
    other = world.server.new_bot()
    world.server.join(world.channel, other)
    world.start()
    other.say(world.channel, "@%s from a bot" % world.bot.name)
    world.user.say(world.channel, "@%s from a person" % world.bot.name)
    found = world.server.wait_replies(world.channel, world.bot, 1)
    assert len(found) == 1 and "from a person" in found[0]["message"]


def test_order_within_a_lane(world):
    world.start()
    for i in range(30):
        world.user.say(world.dm, "question %d." % i)
    found = world.server.wait_replies(
        world.dm, world.bot, 30, api=world.user.api)
    assert len(found) == 30
    for i, p in enumerate(found):
        assert "question %d." % i in p["message"]


def test_posts_while_down_are_answered_once_after_start(world):
    p = world.start()
    world.ask("hello")
    p.stop()
    for i in range(5):
        world.user.say(world.dm, "missed %d." % i)
    p.start()
    found = world.server.wait_replies(
        world.dm, world.bot, 6, api=world.user.api)[1:]
    assert ["missed %d." % i in q["message"]
            for i, q in enumerate(found)] == [True] * 5
    world.ask("still there?")
    assert len(world.server.replies(world.dm, world.bot, world.user.api)) == 7


def test_new_direct_channel_while_down(world):
    p = world.start()
    p.stop()
    stranger = world.server.new_user()
    dm = stranger.direct(world.bot)
    stranger.say(dm, "first words")
    p.start()
    found = world.server.wait_replies(dm, world.bot, 1, api=stranger.api)
    assert len(found) == 1 and "first words" in found[0]["message"]
