"""What a separate subscriber got: which records, and how long after they were made."""

import array
import json
import time


class Arrivals:
    """receive() is called in the subscriber's thread; the rest when nothing comes any more."""

    def __init__(self, names):
        self.seen = {name: set() for name in names}  # seq
        self.boots = {}
        self.count = 0
        self.twice = 0
        self.strange = 0  # no record, or of nobody we know, or under another's topic
        self.bytes = 0
        self.delays_ms = array.array("f")  # from its time_ms

    def receive(self, topic, payload):
        now_ms = time.time() * 1000
        try:
            record = json.loads(payload)
            name, seq, boot, time_ms = record["device"], record["seq"], record["boot"], record["time_ms"]
            seen = self.seen[name]
        except (ValueError, KeyError, TypeError):
            self.strange += 1
            return
        if topic != f"glimpse/v1/{name}/telemetry" or self.boots.setdefault(name, boot) != boot:
            self.strange += 1
        elif seq in seen:
            self.twice += 1
        else:
            seen.add(seq)
            self.count += 1
            self.bytes += len(payload)
            self.delays_ms.append(now_ms - time_ms)

    def lost(self, made):
        """`made`: how many records each device made, by name."""
        return sum(len(set(range(1, count + 1)) - self.seen[name]) for name, count in made.items())

    def delay(self):
        """Milliseconds: median, 99 %, largest."""
        ordered = sorted(self.delays_ms)
        at = [len(ordered) // 2, len(ordered) * 99 // 100, len(ordered) - 1]
        return {name: round(ordered[i], 1) if ordered else None for name, i in zip(("median", "p99", "max"), at)}
