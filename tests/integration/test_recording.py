"""scripts/record_console.py: what stands on a terminal stands in the picture, in the same columns."""

import re
import subprocess
import sys
import unittest
import xml.etree.ElementTree

from harness import PATIENCE_S, ROOT, TestCase

try:
    import pyte  # noqa: F401
except ImportError:
    print("python3-pyte is not installed (scripts/setup.sh --training)")
    sys.exit(77)

CELL = 8.4  # pixels


class Recording(TestCase):
    def record(self, *arguments, shows="", seconds="0.2"):
        self.out = self.folder / "console.svg"
        shell = f"printf '%b' '{shows}'; exec sleep 60"
        return subprocess.run([sys.executable, "-B", ROOT / "scripts" / "record_console.py", "--out", self.out, "--after", "0.5",
                               "--seconds", seconds, "--columns", "70", *arguments, "--", "sh", "-c", shell],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    def texts(self):
        """(first column, columns, text) of each text."""
        root = xml.etree.ElementTree.parse(self.out).getroot()
        found = [(float(text.get("x")) / CELL, float(text.get("textLength")) / CELL, text.text)
                 for text in root.iter("{http://www.w3.org/2000/svg}text")]
        return {text: (round(x, 1), round(length, 1)) for x, length, text in found}

    # EastAsianWidth.txt: U+5098 is wide; UnicodeData.txt: U+0338 combines with what is before it.
    def test_a_text_is_as_wide_as_its_columns(self):
        done = self.record(shows=r"  plain\n 1 傘傘 x\ng\0314\0270 y\n\0033[1m傘\0033[0m after\n")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        texts = self.texts()
        self.assertEqual(texts["plain"], (2, 5))
        self.assertEqual(texts["1 傘傘 x"], (1, 8))
        self.assertEqual(texts["g\u0338 y"], (0, 3))
        self.assertEqual(texts["傘"], (0, 2))
        self.assertEqual(texts["after"], (3, 5))

    def test_bad_numbers_are_refused_in_a_line(self):
        for flag in ("--rate", "--seconds", "--columns", "--rows"):
            for value in ("0", "-1", "nan", "inf", "many"):
                done = self.record(flag, value)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertRegex(done.stderr.splitlines()[-1], rf"record_console\.py: error: argument {flag}: .*{re.escape(value)}")
                self.assertNotIn("Traceback", done.stderr)
        self.assertEqual(self.record("--after", "-1").returncode, 2)
        self.assertFalse(self.out.exists())

    def test_a_recording_without_a_single_frame_is_refused(self):
        done = self.record("--rate", "1", seconds="0.2")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("no frame", done.stderr)
        self.assertFalse(self.out.exists())

    def test_a_command_that_ends_or_is_none(self):
        for command in (["true"], ["/nowhere/to-be-found"]):
            done = subprocess.run([sys.executable, "-B", ROOT / "scripts" / "record_console.py", "--out", self.folder / "x.svg", "--after",
                                   "5", "--", *command], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_S,
                                  check=False)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertEqual(done.stderr.splitlines(), ["record_console: the command ended before the recording did"])


if __name__ == "__main__":
    unittest.main()
