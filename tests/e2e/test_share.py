"""One person in many threads does not keep the bot from all others."""

import time

import pytest

pytestmark = pytest.mark.simulator
ALL, KEPT = 64, 16  # RUNNING_MAX, RUNNING_SHARE


def test_the_last_places_are_for_others(sim, world):
    config = world.model_config(replyToMode="all")
    config["models"]["providers"]["sim"]["parallel"] = 256
    p = world.start(config)
    sim.model(echo=True, first_delay_ms=8000)
    for n in range(ALL + 6):
        world.user.say(world.channel, "@%s qflood %d." % (world.bot.name, n))
    p.wait(lambda: len(world.model_requests()) == ALL - KEPT)
    time.sleep(1)
    assert len(world.model_requests()) == ALL - KEPT
    other = sim.new_user()
    dm = other.direct(world.bot)
    other.say(dm, "mine.")
    p.wait(lambda: len(world.model_requests()) > ALL - KEPT, 3)
    last = world.model_requests()[-1]
    assert "mine." in str(last) and "qflood" not in str(last)
    # What waited is answered, too.
    sim.model(echo=True)
    p.wait(lambda: len(sim.replies(
        world.channel, world.bot, world.user.api)) == ALL + 6, 60)
    p.wait(lambda: any("mine." in q["message"] for q in sim.replies(
        dm, world.bot, other.api)))
