"""kill -9 at any moment: every message is answered exactly once, and in
order within its lane."""

import json
import os
import random
import re
import signal
import threading
import time

import pytest

from daemon import kill_pid
from patience import tries

MESSAGES = int(os.environ.get("POSTERN_TEST_KILL_MESSAGES", "1000"))
KILLS = int(os.environ.get("POSTERN_TEST_KILLS", "50"))
LANES = 20


class Talk:
    """Questions in several direct channels at once, each with its number."""

    def __init__(self, world, n):
        self.world = world
        self.n = n
        self.users = [world.server.new_user() for _ in range(LANES)]
        self.rooms = [u.direct(world.bot) for u in self.users]
        self.said = [[] for _ in self.rooms]
        self.thread = threading.Thread(target=self.run)
        self.pace = 0.0

    def run(self):
        for i in range(self.n):
            lane = i % LANES
            self.users[lane].say(self.rooms[lane], "question %d." % i)
            self.said[lane].append(i)
            time.sleep(self.pace)

    def answered(self):
        return sum(len(self.answers(i)) for i in range(LANES))

    def answers(self, lane):
        u = self.users[lane]
        return [int(re.search(r"question (\d+)\.", p["message"]).group(1))
                for p in self.world.server.replies(
                    self.rooms[lane], self.world.bot, u.api)]

    def check(self, timeout):
        # Looking takes the server's time, too.
        for _ in tries(timeout, max(0.3, self.n / 4000)):
            if self.answered() >= self.n:
                break
        for lane in range(LANES):
            assert self.answers(lane) == self.said[lane], \
                "lane %d\n%s" % (lane, self.world.postern.logs()[-8000:])


def kill_one(p):
    """One worker, or the supervisor, or everything."""
    roll = random.random()
    if roll < 0.35:
        p.kill_all()
        p.start(wait=False)
        return "all"
    if roll < 0.45:
        # The supervisor alone: its workers end by themselves.
        others = p.children()[1:]
        p.process.send_signal(signal.SIGKILL)
        p.process.wait()
        p.log.close()
        for _ in tries(5):
            if not any(os.path.exists("/proc/%d" % pid) for pid in others):
                break
        p.start(wait=False)
        return "posternd"
    victims = p.children()[1:]
    if victims:
        kill_pid(random.choice(victims))
    return "worker"


def test_random_kills(world):
    seed = int(os.environ.get("POSTERN_TEST_SEED", time.time()))
    print("seed", seed, "kills", KILLS, "messages", MESSAGES)
    random.seed(seed)
    p = world.start()
    talk = Talk(world, MESSAGES)
    talk.pace = 0.6 * KILLS / MESSAGES
    talk.thread.start()
    for _ in range(KILLS):
        time.sleep(random.uniform(0, 1.2))
        kill_one(p)
    talk.thread.join()
    talk.check(max(180, MESSAGES / 20))


@pytest.mark.parametrize(
    "role", ["store", "dialer", "agent", "account", "control"])
def test_kill_one_role(world, role):
    """Five times the same one, in the middle of the talk."""
    p = world.start()
    talk = Talk(world, 200)
    talk.pace = 0.005
    talk.thread.start()
    for _ in range(3):
        time.sleep(0.3)
        for key, pid in p.wait(p.pids).items():
            if key.split(":")[0] == role and pid:
                kill_pid(pid)
    talk.thread.join()
    talk.check(60)


@pytest.mark.simulator
def test_what_was_not_begun_is_not_looked_for(sim, world):
    """Only the first of a lane may have a preview of an earlier life: a
    backlog must not read its channel once for each of its messages."""
    p = world.start(world.model_config())
    sim.model(reply="slow", first_delay_ms=60000)
    for i in range(60):
        world.user.say(world.dm, "question %d." % i)
    p.wait(lambda: p.account()["live"]["waiting"] == 60)
    os.kill(p.pids()["account:default"], signal.SIGKILL)
    sim.model(echo=True)

    def live():
        return p.account()["live"]
    # Nobody but the bot reads the channel meanwhile.
    p.wait(lambda: live()["waiting"] == 0 and live()["posts"] >= 60, 30)
    seen = sim.mmsim.sim("GET", "/requests")
    found = sim.wait_replies(world.dm, world.bot, 60, 30, world.user.api)
    assert [int(re.search(r"question (\d+)\.$", f["message"]).group(1))
            for f in found] == list(range(60)), p.logs()[-4000:]
    # Fills, one look for a preview, some of the sweep behind it.
    looks = [r for r in seen if r["method"] == "GET" and
             "/channels/%s/posts" % world.dm in r["path"]]
    assert len(looks) <= 8, len(looks)
