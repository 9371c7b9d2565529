"""Lists as long as posternd takes them: what it accepts, its workers do."""

import subprocess

import pytest

from callbacks import free_port
from daemon import POSTERND

MOST = 10000  # PROTO_LIST


def mm(c):
    return c["channels"]["mattermost"]


def address(i):
    return "10.1.%d.%d" % (i // 250, i % 250)


def people(c, n):
    mm(c)["allowFrom"] = ["*"] + ["user%d" % i for i in range(n - 1)]


def channels(c, n):
    mm(c)["groups"] = {"c%d" % i: {"requireMention": False}
                       for i in range(n)}


def labels(c, n):
    mm(c)["streaming"] = {"mode": "progress", "progress": {
        "labels": ["label %d" % i for i in range(n)]}}


def models(c, n):
    for p in c["models"]["providers"].values():
        p["models"] += [{"id": "m%d" % i}
                        for i in range(n - len(p["models"]))]


def bindings(c, n):
    c["bindings"] = [{"agentId": "main", "match": {
        "channel": "mattermost",
        "peer": {"kind": "direct", "id": "x%d" % i}}}
        for i in range(n * 3 // 4)]  # the frame has no room for more


def sources(c, n):
    mm(c)["interactions"] = {
        "allowedSourceIps": [address(i) for i in range(n)]}
    mm(c)["capabilities"] = ["inlineButtons"]


def proxies(c, n):
    c["gateway"]["trustedProxies"] = [address(i) for i in range(n)]
    mm(c)["commands"] = {"native": True}


def groups(c, n):
    c["accessGroups"] = {"g%d" % i: {
        "type": "message.senders", "members": {"mattermost": ["u"]}}
        for i in range(n)}


@pytest.mark.parametrize("fill", [
    people, channels, labels, models, bindings, sources, proxies, groups],
    ids=lambda f: f.__name__)
def test_longest_list(llm, world, fill):
    c = world.model_config()
    c["gateway"] = {"port": free_port()}
    fill(c, MOST)
    p = world.start(c, start=False)
    r = subprocess.run([POSTERND, "-n", "-f", p.path], capture_output=True,
                       text=True)
    assert r.returncode == 0, r.stderr[-2000:]
    p.start(timeout=30)
    assert "hello" in world.ask("hello")
    workers = p.status()["workers"]
    assert all(w["restarts"] == 0 for w in workers), p.logs()[-2000:]
    if fill in (sources, proxies):
        assert any(w["role"] == "callback" for w in workers)
