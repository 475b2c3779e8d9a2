"""Built for another processor, the program does what it does on this one: names thirty frames from all over the clip, and reports.

Environment: GLIMPSE_HERE, the program built for this processor; SAME_NAMES, the file that the comparison is written to."""

import json
import os
import pathlib
import subprocess
import unittest

from harness import CLIP, Broker, TestCase, glimpse, wait_until

CLIP_FRAMES, FRAMES = 720, 30
# On a Pi it would be found out by timing; in an emulator times mean nothing, and taking them takes minutes.
BACKEND = ["--backend", "xnnpack"]


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
        return [record["predictions"][0]["label"] for record in records], f"{backend}, {fps:.2g} frames/s"

    def compare(self, kind, *options):
        here, how_here = self.names(os.environ["GLIMPSE_HERE"], *options)
        there, how_there = self.names(os.environ["GLIMPSE"], *BACKEND, *options)
        same = sum(one == other for one, other in zip(here, there))
        with open(self.report, "a", encoding="utf-8") as report:
            print(f"{kind}: the same top-1 in {same} of {FRAMES} frames, {len(set(here))} different names "
                  f"(arm64, emulated: {how_there}; this machine: {how_here})", file=report)
        self.assertEqual(there, here)

    def test_float(self):
        self.compare("float")

    def test_int8(self):
        self.compare("int8", "--quantized")


class Telemetry(TestCase):
    def test_what_it_sees_in_a_video_reaches_a_real_broker_over_tls(self):
        broker = Broker(self).start()
        broker.subscribe()
        result = glimpse(*broker.options(), "--source", CLIP, "--frames", "5", "--interval", "0", "--json", "--quantized", *BACKEND)
        self.assertEqual(result.code, 0, result.err)
        self.assertEqual(len(result.records()), 5)
        wait_until(lambda: len(broker.messages("telemetry")) >= 5, "5 records")
        self.assertEqual(broker.messages("telemetry"), result.records())


if __name__ == "__main__":
    unittest.main()
