"""What the tests of tests/bench/comparison/ share: where its parts are, and a Progress that keeps what it was told."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests" / "bench"), str(ROOT / "scripts")]


class Silent:
    def __init__(self):
        self.lines = []

    def say(self, text):
        self.lines.append(text)

    now = say
