"""How a script ends: one line on stderr, and the exit code that tells the kind."""

import errno
import io
import unittest
from contextlib import redirect_stderr

from support import TestCase

from model_export.problem import ArgumentParser, Problem, run, writing


class Ends(TestCase):
    def end(self, error):
        """(exit code, stderr) of a script that raises this."""

        def main():
            raise error

        with redirect_stderr(io.StringIO()) as stderr, self.assertRaises(SystemExit) as ended:
            run(main, "tool")
        self.assertEqual(stderr.getvalue().count("\n"), 1)
        return ended.exception.code, stderr.getvalue()

    def test_a_problem_ends_with_its_code_and_message(self):
        self.assertEqual(self.end(Problem("no such thing", 66)), (66, "tool: no such thing\n"))

    def test_control_characters_of_a_file_name_do_not_reach_the_terminal(self):
        self.assertEqual(self.end(Problem("a\x1b[2Jb\nc"))[1], "tool: a\\x1b[2Jb\\nc\n")

    def test_ctrl_c(self):
        self.assertEqual(self.end(KeyboardInterrupt()), (130, "tool: stopped\n"))

    def test_a_missing_package_names_what_installs_it(self):
        code, line = self.end(ImportError("No module named 'torch'"))
        self.assertEqual(code, 69)
        self.assertIn("scripts/setup.sh --training", line)

    def test_a_full_disk_names_the_file(self):
        for number in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EROFS, errno.EACCES):
            code, line = self.end(OSError(number, "why", "out/int8.pt"))
            self.assertEqual((code, line), (73, "tool: cannot write out/int8.pt: why\n"))

    def test_a_missing_file(self):
        self.assertEqual(self.end(FileNotFoundError(errno.ENOENT, "none", "x.json")), (66, "tool: x.json: none\n"))

    def test_of_torch_s_long_messages_only_the_first_line_is_shown(self):
        self.assertEqual(
            self.end(RuntimeError("shape mismatch\nException raised from ...")), (70, "tool: shape mismatch\n")
        )

    def test_writing_names_the_file_that_a_full_disk_does_not(self):
        with self.problem(73, "cannot write /dev/full", "No space left"), writing("/dev/full"):
            with open("/dev/full", "wb", buffering=0) as out:
                out.write(b"x")


class CommandLine(TestCase):
    def test_a_wrong_option_is_one_line_and_64(self):
        with redirect_stderr(io.StringIO()) as stderr, self.assertRaises(SystemExit) as ended:
            ArgumentParser(prog="tool.py").parse_args(["--oops"])
        self.assertEqual(ended.exception.code, 64)
        self.assertEqual(stderr.getvalue(), "tool: unrecognized arguments: --oops; see --help\n")


if __name__ == "__main__":
    unittest.main()
