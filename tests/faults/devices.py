"""The device that is broken: the real program, or tests/integration/telemetry/probe.cpp, which has its outbox and publisher alone."""

import collections
import os
import signal
import subprocess
import threading
import time

from harness import CLIP, DEMO, GLIMPSE, ROOT, wait_until

PROBE = os.environ.get("GLIMPSE_PROBE", str(ROOT / "build" / "glimpse_telemetry_probe"))
MAX_ERROR_LINES = 1000
STOP_LIMIT_S = 60  # only so that a hang ends at last


class DeviceFault(Exception):
    """The device did what it must never do; in words."""


class Device:
    """A name, a state folder and a ledger that outlive its runs. Each line on its standard output goes into the ledger."""

    def __init__(self, name, ledger, state, broker_options):
        self.name, self.ledger, self.state, self.broker_options = name, ledger, state, broker_options
        self.process = None
        self.errors = collections.deque(maxlen=MAX_ERROR_LINES)  # of all runs
        self.lines = 0  # of this run
        self.readers = []

    @property
    def database(self):
        return self.state / f"outbox-{self.name}.db"

    def command(self, options):
        raise NotImplementedError

    def start(self, *options, broker=True):
        self.lines = 0
        where = [*self.broker_options, "--device", self.name] if broker else []
        command = [*self.command(options), "--state", self.state, *where]
        self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.readers = [threading.Thread(target=read, args=(self.process,), daemon=True) for read in (self._read_records, self._read_errors)]
        for reader in self.readers:
            reader.start()
        return self

    def wait_for_lines(self, count, limit_s=120):
        """Until this run has printed so many records."""
        self.wait(lambda: self.lines >= count, f"{count} records of {self.name}", limit_s)

    def wait(self, condition, what, limit_s=120):
        """Until the condition holds; a device that ends meanwhile is a fault."""

        def holds_or_ended():
            return condition() or self.process.poll() is not None

        try:
            wait_until(holds_or_ended, what, limit_s)
        except AssertionError as error:
            raise DeviceFault(str(error)) from None
        if not condition():
            raise DeviceFault(f"{self.name} ended with {self.process.returncode} while we waited for {what}: {self.last_words()}")

    def kill(self):
        """SIGKILL. True: it ran until then."""
        self.process.send_signal(signal.SIGKILL)
        return self._collect() == -signal.SIGKILL

    def terminate(self):
        """SIGTERM. Gives its exit status and the seconds that it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise DeviceFault(f"{self.name} still runs {STOP_LIMIT_S} s after SIGTERM") from None
        took_s = time.monotonic() - began
        return self._collect(), took_s

    def wait_for_end(self, limit_s):
        """Its exit status when it ends by itself."""
        try:
            self.process.wait(limit_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise DeviceFault(f"{self.name} still runs after {limit_s} s: {self.last_words()}") from None
        return self._collect()

    def running(self):
        return self.process is not None and self.process.poll() is None

    def close(self):
        if self.running():
            self.kill()

    def rss_kb(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return next((int(line.split()[1]) for line in status if line.startswith("VmRSS:")), 0)

    def last_words(self):
        return " | ".join(list(self.errors)[-3:]) or "without a word"

    def _collect(self):
        status = self.process.wait()
        for reader in self.readers:
            reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return status

    def _read_records(self, process):
        for line in process.stdout:
            self.ledger.accept(line)
            self.lines += line.endswith(b"\n")

    def _read_errors(self, process):
        for line in process.stderr:
            self.errors.append(line.decode(errors="replace").rstrip())


class Glimpse(Device):
    kind = "glimpse"

    def command(self, options):
        source = [] if "--source" in options else ["--source", "test"]
        return [GLIMPSE, "run", "--model", DEMO, "--backend", "xnnpack", "--threads", "1", "--json", *source, *options]

    @staticmethod
    def pace(per_second):
        """Options for so many records a second."""
        return ["--fps", per_second, "--interval", "0"]

    @staticmethod
    def clip():
        return ["--source", CLIP, "--loop"]


class Probe(Device):
    kind = "probe"

    def command(self, options):
        return [PROBE, *options]

    @staticmethod
    def pace(per_second):
        return ["--records", 1_000_000_000, "--rate", per_second, "--hold"]
