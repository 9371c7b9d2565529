"""channels status --json: the members of the peer, with true values."""

import json
import os
import re
import signal
import time

from callbacks import free_port
from conftest import account

NUMBER = (int,)
TEXT = (str,)
NOTHING = (type(None),)


def now():
    return int(time.time() * 1000)


def snapshots(p, *args, check=True):
    r = p.ctl("channels", "status", "--json", *args, check=check)
    return {a["accountId"]: a for a in json.loads(r.stdout)}


# Of every account, whatever its state.
ALWAYS = {
    "accountId", "name", "enabled", "configured", "running", "connected",
    "lifecycle", "restartPending", "lastStartAt", "lastStopAt",
    "lastConnectedAt", "lastDisconnect", "lastError", "lastInboundAt",
    "lastOutboundAt", "busy", "activeRuns", "botTokenSource",
    "botTokenStatus", "baseUrl", "baseUrlSource", "dmPolicy"}

OFF = {"running": False, "connected": False, "lifecycle": "stopped",
       "lastStartAt": NOTHING, "lastStopAt": NOTHING,
       "lastConnectedAt": NOTHING, "lastDisconnect": NOTHING,
       "lastError": NOTHING, "lastInboundAt": NOTHING,
       "lastOutboundAt": NOTHING, "busy": False, "activeRuns": 0,
       "restartPending": False}

# By account; a tuple: of this type.
TABLE = {
    "good": {
        "name": "the good one", "enabled": True, "configured": True,
        "running": True, "connected": True, "lifecycle": "ready",
        "restartPending": False, "lastStartAt": NUMBER,
        "lastStopAt": NOTHING, "lastConnectedAt": NUMBER,
        "lastDisconnect": NOTHING, "lastError": NOTHING,
        "lastInboundAt": NUMBER, "lastOutboundAt": NUMBER, "busy": False,
        "activeRuns": 0, "botTokenSource": "config",
        "botTokenStatus": "available", "baseUrl": "SERVER",
        "baseUrlSource": "config", "dmPolicy": "open"},
    "off": {
        **OFF, "name": "off", "enabled": False, "configured": True,
        "botTokenSource": "config", "botTokenStatus": "available",
        "baseUrl": "SERVER", "baseUrlSource": "config",
        "dmPolicy": "pairing"},
    "refused": {
        "enabled": True, "configured": True, "running": True,
        "connected": False, "lifecycle": "blocked",
        "lastStartAt": NUMBER, "lastConnectedAt": NOTHING,
        "lastDisconnect": NOTHING, "lastError": TEXT,
        "lastInboundAt": NOTHING, "botTokenStatus": "available",
        "dmPolicy": "allowlist"},
    "nobody-there": {
        "enabled": True, "configured": True, "running": True,
        "connected": False, "lifecycle": "recovering",
        "lastConnectedAt": NOTHING, "lastError": TEXT,
        "baseUrl": "NOWHERE", "dmPolicy": "disabled"},
    "tokenless": {
        "enabled": True, "configured": False, "connected": False,
        "lifecycle": "blocked", "lastError": TEXT,
        "botTokenSource": "none", "botTokenStatus": "missing"},
    "locked-away": {
        "enabled": True, "configured": True, "connected": False,
        "lifecycle": "blocked", "lastError": TEXT,
        "botTokenSource": "config",
        "botTokenStatus": "configured_unavailable"},
}


def compare(got, want, url, nowhere):
    for account_id, row in want.items():
        a = got[account_id]
        assert ALWAYS <= set(a), (account_id, ALWAYS - set(a))
        for key, value in row.items():
            value = {"SERVER": url, "NOWHERE": nowhere}.get(value, value) \
                if isinstance(value, str) else value
            if isinstance(value, tuple):
                assert type(a[key]) in value, (account_id, key, a)
            else:
                assert a[key] == value, (account_id, key, a)


def config(server, bot, nowhere):
    return {"channels": {"mattermost": {"accounts": {
        "good": account(server, bot, name="the good one"),
        "off": {"enabled": False, "botToken": "x" * 26,
                "baseUrl": server.url},
        "refused": {"botToken": "x" * 26, "baseUrl": server.url,
                    "dmPolicy": "allowlist", "allowFrom": ["a" * 26]},
        "nobody-there": {"botToken": "x" * 26, "baseUrl": nowhere,
                         "dmPolicy": "disabled"},
        "tokenless": {"baseUrl": server.url},
        "locked-away": {"baseUrl": server.url, "botToken": {
            "source": "env", "provider": "default",
            "id": "POSTERN_NOT_SET"}},
    }}}}


def test_every_state(sim, world):
    nowhere = "http://127.0.0.1:%d" % free_port()
    began = now()
    p = world.start(config(sim, world.bot, nowhere), start=False)
    # Without a daemon: what the file says.
    got = snapshots(p, "-f", p.path, check=False)
    compare(got, {"good": {
        **OFF, "enabled": True, "configured": True, "baseUrl": "SERVER",
        "botTokenStatus": "available", "dmPolicy": "open"},
        "off": TABLE["off"]}, sim.url, nowhere)
    p.start(wait=False)
    p.wait_state("good", "connected")
    p.wait_state("refused", "parked")
    p.wait_state("nobody-there", "backoff")
    p.wait_state("tokenless", "parked")
    assert "hello" in world.ask("hello")
    p.wait(world.is_idle)
    got = snapshots(p)
    assert "probe" not in got["good"]
    compare(got, TABLE, sim.url, nowhere)
    a = got["good"]
    assert began <= a["lastStartAt"] <= a["lastConnectedAt"] \
        <= a["lastInboundAt"] <= a["lastOutboundAt"] <= now()
    a = snapshots(p, "--probe")["good"]
    assert a["probe"]["bot"]["id"] == world.bot.id
    assert began <= a["lastProbeAt"] <= now()
    # An answer within the same millisecond took 0.
    assert re.search(r"^good +ok +200 +[0-9]+ ",
                     p.ctl("channels", "status", "--probe").stdout, re.M)


def again(p, than):
    """When it is connected again, later than that."""
    def is_so():
        a = snapshots(p)["default"]
        return a if a["connected"] and a["lastConnectedAt"] > than else None
    return p.wait(is_so)


def test_how_it_was_disconnected(sim, world):
    p = world.start()
    a = snapshots(p)["default"]
    # Without a word of the server.
    sim.fault("ws_reset", user=world.bot.name)
    a = again(p, a["lastConnectedAt"])
    assert a["lastDisconnect"]["status"] == 1006
    sim.fault("ws_close_frame", code=1001, reason="restarting",
              user=world.bot.name)
    a = again(p, a["lastConnectedAt"])
    was = a["lastDisconnect"]
    assert was["status"] == 1001 and was["error"], was
    assert a["lastStartAt"] <= was["at"] <= a["lastConnectedAt"]
    assert a["lastError"] is None and a["lastStopAt"] is None
    # By the end of its process, of which the next one knows nothing.
    os.kill(p.pids()["account:default"], signal.SIGKILL)
    a = again(p, a["lastConnectedAt"])
    assert a["lastDisconnect"]["status"] == 1006
    assert "signal 9" in a["lastDisconnect"]["error"]
    assert a["lastDisconnect"]["at"] <= a["lastStopAt"] <= a["lastStartAt"]
