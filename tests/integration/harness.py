"""Runs the real program, and the real broker, for the tests in this folder."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import unittest.mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
GLIMPSE = os.environ.get("GLIMPSE", str(ROOT / "build" / "glimpse"))
CLIP = str(ROOT / "tests" / "data" / "clip.mp4")
DEMO = str(ROOT / "models" / "demo")
# Only so that a hang fails at last: a sanitizer build on a busy machine is many times slower, an emulator slower still.
PATIENCE_S = float(os.environ.get("PATIENCE_S", 600))


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def records(self):
        return [json.loads(line) for line in self.out.splitlines()]


def glimpse(*arguments, program=GLIMPSE, timeout=PATIENCE_S, **options):
    """Runs `glimpse run` with these arguments to its end. The demo model, unless the arguments name another."""
    done = subprocess.run(command(*arguments, program=program), stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, **options)
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


def command(*arguments, program=GLIMPSE):
    model = [] if "--model" in arguments else ["--model", DEMO]
    return [program, "run", *model, *map(str, arguments)]


def start(*arguments, **options):
    """Starts it and leaves it running, its output in pipes."""
    return subprocess.Popen(command(*arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, **options)


def wait_until(condition, what, timeout=PATIENCE_S):
    """Waits for a condition; a condition that never comes true fails the test, with its name."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"gave up waiting for {what}")
        time.sleep(0.02)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class TestCase(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="glimpse-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        # An outbox of its own: records of one test must not arrive in another.
        state = unittest.mock.patch.dict(os.environ, {"XDG_STATE_HOME": str(self.folder / "state")})
        state.start()
        self.addCleanup(state.stop)

    def assert_refused(self, result, code, *words):
        """A bad start: this exit code, one line on standard error that has these words, nothing on standard output."""
        self.assertEqual(result.code, code, result.err)
        complaint = [line for line in result.err.splitlines() if line.startswith("glimpse: ")]
        self.assertEqual(len(complaint), 1, result.err)
        for word in words:
            self.assertIn(word, complaint[0])
        self.assertNotIn("Traceback", result.err)
        self.assertNotIn("terminate called", result.err)

    def demo_copy(self):
        """A copy of the demo model's folder, to be broken."""
        copy = self.folder / "demo"
        shutil.copytree(DEMO, copy)
        return copy


class Broker:
    """scripts/broker.sh in a folder and on a port of its own."""

    def __init__(self, test, device="pi-test", acl=""):
        self.folder = test.folder / "broker"
        self.acl = []
        if acl:
            (test.folder / "acl").write_text(acl, encoding="utf-8")
            self.acl = ["--acl", test.folder / "acl"]
        self.port = free_port()
        self.device = device
        self.subscriber = None
        test.addCleanup(self.close)

    def script(self, verb):
        subprocess.run([ROOT / "scripts" / "broker.sh", verb, "--dir", self.folder, "--port", str(self.port), "--device",
                        self.device, *self.acl], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=PATIENCE_S)

    def start(self):
        self.script("start")
        return self

    def stop(self):
        self.script("stop")

    def options(self):
        return ["--config", str(self.folder / "glimpse.json")]

    def subscribe(self, topic="glimpse/#"):
        """A separate subscriber with its own certificate, writing `topic payload` lines."""
        self.unsubscribe()  # after a stop of the broker mosquitto_sub may have ended, or try again for ever
        self.log = open(self.folder / "received", "w+", encoding="utf-8")
        self.subscriber = subprocess.Popen(
            ["stdbuf", "-oL", "mosquitto_sub", "-h", "localhost", "-p", str(self.port), "--cafile", self.folder / "ca.crt", "--cert",
             self.folder / "subscriber.crt", "--key", self.folder / "subscriber.key", "-i", "subscriber", "-q", "1", "-d",
             "-F", "MESSAGE %t %p", "-t", topic], stdout=self.log, stderr=subprocess.STDOUT)
        wait_until(lambda: "Subscribed" in self.text(), "the subscription")

    def text(self):
        return (self.folder / "received").read_text(encoding="utf-8")

    def messages(self, kind):
        """The payloads of .../telemetry or .../status so far."""
        lines = [line.split(" ", 2) for line in self.text().splitlines() if line.startswith("MESSAGE ") and line.endswith("}")]
        return [json.loads(payload) for _, topic, payload in lines if topic.endswith("/" + kind)]

    def unsubscribe(self):
        if self.subscriber:
            self.subscriber.terminate()
            self.subscriber.wait()
            self.log.close()
            self.subscriber = None

    def close(self):
        self.unsubscribe()
        if self.folder.exists():
            self.stop()


class Forwarder:
    """A second address of a server on 127.0.0.1: what comes to 127.0.0.2 is passed on, both ways."""

    def __init__(self, test, port):
        self.listener = socket.create_server(("127.0.0.2", 0))
        self.port = self.listener.getsockname()[1]
        self.target = ("127.0.0.1", port)
        threading.Thread(target=self.accept, daemon=True).start()
        test.addCleanup(self.listener.close)

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(self.target)
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=self.copy, args=(source, sink), daemon=True).start()

    @staticmethod
    def copy(source, sink):
        with source, contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


def interrupt(process, how=signal.SIGINT, limit=3.0):
    """Sends the signal; gives the exit status and standard error. Ending must take at most `limit` seconds."""
    process.send_signal(how)
    out, err = process.communicate(timeout=limit)
    return process.returncode, out, err
