"""Runs scripts/export_model.py for the tests in this folder. Without torch they are skipped, which ctest says."""

import importlib.util
import os
import random
import subprocess
import sys

from harness import CLIP, PATIENCE_S, ROOT, Result, TestCase, glimpse

for needed in ("torch", "torchvision"):
    if importlib.util.find_spec(needed) is None:
        print(f"skipped: {sys.executable} has no {needed}; scripts/setup.sh --training installs it")
        sys.exit(77)

from PIL import Image  # noqa: E402: comes with torchvision

# Two threads on two busy cores wait for each other most of the time, and networks this small gain nothing by them.
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}
SMALL = ("--arch", "squeezenet1_1", "--size", "32")


def command(*arguments):
    return [sys.executable, "-B", ROOT / "scripts" / "export_model.py", *map(str, arguments)]


def export(*arguments, environment=ONE_THREAD, timeout=PATIENCE_S, **options):
    done = subprocess.run(command(*arguments), stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout,
                          env=environment, **options)
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


class ExportTestCase(TestCase):
    def setUp(self):
        super().setUp()
        self.out = self.folder / "out"
        self.environment = {**os.environ, "XDG_CACHE_HOME": str(self.folder / "cache")}

    def pictures(self, count, name="pictures", size_px=48):
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            coarse = Image.frombytes("RGB", (6, 6), random.Random(f"{name} {number}").randbytes(6 * 6 * 3))
            coarse.resize((size_px, size_px)).save(folder / f"{number}.png")
        return folder

    def made(self, result):
        """The names of the files in the folder that was made."""
        self.assertEqual(result.code, 0, result.err)
        return sorted(os.listdir(self.out))

    def assert_runs(self, *options):
        result = glimpse("--source", CLIP, "--model", self.out, "--frames", "3", "--json", *options,
                         env=self.environment)
        self.assertEqual(result.code, 0, result.err)
        record = result.records()[-1]
        self.assertGreaterEqual(record["frames"]["seen"], 3)
        self.assertEqual(record["model"]["quantized"], "--quantized" in options)
        self.assertGreater(len(record["predictions"]), 0)
