"""What the wire tests share: captures, the people in them, one request."""

import base64
import http.client
import json
import os
import re
import time
import urllib.parse

import wirecmp
from simctl import Client
from wirecmp import Ids, compare
from wsclient import WS

HERE = os.path.dirname(os.path.abspath(__file__))


def load(name):
    with open(os.path.join(HERE, "wire", name), encoding="utf-8") as f:
        return json.load(f)


REST = load("rest.json")
EVENTS = load("events.json")
SOCKETS = load("ws.json")
PENDING = load("pending.json")

# Who is who in the captures.
USERS = {"wuser0": "pz83fzraet899qcoush9bw3tho",
         "wuser1": "huefhc6ixpfxxf5xpst3cc8ibw",
         "wuser2": "i7jft3nq1frnumku1akugw8amh",
         "wuser3": "965tjh4hm7yc8egt6jumz4e78a",
         "wbot0": "y3pweijc5t88jb4jgfekr4tfmc",
         "wbot1": "1b7", "admin": "dbb"}
TEAM = "9xtryx79ypdjumioi6m46kab3w"
PUB = "fy7gfqeqbfbtxdxwkw3simkb1w"
PRIV = "5na36ux7ftbffy9mdndwks6tbc"
OTHER_PUB = "6ipg8jjzyjnkukb9b3zs1567ah"


def full_id(prefix):
    """The whole of an id of which only the start is written above."""
    for text in (json.dumps(EVENTS), json.dumps(REST)):
        for i in wirecmp.ID_IN.findall(text):
            if i.startswith(prefix):
                return i
    raise KeyError(prefix)


class Setup:
    """The people and channels of the captures, on a simulator."""

    def __init__(self, sim):
        self.sim = sim
        self.w = sim.world()
        self.ids = Ids()
        t = self.team = self.w.admin.post("/teams", {
            "name": "wire-w1", "display_name": "Wire w1", "type": "O"}).json
        c = {"admin": self.w.admin}
        for n in ("wuser0", "wuser1", "wuser2"):
            c[n] = self.w.user(n, t)
        c["wuser3"] = self.w.user("wuser3")
        a = self.w.admin.post("/bots", {"username": "wbot0", "display_name":
                                        "New display", "description": "d2"})
        uid = a.json["user_id"]
        tok = self.w.admin.post("/users/%s/tokens" % uid,
                                {"description": "t"}).json["token"]
        c["wbot0"] = Client(sim.url, tok, user={"id": uid})
        self.w.join_team(t, uid)
        c["wbot1"] = self.w.bot("wbot1", t)
        self.c = c
        c["wuser0"].put("/users/me/patch", {"nickname": "nick"})
        people = [c[n] for n in ("wuser0", "wuser1", "wbot0", "wbot1")]
        self.pub = self.w.channel(t, "pub", *people)
        self.priv = self.w.channel(t, "priv", *people, type="P")
        self.other = self.w.channel(t, "other", c["wuser0"])
        for n, i in USERS.items():
            self.ids.bind(i if len(i) == 26 else full_id(i), c[n].id)
        self.ids.bind(TEAM, t["id"])
        self.ids.bind(PUB, self.pub["id"])
        self.ids.bind(PRIV, self.priv["id"])
        self.ids.bind(OTHER_PUB, self.other["id"])
        for n in c:  # everyone was here once: last_activity_at is set
            ws = WS(sim.url, c[n].token)
            ws.wait("hello")
            ws.close()
        deadline = time.monotonic() + 5
        while sim.state()["sockets"] and time.monotonic() < deadline:
            time.sleep(0.01)


def prepare(s, item):
    """Objects that entries left out of the captures had made."""
    ids, bot, user = s.ids, s.c["wbot0"], s.c["wuser0"]
    known = {
        "9a3getrocj8f5mj3gefy7pxzac": lambda: bot.say(
            s.pub["id"], "own", props={"k": "v", "attachments": [
                {"text": "A"}]}).id,
        "9p7xb8es5bf6dfh9tkpb7hn6se": lambda: bot.say(
            s.pub["id"], "own2").id,
        "1y1izc81b3gauczc19hxzeshjh": lambda: user.say(
            s.pub["id"], "theirs").id,
        "9gc4afwne7rwf8jdaas6p1cjko": lambda: bot.say(
            s.pub["id"], "rep",
            root=ids.map["1y1izc81b3gauczc19hxzeshjh"]).id,
    }
    text = item["path"] + json.dumps(item["body"])
    if "9gc4afwne7rwf8jdaas6p1cjko" in text and \
            "1y1izc81b3gauczc19hxzeshjh" not in ids.map:
        ids.bind("1y1izc81b3gauczc19hxzeshjh", known[
            "1y1izc81b3gauczc19hxzeshjh"]())
    for i in wirecmp.ID_IN.findall(text):
        if i in known and i not in ids.map:
            ids.bind(i, known[i]())
    if item["name"] == "post_not_member_private":
        s.w.admin.delete("/channels/%s/members/%s" % (s.priv["id"], bot.id))
    if item["name"] == "pending_after_1s":
        bot.say(s.pub["id"], "pend",
                pending_post_id=ids.translate(
                    json.loads(item["body"])["pending_post_id"]))
    if isinstance(item["body"], str) and "file_ids" in item["body"]:
        for k, i in enumerate(json.loads(item["body"]).get("file_ids", [])):
            if i not in ids.map:
                a = bot.post("/files?channel_id=%s&filename=f%d.txt" % (
                    s.pub["id"], k), ("f%d" % k).encode())
                ids.bind(i, a.json["file_infos"][0]["id"])


def body_of(item, ids):
    b = item["body"]
    if isinstance(b, dict):
        raw = base64.b64decode(b["base64"])
        return re.sub(
            rb"(?<![a-z0-9])[a-z0-9]{26}(?![a-z0-9])",
            lambda m: ids.map.get(m.group(0).decode(),
                                  m.group(0).decode()).encode(), raw)
    b = re.sub(r"@a\*(\d+)@", lambda m: "a" * int(m.group(1)), b)
    return ids.translate(b).encode()


def send(s, item):
    by = s.c[item["by"]] if item["by"] else None
    headers = {}
    for k, v in item["headers"]:
        if k == "If-None-Match":
            v = by.get("/users/me").header("Etag")
        if by:
            v = re.sub(r"\bTOKEN\b", by.token, v)
        headers[k] = v
    u = urllib.parse.urlsplit(s.sim.url)
    c = http.client.HTTPConnection(u.hostname, u.port, timeout=30)
    body = body_of(item, s.ids)
    if not body and item["method"] == "GET":
        body = None
    c.putrequest(item["method"], s.ids.translate(item["path"]),
                 skip_accept_encoding=True)
    if body is not None:
        c.putheader("Content-Length", str(len(body)))
    for k, v in headers.items():
        c.putheader(k, v)
    c.endheaders(body)
    r = c.getresponse()
    answer = r.read()
    c.close()
    return r.status, r.getheaders(), answer


IGNORED_HEADERS = {"Date", "Connection", "Content-Length",
                   "Transfer-Encoding"}


def check(s, item):
    prepare(s, item)
    status, headers, body = send(s, item)
    assert status == item["status"], body[:500]
    assert sorted(k for k, _ in headers
                  if k not in IGNORED_HEADERS) == item["answer_headers"]
    assert dict(headers).get("Content-Type") == item["ctype"]
    want = item["answer"]
    if want is None:  # too long for the capture
        if "answer_id" in item:
            s.ids.bind(item["answer_id"], json.loads(body)["id"])
        return
    if isinstance(want, dict):
        want = base64.b64decode(want["base64"]).decode("latin-1")
        assert body.decode("latin-1") == want
    elif want[:1] in ("{", "["):
        got = body.decode()
        # Compact, escaped as Go does: what we parse must be what was sent.
        compare(json.loads(want), json.loads(got), s.ids, item["name"])
        assert re.sub(r"\d+", "0", want).count("\\u") == \
            re.sub(r"\d+", "0", got).count("\\u")
    else:
        assert body.decode() == want


def read_all(watchers, seconds=0.1):
    out = {}
    time.sleep(0.03)
    for n, ws in watchers.items():
        got = ws.drain(0.02 if out else seconds)
        out[n] = got
    return out
