"""Slash commands at the callback worker: every proof that can be wrong."""

import time
import urllib.parse

import pytest

from callback_rig import Rig
from callbacks import connect, exchange, read_all, request, until, Answer

PATH = "/api/channels/mattermost/command"
FORM = "application/x-www-form-urlencoded"
TEAM = "t1" + "x" * 24
TEAM2 = "t2" + "x" * 24
UNAUTHORISED = {"response_type": "ephemeral",
                "text": "Unauthorized: invalid command token."}
INVALID = {"response_type": "ephemeral",
           "text": "Invalid slash command payload."}


def command(trigger="oc_status", token="tok-status", team=TEAM):
    return {"team": team, "id": "id-" + trigger, "trigger": trigger,
            "token": token}


def payload(**more):
    p = {"token": "tok-status", "team_id": TEAM,
         "channel_id": "c" * 26, "user_id": "u" * 26,
         "command": "/oc_status", "text": "now", "user_name": "alice",
         "channel_name": "town-square", "trigger_id": "trg",
         "team_domain": "team",
         "response_url": "http://elsewhere/hooks/1"}
    p.update(more)
    return {k: v for k, v in p.items() if v is not None}


def form(rig, path=PATH, headers=None, **more):
    p = payload(**more)
    headers = dict(headers or {})
    headers.setdefault("Authorization", "Token " + p.get(
        "token", "").strip("\0"))
    return request(rig.port, path, urllib.parse.urlencode(p),
                   content_type=FORM, headers=headers)


@pytest.fixture
def rig():
    r = Rig()
    r.accounts["default"].tell([
        command(), command("oc_model", "tok-model"),
        command(team=TEAM2, token="tok-status-2")])
    yield r
    r.close()


@pytest.fixture
def two():
    r = Rig(accounts=("one", "two"))
    r.accounts["one"].tell([command(token="tok-1")])
    r.accounts["two"].tell([command(token="tok-2"),
                            command("oc_help", "tok-h")])
    yield r
    r.close()


def test_what_is_right_reaches_the_account(rig):
    a = form(rig)
    assert a.status == 200 and a.json() == {"seen": 1}
    assert a.headers["content-type"] == "application/json; charset=utf-8"
    call, = rig.accounts["default"].calls
    assert call == {
        "t": "cb.command", "id": call["id"], "gen": 1, "team": TEAM,
        "command": "id-oc_status", "trigger": "oc_status",
        "channel": "c" * 26, "user": "u" * 26, "text": "now",
        "channel_name": "town-square", "user_name": "alice",
        "team_domain": "team", "trigger_id": "trg",
        "response_url": "http://elsewhere/hooks/1"}
    a = request(rig.port, PATH, payload(text="héß 🎉"),
                content_type="application/json; charset=utf-8")
    assert a.status == 200
    assert rig.accounts["default"].calls[1]["text"] == "héß 🎉"
    assert rig.results() == {"accepted": 2}


@pytest.mark.parametrize("more", [
    {"token": "wrong"}, {"token": "tok-statu"}, {"token": "tok-status "},
    {"token": " tok-status"}, {"token": "TOK-STATUS"},
    {"token": "tok-status\0"}, {"token": "tok-model"},
    {"token": "tok-status-2"}, {"command": "/oc_model"},
    {"command": "/oc_other"}, {"command": "/OC_STATUS"},
    {"command": "//oc_status"}, {"command": "/oc_status now"},
    {"team_id": TEAM2}, {"team_id": "t9" + "x" * 24},
    {"team_id": TEAM.upper()}])
def test_a_proof_that_is_wrong(rig, more):
    a = form(rig, **more)
    assert a.status == 401 and a.json() == UNAUTHORISED
    assert rig.results() == {"bad-token": 1}
    assert rig.accounts["default"].calls == []


@pytest.mark.parametrize("more", [
    {"token": None}, {"token": ""}, {"team_id": None}, {"channel_id": ""},
    {"user_id": None}, {"command": ""}, {"command": None}])
def test_a_payload_that_lacks_something(rig, more):
    for answer in (form(rig, **more), request(rig.port, PATH,
                                              payload(**more))):
        assert answer.status == 400 and answer.json() == INVALID
    assert rig.results() == {"malformed": 2}


@pytest.mark.parametrize("body,kind", [
    (b"", FORM), (b"", "application/json"), (b"{", "application/json"),
    (b"[]", "application/json"), (b"null", "application/json"),
    (b"\xff\xfe", FORM), (b"&&&&", FORM), (b"%", FORM),
    (b"{\"token\":{\"token\":1}}", "application/json")])
def test_a_body_that_is_none(rig, body, kind):
    a = request(rig.port, PATH, body, content_type=kind)
    assert a.status == 400 and a.json() == INVALID


def test_form_and_json_are_not_confused(rig):
    a = request(rig.port, PATH, payload(), content_type=FORM)
    assert a.status == 400
    a = request(rig.port, PATH, urllib.parse.urlencode(payload()))
    assert a.status == 400
    a = request(rig.port, PATH, payload(), content_type=None)
    assert a.status == 400
    assert rig.accounts["default"].calls == []


def test_the_first_of_two_members_counts(rig):
    body = urllib.parse.urlencode(payload()) + "&token=wrong&command=/x"
    assert request(rig.port, PATH, body, content_type=FORM).status == 200
    body = "token=wrong&" + urllib.parse.urlencode(payload())
    assert request(rig.port, PATH, body, content_type=FORM).status == 401


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "post"])
def test_other_methods(rig, method):
    a = request(rig.port, PATH, method=method)
    assert a.status == 405 and a.headers["allow"] == "POST"
    assert rig.results() == {"method": 1}


def test_get_with_all_in_the_query(rig):
    a = request(rig.port, PATH + "?" + urllib.parse.urlencode(payload()),
                method="GET")
    assert a.status == 405 and rig.accounts["default"].calls == []


@pytest.mark.parametrize("path", [
    PATH + "/", "/" + PATH, PATH.replace("/api", "/./api"),
    PATH.replace("/api", "/x/../api"), PATH.replace("command", "comm%61nd"),
    PATH.upper(), PATH + "%00", PATH + ";x", PATH + "%2f", "/api", "/",
    "/mattermost/interactions/", "/mattermost/interactions/nobody",
    "/mattermost/interactions/default/", "/hooks/agent", "/hooks/wake",
    "/healthz/"])
def test_path_tricks(rig, path):
    a = form(rig, path=path)
    assert a.status == 404 and a.body == b"Not Found"
    assert rig.results() == {"not-found": 1}


def test_tokens_are_exchanged_at_once(rig):
    account = rig.accounts["default"]
    account.tell([command(token="tok-new")])
    assert form(rig).status == 401
    assert form(rig, token="tok-new").status == 200
    account.tell([])
    a = form(rig, token="tok-new")
    assert a.status == 503
    assert a.json()["text"].startswith("Slash commands are not yet init")


def test_an_account_that_went_takes_its_tokens_along(rig):
    account = rig.accounts["default"]
    account.link.close()
    until(lambda: form(rig).status == 503)
    account.connect()
    rig.settled(account)
    assert form(rig).status == 200


def test_an_empty_token_is_none(rig):
    rig.accounts["default"].tell([command(token="")])
    assert form(rig, token="").status == 400
    assert form(rig, token=" ").status == 401


def test_accounts_have_tokens_of_their_own(two):
    assert form(two, token="tok-1").status == 200
    assert form(two, token="tok-2").status == 200
    one, other = two.accounts["one"].calls, two.accounts["two"].calls
    assert len(one) == len(other) == 1
    # The other account's command, with one's own token.
    assert form(two, token="tok-1", command="/oc_help").status == 401
    # Nobody's token: whose command it is cannot be told.
    a = form(two, token="nobody")
    assert a.status == 409 and "slash command is not unique" in str(a.json())
    assert form(two, token="nobody", command="/oc_help").status == 401
    two.accounts["two"].tell([command("oc_help", "tok-1")])
    a = form(two, token="tok-1")
    assert a.status == 409 and "token is not unique" in str(a.json())
    assert len(one) == len(other) == 1


def test_what_the_account_answers_is_the_answer(rig):
    account = rig.accounts["default"]
    for status, want in ((401, UNAUTHORISED), (503, None)):
        account.reply = lambda msg: {"status": status}
        a = form(rig)
        assert a.status == status
        assert want is None or a.json() == want
    account.reply = lambda msg: {"status": 200, "text": "plain"}
    a = form(rig)
    assert a.status == 200 and a.body == b"plain"
    # An account that answers rubbish is no reason to say 200.
    account.reply = lambda msg: {"status": 200, "other": 1}
    assert form(rig).status == 503
    assert rig.results() == {"accepted": 1, "refused": 2, "no-answer": 1}


def test_an_account_that_dies_over_it(rig):
    account = rig.accounts["default"]
    account.reply = lambda msg: account.link.close()
    assert form(rig).status == 503
    assert rig.results() == {"no-answer": 1}


def slow(rig, token, body="token="):
    """A request whose body does not come."""
    s = connect(rig.port)
    s.sendall(("POST %s HTTP/1.1\r\nAuthorization: Token %s\r\n"
               "Content-Length: 100\r\n\r\n%s" % (PATH, token, body))
              .encode())
    return s


def test_eight_of_one_key_at_once(rig):
    waiting = [slow(rig, "guess-%d" % i) for i in range(8)]
    until(lambda: rig.status()["connections"] == 8)
    a = form(rig, token="other")
    assert a.status == 429 and a.body == b"Too Many Requests"
    # Who shows a token that is known has a share of his own.
    assert form(rig).status == 200
    for s in waiting:
        s.close()
    until(lambda: rig.status()["connections"] == 0)
    assert form(rig, token="other").status == 401


def test_a_slot_is_free_when_the_token_was_right(rig):
    """Agents that think long do not hold others up."""
    account = rig.accounts["default"]
    account.reply = lambda msg: None
    body = urllib.parse.urlencode(payload()).encode()
    head = ("POST %s HTTP/1.1\r\nAuthorization: Token tok-status\r\n"
            "Content-Type: %s\r\nContent-Length: %d\r\n\r\n" % (
                PATH, FORM, len(body))).encode()
    socks = []
    for i in range(20):
        s = connect(rig.port)
        s.sendall(head + body)
        socks.append(s)
    until(lambda: len(account.calls) == 20)
    for msg in account.calls:
        account.link.send({"t": "cb.reply", "id": msg["id"], "status": 200})
    for s in socks:
        assert s.recv(4096).startswith(b"HTTP/1.1 200")
        s.close()


def test_too_large_too_slow_and_of_no_length(rig):
    a = form(rig, text="x" * 65536)
    assert a.status == 413 and a.body == b"Payload Too Large"
    a = exchange(rig.port, (
        "POST %s HTTP/1.1\r\nContent-Type: %s\r\n"
        "Transfer-Encoding: chunked\r\n\r\n5\r\ntoken\r\n0\r\n\r\n" % (
            PATH, FORM)).encode())
    assert a.status == 411 and a.body == b"Length Required"
    s = slow(rig, "tok-status")
    a = Answer(read_all(s))
    assert a.status == 408 and a.body == b"Request body timeout"
    assert rig.results() == {"too-large": 1, "encoded": 1, "timeout": 1}
    assert rig.accounts["default"].calls == []


def test_an_account_that_is_exchanged_holds_no_others_up(two):
    """Nor one that says so without end."""
    account = two.accounts["one"]
    for i in range(2):
        account.link.send({"t": "cb.bye", "id": i + 1})
        until(lambda: len(account.link.of("cb.left")) > i)
        since = time.monotonic()
        assert form(two, token="tok-2").status == 200
        assert time.monotonic() - since < 2
    # Its own callers wait for it, and those of whom nobody knows.
    since = time.monotonic()
    assert form(two, token="tok-1").status == 401
    assert time.monotonic() - since > 3
