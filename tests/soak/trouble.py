"""What goes wrong in a soak: one thing at a time, the next when the last is
over."""

import os
import random
import signal

import proc

QUIET = 300  # s in which the same worker is not killed twice


class Trouble:
    def __init__(self, soak):
        self.soak = soak
        self.random = random.Random(soak.seed)
        self.killed_at = {}
        self.kills = 0
        self.reloads = 0
        self.counts = {}
        self.kinds = [self.kill, self.restart, self.reload, self.cut,
                      self.half_open, self.refusals, self.unclear]
        self.turn = 0

    def next(self):
        """The next of its kinds; a line that tells what it was."""
        kind = self.kinds[self.turn % len(self.kinds)]
        self.turn += 1
        what = kind()
        self.counts[kind.__name__] = self.counts.get(kind.__name__, 0) + 1
        return what

    def bot(self):
        return self.random.choice(self.soak.bots).name

    def kill(self):
        p = self.soak.postern
        now = self.soak.elapsed()
        workers = [(proc.name(pid), pid) for pid in p.children()[1:]]
        names = sorted({n for n, _ in workers if
                        now - self.killed_at.get(n, -QUIET) >= QUIET})
        if not names:
            return "nobody to kill"
        name = self.random.choice(names)
        pid = self.random.choice([i for n, i in workers if n == name])
        self.killed_at[name] = now
        self.kills += 1
        os.kill(pid, signal.SIGKILL)
        return "killed " + name

    def restart(self):
        ms = self.random.choice((200, 1000, 3000))
        self.soak.server.fault("restart", down_ms=ms)
        return "server away for %d ms" % ms

    def reload(self):
        """One account changes, the others must not notice."""
        p, config = self.soak.postern, self.soak.postern.config
        self.reloads += 1
        top = config["channels"]["mattermost"]["accounts"]
        last = sorted(top)[-1]
        top[last]["responsePrefix"] = "[%d]" % self.reloads
        p.write(config)
        p.process.send_signal(signal.SIGHUP)
        return "reload, %s changed" % last

    def cut(self):
        kind = self.random.choice(("ws_reset", "ws_close", "ws_drop"))
        bot = self.bot()
        self.soak.server.fault(kind, user=bot, n=3)
        self.soak.server.fault("drop_http", rst=True)
        return "%s of %s, idle connections reset" % (kind, bot)

    def half_open(self):
        bot = self.bot()
        self.soak.server.fault("ws_stall", user=bot)
        return "%s stalled until the next thing" % bot

    def refusals(self):
        self.soak.server.clear_faults()
        status = self.random.choice((429, 500, 503))
        self.soak.server.fault(
            "rest", path_prefix="/api/v4/posts", user=self.bot(), times=10,
            status=status, headers={"Retry-After": "1",
                                    "X-Ratelimit-Reset": "1"})
        return "ten times %d" % status

    def unclear(self):
        self.soak.server.fault(
            "rest", method="POST", path_prefix="/api/v4/posts",
            user=self.bot(), times=5, close="before", after_effect=True)
        return "five posts taken, but not answered"
