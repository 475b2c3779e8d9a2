"""Ratios of figures from the same rounds, their spread, the bounds, and the table of them. Expected values are by hand."""

import unittest

import parts  # noqa: F401: finds comparison/
from comparison.contests import BOUNDS, Contest
from comparison.ratios import Bound, Round, ratio
from comparison.table import objects, table

FACTS = {
    "glimpse": "glimpse 1.2.3",
    "machine": {"CPU": "A CPU", "load before": "0.1 (4 cores)"},
    "model": "models/x",
    "rounds": 3,
    "frames": 100,
    "clip_frames": 300,
}
# A machine that is half as fast in the second round, and in the third just when the peer runs.
SLOWER = [Round({"a": 4.0, "b": 5.0}, 5.0), Round({"a": 8.0, "b": 7.0}, 10.0), Round({"a": 4.0, "b": 5.0}, 8.0)]


def contest(peer="ort", precision="float", threads=1, rounds=SLOWER, **more):
    return Contest(peer, precision, threads, name=f"a {peer}", rounds=list(rounds), **more)


class Ratios(unittest.TestCase):
    def test_taken_within_each_round(self):
        found = ratio(SLOWER, less_is_better=True)
        self.assertEqual((found.low, found.median, found.high), (0.5, 0.8, 0.8))  # 4/5, 8/10, 4/8
        self.assertEqual((found.ours, found.theirs), (4.0, 8.0))
        self.assertEqual(found.rounds, [(4.0, 5.0), (8.0, 10.0), (4.0, 8.0)])

    def test_the_backend_is_the_one_with_the_best_median_and_the_same_in_all_rounds(self):
        self.assertEqual(ratio(SLOWER, less_is_better=True).backend, "a")
        self.assertEqual(ratio(SLOWER, less_is_better=False).backend, "b")

    def test_a_backend_that_missed_a_round_does_not_count(self):
        rounds = [Round({"a": 1.0, "b": 3.0}, 3.0), Round({"b": 3.0}, 3.0)]
        self.assertEqual(ratio(rounds, less_is_better=True).backend, "b")

    def test_an_even_number_of_rounds(self):
        rounds = [Round({"a": ours}, 10.0) for ours in (1.0, 2.0, 4.0, 9.0)]
        self.assertAlmostEqual(ratio(rounds, less_is_better=True).median, 0.3)


class Bounds(unittest.TestCase):
    def test_both_ends_belong_to_them(self):
        self.assertTrue(Bound(1.1, at_most=True).met_by(1.1))
        self.assertFalse(Bound(1.1, at_most=True).met_by(1.101))
        self.assertTrue(Bound(5, at_most=False).met_by(5.0))
        self.assertFalse(Bound(5, at_most=False).met_by(4.99))

    def test_a_loop_is_to_be_faster_and_a_network_to_be_shorter(self):
        for (peer, _, threads), bound in BOUNDS.items():
            self.assertEqual(bound.at_most, peer != "pipeline")
            self.assertEqual(threads is None, peer == "pipeline")

    def test_a_peer_or_a_number_of_threads_without_one(self):
        self.assertIsNone(contest("opencv").bound)
        self.assertIsNone(contest("ort", threads=4).bound)


class Table(unittest.TestCase):
    def rows(self, *contests):
        return table(list(contests), FACTS).splitlines()

    def test_a_row_has_both_times_the_ratio_its_spread_and_the_verdict(self):
        (row,) = (line for line in self.rows(contest()) if "a ort" in line)
        self.assertRegex(row, r"^float +1 thread +a ort +4\.00 a +8\.00 +0\.80 +0\.50 \.\. 0\.80 +<= 1\.10  ok$")

    def test_a_bound_that_is_missed(self):
        (row,) = (line for line in self.rows(contest("torch", "int8", 2)) if "a torch" in line)
        self.assertRegex(row, r"<= 0\.15  missed$")

    def test_of_frame_rates_more_is_better(self):
        rounds = [Round({"a": 100.0, "b": 120.0}, 20.0)]
        rows = self.rows(contest(), contest("pipeline", "int8", None, rounds))
        (row,) = (line for line in rows if "a pipeline" in line)
        self.assertRegex(row, r"^int8 +a pipeline +120\.00 b +20\.00 +6\.00 +6\.00 \.\. 6\.00 +>= 5  ok$")
        self.assertGreater(rows.index(row), next(n for n, line in enumerate(rows) if line.startswith("the clip, fps")))

    def test_what_has_no_bound_has_no_verdict(self):
        (row,) = (line for line in self.rows(contest("opencv")) if "a opencv" in line)
        self.assertTrue(row.endswith("0.50 .. 0.80"), row)

    def test_what_was_skipped_says_why_and_what_was_cut_short_keeps_its_rounds(self):
        rows = self.rows(contest(rounds=[], skipped="no node here"), contest("torch", skipped="it ended"))
        self.assertIn("skipped: float  1 thread   a ort: no node here", rows)
        self.assertIn("cut short: float  1 thread   a torch: it ended", rows)
        self.assertTrue(any("a torch" in line and "0.80" in line for line in rows))

    def test_for_programs(self):
        facts, row, skipped = objects([contest(), contest(rounds=[], skipped="no node here")], FACTS)
        self.assertEqual(facts, FACTS)
        self.assertEqual((row["peer"], row["name"]), ("ort", "a ort"))
        self.assertEqual(row["ratio"], {"median": 0.8, "min": 0.5, "max": 0.8})
        self.assertEqual((row["unit"], row["backend"], row["bound"], row["met"]), ("ms", "a", {"at_most": 1.1}, True))
        self.assertEqual(row["rounds"][2], {"glimpse": 4.0, "peer": 8.0})
        self.assertEqual(skipped["skipped"], "no node here")
        self.assertNotIn("ratio", skipped)


if __name__ == "__main__":
    unittest.main()
