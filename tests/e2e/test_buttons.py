"""Buttons and menus: posted, clicked, confirmed, and only once."""

import json
import subprocess
import time

import pytest

from called import Called, ephemeral_text, signed
from daemon import POSTERNCTL

YESNO = json.dumps([[{"text": "Yes, do", "callback_data": "do-it",
                      "style": "primary"},
                     {"text": "No", "callback_data": "leave_it"}]])


@pytest.fixture
def called(world):
    c = Called(world)
    return c


def test_send_and_click(called):
    w = called.world
    called.start()
    post = called.send("-m", "Shall I?", "--buttons", YESNO)
    acts = called.actions(post)
    assert sorted(acts) == ["No", "Yes, do"]
    assert acts["Yes, do"]["id"] == "doit"
    assert acts["Yes, do"]["style"] == "primary"
    assert called.click(post, "doit")[0] == 200
    w.postern.wait(lambda: called.attachment(post) == [
        "\u2713 **Yes, do** selected by @%s" % w.user.name])
    p = w.server.admin.get("/posts/" + post)
    assert p["message"] == "Shall I?"
    assert p["props"].get("from_bot") == "true"
    said = called.wait_said("Button click")
    assert any("do-it" in s and w.user.name in s for s in said)
    assert called.settled("do-it") == 1


def test_presentation_with_a_menu(called):
    w = called.world
    called.start()
    post = called.send("-m", "Colour?", "--presentation", json.dumps({
        "blocks": [{"type": "select", "placeholder": "Colour", "options": [
            {"label": "Red", "value": "r-1"},
            {"label": "Blue", "value": "b-2"}]}]}))
    menu = called.actions(post)["Colour"]
    assert menu["type"] == "select"
    assert called.click(post, menu["id"], selected="b-2")[0] == 200
    w.postern.wait(lambda: called.attachment(post) == [
        "\u2713 **Blue** selected by @%s" % w.user.name])
    assert any("Blue" in s for s in called.wait_said("(value: \"b-2\")"))


def test_button_of_a_script(called):
    """The Python of the documents, and no expiry or nonce of ours."""
    w = called.world
    called.start()
    ctx = signed(w.bot.token, {"action_id": "mybutton01",
                               "action": "approve"})
    post = called.post_signed(ctx, "Approve", mine="kept")
    assert called.click(post, "mybutton01")[0] == 200
    w.postern.wait(lambda: called.attachment(post) == [
        "\u2713 **Approve** selected by @%s" % w.user.name])
    assert w.server.admin.get("/posts/" + post)["props"]["mine"] == "kept"
    assert any("approve" in s for s in called.wait_said("Approve"))
    assert called.click(post, "mybutton01")[0] == 404


def test_button_of_a_post_that_nests_deep(called):
    """What is kept for the confirmation does not fit: said, and no more."""
    w = called.world
    p = called.start()
    ctx = signed(w.bot.token, {"action_id": "mybutton01"})
    deep = 1
    for _ in range(20):
        deep = [deep]
    post = called.post_signed(ctx, "Approve", mine=deep)
    assert called.click(post, "mybutton01")[0] >= 400
    ok = called.post_signed(ctx, "Approve")
    assert called.click(ok, "mybutton01")[0] == 200
    called.wait_said("Approve")
    assert all(x["restarts"] == 0 for x in p.status()["workers"])


def test_sign(called):
    """posternctl signs as Python does."""
    w = called.world
    p = called.start()
    ctx = {"action_id": "go", "z": "gr\u00fc\u00df", "n": [1, 2.5, None]}
    sock = p.config["postern"]["runDir"] + "/control.sock"

    def sign(text, *args):
        return subprocess.run(
            [POSTERNCTL, "-s", sock, "message", "sign", *args], input=text,
            capture_output=True, text=True, timeout=30)
    r = sign(json.dumps(ctx))
    assert r.returncode == 0, r.stderr
    got = json.loads(r.stdout)
    post = called.post_signed(got)
    assert called.click(post, "go")[0] == 200
    plain = {"action_id": "go", "n": [1, None]}
    r = sign(json.dumps(plain), "--account", "default")
    assert json.loads(r.stdout) == signed(w.bot.token, plain)
    assert sign("{}").returncode == 2
    assert sign("[]").returncode == 2
    assert sign(json.dumps(ctx), "--account", "none").returncode == 1
    assert w.bot.token not in p.logs()


def test_stranger_is_told_and_nothing_happens(called):
    w = called.world
    other = w.server.new_user()
    w.server.join(w.channel, other)
    called.start(groupPolicy="allowlist", groupAllowFrom=[w.user.id])
    post = called.send("-m", "Shall I?", "--buttons", YESNO)
    ws = called.ephemerals(other)
    assert called.click(post, "doit", other)[0] == 200
    assert "ignored this action" in ephemeral_text(ws)
    ws.close()
    assert sorted(called.actions(post)) == ["No", "Yes, do"]
    assert called.settled("do-it") == 0
    assert called.click(post, "doit")[0] == 200
    called.wait_said("do-it")


def test_replay(called):
    """The same nonce twice, also after a restart; also at the same time."""
    w = called.world
    p = called.start()
    ctx = signed(w.bot.token, {
        "action_id": "go", "callback_data": "replayed",
        "__openclaw_channel_id": w.channel,
        "postern_expires": int(time.time()) + 600,
        "postern_nonce": "0123456789abcdef0123456789abcdef"})
    post = called.post_signed(ctx)
    assert called.press(post, ctx) == (200, {})
    called.wait_said("replayed")
    again = called.post_signed(ctx)  # its buttons are there once more
    status, body = called.press(again, ctx)
    assert status == 200 and "used already" in body["ephemeral_text"]
    p.kill_all()
    p.start()
    status, body = called.press(again, ctx)
    assert status == 200 and "used already" in body["ephemeral_text"]
    assert called.settled("replayed") == 1
    assert sorted(called.actions(again)) == ["Go"]


def test_expired(called):
    w = called.world
    called.start()
    ctx = signed(w.bot.token, {
        "action_id": "go", "callback_data": "too late",
        "postern_expires": int(time.time()) - 1, "postern_nonce": "n1"})
    post = called.post_signed(ctx)
    assert called.press(post, ctx) == (403, {"error": "Action expired"})
    assert called.settled("too late") == 0
    assert sorted(called.actions(post)) == ["Go"]


def test_bad_clicks(called):
    """One fixed answer each, and no effect."""
    w = called.world
    called.start()
    elsewhere = w.server.new_channel([w.bot, w.user])
    ctx = signed(w.bot.token, {"action_id": "go", "callback_data": "evil"})
    post = called.post_signed(ctx)
    bound = signed(w.bot.token, {
        "action_id": "go", "callback_data": "evil",
        "__openclaw_channel_id": w.channel})
    other = signed("another-token", {"action_id": "go"})
    unknown = signed(w.bot.token, {"action_id": "nosuch"})
    err = (
        (403, "Post/channel mismatch", dict(
            context=ctx, channel_id=elsewhere)),
        (403, "Channel mismatch", dict(context=bound, channel_id=elsewhere)),
        (500, "Failed to validate interaction", dict(
            context=ctx, post_id="a" * 26)),
        (403, "Unknown action", dict(context=unknown)),
        (403, "Invalid token", dict(context=other)),
        (403, "Invalid token", dict(context=dict(ctx, more=1))),
        (403, "Missing token", dict(context={"action_id": "go"})),
    )
    for status, text, more in err:
        context = more.pop("context")
        assert called.press(post, context, **more) == (
            status, {"error": text}), text
    for bad in ("", "../../x", "A" * 26):
        assert called.press(bad, ctx)[0] in (400, 403, 500)
        assert called.press(post, ctx, user_id=bad)[0] in (400, 403, 500)
    assert called.settled("evil") == 0
    assert sorted(called.actions(post)) == ["Go"]
    assert called.press(post, ctx) == (200, {})
    called.wait_said("evil")


def test_two_clicks_at_once(called):
    """Two people, two buttons of one message: one of them counts."""
    w = called.world
    other = w.server.new_user()
    w.server.join(w.channel, other)
    called.start()
    post = called.send("-m", "Shall I?", "--buttons", YESNO)
    called.click(post, "doit")
    called.click(post, "leaveit", other)
    called.wait_said("Button click")
    assert called.settled("Button click") == 1
    assert len(called.attachment(post)) == 1


def test_thread_of_the_post(called):
    """The answer goes where the buttons are."""
    w = called.world
    called.start()
    root = w.user.say(w.channel, "a root")["id"]
    post = called.send("-m", "Shall I?", "--buttons", YESNO, "-r", root)
    called.click(post, "doit")
    called.wait_said("do-it")
    last = w.server.replies(w.channel, w.bot, w.user.api)[-1]
    assert last["root_id"] == root


def test_kill_between_click_and_answer(called, llm):
    w = called.world
    llm.model(reply="slow answer", first_delay_ms=1500)
    c = called.config()
    m = w.model_config()
    c["models"], c["agents"] = m["models"], m["agents"]
    p = w.start(c)
    post = called.send("-m", "Shall I?", "--buttons", YESNO)
    assert called.click(post, "doit")[0] == 200
    p.kill_all()
    llm.model(reply="slow answer")
    p.start()
    called.wait_said("slow answer")
    assert called.settled("slow answer", sweeps=1) == 1
    assert called.attachment(post) == [
        "\u2713 **Yes, do** selected by @%s" % w.user.name]


@pytest.mark.simulator
def test_confirmation_is_tried_again(called, sim):
    w = called.world
    called.start()
    post = called.send("-m", "Shall I?", "--buttons", YESNO)
    sim.fault("rest", method="PUT", path_contains="/patch", times=2,
              status=503)
    assert called.click(post, "doit")[0] == 200
    w.postern.wait(lambda: called.attachment(post) == [
        "\u2713 **Yes, do** selected by @%s" % w.user.name])


def test_too_many(called):
    called.start()
    w = called.world
    many = json.dumps([[{"text": str(i), "callback_data": "v%d" % i}
                        for i in range(60)]])
    r = w.postern.ctl("message", "send", "-t", "channel:" + w.channel, "-m",
                      "x", "--buttons", many, check=False)
    assert r.returncode == 1 and "too many" in r.stderr
    r = w.postern.ctl("message", "send", "-t", "channel:" + w.channel, "-m",
                      "x", "--buttons", "{", check=False)
    assert r.returncode == 2


# -- the model picker ---------------------------------------------------

@pytest.fixture
def picker(called, llm):
    w = called.world
    called.promote(w.bot)
    c = called.config(commands={"native": True})
    c["models"] = w.model_config()["models"]
    prov = c["models"]["providers"]["sim"]
    prov["models"] += [{"id": "model-%02d" % i} for i in range(10)]
    w.start(c)
    called.wait_commands("oc_model", "oc_models")
    return called


def open_picker(called, line, channel=None):
    w = called.world
    channel = channel or w.channel
    before = len(w.server.replies(channel, w.bot, w.user.api))
    assert called.run(line, channel)[1]["text"] == "Processing..."
    got = w.server.wait_replies(channel, w.bot, before + 1, api=w.user.api)
    return got[-1]["id"]


def test_picker(picker):
    w = picker.world
    post = open_picker(picker, "/oc_model")
    acts = picker.actions(post)
    assert list(acts) == ["sim (11)"]
    assert picker.click(post, acts["sim (11)"]["id"])[0] == 200
    w.postern.wait(lambda: "Next" in picker.actions(post))
    acts = picker.actions(post)
    assert len(acts) == 8 + 2 and "model-00" in acts
    assert picker.click(post, acts["Next"]["id"])[0] == 200
    w.postern.wait(lambda: "Prev" in picker.actions(post))
    acts = picker.actions(post)
    assert "test-model" in acts
    assert picker.click(post, acts["test-model"]["id"])[0] == 200
    w.postern.wait(lambda: "test-model [current]" in picker.actions(post))
    acts = picker.actions(post)
    assert picker.click(post, acts["Back to providers"]["id"])[0] == 200
    w.postern.wait(lambda: "sim (11)" in picker.actions(post))


def test_picker_is_heard_where_agents_have_no_buttons(called, llm):
    w = called.world
    called.promote(w.bot)
    c = called.config(commands={"native": True}, capabilities=[])
    c["models"] = w.model_config()["models"]
    w.start(c)
    called.wait_commands("oc_models")
    post = open_picker(called, "/oc_models")
    assert called.click(post, called.actions(post)["sim (1)"]["id"])[0] == 200
    w.postern.wait(lambda: "test-model" in called.actions(post))


def test_buttons_that_nobody_hears_of(world):
    world.start()
    r = world.postern.ctl("message", "send", "-t", "channel:" + world.channel,
                          "-m", "x", "--buttons", YESNO, check=False)
    assert r.returncode == 1 and "inlineButtons" in r.stderr
    assert not world.server.replies(world.channel, world.bot)


def test_picker_is_its_owners(picker):
    w = picker.world
    other = w.server.new_user()
    w.server.join(w.channel, other)
    post = open_picker(picker, "/oc_models")
    acts = picker.actions(post)
    ws = picker.ephemerals(other)
    assert picker.click(post, acts["sim (11)"]["id"], other)[0] == 200
    assert "Only the person who opened" in ephemeral_text(ws)
    ws.close()
    assert list(picker.actions(post)) == ["sim (11)"]


def test_picker_of_a_provider(picker):
    post = open_picker(picker, "/oc_models sim")
    assert "model-00" in picker.actions(post)
    post = open_picker(picker, "/oc_models nosuch")
    p = picker.world.server.admin.get("/posts/" + post)
    assert "Unknown provider: nosuch" in p["message"]


def test_picker_takes_the_model(picker, llm):
    """What is taken is what the next question is asked of."""
    w = picker.world
    c = picker.config(commands={"native": True})
    m = w.model_config()
    c["models"], c["agents"] = m["models"], m["agents"]
    c["models"]["providers"]["sim"]["models"].append({"id": "other-model"})
    llm.model(reply="an answer")
    w.postern.stop()
    w.start(c)
    picker.wait_commands("oc_model")
    post = open_picker(picker, "/oc_models sim")
    assert w.server.admin.get("/posts/" + post)["message"].startswith(
        "Current: sim/test-model\n")
    acts = picker.actions(post)
    before = len(picker.said())
    assert picker.click(post, acts["other-model"]["id"])[0] == 200
    w.postern.wait(lambda: len(picker.said()) > before)
    assert "other-model" in picker.said()[-1]
    w.user.say(w.channel, "@%s and now?" % w.bot.name)
    picker.wait_said("an answer")
    last = [r for r in llm.model_requests()
            if r["path"].endswith("/chat/completions")][-1]
    assert last["body"]["model"] == "other-model"
    # It is known to the next picker, on each of its pages.
    post = open_picker(picker, "/oc_model")
    assert w.server.admin.get("/posts/" + post)["message"].startswith(
        "Current: sim/other-model\n")
    assert picker.click(post, picker.actions(post)["sim (2)"]["id"])[0] == 200
    w.postern.wait(lambda: "other-model [current]" in picker.actions(post))
    assert picker.click(
        post, picker.actions(post)["Back to providers"]["id"])[0] == 200
    w.postern.wait(lambda: "sim (2)" in picker.actions(post))
    assert w.server.admin.get("/posts/" + post)["message"].startswith(
        "Current: sim/other-model\n")


def test_picker_is_refused(picker):
    """Whoever opened it, and may not any more, is told so."""
    w = picker.world
    post = open_picker(picker, "/oc_models")
    ws = picker.ephemerals(w.user)
    c = w.postern.config
    c["channels"]["mattermost"]["groupPolicy"] = "disabled"
    w.postern.write(c)
    w.postern.ctl("reload")
    w.postern.wait_connected()
    assert picker.click(post, picker.actions(post)["sim (11)"]["id"])[0] == 200
    assert ephemeral_text(ws) == \
        "Model picker actions are disabled in channels."
    ws.close()


def test_picker_of_somebody_who_is_to_pair(picker, llm):
    """A click asks for access as a message does, and says the code."""
    w = picker.world
    post = open_picker(picker, "/oc_models", w.dm)
    name = next(n for n in picker.actions(post) if n.startswith("sim"))
    ws = picker.ephemerals(w.user)
    c = w.postern.config
    mm = c["channels"]["mattermost"]
    mm["dmPolicy"], mm["allowFrom"] = "pairing", []
    w.postern.write(c)
    w.postern.ctl("reload")
    w.postern.wait_connected()
    for _ in range(2):
        assert picker.click(
            post, picker.actions(post)[name]["id"])[0] == 200
        text = ephemeral_text(ws)
        (asked,) = json.loads(w.postern.ctl(
            "pairing", "list", "--json").stdout)["requests"]
        assert asked["id"] == w.user.id
        assert asked["code"] in text and "pairing approve" in text
    w.postern.ctl("pairing", "approve", asked["code"])
    assert picker.click(post, picker.actions(post)[name]["id"])[0] == 200
    w.postern.wait(lambda: "Next" in picker.actions(post))
    ws.close()


def test_agent_sends_buttons(called, llm):
    """The message tool's buttons, and the choice as the next message."""
    w = called.world
    c = called.config()
    m = w.model_config()
    c["models"], c["agents"] = m["models"], m["agents"]
    w.start(c)
    llm.model(reply="thank you")
    llm.model(times=1, tool_calls=[{"id": "c1", "function": {
        "name": "message", "arguments": json.dumps({
            "action": "send", "message": "Which?",
            "attachmentText": "One of these:",
            "buttons": json.loads(YESNO)})}}])
    w.user.say(w.channel, "@%s ask me" % w.bot.name)
    picked = w.postern.wait(lambda: [
        p for p in w.server.replies(w.channel, w.bot, w.user.api)
        if p["message"] == "Which?"])
    called.wait_said("thank you")
    assert called.attachment(picked[0]["id"]) == ["One of these:"]
    assert called.click(picked[0]["id"], "leaveit")[0] == 200

    def asked():
        return [r for r in llm.model_requests()
                if '(value: \\"leave_it\\")' in json.dumps(r["body"])]
    w.postern.wait(asked)
    assert len(called.attachment(picked[0]["id"])) == 1
