"""scripts/compare_models.py with the real glimpse: the page, the picture, and each kind of bad input."""

import json
import os
import pathlib
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import unittest

from harness import DEMO, GLIMPSE, PATIENCE_S, ROOT, Result, TestCase, wait_until
from html_page import Page
from test_eval import frames_of_the_clip, grey

SCRIPT = str(ROOT / "scripts" / "compare_models.py")
# The one that apt's matplotlib is for.
PYTHON = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else sys.executable
QUICK = ["--frames", "2", "--rounds", "1", "--threads", "1"]
ODD_NAME = "co<b>py & \"more\" $x$"


def command(*arguments):
    program = [] if "--glimpse" in arguments else ["--glimpse", GLIMPSE]
    return [PYTHON, "-B", SCRIPT, *program, *map(str, arguments)]


def compare(*arguments, **options):
    options = {"stdin": subprocess.DEVNULL, "capture_output": True, "timeout": PATIENCE_S, **options}
    done = subprocess.run(command(*arguments), **options)
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


class Compare(TestCase):
    def setUp(self):
        super().setUp()
        self.out = self.folder / "new" / "out"
        self.pictures = self.folder / "pictures"
        self.pictures.mkdir()
        self.labels = self.folder / "labels.csv"

    def input(self):
        return ["--images", self.pictures, "--labels", self.labels, "--out", self.out]

    def one_picture(self):
        grey(self.pictures / "a.ppm")
        self.labels.write_text("file,label\na.ppm,cat\n")

    def script(self, text):
        """A program for --glimpse."""
        path = self.folder / "program"
        path.write_text("#!/bin/bash\n" + text)
        path.chmod(0o755)
        return path

    def listening(self):
        """The real glimpse, whose output is kept in a file, too."""
        return self.script(f'set -o pipefail; "{GLIMPSE}" "$@" | tee -a "{self.folder}/heard"\n')

    def page(self):
        page = Page((self.out / "comparison.html").read_text(encoding="utf-8"))
        self.assertEqual(page.faults, [])
        self.assertEqual(page.refers_to(), [])
        return page

    def assert_refused(self, result, code, *words):
        self.assertEqual(result.code, code, result.err)
        complaint = result.err.splitlines()[-1]
        self.assertTrue(complaint.startswith("compare_models: "), result.err)
        for word in words:
            self.assertIn(str(word), complaint)
        self.assertNotIn("Traceback", result.err)
        self.assertEqual(result.out, "")
        self.assertFalse(self.out.parent.exists(), "nothing is to stay")


class Written(Compare):
    def test_two_models_one_without_int8(self):
        rows = frames_of_the_clip(self.pictures)
        self.labels.write_text("file,label\n" + "".join(f"{file},{label}\n" for file, label in rows), encoding="utf-8")
        copy = self.folder / ODD_NAME
        shutil.copytree(DEMO, copy)
        (copy / "int8.pt").unlink()
        result = compare(DEMO, copy, *self.input(), "--glimpse", self.listening(), *QUICK)
        self.assertEqual(result.code, 0, result.err)
        self.assertEqual(sorted(os.listdir(self.out)), ["comparison.html", "comparison.png"])
        self.assertEqual(result.out.split(), [str(self.out / "comparison.html"), str(self.out / "comparison.png")])
        self.assert_png(self.out / "comparison.png")
        page = self.page()
        self.assert_has_every_figure(page)
        self.assertEqual(page.tags["b"], 0, "a name is text, never a tag")
        self.assertIn(ODD_NAME, page.text)
        self.assertIn(subprocess.check_output([GLIMPSE, "--version"], text=True).strip(), page.text)
        self.assertIn("--frames 2", page.text)
        self.assertIn(f"{len(rows)} pictures", page.text)

    def assert_png(self, path):
        data = path.read_bytes()
        self.assertEqual(data[:8], b"\x89PNG\r\n\x1a\n")
        width, height = struct.unpack(">II", data[16:24])
        self.assertTrue(1200 <= width <= 4000 and 600 <= height <= 4000, (width, height))
        self.assertGreater(len(data), 10_000)

    def assert_has_every_figure(self, page):
        heard = [json.loads(line) for line in (self.folder / "heard").read_text().splitlines() if line.startswith("{")]
        for line in heard:
            line.pop("disagreements", None)
        self.assertEqual([json.loads(line) for line in page.figures.splitlines()], heard)
        cells = [" ".join(row) for row in page.rows]
        timed = [line for line in heard if "network_ms" in line]
        self.assertEqual(len(cells), 1 + len(timed))
        for line, row in zip(timed, cells[1:]):
            figures = [f"{line['network_ms'][key]:.2f}" for key in ("p50", "p90", "p99")]
            figures += [line["backend"], str(line["threads"]), f"{line['fps']:.1f}"]
            figures += [f"{line['load_ms']:.0f}", f"{line['peak_rss_mb']:.0f}"]
            self.assertIn(" ".join([*figures[3:5], *figures[:3], *figures[5:]]), row)
            self.assertIn(f"{line['model_mib']:.1f}", page.text)
        for line in (line for line in heard if "images" in line):
            for share in [form[key] for form in (line["float"], line["int8"]) if form for key in ("top1", "top5")]:
                self.assertIn(f"{100 * share:.1f} %", " ".join(cells))
            if line["agreement"] is not None:
                self.assertIn(f"{100 * line['agreement']:.1f} %", " ".join(cells))

    def test_a_model_that_glimpse_refuses_is_named_and_the_rest_goes_on(self):
        self.one_picture()
        broken = self.demo_copy().rename(self.folder / "bro<ken")
        (broken / "int8.pt").write_bytes(b"changed")
        result = compare(broken, DEMO, *self.input(), *QUICK)
        self.assertEqual(result.code, 1, result.err)
        self.assertRegex(result.err, r"(?m)^compare_models: bro<ken: .*int8\.pt.*SHA-256")
        page = self.page()
        self.assertRegex(page.text, r"bro<ken: .*int8\.pt.*SHA-256")
        self.assertIn("demo", [row[0] for row in page.rows])

    def test_two_folders_of_one_name_are_told_apart(self):
        self.one_picture()
        result = compare(DEMO, self.demo_copy(), *self.input(), *QUICK)
        self.assertEqual(result.code, 0, result.err)
        names = [row[0] for row in self.page().rows]
        self.assertIn(DEMO, names)
        self.assertIn(str(self.folder / "demo"), names)

    def test_an_older_comparison_stays_until_the_new_one_is_whole(self):
        self.one_picture()
        self.out.mkdir(parents=True)
        (self.out / "comparison.html").write_text("older")
        program = self.script(f'[ "$1" = --version ] && exec "{GLIMPSE}" --version; echo "glimpse: no" >&2; exit 65\n')
        self.assertEqual(compare(DEMO, *self.input(), "--glimpse", program).code, 65)
        self.assertEqual({path.name: path.read_text() for path in self.out.iterdir()}, {"comparison.html": "older"})
        self.assertEqual(compare(DEMO, *self.input(), *QUICK).code, 0)
        self.assertEqual(sorted(os.listdir(self.out)), ["comparison.html", "comparison.png"])
        self.page()

    def test_a_stop_ends_the_child_and_leaves_nothing(self):
        self.one_picture()
        for how in (signal.SIGINT, signal.SIGTERM):
            program = self.script(f'[ "$1" = --version ] && exec "{GLIMPSE}" --version\n'
                                  f'echo $$ > "{self.folder}/started"; exec sleep 1000\n')
            process = subprocess.Popen(command(DEMO, *self.input(), "--glimpse", program), stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            started = self.folder / "started"
            wait_until(lambda: started.exists() and started.read_text().strip(), "the child")
            child = started.read_text().strip()
            started.unlink()
            process.send_signal(how)
            out, err = process.communicate(timeout=PATIENCE_S)
            self.assertEqual(process.returncode, 130, err)
            self.assertEqual(err.splitlines()[-1], "compare_models: stopped")
            self.assertFalse(pathlib.Path("/proc", child).exists())
            self.assertFalse(self.out.parent.exists())


class Labels(unittest.TestCase):
    def test_in_a_crowd_they_lie_on_nothing_else_and_within_the_chart(self):
        sys.path.insert(0, str(ROOT / "scripts"))
        self.addCleanup(sys.path.remove, str(ROOT / "scripts"))
        from model_comparison.placement import Box, Dot, place

        random.seed(4)
        bounds = Box(0, 0, 600, 450)
        dots = [Dot(random.uniform(30, 570), random.uniform(30, 420), random.uniform(3, 12)) for _ in range(24)]
        dots.append(dots[0])  # two models as good and as fast
        labels = place(dots, [(random.uniform(60, 150), 15) for _ in dots], bounds, [])
        for number, label in enumerate(labels):
            self.assertTrue(label.inside(bounds))
            for other in labels[:number] + [dot.box for dot in dots]:
                self.assertEqual(label.overlap(other), 0)


class BadInput(Compare):
    def test_usage(self):
        self.one_picture()
        self.assert_refused(compare(*self.input()), 64, "DIR")
        self.assert_refused(compare(DEMO, "--out", self.out), 64, "--images")
        self.assert_refused(compare(DEMO, "--images", self.pictures), 64, "--out")
        self.assert_refused(compare(DEMO, *self.input(), "--frames", "0"), 64, "--frames")
        self.assert_refused(compare(DEMO, *self.input(), "--rounds", "many"), 64, "--rounds", "many")
        self.assert_refused(compare(DEMO, DEMO + "/", *self.input()), 64, "twice")
        # What glimpse alone knows to be too much: it says so, and no other model is tried.
        self.assert_refused(compare(DEMO, self.demo_copy(), *self.input(), "--threads", "999999"), 64, "--threads")

    def test_what_is_not_there(self):
        self.one_picture()
        self.assert_refused(compare("nowhere", *self.input()), 66, "nowhere")
        self.assert_refused(compare(DEMO, *self.input(), "--images", "nowhere"), 66, "nowhere")
        self.assert_refused(compare(DEMO, *self.input(), "--labels", "nowhere.csv"), 66, "nowhere.csv")
        self.assert_refused(compare(DEMO, *self.input(), "--glimpse", "nowhere/glimpse"), 66, "nowhere/glimpse")

    def test_glimpse_is_not_built(self):
        self.one_picture()
        elsewhere = self.folder / "checkout"
        shutil.copytree(ROOT / "scripts", elsewhere / "scripts")
        done = subprocess.run([PYTHON, "-B", elsewhere / "scripts" / "compare_models.py", DEMO, *self.input()],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_S)
        self.assert_refused(Result(done.returncode, done.stdout.decode(), done.stderr.decode()), 69, "scripts/build.sh")

    def test_a_program_that_is_not_glimpse(self):
        self.one_picture()
        for text, code, word in (("exit 1", 69, "does not run"), ("echo hello", 65, "none of the 1 models")):
            result = compare(DEMO, *self.input(), "--glimpse", self.script(text + "\n"))
            self.assert_refused(result, code, word)

    def test_no_model_is_left(self):
        self.one_picture()
        self.labels.write_text("file,label\na.ppm,unicorn\n")
        result = compare(DEMO, *self.input())
        self.assert_refused(result, 65, "none of the 1 models")
        self.assertRegex(result.err, r'(?m)^compare_models: demo: .*labels\.csv:2:.*"unicorn"')

    def test_an_output_that_cannot_be_written_is_told_before_measuring(self):
        self.one_picture()
        (self.folder / "file").write_text("")
        for out in (self.folder / "file", self.folder / "file" / "out", "/proc/out", "/proc"):
            result = compare(DEMO, "--images", self.pictures, "--labels", self.labels, "--out", out)
            self.assert_refused(result, 73, "cannot write", out)
            self.assertNotIn("top-1", result.err)

    def test_a_disk_that_fills_up_while_writing(self):
        self.one_picture()
        full = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))}
        self.assert_refused(compare(DEMO, *self.input(), *QUICK, **full), 73, "cannot write", self.out / "comparison.")


if __name__ == "__main__":
    if subprocess.run([PYTHON, "-c", "import matplotlib"], stderr=subprocess.DEVNULL).returncode != 0:
        print(f"skipped: {PYTHON} has no matplotlib; scripts/setup.sh --training installs it")
        sys.exit(77)
    unittest.main()
