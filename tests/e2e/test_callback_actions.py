"""Buttons at the callback worker: every proof that can be wrong."""

import json
import time

import pytest

from callback_rig import Rig
from callbacks import exchange, request, sign

PATH = "/mattermost/interactions/default"
TOKEN = "bot-token-default"
CHANNEL = "c1" + "x" * 24
OTHER = "c2" + "x" * 24
CONTEXT = {"action_id": "approve", "callback_data": "yes",
           "__openclaw_channel_id": CHANNEL,
           "deep": {"b": [1, {"z": 1, "a": None}], "a": "x"}}


def click(context, **more):
    p = {"user_id": "u" * 26, "user_name": "alice", "channel_id": CHANNEL,
         "channel_name": "town", "team_id": "t" * 26, "team_domain": "team",
         "post_id": "p" * 26, "trigger_id": "trg", "type": "button",
         "data_source": "", "context": context}
    p.update(more)
    return {k: v for k, v in p.items() if v is not None}


def post(rig, body, **kw):
    return request(rig.port, PATH, body, **kw)


@pytest.fixture
def rig():
    r = Rig(accounts=("default", "other"))
    yield r
    r.close()


def refused(rig, answer, status, error, reason):
    assert answer.status == status, answer
    assert answer.json() == {"error": error}
    assert answer.headers["content-type"] == "application/json"
    assert rig.results() == {reason: 1}
    for account in rig.accounts.values():
        assert account.calls == []


def test_what_is_right_reaches_the_account(rig):
    a = post(rig, click(sign(TOKEN, CONTEXT)))
    assert a.status == 200 and a.json() == {"seen": 1}
    call, = rig.accounts["default"].calls
    assert call == {
        "t": "cb.action", "id": call["id"], "user": "u" * 26,
        "user_name": "alice", "channel": CHANNEL, "channel_name": "town",
        "post": "p" * 26, "team": "t" * 26, "team_domain": "team",
        "trigger_id": "trg", "type": "button", "data_source": "",
        "action": "approve", "context": CONTEXT}
    assert rig.accounts["other"].calls == []
    assert rig.results() == {"accepted": 1}


def test_a_direct_message_has_no_team(rig):
    body = click(sign(TOKEN, CONTEXT), team_id="", team_domain="")
    assert post(rig, body).status == 200
    assert rig.accounts["default"].calls[0]["team"] == ""


@pytest.mark.parametrize("context", [
    {"action_id": "a", "text": "héß 🎉 / <b>&"},
    {"action_id": "a", "a1": 1, "aB": 2, "a_b": 3, "10": 4, "9": 5},
    {"action_id": "a", "n": 1.5, "big": 10 ** 20, "neg": -3, "t": True}])
@pytest.mark.parametrize("dumps", [{}, {"ensure_ascii": False}])
def test_scripts_of_the_seed(rig, context, dumps):
    assert post(rig, click(sign(TOKEN, context, **dumps))).status == 200


def shuffled(o):
    if isinstance(o, dict):
        return {k: shuffled(o[k]) for k in reversed(list(o))}
    return [shuffled(x) for x in o] if isinstance(o, list) else o


def test_the_order_of_keys_is_nothing(rig):
    assert post(rig, click(shuffled(sign(TOKEN, CONTEXT)))).status == 200


def deep_change(c):
    c["deep"]["b"][1]["z"] = 2


def deep_more(c):
    c["deep"]["b"].append(1)


def swap(c):
    c["deep"]["b"].reverse()


@pytest.mark.parametrize("change", [
    lambda c: c.update(action_id="deny"),
    lambda c: c.update(more=1),
    lambda c: c.pop("callback_data"),
    lambda c: c.update(__openclaw_channel_id=OTHER),
    lambda c: c.update(callback_data="yes "),
    lambda c: c.update(callback_data=["yes"]),
    lambda c: c.update(_token=""),
    lambda c: c.update(_token="x" * 64),
    lambda c: c.update(_token=c["_token"][:-1]),
    lambda c: c.update(_token=c["_token"] + "0"),
    lambda c: c.update(_token=c["_token"].upper()),
    lambda c: c.update(_token=c["_token"] + " "),
    lambda c: c.update(_token="é" * 64),
    lambda c: c.update(_token=c["_token"][::-1]),
    lambda c: c.update(inner={"_token": "x"}),
    deep_change, deep_more, swap])
def test_a_context_that_was_changed(rig, change):
    context = json.loads(json.dumps(sign(TOKEN, CONTEXT)))
    change(context)
    refused(rig, post(rig, click(context)), 403, "Invalid token",
            "bad-token")


@pytest.mark.parametrize("token", [
    "bot-token-other", "", "bot-token-defaul", TOKEN + "\n"])
def test_signed_by_another(rig, token):
    refused(rig, post(rig, click(sign(token, CONTEXT))), 403,
            "Invalid token", "bad-token")


def test_of_two_members_the_last_counts(rig):
    signed = json.dumps(sign(TOKEN, CONTEXT))
    body = json.dumps(click(0)).replace(
        '"context": 0', '"context": {"action_id": "evil"}, "context": '
        + signed)
    assert post(rig, body).status == 200
    body = body[:-1] + ', "context": {"action_id": "evil", "_token": "x"}}'
    assert post(rig, body).status == 403
    inside = signed[:-1] + ', "action_id": "evil"}'
    assert post(rig, json.dumps(click(0)).replace(
        '"context": 0', '"context": ' + inside)).status == 403
    assert [c["action"] for c in rig.accounts["default"].calls] == ["approve"]


@pytest.mark.parametrize("token", [None, 7, ["x"], {}, True])
def test_a_token_that_is_no_text(rig, token):
    context = dict(CONTEXT)
    if token is not None:
        context["_token"] = token
    refused(rig, post(rig, click(context)), 403, "Missing token", "no-token")


@pytest.mark.parametrize("context", [None, 7, "x", [], True])
def test_no_context(rig, context):
    refused(rig, post(rig, click(context)), 400, "Missing context",
            "no-context")


@pytest.mark.parametrize("action", [None, 7, ["approve"], {}])
def test_no_action(rig, action):
    context = dict(CONTEXT)
    del context["action_id"]
    if action is not None:
        context["action_id"] = action
    refused(rig, post(rig, click(sign(TOKEN, context))), 400,
            "Missing action_id in context", "no-action")


@pytest.mark.parametrize("channel", [OTHER, "", None, CHANNEL.upper(), 7])
def test_another_channel_than_the_signed_one(rig, channel):
    refused(rig, post(rig, click(sign(TOKEN, CONTEXT), channel_id=channel)),
            403, "Channel mismatch", "channel-mismatch")


def test_a_signed_channel_that_is_no_text(rig):
    context = dict(CONTEXT, __openclaw_channel_id=7)
    refused(rig, post(rig, click(sign(TOKEN, context))), 403,
            "Channel mismatch", "channel-mismatch")


@pytest.mark.parametrize("missing", ["post_id", "user_id"])
def test_a_click_of_nobody_on_nothing(rig, missing):
    refused(rig, post(rig, click(sign(TOKEN, CONTEXT), **{missing: None})),
            400, "Invalid request body", "malformed")


@pytest.mark.parametrize("expires", [0, 1, "soon", None, 1e30, -1])
def test_a_button_too_old(rig, expires):
    context = dict(CONTEXT, postern_expires=expires)
    refused(rig, post(rig, click(sign(TOKEN, context))), 403,
            "Action expired", "expired")


def test_a_button_young_enough(rig):
    context = dict(CONTEXT, postern_expires=int(time.time()) + 60)
    assert post(rig, click(sign(TOKEN, context))).status == 200


def test_what_was_chosen_from_a_menu(rig):
    context = dict(sign(TOKEN, CONTEXT), selected_option="opt7")
    a = post(rig, click(context, type="select", data_source=""))
    assert a.status == 200
    call = rig.accounts["default"].calls[0]
    assert call["selected"] == "opt7" and call["context"] == CONTEXT
    # A choice that is part of what was signed is nobody's choice.
    signed = dict(CONTEXT, selected_option="fixed")
    assert post(rig, click(sign(TOKEN, signed))).status == 200
    call = rig.accounts["default"].calls[1]
    assert "selected" not in call and call["context"] == signed


@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b"null", b"7", b"\"x\"", b"context=x",
    b"{\"context\":{}} x", b"\xef\xbb\xbf{}", b"{\"context\":\"\xff\"}",
    b"{\"context\":{\"a\":" + b"[" * 5000 + b"]" * 5000 + b"}}",
    b"{\"context\":{}}\0"])
def test_a_body_that_is_none(rig, body):
    refused(rig, post(rig, body), 400, "Invalid request body", "malformed")


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "OPTIONS"])
def test_other_methods(rig, method):
    a = request(rig.port, PATH, method=method)
    assert a.status == 405 and a.headers["allow"] == "POST"
    assert method == "HEAD" or a.json() == {"error": "Method Not Allowed"}
    assert rig.results() == {"method": 1}


def test_too_large(rig):
    refused(rig, post(rig, click(dict(CONTEXT, x="x" * 65536))), 413,
            "Payload too large", "too-large")


def test_the_largest(rig):
    body = click(sign(TOKEN, CONTEXT), trigger_id="")
    room = 65536 - len(json.dumps(body))
    body["trigger_id"] = "x" * room
    assert len(json.dumps(body)) == 65536
    assert post(rig, body).status == 200


def test_of_no_length(rig):
    a = exchange(rig.port, (
        "POST %s HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        "2\r\n{}\r\n0\r\n\r\n" % PATH).encode())
    refused(rig, a, 411, "Length required", "encoded")


def test_an_account_that_is_not_there(rig):
    rig.accounts["default"].link.close()
    a = post(rig, click(sign(TOKEN, CONTEXT)))
    assert a.status in (403, 503)
    assert rig.accounts["other"].calls == []


# Who may call.

@pytest.mark.parametrize("allowed,trusted,real,headers,ok", [
    (None, [], False, {}, True),
    ([], [], False, {}, True),
    (["10.0.0.1"], [], False, {}, False),
    (["127.0.0.0/8"], [], False, {}, True),
    (["::ffff:127.0.0.1"], [], False, {}, True),
    (["10.0.0.1"], [], False, {"X-Forwarded-For": "10.0.0.1"}, False),
    (["10.0.0.1"], [], True, {"X-Real-IP": "10.0.0.1"}, False),
    (["10.0.0.1"], ["127.0.0.1"], False,
     {"X-Forwarded-For": "10.0.0.1"}, True),
    (["10.0.0.1"], ["127.0.0.1"], False,
     {"X-Forwarded-For": "10.0.0.1, 192.0.2.1"}, False),
    (["10.0.0.1"], ["127.0.0.1", "192.0.2.0/24"], False,
     {"X-Forwarded-For": "1.2.3.4, 10.0.0.1, 192.0.2.1"}, True),
    (["10.0.0.1"], ["127.0.0.1"], False,
     {"X-Forwarded-For": "10.0.0.1, unknown"}, False),
    (["127.0.0.1"], ["127.0.0.1"], False, {}, False),
    (None, ["127.0.0.1"], False, {"X-Forwarded-For": "127.0.0.1"}, False),
    (["10.0.0.1"], ["127.0.0.1"], False, {"X-Real-IP": "10.0.0.1"}, False),
    (["10.0.0.1"], ["127.0.0.1"], True, {"X-Real-IP": "10.0.0.1"}, True),
    (["10.0.0.1"], ["127.0.0.1"], True,
     {"X-Real-IP": "10.0.0.1", "X-Forwarded-For": "9.9.9.9"}, False)])
def test_who_may_call(allowed, trusted, real, headers, ok):
    rig = Rig(trustedProxies=trusted, allowRealIpFallback=real,
              accounts=("default",), allowed=allowed)
    try:
        a = post(rig, click(sign(TOKEN, CONTEXT)), headers=headers)
        if ok:
            assert a.status == 200
            return
        refused(rig, a, 403, "Forbidden origin", "source")
        # Before anything of the body was read.
        a = exchange(rig.port, (
            "POST %s HTTP/1.1\r\nContent-Length: 60000\r\n%s\r\n{" % (
                PATH, "".join("%s: %s\r\n" % h for h in headers.items())))
            .encode())
        assert a.status == 403
    finally:
        rig.close()


def test_a_front_end_by_a_unix_socket():
    import socket
    rig = Rig(unix=True, accounts=("default",), allowed=["10.0.0.1"])
    try:
        for headers, status in (("", 403),
                                ("X-Forwarded-For: 10.0.0.1\r\n", 200),
                                ("X-Forwarded-For: 10.0.0.2\r\n", 403)):
            body = json.dumps(click(sign(TOKEN, CONTEXT)))
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(rig.path)
                s.sendall(("POST %s HTTP/1.1\r\nContent-Length: %d\r\n"
                           "Connection: close\r\n%s\r\n%s" % (
                               PATH, len(body), headers, body)).encode())
                got = s.recv(4096)
            assert got.startswith(b"HTTP/1.1 %d " % status), got
    finally:
        rig.close()
