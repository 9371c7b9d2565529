"""Buttons, menus and slash commands against captures of a real server."""

import base64
import json
import re
import time
import urllib.parse

import pytest

from integration import Integration
from wirecmp import compare
from wiresetup import PUB, TEAM, check, load, send
from wsclient import WS

CAP = load("callbacks.json")
CAP_URL = re.compile(r"http://127\.0\.0\.1:120[01]1")
LONG = re.compile(r"@a\*(\d+)@")


@pytest.fixture(scope="module")
def hook():
    h = Integration()
    yield h
    h.stop()


def ours(setup, hook, text):
    """A captured text with our ids and our integration's address."""
    text = LONG.sub(lambda m: "a" * int(m.group(1)), text)
    return setup.ids.translate(CAP_URL.sub(hook.url, text))


def to_captured(hook, text):
    return text.replace(hook.url, "http://127.0.0.1:12001")


def with_urls(hook, item):
    item = dict(item)
    item["body"] = CAP_URL.sub(hook.url, item["body"])
    if item["answer"]:
        item["answer"] = CAP_URL.sub(hook.url, item["answer"])
    return item


def mask(text):
    """Times, trigger ids and tokens are of one run."""
    return re.sub(r'"trigger_id":"[^"]+"', '"trigger_id":"T"', text)


def same_headers(want, got):
    drop = {"Host", "Content-Length"}
    assert [k for k, _ in got] == [k for k, _ in want]
    for (k, v), (_, g) in zip(want, got):
        if k == "Authorization":
            assert g.startswith("Token ") and len(g) == 32
        elif k not in drop:
            assert g == v


def check_trigger(text, clicker, trigger):
    head, _, sig = base64.b64decode(text).decode().rpartition(":")
    client, user, ms = head.split(":")
    assert (client, user) == (trigger, clicker)
    assert abs(int(ms) - time.time() * 1000) < 60000
    assert 70 <= len(base64.b64decode(sig)) <= 72


# -- buttons ------------------------------------------------------------

@pytest.mark.parametrize("item", CAP["buttons"], ids=lambda x: x["name"])
def test_button(setup, hook, item):
    hook.take()
    hook.set("/ok")
    check(setup, with_urls(hook, item))
    calls = hook.take()
    want = item.get("callback")
    assert len(calls) == (1 if want else 0)
    if want is None:
        return
    got = calls[0]
    assert got["line"] == want["line"]
    same_headers(want["headers"], got["headers"])
    if want["body"].endswith("}") and "…" not in want["body"]:
        assert list(json.loads(got["body"])) == list(json.loads(want["body"]))
        compare(json.loads(want["body"]), json.loads(got["body"]), setup.ids)
        text = json.loads(got["body"])["trigger_id"]
        user = json.loads(got["body"])["user_id"]
        check_trigger(text, user, base64.b64decode(text).decode()[:26])


def make_post(setup, hook, path, channel, root):
    r = setup.c["wbot0"].say(channel, "root").id if root else ""
    return setup.c["wbot0"].say(channel, "post for " + path, root=r, props={
        "attachments": [{"text": "t", "actions": [{
            "id": "a", "name": "/" + path, "type": "button", "integration": {
                "url": hook.url + "/" + path, "context": {"n": 1}}}]}],
        "mine": "kept?"}).json


def script(setup, hook, case):
    for line, rep in zip(case["lines"], case["replies"]):
        path = line.split(" ")[1].split("?")[0]
        if rep is None:
            hook.set(path, None)
            continue
        headers = [(k, CAP_URL.sub(hook.url, v)) for k, v in rep["headers"]]
        hook.set(path, ours(setup, hook, rep["body"]),
                 int(rep["status"].split()[0]), headers)


def replies(name, skip=()):
    return [pytest.param(c, id="%s-%d" % (c["path"], i))
            for i, c in enumerate(CAP[name])
            if c["path"] not in skip and not any(
                r and "…" in r["body"] for r in c["replies"])]


@pytest.mark.parametrize("case", replies("button_replies",
                                         ("slow3", "slow10")))
def test_button_reply(setup, hook, case):
    s, user = setup, setup.c["wuser0"]
    channel = s.ids.map.get(case["channel"])
    if channel is None:  # the capture's direct channel
        channel = s.c["wbot0"].post("/channels/direct", [
            s.c["wbot0"].id, user.id]).id
    script(s, hook, case)
    p = make_post(s, hook, case["path"], channel, case["root"])
    hook.take()
    with_ws = WS(s.sim.url, user.token)
    with_ws.wait("hello")
    a = user.post("/posts/%s/actions/a" % p["id"], {})
    assert a.status == case["status"]
    compare(json.loads(case["answer"]), a.json, s.ids)
    assert [c["line"] for c in hook.take()] == case["lines"]
    after = s.c["wbot0"].get("/posts/" + p["id"]).json
    assert after["message"] == ours(s, hook, case["message"])
    compare(case["props"], json.loads(to_captured(
        hook, json.dumps(after["props"]))), s.ids)
    assert (after["edit_at"] != 0) == case["edited"]
    if case["path"].startswith("ephemeral"):
        post = json.loads(with_ws.wait("ephemeral_message")["data"]["post"])
        cap = json.loads(json.loads(CAP["ephemeral"])["data"]["post"])
        assert list(post) == list(cap)
        assert post["root_id"] == (p["root_id"] or p["id"])
        assert post["user_id"] == user.id
        assert post["message"] == (
            "only you <http://x.example|link>" if "skip" in case["path"]
            else "only you [link](http://x.example)")
    with_ws.close()


def test_click_waits_for_the_integration(setup, hook):
    hook.set("/slow", '{"ephemeral_text":"slow reply"}', delay=1.5)
    p = make_post(setup, hook, "slow", setup.pub["id"], False)
    t = time.monotonic()
    a = setup.c["wuser0"].post("/posts/%s/actions/a" % p["id"], {})
    assert a.status == 200 and time.monotonic() - t >= 1.4


@pytest.mark.parametrize("case", CAP["button_ids"],
                         ids=lambda c: c["segment"][:30])
def test_button_id(setup, hook, case):
    if case["status"] == 301 or "%" in case["segment"]:
        pytest.skip("path clean-up of the router is not simulated")
    hook.take()
    p = setup.c["wbot0"].say(setup.pub["id"], "ids", props={"attachments": [
        {"actions": [{"id": case["id"], "name": "n", "type": "button",
                      "integration": {"url": hook.url + "/ok"}}]}]}).json
    a = setup.c["wuser0"].post("/posts/%s/actions/%s" % (
        p["id"], case["segment"]), {})
    assert a.status == case["status"]
    assert a.json.get("id") == case["body"].get("id")
    assert len(hook.take()) == case["callback"]


@pytest.mark.parametrize("body", CAP["menus"],
                         ids=["none", "users", "channels", "button"])
def test_menu(setup, hook, body):
    cap = json.loads(body)
    chosen = (cap.get("context") or {}).get("selected_option", "")
    action = {"id": "m", "name": "menu", "type": cap["type"],
              "data_source": cap["data_source"], "integration": {
                  "url": hook.url + "/ok", "context": {
                      k: v for k, v in (cap.get("context") or {}).items()
                      if k != "selected_option"}}}
    p = setup.c["wbot0"].say(setup.pub["id"], "menu", props={
        "attachments": [{"actions": [action]}]}).json
    hook.take()
    a = setup.c["wuser0"].post("/posts/%s/actions/m" % p["id"], {
        "selected_option": setup.ids.translate(chosen) or ""})
    assert a.status == 200
    setup.ids.bind(cap["post_id"], p["id"])
    compare(cap, json.loads(hook.take()[0]["body"]), setup.ids)


def test_menu_disabled_and_without_integration(setup, hook):
    """disabled is for clients; no integration is no action."""
    p = setup.c["wbot0"].say(setup.pub["id"], "menu", props={
        "attachments": [{"actions": [
            {"id": "dis", "name": "d", "type": "button", "disabled": True,
             "integration": {"url": hook.url + "/ok"}},
            {"id": "noint", "name": "n", "type": "select"}]}]}).json
    click = "/posts/%s/actions/" % p["id"]
    assert setup.c["wuser0"].post(click + "dis", {}).status == 200
    a = setup.c["wuser0"].post(click + "noint", {})
    assert (a.status, a.json["id"]) == (
        404, "api.post.do_action.action_id.app_error")


@pytest.mark.parametrize("item", CAP["stripped"], ids=lambda x: x["name"])
def test_stripped_integration(setup, hook, item):
    item = with_urls(hook, item)
    setup.ids.bind("u6gn59p1ipfe3fpgbi5cqfjofa", setup.pub["id"])
    setup.ids.bind("fuex1w3x8igjmeta684gxgz65o", setup.c["wbot0"].id)
    if item["status"] == 0:
        with pytest.raises(Exception) as e:
            check(setup, item)
        assert "RemoteDisconnected" in repr(e.value)
    else:
        check(setup, item)


# -- slash commands -----------------------------------------------------

@pytest.fixture(scope="module")
def commands(setup, hook):
    """wbot0 is team administrator and has the command wirea."""
    s = setup
    s.w.admin.put("/teams/%s/members/%s/schemeRoles" % (
        s.team["id"], s.c["wbot0"].id),
        {"scheme_admin": True, "scheme_user": True})
    a = s.c["wbot0"].post("/commands", {
        "team_id": s.team["id"], "trigger": "cmda", "method": "P",
        "url": hook.url + "/eph"})
    assert a.status == 201
    return a.json


def test_slash_rest(setup, hook):
    """Rights, validity, duplicates, deletion: in the captured order."""
    s, deleted = setup, None
    for item in CAP["slash"]:
        if item["name"] == "delete_again":
            deleted = re.search(r"/commands/(\w{26})", item["path"]).group(1)
            for c in s.w.admin.get("/commands?team_id=%s&custom_only=true"
                                   % s.team["id"]).json:
                if c["trigger"] == "wirea":
                    assert s.w.admin.delete(
                        "/commands/" + c["id"]).status == 200
        if item["name"].startswith("exec_after_creator"):
            hook.set("/eph", '{"response_type":"ephemeral",'
                     '"text":"eph reply"}')
        item = with_urls(hook, item)
        check_command(s, item)
    assert deleted


def check_command(s, item):
    """As check, but tokens and one role's list of rights may differ."""
    answer = item["answer"]
    if answer and '"token"' in answer:
        status, _, body = send(s, item)
        assert status == item["status"], (item["name"], body)
        want, got = json.loads(answer), json.loads(body)
        for w, g in zip(*([x] if isinstance(x, dict) else x
                          for x in (want, got))):
            assert re.match(r"^[a-z0-9]{26}$", g["token"])
            g["token"] = w["token"]
        compare(want, got, s.ids, item["name"])
    elif answer and '"permissions"' in answer:
        status, _, body = send(s, item)
        want, got = json.loads(answer), json.loads(body)
        assert list(want) == list(got) and status == item["status"]
        assert sorted(want["permissions"]) == sorted(got["permissions"])
        s.ids.bind(want["id"], got["id"])
    else:
        check(s, item)


LINES = ['/cmda hello  world @wuser1 @nosuch ~pub ~nochan "q" é',
         "/CmDa Case Kept", "/cmda\nline2", "/cmda"]


@pytest.mark.parametrize("n", range(4))
def test_slash_callback(setup, hook, commands, n):
    """The captured form, field by field, and its headers."""
    cap = CAP["slash_callbacks"][n]
    hook.set("/eph", '{"response_type":"ephemeral","text":"eph reply"}')
    hook.take()
    a = setup.c["wuser0"].post("/commands/execute", {
        "channel_id": setup.pub["id"], "command": LINES[n]})
    assert a.status == 200
    got = hook.take()[0]
    assert got["line"] == cap["line"]
    same_headers(cap["headers"], got["headers"])
    want = urllib.parse.parse_qsl(cap["body"], keep_blank_values=True,
                                  strict_parsing=True)
    have = urllib.parse.parse_qsl(got["body"], keep_blank_values=True,
                                  strict_parsing=True)
    assert [k for k, _ in want] == [k for k, _ in have]
    for (k, w), (_, g) in zip(want, have):
        if k == "command":
            assert g == "/cmda"
        elif k == "response_url":
            assert re.match(re.escape(setup.sim.url) +
                            r"/hooks/commands/[a-z0-9]{26}$", g)
        elif k == "token":
            assert g == commands["token"]
        elif k == "trigger_id":
            check_trigger(g, setup.c["wuser0"].id, a.json["trigger_id"])
        else:
            assert g == setup.ids.translate(w)
    # Escaped as Go's url.Values does.
    w = dict(p.split("=") for p in cap["body"].split("&"))["text"]
    assert "&text=" + w + "&" in got["body"]


@pytest.mark.parametrize("case", replies("slash_replies"))
def test_slash_reply(setup, hook, commands, case):
    s, user = setup, setup.c["wuser0"]
    s.ids.bind("6ipg8jjzyjnkukb9b3zs1567ah", s.other["id"])
    script(s, hook, case)
    s.c["wbot0"].put("/commands/" + commands["id"], dict(
        commands, url=hook.url + "/" + case["path"]))
    ws = {n: WS(s.sim.url, s.c[n].token) for n in ("wuser0", "wbot0")}
    for w in ws.values():
        w.wait("hello")
        w.drain(0.05)
    a = user.post("/commands/execute", {
        "channel_id": s.pub["id"], "command": "/cmda run"})
    assert a.status == case["status"], a
    if case["answer"]:
        want = json.loads(CAP_URL.sub(hook.url, case["answer"]).replace(
            "wirea", "cmda"))
        compare(want, a.json, s.ids, case["path"])
    for name in ("wuser0", "wbot0"):
        want = [json.loads(p) if p else None
                for p in case["ws"].get(name, [])]
        want = [w for w in want
                if w is None or w["event"] != "channel_viewed"]
        got = [e for e in ws[name].drain(0.15)
               if e.get("event") in ("posted", "ephemeral_message")]
        assert len(got) == len(want), (name, got)
        for w, g in zip(want, got):
            if w is None:
                continue
            assert g["event"] == w["event"]
            if case["path"] in ("chid_bad", "slack"):
                continue  # another channel; order of mentions
            wp, gp = (json.loads(x["data"]["post"]) for x in (w, g))
            compare(wp, json.loads(json.dumps(gp).replace(
                hook.url, "http://127.0.0.1:12011")), s.ids)
            assert w["broadcast"]["user_id"] == "" or \
                g["broadcast"]["user_id"] == user.id
    for w in ws.values():
        w.close()


def test_slash_in_thread_and_get(setup, hook, commands):
    """Replies land in the thread; a G command has its form in the query."""
    s = setup
    root = s.c["wuser0"].say(s.pub["id"], "root").id
    hook.set("/g", '{"response_type":"in_channel","text":"in thread"}')
    s.c["wbot0"].put("/commands/" + commands["id"], dict(
        commands, url=hook.url + "/g?x=1", method="G"))
    hook.take()
    a = s.c["wuser0"].post("/commands/execute", {
        "channel_id": s.pub["id"], "command": "/cmda t", "root_id": root})
    assert a.status == 200
    got = hook.take()[0]
    assert got["line"].startswith("GET /g?x=1&channel_id=")
    assert ["Authorization", "Token " + commands["token"]] in got["headers"]
    last = s.sim.posts(s.pub["id"])[-1]["post"]
    assert (last["message"], last["root_id"]) == ("in thread", root)
    assert last["user_id"] == s.c["wuser0"].id


def test_response_url(setup, hook, commands):
    """Five uses without authentication, then 400; unknown 404."""
    s = setup
    s.c["wbot0"].put("/commands/" + commands["id"], dict(
        commands, url=hook.url + "/eph"))
    hook.take()
    s.c["wuser0"].post("/commands/execute", {
        "channel_id": s.pub["id"], "command": "/cmda t"})
    form = dict(urllib.parse.parse_qsl(hook.take()[0]["body"]))
    path = urllib.parse.urlsplit(form["response_url"]).path
    got = [raw_post(s.sim.url, path) for _ in range(6)]
    assert [g[0] for g in got] == [200] * 5 + [400]
    assert got[0][1] == b"ok"
    assert b"app.command_webhook.try_use.invalid" in got[5][1]
    assert raw_post(s.sim.url, "/hooks/commands/" + "a" * 26)[0] == 404


def raw_post(url, path):
    import http.client
    u = urllib.parse.urlsplit(url)
    c = http.client.HTTPConnection(u.hostname, u.port, timeout=10)
    c.request("POST", path, '{"response_type":"in_channel","text":"late"}',
              {"Content-Type": "application/json"})
    r = c.getresponse()
    out = r.status, r.read()
    c.close()
    return out


def test_direct_channel_needs_a_team(setup, hook, commands):
    s = setup
    dm = s.c["wuser0"].post("/channels/direct", [
        s.c["wuser0"].id, s.c["wbot0"].id]).id
    body = {"channel_id": dm, "command": "/cmda x"}
    assert s.c["wuser0"].post("/commands/execute", body).status == 403
    hook.take()
    body["team_id"] = s.team["id"]
    assert s.c["wuser0"].post("/commands/execute", body).status == 200
    form = dict(urllib.parse.parse_qsl(hook.take()[0]["body"]))
    assert form["team_id"] == s.team["id"]


def test_ephemeral_button_needs_its_cookie(setup, hook, commands):
    s, user = setup, setup.c["wuser0"]
    hook.set("/ephatt", json.dumps({"text": "e", "attachments": [
        {"text": "A", "actions": [{"id": "a", "name": "b", "integration": {
            "url": hook.url + "/btn", "context": {"q": 1}}}]}]}))
    s.c["wbot0"].put("/commands/" + commands["id"], dict(
        commands, url=hook.url + "/ephatt"))
    ws = WS(s.sim.url, user.token)
    ws.wait("hello")
    user.post("/commands/execute", {"channel_id": s.pub["id"],
                                    "command": "/cmda x"})
    post = json.loads(ws.wait("ephemeral_message")["data"]["post"])
    ws.close()
    action = post["props"]["attachments"][0]["actions"][0]
    assert "integration" not in action
    path = "/posts/%s/actions/a" % post["id"]
    assert user.post(path, {}).status == 403
    hook.take()
    assert user.post(path, {"cookie": action["cookie"]}).status == 200
    body = json.loads(hook.take()[0]["body"])
    assert (body["type"], body["context"]) == ("", {"q": 1})


def test_addresses_that_are_not_public(setup, hook, commands):
    """Refused unless AllowedUntrustedInternalConnections lists them."""
    s = setup
    s.c["wbot0"].put("/commands/" + commands["id"], dict(
        commands, url=hook.url + "/eph"))
    body = {"channel_id": s.pub["id"], "command": "/cmda x"}
    p = make_post(s, hook, "ok", s.pub["id"], False)
    try:
        s.sim.fault("allowed_internal", list="10.0.0.0/8")
        a = s.c["wuser0"].post("/commands/execute", body)
        assert a.status == 500 and \
            a.json["id"] == "api.command.execute_command.failed.app_error"
        a = s.c["wuser0"].post("/posts/%s/actions/a" % p["id"], {})
        assert a.status == 400
    finally:
        s.sim.clear()
    assert s.c["wuser0"].post("/commands/execute", body).status == 200


def test_slash_permission(setup, hook):
    """The team_user role with and without manage_slash_commands."""
    s = setup
    s.ids.bind("bsuz7x8k8igtjkg4ibkp5kcwtc", s.team["id"])
    s.w.admin.put("/teams/%s/members/%s/schemeRoles" % (
        s.team["id"], s.c["wbot0"].id),
        {"scheme_admin": False, "scheme_user": True})
    for c in s.w.admin.get("/commands?team_id=%s&custom_only=true" %
                           s.team["id"]).json:
        s.w.admin.delete("/commands/" + c["id"])
    hook.set("/eph", '{"response_type":"ephemeral","text":"eph reply"}')
    for item in CAP["slash_permission"]:
        if item["name"].startswith(("disable", "enable")):
            continue  # bots of the captures; their render is tested in rest
        if item["name"] in ("exec_refused", "exec_reserved_ip",
                            "exec_linklocal", "exec_after_restore"):
            url = {"exec_refused": "http://127.0.0.1:9/x",
                   "exec_reserved_ip": "http://10.1.2.3/x",
                   "exec_linklocal": "http://169.254.1.1/x",
                   "exec_after_restore": "http://127.0.0.1:9/x"}[item["name"]]
            c = next(c for c in s.w.admin.get(
                "/commands?team_id=%s&custom_only=true" % s.team["id"]).json
                if c["trigger"] == "pr42435")
            assert s.w.admin.put("/commands/" + c["id"], dict(
                c, url=url)).status == 200
        check_command(s, with_urls(hook, item))


def test_pub_and_team_are_those_of_the_captures(setup):
    assert setup.ids.map[PUB] == setup.pub["id"]
    assert setup.ids.map[TEAM] == setup.team["id"]
