"""Every form of a target, its errors, and direct channels that will not
open."""

import json
import time

import pytest


@pytest.fixture
def out(world):
    world.start(world.config(dmChannelRetry={
        "maxRetries": 2, "initialDelayMs": 100, "maxDelayMs": 1000}))
    return world


def send(world, target, text, check=True):
    return world.postern.ctl(
        "message", "send", "--target", target, "-m", text, "--json",
        check=check)


def sent(world, target, text="hello there"):
    """The id of the channel that it arrived in."""
    r = json.loads(send(world, target, text).stdout)
    post = world.server.admin.get("/posts/" + find_post(r))
    assert post["message"] == text
    return post["channel_id"]


def find_post(reply):
    for key in ("post", "messageId"):
        if key in reply:
            return reply[key]
    for v in reply.values():
        if isinstance(v, dict):
            return find_post(v)
    raise AssertionError(reply)


def refused(world, target):
    r = send(world, target, "hello there", check=False)
    assert r.returncode == 1, r
    return r.stderr + r.stdout


def name_of(world, channel):
    return world.server.admin.get("/channels/" + channel)["name"]


def test_every_form(out):
    name = name_of(out, out.channel)
    for target in ("channel:" + out.channel, "CHANNEL:" + out.channel,
                   "group:" + out.channel, out.channel, "#" + name, name,
                   "channel:" + name, "channel:#" + name,
                   "#" + name.upper()):
        assert sent(out, target) == out.channel, target
    for target in ("user:" + out.user.id, "mattermost:" + out.user.id,
                   "@" + out.user.name, "@" + out.user.name.upper(),
                   out.user.id, " " + out.user.id + " "):
        assert sent(out, target) == out.dm, target


def test_direct_channel_is_made(out):
    other = out.server.new_user()
    channel = sent(out, "@" + other.name)
    assert channel == other.direct(out.bot)


def test_errors_say_what_is_missing(out):
    for target, text in (
            ("channel:", "Channel id is required for Mattermost sends"),
            ("#", "Channel name is required for Mattermost sends"),
            ("user:", "User id is required for Mattermost sends"),
            ("@", "Username is required for Mattermost sends"),
            ("user:somebody", "not a user id"),
            ("#no-such-place", 'Mattermost channel "#no-such-place" not '
                               "found in any team the bot belongs to"),
            ("#../../users", "not found in any team"),
            ("@nobody-of-this-name", "404"),
            ("@a/b", "not a username"),
            ("x" * 300, "too long")):
        assert text in refused(out, target), target


def test_names_are_exact_and_ambiguity_lists_candidates(out):
    name = name_of(out, out.channel)
    longer = out.server.admin.post("/channels", {
        "team_id": out.server.team, "name": name + "ops",
        "display_name": "ops", "type": "O"})["id"]
    out.server.join(longer, out.bot)
    assert sent(out, "#" + name) == out.channel
    # The same name in a second team of the bot; found names are kept.
    team = out.server.new_team()
    out.server.join_team(out.bot.id, team)
    twin = [out.server.admin.post("/channels", {
        "team_id": t, "name": "twin" + name, "display_name": "t",
        "type": "O"})["id"] for t in (out.server.team, team)]
    said = refused(out, "#twin" + name)
    assert "Ambiguous target" in said
    for c in twin:
        assert "channel:" + c in said
    out.server.join(twin[1], out.bot)
    assert sent(out, "channel:" + twin[1]) == twin[1]


@pytest.mark.parametrize("fault,tries", [
    ({"status": 500}, 3), ({"status": 429}, 3), ({"status": 503}, 3),
    ({"status": 403}, 1), ({"status": 400}, 1)])
def test_opening_is_tried_again(sim, out, fault, tries):
    other = out.server.new_user()
    sim.fault("rest", path_prefix="/api/v4/channels/direct", times=-1,
              user=out.bot.name, **fault)
    assert str(fault["status"]) in refused(out, "@" + other.name)
    asked = [r for r in sim.mmsim.sim("GET", "/requests")
             if r["path"] == "/api/v4/channels/direct"
             and r["status"] == fault["status"]]
    assert len(asked) == tries, asked
    for a, b in zip(asked, asked[1:]):
        assert b["t_us"] - a["t_us"] >= 100000


@pytest.mark.parametrize("fault", [
    {"status": 502}, {"status": 429}, {"close": "before"},
    {"close": "before", "after_effect": True}])
def test_opening_works_the_second_time(sim, out, fault):
    other = out.server.new_user()
    sim.fault("rest", path_prefix="/api/v4/channels/direct", times=1,
              user=out.bot.name, **fault)
    assert sent(out, "user:" + other.id) == other.direct(out.bot)


def test_retries_of_one_account(sim, world):
    """An account's own dmChannelRetry stands for the common one."""
    c = world.config(dmChannelRetry={
        "maxRetries": 3, "initialDelayMs": 100, "maxDelayMs": 1000})
    c["channels"]["mattermost"]["accounts"] = {
        "default": {"dmChannelRetry": {"maxRetries": 0, "timeoutMs": 5000}}}
    world.start(c)
    other = sim.new_user()
    sim.fault("rest", path_prefix="/api/v4/channels/direct", times=-1,
              user=world.bot.name, status=507)
    assert "507" in refused(world, "@" + other.name)
    asked = [r for r in sim.mmsim.sim("GET", "/requests")
             if r["path"] == "/api/v4/channels/direct" and r["status"] == 507]
    assert len(asked) == 1
    # Each try has its own deadline.
    sim.clear_faults()
    sim.fault("rest", path_prefix="/api/v4/channels/direct", times=-1,
              user=world.bot.name, stall=True)
    begun = time.monotonic()
    assert "direct channel" in refused(world, "@" + other.name)
    assert 4.5 < time.monotonic() - begun < 15


def test_what_was_found_is_kept(sim, out):
    name = name_of(out, out.channel)
    other = out.server.new_user()
    for target in ("#" + name, "@" + other.name, other.id):
        first = sent(out, target)
        for path in ("/api/v4/users/username", "/api/v4/channels/direct",
                     "/api/v4/users/me/teams", "/api/v4/teams",
                     "/api/v4/users/" + other.id):
            sim.fault("rest", path_prefix=path, user=out.bot.name,
                      status=500, times=-1)
        assert sent(out, target) == first
        sim.clear_faults()


def test_user_lookup_that_fails_means_channel_and_is_not_kept(sim, out):
    other = out.server.new_user()
    sim.fault("rest", path_prefix="/api/v4/users/" + other.id, times=1,
              user=out.bot.name, status=500)
    assert "40" in refused(out, other.id)  # there is no such channel
    assert sent(out, other.id) == other.direct(out.bot)


def test_closed_channel_and_gone_user(out):
    closed = out.server.new_channel([out.bot])
    out.server.admin.delete("/channels/" + closed)
    assert refused(out, "channel:" + closed)
    begun = time.monotonic()
    assert "40" in refused(out, "user:" + "z" * 26)
    assert time.monotonic() - begun < 10
