"""Native slash commands: registered, run, proved, and gone again."""

import json

import pytest

from called import Called

BUILTIN = ["oc_" + n for n in (
    "status", "model", "models", "new", "help", "think", "reasoning",
    "verbose", "queue")]
PING = {"native": True, "custom": {"ping": {"description": "says it back"}}}


@pytest.fixture
def called(world):
    c = Called(world)
    c.promote(world.bot)
    return c


def test_registered_for_the_team(called):
    p = called.start(commands=dict(PING, nativeSkills=True, skills={
        "oc_weather": {"description": "The weather", "hint": "[town]"}}))
    got = called.wait_commands("oc_ping", "oc_weather", *BUILTIN)
    assert len(got) == 11
    for c in got.values():
        assert c["creator_id"] == called.world.bot.id
        assert c["method"] == "P"
        assert c["url"] == called.base + "/api/channels/mattermost/command"
        assert c["auto_complete"]
    assert got["oc_weather"]["auto_complete_hint"] == "[town]"
    assert got["oc_ping"]["auto_complete_desc"] == "says it back"
    p.wait(lambda: ["default", "11", "-"] in [
        x.split() for x in p.ctl("status").stdout.splitlines()])
    for token in (c["token"] for c in got.values()):
        assert token not in p.logs()
    p.stop()
    assert called.commands() == {}


def test_run(called):
    called.start(commands=PING)
    called.wait_commands("oc_ping")
    status, a = called.run("/oc_ping one  two")
    assert (status, a["response_type"], a["text"]) == (
        200, "ephemeral", "Processing...")
    called.wait_said("/ping one  two")
    assert called.settled("/ping one  two") == 1


def test_prompt_in_the_place_of_the_line(called):
    called.start(commands={"native": True, "custom": {
        "sum": {"prompt": "Sum this up:"}}})
    called.wait_commands("oc_sum")
    called.run("/oc_sum all of it")
    assert any("Sum this up:" in s and "all of it" in s
               for s in called.wait_said("Sum this up:"))


def test_policy_as_for_messages(called):
    w = called.world
    called.start(commands=PING, groupPolicy="disabled", dmPolicy="disabled")
    called.wait_commands("oc_ping")
    assert called.run("/oc_ping")[1]["text"] == \
        "Slash commands are disabled in channels."
    assert called.run("/oc_ping", w.dm)[1]["text"] == \
        "This bot is not accepting direct messages."
    assert called.settled("ping") == 0


def test_strangers_are_refused(called):
    w = called.world
    other = w.server.new_user()
    w.server.join(w.channel, other)
    called.start(commands=PING, groupPolicy="allowlist",
                 groupAllowFrom=[w.user.id], dmPolicy="pairing",
                 allowFrom=[])
    called.wait_commands("oc_ping")
    assert called.run("/oc_ping x", user=other)[1]["text"] == "Unauthorized."
    assert called.run("/oc_ping mine")[1]["text"] == "Processing..."
    dm = other.direct(w.bot)
    text = called.run("/oc_ping y", dm, other)[1]["text"]
    pending = json.loads(w.postern.ctl("pairing", "list", "--json").stdout)
    code = next(r["code"] for r in pending["requests"]
                if other.id in json.dumps(r))
    assert code in text
    called.wait_said("/ping mine")
    assert called.settled("/ping x") == 0
    assert w.server.replies(dm, w.bot, other.api) == []


def test_no_allowlist(called):
    called.start(commands=PING, groupPolicy="allowlist", allowFrom=[],
                 dmPolicy="pairing")
    called.wait_commands("oc_ping")
    assert called.run("/oc_ping")[1]["text"] == (
        "Slash commands are not configured for this channel (no allowlist).")


def test_foreign_command_is_left_alone(called):
    w = called.world
    own = w.server.admin.post("/commands", {
        "team_id": w.server.team, "trigger": "oc_ping", "method": "P",
        "url": "http://127.0.0.1:9/theirs"})
    p = called.start(commands=PING)
    got = called.wait_commands(*BUILTIN)
    assert got["oc_ping"] == own
    p.wait_logged("slash.foreign")
    p.stop()
    assert called.commands() == {"oc_ping": own}


def test_drift_is_repaired_and_ids_are_kept(called):
    w = called.world
    p = called.start(commands=PING)
    before = called.wait_commands("oc_ping", *BUILTIN)
    p.kill_all()
    c = before["oc_ping"]
    w.server.admin.put("/commands/" + c["id"], dict(
        c, url="http://127.0.0.1:9/elsewhere", method="G"))
    gone = before["oc_help"]
    w.server.admin.delete("/commands/" + gone["id"])
    p.start()
    p.wait(lambda: called.commands().get("oc_ping", {}).get("url") ==
           c["url"])
    after = called.wait_commands("oc_help", "oc_ping")
    assert after["oc_ping"]["id"] == c["id"]
    assert after["oc_ping"]["method"] == "P"
    assert after["oc_help"]["id"] != gone["id"]
    assert {k: v["id"] for k, v in after.items() if k != "oc_help"} == \
        {k: v["id"] for k, v in before.items() if k != "oc_help"}
    p.wait(lambda: called.run("/oc_ping again")[0] == 200)
    called.wait_said("/ping again")


def test_updated_by_hand_is_not_deleted(called):
    """One that was there before is used, and stays."""
    w = called.world
    mine = w.bot.api.post("/commands", {
        "team_id": w.server.team, "trigger": "oc_ping", "method": "P",
        "url": "http://127.0.0.1:9/old"})
    p = called.start(commands=PING)
    called.wait_commands(*BUILTIN)
    p.wait(lambda: called.run("/oc_ping here")[0] == 200)
    called.wait_said("/ping here")
    p.stop()
    left = called.commands()
    assert list(left) == ["oc_ping"] and left["oc_ping"]["id"] == mine["id"]


def test_new_team(called):
    w = called.world
    called.start(commands=PING)
    called.wait_commands("oc_ping")
    team = w.server.new_team()
    w.server.join_team(w.bot.id, team)
    w.postern.wait(lambda: "may not create" in w.postern.logs())
    called.promote(w.bot, team)
    got = called.wait_commands("oc_ping", *BUILTIN, team=team)
    assert len(got) == 10
    assert got["oc_ping"]["id"] != called.commands()["oc_ping"]["id"]
    w.postern.stop()
    assert called.commands(team) == called.commands() == {}


def test_rotated_token(called):
    """The old one is refused at once, the new one is learnt from that."""
    w = called.world
    called.start(commands=PING)
    c = called.wait_commands("oc_ping")["oc_ping"]
    w.server.admin.put("/commands/%s/regen_token" % c["id"], {})
    status, body = called.call(called.form(c, "stale"))
    assert (status, body["text"]) == (
        401, "Unauthorized: invalid command token.")
    w.postern.wait(lambda: called.run("/oc_ping fresh")[0] == 200)
    called.wait_said("/ping fresh")
    assert called.settled("stale") == 0


def test_deleted_command_is_refused(called):
    w = called.world
    called.start(commands=PING)
    c = called.wait_commands("oc_ping")["oc_ping"]
    assert called.call(called.form(c, "before"))[0] == 200
    w.server.admin.delete("/commands/" + c["id"])
    assert called.call(called.form(c, "after", trigger_id="t2"))[0] == 401
    called.wait_said("/ping before")
    assert called.settled("after") == 0


def test_replay_runs_once(called):
    called.start(commands=PING)
    c = called.wait_commands("oc_ping")["oc_ping"]
    for _ in range(3):
        status, body = called.call(called.form(c, "only once"))
        assert (status, body["text"]) == (200, "Processing...")
    called.wait_said("/ping only once")
    assert called.settled("/ping only once") == 1


def test_token_of_another_command(called):
    called.start(commands=PING)
    got = called.wait_commands("oc_ping", *BUILTIN)
    c = dict(got["oc_ping"], token=got["oc_help"]["token"])
    for body in (called.form(c, "x"), called.form(c, "x", token=""),
                 called.form(got["oc_ping"], "x", team_id="t" * 26)):
        assert called.call(body)[0] in (400, 401)
    # The good one is as good as before.
    assert called.call(called.form(got["oc_ping"], "good"))[0] == 200
    called.wait_said("/ping good")


def test_burst_is_limited(called):
    """Twenty looks at the server in a row, then one each half second."""
    called.start(commands=PING)
    c = called.wait_commands("oc_ping")["oc_ping"]
    got = [called.call(called.form(c, "b", trigger_id="t%d" % i))[0]
           for i in range(40)]
    assert got[:20] == [200] * 20
    assert 401 in got


@pytest.mark.simulator
def test_server_that_cannot_be_asked(called, sim):
    """Closed when in doubt."""
    called.start(commands=PING)
    c = called.wait_commands("oc_ping")["oc_ping"]
    sim.fault("rest", method="GET", path_prefix="/api/v4/commands", times=-1,
              status=500)
    assert called.call(called.form(c, "blind"))[0] == 401
    sim.clear_faults()
    assert called.settled("blind") == 0


@pytest.mark.simulator
def test_listing_forbidden(called, sim):
    """Our own are known by their recorded ids."""
    sim.fault("rest", method="GET", path_contains="/commands?", times=-1,
              status=403)
    sim.fault("rest", method="GET", path_prefix="/api/v4/commands",
              path_contains="/commands", body_contains="never", times=-1,
              status=403)
    p = called.start(commands=PING)
    p.wait(lambda: called.run("/oc_ping one")[0] == 200)
    called.wait_said("/ping one")
    p.kill_all()
    p.start()
    p.wait(lambda: p.logs().count("slash.registered") == 2)
    p.wait(lambda: p.logs().count("made=9") + p.logs().count("made=10") == 1)
    p.wait(lambda: called.run("/oc_ping two")[0] == 200)
    called.wait_said("/ping two")
    p.stop()
    sim.clear_faults()
    assert called.commands() == {}


def test_without_the_right(world):
    """A default bot: a word to the operator, everything else goes on."""
    called = Called(world)
    p = called.start(commands=PING)
    p.wait(lambda: "may not create slash commands" in p.logs())
    p.wait(lambda: "may not create slash" in p.ctl("status").stdout)
    # One refusal says it for the team.
    assert p.logs().count("slash.failed") == 1
    assert "ok" in world.ask("ok")


def test_manual_tokens(world):
    """Made by an administrator; the bot may not even look at them."""
    called = Called(world)
    made = [world.server.admin.post("/commands", {
        "team_id": world.server.team, "trigger": t, "method": "P",
        "url": called.base + "/api/channels/mattermost/command"})
        for t in ("oc_help", "ask")]
    called.start(commands={"native": True, "tokens": {
        "oc_help": made[0]["token"],
        world.server.team + "/ask": made[1]["token"]}})
    world.postern.wait(lambda: called.run("/ask me")[0] == 200)
    called.wait_said("/ask me")
    status, _ = called.call(called.form(dict(made[1], token="x" * 26)))
    assert status == 401
    world.postern.stop()
    assert sorted(called.commands()) == ["ask", "oc_help"]


def test_kill_between_call_and_answer(called, llm):
    w = called.world
    llm.model(reply="slow answer", first_delay_ms=1500)
    c = called.config(commands=PING)
    m = w.model_config()
    c["models"], c["agents"] = m["models"], m["agents"]
    p = w.start(c)
    called.wait_commands("oc_ping")
    assert called.run("/oc_ping slowly")[1]["text"] == "Processing..."
    p.kill_all()
    llm.model(reply="slow answer")
    p.start()
    called.wait_said("slow answer")
    assert called.settled("slow answer", sweeps=1) == 1


def test_commands_are_those_of_the_text(called):
    """/oc_status and /status are one thing, and no turn of an agent."""
    w = called.world
    called.start(commands={"native": True})
    called.wait_commands("oc_status")
    w.user.say(w.channel, "@%s /status" % w.bot.name)
    by_text = w.server.wait_replies(w.channel, w.bot, 1, api=w.user.api)
    assert "/status" not in by_text[0]["message"]
    assert called.run("/oc_status")[1]["text"] == "Processing..."
    both = w.server.wait_replies(w.channel, w.bot, 2, api=w.user.api)
    first = by_text[0]["message"].splitlines()[0]
    assert both[1]["message"].splitlines()[0] == first
    assert both[1]["root_id"] == ""


def test_commands_need_an_allowed_sender(called):
    """Anybody may talk; control commands take somebody who is listed."""
    w = called.world
    called.start(commands=PING, allowFrom=[], dmPolicy="pairing")
    called.wait_commands("oc_ping", "oc_status")
    assert called.run("/oc_status")[1]["text"] == "Unauthorized."
    assert called.run("/oc_ping hello")[1]["text"] == "Processing..."
    called.wait_said("/ping hello")
    assert len(w.server.replies(w.channel, w.bot, w.user.api)) == 1


@pytest.mark.simulator
def test_more_teams_than_there_is_room_for(called, sim):
    """The last ones have no commands, and the operator knows."""
    w = called.world
    specs = 91 + len(BUILTIN)
    for _ in range(4096 // specs):  # and the one that the bot is in
        team = w.server.new_team()
        w.server.join_team(w.bot.id, team)
        called.promote(w.bot, team)
    p = called.start(commands={"native": True, "custom": {
        "c%d" % i: {"description": "x"} for i in range(91)}}, wait=False)
    p.wait(lambda: "slash.registered" in p.logs(), 60)
    n = specs * (4096 // specs)
    assert "commands=%d " % n in p.logs()
    text = p.ctl("status").stdout
    assert "the last of them have no slash commands" in text
    assert called.run("/oc_c1 one")[0] == 200
    called.wait_said("/c1 one")
    assert all(x["restarts"] == 0 for x in p.status()["workers"])
