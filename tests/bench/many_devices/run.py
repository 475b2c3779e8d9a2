"""One run: a broker, a subscriber, the devices; what came of it."""

import collections
import contextlib
import dataclasses
import fcntl
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from background import Loop
from many_devices import certificates, usage
from many_devices.arrivals import Arrivals
from many_devices.processes import Process, allow, end
from model_export.problem import UNAVAILABLE, Problem
from subscriber import Subscriber

ROOT = pathlib.Path(__file__).resolve().parents[3]
CONNECTING_S, DRAINING_S = 300, 120  # only so that a hang ends at last


@dataclasses.dataclass
class Sample:
    """Processor time so far, at a moment."""

    at_s: float
    devices_s: float
    broker_s: float
    subscriber_s: float
    machine_s: float
    wakeups: int


class Fleet:
    """Use in a `with`; all that it started ends with it, and the state folder goes."""

    def __init__(self, arguments, progress):
        self.arguments, self.progress = arguments, progress
        self.names = [f"fleet-{number}" for number in range(arguments.devices)]
        self.cleanups = contextlib.ExitStack()
        self.processes = []

    def __enter__(self):
        with contextlib.ExitStack() as undo:
            undo.enter_context(self.cleanups)
            allow(self.arguments.devices, self.arguments.processes)
            self.start_broker()
            certificates.make_missing(self.folder, self.names, self.progress)
            self.arrivals = Arrivals(self.names)
            background = Loop()
            self.cleanups.callback(background.close)
            self.subscriber = Subscriber(background.loop, self.arguments.port, self.folder, self.arrivals.receive)
            if not self.subscriber.ready.wait(60):
                raise Problem(f"no subscription within 60 s; see {self.folder}/mosquitto.log", UNAVAILABLE)
            self.start_processes()
            self.cleanups = undo.pop_all()
        return self

    def __exit__(self, *_):
        self.cleanups.close()

    def start_broker(self):
        self.folder = self.arguments.broker_dir
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = self.cleanups.enter_context(open(self.folder / "lock", "w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Problem(f"another run uses {self.folder}; wait for its end, or take another --broker-dir and --port", UNAVAILABLE) from None
        self.cleanups.callback(self.broker, "stop")
        self.broker("start")
        self.broker_pid = int((self.folder / "pid").read_text())

    def broker(self, verb):
        done = subprocess.run([ROOT / "scripts" / "broker.sh", verb, "--dir", self.folder, "--port", str(self.arguments.port)],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode and verb == "start":
            raise Problem(done.stderr.strip().removeprefix("broker.sh: "), UNAVAILABLE)

    def start_processes(self):
        state = pathlib.Path(tempfile.mkdtemp(prefix="glimpse-fleet-", dir=self.arguments.state))
        self.cleanups.callback(shutil.rmtree, state, ignore_errors=True)
        self.filesystem = subprocess.run(["stat", "-f", "-c", "%T", state], capture_output=True, text=True).stdout.strip()
        self.cleanups.callback(end, self.processes)
        first, left = 0, self.arguments.devices
        for number in range(self.arguments.processes):
            count = -(-left // (self.arguments.processes - number))
            options = {"broker": f"mqtts://localhost:{self.arguments.port}", "certs": self.folder, "state": state, "first": first,
                       "count": count, "of": self.arguments.devices, "ramp": self.arguments.ramp, "interval": self.arguments.interval,
                       "records": self.arguments.records}
            words = [word for name, value in options.items() for word in (f"--{name}", value)]
            self.processes.append(Process(self.arguments.program, words, state / f"{number}.log"))
            first, left = first + count, left - count

    def step(self, what, limit_s):
        """All go one step further; their answers, when the last of them has said it."""
        for process in self.processes:
            process.go()
        return self.answers(what, limit_s)

    def answers(self, what, limit_s):
        deadline_s = time.monotonic() + limit_s
        return [process.answer(what, deadline_s) for process in self.processes]

    def sample(self):
        pids = [process.pid for process in self.processes]
        return Sample(time.monotonic(), usage.cpu_s(pids), usage.cpu_s([self.broker_pid]), usage.cpu_s([os.getpid()]),
                      usage.busy_s(), usage.wakeups(pids))

    def play(self):
        """Figures for the table, and for --json."""
        pids = [process.pid for process in self.processes]
        asked = self.arguments
        started = self.sample()
        self.progress.say(f"{asked.devices} devices connect")
        self.step("the devices' connections", CONNECTING_S + asked.ramp)
        connected = self.sample()
        self.progress.say(f"connected; {asked.records} records each, one every {asked.interval:g} s")
        self.step("the records", asked.records * asked.interval + DRAINING_S)
        made = self.sample()
        held = {"devices": usage.memory(pids), "broker": usage.memory([self.broker_pid])}
        counts = {"threads": usage.threads(pids), "files": usage.files(pids)}
        ends = self.answers("the acknowledgements", DRAINING_S)
        self.subscriber.barrier()
        return self.figures(ends, started, connected, made) | {
            "memory_mib": {name: {"rss": round(each.rss_mib, 1), "private": round(each.private_mib, 1)} for name, each in held.items()},
            **counts, "warnings": collections.Counter(words for process in self.processes for words in process.warnings())}

    def figures(self, ends, started, connected, made):
        counts = [count for end in ends for count in end["made"]]
        made_by = dict(zip(self.names, counts))
        seconds = made.at_s - connected.at_s
        share = {name: round((getattr(made, name) - getattr(connected, name)) / seconds, 3)
                 for name in ("devices_s", "broker_s", "subscriber_s", "machine_s")}
        return {
            "devices": self.arguments.devices, "processes": self.arguments.processes, "interval_s": self.arguments.interval,
            "state": self.filesystem, "connected": self.arguments.devices, "connecting_s": round(connected.at_s - started.at_s, 2),
            "connecting_cpu_s": {"devices": round(connected.devices_s - started.devices_s, 2),
                                 "broker": round(connected.broker_s - started.broker_s, 2)},
            "seconds": round(seconds, 2), "made": sum(counts), "received": self.arrivals.count,
            "acknowledged": sum(end["acknowledged"] for end in ends), "pending": sum(end["pending"] for end in ends),
            "dropped": sum(end["dropped"] for end in ends), "resent": sum(end["resent"] for end in ends),
            "lost": self.arrivals.lost(made_by), "twice": self.arrivals.twice, "strange": self.arrivals.strange,
            "records_per_s": round(sum(counts) / seconds, 1), "record_bytes": round(self.arrivals.bytes / max(self.arrivals.count, 1)),
            "delay_ms": self.arrivals.delay(),
            "cores_used": {"devices": share["devices_s"], "broker": share["broker_s"], "subscriber": share["subscriber_s"],
                           "others": round(max(share["machine_s"] - sum(share[name] for name in ("devices_s", "broker_s", "subscriber_s")), 0), 3)},
            "wakeups_per_s": round((made.wakeups - connected.wakeups) / seconds),
        }
