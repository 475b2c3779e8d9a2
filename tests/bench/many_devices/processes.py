"""The processes that the devices live in: tests/bench/fleet_devices.cpp."""

import json
import queue
import resource
import subprocess
import threading
import time

from model_export.problem import INTERNAL, UNAVAILABLE, Problem

THREADS_A_DEVICE, FILES_A_DEVICE = 3, 13  # measured: 9 files once it is connected, some more before
NICE = 10  # so that the one thread of the broker, which is elsewhere in the field, gets its turn among thousands
BESIDE = 64  # files and threads that a process has for itself, with room


class Process:
    """Some of the devices. It goes one step further with each go()."""

    def __init__(self, program, options, log):
        self.log = log
        with open(log, "wb") as errors:
            command = [str(part) for part in ("nice", "-n", NICE, program, *options)]
            self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True)
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def pid(self):
        return self.child.pid

    def go(self):
        try:
            self.child.stdin.write("\n")
            self.child.stdin.flush()
        except BrokenPipeError:
            pass  # answer() says how it ended

    def answer(self, what, deadline_s):
        """The next line of JSON that it says; `deadline_s` as time.monotonic()."""
        try:
            line = self.lines.get(timeout=max(deadline_s - time.monotonic(), 0.001))
        except queue.Empty:
            raise Problem(f"gave up waiting for {what}: {self.last_words()}", UNAVAILABLE) from None
        if line is None:
            raise Problem(f"a process of devices ended with {self.child.wait()} while we waited for {what}: {self.last_words()}", INTERNAL)
        return json.loads(line)

    def last_words(self):
        return " | ".join(self.log.read_text(errors="replace").splitlines()[-3:]) or "without a word"

    def warnings(self):
        """In the devices' own words, without the time."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line.split(" warning: ", 1)[1] for line in lines if " warning: " in line]

    def _read(self):
        for line in self.child.stdout:
            self.lines.put(line)
        self.lines.put(None)


def end(processes, limit_s=30):
    """All at once: with SIGTERM a process has 2.5 s."""
    for process in processes:
        process.child.terminate()
    deadline_s = time.monotonic() + limit_s
    for process in processes:
        try:
            process.child.wait(max(deadline_s - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            process.child.kill()
            process.child.wait()
        process.child.stdin.close()


def allow(devices, processes):
    """Raises what this user may raise for a fleet so large, the broker included. Children inherit it."""
    largest = -(-devices // processes)
    # Each device shakes hands twice, so the broker may have two connections of each for a moment.
    raise_limit(resource.RLIMIT_NOFILE, max(largest * FILES_A_DEVICE, 2 * devices) + BESIDE, "files (ulimit -n)")
    raise_limit(resource.RLIMIT_NPROC, devices * THREADS_A_DEVICE + processes * BESIDE, "threads (ulimit -u)")


def raise_limit(kind, needed, what):
    soft, hard = resource.getrlimit(kind)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise Problem(f"so many devices need {needed} {what}, and this user may have {hard}; take fewer --devices, or more --processes, "
                      "or have the limit raised in /etc/security/limits.conf", UNAVAILABLE)
    resource.setrlimit(kind, (needed, hard))
