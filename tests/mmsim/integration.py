"""A scripted integration: the HTTP server that a command or button calls."""

import http.server
import threading
import time


class Integration:
    """Answers by path; what came is in .calls, in order."""

    def __init__(self):
        self.calls = []
        self.replies = {}
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                n = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(n).decode()
                owner.calls.append({
                    "line": self.requestline, "path": self.path,
                    "headers": [list(h) for h in self.headers.items()],
                    "body": body})
                owner.reply(self)

            do_POST = do_GET = answer

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = "http://127.0.0.1:%d" % self.port
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def set(self, path, body="{}", status=200, headers=None, delay=0):
        """body None: the connection is closed without an answer."""
        self.replies[path] = (status, headers, body, delay)

    def reply(self, h):
        path = h.path.split("?")[0]
        status, headers, body, delay = self.replies.get(
            path, (200, None, "{}", 0))
        if delay:
            time.sleep(delay)
        if body is None:
            h.close_connection = True
            return
        data = body.encode()
        h.send_response_only(status)
        if headers is None:
            headers = [("Content-Type", "application/json")]
        for k, v in headers:
            if k != "Content-Length":
                h.send_header(k, v)
        h.send_header("Content-Length", str(len(data)))
        h.end_headers()
        h.wfile.write(data)

    def take(self):
        """The calls since the last take."""
        got, self.calls = self.calls, []
        return got

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
