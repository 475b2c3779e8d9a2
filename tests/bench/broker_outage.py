#!/usr/bin/env python3
"""Does a broker that goes away slow the pictures? Inference fps with the broker up, gone for ten seconds, and up again.

The clip is played as fast as it can go; each phase's figure is the median of its one-second records. Three rounds, phases in turn.
usage: tests/bench/broker_outage.py [--rounds N]   (needs build/glimpse and mosquitto)
"""
import argparse
import json
import pathlib
import statistics
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from harness import CLIP, Broker, TestCase, interrupt, start  # noqa: E402

PHASE_RECORDS = 10  # of one second each


class Outage(TestCase):
    rounds = 3

    def phase(self, process, name):
        rates = [json.loads(process.stdout.readline())["fps"]["inference"] for _ in range(PHASE_RECORDS)]
        print(f"{name:6} {statistics.median(rates):7.1f} fps   {' '.join(f'{rate:.0f}' for rate in rates)}", flush=True)
        return statistics.median(rates)

    def runTest(self):
        broker = Broker(self).start()
        process = start(*broker.options(), "--source", CLIP, "--loop", "--interval", "1s", "--json")
        self.addCleanup(process.kill)
        self.phase(process, "warm")
        ratios = []
        for _ in range(self.rounds):
            up = self.phase(process, "up")
            broker.stop()
            gone = self.phase(process, "gone")
            broker.start()
            again = self.phase(process, "again")
            ratios.append(gone / statistics.mean((up, again)))
        print(f"gone / up: median {statistics.median(ratios):.3f}, from {min(ratios):.3f} to {max(ratios):.3f}")
        print(interrupt(process)[2].splitlines()[-1])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    Outage.rounds = parser.parse_args().rounds
    sys.exit(not unittest.TextTestRunner().run(Outage()).wasSuccessful())
