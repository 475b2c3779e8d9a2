"""A kind of fault, and what came of it."""

import dataclasses
import random
import sys
import threading
import time
from collections.abc import Callable


class Skipped(Exception):
    """This machine cannot play the fault; the reason is the message."""


@dataclasses.dataclass
class Outcome:
    fault: str
    device: str = "glimpse"  # or: probe
    count: int = 0
    accepted: int = 0
    received: int = 0
    lost: int = 0
    duplicates: int = 0
    figures: dict = dataclasses.field(default_factory=dict)
    broken: list = dataclasses.field(default_factory=list)  # the promises that were, in words
    skipped: str = ""
    seconds: float = 0.0

    def add(self, ledger):
        """Call when the device has settled."""
        self.accepted += ledger.accepted
        self.received += ledger.received
        self.lost += ledger.accepted - ledger.received
        self.duplicates += ledger.duplicates
        if ledger.altered:
            self.figures["altered"] = self.figures.get("altered", 0) + ledger.altered

    def promise(self, kept, words):
        if not kept and words not in self.broken:
            self.broken.append(words)

    def promise_delivery(self, faults=None):
        """Nothing lost or altered; after each fault at most the 20 that were unacknowledged come twice."""
        self.promise(self.lost == 0, f"{self.lost} accepted records lost")
        self.promise("altered" not in self.figures, "records arrived altered")
        if faults is not None:
            self.promise(self.duplicates <= 20 * faults, f"{self.duplicates} duplicates after {faults} faults, at most 20 each")


@dataclasses.dataclass
class Fault:
    name: str
    promise: str
    full: int  # how often, in the full form
    short: int
    wave: int  # faults of one wave run beside each other, waves one after the other: 0 wants to be alone, 1 mostly waits, 2 is busy, 3 is timed
    play: Callable  # (Task, Outcome) -> None


class Task:
    """What a fault is told about this run."""

    def __init__(self, fault, full, seed, verbose_to=sys.stderr):
        self.count = fault.full if full else fault.short
        self.full, self.name = full, fault.name
        self.chance = random.Random(f"{seed} {fault.name}")
        self.out, self.began = verbose_to, time.monotonic()
        self.done, self.lock = 0, threading.Lock()

    def say(self, text):
        print(f"{time.monotonic() - self.began:6.0f} s  {self.name}: {text}", file=self.out, flush=True)

    def one_done(self, text=""):
        """A round has been played; tells it about twenty times in all."""
        with self.lock:
            self.done += 1
            if self.done % max(1, self.count // 20) == 0 or self.done == self.count:
                self.say(f"{self.done} of {self.count}{', ' if text else ''}{text}")
