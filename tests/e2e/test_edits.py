"""An edit that adds a mention is answered, once."""


def edit(user, post, text):
    user.api.put("/posts/%s/patch" % post["id"], {"message": text})


def test_edit_adds_a_mention(world):
    world.start()
    mention = "@%s " % world.bot.name
    post = world.user.say(world.channel, "what is this?")
    world.user.say(world.channel, mention + "first, please")
    world.server.wait_replies(world.channel, world.bot, 1)
    edit(world.user, post, "what was this?")
    edit(world.user, post, mention + "what is that?")
    found = world.server.wait_replies(world.channel, world.bot, 2)
    assert len(found) == 2 and "what is that?" in found[1]["message"]
    edit(world.user, post, mention + "what is that, again?")
    world.user.say(world.channel, mention + "last, please")
    found = world.server.wait_replies(world.channel, world.bot, 3)
    assert len(found) == 3 and "last, please" in found[2]["message"]


def test_edit_of_an_answered_post(world):
    world.start()
    mention = "@%s " % world.bot.name
    post = world.user.say(world.channel, mention + "once")
    world.server.wait_replies(world.channel, world.bot, 1)
    edit(world.user, post, mention + "once more")
    world.user.say(world.channel, mention + "last")
    found = world.server.wait_replies(world.channel, world.bot, 2)
    assert len(found) == 2
    assert "more" not in found[0]["message"] + found[1]["message"]
