"""What the tests of previews share: a bot whose agent plays what it is told
(agent_standin.py), and the whole life of its posts."""

import json
import time

STANDIN = {"postern-agent": "agent_standin.py"}


def tool(call, name, phase="start", **more):
    return ["tool", dict(call=call, name=name, phase=phase, **more)]


class Lane:
    """A direct channel with the bot, and an eye on what becomes of its posts.
    """

    def __init__(self, world, user=None):
        self.world = world
        self.p = world.postern
        self.user = user or world.server.new_user()
        self.dm = self.user.direct(world.bot)
        self.seen = {}  # post id: its texts in order

    def say(self, *steps):
        return self.user.say(self.dm, json.dumps(
            steps, ensure_ascii=False))

    def look(self):
        """The bot's posts that are there now."""
        now = self.world.server.replies(
            self.dm, self.world.bot, self.user.api)
        for p in now:
            texts = self.seen.setdefault(p["id"], [])
            if not texts or texts[-1] != p["message"]:
                texts.append(p["message"])
        return now

    def texts(self):
        return [p["message"] for p in self.look()]

    def wait(self, what, timeout=30):
        return self.p.wait(what, timeout)

    def wait_texts(self, *want, timeout=30):
        try:
            self.wait(lambda: self.texts() == list(want), timeout)
        except AssertionError as e:
            raise AssertionError("%r\n%s" % (self.texts(), e))

    def wait_text(self, want, timeout=30):
        """Until some post says exactly this; the post."""
        try:
            return self.wait(lambda: [
                p for p in self.look() if p["message"] == want],
                timeout)[0]
        except AssertionError as e:
            raise AssertionError("%r\n%s" % (self.texts(), e))

    def settled(self, *want, seconds=0.6, timeout=30):
        """These are the posts, and they stay so for a while."""
        self.wait_texts(*want, timeout=timeout)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.texts() == list(want)
            time.sleep(0.05)

    def ever(self):
        return [t for texts in self.seen.values() for t in texts]


class Stage(Lane):
    """The world's direct channel, and a daemon with a mode."""

    def __init__(self, world, mode, **more):
        streaming = dict(more.pop("streaming", {}), mode=mode)
        world.start(
            world.config(streaming=streaming, **more), standins=STANDIN)
        super().__init__(world, world.user)
