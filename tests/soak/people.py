"""What people do in a soak: messages of all kinds, each with a tag, and the
record of what has to be answered."""

import base64
import http.client
import json
import os
import random
import re
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
for room in ("e2e", "bench"):
    sys.path.insert(0, os.path.join(HERE, "..", room))

from called import Called, signed  # noqa: E402
from callbacks import request  # noqa: E402
from mattermost import ApiError, User  # noqa: E402

TAG = re.compile(r"soak(\d+)x")
HOOK = "soak-hook-token"
THREADS = 4
MUST = ("slash", "button", "hook")  # no post of a person says they were asked
TOPIC = "this is what we talk about, %d"
WEIGHTS = {"dm": 30, "mention": 20, "thread": 12, "edit": 6, "file": 4,
           "slash": 6, "button": 4, "hook": 6, "reaction": 6, "chatter": 20}


class Asked:
    """One message: what it is, where its answer belongs."""
    __slots__ = ("kind", "channel", "at", "sure")

    def __init__(self, kind, channel, sure):
        self.kind = kind
        self.channel = channel
        self.at = time.monotonic()
        # False: the request failed, it may have been taken all the same.
        self.sure = sure


class People:
    """Threads that talk to the bots of a world until they are stopped."""

    def __init__(self, soak, rate):
        self.soak = soak
        self.rate = rate
        self.lock = threading.Lock()
        self.n = 0
        self.asked = {}      # number of the tag -> Asked, until it is settled
        self.counts = {}
        self.errors = 0
        self.on = True
        self.random = random.Random(soak.seed)
        self.threads = [threading.Thread(target=self.run, args=(i,),
                                         daemon=True)
                        for i in range(THREADS)]

    def start(self):
        for t in self.threads:
            t.start()

    def stop(self):
        self.on = False
        for t in self.threads:
            t.join(90)
            if t.is_alive():
                raise AssertionError("somebody does not stop talking")

    def run(self, i):
        every = THREADS / self.rate
        due = time.monotonic() + i / self.rate
        mouth = Mouth(self, i)
        while self.on:
            time.sleep(max(0, due - time.monotonic()))
            # After a pause of the server nobody makes up for it.
            due = max(due + every, time.monotonic() - 1)
            with self.lock:
                kind = self.random.choices(
                    list(WEIGHTS), list(WEIGHTS.values()))[0]
                seed = self.random.random()
            mouth.say(kind, random.Random(seed))

    def ask(self, kind, channel, act):
        """Say something with a new tag: act(text)."""
        with self.lock:
            self.n += 1
            n = self.n
            self.counts[kind] = self.counts.get(kind, 0) + 1
            asked = self.asked[n] = Asked(kind, channel, False)
        try:
            asked.sure = act("soak%dx" % n) is not False
        except (OSError, http.client.HTTPException, ApiError, ValueError,
                KeyError, AssertionError):
            with self.lock:
                self.errors += 1


class Mouth:
    """One thread's people: every one has connections of its own."""

    def __init__(self, people, i):
        self.people = people
        self.soak = s = people.soak
        self.users = [User(s.server, {"id": u.id, "username": u.name},
                           u.token) for u in s.users[i::THREADS]]
        self.roots = {}
        self.heard = []

    def say(self, kind, r):
        user = r.choice(self.users)
        bot = r.randrange(len(self.soak.bots))
        getattr(self, "say_" + kind)(user, bot, r)

    def name(self, bot):
        return "@%s " % self.soak.bots[bot].name

    def say_dm(self, user, bot, r):
        dm = self.soak.dms[user.id, bot]
        more = " and more of it" * r.choice((0, 0, 1, 200))
        self.people.ask("dm", dm, lambda tag: self.remember(
            user.say(dm, "Well, %s %s" % (more, tag))))

    def remember(self, post):
        self.heard = (self.heard + [post["id"]])[-50:]

    def say_mention(self, user, bot, r):
        room = self.soak.rooms[bot]
        self.people.ask("mention", room, lambda tag: self.remember(
            user.say(room, self.name(bot) + tag)))

    def say_thread(self, user, bot, r):
        """In a thread of this user's, which has an end some time."""
        room = self.soak.rooms[bot]

        def act(tag):
            root, n = self.roots.get((user.id, bot), (None, 0))
            if n % 8 == 0:
                root = user.say(room, TOPIC % r.randrange(1000))["id"]
            self.roots[user.id, bot] = (root, n + 1)
            user.say(room, self.name(bot) + tag, root=root)
        self.people.ask("thread", room, act)

    def say_edit(self, user, bot, r):
        """Said to nobody, and then to the bot."""
        room = self.soak.rooms[bot]

        def act(tag):
            p = user.say(room, "who knows? ")
            user.api.put("/posts/%s/patch" % p["id"], {
                "message": self.name(bot) + tag})
        self.people.ask("edit", room, act)

    def say_file(self, user, bot, r):
        dm = self.soak.dms[user.id, bot]

        def act(tag):
            user.say(dm, "look at this: " + tag,
                     file_ids=[self.upload(user, dm, r)])
        self.people.ask("file", dm, act)

    def upload(self, user, channel, r):
        data = base64.b64encode(r.randbytes(r.choice((100, 20000))))
        conn = user.api.connection()
        try:
            conn.request(
                "POST", "/api/v4/files?channel_id=%s&filename=%s" % (
                    channel, "notes.txt"), data, {
                        "Authorization": "Bearer " + user.token,
                        "Content-Type": "application/octet-stream"})
            return json.loads(conn.getresponse().read())[
                "file_infos"][0]["id"]
        finally:
            conn.close()

    def once(self, user, path, body):
        """Not again when the connection ends: it would be a second one."""
        conn = user.api.connection()
        try:
            conn.request("POST", path, json.dumps(body), {
                "Authorization": "Bearer " + user.token,
                "Content-Type": "application/json"})
            a = conn.getresponse()
            return a.status, a.read().decode()
        finally:
            conn.close()

    def say_slash(self, user, bot, r):
        s = self.soak

        def act(tag):
            status, body = self.once(
                user, "/api/v4/commands/execute", {
                    "channel_id": s.rooms[0], "command": "/oc_ping " + tag,
                    "team_id": s.server.team})
            return status == 200 and "Processing" in body
        self.people.ask("slash", s.rooms[0], act)

    def say_button(self, user, bot, r):
        """A button of a script, clicked at once."""
        s = self.soak

        def act(tag):
            context = signed(s.bots[0].token, {
                "action_id": "soak", "action": tag,
                "__openclaw_channel_id": s.rooms[0]})
            action = {"id": "soak", "type": "button", "name": tag,
                      "integration": {"url": s.called.url("a0"),
                                      "context": context}}
            post = s.script.say(s.rooms[0], "choose", props={
                "attachments": [{"text": "t", "actions": [action]}]})
            status, body = self.once(
                user, "/api/v4/posts/%s/actions/soak" % post["id"], {})
            return status == 200 and "ephemeral_text" not in body
        self.people.ask("button", s.rooms[0], act)

    def say_hook(self, user, bot, r):
        s = self.soak

        def act(tag):
            return request(
                s.called.port, "/hooks/agent",
                {"message": tag, "channel": "mattermost", "to": "channel:" +
                 s.rooms[bot], "accountId": "a%d" % bot,
                 "idempotencyKey": tag},
                headers={"Authorization": "Bearer " + HOOK}).status == 200
        self.people.ask("hook", s.rooms[bot], act)

    def say_reaction(self, user, bot, r):
        if self.heard:
            try:
                user.api.post("/reactions", {
                    "user_id": user.id, "post_id": r.choice(self.heard),
                    "emoji_name": r.choice(("+1", "eyes", "tada"))})
            except (OSError, http.client.HTTPException, ApiError):
                pass

    def say_chatter(self, user, bot, r):
        try:
            user.say(self.soak.rooms[bot], TOPIC % r.randrange(1000))
        except (OSError, http.client.HTTPException, ApiError):
            pass


__all__ = ["Called", "HOOK", "MUST", "People", "TAG"]
