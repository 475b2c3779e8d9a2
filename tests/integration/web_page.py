"""A running glimpse with --web, and HTTP over raw sockets: what no well-behaved client would send can be sent, too."""

import contextlib
import json
import os
import re
import socket
import subprocess
import threading

from harness import PATIENCE_S, TestCase, start, wait_until

JSON = "Content-Type: application/json"


class Answer:
    def __init__(self, data):
        head, _, self.body = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split(" ")[1]) if lines[0].startswith("HTTP/1.1 ") else 0
        self.headers = [tuple(line.split(": ", 1)) for line in lines[1:]]

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def json(self):
        return json.loads(self.body)


def read_all(connection):
    data = b""
    try:
        while part := connection.recv(65536):
            data += part
    except ConnectionResetError:
        pass
    return data


class WebTestCase(TestCase):
    def assert_headers(self, answer):
        """What docs/web.md promises of all answers."""
        self.assertIn("default-src 'none'", answer.header("Content-Security-Policy"))
        self.assertIn("frame-ancestors 'none'", answer.header("Content-Security-Policy"))
        self.assertNotIn("unsafe", answer.header("Content-Security-Policy"))
        self.assertEqual(answer.header("Cache-Control"), "no-store")
        self.assertEqual(answer.header("X-Content-Type-Options"), "nosniff")
        self.assertEqual(answer.header("Referrer-Policy"), "no-referrer")
        self.assertEqual(answer.header("Cross-Origin-Resource-Policy"), "same-origin")


class Page:
    """`address` as --web takes it; a port of 0 is any that is free."""

    def __init__(self, test, *arguments, address="127.0.0.1:0", source=("--source", "test"), limits=None):
        self.process = start(*source, "--interval", "200ms", "--json", "--web", address, *arguments, preexec_fn=limits)
        self.log, self.told, self.keepers = [], [], []
        test.addCleanup(self.end)
        self.port = None
        host = address.rpartition(":")[0].strip("[]")
        self.family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.host = "127.0.0.1" if host == "0.0.0.0" else host
        for line in self.process.stderr:
            self.log.append(line)
            if found := re.search(r"page http://\S*:(\d+)/", line):
                self.port = int(found[1])
                break
        if not self.port:
            raise AssertionError("no page:\n" + "".join(self.log))
        # What nobody reads would fill the pipes, and the program would wait.
        for stream in (self.process.stdout, self.process.stderr):
            self.keepers.append(threading.Thread(target=self.keep, args=(stream,), daemon=True))
            self.keepers[-1].start()

    def keep(self, stream):
        for line in stream:
            (self.log if stream is self.process.stderr else self.told).append(line)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for keeper in self.keepers:
            keeper.join()
        self.process.stdout.close()
        self.process.stderr.close()

    def connect(self, receive_buffer=None):
        connection = socket.socket(self.family)
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(PATIENCE_S)
        connection.connect((self.host, self.port))
        return connection

    def send(self, data):
        """Sends these bytes and gives the whole answer."""
        with self.connect() as connection:
            try:
                connection.sendall(data)
            except (BrokenPipeError, ConnectionResetError):
                pass  # it has heard enough
            return Answer(read_all(connection))

    def ask(self, path, *headers, method="GET", body=b""):
        own_host = any(header.lower().startswith("host:") for header in headers)
        lines = [f"{method} {path} HTTP/1.1", *([] if own_host else [f"Host: 127.0.0.1:{self.port}"]), *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def patch(self, change, *headers):
        body = change if isinstance(change, bytes) else json.dumps(change).encode()
        return self.ask("/api/settings", *(headers or [JSON]), method="PATCH", body=body)

    def open(self, path, receive_buffer=None):
        """A viewer that has asked and stays."""
        connection = self.connect(receive_buffer)
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        return connection

    def metric(self, name):
        text = self.ask("/metrics").body.decode()
        return float(re.search(rf"^glimpse_{re.escape(name)} (\S+)$", text, re.MULTILINE)[1])

    def wait_for_frames(self):
        wait_until(lambda: self.metric("inference_seconds_count") > 0, "the first frame")
        return self

    def viewers(self):
        return self.metric('web_viewers{stream="pictures"}')

    def memory_mb(self, kind="VmRSS"):
        """Now, or with VmHWM the most ever."""
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith(kind + ":"))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def last_frame(self):
        """Of the last record on standard output, how many frames there were."""
        return json.loads(self.told[-1])["frames"]["seen"] if self.told else 0

    def page_ticks(self):
        """CPU time of the page's threads, those that run with another nice value than the program, in clock ticks."""
        spent = 0
        for thread in os.listdir(f"/proc/{self.process.pid}/task"):
            with contextlib.suppress(FileNotFoundError), open(f"/proc/{self.process.pid}/task/{thread}/stat", encoding="utf-8") as stat:
                fields = stat.read().rpartition(")")[2].split()
                if int(fields[16]) > os.getpriority(os.PRIO_PROCESS, self.process.pid):
                    spent += int(fields[11]) + int(fields[12])
        return spent

    def threads(self):
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("Threads:"))


class Parts:
    """The pictures of a multipart/x-mixed-replace stream, one after the other."""

    def __init__(self, connection):
        self.file = connection.makefile("rb")
        status = self.file.readline()
        if b" 200 " not in status:
            raise AssertionError(status + self.file.read())
        while line := self.file.readline().strip():
            if line.lower().startswith(b"content-type:"):
                self.boundary = line.split(b"boundary=")[1]

    def next(self):
        while self.file.readline().strip() != b"--" + self.boundary:
            pass
        length = 0
        while line := self.file.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return self.file.read(length)


def jpeg_size(picture):
    """Width and height, from the frame header (ITU T.81, B.2.2)."""
    at = 2
    while picture[at + 1] not in (0xC0, 0xC1, 0xC2):
        at += 2 + int.from_bytes(picture[at + 2:at + 4], "big")
    return int.from_bytes(picture[at + 7:at + 9], "big"), int.from_bytes(picture[at + 5:at + 7], "big")


def prometheus_samples(text):
    """As Prometheus's own parser for Python reads them, in Debian's Python: name, labels, value; and the types."""
    script = ("import json, sys; from prometheus_client.parser import text_string_to_metric_families as parse\n"
              "families = list(parse(sys.stdin.read()))\n"
              "print(json.dumps([[[s.name, s.labels, s.value] for f in families for s in f.samples], "
              "{f.name: [f.type, f.documentation] for f in families}]))")
    done = subprocess.run(["/usr/bin/python3", "-c", script], input=text, capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)
