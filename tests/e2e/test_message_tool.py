"""The model's message tool: what it may do, and what it may not."""

import json

import pytest

from called import Called
from tool_rig import Agent, agent, call, reactions


# Sending


def test_schema_offers_what_is_allowed(llm, world):
    a = Agent(world, actions={"reactions": False, "messages": True}).start()
    a.do()
    f = a.requests()[-1]["tools"][0]["function"]
    assert f["name"] == "message"
    assert f["parameters"]["properties"]["action"]["enum"] == [
        "send", "read", "broadcast"]
    assert "buttons" not in f["parameters"]["properties"]


def test_send_elsewhere(agent):
    w = agent.world
    got = agent.do([call(action="send", target="channel:" + w.channel,
                         message="first line\\nsecond")])
    result = json.loads(got[0])
    post = w.server.admin.get("/posts/" + result["messageId"])
    assert post["channel_id"] == result["channelId"] == w.channel
    assert post["message"] == "[from @%s] first line\nsecond" % w.user.name
    assert agent.said() == ["done"]


def test_send_here_and_say_no_more(agent):
    agent.do([call(action="send", message="only this")], reply="NO_REPLY")
    assert agent.said() == ["only this"]


def test_send_here_and_answer(agent):
    agent.do([call(action="send", message="one"),
              call(id="b", action="send", message="two")], reply="three")
    assert agent.said() == ["one", "two", "three"]


def test_several_rounds_and_history(agent):
    got = agent.do([call(action="send", message="a")],
                   [call(id="b", action="send", message="b")], reply="c")
    assert agent.said() == ["a", "b", "c"]
    assert len(got) == 2 and all(json.loads(g)["ok"] for g in got)
    # The next turn's history is whole: each call with its result.
    agent.do(reply="and on")
    messages = agent.requests()[-1]["messages"]
    roles = [m["role"] for m in messages]
    assert roles == ["system", "user", "assistant", "tool", "assistant",
                     "tool", "assistant", "user"]
    for i, m in enumerate(messages):
        if m["role"] == "tool":
            assert m["tool_call_id"] == messages[i - 1]["tool_calls"][0]["id"]


def test_long_text_becomes_posts_up_to_the_cap(llm, world):
    a = Agent(world, textChunkLimit=100).start()
    text = "\n".join("line %03d %s" % (i, "x" * 80) for i in range(5))
    got = a.do([call(action="send", message=text)])
    assert len(json.loads(got[0])["messageIds"]) == 5
    assert "\n".join(a.said()) == text + "\ndone"
    got = a.do([call(action="send", message="\n".join(
        "line %03d %s" % (i, "x" * 80) for i in range(30)))])
    assert "more than one message may post" in got[0]
    calls = [call(id="c%d" % i, action="send", message="n%d" % i)
             for i in range(25)]
    before = len(a.said())
    got = a.do(calls)
    assert sum("more than" in g for g in got) == 6
    assert len(a.said()) - before == 20


def test_errors_are_told_to_the_model(agent):
    w = agent.world
    other = w.server.new_channel()  # without the bot
    cases = [
        (dict(action="send"), "send requires text or media or location"),
        (dict(action="send", message="x", target="#nowhere-at-all"),
         'Mattermost channel "#nowhere-at-all" not found'),
        (dict(action="send", message="x", target="channel:" + other), "40"),
        (dict(action="send", message="x", accountId="other"),
         "another account"),
        (dict(action="send", message="x", channel="slack"), "mattermost"),
        (dict(action="pin", messageId="x"),
         "Message action pin not supported for channel mattermost."),
        (dict(message="x"), "action is required"),
        (dict(action="read"), "reads are disabled in config"),
        (dict(action="react", emoji="x"),
         "Mattermost react requires messageId (post id)"),
        (dict(action="react", messageId="z" * 26),
         "Mattermost react requires emoji"),
        (dict(action="react", messageId="z" * 26, emoji="no such emoji!"),
         "no emoji"),
        (dict(action="send", message="x", replyTo="no id"), "not the id"),
        (dict(action="send", message="x", replyTo="z" * 26), "404"),
        (dict(action="send", message="x", dryRun=True), "[dry-run]"),
        (dict(action="send", message="x", media="/etc/passwd"),
         "attachments are taken by http or https URL only"),
    ]
    calls = [call(id="c%d" % i, **args) for i, (args, _) in enumerate(cases)]
    got = agent.do(calls)
    for (args, want), text in zip(cases, got):
        assert want in text, (args, text)
    assert agent.said() == ["done"]
    assert w.server.replies(w.channel, w.bot) == []


def test_threads(llm, world):
    a = Agent(world, replyToMode="off").start()
    w = world
    root = w.user.say(w.channel, "the root")
    mention = "@%s go" % w.bot.name
    a.script([call(action="send", message="in it"),
              call(id="b", action="send", message="top", topLevel=True),
              call(id="c", action="send", message="other",
                   replyTo=root["id"])], reply="answer")
    w.user.say(w.channel, mention, root["id"])
    a.postern.wait(lambda: len(a.said(w.channel)) == 4 and
                   "answer" in a.said(w.channel))
    roots = {p["message"]: p["root_id"]
             for p in w.server.replies(w.channel, w.bot)}
    assert roots == {"in it": root["id"], "top": "", "other": root["id"],
                     "answer": root["id"]}
    # A reply to a reply goes under the root; of another channel, nowhere.
    reply = [p for p in w.server.replies(w.channel, w.bot)
             if p["message"] == "in it"][0]["id"]
    far = w.user.say(w.dm, "elsewhere")["id"]
    w.server.wait_replies(w.dm, w.bot, 1, api=w.user.api)
    a.turns = a.postern.account()["live"]["accepted"]
    got = a.do([call(action="send", message="deep", replyTo=reply),
                call(id="b", action="send", message="bad", replyTo=far)],
               channel=w.channel)
    assert "not in that conversation" in got[1]
    deep = [p for p in w.server.replies(w.channel, w.bot)
            if p["message"] == "deep"]
    assert deep[0]["root_id"] == root["id"]


def test_bytes_are_capped(llm, world):
    a = Agent(world, textChunkLimit=16383).start()
    rounds = [[call(id="c%d" % i, action="send",
                    message="%d" % i + "\u20ac" * 16000)] for i in range(8)]
    a.script(*rounds, reply="that was all")
    a.say()
    a.postern.wait(lambda: "that was all" in a.said(), 30)
    assert [m[0] for m in a.said()] == ["0", "1", "2", "3", "4", "t"]


def test_mode_first_begins_one_thread(llm, world):
    a = Agent(world, replyToMode="first").start()
    w = world
    a.script([call(action="send", message="one"),
              call(id="b", action="send", message="two")], reply="three")
    asked = w.user.say(w.channel, "@%s go" % w.bot.name)["id"]
    a.postern.wait(lambda: len(a.said(w.channel)) == 3)
    assert [(p["message"], p["root_id"]) for p in
            w.server.replies(w.channel, w.bot)] == [
        ("one", asked), ("two", ""), ("three", asked)]


# Buttons


BUTTONS = [[{"text": "Yes", "callback_data": "yes"},
            {"text": "No", "callback_data": "no", "style": "danger"}]]


def test_buttons(llm, world):
    a = Agent(world, capabilities=["inlineButtons"]).start()
    got = a.do([
        call(action="send", message="Sure?", buttons=BUTTONS),
        call(id="b", action="send", presentation={
            "title": "Choose", "blocks": [
                {"type": "text", "text": "one of these"},
                {"type": "buttons", "buttons": [
                    {"label": "Red", "value": "red"}]}]}),
        call(id="c", action="send", message="x", buttons=[[{}]]),
        call(id="d", action="send", message="x", buttons="yes")],
        reply="NO_REPLY")
    assert "no button has" in got[2] and "has to be an array" in got[3]
    posts = world.server.replies(world.dm, world.bot, world.user.api)
    assert [p["message"].split("\n")[0] for p in posts] == [
        "Sure?", "Choose"]
    actions = posts[0]["props"]["attachments"][0]["actions"]
    assert [(x["id"], x["name"], x["type"]) for x in actions] == [
        ("yes", "Yes", "button"), ("no", "No", "button")]
    assert "buttons" in a.requests()[-1]["tools"][0]["function"][
        "parameters"]["properties"]
    actions = posts[1]["props"]["attachments"][0]["actions"]
    assert [x["name"] for x in actions] == ["Red"]


def test_click_on_a_button_of_the_tool(llm, world):
    """The click comes back to the agent, signed by us and only once."""
    called = Called(world)
    a = Agent(world, capabilities=["inlineButtons"])
    a.config["gateway"] = called.config()["gateway"]
    a.start()
    got = a.do([call(action="send", message="Sure?", buttons=BUTTONS)],
               reply="NO_REPLY")
    post = json.loads(got[0])["messageId"]
    a.script(reply="so be it")
    assert called.click(post, "no")[0] == 200
    a.wait_said(["Sure?", "so be it"])
    asked = a.requests()[-1]["messages"][-1]["content"]
    assert 'selected "No"' in asked


def test_buttons_only_where_they_are_enabled(agent):
    got = agent.do([
        call(action="send", message="Sure?", buttons=BUTTONS),
        call(id="b", action="send", presentation={
            "title": "Choose", "blocks": [{"type": "buttons", "buttons": [
                {"label": "Red", "value": "red"}]}]})])
    assert "not enabled" in got[0]
    assert json.loads(got[1])["ok"]
    posts = agent.world.server.replies(
        agent.world.dm, agent.world.bot, agent.world.user.api)
    assert "Red" in posts[0]["message"]
    assert "attachments" not in posts[0]["props"]


def test_cross_context_can_be_forbidden(llm, world):
    a = Agent(world)
    a.config["tools"] = {"message": {"crossContext": {
        "allowWithinProvider": False}}}
    a.start()
    got = a.do([call(action="send", message="x",
                     target="channel:" + world.channel),
                call(id="b", action="send", message="here",
                     target="channel:" + world.dm)])
    assert "only the conversation" in got[0]
    assert json.loads(got[1])["ok"]
    assert a.said(world.channel) == []


# Reacting and reading


def test_reactions(agent):
    w = agent.world
    post = agent.look()
    got = agent.do([call(action="react", messageId=post, emoji=":+1:"),
                    call(id="b", action="react", messageId=post,
                         emoji="\U0001f680")])
    assert got == ["Reacted with :+1: on " + post,
                   "Reacted with :rocket: on " + post]
    found = w.user.api.get("/posts/%s/reactions" % post)
    assert {(r["user_id"], r["emoji_name"]) for r in found} == {
        (w.bot.id, "+1"), (w.bot.id, "rocket")}
    got = agent.do([call(action="react", messageId=post, emoji="rocket",
                         remove=True)])
    assert got == ["Removed reaction :rocket: from " + post]
    found = w.user.api.get("/posts/%s/reactions" % post)
    assert [r["emoji_name"] for r in found] == ["+1"]


def test_reaction_has_to_be_in_its_conversation(agent):
    w = agent.world
    post = w.user.say(w.channel, "over there")["id"]
    got = agent.do([
        call(action="react", messageId=post, emoji="eyes"),
        call(id="b", action="react", messageId=post, emoji="eyes",
             target="@" + w.user.name),
        call(id="c", action="react", messageId=post, emoji="eyes",
             target="channel:" + w.channel)])
    assert "not in that conversation" in got[0]
    assert "not in that conversation" in got[1]
    assert got[2].startswith("Reacted with")
    assert reactions(w, post) == [(w.bot.id, "eyes")]


def test_reactions_can_be_off(llm, world):
    a = Agent(world, actions={"reactions": False}).start()
    post = a.look()
    got = a.do([call(action="react", messageId=post, emoji="eyes")])
    assert "reactions are disabled in config" in got[0]


def test_read(llm, world):
    a = Agent(world, actions={"messages": True}, groupPolicy="allowlist",
              groups={world.channel: {"requireMention": True}}).start()
    closed = world.server.new_channel([world.bot, world.user])
    for i in range(5):
        world.user.say(world.channel, "line %d" % i)
    got = a.do([
        call(action="read", target="channel:" + world.channel, limit=3),
        call(id="b", action="read", target="channel:" + closed),
        call(id="c", action="read", target="@" + world.user.name),
        call(id="d", action="read"),
        call(id="e", action="read", limit=0),
        call(id="f", action="read", before="z" * 26, after="y" * 26)],
        text="please read")
    page = json.loads(got[0])
    assert page["channelId"] == world.channel and page["hasMore"]
    assert [m["message"] for m in page["messages"]] == [
        "line 4", "line 3", "line 2"]
    assert page["messages"][0]["timestampUtc"].endswith("Z")
    assert "is not allowed" in got[1]
    assert "requires a channel target" in got[2]
    here = json.loads(got[3])
    assert here["messages"][0]["message"] == "please read"
    assert "positive integer" in got[4]
    assert "not both" in got[5]


def test_read_for_those_who_could_themselves(llm, world):
    """The bot is where the person is not who asks it."""
    a = Agent(world, actions={"messages": True}).start()
    w, server = world, world.server
    boss = server.new_user()
    rooms = {
        "member": server.new_channel([w.bot, boss, w.user], kind="P"),
        "private": server.new_channel([w.bot, boss], kind="P"),
        "open": server.new_channel([w.bot, boss]),
    }
    team = server.new_team()
    for who in (w.bot, boss):
        server.join_team(who.id, team)
    rooms["elsewhere"] = server.new_channel([w.bot, boss], team=team)
    for name, room in rooms.items():
        boss.say(room, "said in " + name)
    got = a.do([call(id=n, action="read", target="channel:" + room)
                for n, room in rooms.items()])
    for name, text in zip(rooms, got):
        assert ("said in " + name in text) == (
            name in ("member", "open")), text
        assert name in ("member", "open") or "is not in that channel" in text
    # Who has left cannot any more.
    server.admin.delete("/channels/%s/members/%s" % (
        rooms["member"], w.user.id))
    (text,) = a.do([call(action="read", target="channel:" + rooms["member"])])
    assert "is not in that channel" in text


def test_act_for_those_who_could_themselves(llm, world):
    """Posts and reactions are bound as reading is."""
    a = Agent(world).start()
    w, server = world, world.server
    boss = server.new_user()
    team = server.new_team()
    for who in (w.bot, boss):
        server.join_team(who.id, team)
    rooms = {
        "member": server.new_channel([w.bot, boss, w.user], kind="P"),
        "open": server.new_channel([w.bot, boss]),
        "private": server.new_channel([w.bot, boss], kind="P"),
        "elsewhere": server.new_channel([w.bot, boss], team=team),
    }
    posts = {name: boss.say(room, "hello")["id"]
             for name, room in rooms.items()}
    calls = []
    for name, room in rooms.items():
        calls += [
            call(id="s" + name, action="send", message="x",
                 target="channel:" + room),
            call(id="r" + name, action="react", messageId=posts[name],
                 emoji="eyes", target="channel:" + room)]
    calls.append(call(id="dry", action="send", message="x", dryRun=True,
                      target="channel:" + rooms["private"]))
    got = a.do(calls)
    refusal = "Mattermost %s: the person who asks is not in that channel."
    for i, name in enumerate(rooms):
        ok = name in ("member", "open")
        assert (refusal % "send" in got[2 * i]) != ok, got[2 * i]
        assert (refusal % "react" in got[2 * i + 1]) != ok, got[2 * i + 1]
        assert [p["message"] for p in server.replies(
            rooms[name], w.bot, boss.api)] == (
            ["[from @%s] x" % w.user.name] if ok else [])
        assert (server.admin.get("/posts/%s/reactions" % posts[name])
                or []) == [] or ok
    assert refusal % "send" in got[-1]
    # Anybody may write to anybody; a reaction needs to see the post.
    there = w.bot.say(boss.direct(w.bot), "between us")["id"]
    got = a.do([call(action="send", message="hi", target="user:" + boss.id),
                call(id="b", action="react", messageId=there, emoji="eyes",
                     target="user:" + boss.id)])
    assert json.loads(got[0])["ok"]
    assert refusal % "react" in got[1]


@pytest.mark.parametrize("status, roles, ok", [
    (200, "system_user", True), (200, "system_guest", False), (500, "", False)])
def test_a_guest_cannot_write_to_anybody(sim, agent, status, roles, ok):
    """Nor by the bot; nor can somebody whose roles are not to be had."""
    w = agent.world
    boss = w.server.new_user()
    answer = json.dumps({"id": w.user.id, "roles": roles})
    sim.fault("rest", method="GET", times=-1, status=status, body=answer,
              path_prefix="/api/v4/users/" + w.user.id)
    got = agent.do([call(action="send", message="hi",
                         target="user:" + boss.id)])
    assert ("the person who asks is not in that channel" in got[0]) != ok
    said = [p["message"] for p in w.server.replies(
        boss.direct(w.bot), w.bot, boss.api)]
    assert said == (["[from @%s] hi" % w.user.name] if ok else [])


# Models that misbehave


def test_unknown_tools_and_broken_arguments(agent):
    broken = call()
    broken["function"]["arguments"] = '{"action": "se'
    listed = call(id="l")
    listed["function"]["arguments"] = "[1]"
    got = agent.do([call("shell", command="rm"), broken, listed])
    assert 'there is no tool "shell"' in got[0]
    assert "not a JSON object" in got[1] and "not a JSON object" in got[2]
    # What the model's server gets back is JSON all the same.
    for m in agent.requests()[-1]["messages"]:
        for c in m.get("tool_calls", []):
            json.loads(c["function"]["arguments"])
    assert agent.said() == ["done"]


def test_a_megabyte_of_arguments(agent):
    got = agent.do([call(action="send", message="x" * 1000000)])
    assert "too long" in got[0]
    got = agent.do([call(action="send", message="x" * 100000)])
    assert "more than one message" in got[0]
    assert agent.said() == ["done", "done"]


def test_a_model_that_never_ends(agent):
    agent.server.model(tool_calls=[call(action="react", messageId="z" * 26,
                                        emoji="x")])
    agent.say()
    agent.postern.wait(lambda: agent.said(), 30)
    assert "could not answer" in agent.said()[0]
    assert len(agent.requests()) == 17
    assert agent.requests()[-1]["tool_choice"] == "none"


def test_many_calls_at_once(agent):
    got = agent.do([call(id="c%d" % i, action="react", messageId="z" * 26,
                         emoji="x") for i in range(40)])
    assert len(got) == 32


def test_a_server_without_tools(agent):
    agent.server.model(reply="hello")
    agent.server.model(status=400, times=1,
                       error="this model does not support tools")
    agent.say()
    agent.wait_said(["hello"])
    assert "tools" not in agent.requests()[-1]
    agent.say()
    agent.wait_said(["hello", "hello"])
    assert len(agent.requests()) == 3


@pytest.mark.parametrize("mode", ["partial", "block", "progress", "off"])
def test_what_is_said_beside_calls_is_not_posted(llm, world, mode):
    a = Agent(world, streaming={"mode": mode}).start()
    seen = []
    for args in (dict(action="react", messageId="z" * 26, emoji="x"),
                 dict(action="send", message="by the tool")):
        a.server.model(reply="the last word", chunks=4, chunk_delay_ms=60)
        a.server.model(reply="let me do that for you", times=1, chunks=4,
                       chunk_delay_ms=60, tool_calls=[call(**args)])
        seen += ["by the tool"] if args["action"] == "send" else []
        seen += ["the last word"]
        a.say()
        a.wait_said(seen)
        a.postern.wait(
            lambda: a.postern.account()["live"]["outbox"] == 0)
        assert a.said() == seen


def test_preview_goes_below_what_the_tool_says(agent):
    agent.server.model(reply="the last word", chunks=6, chunk_delay_ms=100)
    agent.server.model(tool_calls=[call(action="send", message="tool")],
                       times=1)
    agent.say()
    agent.wait_said(["tool", "the last word"])
