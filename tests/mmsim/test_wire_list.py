"""Lists, threads and limits as a real 5.37 server has them."""

import pytest

@pytest.fixture(scope="module")
def history(setup):
    s = setup
    c = s.w.channel(s.team, "hist", s.c["wuser0"], s.c["wbot0"])
    ids = [s.c["wuser0"].say(c["id"], "m%d" % i).id for i in range(10)]
    return s, c["id"], ids


def listing(s, channel, query):
    a = s.c["wbot0"].get("/channels/%s/posts?%s" % (channel, query))
    assert a.status == 200
    return a.json


def test_list_pages(history):
    s, c, m = history
    j = listing(s, c, "per_page=3")
    assert j["order"] == [m[9], m[8], m[7]]
    assert (j["next_post_id"], j["prev_post_id"]) == ("", m[6])
    j = listing(s, c, "per_page=3&page=1")
    assert j["order"] == [m[6], m[5], m[4]]
    assert (j["next_post_id"], j["prev_post_id"]) == (m[7], m[3])
    j = listing(s, c, "per_page=0")
    assert j["order"] == [] and j["posts"] == {}
    assert list(j) == ["order", "posts", "next_post_id", "prev_post_id"]


def test_list_after_and_before(history):
    s, c, m = history
    j = listing(s, c, "after=%s&per_page=2" % m[3])
    assert j["order"] == [m[5], m[4]]
    assert (j["next_post_id"], j["prev_post_id"]) == (m[6], m[3])
    j = listing(s, c, "after=%s&per_page=2&page=1" % m[3])
    assert j["order"] == [m[7], m[6]]
    j = listing(s, c, "before=%s&per_page=2" % m[3])
    assert j["order"] == [m[2], m[1]]
    assert (j["next_post_id"], j["prev_post_id"]) == (m[3], m[0])
    j = listing(s, c, "after=%s&before=%s&per_page=2" % (m[3], m[3]))
    assert j["order"] == [m[5], m[4]]
    gone = "a" * 26
    j = listing(s, c, "after=" + gone)
    assert (j["order"], j["prev_post_id"]) == ([], gone)
    assert listing(s, c, "after=%s" % m[9])["order"] == []


def test_list_since(history):
    s, c, m = history
    posts = listing(s, c, "")["posts"]
    t = posts[m[6]]["update_at"]
    j = listing(s, c, "since=%d" % t)
    assert j["order"] == [m[9], m[8], m[7]]  # strictly later
    assert (j["next_post_id"], j["prev_post_id"]) == ("", "")
    u = s.c["wuser0"]
    u.put("/posts/%s/patch" % m[1], {"message": "edited"})
    u.delete("/posts/" + m[2])
    t = posts[m[9]]["update_at"]
    j = listing(s, c, "since=%d&per_page=1" % t)
    assert j["order"][0] == m[2] and m[1] in j["order"]
    assert j["posts"][m[2]]["delete_at"] > 0
    tomb = [p for p in j["posts"].values() if p["original_id"] == m[1]]
    assert len(tomb) == 1
    assert tomb[0]["message"] == "" and tomb[0]["delete_at"] > 0
    assert tomb[0]["id"] in j["order"]
    # A deleted post still is an anchor, and is in no other list.
    j = listing(s, c, "after=%s&per_page=2" % m[2])
    assert j["order"] == [m[4], m[3]]
    assert m[2] not in listing(s, c, "")["order"]


def test_list_since_cap(setup):
    """1000 rows, and those the oldest."""
    s = setup
    ch = s.w.channel(s.team, "many", s.c["wuser0"], s.c["wbot0"])
    s.sim.bench(users=1, rounds=1200, channels=[ch["id"]], concurrency=1200,
                mention="", timeout_s=1)
    first = s.sim.posts(ch["id"])[0]["post"]
    j = listing(s, ch["id"], "since=%d" % (first["create_at"] - 1))
    assert len(j["order"]) == 1000
    assert first["id"] in j["order"]


def test_list_etag_is_one_per_channel(history):
    s, c, _ = history
    bot = s.c["wbot0"]
    e = bot.get("/channels/%s/posts?per_page=1" % c).header("Etag")
    assert bot.get("/channels/%s/posts?page=1" % c).header("Etag") == e
    assert bot.get("/channels/%s/posts" % c,
                   headers={"If-None-Match": e}).status == 304


def test_list_non_member(setup):
    a = setup.c["wbot1"].get("/channels/%s/posts" % setup.other["id"])
    assert (a.status, a.json["id"]) == (
        403, "api.context.permissions.app_error")


def test_thread(setup):
    s = setup
    u, b = s.c["wuser0"], s.c["wbot0"]
    root = u.say(s.pub["id"], "root")
    r1 = b.say(s.pub["id"], "one", root=root.id)
    assert r1.json["reply_count"] == 1
    assert r1.json["parent_id"] == root.id
    assert b.say(s.pub["id"], "two", root=root.id).json["reply_count"] == 2
    t = b.get("/posts/%s/thread" % root.id).json
    assert t["order"][0] == root.id and t["order"][-1] == root.id
    assert len(t["posts"]) == 3
    assert b.get("/posts/" + r1.id).json["reply_count"] == 0
    a = b.say(s.pub["id"], "x", root=r1.id)
    assert (a.status, a.json["id"]) == (
        400, "api.post.create_post.root_id.app_error")
    apart = s.w.channel(s.team, "apart", b)
    a = b.say(apart["id"], "x", root=root.id)
    assert (a.status, a.json["id"]) == (
        400, "api.post.create_post.channel_root_id.app_error")
    a = b.post("/posts", {"channel_id": s.pub["id"], "message": "x",
                          "parent_id": root.id})
    assert (a.status, a.json["id"]) == (
        400, "api.post.create_post.root_id.app_error")


def test_absent_routes(setup):
    """What 5.37 does not have."""
    for path in ("/users/%s/channels" % setup.c["wbot0"].id,
                 "/users/me/channel_members"):
        a = setup.c["wbot0"].get(path)
        assert a.status == 404
        assert a.json["id"] == "api.context.404.app_error"
        assert a.header("X-Request-Id") is None
        assert a.header("Content-Type") == "text/plain; charset=utf-8"


@pytest.mark.parametrize("n,status,error", [
    (8000, 201, None), (8001, 400, "model.post.is_valid.props.app_error")])
def test_props_limit(setup, n, status, error):
    overhead = len('{"from_bot":"true","k":""}')
    a = setup.c["wbot0"].say(setup.pub["id"], "p",
                             props={"k": "x" * (n - overhead)})
    assert a.status == status
    if error:
        assert a.json["id"] == error


def test_runes(setup):
    """The limit counts characters, not bytes."""
    b = setup.c["wbot0"]
    a = b.say(setup.pub["id"], "\U0001f600" * 16383)
    assert a.status == 201 and len(a.body) > 65000
    assert b.say(setup.pub["id"], "\U0001f600" * 16384).status == 400
    assert b.say(setup.pub["id"], "a\0b").status == 500
    raw = b'{"channel_id":"%s","message":"\\ud800x \xff"}' % \
        setup.pub["id"].encode()
    assert b.post("/posts", raw).json["message"] == "\ufffdx \ufffd"
