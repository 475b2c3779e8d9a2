"""What a record holds, and when one is printed."""

import unittest

from harness import CLIP, TestCase, glimpse

# DESIGN's example record: every field, and the kinds of value it may have.
NUMBER = (int, float)
FIELDS = {
    "time": int, "quality": str, "hostname": str, "value": NUMBER, "schema": str, "device": str, "boot": str, "seq": int,
    "time_ms": int, "model.name": str, "model.quantized": bool, "model.backend": str, "model.sha256": str,
    "fps.capture": NUMBER, "fps.inference": NUMBER, "frames.seen": int, "frames.dropped": int, "frames.index": int,
    "latency_ms.frame_age": NUMBER, "latency_ms.preprocess": NUMBER, "latency_ms.inference.p50": NUMBER,
    "latency_ms.inference.p90": NUMBER, "latency_ms.inference.p99": NUMBER, "predictions": list,
    "system.cpu_percent": NUMBER, "system.per_core": list, "system.memory_mb": NUMBER, "system.rss_mb": NUMBER,
    "system.temperature_c": (*NUMBER, type(None)), "system.throttled": (list, type(None)), "outbox.pending": int,
    "outbox.dropped": int,
}


class Records(TestCase):
    def test_a_record_a_second_with_every_field(self):
        result = glimpse("--source", "test", "--duration", "5s", "--json", "--interval", "1s", "--device", "pi-1")
        self.assertEqual(result.code, 0, result.err)
        records = result.records()
        self.assertIn(len(records), (4, 5, 6))
        for record in records:
            for path, kind in FIELDS.items():
                value = record
                for key in path.split("."):
                    self.assertIn(key, value, path)
                    value = value[key]
                self.assertIsInstance(value, kind, path)
            self.assertEqual(record["schema"], "glimpse/1")
            self.assertEqual(record["quality"], "GOOD")
            self.assertEqual(record["device"], "pi-1")
            self.assertEqual(record["value"], record["system"]["cpu_percent"])
            self.assertEqual(record["time"], record["time_ms"] // 1000)
            self.assertEqual(len(record["predictions"]), 10)
            self.assertEqual(set(record["predictions"][0]), {"index", "label", "probability"})
        self.assertEqual(len({record["boot"] for record in records}), 1)

    def test_top_k_is_cut_to_the_classes_of_the_model(self):
        result = glimpse("--source", CLIP, "--frames", "1", "--json", "--top-k", "1000")
        predictions = result.records()[0]["predictions"]
        self.assertLess(len(predictions), 1000)
        self.assertAlmostEqual(sum(guess["probability"] for guess in predictions), 1, places=2)

    def test_frames_ends_the_run(self):
        result = glimpse("--source", CLIP, "--frames", "7", "--json", "--interval", "0")
        self.assertEqual([record["frames"]["index"] for record in result.records()], list(range(7)))
        self.assertIn("7 frames", result.err)

    def test_a_looped_file_begins_again_at_0(self):
        result = glimpse("--source", CLIP, "--loop", "--duration", "2s", "--json", "--frames", "5")
        self.assertEqual(result.code, 0, result.err)

    def test_plain_lines_have_no_colour_and_say_which_model(self):
        result = glimpse("--source", CLIP, "--frames", "3", "--interval", "0")
        lines = result.out.splitlines()
        self.assertTrue(lines[0].startswith("model demo float"))
        self.assertEqual(len(lines), 2 + 3)
        self.assertNotIn("\x1b", result.out)


if __name__ == "__main__":
    unittest.main()
