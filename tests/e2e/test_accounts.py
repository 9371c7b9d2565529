"""Many accounts: fifty on two servers, and nothing of one in another."""

import os
import subprocess

import pytest

from conftest import account
from daemon import POSTERND
from mattermost import Simulator

EACH = 25


@pytest.fixture
def fleet(sim, daemons):
    """50 accounts, a channel each; {id: (server, bot, user, channel)}."""
    servers = [sim, Simulator()]
    made = {}
    for n, s in enumerate(servers):
        team = s.new_team()
        user = s.new_user(team=team)
        for i in range(EACH):
            bot = s.new_bot(team=team)
            made["s%d-%02d" % (n, i)] = (
                s, bot, user, s.new_channel([bot, user], team=team))
    own = {k: account(s, bot, name="Bot " + k)
           for k, (s, bot, _, _) in made.items()}
    p = daemons({"channels": {"mattermost": {
        "defaultAccount": "s1-07", "accounts": own}}}, start=False)
    p.start(timeout=60)
    yield p, made
    servers[1].close()


def token_in(pid, tokens):
    """Those of the tokens that stand in the memory of a process."""
    found = set()
    with open("/proc/%d/maps" % pid) as maps, \
            open("/proc/%d/mem" % pid, "rb") as mem:
        for line in maps:
            span, mode = line.split()[:2]
            if not mode.startswith("rw"):
                continue
            lo, hi = (int(x, 16) for x in span.split("-"))
            if hi - lo > 1 << 28:
                continue  # the shadow of a sanitizer: nothing lives there
            try:
                mem.seek(lo)
                data = mem.read(hi - lo)
            except (OSError, ValueError):
                continue
            found |= {t for t in tokens if t.encode() in data}
    return found


def test_fifty(fleet):
    p, made = fleet
    # Each answers where it is asked, and as itself.
    for k, (s, bot, user, channel) in made.items():
        user.say(channel, "@%s hello from %s" % (bot.name, k))
    for k, (s, bot, user, channel) in made.items():
        posts = s.wait_replies(channel, bot, 1, 30, user.api)
        assert len(posts) == 1 and k in posts[0]["message"]
        assert {x["user_id"] for x in s.posts(channel, user.api)
                if not x["type"]} == {bot.id, user.id}
    # The default is the one that the file names.
    s, bot, user, channel = made["s1-07"]
    p.ctl("message", "send", "-t", "channel:" + channel, "-m", "default")
    assert s.replies(channel, bot, user.api)[-1]["message"] == "default"
    # Another account is not in that channel, nor does it know that server.
    for other in ("s1-08", "s0-00"):
        r = p.ctl("message", "send", "-a", other, "-t", "channel:" + channel,
                  "-m", "as another", check=False)
        assert r.returncode == 1, r.stdout
    assert len(s.replies(channel, bot, user.api)) == 2
    tokens_stay(p, made)
    one_fails(p, made)


def tokens_stay(p, made):
    if os.geteuid() != 0:
        return
    tokens = {bot.token: k for k, (_, bot, _, _) in made.items()}
    pids = p.pids()
    for k in ("s0-00", "s0-24", "s1-00", "s1-07"):
        got = {tokens[t] for t in token_in(pids["account:" + k], tokens)}
        assert got <= {k}, (k, got)
    for role in ("store", "control", "dialer"):
        assert token_in(pids[role], tokens) == set()


def one_fails(p, made):
    """A token that is taken away, and a worker that is killed."""
    s, bot, user, channel = made["s0-03"]
    s.admin.post("/users/tokens/revoke", {"token_id": bot.token_id})
    os.kill(p.pids()["account:s0-03"], 9)
    p.wait(lambda: p.account("s0-03")["state"] in ("parked", "backoff"), 60)
    before = p.pids()
    os.kill(before["account:s0-09"], 9)
    p.wait(lambda: p.account("s0-09")["restarts"] == 1 and
           p.account("s0-09")["state"] == "connected", 60)
    after = p.pids()
    assert {k for k in before if before[k] != after.get(k)} == {
        "account:s0-09"}
    well = set(made) - {"s0-03"}
    states = {a["id"]: a["state"] for a in p.status()["accounts"]}
    assert {k for k in states if states[k] == "connected"} == well
    for k in ("s0-04", "s1-03"):
        s, bot, user, channel = made[k]
        user.say(channel, "@%s and now?" % bot.name)
        assert len(s.wait_replies(channel, bot, 2, 30, user.api)) == 2


def test_environment_is_for_the_default(server, daemons):
    bots = [server.new_bot(), server.new_bot()]
    common = {"dmPolicy": "open", "allowFrom": ["*"]}
    own = {"default": dict(common),
           "alerts": dict(common, botToken=bots[1].token, baseUrl=server.url),
           "other": dict(common)}
    p = daemons({"channels": {"mattermost": {"accounts": own}}}, start=False,
                env={"MATTERMOST_BOT_TOKEN": bots[0].token,
                     "MATTERMOST_URL": server.url})
    r = subprocess.run([POSTERND, "-n", "-f", p.path], env=p.env,
                       capture_output=True, text=True, timeout=30)
    said = r.stdout + r.stderr
    assert r.returncode == 1 and "accounts.other: botToken is missing" in said
    assert "accounts.default" not in said
    del own["other"]
    p.write(p.config)
    p.start()
    assert p.account("default")["user"] == bots[0].name
    assert p.account("alerts")["user"] == bots[1].name
    channel = server.new_channel([bots[0]])
    p.ctl("message", "send", "-t", "channel:" + channel, "-m", "mine")
    assert len(server.replies(channel, bots[0])) == 1


def test_default_account(server, daemons):
    bots = {k: server.new_bot() for k in ("alpha", "beta")}
    channel = server.new_channel(list(bots.values()))
    own = {k: account(server, b) for k, b in bots.items()}

    def config(default):
        c = {"channels": {"mattermost": {"accounts": own}}}
        if default is not None:
            c["channels"]["mattermost"]["defaultAccount"] = default
        return c

    p = daemons(config("beta"))
    for default, who in (("beta", "beta"), (None, "alpha"),
                         ("nobody", "alpha"), ("beta", "beta")):
        keep = {k: p.config[k] for k in ("store", "postern")}
        p.write(dict(config(default), **keep))
        p.ctl("reload")
        before = len(server.replies(channel, bots[who]))
        p.ctl("message", "send", "-t", "channel:" + channel, "-m", "x")
        assert len(server.replies(channel, bots[who])) == before + 1
    assert p.status()["defaultAccount"] == "beta"
