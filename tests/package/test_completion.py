"""bash completion as readline would ask for it, without a terminal."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

GLIMPSE = os.environ["GLIMPSE"]
SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "package" / "completion.bash"
# Answers each line of words with what it would complete the last of them to. The first word is the folder to be in, the second the
# program; between words is a unit separator, as no file here has one in its name.
ANSWER = r"""
source "$0"
while IFS= read -r line; do
  mapfile -t -d $'\x1f' COMP_WORDS < <(printf "%s\x1f" "$line")
  cd "${COMP_WORDS[0]}" && COMP_WORDS=("${COMP_WORDS[@]:1}") COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  _glimpse "${COMP_WORDS[0]}" "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"
  printf "%s\x1f" "${COMPREPLY[@]}"
  echo
done
"""


class Completion(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # One for all: it asks the program once, as the shell of a user does.
        cls.bash = subprocess.Popen(["bash", "--norc", "-c", ANSWER, SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, text=True)

    @classmethod
    def tearDownClass(cls):
        _, errors = cls.bash.communicate()
        if errors:
            raise AssertionError(errors)

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="glimpse-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def complete(self, *words, program=GLIMPSE):
        self.bash.stdin.write("\x1f".join(map(str, [self.folder, program, *words])) + "\n")
        self.bash.stdin.flush()
        return [word for word in self.bash.stdout.readline().rstrip("\n").split("\x1f") if word]

    def test_commands_and_flags_are_those_of_the_program(self):
        self.assertLessEqual({"run", "eval", "bench", "doctor", "provision", "--version"}, set(self.complete("")))
        self.assertEqual(self.complete("be"), ["bench"])
        for command in ("run", "eval", "bench", "doctor", "provision"):
            text = subprocess.run([GLIMPSE, command, "--help"], check=True, capture_output=True, text=True).stdout
            lines = [line for line in text.splitlines() if re.match(r" +-", line)]
            flags = [re.search(r"--[a-z0-9-]+", line)[0] for line in lines]
            self.assertEqual(self.complete(command, ""), flags)
        self.assertEqual(self.complete("eval", "--im"), ["--images"])
        self.assertEqual(self.complete("run", "--loop", "--real"), ["--realtime"])

    def test_what_a_flag_takes(self):
        self.assertEqual(self.complete("run", "--backend", ""), ["auto", "torch", "onednn", "xnnpack"])
        self.assertEqual(self.complete("bench", "--backend", ""), ["torch", "onednn", "xnnpack"])
        self.assertEqual(self.complete("run", "--drain", "f"), ["fifo"])
        self.assertEqual(self.complete("run", "--backend", "=", "x"), ["xnnpack"])
        self.assertEqual(self.complete("run", "--backend", "="), ["auto", "torch", "onednn", "xnnpack"])
        self.assertEqual(self.complete("run", "--duration", ""), [])

    def test_files_and_folders(self):
        (self.folder / "clip of mine.mp4").touch()
        (self.folder / "clips").mkdir()
        self.assertEqual(sorted(self.complete("run", "--source", "cl")), ["clip of mine.mp4", "clips"])
        self.assertEqual(sorted(self.complete("run", "--source", "")), ["clip of mine.mp4", "clips", "csi", "test"])
        for flag in ("--ca", "--cert", "--key", "--config"):
            self.assertEqual(self.complete("run", flag, "clip "), ["clip of mine.mp4"])
        self.assertEqual(self.complete("eval", "--labels", "clip "), ["clip of mine.mp4"])
        self.assertEqual(self.complete("run", "--state", "cl"), ["clips"])
        self.assertEqual(self.complete("provision", "--claim-key", "clip "), ["clip of mine.mp4"])

    def test_models_are_those_that_the_program_would_find(self):
        program = self.folder / "prefix" / "bin" / "glimpse"
        program.parent.mkdir(parents=True)
        shutil.copy(GLIMPSE, program)
        for model in ("models/here/float.pt", "prefix/models/beside/int8.pt", "prefix/share/glimpse/models/$(touch ran)/float.pt",
                      "models/none/labels.csv"):
            path = self.folder / model
            path.parent.mkdir(parents=True)
            path.touch()
        refused = subprocess.run([program, "run", "--model", "no such"], cwd=self.folder, capture_output=True, text=True, check=False)
        found = {path.rsplit("/", 1)[1] for path in refused.stderr.strip().partition("there is ")[2].split(", ")}
        self.assertLessEqual({"here", "beside", "$(touch ran)"}, found)
        folders = {"models", "prefix"}
        self.assertEqual(set(self.complete("run", "--model", "", program=program)), found | folders)
        self.assertFalse((self.folder / "ran").exists())


if __name__ == "__main__":
    unittest.main()
