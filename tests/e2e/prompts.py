"""What people say to a bot, and what its model is asked then."""


def mention(world, text, **more):
    return world.user.say(
        world.channel, "@%s %s" % (world.bot.name, text), **more)


def asked(world, text):
    """The newest message of the request that ends with text."""
    def find():
        for r in reversed(world.model_requests()):
            content = r["body"]["messages"][-1]["content"]
            if content.endswith(text):
                return content
        return None
    return world.postern.wait(find)
