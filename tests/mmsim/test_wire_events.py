"""Events and lifecycle, step by step, against captures."""

import json
import re
import time

import wirecmp
from simctl import Sim
from wirecmp import Ids, compare
from wiresetup import EVENTS, Setup, check, read_all
from wsclient import PING, PONG, WS

def check_events(ids, step, got, noise):
    for who, want in step["events"].items():
        names = [json.loads(p) if p else None for p in want]
        names = [e for e in names
                 if e is None or e["event"] not in noise]
        mine = [e for e in got.get(who, []) if e["event"] not in noise]
        assert [e["event"] if e else None for e in names] == [
            e["event"] if w else None for e, w in zip(
                mine + [{"event": "(none)"}] * len(names), names)] and \
            len(names) == len(mine), (
                step["name"], who, [e["event"] for e in mine])
        for w, g in zip(names, mine):
            if w is not None:
                w.pop("seq")
                g = dict(g)
                g.pop("seq")
                compare(w, g, ids, "%s/%s" % (step["name"], who))
    for who, mine in got.items():
        if who not in step["events"] or not step["events"][who]:
            assert [e["event"] for e in mine
                    if e["event"] not in noise] == [], (step["name"], who)


def test_events():
    """Every captured step: who gets which events, in which order."""
    with Sim() as sim:
        s = Setup(sim)
        extra = s.w.team("wire-w2")
        s.w.join_team(extra, s.c["wbot0"].id)
        s.ids.bind("1s9jsy4m73nhugnhuduha135uc", extra["id"])
        names = ("admin", "wuser0", "wuser1", "wuser2", "wbot0", "wbot1")
        watch = {n: WS(sim.url, s.c[n].token) for n in names}
        for ws in watch.values():
            ws.wait("hello")
        read_all(watch)
        done = 0
        for step in EVENTS["08-events"]:
            if step is None:  # 40 steps left out, the channel's rename among
                s.w.admin.put("/channels/%s/patch" % s.pub["id"],
                              {"display_name": "PUB renamed"})
                read_all(watch)
                continue
            check(s, step)
            got = read_all(watch)
            noise = () if step["name"].startswith("status_") else (
                "status_change",)
            check_events(s.ids, step, got, noise)
            done += 1
        assert done >= 25
        for ws in watch.values():
            ws.close()


def names_of(got, who):
    return [e["event"] if e["event"] != "posted" else
            "posted:" + json.loads(e["data"]["post"])["type"]
            for e in got[who] if e["event"] != "status_change"]


def test_membership_events(setup):
    """Orders and shapes of the notes on events that have no capture."""
    s = setup
    watch = {n: WS(s.sim.url, s.c[n].token)
             for n in ("wuser0", "wuser2", "wbot0")}
    for ws in watch.values():
        ws.wait("hello")
    read_all(watch)
    ch = s.c["wuser0"].post("/channels", {
        "team_id": s.team["id"], "name": "ev-made", "display_name": "E",
        "type": "O"}).json
    got = read_all(watch)
    assert names_of(got, "wuser0") == ["posted:system_join_channel",
                                       "channel_created"]
    assert names_of(got, "wbot0") == []
    s.c["wuser0"].post("/channels/%s/members" % ch["id"],
                       {"user_id": s.c["wbot0"].id})
    got = read_all(watch)
    assert names_of(got, "wbot0") == ["user_added",
                                      "posted:system_add_to_channel"]
    e = got["wbot0"][1]
    assert e["data"]["mentions"] == '["%s"]' % s.c["wbot0"].id
    assert e["data"]["sender_name"] == "System"
    s.c["wuser0"].delete("/channels/%s/members/%s" % (
        ch["id"], s.c["wbot0"].id))
    got = read_all(watch)
    gone = [e for e in got["wbot0"] if e["event"] == "user_removed"]
    assert [e["data"] for e in gone] == [{
        "channel_id": ch["id"], "remover_id": s.c["wuser0"].id}]
    assert gone[0]["broadcast"]["user_id"] == s.c["wbot0"].id
    left = [e for e in got["wuser0"] if e["event"] == "user_removed"]
    assert [e["data"] for e in left] == [{
        "remover_id": s.c["wuser0"].id, "user_id": s.c["wbot0"].id}]
    assert left[0]["broadcast"]["channel_id"] == ch["id"]
    assert s.c["wbot0"].say(ch["id"], "x").status == 403
    t = s.w.team("ev-team")
    s.w.join_team(t, s.c["wbot0"].id)
    got = read_all(watch)
    assert names_of(got, "wbot0") == [
        "posted:system_join_team", "user_added", "added_to_team",
        "added_to_team"]
    # Typing is not for its author, a reaction is.
    s.c["wbot0"].post("/users/me/typing", {"channel_id": s.pub["id"]})
    p = s.c["wbot0"].say(s.pub["id"], "r")
    s.c["wbot0"].post("/reactions", {
        "user_id": s.c["wbot0"].id, "post_id": p.id,
        "emoji_name": "no_such_emoji"})
    s.c["wbot0"].delete("/users/me/posts/%s/reactions/absent" % p.id)
    s.c["wbot0"].delete("/posts/" + p.id)
    got = read_all(watch)
    want = ["posted:", "reaction_added", "reaction_removed", "post_deleted"]
    assert names_of(got, "wbot0") == want
    assert names_of(got, "wuser0") == ["typing"] + want
    e = got["wuser0"][0]
    assert e["broadcast"]["omit_users"] == {s.c["wbot0"].id: True}
    e = got["wuser0"][-1]
    assert json.loads(e["data"]["post"])["delete_at"] == 0
    s.c["wuser0"].delete("/channels/" + ch["id"])
    got = read_all(watch)
    assert names_of(got, "wuser0") == ["posted:system_channel_deleted",
                                       "channel_deleted"]
    assert names_of(got, "wuser2") == ["channel_deleted"]
    for ws in watch.values():
        ws.close()


class Lifecycle:
    def __init__(self, sim):
        self.sim = sim
        self.w = sim.world()
        self.ids = Ids()
        self.team = t = self.w.team("wire-p")
        self.c = {"admin": self.w.admin}
        for n in ("wuser0", "wuser1", "wuser2", "du42003"):
            self.c[n] = self.w.user(n, t)
        for n in ("wbot0", "wbot1", "rv142003", "ds142003"):
            self.c[n] = self.w.bot(n, t)
        self.pub = self.w.channel(t, "pub", *[
            self.c[n] for n in self.c if n != "admin"])
        text = json.dumps(EVENTS["18-lifecycle"])

        def bind(prefix, ours):
            for i in wirecmp.ID_IN.findall(text):
                if i.startswith(prefix):
                    self.ids.bind(i, ours)
                    return
            raise KeyError(prefix)
        for p, n in (("4et", "admin"), ("gtr", "wuser0"), ("fue", "wbot0"),
                     ("uw6", "ds142003"), ("4d9", "rv142003"),
                     ("fiq", "du42003")):
            bind(p, self.c[n].id)
        bind("4jo", self.c["rv142003"].token_id)
        bind("bsu", t["id"])

    def probe(self, ws, want):
        """JSON ping, protocol ping, and does a post arrive?"""
        want_ping = json.loads(want["json_ping"][0])
        n = want_ping["seq_reply"]
        ws.action("ping", seq=n)
        ping = ws.reply(n, 2)
        if "error" in ping and "Invalid session" in \
                ping["error"]["message"]:
            ping["error"]["message"] = re.sub(
                "token=[a-z0-9]{26},", "token=TOKEN,",
                ping["error"]["message"])
        compare(want_ping, ping, self.ids, "probe")
        ws.auto_pong = False
        ws.frame(PING, b"p")
        deadline = time.monotonic() + 2
        while ws.recv(deadline - time.monotonic())[0] != PONG:
            pass
        self.c["wuser0"].say(self.pub["id"], "probe")
        got = [e for e in ws.drain(0.2) if e.get("event") == "posted"]
        assert bool(got) == want["gets_posted"]
        assert ws.closed is None


def test_lifecycle():
    """Revoked tokens, disabled bots, deactivated users, archives."""
    with Sim() as sim:
        s = Lifecycle(sim)
        watch = {n: WS(sim.url, s.c[n].token) for n in s.c
                 if n != "du42003"}
        for ws in watch.values():
            ws.wait("hello")
        read_all(watch)
        done = 0
        for step in EVENTS["18-lifecycle"]:
            if step and step["name"] == "dm_bot_user":
                watch["du42003"] = WS(sim.url, s.c["du42003"].token)
                watch["du42003"].wait("hello")
            if step is None:  # an archived channel had been made
                ar = s.w.channel(s.team, "ar42003", s.c["wbot0"],
                                 by=s.c["wuser0"])
                a = s.c["wuser0"].put("/channels/%s/patch" % ar["id"],
                                      {"display_name": "AR"})
                assert a.status == 200
                s.ids.bind("srn51dup8tbq8bfpedks4q4sjy", ar["id"])
                s.c["wbot0"].say(ar["id"], "in")
                s.c["wuser0"].delete("/channels/" + ar["id"])
                read_all(watch)
                continue
            if "probe" in step:
                s.probe(watch[step["name"][6:]], step["probe"])
                read_all(watch)
                continue
            check(s, step)
            got = read_all(watch)
            check_events(s.ids, step, got, ())
            done += 1
        assert done >= 15
        a = s.c["wbot0"].say(s.ids.map["srn51dup8tbq8bfpedks4q4sjy"], "x")
        assert (a.status, a.json["id"]) == (
            400, "api.post.create_post.can_not_post_to_deleted.error")
