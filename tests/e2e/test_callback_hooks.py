"""Hooks: messages of other programs, and where their answers go."""

import json

import pytest

from callbacks import exchange, free_port, request, results, until, \
    wait_linked

TOKEN = "hook-secret-token"


def hook_config(world, port, **hooks):
    c = world.config()
    c["gateway"] = {"port": port}
    c["hooks"] = dict({"enabled": True, "token": TOKEN}, **hooks)
    return c


@pytest.fixture
def hooks(world):
    world.port = free_port()
    world.start(hook_config(world, world.port))
    wait_linked(world.postern)
    return world


def send(world, body, path="/hooks/agent", token=TOKEN, **headers):
    if token is not None:
        headers.setdefault("Authorization", "Bearer " + token)
    return request(world.port, path, body, headers=headers)


def test_a_hook_is_answered_where_it_says(hooks):
    a = send(hooks, {"message": "the build is done", "name": "CI",
                     "channel": "mattermost",
                     "to": "user:" + hooks.user.id})
    assert a.status == 200, a
    assert a.json()["ok"] is True and a.json()["runId"]
    until(lambda: hooks.said())
    assert "the build is done" in hooks.said()[0]


def test_a_key_makes_it_once(hooks):
    body = {"message": "deploy 7", "channel": "mattermost",
            "to": "channel:" + hooks.channel, "idempotencyKey": "deploy-7"}
    first, second = send(hooks, body), send(hooks, body)
    assert first.status == second.status == 200
    assert first.json() == second.json()
    other = dict(body, idempotencyKey="deploy-8", message="deploy 8")
    assert send(hooks, other).json() != first.json()
    said = lambda: [p["message"] for p in hooks.server.replies(
        hooks.channel, hooks.bot, hooks.user.api)]
    until(lambda: any("deploy 8" in m for m in said()))
    assert sum("deploy 7" in m for m in said()) == 1


def test_nobody_is_told_without_a_target(hooks):
    a = send(hooks, {"message": "quiet"})
    assert a.status == 200
    a = send(hooks, {"message": "quiet", "deliver": False,
                     "channel": "mattermost", "to": "user:" + hooks.user.id})
    assert a.status == 200
    a = send(hooks, {"text": "wake up"}, path="/hooks/wake")
    assert a.status == 200
    a = send(hooks, {"message": "loud", "channel": "mattermost",
                     "to": "user:" + hooks.user.id})
    until(lambda: hooks.said())
    assert len(hooks.said()) == 1 and "loud" in hooks.said()[0]


@pytest.mark.parametrize("token", [
    None, "", "wrong", TOKEN + "x", TOKEN[:-1], TOKEN.upper()])
def test_other_tokens(hooks, token):
    a = send(hooks, {"message": "x"}, token=token)
    assert a.status == 401
    assert a.json() == {"ok": False, "error": "unauthorized"}
    assert a.headers["www-authenticate"] == "Bearer"


def test_where_the_token_may_stand(hooks):
    a = send(hooks, {"message": "x"}, token=None,
             **{"X-OpenClaw-Token": TOKEN})
    assert a.status == 200
    a = send(hooks, {"message": "x"}, token=None,
             path="/hooks/agent?token=" + TOKEN)
    assert a.status == 401
    a = send(hooks, {"message": "x", "token": TOKEN}, token=None)
    assert a.status == 401


def test_guessing_is_slowed_down(hooks):
    for _ in range(20):
        assert send(hooks, {}, token="guess").status == 401
    a = send(hooks, {}, token="guess")
    assert a.status == 429 and a.headers["retry-after"] == "60"
    # Also for the right one: a guess must not show by its status.
    assert send(hooks, {"message": "x"}).status == 429
    assert results(hooks.postern)["bad-token"] == 20


@pytest.mark.parametrize("body", [
    b"", b"[]", b"\"x\"", b"{", b"{}", b"{\"message\":7}",
    b"{\"message\":\" \"}", b"{\"message\":\"x\"} x", b"message=x",
    b"\xef\xbb\xbf{\"message\":\"x\"}", b"{\"message\":\"\xff\"}",
    b"{\"message\":\"x\",\"channel\":\"mattermost\"}",
    b"{\"message\":\"x\",\"to\":\"user:x\"}",
    b"{\"message\":\"x\",\"channel\":\"last\",\"to\":\"user:x\"}",
    b"{\"message\":\"x\",\"channel\":\"slack\",\"to\":\"user:x\"}",
    b"{\"message\":\"x\",\"channel\":\"slack\",\"to\":\"mattermost:x\"}",
    b"{\"message\":\"x\",\"agentId\":\"nobody\"}",
    b"{\"message\":\"x\",\"accountId\":\"nobody\"}",
    b"{\"message\":\"x\",\"sessionKey\":\"main\"}",
    b"{\"message\":\"x\",\"waitForCompletion\":true}",
    b"{\"message\":\"x\",\"idempotencyKey\":\"a b\"}"])
def test_what_is_no_hook(hooks, body):
    a = send(hooks, body)
    assert a.status == 400, a
    assert a.json()["ok"] is False


def test_other_methods_and_sizes(hooks):
    a = request(hooks.port, "/hooks/agent", method="GET")
    assert a.status == 405 and a.headers["allow"] == "POST"
    a = send(hooks, {"message": "x" * 65536})
    assert a.status == 413
    a = exchange(hooks.port, (
        "POST /hooks/agent HTTP/1.1\r\nAuthorization: Bearer %s\r\n"
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
        % TOKEN).encode())
    assert a.status == 411


def test_it_is_in_the_store_before_the_answer(hooks):
    """kill -9 of everything right after 200: it is answered all the same."""
    a = send(hooks, {"message": "survivor", "channel": "mattermost",
                     "to": "user:" + hooks.user.id})
    assert a.status == 200
    hooks.postern.kill_all()
    hooks.postern.start()
    until(lambda: hooks.said())
    assert len(hooks.said()) == 1 and "survivor" in hooks.said()[0]


def test_a_session_of_ones_own(world):
    world.port = free_port()
    world.start(hook_config(world, world.port, path="/in/",
                            allowRequestSessionKey=True))
    wait_linked(world.postern)
    assert send(world, {"message": "x"}).status == 404
    a = send(world, {"message": "remember", "sessionKey": "ci"},
             path="/in/agent")
    assert a.status == 200, a
    listed = lambda: json.loads(
        world.postern.ctl("sessions", "list", "--json").stdout)
    until(lambda: "agent:main:ci" in json.dumps(listed()))


def test_an_empty_token_is_no_token(world):
    world.port = free_port()
    for token in ("", "   "):
        c = hook_config(world, world.port)
        c["hooks"]["token"] = token
        p = world.daemons(c, start=False)
        p.start(wait=False)
        assert p.process.wait(15) == 1
        assert "hooks.token" in p.logs()


def test_a_hook_chooses_for_its_turn(llm, world):
    """Model, thinking and deadline are of that turn alone."""
    world.port = free_port()
    c = hook_config(world, world.port)
    more = world.model_config()
    c.update({k: more[k] for k in ("models", "agents")})
    c["models"]["providers"]["sim"]["models"].append({"id": "other-model"})
    world.start(c)
    wait_linked(world.postern)
    to = {"channel": "mattermost", "to": "user:" + world.user.id}
    world.server.model(reply="thought about")
    a = send(world, dict(to, message="think hard", model="sim/other-model",
                         thinking="high"))
    assert a.status == 200, a
    until(lambda: "thought about" in world.said())
    asked = world.model_requests()[-1]["body"]
    assert asked["model"] == "other-model"
    assert asked["reasoning_effort"] == "high"
    assert send(world, dict(to, message="as usual")).status == 200
    until(lambda: world.said().count("thought about") == 2)
    asked = world.model_requests()[-1]["body"]
    assert asked["model"] == "test-model"
    assert "reasoning_effort" not in asked
    for wrong in ({"model": "sim/nobody"}, {"thinking": "very"}):
        a = send(world, dict(to, message="never", **wrong))
        assert a.status == 400 and list(wrong)[0] in a.json()["error"]


@pytest.mark.parametrize("hook", [True, False])
def test_a_turn_ends_at_its_deadline(llm, world, hook):
    world.port = free_port()
    c = hook_config(world, world.port)
    more = world.model_config()
    c.update({k: more[k] for k in ("models", "agents")})
    if not hook:
        c["agents"]["defaults"]["timeoutSeconds"] = 1
    world.start(c)
    wait_linked(world.postern)
    world.server.model(reply="a " * 200, chunks=200, chunk_delay_ms=500)
    body = {"message": "hurry", "channel": "mattermost",
            "to": "user:" + world.user.id}
    if hook:
        body["timeoutSeconds"] = 1
    assert send(world, body).status == 200
    until(lambda: "the deadline of the turn has passed"
          in world.postern.logs())


def test_names_as_the_file_has_them(world):
    """Of accounts and agents; the daemon calls them by their ids."""
    port = world.port = free_port()
    c = hook_config(world, port)
    c["channels"]["mattermost"] = {"accounts": {
        "My Bot": c["channels"]["mattermost"]}}
    c["agents"] = {"list": [{"id": "main", "default": True},
                            {"id": "Night Shift"}]}
    c["bindings"] = [{"agentId": "Night Shift", "match": {
        "channel": "mattermost", "accountId": "My Bot",
        "peer": {"kind": "channel", "id": world.channel}}}]
    p = world.start(c)
    wait_linked(p)
    body = {"message": "the build is done", "channel": "mattermost",
            "to": "user:" + world.user.id}
    assert send(world, dict(body, accountId="My Bot",
                            agentId="Night Shift")).status == 200
    until(lambda: world.said())
    assert send(world, dict(body, accountId="!")).status == 400
    assert send(world, dict(body, agentId="!")).status == 400
    for name, status in (("My Bot", 0), ("MY-BOT", 0), ("!", 1), ("x", 1)):
        r = p.ctl("message", "send", "-t", "user:" + world.user.id, "-m", "x",
                  "--account", name, check=False)
        assert r.returncode == status, r.stderr
