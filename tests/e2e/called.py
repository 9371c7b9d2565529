"""A world in which the server calls Postern: commands run, buttons clicked.

On a real server AllowedUntrustedInternalConnections must have 127.0.0.1.
"""

import hashlib
import hmac
import http.client
import json
import os
import socket
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "mmsim"))

from wsclient import WS  # noqa: E402


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def secret_of(bot_token):
    """As the documents derive it."""
    return hmac.new(b"openclaw-mattermost-interactions", bot_token.encode(),
                    hashlib.sha256).hexdigest()


def signed(bot_token, context):
    payload = json.dumps(context, sort_keys=True, separators=(",", ":"))
    token = hmac.new(secret_of(bot_token).encode(), payload.encode(),
                     hashlib.sha256).hexdigest()
    return dict(context, _token=token)


class Called:
    """Wraps a World: the listener's address, and what people do."""

    def __init__(self, world):
        self.world = world
        self.port = free_port()
        self.base = "http://127.0.0.1:%d" % self.port

    def config(self, **more):
        more.setdefault("capabilities", ["inlineButtons"])
        c = self.world.config(**more)
        c["gateway"] = {"port": self.port, "customBindHost": "127.0.0.1"}
        return c

    def start(self, wait=True, **more):
        p = self.world.start(self.config(**more))
        if more.get("commands", {}).get("native") and wait:
            p.wait(lambda: "slash.registered" in p.logs() or
                   "commands.tokens" in p.logs())
        return p

    # -- commands ------------------------------------------------------

    def promote(self, who, team=None, on=True):
        """A team administrator may create slash commands."""
        w = self.world
        w.server.admin.put("/teams/%s/members/%s/schemeRoles" % (
            team or w.server.team, who.id),
            {"scheme_admin": on, "scheme_user": True})

    def commands(self, team=None):
        """Custom commands of the team, by trigger."""
        w = self.world
        return {c["trigger"]: c for c in w.server.admin.get(
            "/commands?team_id=%s&custom_only=true" % (
                team or w.server.team))}

    def wait_commands(self, *triggers, team=None):
        """They are there, and the listener knows them: it is told when the
        round over all teams is done."""
        p = self.world.postern
        got = p.wait(lambda: all(
            t in self.commands(team) for t in triggers) and
            self.commands(team))
        p.wait(lambda: any(a["commands"] >= len(triggers)
                           for a in p.status()["callbacks"]["accounts"]))
        return got

    def run(self, line, channel=None, user=None):
        """(status, answer) as the client of the user gets it."""
        w = self.world
        status, _, body = (user or w.user).api.raw(
            "POST", "/api/v4/commands/execute", {
                "channel_id": channel or w.channel, "command": line,
                "team_id": w.server.team})
        return status, body

    def form(self, command, text="", **more):
        """The body of a call, as a server makes it."""
        w = self.world
        f = {"channel_id": w.channel, "channel_name": "c",
             "command": "/" + command["trigger"],
             "response_url": "http://127.0.0.1/x", "team_domain": "t",
             "team_id": w.server.team, "text": text,
             "token": command["token"], "trigger_id": "trigger-1",
             "user_id": w.user.id, "user_name": w.user.name}
        f.update(more)
        return urllib.parse.urlencode(f)

    def call(self, body, path="/api/channels/mattermost/command",
             ctype="application/x-www-form-urlencoded", method="POST",
             **headers):
        """Straight to Postern: (status, body)."""
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        if not isinstance(body, str):
            body, ctype = json.dumps(body), "application/json"
        c.request(method, path, body, dict({"Content-Type": ctype},
                                           **headers))
        r = c.getresponse()
        text = r.read().decode()
        c.close()
        try:
            return r.status, json.loads(text)
        except ValueError:
            return r.status, text

    # -- buttons -------------------------------------------------------

    def url(self, account="default"):
        return "%s/mattermost/interactions/%s" % (self.base, account)

    def actions(self, post):
        p = self.world.server.admin.get("/posts/" + post)
        out = {}
        for att in p["props"].get("attachments") or []:
            for a in att.get("actions") or []:
                out[a["name"]] = a
        return out

    def attachment(self, post):
        p = self.world.server.admin.get("/posts/" + post)
        return [a["text"] for a in p["props"].get("attachments") or []]

    def click(self, post, action, user=None, selected=None):
        body = {} if selected is None else {"selected_option": selected}
        status, _, answer = (user or self.world.user).api.raw(
            "POST", "/api/v4/posts/%s/actions/%s" % (post, action), body)
        return status, answer

    def send(self, *args, target=None):
        """posternctl message send; the id of the post."""
        w = self.world
        r = w.postern.ctl("message", "send", "-t",
                          target or "channel:" + w.channel, "--json", *args)
        return json.loads(r.stdout)["messageId"]

    def post_signed(self, context, name="Go", **more):
        """A post of the bot with one button of a script's; its id."""
        w = self.world
        action = {"id": context["action_id"], "type": "button", "name": name,
                  "integration": {"url": self.url(), "context": context}}
        props = {"attachments": [{"text": "t", "actions": [action]}]}
        props.update(more)
        return w.bot.say(w.channel, "choose", props=props)["id"]

    def payload(self, post, context, **more):
        """The body of a click, as a server makes it."""
        w = self.world
        p = {"user_id": w.user.id, "user_name": w.user.name,
             "channel_id": w.channel, "channel_name": "c",
             "team_id": w.server.team, "team_domain": "t", "post_id": post,
             "trigger_id": "x", "type": "button", "data_source": "",
             "context": context}
        p.update(more)
        return p

    def press(self, post, context, **more):
        return self.call(self.payload(post, context, **more),
                         "/mattermost/interactions/default")

    def ephemerals(self, user=None):
        """A socket on which the user's ephemeral messages come."""
        u = user or self.world.user
        ws = WS(self.world.server.url, u.token)
        ws.wait("hello")
        return ws

    # -- answers -------------------------------------------------------

    def said(self, channel=None):
        w = self.world
        return [p["message"] for p in w.server.replies(
            channel or w.channel, w.bot, w.user.api)]

    def wait_said(self, text, channel=None, timeout=15):
        """Some answer of the bot has the text; all of its answers."""
        def found():
            said = self.said(channel)
            return said if any(text in s for s in said) else None
        return self.world.postern.wait(found, timeout)

    def settled(self, text, channel=None, sweeps=0):
        """How many answers have the text, when nothing is under way but so
        many sweeps for previews, which take their time."""
        p = self.world.postern

        def idle():
            a = p.account()["live"]
            return not a["running"] and not a["waiting"] and \
                a["outbox"] <= sweeps
        p.wait(idle)
        time.sleep(0.2)
        return sum(text in s for s in self.said(channel))


def ephemeral_text(ws):
    return json.loads(ws.wait("ephemeral_message")["data"]["post"])["message"]
