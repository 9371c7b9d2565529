"""Metrics: OpenMetrics text that a strict reader takes, figures that are
true, and a dashboard and alerts that name nothing else."""

import json
import os
import re
import socket
import urllib.error
import urllib.request

import pytest

from callbacks import free_port

ETC = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                   "..", "..", "etc")
SUFFIXES = {"gauge": [""], "stateset": [""], "info": ["_info"],
            "counter": ["_total", "_created"],
            "histogram": ["_bucket", "_count", "_sum", "_created"]}
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"')


def labels_of(text):
    """{"a": "b"} of '{a="b"}'; every character must belong to it."""
    found, rest = {}, text
    while rest:
        m = LABEL.match(rest)
        assert m, text
        assert m.group(1) not in found, text
        found[m.group(1)] = m.group(2)
        rest = rest[m.end():]
        if rest:
            assert rest[0] == "," and len(rest) > 1, text
            rest = rest[1:]
    return found


def parse(text):
    """{family: {"type", "samples": [(suffix, labels, number)]}}, strictly."""
    assert text.endswith("# EOF\n") and text.count("# EOF") == 1
    families, now, seen = {}, None, set()
    for line in text[:-len("# EOF\n")].splitlines():
        if line.startswith("# "):
            _, word, name, rest = line.split(" ", 3)
            assert word in ("TYPE", "UNIT", "HELP"), line
            if now is None or name != now:
                assert name not in families, "a family in two places: " + name
                families[name] = {"samples": [], "said": set()}
                now = name
            f = families[name]
            assert word not in f["said"] and not f["samples"], line
            f["said"].add(word)
            if word == "TYPE":
                assert rest in SUFFIXES, line
                f["type"] = rest
            if word == "UNIT":
                assert name.endswith("_" + rest), line
            continue
        m = re.fullmatch(r"([a-z_]+)(?:\{(.*)\})? (\S+)", line)
        assert m, line
        f = families[now]
        assert m.group(1).startswith(now), line
        suffix = m.group(1)[len(now):]
        assert suffix in SUFFIXES[f["type"]], line
        labels = labels_of(m.group(2) or "")
        key = (m.group(1), tuple(sorted(labels.items())))
        assert key not in seen, "twice: " + line
        seen.add(key)
        f["samples"].append((suffix, labels, float(m.group(3))))
    for name, f in families.items():
        assert {"TYPE", "HELP"} <= f["said"], name
        check_kind(name, f)
    return families


def check_kind(name, f):
    if f["type"] == "counter":
        assert all(n >= 0 for _, _, n in f["samples"])
    if f["type"] == "stateset":
        assert all(n in (0, 1) and name in labels
                   for _, labels, n in f["samples"])
    if f["type"] == "histogram":
        rows = {}
        for suffix, labels, n in f["samples"]:
            key = tuple(sorted(
                (k, v) for k, v in labels.items() if k != "le"))
            rows.setdefault(key, {"_bucket": []})
            if suffix == "_bucket":
                rows[key]["_bucket"].append((float(labels["le"]), n))
            else:
                rows[key][suffix] = n
        for r in rows.values():
            assert r["_bucket"] == sorted(r["_bucket"])
            assert r["_bucket"][-1] == (float("inf"), r["_count"])
            counts = [n for _, n in r["_bucket"]]
            assert counts == sorted(counts) and r["_sum"] >= 0


def get(url, timeout=10):
    with urllib.request.urlopen(url, timeout=timeout) as r:
        return r.headers, r.read().decode()


def value(families, family, suffix="", **labels):
    for s, have, n in families[family]["samples"]:
        if s == suffix and labels.items() <= have.items():
            return n
    return None


class Watched:
    def __init__(self, world, **more):
        self.port = free_port()
        self.url = "http://127.0.0.1:%d/metrics" % self.port
        config = world.config(**more)
        config["postern"] = {"metrics": "127.0.0.1:%d" % self.port}
        self.config = config
        self.postern = world.start(config)

    def read(self):
        return parse(get(self.url)[1])


def test_figures_are_true(world):
    w = Watched(world, chatmode="oncall")
    headers, text = get(w.url)
    assert headers["Content-Type"].startswith("application/openmetrics-text")
    before = parse(text)
    assert value(before, "postern_account_state", account="default",
                 postern_account_state="connected") == 1
    world.ask("one")
    world.ask("two")
    # Not for the bot: dropped, with its reason.
    world.user.say(world.channel, "to nobody")

    def after():
        f = w.read()
        return f if (
            value(f, "postern_turn_seconds", "_count",
                  account="default") == 2 and
            value(f, "postern_events", "_total", kind="post",
                  reason="no-mention") and
            value(f, "postern_worker_resident_bytes", role="store")) else None
    f = world.postern.wait(after)
    assert value(f, "postern_events", "_total", account="default",
                 kind="post", reason="accepted") == 2
    assert value(f, "postern_posts", "_total", account="default") == 2
    assert value(f, "postern_outbox_pending", account="default") == 0
    assert value(f, "postern_outbox_oldest_seconds", account="default") == 0
    assert value(f, "postern_store_commits", "_total") >= 2
    assert value(f, "postern_build", "_info") == 1
    for role in ("account", "agent", "control", "dialer", "store"):
        assert value(f, "postern_worker_up", role=role) == 1
        own = value(f, "postern_worker_private_bytes", role=role)
        all_of_it = value(f, "postern_worker_resident_bytes", role=role)
        assert 0 < own <= all_of_it < 1 << 30


def test_same_state_machine_as_status(world):
    w = Watched(world)
    os.kill(w.postern.pids()["account:default"], 9)
    w.postern.wait(lambda: value(
        w.read(), "postern_worker_restarts", "_total",
        role="account", name="default") == 1)
    w.postern.wait_connected()
    f = w.read()
    states = {a["id"]: a["state"] for a in w.postern.status()["accounts"]}
    for account, state in states.items():
        assert value(f, "postern_account_state", account=account,
                     postern_account_state=state) == 1


def test_reload_moves_the_listener(world):
    w = Watched(world)
    assert w.read()
    old = w.url
    pid = w.postern.pids()["control"]
    path = os.path.join(w.postern.dir, "run", "metrics.sock")
    config = dict(w.postern.config)
    config["postern"] = dict(config["postern"], metrics=path)
    w.postern.write(config)
    w.postern.ctl("reload")
    with pytest.raises(urllib.error.URLError):
        get(old)
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect(path)
        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        text = b""
        while True:
            more = s.recv(65536)
            if not more:
                break
            text += more
    head, body = text.decode().split("\r\n\r\n", 1)
    assert head.startswith("HTTP/1.1 200 OK")
    assert parse(body)
    assert w.postern.pids()["control"] == pid
    config["postern"] = dict(config["postern"])
    del config["postern"]["metrics"]
    w.postern.write(config)
    w.postern.ctl("reload")
    assert not os.path.exists(path)
    assert w.postern.pids()["control"] == pid


def test_other_requests(world):
    w = Watched(world)
    for path, status in (("/", 404), ("/metricsx", 404)):
        with pytest.raises(urllib.error.HTTPError) as e:
            get(w.url.replace("/metrics", path))
        assert e.value.code == status
    with pytest.raises(urllib.error.HTTPError) as e:
        urllib.request.urlopen(w.url, data=b"x", timeout=10)
    assert e.value.code == 405
    # Who asks nothing, or never ends, keeps nobody else out.
    idle = [socket.create_connection(("127.0.0.1", w.port))
            for _ in range(16)]
    endless = socket.create_connection(("127.0.0.1", w.port))
    try:
        endless.sendall(b"GET /metrics HTTP/1.1\r\n" + b"a" * 20000)
    except OSError:
        pass
    assert w.read()
    for s in [*idle, endless]:
        s.close()
    assert w.postern.status()


def names_in(text):
    return set(re.findall(r"\bpostern_[a-z_]+", text))


def test_dashboard_and_alerts_name_what_is_there(world):
    w = Watched(world)
    known, labels = set(), {"account", "kind", "reason", "le", "result",
                            "status", "role", "name", "instance", "job",
                            "version"}
    for name, f in w.read().items():
        known |= {name + s for s in SUFFIXES[f["type"]]}
        if f["type"] == "stateset":
            labels.add(name)
    with open(os.path.join(ETC, "grafana", "postern.json")) as f:
        dashboard = json.load(f)
    exprs = [t["expr"] for p in dashboard["panels"] for t in p["targets"]]
    with open(os.path.join(ETC, "prometheus", "postern.rules.yml")) as f:
        rules = f.read()
    rules = "\n".join(r for r in rules.splitlines()
                      if not re.match(r"\s*(what|#)", r))
    for text in [*exprs, rules]:
        assert names_in(text) <= known, names_in(text) - known
        for by in re.findall(r"by \(([^)]*)\)", text):
            assert set(by.replace(" ", "").split(",")) <= labels, text
    # And nothing that is measured is shown nowhere.
    shown = names_in(" ".join(exprs) + rules)
    for name, f in w.read().items():
        if f["type"] != "info":
            assert any(name + s in shown for s in SUFFIXES[f["type"]]) or \
                name == "postern_reload_time_seconds", name
