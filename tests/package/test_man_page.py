"""The man page has each flag that the program has, no other, and no mistake that man sees."""

import functools
import os
import pathlib
import re
import shutil
import subprocess
import unittest

GLIMPSE = os.environ["GLIMPSE"]
PAGE = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "package" / "glimpse.1"


def flags(text):
    return set(re.findall(r"--[a-z0-9][a-z0-9-]*", text))


@functools.cache
def help_of(*command):
    done = subprocess.run([GLIMPSE, *command, "--help"], check=True, capture_output=True, text=True)
    return done.stdout


class ManPage(unittest.TestCase):
    def setUp(self):
        parts = re.split(r"^\.SH (.*)\n", PAGE.read_text().replace(r"\-", "-"), flags=re.M)
        self.sections = dict(zip(parts[1::2], parts[2::2]))

    def test_the_flags_of_each_command_are_those_of_its_help(self):
        commands = re.findall(r"^  ([a-z]+) ", help_of(), flags=re.M)
        self.assertIn("run", commands)
        for command in commands:
            lines = [line for line in help_of(command).splitlines() if re.match(r" +-", line)]
            known = {re.search(r"--[a-z0-9-]+", line)[0] for line in lines} - {"--help"}
            self.assertTrue(known)
            common, own = flags(self.sections["OPTIONS OF RUN, EVAL, BENCH AND DOCTOR"]), flags(self.sections[f"OPTIONS OF {command.upper()}"])
            self.assertEqual(known, own if command == "provision" else common | own, f"of {command}")
            self.assertIn(f"glimpse {command}", self.sections["SYNOPSIS"])

    def test_the_exit_statuses_are_those_of_the_help(self):
        documented = set(re.findall(r"^(\d+)\t", self.sections["EXIT STATUS"], flags=re.M))
        for command in re.findall(r"^  ([a-z]+) ", help_of(), flags=re.M):
            text = re.search(r"^Exit: (.*)", help_of(command), flags=re.M | re.S)[1]
            self.assertLessEqual(set(re.findall(r"\b(\d+) [a-z]", text)), documented)

    @unittest.skipUnless(shutil.which("man"), "no man: scripts/setup.sh --packaging")
    def test_man_has_no_warning(self):
        done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", PAGE], capture_output=True, text=True,
                              env=os.environ | {"LC_ALL": "C.UTF-8", "MANROFFSEQ": "", "MANWIDTH": "80"}, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
