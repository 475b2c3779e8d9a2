"""SIGINT, SIGTERM and a reader that leaves: an orderly end within three seconds, in every state."""

import pathlib
import signal
import socket
import subprocess
import unittest

from harness import CLIP, Broker, TestCase, command, interrupt, start, wait_until


class Stopping(TestCase):
    def end(self, process, how):
        code, _, err = interrupt(process, how)
        self.assertEqual(code, 0, err)
        self.assertIn("frames in", err)

    def test_while_frames_are_flowing(self):
        for how in (signal.SIGINT, signal.SIGTERM):
            process = start("--source", "test", "--interval", "0", "--json")
            process.stdout.readline()
            self.end(process, how)

    def test_while_a_file_is_paced(self):
        process = start("--source", CLIP, "--realtime", "--loop", "--interval", "0", "--json")
        process.stdout.readline()
        self.end(process, signal.SIGTERM)

    def test_while_the_model_is_being_loaded(self):
        process = start("--source", "test", "--json")
        # SigCgt is the mask of the signals that have a handler; bit 1 is SIGINT (proc(5)).
        status = pathlib.Path(f"/proc/{process.pid}/status")

        def caught():
            return any(line.startswith("SigCgt:") and int(line.split()[1], 16) & 2 for line in status.read_text().splitlines())

        wait_until(caught, "the signal handling")
        self.end(process, signal.SIGINT)

    def test_while_the_broker_does_not_answer(self):
        with socket.socket() as silent:  # takes the connection and says nothing
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            port = silent.getsockname()[1]
            process = start("--source", "test", "--interval", "100ms", "--json", "--broker", f"mqtts://127.0.0.1:{port}")
            connection, _ = silent.accept()
            process.stdout.readline()
            self.end(process, signal.SIGTERM)
            connection.close()

    def test_while_records_are_flowing_none_that_was_made_is_lost(self):
        broker = Broker(self).start()
        broker.subscribe()
        process = start(*broker.options(), "--source", "test", "--interval", "50ms", "--json")
        wait_until(lambda: len(broker.messages("telemetry")) >= 5, "five records")
        code, out, err = interrupt(process, signal.SIGTERM)
        self.assertEqual(code, 0, err)
        made = err.split("records: ")[1].split(" made")[0]
        self.assertIn(f"{made} acknowledged", err)
        wait_until(lambda: len(broker.messages("telemetry")) == int(made), "the last record")
        wait_until(lambda: broker.messages("status")[-1]["status"] == "offline", "the goodbye")

    def test_a_reader_that_leaves_early_is_no_crash(self):
        done = subprocess.run(f"{' '.join(command('--source', CLIP, '--interval', '0', '--json'))} | head -1; echo ${{PIPESTATUS[0]}}",
                              shell=True, executable="/bin/bash", capture_output=True, text=True, timeout=60)
        lines = done.stdout.splitlines()
        self.assertEqual(len(lines), 2, done.stdout)
        self.assertEqual(lines[1], "0", done.stderr)

    def test_a_full_disk_is_said(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run(command("--source", CLIP, "--interval", "0", "--json"), stdout=full, stderr=subprocess.PIPE,
                                  text=True, timeout=60)
        self.assertEqual(done.returncode, 70)
        self.assertIn("No space left on device", done.stderr)


if __name__ == "__main__":
    unittest.main()
