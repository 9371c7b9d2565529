"""Who may talk: policies, lists, groups, names, bots."""

import json

import pytest


class Access:
    def __init__(self, world):
        self.world = world
        self.server = world.server
        self.stranger = world.server.new_user()
        self.server.join(world.channel, self.stranger)

    def start(self, **more):
        top = more.pop("top", {})
        config = self.world.config(**more)
        mm = config["channels"]["mattermost"]
        for key in [k for k, v in mm.items() if v is None]:
            del mm[key]
        config.update(top)
        return self.world.start(config)

    def reason(self, post, account=None):
        def ask():
            r = self.world.postern.ctl(
                "explain", post["id"], "--json", check=False)
            rows = json.loads(r.stdout or "[]")
            return rows and rows[0]
        return self.world.postern.wait(ask)["reason"]

    def dm(self, user, text="hello"):
        return user.say(user.direct(self.world.bot), text)

    def mention(self, user, text="hello", **more):
        return user.say(self.world.channel,
                        "@%s %s" % (self.world.bot.name, text), **more)

    def answers(self, post, n=1):
        """The bot's posts in the channel of a post, from then on."""
        api = self.world.user.api
        if post["user_id"] != self.world.user.id:
            api = self.stranger.api

        def found():
            return [p for p in self.server.replies(
                post["channel_id"], self.world.bot, api)
                if p["create_at"] >= post["create_at"]]
        self.world.postern.wait(lambda: len(found()) >= n)
        return found()


@pytest.fixture
def access(world):
    return Access(world)


def test_allowlist(access, world):
    access.start(dmPolicy="allowlist", allowFrom=[world.user.id.upper()],
                 groupPolicy="allowlist")
    assert access.reason(access.dm(access.stranger)) == "not-in-allowlist"
    assert len(access.answers(access.dm(world.user))) == 1
    assert access.reason(access.mention(access.stranger)) == \
        "not-in-allowlist"
    assert len(access.answers(access.mention(world.user))) == 1
    drops = world.postern.account()["live"]["drops"]
    assert drops["not-in-allowlist"] == 2


def test_group_lists(access, world):
    # The list of channels wins over that of direct messages.
    access.start(dmPolicy="allowlist", allowFrom=[world.user.id],
                 groupPolicy="allowlist", groupAllowFrom=[access.stranger.id])
    assert access.reason(access.mention(world.user)) == "not-in-allowlist"
    assert len(access.answers(access.mention(access.stranger))) == 1
    assert access.reason(access.dm(access.stranger)) == "not-in-allowlist"


@pytest.mark.parametrize("more,dm,group", [
    ({"dmPolicy": "disabled", "groupPolicy": "disabled"},
     "dm-disabled", "group-disabled"),
    ({"dmPolicy": "allowlist", "allowFrom": [], "groupPolicy": None},
     "not-in-allowlist", "empty-allowlist"),
    # What the top level does not say, channels.defaults does.
    ({"dmPolicy": "allowlist", "allowFrom": [], "groupPolicy": None,
      "defaults": "disabled"}, "not-in-allowlist", "group-disabled"),
])
def test_denied(access, world, more, dm, group):
    more = dict(more)
    config = world.config()
    mm = config["channels"]["mattermost"]
    defaults = more.pop("defaults", None)
    if defaults:
        config["channels"]["defaults"] = {"groupPolicy": defaults}
    for k, v in more.items():
        mm[k] = v
        if v is None:
            del mm[k]
    world.start(config)
    assert access.reason(access.dm(world.user)) == dm
    assert access.reason(access.mention(world.user)) == group


def test_without_a_section(access, world):
    """The environment alone makes an account, closed in channels."""
    p = world.start({"channels": {"defaults": {"groupPolicy": "open"}}}, env={
        "MATTERMOST_BOT_TOKEN": world.bot.token,
        "MATTERMOST_URL": world.server.url})
    p.wait_logged("channels.mattermost is missing")
    assert access.reason(access.dm(world.user)) == "pairing"
    assert access.reason(access.mention(world.user)) == "empty-allowlist"


def test_access_groups(access, world):
    access.start(
        dmPolicy="allowlist", allowFrom=["accessGroup:staff"],
        groupPolicy="allowlist", groupAllowFrom=["accessGroup:none"],
        top={"accessGroups": {"staff": {
            "type": "message.senders",
            "members": {"mattermost": [world.user.id]}}}})
    assert len(access.answers(access.dm(world.user))) == 1
    assert access.reason(access.dm(access.stranger)) == "not-in-allowlist"
    assert access.reason(access.mention(world.user)) == \
        "access-group-missing"


def test_names_are_ids_from_then_on(access, world):
    user, other = world.user, access.stranger
    p = access.start(dmPolicy="allowlist", groupPolicy="disabled",
                     allowFrom=["@" + user.name, "nobody-has-this"],
                     dangerouslyAllowNameMatching=True)
    names = p.account()["live"]["names"]
    assert names == {user.name: user.id, "nobody-has-this": ""}
    out = p.ctl("status").stdout
    assert user.name in out and user.id in out
    p.wait_logged("access.name ", "access.name_unknown ")
    assert len(access.answers(access.dm(user))) == 1
    # Names change hands: the person stays the same.
    old = user.name
    world.server.admin.put("/users/%s/patch" % user.id,
                           {"username": old + "x"})
    world.server.admin.put("/users/%s/patch" % other.id, {"username": old})
    assert world.server.admin.get("/users/username/" + old)["id"] == other.id
    assert access.reason(access.dm(other)) == "not-in-allowlist"
    assert len(access.answers(access.dm(user, "still me"))) == 1


def test_names_need_the_switch(access, world):
    p = access.start(dmPolicy="allowlist", groupPolicy="disabled",
                     allowFrom=["@" + world.user.name])
    assert p.account()["live"]["names"] is None
    assert access.reason(access.dm(world.user)) == "not-in-allowlist"


def test_names_when_the_server_fails(sim, world):
    access = Access(world)
    sim.fault("rest", method="POST", path_prefix="/api/v4/users/usernames",
              status=500)
    access.start(dmPolicy="allowlist", allowFrom=[world.user.name],
                 groupPolicy="disabled", dangerouslyAllowNameMatching=True)
    world.postern.wait_logged("account.backoff")
    assert len(access.answers(access.dm(world.user))) == 1


def test_bots_are_ignored(access, world):
    other = world.server.new_bot()
    world.server.join(world.channel, other)
    access.start()
    post = access.mention(other)
    assert access.reason(post) == "bot-author"
    assert len(access.answers(access.mention(world.user))) == 1


def test_turns_read_again_are_not_counted_again(access, world):
    """What a crash makes us read again is no new turn of a bot."""
    other = world.server.new_bot()
    world.server.join(world.channel, other)
    p = access.start(allowBots=True)
    root = world.user.say(world.channel, "a thread")

    def turn(n):
        access.mention(other, "turn %d." % n, root_id=root["id"])

    def wait(n):
        p.wait(lambda: any(
            "turn %d." % n in q["message"] for q in world.server.replies(
                world.channel, world.bot, world.user.api)))

    for n in range(6):
        turn(n)
        wait(n)
    p.kill_all()
    turn(6)
    p.start()
    wait(6)


def test_loop_of_bots_ends(access, world):
    """Ten turns of bots alone, over a restart; then a person speaks."""
    other = world.server.new_bot()
    world.server.join(world.channel, other)
    p = access.start(allowBots=True)
    root = world.user.say(world.channel, "a thread")

    def turn(n):
        post = access.mention(other, "turn %d." % n, root_id=root["id"])
        p.wait(lambda: any(
            "turn %d." % n in q["message"] for q in world.server.replies(
                world.channel, world.bot, world.user.api)))
        return post

    for n in range(5):
        turn(n)
    p.kill_all()
    p.start()
    for n in range(5, 10):
        turn(n)
    post = access.mention(other, "turn 10.", root_id=root["id"])
    assert access.reason(post) == "bot-loop"
    out = p.ctl("explain", post["id"]).stdout
    assert "10 turns of bots alone" in out and "authorise" in out
    p.kill_all()
    p.start()
    post = access.mention(other, "turn 11.", root_id=root["id"])
    assert access.reason(post) == "bot-loop"
    # Elsewhere it goes on, and here when a person has said something.
    assert len(access.answers(access.mention(other, "elsewhere"))) >= 1
    world.user.say(world.channel, "enough?", root_id=root["id"])
    turn(12)


def outcomes(world, *posts):
    """Of their turns; a post that is read again is also decided again."""
    rows = [json.loads(world.postern.ctl(
        "explain", p["id"], "--json").stdout) for p in posts]
    return [next((r["outcome"] for r in found if r["outcome"]), "")
            for found in rows]


def waiting(world, text="one"):
    """Said to a model that takes its time, and something behind it."""
    posts = [world.user.say(world.dm, text), world.user.say(world.dm, "two")]
    world.postern.wait(lambda: len(world.model_requests()) == 1 and
                       world.postern.account()["live"]["waiting"] == 2)
    return posts


def denied(world, posts, *more):
    world.postern.wait(lambda: outcomes(world, *posts)[-1] == "denied")
    assert world.said() == []
    assert len(world.model_requests()) == 1
    out = world.postern.ctl("explain", posts[-1]["id"]).stdout
    assert "was not let in any more" in out
    assert world.postern.account()["live"]["waiting"] == 0


@pytest.mark.simulator
def test_off_the_list_while_it_waits(sim, world):
    """Neither what waits is answered, nor what had begun."""
    sim.model(silent_ms=8000, chunks=4, reply="this takes a while")
    config = world.model_config(dmPolicy="allowlist",
                                allowFrom=[world.user.id])
    p = world.start(config)
    posts = waiting(world)
    p.wait(lambda: world.said())  # the preview of the first
    p.config["channels"]["mattermost"]["allowFrom"] = ["x" * 26]
    p.write(p.config)
    p.ctl("reload")
    p.wait(lambda: not world.said(), 20)
    denied(world, posts)
    assert outcomes(world, *posts) == ["denied", "denied"]


@pytest.mark.simulator
def test_a_grant_is_revoked_while_it_waits(sim, world):
    sim.model(first_delay_ms=3000, reply="granted")
    config = world.model_config(dmPolicy="pairing", allowFrom=[])
    p = world.start(config)
    world.user.say(world.dm, "let me in")
    code = p.wait(lambda: json.loads(p.ctl(
        "pairing", "list", "--json").stdout)["requests"])[0]["code"]
    p.ctl("pairing", "approve", code)
    p.wait(lambda: len(world.said()) == 2)
    posts = [*waiting(world), world.user.say(world.dm, "/new")]
    p.ctl("pairing", "revoke", world.user.id)
    # What had begun may end.
    p.wait(lambda: outcomes(world, *posts) == [
        "answered", "denied", "denied"], 20)
    assert len(world.model_requests()) == 1
    assert world.said()[2:] == ["granted"]


@pytest.mark.simulator
def test_what_waits_for_names_is_not_lost(sim, world):
    """After a restart names are not known before the server was asked."""
    sim.model(first_delay_ms=2000, reply="known again")
    config = world.model_config(dmPolicy="allowlist",
                                allowFrom=[world.user.name],
                                dangerouslyAllowNameMatching=True)
    p = world.start(config)
    posts = waiting(world)
    p.kill_all()
    sim.fault("rest", method="POST", path_prefix="/api/v4/users/usernames",
              status=500, times=2)
    p.start(wait=False)
    p.wait(lambda: outcomes(world, *posts) == ["answered", "answered"], 40)
    assert world.said() == ["known again"] * 2
