"""Finds tests/faults, and what it takes from tests/integration."""

import json
import pathlib
import sys

TESTS = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS / "faults"), str(TESTS / "integration")]


def record(seq, boot="b", device="d", **fields):
    """A record as the device sends it."""
    return json.dumps({"device": device, "boot": boot, "seq": seq, **fields}).encode()
