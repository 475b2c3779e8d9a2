"""glimpse eval on labelled pictures: the numbers, the two ways to label, and each kind of bad input."""

import csv
import json
import pathlib
import shutil
import signal
import subprocess
import unittest

from harness import CLIP, DEMO, GLIMPSE, PATIENCE_S, Result, TestCase, interrupt

KEYS = {"images", "float", "int8", "agreement"}


def command(*arguments):
    model = [] if "--model" in arguments else ["--model", DEMO]
    return [GLIMPSE, "eval", *model, *map(str, arguments)]


def evaluate(*arguments):
    done = subprocess.run(command(*arguments), stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_S)
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


def frames_of_the_clip(folder):
    """Two frames for each thing that the clip shows, as pictures; gives (file, label) of each."""
    rows = []
    with open(pathlib.Path(CLIP).with_suffix(".csv"), newline="", encoding="utf-8") as truth:
        for row in csv.DictReader(truth):
            first, last = int(row["first_frame"]), int(row["last_frame"])
            rows += [(first + (last - first) // 3, row["label"]), (first + (last - first) * 2 // 3, row["label"])]
    select = "+".join(f"eq(n,{frame})" for frame, _ in rows)
    subprocess.run(["ffmpeg", "-v", "error", "-i", CLIP, "-vf", f"select='{select}'", "-vsync", "0", folder / "%03d.ppm"],
                   check=True, stdin=subprocess.DEVNULL)
    return [(f"{number:03d}.ppm", label) for number, (_, label) in enumerate(rows, 1)]


def grey(path, level=128):
    path.write_bytes(b"P6 64 64 255\n" + bytes([level]) * (64 * 64 * 3))


class Numbers(TestCase):
    def setUp(self):
        super().setUp()
        self.pictures = self.folder / "pictures"
        self.pictures.mkdir()

    def write_labels(self, rows, header="file,label"):
        path = self.folder / "labels.csv"
        with open(path, "w", newline="", encoding="utf-8") as out:
            out.write(header + "\n")
            csv.writer(out, lineterminator="\n").writerows(rows)
        return path

    def json_line(self, *arguments):
        result = evaluate("--images", self.pictures, "--json", *arguments)
        self.assertEqual(result.code, 0, result.err)
        self.assertEqual(len(result.out.splitlines()), 1)
        found = json.loads(result.out)
        self.assertLessEqual(KEYS, found.keys())
        return found, result.err

    def test_the_clips_things_are_named_right(self):
        rows = frames_of_the_clip(self.pictures)
        found, _ = self.json_line("--labels", self.write_labels(rows))
        self.assertEqual(found["images"], len(rows))
        for form in ("float", "int8"):
            self.assertGreaterEqual(found[form]["top1"], 0.95)
            self.assertGreaterEqual(found[form]["top5"], found[form]["top1"])
            self.assertGreater(found[form]["fps"], 0)
        self.assertGreaterEqual(found["agreement"], 0.95)

    def test_shifted_labels_are_counted_as_wrong_and_say_the_same_by_index(self):
        rows = frames_of_the_clip(self.pictures)
        labels = json.loads(pathlib.Path(DEMO, "manifest.json").read_text(encoding="utf-8"))["labels"]
        half_wrong = [(file, labels.index(label if number % 2 else rows[number - 2][1]))
                      for number, (file, label) in enumerate(rows)]
        found, _ = self.json_line("--labels", self.write_labels(half_wrong, "file,index"))
        self.assertAlmostEqual(found["float"]["top1"], 0.5, delta=0.05)

    def test_a_folder_for_each_class_says_the_same(self):
        rows = frames_of_the_clip(self.pictures)
        by_csv, _ = self.json_line("--labels", self.write_labels(rows))
        for file, label in rows:
            (self.pictures / label).mkdir(exist_ok=True)
            shutil.move(self.pictures / file, self.pictures / label / file)
        by_folder, _ = self.json_line()
        for key in ("images", "agreement"):
            self.assertEqual(by_folder[key], by_csv[key])
        self.assertEqual(by_folder["float"]["top1"], by_csv["float"]["top1"])

    def test_windows_line_ends_and_a_byte_order_mark(self):
        grey(self.pictures / "a.ppm")
        labels = self.folder / "labels.csv"
        labels.write_bytes(b"\xef\xbb\xbffile,label\r\na.ppm,teddy bear\r\n")
        self.assertEqual(self.json_line("--labels", labels)[0]["images"], 1)

    def test_what_is_no_picture_is_skipped_and_counted(self):
        grey(self.pictures / "a.ppm")
        (self.pictures / "b.ppm").write_bytes(b"")
        (self.pictures / "c.jpg").write_bytes(b"not a picture")
        found, err = self.json_line("--labels", self.write_labels([("b.ppm", "cat"), ("a.ppm", "cat"), ("c.jpg", "cat")]))
        self.assertEqual((found["images"], found["skipped"]), (1, 2))
        self.assertEqual(err.count("b.ppm: the file is empty"), 1)
        self.assertEqual(err.count("c.jpg: not a picture"), 1)

    def test_a_model_with_one_form_alone(self):
        grey(self.pictures / "a.ppm")
        labels = self.write_labels([("a.ppm", "cat")])
        model = self.demo_copy()
        (model / "float.pt").unlink()
        found, _ = self.json_line("--labels", labels, "--model", model)
        self.assertIsNone(found["float"])
        self.assertIsNone(found["agreement"])
        self.assertIn("top1", found["int8"])
        text = evaluate("--images", self.pictures, "--labels", labels, "--model", model)
        self.assertEqual(text.code, 0, text.err)
        self.assertRegex(text.out, r"(?m)^float +- +- +- +-$")
        self.assertRegex(text.out, r"(?m)^agreement +-$")

    def test_no_bar_and_no_escapes_where_there_is_no_terminal(self):
        grey(self.pictures / "a.ppm")
        result = evaluate("--images", self.pictures, "--labels", self.write_labels([("a.ppm", "cat")]))
        self.assertEqual(result.code, 0, result.err)
        self.assertNotIn("\x1b", result.out + result.err)
        self.assertNotIn("\r", result.out + result.err)

    def test_a_stop_is_no_result(self):
        for number in range(2000):
            grey(self.pictures / f"{number}.ppm", number % 256)
        labels = self.write_labels([(f"{number}.ppm", "cat") for number in range(2000)])
        process = subprocess.Popen(command("--images", self.pictures, "--labels", labels), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        process.stdout.readline()  # the models are loaded, the pictures begin
        code, out, err = interrupt(process, signal.SIGINT)
        self.assertEqual(code, 130, err)
        self.assertEqual(out, "")
        self.assertIn("of 2000 pictures: no result", err)


class BadInput(TestCase):
    def setUp(self):
        super().setUp()
        grey(self.folder / "a.ppm")

    def refused(self, labels, code, *words):
        path = self.folder / "labels.csv"
        path.write_text(labels)
        self.assert_refused(evaluate("--images", self.folder, "--labels", path, "--json"), code, *words)

    def test_the_rows_of_the_csv(self):
        self.refused("", 65, "labels.csv is empty")
        self.refused("file,index\n", 65, "no pictures")
        self.refused("a.ppm,3\n", 65, "labels.csv:1:", "file,index or file,label")
        self.refused("file,index\na.ppm,3\nb.ppm,3\n", 65, "labels.csv:3:", "b.ppm")
        self.refused("file,index\na.ppm,91\n", 65, "labels.csv:2:", "from 0 to 90", '"91"')
        self.refused("file,index\na.ppm,x\n", 65, "labels.csv:2:", '"x"')
        self.refused("file,label\na.ppm,unicorn\n", 65, "labels.csv:2:", '"unicorn"')

    def test_what_is_not_there(self):
        self.assert_refused(evaluate("--images", "nowhere"), 66, "nowhere")
        self.assert_refused(evaluate("--images", self.folder, "--labels", "nowhere.csv"), 66, "nowhere.csv")
        self.assert_refused(evaluate("--images", self.folder), 65, "--labels")

    def test_a_folder_whose_name_is_no_class(self):
        (self.folder / "unicorn").mkdir()
        self.assert_refused(evaluate("--images", self.folder), 65, "unicorn", "1 folders for 91 classes")

    def test_not_one_picture_that_can_be_decoded(self):
        (self.folder / "b.ppm").write_bytes(b"")
        self.refused("file,index\nb.ppm,3\n", 65, "none of the 1 pictures")

    def test_usage(self):
        self.assert_refused(evaluate(), 64, "--images")
        self.assert_refused(evaluate("--images", self.folder, "--quantized"), 64, "--quantized")
        self.assert_refused(evaluate("--images", self.folder, "--threads", "0"), 64, "--threads")
        self.assert_refused(evaluate("--images", self.folder, "--backend", "tpu"), 64, "tpu")


if __name__ == "__main__":
    unittest.main()
