"""The bot is typing: as long as a turn runs, and no longer."""

import os
import socket
import sys
import time

from preview_help import STANDIN, Lane

sys.path.insert(0, os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "mmsim"))
from wsclient import WS  # noqa: E402


class Watch:
    """The times at which this user saw the bot typing in a channel."""

    def __init__(self, lane):
        self.lane = lane
        self.ws = WS(lane.world.server.url, lane.user.token)
        self.ws.wait("hello")

    def until(self, seconds):
        found, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                e = self.ws.wait("typing", end - time.monotonic())
            except socket.timeout:
                break
            if e["data"]["user_id"] == self.lane.world.bot.id and \
                    e["broadcast"]["channel_id"] == self.lane.dm:
                found.append((time.monotonic(), e["data"]["parent_id"]))
        return found


def start(world, **defaults):
    c = world.config(replyToModeByChatType={"direct": "all"})
    c["agents"] = {"defaults": defaults}
    world.start(c, standins=STANDIN)
    lane = Lane(world, world.user)
    return lane, Watch(lane)


def test_typing_is_kept_up_and_stops(world):
    lane, watch = start(world)
    root = lane.say(["sleep", 7], ["final", "done"])
    begun = time.monotonic()
    seen = watch.until(11)
    assert lane.texts() == ["done"]
    # At 0.15, 3.15 and 6.15 s; the answer comes after 7 s.
    assert len(seen) == 3, [t - begun for t, _ in seen]
    assert seen[-1][0] - begun < 9
    assert all(2 < b - a < 5 for (a, _), (b, _) in zip(seen, seen[1:]))
    assert {r for _, r in seen} == {root["id"]}


def test_interval_and_quick_answers(world):
    lane, watch = start(world, typingIntervalSeconds=1)
    lane.say(["final", "quick"])
    lane.wait_text("quick")
    assert watch.until(1) == []
    lane.say(["sleep", 2.5], ["final", "slow"])
    assert len(watch.until(4)) == 3


def test_mode_never(world):
    lane, watch = start(world, typingMode="never")
    lane.say(["think"], ["text", "x"], ["sleep", 1], ["final", "done"])
    assert watch.until(2) == []
    lane.wait_text("done")


def test_mode_thinking_and_message(world):
    lane, watch = start(world, typingMode="message")
    lane.say(["think"], ["sleep", 2], ["text", "x"], ["sleep", 1],
             ["final", "done"])
    begun = time.monotonic()
    seen = watch.until(4)
    assert len(seen) == 1 and seen[0][0] - begun > 1.9
