"""Weights over HTTP, from a real server on loopback."""

import dataclasses
import hashlib
import http.server
import random
import socket
import threading
import unittest
import unittest.mock

import support  # noqa: F401: finds scripts/, or skips
from support import TestCase

from model_export import download
from model_export.architectures import architecture
from model_export.weights import cache_folder, imagenet_weights

DATA = random.Random(1).randbytes(1_000_000)
SHA256 = hashlib.sha256(DATA).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Serves `data`; `cuts` has after how many bytes each of the next answers ends too early."""

    def __init__(self, test):
        super().__init__(("127.0.0.1", 0), Handler)
        self.data, self.knows_ranges, self.cuts, self.asked = DATA, True, [], []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        test.addCleanup(self.stop)

    def stop(self):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        asked = self.headers["Range"]
        server.asked.append(asked)
        if "absent" in self.path:
            self.send_error(404)
            return
        start = int(asked[len("bytes=") : -1]) if asked and server.knows_ranges else 0
        if start >= len(server.data):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(server.data) - 1}/{len(server.data)}")
        self.send_header("Content-Length", str(len(server.data) - start))
        self.end_headers()
        end = start + server.cuts.pop(0) if server.cuts else len(server.data)
        self.wfile.write(server.data[start:end])

    def log_message(self, *_):
        pass


class Download(TestCase):
    def setUp(self):
        super().setUp()
        # A proxy in the environment must not get requests for loopback.
        self.enterContext(unittest.mock.patch.dict("os.environ", {"no_proxy": "*"}))
        self.server = Server(self)
        self.arch = self.arch_at(self.server.server_address[1])
        self.path = self.folder / "cache" / f"net-{SHA256[:8]}.pth"
        self.part = self.path.with_name(self.path.name + ".part")

    def arch_at(self, port, name="net"):
        url = f"http://127.0.0.1:{port}/{name}-{SHA256[:8]}.pth"
        return dataclasses.replace(architecture("resnet18"), weights_url=url, sha256_prefix=SHA256[:8])

    def get(self, arch=None):
        return imagenet_weights(arch or self.arch, self.path.parent)

    def assert_whole(self):
        self.assertEqual(self.get(), self.path)
        self.assertEqual(self.path.read_bytes(), DATA)
        self.assertFalse(self.part.exists())

    def leave_part(self, content):
        self.part.parent.mkdir()
        self.part.write_bytes(content)

    def test_a_file_comes_once_and_is_then_used_without_a_network(self):
        self.assert_whole()
        self.server.stop()
        self.assert_whole()
        self.assertEqual(self.server.asked, [None])

    def test_progress_is_a_line_for_each_tenth(self):
        self.server.data = bytes(4 << 20)
        with self.problem(65), unittest.mock.patch.object(download, "CHUNK_BYTES", 1 << 12):
            self.get()
        lines = self.stderr.getvalue().splitlines()
        self.assertEqual(len(lines), 10, lines)
        self.assertIn("10 % of 4.2 MB", lines[0])
        self.assertIn("100 %", lines[-1])

    def test_a_cut_connection_goes_on_where_it_was_cut(self):
        self.server.cuts = [300_000, 1]
        self.assert_whole()
        self.assertEqual(self.server.asked, [None, "bytes=300000-", "bytes=300001-"])

    def test_a_later_run_goes_on(self):
        self.server.cuts = [400_000] + [0] * 20
        with self.problem(69, "127.0.0.1 hung up after 400000 bytes", "the same command goes on from there"):
            self.get()
        self.assertEqual(self.part.read_bytes(), DATA[:400_000])
        self.server.cuts, self.server.asked = [], []
        self.assert_whole()
        self.assertEqual(self.server.asked, ["bytes=400000-"])

    def test_a_run_that_was_killed_before_the_last_step_downloads_nothing(self):
        self.leave_part(DATA)
        self.assert_whole()
        self.assertEqual(self.server.asked, [])

    def test_a_server_without_ranges_starts_over(self):
        self.server.knows_ranges = False
        self.leave_part(DATA[:5000])
        self.assert_whole()

    def test_a_part_longer_than_the_file_starts_over(self):
        self.leave_part(DATA + b"more")
        self.assert_whole()
        self.assertEqual(self.server.asked, [f"bytes={len(DATA) + 4}-", None])

    def test_a_wrong_hash_leaves_nothing(self):
        self.server.data = b"someone else's weights"
        with self.problem(65, "SHA-256", SHA256[:8], "deleted"):
            self.get()
        self.assertEqual(list(self.path.parent.iterdir()), [])

    def test_a_damaged_file_in_the_cache_is_replaced(self):
        self.path.parent.mkdir()
        self.path.write_bytes(DATA[:-1] + b"?")
        self.assert_whole()
        self.assertIn("is damaged; it is downloaded again", self.stderr.getvalue())

    def test_more_bytes_than_any_weights_have(self):
        with self.problem(65, "more than 999999 bytes"):
            download.fetch(self.arch.weights_url, self.path, SHA256[:8], limit_bytes=999_999)

    def test_a_full_disk_names_the_file(self):
        self.part.parent.mkdir()
        self.part.symlink_to("/dev/full")
        with self.problem(73, f"cannot write {self.part}: No space left"):
            self.get()

    def test_a_second_download_of_the_same_file_keeps_out(self):
        self.part.parent.mkdir()
        with open(self.part, "ab") as other:
            download.fcntl.flock(other, download.fcntl.LOCK_EX)
            with self.problem(69, "another program"):
                self.get()

    def test_a_file_that_is_gone(self):
        with self.problem(69, "127.0.0.1 answers 404", "--checkpoint FILE"):
            self.get(self.arch_at(self.server.server_address[1], "absent"))

    def test_no_server_names_the_other_way_and_leaves_nothing(self):
        with socket.socket() as bound:  # nobody listens, and nobody else gets the port
            bound.bind(("127.0.0.1", 0))
            with self.problem(69, "127.0.0.1 cannot be reached (Connection refused)", "--checkpoint FILE"):
                self.get(self.arch_at(bound.getsockname()[1]))
        self.assertEqual(list(self.path.parent.iterdir()), [])

    def test_no_internet_names_the_official_host(self):
        failures = (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), TimeoutError("timed out"))
        for failure in failures:
            with unittest.mock.patch("socket.create_connection", side_effect=failure):
                with self.problem(69, "download.pytorch.org cannot be reached", failure.args[-1], "--checkpoint FILE"):
                    self.get(architecture("mobilenet_v2"))

    def test_the_cache_folder(self):
        for environment, want in (
            ({"XDG_CACHE_HOME": "/c"}, "/c/glimpse/weights"),
            ({"XDG_CACHE_HOME": "", "HOME": "/h"}, "/h/.cache/glimpse/weights"),
        ):
            with unittest.mock.patch.dict("os.environ", environment):
                self.assertEqual(str(cache_folder()), want)


if __name__ == "__main__":
    unittest.main()
