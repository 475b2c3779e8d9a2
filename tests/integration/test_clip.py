"""The bundled clip through the bundled model: every frame, in order, and the right name."""

import csv
import pathlib
import unittest

from harness import CLIP, TestCase, glimpse

TRUTH = pathlib.Path(CLIP).with_suffix(".csv")


class Clip(TestCase):
    def agreement(self, *options):
        result = glimpse("--source", CLIP, "--interval", "0", "--json", *options)
        self.assertEqual(result.code, 0, result.err)
        records = result.records()
        self.assertEqual([record["frames"]["index"] for record in records], list(range(len(records))))
        self.assertEqual([record["seq"] for record in records], list(range(1, len(records) + 1)))
        with open(TRUTH, newline="", encoding="utf-8") as rows:
            truth = {frame: row["label"] for row in csv.DictReader(rows)
                     for frame in range(int(row["first_frame"]), int(row["last_frame"]) + 1)}
        self.assertGreater(len(truth), len(records) // 2)
        right = sum(records[frame]["predictions"][0]["label"] == label for frame, label in truth.items())
        return right / len(truth)

    def test_float_names_the_things(self):
        self.assertGreaterEqual(self.agreement(), 0.95)

    def test_int8_names_the_things(self):
        self.assertGreaterEqual(self.agreement("--quantized"), 0.95)


if __name__ == "__main__":
    unittest.main()
