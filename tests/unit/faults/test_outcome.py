"""The table, and what a broken promise does to the exit status."""

import json
import unittest

import parts  # noqa: F401

import run
import table
from outcome import Fault, Outcome, Skipped


class Play(unittest.TestCase):
    def played(self, play):
        return run.play(Fault("a fault", "a promise", full=10, short=1, wave=0, play=play), run.parse_arguments())

    def setUp(self):
        self.argv, run.sys.argv = run.sys.argv, ["run.py"]

    def tearDown(self):
        run.sys.argv = self.argv

    def test_a_kept_promise(self):
        outcome = self.played(lambda task, outcome: outcome.promise(True, "never said"))
        self.assertEqual(outcome.broken, [])

    def test_what_breaks_off_is_not_passed(self):
        def play(task, outcome):
            raise run.DeviceFault("it crashed")

        self.assertEqual(self.played(play).broken, ["DeviceFault: it crashed"])

    def test_what_this_machine_cannot_play_is_skipped_with_words(self):
        def play(task, outcome):
            raise Skipped("no mount here")

        outcome = self.played(play)
        self.assertEqual((outcome.skipped, outcome.broken), ("no mount here", []))
        self.assertIn("a fault: skipped: no mount here", table.text([outcome]))

    def test_short_and_full_counts(self):
        counts = []
        self.played(lambda task, outcome: counts.append(task.count))
        run.sys.argv = ["run.py", "--full"]
        self.played(lambda task, outcome: counts.append(task.count))
        self.assertEqual(counts, [1, 10])


class Table(unittest.TestCase):
    OUTCOME = Outcome("reset", count=50, accepted=1234, received=1233, lost=1, duplicates=7, figures={"found_max_s": 1.5},
                      broken=["1 accepted records lost"], seconds=61.4)

    def test_text(self):
        lines = table.text([self.OUTCOME]).splitlines()
        self.assertEqual(lines[0].split(), list(table.HEAD))
        self.assertEqual(lines[1].split(), ["reset", "50", "glimpse", "1234", "1233", "1", "7", "61"])
        self.assertEqual(lines[2:], ["reset: found_max_s 1.5", "BROKEN reset: 1 accepted records lost"])
        self.assertEqual(table.text([Outcome("x")]).splitlines()[-1], "every promise was kept")

    def test_json_there_and_back(self):
        self.assertEqual(Outcome(**json.loads(table.json_line(self.OUTCOME))), self.OUTCOME)


if __name__ == "__main__":
    unittest.main()
