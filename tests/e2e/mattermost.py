"""A Mattermost server as the tests see it: REST only, so that the simulator
and a real server are the same to them."""

import http.client
import json
import os
import random
import ssl
import string
import subprocess
import urllib.parse

from patience import tries

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("POSTERN_BUILD", os.path.join(HERE, "..", "..", "build"))


def tag(n=8):
    return "".join(random.choices(string.ascii_lowercase, k=n))


# The tests themselves trust any server; what Postern trusts is its own affair.
ANY_SERVER = ssl.create_default_context()
ANY_SERVER.check_hostname = False
ANY_SERVER.verify_mode = ssl.CERT_NONE


class ApiError(Exception):
    def __init__(self, status, body):
        super().__init__("%s %r" % (status, body))
        self.status = status
        self.body = body


class Api:
    """One user's view of the server; a keep-alive connection."""

    def __init__(self, url, token=None):
        u = urllib.parse.urlsplit(url)
        self.tls = u.scheme == "https"
        self.host = u.hostname
        self.port = u.port or (443 if self.tls else 80)
        self.base = u.path.rstrip("/")
        self.token = token
        self.conn = None

    def connection(self):
        if self.tls:
            return http.client.HTTPSConnection(
                self.host, self.port, timeout=30, context=ANY_SERVER)
        return http.client.HTTPConnection(self.host, self.port, timeout=30)

    def raw(self, method, path, body=None, headers=None):
        head = dict(headers or {})
        if self.token:
            head["Authorization"] = "Bearer " + self.token
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            head["Content-Type"] = "application/json"
        for again in (True, False):
            if self.conn is None:
                self.conn = self.connection()
            try:
                self.conn.request(method, self.base + path, data, head)
                r = self.conn.getresponse()
                text = r.read()
                break
            except (http.client.HTTPException, OSError):
                self.conn.close()
                self.conn = None
                if not again:
                    raise
        try:
            parsed = json.loads(text) if text else None
        except ValueError:
            parsed = text
        return r.status, r.headers, parsed

    def call(self, method, path, body=None):
        status, _, parsed = self.raw(method, "/api/v4" + path, body)
        if status >= 400:
            raise ApiError(status, parsed)
        return parsed

    def get(self, path):
        return self.call("GET", path)

    def post(self, path, body=None):
        return self.call("POST", path, body if body is not None else {})

    def put(self, path, body):
        return self.call("PUT", path, body)

    def delete(self, path):
        return self.call("DELETE", path)


class User:
    def __init__(self, server, data, token):
        self.server = server
        self.id = data["id"]
        self.name = data["username"]
        self.token = token
        self.api = Api(server.url, token)

    def say(self, channel, text, root=None, **more):
        body = {"channel_id": channel, "message": text}
        if root:
            body["root_id"] = root
        body.update(more)
        return self.api.post("/posts", body)

    def direct(self, other):
        return self.api.post("/channels/direct", [self.id, other.id])["id"]


class Mmsim:
    """The simulator's process: a server, a model, and control requests."""

    def __init__(self, *args):
        binary = os.path.join(BUILD, "tests", "mmsim", "mmsim")
        self.process = subprocess.Popen(
            [binary, "-E", *args], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        self.info = json.loads(self.process.stdout.readline())
        self.url = self.info["url"]
        self.model_url = self.info["model_url"]
        self.control = Api(self.url)

    def sim(self, method, path, body=None):
        status, _, parsed = self.control.raw(method, "/_sim" + path, body)
        if status >= 400:
            raise ApiError(status, parsed)
        return parsed

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Server:
    """A server with an administrator, a team, and room for more."""

    simulated = False

    def __init__(self, url, login, password, mmsim=None):
        self.url = url
        # The model is simulated, whatever the server is.
        self.mmsim = mmsim or Mmsim()
        self.model_url = self.mmsim.model_url
        self.admin = Api(url)
        status, headers, body = self.admin.raw(
            "POST", "/api/v4/users/login",
            {"login_id": login, "password": password})
        if status != 200:
            raise ApiError(status, body)
        self.admin.token = headers["Token"]
        self.admin_id = body["id"]
        self.team = self.new_team()

    def new_team(self):
        name = "team" + tag()
        return self.admin.post("/teams", {
            "name": name, "display_name": name, "type": "O"})["id"]

    def join_team(self, user_id, team=None):
        self.admin.post("/teams/%s/members" % (team or self.team), {
            "team_id": team or self.team, "user_id": user_id})

    def new_user(self, name=None, team=None):
        name = name or "user" + tag()
        password = "Passw0rd-" + tag()
        data = self.admin.post("/users", {
            "username": name, "email": name + "@example.com",
            "password": password})
        self.join_team(data["id"], team)
        login = Api(self.url)
        _, headers, _ = login.raw("POST", "/api/v4/users/login", {
            "login_id": name, "password": password})
        return User(self, data, headers["Token"])

    def new_bot(self, name=None, team=None):
        name = name or "bot" + tag()
        bot = self.admin.post("/bots", {
            "username": name, "display_name": name})
        if team is not False:
            self.join_team(bot["user_id"], team)
        token = self.admin.post("/users/%s/tokens" % bot["user_id"], {
            "description": "test"})
        u = User(self, {"id": bot["user_id"], "username": name},
                 token["token"])
        u.token_id = token["id"]
        return u

    def new_channel(self, members=(), kind="O", team=None):
        name = "chan" + tag()
        c = self.admin.post("/channels", {
            "team_id": team or self.team, "name": name,
            "display_name": name, "type": kind})
        for m in members:
            self.join(c["id"], m)
        return c["id"]

    def join(self, channel, user):
        self.admin.post("/channels/%s/members" % channel,
                        {"user_id": user.id})

    def posts(self, channel, api=None):
        """All posts of a channel, oldest first."""
        found, before = [], ""
        while True:
            page = (api or self.admin).get(
                "/channels/%s/posts?per_page=200%s" % (channel, before))
            order = page["order"]
            found += [page["posts"][i] for i in order]
            if len(order) < 200:
                return found[::-1]
            before = "&before=" + order[-1]

    def replies(self, channel, bot, api=None):
        return [p for p in self.posts(channel, api)
                if p["user_id"] == bot.id and not p["type"]]

    def wait_replies(self, channel, bot, n, timeout=15, api=None):
        """The bot's posts, once there are n of them (or time is up)."""
        for _ in tries(timeout):
            found = self.replies(channel, bot, api)
            if len(found) >= n:
                break
        return found

    def model(self, **script):
        return self.mmsim.sim("POST", "/model", script)

    def model_requests(self):
        return self.mmsim.sim("GET", "/model/requests")

    def close(self):
        self.mmsim.close()


class Simulator(Server):
    simulated = True

    def __init__(self, *args):
        mmsim = Mmsim(*args)
        login, password = mmsim.info["admin"].split(":", 1)
        super().__init__(mmsim.url, login, password, mmsim)

    def fault(self, kind, **more):
        more["kind"] = kind
        return self.mmsim.sim("POST", "/fault", more)

    def clear_faults(self):
        self.mmsim.sim("DELETE", "/fault")

    def state(self):
        return self.mmsim.sim("GET", "/state")
