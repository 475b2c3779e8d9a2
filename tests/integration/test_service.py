"""Under systemd, whose socket and journal are played here: what it is told, what a reload does, what the log looks like."""

import contextlib
import json
import os
import pathlib
import pty
import re
import signal
import socket
import subprocess
import threading
import unittest

from harness import CLIP, PATIENCE_S, TestCase, command, interrupt, wait_until


class Manager:
    """The other end of $NOTIFY_SOCKET. Keeps each message as a list of its lines."""

    def __init__(self, test, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address.replace("@", "\0", 1))
        self.messages = []
        threading.Thread(target=self.read, daemon=True).start()
        test.addCleanup(self.close)

    def read(self):
        with contextlib.suppress(OSError):
            while message := self.socket.recv(65536):
                self.messages.append(message.decode().splitlines())

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def count(self, line):
        return sum(line in message for message in list(self.messages))

    def lines(self, start):
        return [line for message in list(self.messages) for line in message if line.startswith(start)]


class ServiceCase(TestCase):
    command = staticmethod(command)

    def setUp(self):
        super().setUp()
        self.address = str(self.folder / "notify")
        self.environment = dict(os.environ, NOTIFY_SOCKET=self.address)

    def run_it(self, *arguments, watchdog_s=None, out=subprocess.DEVNULL, **options):
        """In a session of its own, and so without a terminal, as a service is. Its standard error goes to a file."""
        if watchdog_s:
            self.environment["WATCHDOG_USEC"] = str(int(watchdog_s * 1e6))
        with open(self.folder / "log", "wb") as log:
            process = subprocess.Popen(self.command(*arguments), stdin=subprocess.DEVNULL, stdout=out, stderr=log,
                                       env=self.environment, start_new_session=True, **options)
        self.addCleanup(process.stdout.close) if process.stdout else None
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def log(self):
        return (self.folder / "log").read_text(encoding="utf-8")

    def wait_for_log(self, text, times=1):
        wait_until(lambda: self.log().count(text) >= times, f"{text!r} in the log")

    def end(self, process, how=signal.SIGTERM):
        code, _, _ = interrupt(process, how)
        self.assertEqual(code, 0, self.log())


class Told(ServiceCase):
    def test_ready_state_food_and_the_end(self):
        for address in (self.address, f"@glimpse-test-{os.getpid()}"):
            with self.subTest(address):
                manager = Manager(self, address)
                self.environment["NOTIFY_SOCKET"] = address
                process = self.run_it("--source", "test", watchdog_s=4)
                wait_until(lambda: manager.count("READY=1"), "READY=1")
                wait_until(lambda: manager.count("WATCHDOG=1") >= 4, "four times WATCHDOG=1")
                pattern = r"STATUS=\d+\.\d fps, .+ \d+ %"
                wait_until(lambda: any(re.fullmatch(pattern, line) for line in manager.lines("STATUS=")), pattern)
                self.assertEqual(manager.count("STOPPING=1"), 0)
                self.end(process)
                wait_until(lambda: manager.count("STOPPING=1"), "STOPPING=1")
                self.assertEqual(manager.count("READY=1"), 1)

    def test_a_run_to_its_end_says_so_too(self):
        manager = Manager(self, self.address)
        process = self.run_it("--source", CLIP, "--frames", "300")
        self.assertEqual(process.wait(PATIENCE_S), 0, self.log())
        wait_until(lambda: manager.count("STOPPING=1"), "STOPPING=1")
        self.assertEqual(manager.count("WATCHDOG=1"), 0)  # nobody has asked for it

    def test_a_bad_start_is_never_ready(self):
        manager = Manager(self, self.address)
        process = self.run_it("--source", self.folder / "nothing.mp4")
        self.assertEqual(process.wait(PATIENCE_S), 66)
        self.assertEqual(manager.lines("READY"), [])

    def test_a_manager_that_has_gone_disturbs_nothing(self):
        process = self.run_it("--source", CLIP, "--frames", "30", watchdog_s=1)
        self.assertEqual(process.wait(PATIENCE_S), 0, self.log())


class Watchdog(ServiceCase):
    def test_it_is_not_fed_while_a_thread_is_stuck_and_is_again_afterwards(self):
        manager = Manager(self, self.address)
        # Nobody reads the records, so the thread that prints them gets stuck when the pipe is full.
        process = self.run_it("--source", "test", "--fps", "1000", "--json", "--interval", "0", watchdog_s=2,
                              out=subprocess.PIPE)
        self.wait_for_log("watchdog: stuck in one step: inference for ")
        fed, states = manager.count("WATCHDOG=1"), len(manager.lines("STATUS="))
        wait_until(lambda: len(manager.lines("STATUS=")) >= states + 2, "two states, 5 s apart")
        self.assertLessEqual(manager.count("WATCHDOG=1"), fed + 1)  # one may have been under way
        reader = threading.Thread(target=process.stdout.read, daemon=True)
        reader.start()
        self.wait_for_log("watchdog: all move again")
        fed = manager.count("WATCHDOG=1")
        wait_until(lambda: manager.count("WATCHDOG=1") >= fed + 2, "food")
        process.terminate()
        self.assertEqual(process.wait(PATIENCE_S), 0, self.log())
        reader.join()

    def test_a_camera_that_is_away_is_no_reason_to_restart(self):
        manager = Manager(self, self.address)
        process = self.run_it("--source", "gst:videotestsrc num-buffers=20 ! video/x-raw,width=64,height=64", watchdog_s=1)
        self.wait_for_log("reopening in", 2)  # it ends each time, and is away in between
        fed = manager.count("WATCHDOG=1")
        wait_until(lambda: manager.count("WATCHDOG=1") >= fed + 8, "food for two seconds")
        self.assertNotIn("watchdog:", self.log())
        self.end(process)


class Reload(ServiceCase):
    def setUp(self):
        super().setUp()
        self.manager = Manager(self, self.address)
        self.config = self.folder / "glimpse.json"

    def write(self, **telemetry):
        top_k = telemetry.pop("top_k", 3)
        uri = telemetry.pop("uri", "test")
        self.config.write_text(json.dumps({"source": {"uri": uri}, "model": {"top_k": top_k}, "telemetry": telemetry}))

    def start_it(self, *arguments):
        process = self.run_it("--config", self.config, "--json", *arguments, out=subprocess.PIPE, text=True)
        wait_until(lambda: self.manager.count("READY=1"), "READY=1")
        return process

    def reload(self, process):
        before = self.manager.count("READY=1")
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.manager.count("READY=1") > before, "the end of the reload")

    def test_what_can_change_does_within_the_interval(self):
        self.write(interval_s=3600, events_per_hour=0)
        process = self.start_it()
        self.write(interval_s=0.05, events_per_hour=0, top_k=7)
        self.reload(process)
        record = json.loads(process.stdout.readline())  # not in an hour
        self.assertEqual(len(json.loads(process.stdout.readline())["predictions"]), 7, record)
        self.assertIn("reload: model.top_k is 7, telemetry.interval_s is 0.05", self.log())
        told = [message for message in self.manager.messages if "RELOADING=1" in message]
        self.assertEqual(len(told), 1)
        self.assertRegex(told[0][1], r"^MONOTONIC_USEC=\d+$")
        self.write(interval_s=0, events_per_hour=0, top_k=2)
        self.reload(process)
        while len((record := json.loads(process.stdout.readline()))["predictions"]) != 2:
            pass
        after = json.loads(process.stdout.readline())
        self.assertEqual(after["seq"], record["seq"] + 1)
        self.assertEqual(after["trigger"], "interval")
        self.end(process)

    def test_the_command_line_still_overrides_the_file(self):
        self.write(interval_s=0.05)
        process = self.start_it("--top-k", "4")
        self.write(interval_s=0.06, top_k=9)
        self.reload(process)
        self.assertNotIn("top_k", self.log())
        self.assertIn("reload: telemetry.interval_s is 0.06", self.log())
        for _ in range(5):
            self.assertEqual(len(json.loads(process.stdout.readline())["predictions"]), 4)
        self.end(process)

    def test_what_cannot_change_now_is_named_at_each_reload(self):
        self.write()
        process = self.start_it()
        self.write(uri="0", device="other")
        for _ in range(2):
            self.reload(process)
        for path in ("source.uri", "telemetry.device"):
            self.assertEqual(self.log().count(f"reload: {path} changes at the next start: systemctl restart glimpse"), 2)
        self.assertEqual(self.log().count("reload: nothing changes now"), 2)
        self.end(process)

    def test_a_bad_file_changes_nothing(self):
        self.write(interval_s=3600)
        process = self.start_it()
        for text, reason in (('{"model": {"top_k": 5}', "not valid JSON"),
                             ('{"model": {"top_k": 0}}', "model.top_k: expected a whole number from 1 to 1000, got 0"),
                             ('{"model": {"top_k": 5}, "sauce": 1}', "sauce: unknown key"),
                             ('{"model": {"top_k": 5}, "outbox": {"drain": "oldest"}}', "--drain"),
                             ('{"model": {"top_k": 5}, "source": {"size": "big"}}', "--size"),
                             ('{"model": {"top_k": 5}, "telemetry": {"device": "a/b"}}', "--device"),
                             ('{"model": {"top_k": 5}, "telemetry": {"broker": "mqtt://192.0.2.1"}}', "--insecure")):
            with self.subTest(text):
                self.config.write_text(text)
                self.reload(process)
                line = self.log().splitlines()[-1]
                self.assertIn("reload: nothing changes: ", line)
                self.assertIn(reason, line)
        self.config.unlink()
        self.reload(process)
        self.assertIn(f"cannot read the configuration {self.config}", self.log().splitlines()[-1])
        self.write(interval_s=0.05)
        self.reload(process)
        self.assertEqual(len(json.loads(process.stdout.readline())["predictions"]), 3)
        self.end(process)

    def test_without_a_file_there_is_nothing_to_read(self):
        process = self.run_it("--source", "test")
        wait_until(lambda: self.manager.count("READY=1"), "READY=1")
        self.reload(process)
        self.assertIn("reload: there is no configuration file to read again", self.log())
        self.end(process)

    def test_a_reload_during_the_start_is_done_after_it(self):
        self.write(interval_s=3600)
        process = self.run_it("--config", self.config)
        # SigCgt is the mask of the signals that have a handler; bit 0 is SIGHUP (proc(5)).
        status = pathlib.Path(f"/proc/{process.pid}/status")
        wait_until(lambda: int(re.search(r"SigCgt:\s*(\w+)", status.read_text())[1], 16) & 1, "the handler")
        process.send_signal(signal.SIGHUP)
        self.wait_for_log("reload: nothing changes now")
        wait_until(lambda: self.manager.count("READY=1"), "READY=1")
        self.assertEqual(process.poll(), None)
        self.end(process)


class Terminal(ServiceCase):
    def on_a_terminal(self, *arguments):
        """Gives the process id and our end of the terminal that the process has."""
        child, terminal = pty.fork()
        if child == 0:
            os.execv(command()[0], command(*arguments))
        self.addCleanup(lambda: terminal in self.open and os.close(terminal))
        self.open = {terminal}
        text = b""
        while b" fps" not in text:  # it runs
            text += os.read(terminal, 65536)
        return child, terminal

    def exit_status(self, child):
        ended = {}

        def gone():
            pid, ended["status"] = os.waitpid(child, os.WNOHANG)
            return pid == child

        wait_until(gone, "the end", timeout=10)
        return os.waitstatus_to_exitcode(ended["status"])

    def test_a_terminal_that_goes_away_ends_the_run(self):
        child, terminal = self.on_a_terminal("--source", "test")
        os.close(terminal)
        self.open.clear()
        self.assertEqual(self.exit_status(child), 0)

    def test_so_does_one_whose_shell_says_goodbye(self):
        child, terminal = self.on_a_terminal("--source", "test")
        os.kill(child, signal.SIGHUP)
        with contextlib.suppress(OSError):
            while os.read(terminal, 65536):
                pass
        self.assertEqual(self.exit_status(child), 0)

    def test_nohup_is_heeded(self):
        process = self.run_it("--source", "test", "--json", out=subprocess.PIPE,
                              preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        process.stdout.readline()
        process.send_signal(signal.SIGHUP)
        for _ in range(3):
            process.stdout.readline()
        self.assertNotIn("reload", self.log())
        self.end(process)


class Journal(ServiceCase):
    def run_to_journal(self, *arguments):
        """Standard output and error go where $JOURNAL_STREAM says the journal is."""
        with open(self.folder / "journal", "wb") as journal:
            status = os.fstat(journal.fileno())
            environment = dict(self.environment, JOURNAL_STREAM=f"{status.st_dev}:{status.st_ino}")
            code = subprocess.run(command(*arguments), stdin=subprocess.DEVNULL, stdout=journal, stderr=journal, env=environment,
                                  timeout=PATIENCE_S, check=False).returncode
        return code, (self.folder / "journal").read_text(encoding="utf-8").splitlines()

    def test_lines_have_a_priority_and_no_time_and_records_stay_out(self):
        code, lines = self.run_to_journal("--source", CLIP, "--frames", "60", "--interval", "0")
        self.assertEqual(code, 0)
        for line in lines:
            self.assertRegex(line, r"^<[46]>(?!\d\d:\d\d:)")
        for word in ("model demo float", "source ", "60 frames in"):
            self.assertEqual(sum(line.startswith("<6>") and word in line for line in lines), 1, lines)
        self.assertNotIn("frame 59", "\n".join(lines))

    def test_a_warning_is_one(self):
        (self.folder / "pictures").mkdir()
        (self.folder / "pictures" / "a.png").write_bytes(b"")
        code, lines = self.run_to_journal("--source", self.folder / "pictures")
        self.assertEqual(code, 65)
        self.assertEqual(sum(line.startswith("<4>") and "a.png" in line for line in lines), 1, lines)
        self.assertEqual(sum(line.startswith("<3>") and "could be decoded" in line for line in lines), 1, lines)

    def test_so_is_the_reason_of_a_bad_start(self):
        code, lines = self.run_to_journal("--source", self.folder / "nothing.mp4")
        self.assertEqual(code, 66)
        self.assertTrue(lines[-1].startswith("<3>no such source"), lines)

    def test_records_that_were_asked_for_are_printed(self):
        _, lines = self.run_to_journal("--source", CLIP, "--frames", "5", "--interval", "0", "--json")
        self.assertEqual(sum(line.startswith("{") for line in lines), 5)

    def test_another_stream_is_no_journal(self):
        self.environment["JOURNAL_STREAM"] = "1:2"
        process = self.run_it("--source", CLIP, "--frames", "5")
        self.assertEqual(process.wait(PATIENCE_S), 0)
        self.assertRegex(self.log(), r"(?m)^\d\d:\d\d:\d\d info: 5 frames")


if __name__ == "__main__":
    unittest.main()
