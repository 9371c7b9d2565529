"""Files that the model sends by URL: from configured hosts alone."""

import http.server
import threading

import pytest

from test_media import download, media_files, png
from tool_rig import Agent, call


class Files(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    log_message = lambda *args: None

    def do_GET(self):
        self.server.seen.append((self.path, self.headers.get("Authorization")))
        body = self.server.files.get(self.path)
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/a.png")
            body = b"moved"
        else:
            self.send_response(200 if body is not None else 404)
        body = body or b""
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def host():
    s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
    s.files = {"/a.png?x=1": png(), "/big": bytes(200000)}
    s.seen = []
    s.url = "http://127.0.0.1:%d" % s.server_port
    threading.Thread(target=s.serve_forever, daemon=True).start()
    yield s
    s.shutdown()
    s.server_close()


@pytest.fixture
def agent(llm, world, host):
    a = Agent(world, mediaHosts=[host.url], mediaMaxMb=0.1)
    a.start()
    return a


def posts(agent):
    w = agent.world
    return w.server.replies(w.dm, w.bot, w.user.api)


def test_file_of_a_media_host(agent, host):
    got = agent.do([call(action="send", message="a picture",
                         media=host.url + "/a.png?x=1#part")])
    assert '"ok":true' in got[0].replace(" ", ""), got
    agent.wait_said(["a picture", "done"])
    first = posts(agent)[0]
    (i,) = first["file_ids"]
    assert download(agent.world.user, i) == png()
    info = agent.world.user.api.get("/files/%s/info" % i)
    assert info["name"] == "a.png" and info["mime_type"] == "image/png"
    # Without any token, and nothing stays behind.
    assert host.seen == [("/a.png?x=1", None)]
    agent.postern.wait(lambda: media_files(agent.world) == [])
    # Its tool was offered for that.
    tool = agent.requests()[-1]["tools"][0]["function"]
    assert "media" in tool["parameters"]["properties"]


def test_file_with_another_name(agent, host):
    agent.do([call(action="send", media=host.url + "/a.png?x=1",
                   filename="../the plan.png")])
    agent.wait_said(["", "done"])
    (i,) = posts(agent)[0]["file_ids"]
    info = agent.world.user.api.get("/files/%s/info" % i)
    assert info["name"] == "the plan.png"
    assert info["mime_type"] == "image/png"


def test_file_alone(agent, host):
    agent.do([call(action="send", media=host.url + "/a.png?x=1")])
    agent.wait_said(["", "done"])
    assert len(posts(agent)[0]["file_ids"]) == 1


def test_file_that_cannot_be_had(agent, host):
    cases = [("/none", "404"), ("/big", "larger than mediaMaxMb"),
             ("/moved", "302")]
    got = agent.do([call(id="c%d" % n, action="send", message="x",
                         media=host.url + path)
                    for n, (path, _) in enumerate(cases)])
    for text, (_, want) in zip(got, cases):
        assert "Mattermost media upload failed: " in text and want in text
    agent.wait_said(["done"])
    agent.postern.wait(lambda: media_files(agent.world) == [])


def test_other_hosts_are_links(agent, host):
    agent.do([call(action="send", message="see",
                   media="https://example.com/a.png"),
              call(id="c2", action="send", message="and",
                   media=agent.world.server.url + "/api/v4/users/me")])
    agent.wait_said(["see\nhttps://example.com/a.png",
                     "and\n" + agent.world.server.url + "/api/v4/users/me",
                     "done"])
    assert host.seen == []
