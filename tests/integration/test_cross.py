"""scripts/pi: what it is asked wrongly, or cannot do, is one line. Nothing is downloaded here."""

import os
import subprocess
import unittest

from harness import ROOT, TestCase


class Refusals(TestCase):
    def refused(self, code, *words, script="sysroot.sh", arguments=(), **environment):
        done = subprocess.run([ROOT / "scripts" / "pi" / script, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, env={**os.environ, **environment})
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def test_a_release_or_option_that_is_not_there(self):
        for words, arguments in (("woody", ["--suite", "woody"]), ("--sweet", ["--sweet"]), ("value", ["--suite"])):
            self.refused(64, *words.split(), "--help", script="cross.sh", arguments=arguments)

    def test_a_release_or_architecture_that_is_not_there(self):
        self.refused(64, "woody", "bookworm", arguments=["woody", "arm64", self.folder / "new"])
        self.refused(64, "vax", "arm64", arguments=["bookworm", "vax", self.folder / "new"])
        self.assertFalse((self.folder / "new").exists())

    def test_a_folder_of_somebody_elses_is_left_alone(self):
        (self.folder / "thesis.txt").write_text("years of work")
        self.refused(73, str(self.folder), arguments=["bookworm", "arm64", self.folder])
        self.assertEqual((self.folder / "thesis.txt").read_text(), "years of work")

    def test_no_way_to_the_archive(self):
        self.refused(69, "apt-get update", "bookworm", "arm64", arguments=["bookworm", "arm64", self.folder / "new"],
                     http_proxy="http://127.0.0.1:1")


if __name__ == "__main__":
    unittest.main()
