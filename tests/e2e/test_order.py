"""Who has to be looked up does not fall behind, and is not forgotten."""

import time

import pytest

pytestmark = pytest.mark.simulator


def two_while_down(world, **fault):
    """An edited post and a plain one, and a server in trouble."""
    p = world.start()
    assert "one." in world.ask("one.")
    p.stop()
    post = world.user.say(world.dm, "tow.")
    world.user.api.put("/posts/%s/patch" % post["id"], {"message": "two."})
    world.user.say(world.dm, "three.")
    s = world.server
    # Without the names of the page each author is asked for alone.
    s.fault("rest", method="POST", path_prefix="/api/v4/users/ids",
            user=world.bot.name, status=500, times=-1)
    s.fault("rest", method="GET",
            path_prefix="/api/v4/users/" + world.user.id,
            user=world.bot.name, **fault)
    p.start()
    p.wait(lambda: len(world.said()) >= 3, 30)
    time.sleep(0.3)
    assert world.said() == ["echo: one.", "echo: two.", "echo: three."]
    return p


def test_slow_look_up_is_not_overtaken(sim, world):
    two_while_down(world, delay_ms=700, times=-1)


@pytest.mark.parametrize("fault", [
    {"status": 503}, {"status": 429}, {"close": "before"}])
def test_failed_look_up_loses_nothing(sim, world, fault):
    p = two_while_down(world, times=2, **fault)
    r = p.ctl("explain", [
        x["id"] for x in world.server.posts(world.dm, world.user.api)
        if x["message"] == "two."][0])
    assert "answered" in r.stdout
