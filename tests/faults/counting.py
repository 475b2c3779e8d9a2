"""Accepted against received, by (device, boot, seq)."""

import json
import threading
import time


class Ledger:
    """What one device accepted and what a subscriber received of it. Safe for several threads."""

    def __init__(self):
        self._lock = threading.Lock()
        self._accepted = {}  # (device, boot, seq) -> hash of its JSON
        self._received = {}
        self._missing = set()  # accepted, not received so far
        self.duplicates = 0
        self.altered = 0  # arrived with another content than was accepted, or as no record at all
        self.last_received_s = 0.0  # time.monotonic()
        self.newest = None  # the record accepted last

    def accept(self, line):
        """A line of the device's standard output. One without its end was cut by a kill and is none."""
        if not line.endswith(b"\n"):
            return
        record = json.loads(line)
        key, content = _key(record), hash(line[:-1])
        with self._lock:
            self.newest = record
            self._accepted[key] = content
            if key not in self._received:
                self._missing.add(key)
            elif self._received[key] != content:
                self.altered += 1

    def receive(self, payload):
        """A message of the device's telemetry topic."""
        try:
            key, content = _key(json.loads(payload)), hash(bytes(payload))
        except (ValueError, KeyError, TypeError):
            self.altered += 1
            return
        with self._lock:
            self.last_received_s = time.monotonic()
            if key in self._received:
                self.duplicates += 1
            self._received[key] = content
            self._missing.discard(key)
            if self._accepted.get(key, content) != content:
                self.altered += 1

    def missing(self):
        with self._lock:
            return set(self._missing)

    def still_missing(self, keys):
        """Those of `keys` that have not arrived."""
        with self._lock:
            return keys & self._missing

    @property
    def accepted(self):
        return len(self._accepted)

    @property
    def received(self):
        """Different records that were accepted, too."""
        with self._lock:
            return len(self._accepted) - len(self._missing)

    @property
    def arrived(self):
        """Different records, whether we saw them accepted or not."""
        return len(self._received)

    @property
    def unprinted(self):
        """Arrived though we never saw its line: killed between the commit and the line."""
        with self._lock:
            return sum(key not in self._accepted for key in self._received)


def _key(record):
    return record["device"], record["boot"], record["seq"]
