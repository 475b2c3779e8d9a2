"""glimpse bench: every combination once, in the shape that programs read; what it cannot measure is said."""

import os
import pathlib
import signal
import subprocess
import unittest

from harness import CLIP, DEMO, GLIMPSE, PATIENCE_S, Result, TestCase, interrupt, wait_until

TIMES = ["p50", "p90", "p99", "min"]
FEW = ["--frames", "4", "--rounds", "2"]


def command(*arguments):
    model = [] if "--model" in arguments else ["--model", DEMO]
    return [GLIMPSE, "bench", *model, *map(str, arguments)]


def bench(*arguments):
    done = subprocess.run(command(*arguments), stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_S)
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


class Bench(TestCase):
    def lines(self, *arguments):
        result = bench(*FEW, "--json", *arguments)
        self.assertEqual(result.code, 0, result.err)
        return result.records()

    def assert_whole(self, line):
        for kind in ("network_ms", "preprocess_ms"):
            self.assertEqual(list(line[kind]), TIMES)
            self.assertLessEqual(line[kind]["min"], line[kind]["p50"])
            self.assertLessEqual(line[kind]["p50"], line[kind]["p99"])
        for key in ("fps", "model_mib", "load_ms", "peak_rss_mb"):
            self.assertGreater(line[key], 0, key)
        self.assertEqual(line["model"], "demo")
        self.assertIn("cores", line["machine"]["processor"])
        self.assertIn(os.uname().release, line["machine"]["kernel"])
        self.assertRegex(line["machine"]["libtorch"], r"^[0-9]+\.[0-9]+")

    def test_a_line_for_each_combination(self):
        lines = self.lines("--threads", "2")
        combinations = [(line["precision"], line["backend"]) for line in lines]
        self.assertEqual(len(combinations), len(set(combinations)))
        self.assertLessEqual({("float", "torch"), ("int8", "torch")}, set(combinations))
        for line in lines:
            self.assert_whole(line)
            self.assertEqual(line["threads"], 2)
        sizes = {line["precision"]: line["model_mib"] for line in lines}
        for precision, size in sizes.items():
            on_disk = pathlib.Path(DEMO, f"{precision}.pt").stat().st_size
            self.assertAlmostEqual(size, on_disk / 2**20, places=2)

    def test_the_backend_that_was_asked_for_alone(self):
        lines = self.lines("--backend", "torch")
        self.assertEqual([(line["precision"], line["backend"]) for line in lines], [("float", "torch"), ("int8", "torch")])

    def test_the_whole_way_from_a_source_even_a_single_picture(self):
        picture = self.folder / "a.ppm"
        picture.write_bytes(b"P6 64 64 255\n" + bytes(64 * 64 * 3))
        for source in (CLIP, picture):
            for line in self.lines("--backend", "torch", "--source", source):
                self.assert_whole(line)

    def test_a_table_for_people(self):
        result = bench(*FEW, "--backend", "torch")
        self.assertEqual(result.code, 0, result.err)
        self.assertIn("2 combinations, 2 rounds of 4 frames", result.out.splitlines()[0])
        self.assertRegex(result.out, r"(?m)^float +torch( +[0-9.]+){12}$")
        self.assertRegex(result.out, r"(?m)^int8 +torch( +[0-9.]+){12}$")
        self.assertNotIn("\x1b", result.out + result.err)

    def test_a_model_with_one_form_alone(self):
        model = self.demo_copy()
        (model / "int8.pt").unlink()
        self.assertEqual({line["precision"] for line in self.lines("--model", model)}, {"float"})

    def test_a_stop_is_no_result_and_leaves_no_process_behind(self):
        process = subprocess.Popen(command("--frames", "10000", "--rounds", "100"), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        process.stdout.readline()
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
        wait_until(lambda: len(children.read_text().split()) >= 2, "the measuring processes")
        measuring = children.read_text().split()
        code, out, err = interrupt(process, signal.SIGTERM)
        self.assertEqual(code, 130, err)
        self.assertEqual(out, "")
        self.assertIn("no result", err)
        for child in measuring:
            self.assertFalse(pathlib.Path("/proc", child).exists())


class BadInput(TestCase):
    def test_the_source(self):
        self.assert_refused(bench(*FEW, "--source", "nowhere.mp4"), 66, "nowhere.mp4")
        text = self.folder / "clip.mp4"
        text.write_text("this is not a video\n" * 100)
        self.assert_refused(bench(*FEW, "--source", text), 65, str(text))

    def test_the_model(self):
        self.assert_refused(bench("--model", "no-such-model"), 65, "no-such-model")
        model = self.demo_copy()
        (model / "int8.pt").write_bytes(b"changed")
        self.assert_refused(bench(*FEW, "--model", model), 65, "int8.pt", "SHA-256")

    def test_usage(self):
        self.assert_refused(bench("--backend", "tpu"), 64, "tpu", "torch")
        self.assert_refused(bench("--frames", "0"), 64, "--frames")
        self.assert_refused(bench("--quantized"), 64, "--quantized")


if __name__ == "__main__":
    unittest.main()
