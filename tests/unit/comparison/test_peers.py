"""A peer's answer: its figure counts only if its logits are those of glimpse's model, and a failure is one line."""

import json
import pathlib
import sys
import tempfile
import unittest

import parts  # noqa: F401: finds comparison/

from comparison.contests import Contest

OURS = {"onednn": 2.0}
LOGITS = [0.0, 1.0, 5.0, 2.0, -3.0]


class Answer(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="glimpse-test-")))

    def asked(self, program, precision="float", expected=None):
        """The contest after one round with a peer that is this Python program."""
        contest = Contest("ort", precision, 1, [sys.executable, "-c", program])
        if expected:
            contest.logits = self.folder / "logits.json"
            contest.logits.write_text(json.dumps(expected))
        contest.measure(OURS)
        return contest

    def telling(self, logits, precision):
        told = {"name": "a peer 1.0", "figure": 4.0, "logits": logits}
        return self.asked(f"print({json.dumps(told)!r})", precision, LOGITS)

    def test_a_figure(self):
        contest = self.asked("""print('{"name": "a peer 1.0", "figure": 4.0}')""")
        self.assertEqual((contest.name, contest.skipped), ("a peer 1.0", ""))
        self.assertEqual([(each.ours, each.theirs) for each in contest.rounds], [(OURS, 4.0)])

    def test_logits_that_are_rounded_elsewhere(self):
        for precision, error in (("float", 1e-5), ("int8", 0.2)):
            contest = self.telling([value + error * (-1) ** n for n, value in enumerate(LOGITS)], precision)
            self.assertEqual((contest.skipped, len(contest.rounds)), ("", 1))

    def test_logits_of_another_network(self):
        for precision, logits in (("float", [0.5, 1, 5, 2, -3]), ("int8", LOGITS[::-1]), ("int8", [0.0] * 5), ("int8", [1.0])):
            contest = self.telling(logits, precision)
            self.assertIn("not those of glimpse's model", contest.skipped)
            self.assertEqual(contest.rounds, [])

    def test_a_failure_is_its_last_line(self):
        contest = self.asked("import sys; print('noise', file=sys.stderr); sys.exit('no \\x1b[31mtorch here')")
        self.assertEqual(contest.skipped, "no \\x1b[31mtorch here")

    def test_an_end_without_a_word_and_what_is_not_json(self):
        self.assertIn("status 3", self.asked("import os; os._exit(3)").skipped)
        self.assertIn("not JSON", self.asked("print('4 ms')").skipped)


if __name__ == "__main__":
    unittest.main()
