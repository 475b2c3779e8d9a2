"""What a record holds, and when one is printed."""

import csv
import pathlib
import unittest

from harness import CLIP, TestCase, glimpse

# DESIGN's example record: every field, and the kinds of value it may have.
NUMBER = (int, float)
FIELDS = {
    "time": int, "quality": str, "hostname": str, "value": NUMBER, "schema": str, "device": str, "boot": str, "seq": int,
    "time_ms": int, "trigger": str, "model.name": str, "model.quantized": bool, "model.backend": str, "model.sha256": str,
    "fps.capture": NUMBER, "fps.inference": NUMBER, "fps.target": (*NUMBER, type(None)),
    "fps.target_reason": (str, type(None)), "frames.left_out": int, "frames.seen": int, "frames.dropped": int, "frames.index": int,
    "latency_ms.frame_age": NUMBER, "latency_ms.preprocess": NUMBER, "latency_ms.inference.p50": NUMBER,
    "latency_ms.inference.p90": NUMBER, "latency_ms.inference.p99": NUMBER, "predictions": list,
    "system.cpu_percent": NUMBER, "system.per_core": list, "system.memory_mb": NUMBER, "system.rss_mb": NUMBER,
    "system.temperature_c": (*NUMBER, type(None)), "system.throttled": (list, type(None)),
    "system.throttled_since_start": (list, type(None)), "system.cpu_mhz": (*NUMBER, type(None)),
    "system.cpu_max_mhz": (*NUMBER, type(None)), "outbox.pending": int,
    "outbox.dropped": int,
}


class Records(TestCase):
    def test_a_record_a_second_with_every_field(self):
        result = glimpse("--source", "test", "--duration", "5s", "--json", "--interval", "1s", "--device", "pi-1")
        self.assertEqual(result.code, 0, result.err)
        records = result.records()
        self.assertIn([record["trigger"] for record in records].count("interval"), (4, 5, 6))
        self.assertEqual([record["seq"] for record in records], list(range(1, len(records) + 1)))
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
        self.assertEqual({record["trigger"] for record in result.records()}, {"interval"})
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


class Adapting(TestCase):
    def test_a_camera_too_fast_for_the_network_is_taken_at_the_networks_rate(self):
        result = glimpse("--source", "test", "--fps", "1000", "--adapt", "--duration", "8s", "--json", "--backend", "torch")
        self.assertEqual(result.code, 0, result.err)
        self.assertRegex(result.err, r"taking \d[\d.]* fps instead of \d+: \d+ % of the frames dropped")
        first, last = result.records()[0], result.records()[-1]
        self.assertEqual((first["fps"]["target"], first["fps"]["target_reason"], first["frames"]["left_out"]), (None, None, 0))
        self.assertLess(last["fps"]["target"], last["fps"]["capture"])
        self.assertRegex(last["fps"]["target_reason"], "of the frames dropped")
        self.assertGreater(last["frames"]["left_out"], 0)
        self.assertIn(" left out by --adapt", result.err)
        counted = last["frames"]["dropped"] + last["frames"]["left_out"]
        self.assertLess(counted, last["frames"]["seen"])

    def test_a_file_waits_and_loses_no_frame(self):
        result = glimpse("--source", CLIP, "--adapt", "--json", "--interval", "0")
        self.assertIn("--adapt is for live sources", result.err)
        indices = [record["frames"]["index"] for record in result.records()]
        self.assertEqual(indices, list(range(len(indices))))
        self.assertEqual({record["frames"]["left_out"] for record in result.records()}, {0})


class Events(TestCase):
    """--interval 1h: what comes before the last record comes because something has changed."""

    def run_clip(self, *options):
        result = glimpse("--source", CLIP, "--interval", "1h", "--json", *options)
        self.assertEqual(result.code, 0, result.err)
        records = result.records()
        self.assertEqual([record["seq"] for record in records], list(range(1, len(records) + 1)))
        self.assertEqual(len({record["time_ms"] for record in records}), len(records))
        return [record for record in records if record["trigger"] == "change"], records, result.err

    def test_each_thing_of_the_clip_has_a_record_while_it_is_shown(self):
        events, records, _ = self.run_clip("--realtime")
        with open(pathlib.Path(CLIP).with_suffix(".csv"), newline="", encoding="utf-8") as rows:
            things = list(csv.DictReader(rows))
        self.assertEqual([event["predictions"][0]["label"] for event in events], [thing["label"] for thing in things])
        gone = -1  # a thing comes into view between the last frame of the one before and its own first
        for event, thing in zip(events, things):
            self.assertGreater(event["frames"]["index"], gone)
            gone = int(thing["last_frame"])
            self.assertLessEqual(event["frames"]["index"], gone)
            self.assertGreaterEqual(event["predictions"][0]["probability"], 0.5)
        self.assertEqual([record["trigger"] for record in records[len(events):]], ["interval"])

    def test_events_above_the_cap_are_left_out_and_counted(self):
        events, records, err = self.run_clip("--event-hold", "0", "--events-per-hour", "2")
        self.assertEqual(len(events), 2)
        self.assertEqual(len(records), 3)
        self.assertEqual(err.count("--events-per-hour"), 1, err)
        self.assertRegex(err, r"records: 3 made, \d+ events left out")

    def test_no_events_where_none_are_wanted(self):
        for options in (["--events-per-hour", "0"], ["--event-hold", "1h"]):
            events, records, err = self.run_clip("--frames", "60", *options)
            self.assertEqual((len(events), len(records)), (0, 1))
            self.assertNotIn("left out", err)


if __name__ == "__main__":
    unittest.main()
