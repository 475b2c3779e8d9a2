#!/usr/bin/env python3
"""A web server on a free port of loopback that serves one file, well or in one of many bad ways.

usage: http_server.py FILE LOG [CERT KEY]   prints its port; LOG gets a line for each request: path, Range, If-Range, status

The path's first part says how: see HOW. "once" in it: the first request alone is treated badly.
"""

import http.server
import pathlib
import ssl
import sys
import threading
import time

data = pathlib.Path(sys.argv[1]).read_bytes()
log = open(sys.argv[2], "a", buffering=1, encoding="utf-8")
seen = {}
lock = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def note(self, status):
        asked = self.headers.get("Range", "-"), self.headers.get("If-Range", "-")
        with lock:
            print(self.path, *(word.replace(" ", "_") for word in asked), status, file=log)

    def head(self, status, headers):
        self.note(status)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def do_GET(self):
        how = self.path.split("/")[1]
        with lock:
            count = seen[self.path] = seen.get(self.path, 0) + 1
        if how.endswith("-once"):
            how = how[: -len("-once")] if count == 1 else "plain"
        try:
            HOW[how](self, count)
        except (ConnectionError, ssl.SSLError):
            pass

    def serve(self, etag='"one"', part=None, **others):
        """part: as much of it as really comes."""
        body, status = data, 200
        validators = {"ETag": etag} if etag else {}
        validators.update(others)
        headers = {**validators}
        wanted = self.headers.get("Range")
        if wanted and self.headers.get("If-Range") in validators.values():
            first = int(wanted.removeprefix("bytes=").removesuffix("-"))
            body, status = data[first:], 206
            headers["Content-Range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
        headers["Content-Length"] = str(len(body))
        self.head(status, headers)
        self.wfile.write(body[:part])

    def cut(self, _):
        self.serve(part=len(data) // 2)

    def crumbs(self, _):
        self.serve(part=60000)

    def changed(self, count):
        self.serve(etag=f'"{count}"', part=len(data) // 2 if count == 1 else None)

    def weak(self, count):
        self.serve(etag='W/"one"', part=len(data) // 2 if count == 1 else None)

    def dated(self, count):
        self.serve(etag=None, part=len(data) // 2 if count == 1 else None,
                   **{"Last-Modified": "Sun, 22 Nov 2026 10:00:00 GMT"})

    def stall(self, _):
        self.head(200, {"ETag": '"one"', "Content-Length": str(len(data))})
        self.wfile.write(data[: len(data) // 2])
        time.sleep(60)

    def longer(self, _):
        self.head(200, {})  # without a length: to the end of the connection
        self.wfile.write(data + b"x" * 100)

    def shorter(self, _):
        self.head(200, {"Content-Length": str(len(data) - 1)})
        self.wfile.write(data[:-1])

    def unending(self, _):
        self.head(200, {})
        while True:
            self.wfile.write(bytes(1 << 16))

    def announces(self, _):
        self.head(200, {"Content-Length": str(len(data) + 1)})

    def another_range(self, count):
        if count == 1:
            return self.serve(part=len(data) // 2)
        if self.headers.get("Range"):
            self.head(206, {"Content-Range": f"bytes 1-{len(data) - 1}/{len(data)}", "Content-Length": str(len(data) - 1)})
            return self.wfile.write(data[1:])
        return self.serve()

    def longer_range(self, count):
        if count == 1:
            return self.serve(part=len(data) // 2)
        first = len(data) // 2
        self.head(206, {"Content-Range": f"bytes {first}-{len(data)}/{len(data) + 1}", "Content-Length": str(len(data) + 1 - first)})
        return self.wfile.write(data[first:] + b"x")

    def no_such_range(self, count):
        if count == 1:
            return self.serve(part=len(data) // 2)
        return self.status(416) if self.headers.get("Range") else self.serve()

    def status(self, code):
        words = b"AccessDenied and many more words" * 100
        self.head(code, {"Content-Length": str(len(words))})
        self.wfile.write(words)

    def redirect(self, _):
        self.head(302, {"Location": self.path.split("?to=", 1)[1], "Content-Length": "0"})

    def loop(self, _):
        self.head(302, {"Location": self.path, "Content-Length": "0"})

    def no_http(self, _):
        self.note(0)
        self.wfile.write(b"hello\r\n\r\n")
        self.close_connection = True


HOW = {
    "plain": lambda it, _: it.serve(),
    **{name: getattr(Handler, name) for name in
       "cut crumbs changed weak dated stall longer shorter unending announces another_range longer_range no_such_range redirect loop no_http".split()},
    **{str(code): lambda it, _, code=code: it.status(code) for code in (204, 304, 400, 403, 404, 408, 410, 429, 500, 503)},
}

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
if len(sys.argv) > 3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3], sys.argv[4])
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
threading.Thread(target=lambda: (sys.stdin.read(), server.shutdown()), daemon=True).start()
server.serve_forever()
