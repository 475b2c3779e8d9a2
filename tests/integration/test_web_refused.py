"""The live page's interface and those who mean it no good, or have no luck: docs/web.md."""

import contextlib
import os
import signal
import socket
import stat
import time
import unittest

from harness import glimpse, wait_until
from web_page import JSON, Answer, Page, Parts, WebTestCase, read_all

# In use, by whatever is in it; a sanitizer's allocator keeps far more.
ENOUGH_MB = 60

# 500,000,000 zeros packed by Brotli.
ZEROS = bytes.fromhex(
    "f8ffff0f8004403c1648eefd3fffffff01"
    + 3 * ("900088c302d0bdffe7ffff3f001200715800baf7fffcffff074002200e0b40f7fe9fffffff004800c46101e8defff3ffff1f000980382c00"
           "ddfb7ffeffff032001108705a07bffcfffff7f002400e2b00074effff9ffff0f8004401c1680eefd3fffffff01")
    + "900088c302d0bdffe7ffff3f001200715800baf7fffcffff074002200e0b40f7fe9fffffff004800c46101e8deffe73f5933000980382c005dae66")


class BadStart(WebTestCase):
    def refused(self, address, code, *words, more=()):
        result = glimpse("--source", "test", "--frames", "1", "--web", address, *more)
        self.assert_refused(result, code, *words)
        self.assertNotIn("model demo", result.out + result.err)  # before anything is loaded

    def test_a_port_that_is_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            address = f"127.0.0.1:{other.getsockname()[1]}"
            self.refused(address, 69, "--web", address, "in use", "ss -ltnp")

    def test_a_port_that_another_glimpse_has(self):
        page = Page(self)
        self.refused(f"127.0.0.1:{page.port}", 69, "in use")

    def test_an_address_that_is_not_ours(self):
        self.refused("192.0.2.1:8080", 69, "192.0.2.1:8080", "ip address")  # RFC 5737: of nobody
        self.refused("nobody.invalid:8080", 69, "nobody.invalid:8080")  # RFC 6761

    def test_no_address_at_all(self):
        for text in ("", "8080", "127.0.0.1", ":8080", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:http", "::1:8080",
                     "http://127.0.0.1:8080", "[::1:8080", "127.0.0.1:8080/", "a b:80"):
            if text:
                self.refused(text, 64, "--web", "127.0.0.1:8080")

    def test_a_token_that_is_not_safe(self):
        token = self.folder / "state" / "glimpse" / "web-token"
        token.parent.mkdir(parents=True, mode=0o700)
        for content, mode in (("a" * 64, 0o644), ("short\n", 0o600), ("G" * 64, 0o600), ("", 0o600)):
            token.write_text(content, encoding="utf-8")
            token.chmod(mode)
            self.refused("0.0.0.0:0", 77, str(token))
            token.unlink()


class Token(WebTestCase):
    def setUp(self):
        super().setUp()
        self.file = self.folder / "state" / "glimpse" / "web-token"

    def test_another_address_demands_it(self):
        page = Page(self, address="0.0.0.0:0")
        token = self.file.read_text(encoding="utf-8").strip()
        self.assertRegex(token, "^[0-9a-f]{64}$")
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)
        said = "".join(page.log)
        self.assertIn(str(self.file), said)
        self.assertNotIn(token, said)
        wrong = token[:-1] + ("0" if token[-1] != "0" else "1")
        for headers in ((), ("Authorization: Bearer " + wrong,), ("Authorization: Bearer",), ("Authorization: Bearer " + token[:-1],),
                        ("Authorization: Basic " + token,), (f"Cookie: glimpse_{page.port}={wrong}",), ("Cookie: glimpse=" + token,)):
            for path in ("/", "/chart.js", "/api/status", "/api/events", "/stream.mjpg", "/snapshot.jpg", "/metrics", "/nothing"):
                answer = page.ask(path, *headers)
                self.assertEqual((answer.status, answer.header("WWW-Authenticate")), (401, "Bearer"), (path, headers))
        self.assertEqual(page.ask("/?token=" + wrong).status, 401)
        self.assertEqual(page.ask("/healthz").status, 200)
        for headers in (("Authorization: Bearer " + token,), (f"Cookie: a=b; glimpse_{page.port}={token}",)):
            self.assertEqual(page.ask("/api/settings", *headers).status, 200)
            self.assertEqual(page.patch({"top_k": 4}, JSON, *headers).status, 200)
        self.assertEqual(page.ask("/api/settings?token=" + token).status, 200)
        self.assertEqual(page.ask("/api/settings?token=" + token, JSON, method="PATCH", body=b'{"top_k": 3}').status, 401)

    def test_a_browser_needs_it_once(self):
        page = Page(self, address="0.0.0.0:0")
        token = self.file.read_text(encoding="utf-8").strip()
        answer = page.ask("/?token=" + token, "Host: pi.example:8080")  # whatever the network calls the machine
        self.assertEqual((answer.status, answer.header("Location")), (303, "/"))
        cookie, *properties = answer.header("Set-Cookie").split("; ")
        self.assertEqual(cookie, f"glimpse_{page.port}={token}")
        self.assertIn("HttpOnly", properties)
        self.assertIn("SameSite=Strict", properties)
        self.assertEqual(page.ask("/", "Cookie: " + cookie).status, 200)

    def test_it_stays_the_same(self):
        first = Page(self, address="0.0.0.0:0")
        token = self.file.read_text(encoding="utf-8")
        second = Page(self, address="0.0.0.0:0")
        self.assertEqual(self.file.read_text(encoding="utf-8"), token)
        for page in (first, second):
            self.assertEqual(page.ask("/api/status?token=" + token.strip()).status, 200)

    def test_open_by_wish_with_a_warning(self):
        page = Page(self, "--web-open", address="0.0.0.0:0")
        self.assertIn("--web-open: whoever reaches", "".join(page.log))
        self.assertFalse(self.file.exists())
        for host, status in (("127.0.0.1", 200), ("192.0.2.7:80", 200), ("[2001:db8::1]:8080", 200), (socket.gethostname(), 200),
                             (socket.gethostname().upper() + ".local", 200), ("evil.example", 403), ("", 403)):
            self.assertEqual(page.ask("/api/status", "Host: " + host).status, status, host)

    def test_on_loopback_by_ipv6(self):
        page = Page(self, address="[::1]:0")
        self.assertIn(f"page http://[::1]:{page.port}/\n", "".join(page.log))
        for host, status in ((f"[::1]:{page.port}", 200), ("localhost", 200), ("evil.example", 403)):
            self.assertEqual(page.ask("/", "Host: " + host).status, status, host)
        self.assertFalse(self.file.exists())

    def test_on_loopback_by_a_name(self):
        name = socket.gethostname()
        try:
            loopback = socket.gethostbyname(name).startswith("127.")
        except OSError:
            loopback = False
        if not loopback:  # Debian's way is 127.0.1.1; unit_web has the rule for other machines
            self.skipTest(name + " is not on loopback here")
        page = Page(self, address=name + ":0")
        self.assertEqual(page.ask("/", f"Host: {name}:{page.port}").status, 200)
        self.assertEqual(page.ask("/", "Host: evil.example").status, 403)

    def test_on_loopback_only_its_own_names_are_answered(self):
        page = Page(self)
        for host, status in (("localhost", 200), ("127.0.0.1:1", 200), ("LOCALHOST:8080", 200), ("[::1]", 200), ("evil.example", 403),
                             ("127.0.0.1.evil.example", 403), ("192.0.2.7", 403), ("", 403), ("[", 403)):
            self.assertEqual(page.ask("/", "Host: " + host).status, status, host)


class Viewers(WebTestCase):
    def test_200_at_once(self):
        page = Page(self).wait_for_frames()
        before = page.memory_mb()
        for path in ("/stream.mjpg", "/api/events"):
            connections = [page.open(path) for _ in range(200)]
            starts = [connection.recv(15) for connection in connections]
            self.assertEqual(starts.count(b"HTTP/1.1 200 OK"), 8, path)
            refused = [read_all(connection) for connection, start in zip(connections, starts) if start.startswith(b"HTTP/1.1 503")]
            self.assertEqual(len(refused), 192)
            self.assertIn(b"8 viewers", refused[0])
            self.assert_headers(Answer(b"HTTP/1.1 503 Se" + refused[0]))
            self.assertEqual(page.ask("/api/status").status, 200)
            for connection in connections:
                connection.close()
        wait_until(lambda: page.viewers() == 0, "all viewers to be gone")
        self.assertLess(page.memory_mb() - before, ENOUGH_MB)
        wait_until(lambda: page.threads() < 40, "their threads to be gone")
        with page.open("/stream.mjpg") as connection:
            Parts(connection).next()

    def test_200_who_say_nothing_and_200_who_say_half(self):
        page = Page(self).wait_for_frames()
        before = page.memory_mb()
        connections = [page.connect() for _ in range(400)]
        for connection in connections[200:]:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: loc")
        self.assertEqual(page.ask("/api/status").status, 200)
        self.assertLess(page.threads(), 40)
        half = [read_all(connection) for connection in connections]
        self.assertTrue(any(b" 408 " in answer and b"within 5 s" in answer for answer in half))
        self.assertEqual(sum(answer == b"" or b" 408 " in answer for answer in half), 400)
        for connection in connections:
            connection.close()
        self.assertLess(page.memory_mb() - before, ENOUGH_MB)

    def test_one_who_reads_a_byte_a_second(self):
        page = Page(self).wait_for_frames()
        threads, before = page.threads(), page.memory_mb()
        with page.open("/stream.mjpg", receive_buffer=2048) as slow, page.open("/stream.mjpg") as quick:
            parts = Parts(quick)
            parts.next()
            self.assertEqual(slow.recv(1), b"H")
            self.assertLessEqual(page.threads(), threads + 3)
            wait_until(lambda: bool(slow.recv(1)) and page.viewers() == 1, "the slow one to be given up")
            for _ in range(5):
                self.assertTrue(parts.next())
            self.assertLess(page.memory_mb() - before, ENOUGH_MB)

    def test_one_who_goes_in_the_middle_of_the_stream(self):
        page = Page(self).wait_for_frames()
        for _ in range(20):
            viewer = page.open("/stream.mjpg")
            viewer.recv(1000)
            # Gone without a word: a reset.
            viewer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            viewer.close()
        wait_until(lambda: page.viewers() == 0, "all viewers to be gone")
        self.assertEqual(page.ask("/api/status").status, 200)

    def test_a_stream_that_has_no_pictures_any_more(self):
        page = Page(self, source=("--source", "gst:videotestsrc num-buffers=30 is-live=true ! videoconvert"))
        page.wait_for_frames()
        with page.open("/stream.mjpg") as viewer, page.open("/stream.mjpg") as chatting:
            Parts(viewer)
            Parts(chatting)
            chatting.sendall(b"x")
            wait_until(lambda: page.ask("/snapshot.jpg").status == 503, "the pictures to end")
        wait_until(lambda: page.viewers() == 0, "the viewer to be gone")
        wait_until(lambda: page.ask("/healthz").status == 503, "the run to be unhealthy")
        self.assertRegex(page.ask("/healthz").json()["reason"], r"^no frame named for \d+ s$")


class BadRequests(WebTestCase):
    def assert_refusal(self, answer, status):
        self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(answer.json()["status"], status)
        self.assert_headers(answer)

    def refused(self, page, status, data):
        """With this status and an answer as docs/web.md has it; and others are answered."""
        with self.subTest(data[:150]):
            self.assert_refusal(page.send(data), status)
            self.assertEqual(page.ask("/api/status").status, 200)

    def test_headers_of_10_mb(self):
        page = Page(self).wait_for_frames()
        before = page.memory_mb()
        for data in (b"GET / HTTP/1.1\r\nA: " + b"x" * 10_000_000, b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 1_700_000,
                     b"GET /" + b"a" * 10_000_000 + b" HTTP/1.1\r\n\r\n", b"\0" * 10_000_000):
            self.refused(page, 431, data)
        self.assertLess(page.memory_mb() - before, ENOUGH_MB)

    def test_one_line_too_long(self):
        page = Page(self).wait_for_frames()
        head = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
        for size, status in ((8192, 200), (8193, 431), (16_000, 431), (16_500, 431)):
            self.assertEqual(page.send(head + b"A: " + b"x" * (size - 5) + b"\r\n\r\n").status, status, size)
        self.refused(page, 414, b"GET /" + b"a" * 8200 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")

    def test_a_body_that_is_none(self):
        page = Page(self).wait_for_frames()
        head = f"PATCH /api/settings HTTP/1.1\r\nHost: localhost\r\n{JSON}\r\n".encode()
        chunk = b"400\r\n" + b" " * 1024 + b"\r\n"
        for status, data in ((413, b"Content-Length: 10000000\r\n\r\n" + b" " * 10_000_000), (413, b"Content-Length: 4097\r\n\r\n"),
                             (411, b"Transfer-Encoding: chunked\r\n\r\n" + chunk),
                             (411, b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 10_000),
                             (411, b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}"),
                             (400, b"Content-Length: -1\r\n\r\n{}"), (400, b"\r\n"), (400, b"\r\n{}")):
            self.refused(page, status, head + data)

    def test_half_a_request_and_one_that_trickles_are_given_5_s(self):
        page = Page(self).wait_for_frames()
        patch = f"PATCH /api/settings HTTP/1.1\r\nHost: localhost\r\n{JSON}\r\nContent-Length: 20\r\n\r\n{{".encode()
        for head in (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n", patch):
            with page.connect() as trickling, page.connect() as silent:
                begun = time.monotonic()
                silent.sendall(head)
                trickling.sendall(head)
                trickling.settimeout(0.35)
                answer = b""
                while not answer and time.monotonic() - begun < 30:
                    with contextlib.suppress(TimeoutError):
                        trickling.sendall(b" ")
                        answer = trickling.recv(10_000)
                answer += read_all(trickling)
                lasted = time.monotonic() - begun
                for got in (answer, read_all(silent)):
                    self.assert_refusal(Answer(got), 408)
                self.assertGreater(lasted, 4)

    def test_a_body_that_would_unpack_to_500_mb(self):
        page = Page(self).wait_for_frames()
        before = page.memory_mb("VmHWM")
        for encoding in ("br", "gzip", "deflate", "identity"):
            self.refused(page, 415, f"PATCH /api/settings HTTP/1.1\r\nHost: localhost\r\n{JSON}\r\nContent-Encoding: {encoding}\r\n"
                                    f"Content-Length: {len(ZEROS)}\r\n\r\n".encode() + ZEROS)
        self.assertLess(page.memory_mb("VmHWM") - before, ENOUGH_MB)

    def test_what_is_no_http(self):
        page = Page(self).wait_for_frames()
        for data in (b"\r\n\r\n", b"hello\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\r\n\r\n",
                     b"GET  /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n", b" GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
                     b"GET / HTTP/1.1\nHost: localhost\r\n\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nA: \1\r\n\r\n",
                     b"NOTHING / HTTP/1.1\r\nHost: localhost\r\n\r\n"):
            self.refused(page, 400, data)
        self.refused(page, 405, b"PRI /x HTTP/1.1\r\nHost: localhost\r\n\r\n")

    def test_targets_that_are_no_path(self):
        page = Page(self).wait_for_frames()
        for target in ("#", "*", "?a", "http://localhost/", "/stream%2emjpg", "/stream.mjpg#x", "/%", "/%zz", "/\xff\xfe"):
            self.refused(page, 404, f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode("latin-1"))
        page.process.send_signal(signal.SIGINT)
        page.process.wait()
        page.end()
        self.assertNotIn("the page: ", "".join(page.log))

    def test_ranges_multiply_nothing(self):
        page = Page(self).wait_for_frames()
        whole = page.ask("/chart.js").body
        for ranges in (",".join(["0-"] * 500), "0-9", "x", "9-0"):
            answer = page.ask("/chart.js", "Range: bytes=" + ranges)
            self.assertEqual((answer.status, answer.body), (200, whole), ranges)

    def test_no_way_out_of_the_embedded_files(self):
        page = Page(self)
        for path in ("/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc%2fpasswd", "//etc/passwd", "/etc/passwd",
                     "/./index.html", "/index.html%00.js", "/web-token", "/..", "/page/index.html", "/%", "/%zz"):
            self.assertEqual(page.ask(path).status, 404, path)

    def test_out_of_descriptors(self):
        def few():
            import resource
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

        page = Page(self, limits=few).wait_for_frames()
        connections = [page.connect() for _ in range(60)]
        wait_until(lambda: page.descriptors() == 64, "all descriptors to be in use")
        # It goes on, and asks for one five times a second, not all the time.
        named, begun, ticks = int(page.last_frame()), time.monotonic(), page.page_ticks()
        wait_until(lambda: int(page.last_frame()) > named + 30, "more frames")
        spent = (page.page_ticks() - ticks) / os.sysconf("SC_CLK_TCK")
        self.assertEqual(page.descriptors(), 64)
        self.assertLess(spent, 0.3 * (time.monotonic() - begun) + 0.1)
        for connection in connections:
            connection.close()
        self.assertEqual(page.ask("/api/status").status, 200)
        page.process.send_signal(signal.SIGINT)
        self.assertEqual(page.process.wait(timeout=3), 0, page.log)


if __name__ == "__main__":
    unittest.main()
