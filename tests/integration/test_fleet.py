"""tests/bench/fleet.py in small: its figures, that it sees a loss, and what it refuses."""

import fcntl
import json
import os
import resource
import subprocess
import sys
import unittest

from harness import PATIENCE_S, ROOT, Result, TestCase, free_port

SCRIPT = str(ROOT / "tests" / "bench" / "fleet.py")


class Fleet(TestCase):
    def setUp(self):
        super().setUp()
        self.port = free_port()

    def fleet(self, *arguments, **options):
        command = [sys.executable, "-B", SCRIPT, "--broker-dir", self.folder / "broker", "--state", self.folder, "--port", self.port, *arguments]
        done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_S,
                              **options)
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    def assert_refused(self, result, code, *words):
        self.assertEqual(result.code, code, result.err)
        self.assertEqual(len(result.err.splitlines()), 1, result.err)
        for word in words:
            self.assertIn(word, result.err)
        self.assertEqual(result.out, "")

    def test_five_devices_in_two_processes(self):
        result = self.fleet("--devices", "5", "--processes", "2", "--records", "3", "--interval", "0.2", "--json")
        self.assertEqual(result.code, 0, result.err)
        figures = json.loads(result.out)
        for name in ("made", "received", "acknowledged"):
            self.assertEqual(figures[name], 15, name)
        for name in ("lost", "twice", "strange", "dropped", "pending"):
            self.assertEqual(figures[name], 0, name)
        self.assertEqual(figures["connected"], 5)
        self.assertGreater(figures["memory_mib"]["devices"]["rss"], figures["memory_mib"]["devices"]["private"])
        self.assertGreaterEqual(figures["threads"], 5 * 3)  # publisher, outbox, relay
        self.assertGreater(figures["record_bytes"], 1300)
        self.assertLess(figures["record_bytes"], 1700)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["broker"])  # no state is left behind
        self.assert_a_loss_is_seen()

    def assert_a_loss_is_seen(self):
        """Mosquitto acknowledges what its ACL forbids, and throws it away: one device comes with the certificate of another name."""
        broker = self.folder / "broker"
        stranger = ["openssl", "req", "-new", "-key", broker / "devices" / "fleet-1.key", "-subj", "/CN=stranger"]
        request = subprocess.run(stranger, check=True, capture_output=True).stdout
        subprocess.run(["openssl", "x509", "-req", "-CA", broker / "ca.crt", "-CAkey", broker / "ca.key", "-CAcreateserial", "-days", "2",
                        "-out", broker / "devices" / "fleet-1.crt"], input=request, check=True, capture_output=True)
        result = self.fleet("--devices", "2", "--records", "3", "--interval", "0.2")
        self.assertEqual(result.code, 1, result.err)
        self.assertIn("6 made, 3 received, 6 acknowledged; 3 lost", result.out)

    def test_bad_arguments(self):
        for arguments, words in ((["--devices", "0"], "from 1 to 1000000"), (["--interval", "-1"], "from 0 to 86400"),
                                 (["--interval", "nan"], "from 0 to 86400"), (["--port", "70000"], "1 to 65535"), (["--records", "x"], '"x"')):
            with self.subTest(arguments=arguments):
                self.assert_refused(self.fleet(*arguments), 64, arguments[0], words)

    def test_no_folder_for_the_state(self):
        self.assert_refused(self.fleet("--state", self.folder / "none"), 69, "--state", "none")

    def test_more_files_than_this_user_may_open(self):
        result = self.fleet("--devices", "20", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (99, 99)))
        self.assert_refused(result, 69, "194 files", "ulimit -n", "may have 99", "--devices")

    def test_a_second_run_on_the_same_broker(self):
        (self.folder / "broker").mkdir()
        with open(self.folder / "broker" / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.assert_refused(self.fleet("--devices", "1"), 69, "another run", "--broker-dir")

    def test_not_built(self):
        with unittest.mock.patch.dict(os.environ, {"GLIMPSE_FLEET": str(self.folder / "none")}):
            self.assert_refused(self.fleet(), 69, "is not built", "scripts/build.sh")


if __name__ == "__main__":
    unittest.main()
