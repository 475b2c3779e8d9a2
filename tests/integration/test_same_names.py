"""Thirty frames from all over the clip: built for another processor, the program names what it names on this one.

Environment: GLIMPSE_HERE, the program built for this processor; SAME_NAMES, the file that the result is written to."""

import json
import os
import pathlib
import subprocess
import unittest

from harness import CLIP, TestCase, glimpse

CLIP_FRAMES, FRAMES = 720, 30


class SameNames(TestCase):
    @classmethod
    def setUpClass(cls):
        cls.report = pathlib.Path(os.environ["SAME_NAMES"])
        cls.report.unlink(missing_ok=True)

    def setUp(self):
        super().setUp()
        self.pictures = self.folder / "pictures"
        self.pictures.mkdir()
        subprocess.run(["ffmpeg", "-loglevel", "error", "-i", CLIP, "-vf", rf"select=not(mod(n\,{CLIP_FRAMES // FRAMES}))", "-vsync",
                        "0", self.pictures / "%03d.png"], check=True, stdin=subprocess.DEVNULL)

    def names(self, program, *options):
        result = glimpse("--source", self.pictures, "--interval", "0", "--json", *options, program=program)
        self.assertEqual(result.code, 0, result.err)
        records = result.records()
        self.assertEqual([record["frames"]["index"] for record in records], list(range(FRAMES)))
        backend, fps = records[-1]["model"]["backend"], records[-1]["fps"]["inference"]
        return [record["predictions"][0]["label"] for record in records], f"{backend}, {fps:.1f} frames/s"

    def compare(self, kind, *options):
        here, how_here = self.names(os.environ["GLIMPSE_HERE"], *options)
        # On a Pi it would be timed; in an emulator times mean nothing, and taking them takes minutes.
        there, how_there = self.names(os.environ["GLIMPSE"], "--backend", "xnnpack", *options)
        same = sum(one == other for one, other in zip(here, there))
        with open(self.report, "a", encoding="utf-8") as report:
            print(f"{kind}: the same top-1 in {same} of {FRAMES} frames, {len(set(here))} different names "
                  f"(arm64, emulated: {how_there}; this machine: {how_here})", file=report)
        self.assertEqual(there, here)

    def test_float(self):
        self.compare("float")

    def test_int8(self):
        self.compare("int8", "--quantized")


if __name__ == "__main__":
    unittest.main()
