"""Start mmsim and talk to it: REST as a user, and its control requests.

    with Sim() as sim:
        admin = sim.admin()
        team = admin.post("/teams", {...}).json
Any Mattermost server will do for Client; only Sim.* needs the simulator.
"""

import http.client
import json
import os
import subprocess
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))


def find_mmsim():
    path = os.environ.get("POSTERN_MMSIM")
    if path:
        return path
    top = os.path.dirname(os.path.dirname(HERE))
    for d in (os.getcwd(), os.path.join(top, "build"), top):
        p = os.path.join(d, "tests", "mmsim", "mmsim")
        if os.access(p, os.X_OK) and os.path.isfile(p):
            return p
    raise RuntimeError("mmsim not found: set POSTERN_MMSIM")


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def header(self, name):
        for k, v in self.headers:
            if k.lower() == name.lower():
                return v
        return None

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def id(self):
        return self.json["id"]

    def __repr__(self):
        return "<%d %s>" % (self.status, self.body[:300])


class Client:
    """REST with one token; a connection per request."""

    def __init__(self, url, token=None, timeout=60, user=None):
        self.url = url.rstrip("/")
        u = urllib.parse.urlsplit(self.url)
        self.host, self.port, self.scheme = u.hostname, u.port, u.scheme
        self.token = token
        self.timeout = timeout
        self.user = user
        self.id = user["id"] if user else None

    def request(self, method, path, body=None, headers=None, token=None):
        if self.scheme == "https":
            import ssl
            c = http.client.HTTPSConnection(
                self.host, self.port, timeout=self.timeout,
                context=ssl._create_unverified_context())
        else:
            c = http.client.HTTPConnection(self.host, self.port,
                                           timeout=self.timeout)
        h = {}
        token = self.token if token is None else token
        if token:
            h["Authorization"] = "Bearer " + token
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            h["Content-Type"] = "application/json"
        h.update(headers or {})
        if isinstance(body, str):
            body = body.encode()
        if not path.startswith("/_sim") and not path.startswith("/api"):
            path = "/api/v4" + path
        try:
            c.request(method, path, body, h)
            r = c.getresponse()
            return Answer(r.status, r.getheaders(), r.read())
        finally:
            c.close()

    def get(self, path, **kw):
        return self.request("GET", path, **kw)

    def post(self, path, body=None, **kw):
        return self.request("POST", path, body, **kw)

    def put(self, path, body=None, **kw):
        return self.request("PUT", path, body, **kw)

    def delete(self, path, body=None, **kw):
        return self.request("DELETE", path, body, **kw)

    def say(self, channel, message, root="", **more):
        b = {"channel_id": channel, "message": message}
        if root:
            b["root_id"] = root
        b.update(more)
        return self.post("/posts", b)


def login(url, name, password):
    c = Client(url)
    a = c.post("/users/login", {"login_id": name, "password": password})
    if a.status != 200:
        raise RuntimeError("login: %r" % a)
    return Client(url, a.header("Token"), user=a.json)


class World:
    """Makes users, bots, teams and channels on a server as its admin."""

    def __init__(self, url, admin):
        self.url = url
        self.admin = admin

    def team(self, name):
        a = self.admin.post("/teams", {"name": name, "display_name": name,
                                       "type": "O"})
        assert a.status == 201, a
        return a.json

    def user(self, name, *teams):
        a = self.admin.post("/users", {
            "username": name, "email": name + "@example.com",
            "password": "Password1!"})
        assert a.status == 201, a
        for t in teams:
            self.join_team(t, a.id)
        return login(self.url, name, "Password1!")

    def bot(self, name, *teams, display=""):
        a = self.admin.post("/bots", {"username": name,
                                      "display_name": display})
        assert a.status == 201, a
        uid = a.json["user_id"]
        t = self.admin.post("/users/%s/tokens" % uid, {"description": "t"})
        assert t.status == 200, t
        for team in teams:
            self.join_team(team, uid)
        c = Client(self.url, t.json["token"], user={"id": uid})
        c.token_id = t.json["id"]
        c.name = name
        return c

    def join_team(self, team, uid):
        a = self.admin.post("/teams/%s/members" % team["id"], {
            "team_id": team["id"], "user_id": uid})
        assert a.status == 201, a

    def channel(self, team, name, *members, type="O", by=None):
        a = (by or self.admin).post("/channels", {
            "team_id": team["id"], "name": name,
            "display_name": name.upper(), "type": type})
        assert a.status == 201, a
        for m in members:
            self.join(a.json, m)
        return a.json

    def join(self, channel, who):
        uid = who if isinstance(who, str) else who.id
        a = self.admin.post("/channels/%s/members" % channel["id"],
                            {"user_id": uid})
        assert a.status == 201, a


class Sim:
    """A running mmsim; ends with the process that started it."""

    def __init__(self, *args):
        self.proc = subprocess.Popen(
            [find_mmsim(), "-E"] + list(args), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE)
        line = self.proc.stdout.readline()
        if not line:
            raise RuntimeError("mmsim did not start")
        self.info = json.loads(line)
        self.url = self.info["url"]
        self.model_url = self.info["model_url"]
        self.ctl = Client(self.url)

    def admin(self):
        return login(self.url, *self.info["admin"].split(":", 1))

    def world(self):
        return World(self.url, self.admin())

    def _ok(self, a):
        if a.status != 200:
            raise RuntimeError("control: %r" % a)
        return a.json

    def state(self):
        return self._ok(self.ctl.get("/_sim/state"))

    def posts(self, channel=None, after_seq=0):
        q = "?after_seq=%d" % after_seq
        if channel:
            q += "&channel=" + channel
        return self._ok(self.ctl.get("/_sim/posts" + q))

    def requests(self):
        return self._ok(self.ctl.get("/_sim/requests"))

    def fault(self, kind, **kw):
        return self._ok(self.ctl.post("/_sim/fault", dict(kw, kind=kind)))

    def clear(self):
        return self._ok(self.ctl.delete("/_sim/fault"))

    def reset(self):
        return self._ok(self.ctl.post("/_sim/reset"))

    def model(self, **kw):
        return self._ok(self.ctl.post("/_sim/model", kw))

    def model_reset(self):
        return self._ok(self.ctl.delete("/_sim/model"))

    def model_requests(self):
        return self._ok(self.ctl.get("/_sim/model/requests"))

    def bench(self, **kw):
        self.ctl.timeout = 3600
        return self._ok(self.ctl.post("/_sim/bench", kw))

    def stop(self):
        if self.proc.poll() is None:
            self.proc.stdin.close()
            self.proc.wait(10)
        self.proc.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()
