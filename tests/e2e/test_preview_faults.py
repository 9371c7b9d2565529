"""Whatever happens to a preview: the answer is there, once, and nothing else."""

import json
import os
import signal
import time

import pytest

from mattermost import ApiError
from preview_help import Lane, Stage, tool

MODES = ["partial", "block", "progress", "finished"]


def stage(world, mode, **more):
    if mode == "finished":
        return Stage(world, "off", streaming={"block": {
            "enabled": True, "coalesce": {"minChars": 1, "idleMs": 0}}},
            **more)
    return Stage(world, mode, streaming={"progress": {
        "toolProgress": True}}, **more)


def play(s, pause=0.7, tag="x"):
    """A turn with something to see in each mode, in three places."""
    s.whole = "%s alpha.\n\nbeta %s.\n\nthe end of %s." % (tag, tag, tag)
    one = s.whole[:s.whole.index("beta")]
    two = s.whole[:s.whole.index(" end")]
    return s.say(["text", one + "be"], tool("1", "read", detail=tag),
                 ["sleep", pause], ["text", two], ["sleep", pause],
                 tool("1", "read", "end", ok=False),
                 ["sleep", pause], ["final", s.whole])


def play_as(s, n):
    """As play(), also when the server has no time for it."""
    while True:
        try:
            return play(s, 0.7, "lane%dx" % n)
        except ApiError as e:
            assert e.status == 429
            time.sleep(0.1)


def once(s, timeout=60, seconds=0.6):
    """All of the answer, in one post or in its blocks, and nothing else."""
    def whole():
        return "\n\n".join(s.texts()) == s.whole
    try:
        s.wait(whole, timeout)
    except AssertionError as e:
        raise AssertionError("%r\n%s" % (s.texts(), e))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert whole(), s.texts()
        time.sleep(0.05)


def shown(s, n=1):
    return s.wait(lambda: len(s.look()) >= n and s.look())


FAULTS = [
    {"status": 500}, {"status": 403}, {"status": 429},
    {"status": 502, "after_effect": True},
    {"close": "before", "after_effect": True}, {"close": "truncate"}]


@pytest.mark.parametrize("mode", MODES)
def test_one_request_fails(sim, world, mode):
    """Each fault, once, at the creation or at the first edit: side by side."""
    stage(world, mode)
    lanes = []
    for fault in FAULTS:
        for method in ("POST", "PUT"):
            s = Lane(world)
            tag = "lane%dx" % len(lanes)
            sim.fault("rest", path_prefix="/api/v4/posts", times=1,
                      user=world.bot.name, method=method,
                      body_contains=tag, **fault)
            lanes.append(s)
            play(s, 0.7, tag)
    for s in lanes:
        # What was accepted without an id is looked for after 4 s again.
        once(s, seconds=0.1)
    time.sleep(1)
    for s in lanes:
        once(s, seconds=0.1)


@pytest.mark.parametrize("mode", MODES)
def test_all_requests_fail_for_a_while(sim, world, mode):
    s = stage(world, mode)
    sim.fault("rest", path_prefix="/api/v4/posts", user=world.bot.name,
              times=4, skip=1, status=503)
    play(s)
    once(s)


@pytest.mark.parametrize("mode", MODES)
def test_server_limits_the_rate(sim, world, mode):
    stage(world, mode)
    lanes = [Lane(world) for _ in range(6)]
    sim.fault("rate_limit", per_sec=4, burst=6)
    try:
        for i, s in enumerate(lanes):
            play_as(s, i)
        # Looking takes part in the limit: leave it to the bot.
        time.sleep(4)
    finally:
        sim.fault("rate_limit", per_sec=0)
    assert "429" in s.p.logs()
    for s in lanes:
        once(s, seconds=0.1)


@pytest.mark.parametrize("mode", MODES)
def test_somebody_deletes_it(world, mode):
    s = stage(world, mode)
    play(s)
    for p in shown(s):
        world.bot.api.delete("/posts/" + p["id"])
    once(s)


@pytest.mark.parametrize("mode", MODES)
def test_all_are_deleted_before_the_answer(world, mode):
    s = stage(world, mode)
    play(s, 1.5)
    shown(s, 1 if mode in ("partial", "progress") else 2)
    time.sleep(1)
    for p in s.look():
        world.bot.api.delete("/posts/" + p["id"])
    once(s)


@pytest.mark.parametrize("mode", MODES)
def test_edit_window_closes(sim, world, mode):
    s = stage(world, mode)
    sim.fault("edit_limit", seconds=0)
    try:
        play(s)
        once(s)
    finally:
        sim.fault("edit_limit", seconds=-1)


@pytest.mark.parametrize("mode", MODES)
def test_window_closes_before_the_last_edit(sim, world, mode):
    s = stage(world, mode)
    play(s, 1.5)
    shown(s)
    try:
        time.sleep(1)
        sim.fault("edit_limit", seconds=0)
        once(s)
    finally:
        sim.fault("edit_limit", seconds=-1)


@pytest.mark.parametrize("mode", ["partial", "block"])
def test_answer_to_the_last_edit_shows_another_text(sim, world, mode):
    s = stage(world, mode)
    play(s, 0.3)
    p = shown(s)[0]
    sim.fault("rest", method="PUT", path_prefix="/api/v4/posts",
              user=world.bot.name, body_contains="the end", times=1,
              status=200, body=json.dumps(dict(p, message="not this")),
              headers={"Content-Type": "application/json"})
    once(s)


def test_slow_edit_does_not_hold_the_answer(sim, world):
    s = stage(world, "partial")
    sim.fault("rest", method="PUT", path_prefix="/api/v4/posts",
              user=world.bot.name, times=1, delay_ms=8000)
    s.say(["text", "slow"], ["sleep", 1.5], ["text", "slow edit"],
          ["sleep", 0.5], ["final", "slow edit, quick answer"])
    begun = time.monotonic()
    s.wait_text("slow edit, quick answer", timeout=20)
    assert time.monotonic() - begun < 8
    s.settled("slow edit, quick answer", seconds=5)


def test_create_that_comes_late_is_swept(sim, world):
    """The answer does not wait for it, and it does not stay."""
    s = stage(world, "partial")
    sim.fault("rest", method="POST", path_prefix="/api/v4/posts",
              user=world.bot.name, times=1, delay_ms=5000)
    s.say(["text", "late"], ["sleep", 0.3], ["final", "the answer"])
    s.wait_text("the answer", timeout=4.8)
    s.wait(lambda: "late" in s.texts())
    s.settled("the answer", seconds=1)


@pytest.mark.parametrize("mode", MODES)
def test_account_killed_at_any_moment(world, mode):
    """Turns that began at different times, so each is hit elsewhere."""
    s = stage(world, mode)
    lanes = [Lane(world) for _ in range(12)]
    for i, s in enumerate(lanes):
        play(s, 0.7, "lane%dx" % i)
        time.sleep(0.2)
    pid = s.p.pids()["account:default"]
    os.kill(pid, signal.SIGKILL)
    # And once more, in the middle of what the next life does about it.
    new = s.p.wait(lambda: [p for p in [s.p.pids()["account:default"]]
                            if p and p != pid])[0]
    s.p.wait_connected()
    time.sleep(0.9)
    os.kill(new, signal.SIGKILL)
    for s in lanes:
        once(s, seconds=0.1)
    time.sleep(1)
    for s in lanes:
        once(s, seconds=0.1)


@pytest.mark.parametrize("mode", MODES)
def test_everything_killed_then_another_answer(world, mode):
    """The second life says something else: nothing of the first stays."""
    s = stage(world, mode)
    s.whole = "Right one.\n\nRight two."
    s.say(["once", world.bot.id, [
        ["text", "Wrong one.\n\nWrong two.\n\n"], tool("1", "read"),
        ["sleep", 2], ["text", "Wrong one.\n\nWrong two.\n\nWrong three."],
        ["sleep", 60]]], ["text", "Right one.\n\n"], ["sleep", 0.5],
          ["final", s.whole])
    shown(s)
    time.sleep(0.5)
    s.p.kill_all()
    s.p.start()
    once(s, timeout=60)


@pytest.mark.parametrize("mode", MODES)
def test_agent_dies_in_the_middle(world, mode):
    s = stage(world, mode)
    s.whole = "Right one.\n\nRight two."
    s.say(["once", world.bot.id, [
        ["text", "Wrong one.\n\n"], tool("1", "read"), ["sleep", 2],
        ["die"]]], ["text", "Right one.\n\n"], ["sleep", 0.5],
          ["final", s.whole])
    shown(s)
    once(s, timeout=60)
