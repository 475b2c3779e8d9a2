"""scripts/export_model.py as a user runs it, and glimpse on what it makes. Random weights and small inputs, no network."""

import concurrent.futures
import csv
import importlib.util
import json
import os
import pathlib
import pickle
import random
import resource
import signal
import subprocess
import sys
import unittest

from harness import CLIP, GLIMPSE, PATIENCE_S, ROOT, Result, TestCase, glimpse

for needed in ("torch", "torchvision"):
    if importlib.util.find_spec(needed) is None:
        print(f"skipped: {sys.executable} has no {needed}; scripts/setup.sh --training installs it")
        sys.exit(77)

import torch  # noqa: E402: skipped without
import torchvision  # noqa: E402
from PIL import Image  # noqa: E402

# The smaller size where the network allows it and is slow.
NETWORKS = (("mobilenet_v2", 64), ("mobilenet_v3_large", 32), ("resnet18", 64), ("resnet50", 32), ("shufflenet_v2_x1_0", 64),
            ("squeezenet1_1", 64), ("efficientnet_b0", 32), ("densenet121", 32))
# Two threads on two busy cores wait for each other most of the time, and networks this small gain nothing by them.
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}
SMALL = ("--arch", "squeezenet1_1", "--size", "32")
CHECKPOINT, PICTURES = "GLIMPSE_IMAGENET_CHECKPOINT", "GLIMPSE_IMAGENET_PICTURES"


def command(*arguments):
    return [sys.executable, "-B", ROOT / "scripts" / "export_model.py", *map(str, arguments)]


def export(*arguments, environment=ONE_THREAD, **options):
    done = subprocess.run(command(*arguments), stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_S, env=environment,
                          **options)
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


def small_files():
    """In the child: no file can grow beyond 1 MB, which looks like a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))


class ExportTestCase(TestCase):
    def setUp(self):
        super().setUp()
        self.out = self.folder / "out"
        self.environment = {**os.environ, "XDG_CACHE_HOME": str(self.folder / "cache")}

    def pictures(self, count, name="pictures", size_px=48):
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            coarse = Image.frombytes("RGB", (6, 6), random.Random(f"{name} {number}").randbytes(6 * 6 * 3))
            coarse.resize((size_px, size_px)).save(folder / f"{number}.png")
        return folder

    def made(self, result):
        """The names of the files in the folder that was made."""
        self.assertEqual(result.code, 0, result.err)
        return sorted(os.listdir(self.out))

    def assert_runs(self, *options):
        result = glimpse("--source", CLIP, "--model", self.out, "--frames", "3", "--json", *options, env=self.environment)
        self.assertEqual(result.code, 0, result.err)
        record = result.records()[-1]
        self.assertGreaterEqual(record["frames"]["seen"], 3)
        self.assertEqual(record["model"]["quantized"], "--quantized" in options)
        self.assertGreater(len(record["predictions"]), 0)


class Architectures(ExportTestCase):
    def test_each_becomes_float_and_int8_that_glimpse_runs(self):
        def made(network):
            name, size_px = network
            return export("--arch", name, "--weights", "none", "--size", size_px, "--out", self.folder / name)

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            results = list(pool.map(made, NETWORKS))
        for (name, _), result in zip(NETWORKS, results):
            with self.subTest(name):
                self.out = self.folder / name
                self.assertEqual(self.made(result), ["float.pt", "int8.pt", "manifest.json"])
                self.assertNotIn("Traceback", result.err)
                self.assertIn("layer, worst first", result.out)
                self.assert_runs()
                self.assert_runs("--quantized")
                if name == "efficientnet_b0":
                    self.assertRegex(result.out, r"computed in float, .*: 49 SiLU")
                if name == "mobilenet_v2":
                    self.assertLessEqual((self.out / "float.pt").stat().st_size, 14.6e6)
                    self.assertLessEqual((self.out / "int8.pt").stat().st_size, 4.0e6)

    def test_a_network_that_int8_cannot_run_is_exported_in_float_and_says_what_was_in_the_way(self):
        # At this size its last map is a single pixel, whose mean torch 1.13 computes for no uint8 tensor.
        result = export("--arch", "mnasnet0_5", "--weights", "none", "--size", "32", "--out", self.out)
        if "int8.pt" in self.made(result):
            self.skipTest(f"torch {torch.__version__} quantizes this one, too")
        self.assertEqual(self.made(result), ["float.pt", "manifest.json"])
        self.assertRegex(result.out, r"(?m)^no int8\.pt: torch cannot compute its mean in int8: ")
        self.assertNotIn("Traceback", result.err)
        self.assert_runs()

    def test_float_alone_takes_an_older_int8_away(self):
        for method, want in (("ptq", ["float.pt", "int8.pt", "manifest.json"]), ("none", ["float.pt", "manifest.json"])):
            result = export(*SMALL, "--weights", "none", "--method", method, "--out", self.out)
            self.assertEqual(self.made(result), want)
        self.assert_runs()

    def test_json_is_one_object(self):
        result = export(*SMALL, "--weights", "none", "--json", "--out", self.out)
        self.assertEqual(len(result.out.splitlines()), 1)
        found = json.loads(result.out)
        self.assertEqual((found["arch"], found["outputs"], found["name"]), ("squeezenet1_1", 1000, "out"))
        done = found["quantization"]
        self.assertEqual(len(done["layers"]), 26)  # Iandola et al. 2016, table 1: two and three in each of eight fire modules
        self.assertEqual(sum(step["kept"] for step in done["steps"][:-1]), 1)
        for name in ("float.pt", "int8.pt"):
            self.assertEqual(found["files"][name]["bytes"], (self.out / name).stat().st_size)


class Training(ExportTestCase):
    MOBILENET = ("--arch", "mobilenet_v2", "--weights", "none", "--size", "32", "--method", "qat")

    def test_a_training_that_was_stopped_goes_on_from_the_last_whole_epoch(self):
        arguments = (*self.MOBILENET, "--calibrate", self.pictures(40), "--epochs", "3", "--json", "--out", self.out)
        process = subprocess.Popen(command(*arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=ONE_THREAD)
        lines = []
        for line in process.stderr:
            lines.append(line)
            if line.startswith("epoch 1 of 3"):
                process.send_signal(signal.SIGINT)
                break
        out, err = process.communicate(timeout=PATIENCE_S)
        self.assertEqual(process.returncode, 130, lines + [err])
        self.assertEqual(out, "")
        self.assertEqual(err.splitlines()[-1].count("--resume goes on"), 1, err)
        self.assertEqual(os.listdir(self.out), ["qat.checkpoint"])
        done = export(*arguments, "--resume")
        self.assertEqual(self.made(done), ["float.pt", "int8.pt", "manifest.json"])
        self.assertRegex(done.err, r"(?m)^going on after epoch \d$")
        self.assertNotIn("epoch 1 of 3", done.err)
        epochs = json.loads(done.out)["quantization"]["epochs"]
        self.assertEqual([epoch["number"] for epoch in epochs], list(range(len(epochs))))
        self.assert_runs("--quantized")

    def test_pictures_in_a_folder_for_each_class(self):
        calibrate = self.pictures(5)
        for number in (0, 7):
            self.pictures(3, f"train/{number}")
        result = export(*SMALL, "--weights", "none", "--method", "qat", "--calibrate", calibrate, "--train", self.folder / "train",
                        "--epochs", "1", "--out", self.out)
        self.assertEqual(self.made(result), ["float.pt", "int8.pt", "manifest.json"])
        self.assertIn("epoch 1 of 1", result.err)

    def refused(self, code, *arguments):
        result = export(*SMALL, "--weights", "none", "--method", "qat", "--out", self.out, *arguments)
        self.assertEqual(result.code, code, result.err)
        self.assertNotIn("Traceback", result.err)
        self.assertFalse((self.out / "float.pt").exists())
        return result.err.splitlines()[-1]

    def test_what_cannot_be(self):
        pictures = self.pictures(1)
        self.assertIn("two pictures or more", self.refused(65, "--calibrate", pictures))
        line = self.refused(65, "--calibrate", self.pictures(4), "--resume")
        self.assertIn(f"there is no {self.out / 'qat.checkpoint'} to go on from", line)
        self.pictures(2, "train/nonesuch")
        line = self.refused(65, "--calibrate", self.pictures(4), "--train", self.folder / "train")
        self.assertIn('"nonesuch" is no label', line)


class BadInput(ExportTestCase):
    def refused(self, code, *arguments, words=(), lines=1, **options):
        """This exit code, one line on standard error that has these words, nothing on standard output and in --out."""
        result = export(*arguments, "--out", self.out, **options)
        self.assertEqual(result.code, code, result.err)
        self.assertEqual(result.out, "")
        self.assertFalse(self.out.exists())
        complaint = [line for line in result.err.splitlines() if line.startswith("export_model: ")]
        self.assertEqual(len(complaint), 1, result.err)
        self.assertNotIn("Traceback", result.err)
        for word in words:
            self.assertIn(str(word), complaint[0])
        return result

    def checkpoint(self, name="weights.pth", network="squeezenet1_1"):
        torch.manual_seed(1)
        path = self.folder / name
        torch.save(torchvision.models.get_model(network, weights=None).state_dict(), path)
        return path

    def test_checkpoints(self):
        options = (*SMALL, "--method", "none", "--checkpoint")
        whole = self.checkpoint()
        self.refused(65, *options, self.checkpoint("other.pth", "mobilenet_v3_small"), words=("other.pth is not of squeezenet1_1",))
        cut = self.folder / "cut.pth"
        cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
        self.refused(65, *options, cut, words=("cut.pth", "cut short or damaged"))
        self.refused(66, *options, self.folder / "none.pth", words=("none.pth",))

    def test_a_pickle_that_would_execute_code_executes_nothing(self):
        marker = self.folder / "executed"

        class Attack:
            def __reduce__(self):
                return os.mkdir, (str(marker),)

        pickle.loads(pickle.dumps(Attack()))
        marker.rmdir()  # it works where it is let
        path = self.folder / "attack.pth"
        torch.save({"state_dict": {"fc.weight": Attack()}}, path)
        self.refused(65, *SMALL, "--method", "none", "--checkpoint", path, words=(path, "only weights are loaded"))
        self.assertFalse(marker.exists())

    def test_calibration_pictures(self):
        options = (*SMALL, "--weights", "none", "--calibrate")
        self.refused(66, *options, self.folder / "none", words=("none: no such folder",))
        empty = self.folder / "empty"
        empty.mkdir()
        self.refused(65, *options, empty, words=(empty, "holds no pictures"))
        (empty / "a.jpg").write_text("not a picture")
        (empty / "b.png").write_bytes(b"")
        self.refused(65, *options, empty, words=("2 of 2 pictures cannot be read",))

    def test_what_is_no_picture_is_skipped_and_counted(self):
        folder = self.pictures(3)
        (folder / "a.jpg").write_text("not a picture")
        (folder / "b.png").write_bytes((folder / "0.png").read_bytes()[:50])
        result = export(*SMALL, "--weights", "none", "--calibrate", folder, "--json", "--out", self.out)
        self.assertEqual(self.made(result), ["float.pt", "int8.pt", "manifest.json"])
        self.assertIn("2 of 5 pictures cannot be read", result.err)
        done = json.loads(result.out)["quantization"]
        self.assertEqual((done["calibration_pictures"], done["held_back"]), (2, 1))

    def test_labels(self):
        labels = self.folder / "labels.txt"
        labels.write_text("cat\ndog\n")
        self.refused(65, *SMALL, "--weights", "none", "--labels", labels, words=(labels, "2 labels", "1000 outputs"))

    def test_usage(self):
        self.refused(64, "--arch", "mobilenetv2", "--weights", "none", words=("did you mean mobilenet_v2",))
        self.refused(64, *SMALL, words=("needs --calibrate DIR",))  # would be ImageNet's weights
        self.refused(64, *SMALL, "--checkpoint", "x.pth", words=("needs --calibrate DIR",))
        self.refused(64, *SMALL, "--weights", "none", "--resume", words=("--resume",))
        self.refused(64, "--arch", "inception_v3", "--weights", "none", "--size", "32", words=("inception_v3 cannot take 32 px",))

    def test_a_full_disk(self):
        result = self.refused(73, *SMALL, "--weights", "none", "--method", "none", preexec_fn=small_files,
                              words=("cannot write", "float.pt", "File too large"))
        self.assertEqual(len(result.err.splitlines()), 2, result.err)  # the first says what is exported
        pictures = self.pictures(4)
        self.refused(73, *SMALL, "--weights", "none", "--method", "qat", "--calibrate", pictures, "--epochs", "1",
                     preexec_fn=small_files, words=("cannot write", "qat.checkpoint", "File too large"))

    def test_a_full_disk_leaves_the_older_model(self):
        self.made(export(*SMALL, "--weights", "none", "--out", self.out))
        before = {path.name: path.read_bytes() for path in self.out.iterdir()}
        result = export(*SMALL, "--weights", "none", "--method", "none", "--out", self.out, preexec_fn=small_files)
        self.assertEqual(result.code, 73, result.err)
        self.assertEqual({path.name: path.read_bytes() for path in self.out.iterdir()}, before)
        self.assert_runs("--quantized")

    def test_a_folder_that_cannot_be_made(self):
        blocking = self.folder / "file"
        blocking.write_text("")
        for method in ("none", "qat"):
            self.out = blocking / "below"
            calibrate = ("--calibrate", self.pictures(4)) if method == "qat" else ()
            self.refused(73, *SMALL, "--weights", "none", "--method", method, *calibrate, words=("cannot write", self.out))


@unittest.skipUnless(os.environ.get(CHECKPOINT) and os.environ.get(PICTURES),
                     f"needs MobileNetV2's ImageNet weights in {CHECKPOINT} and photos with labels.csv in {PICTURES}")
class ImageNet(ExportTestCase):
    def torchvisions_top1(self, rows):
        preset = torchvision.models.MobileNet_V2_Weights.IMAGENET1K_V1.transforms()
        network = torchvision.models.mobilenet_v2(weights=None)
        network.load_state_dict(torch.load(os.environ[CHECKPOINT], weights_only=True))
        right = 0
        with torch.no_grad():
            for file, index in rows:
                picture = Image.open(pathlib.Path(os.environ[PICTURES], file)).convert("RGB")
                right += int(network.eval()(preset(picture)[None]).argmax()) == index
        return right / len(rows)

    def test_the_same_numbers_as_torchvision(self):
        labels = pathlib.Path(os.environ[PICTURES], "labels.csv")
        with open(labels, newline="", encoding="utf-8") as lines:
            rows = [(row["file"], int(row["index"])) for row in csv.DictReader(lines)]
        self.made(export("--arch", "mobilenet_v2", "--checkpoint", os.environ[CHECKPOINT], "--calibrate", os.environ[PICTURES],
                         "--out", self.out, environment=os.environ))
        done = subprocess.run([GLIMPSE, "eval", "--model", self.out, "--images", os.environ[PICTURES], "--labels", labels, "--json"],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_S, env=self.environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        found = json.loads(done.stdout)
        self.assertEqual(found["images"], len(rows))
        self.assertAlmostEqual(found["float"]["top1"], self.torchvisions_top1(rows), delta=0.005 + 1e-9)
        self.assertGreaterEqual(found["int8"]["top1"], found["float"]["top1"] - 0.010 - 1e-9)
        self.assertGreaterEqual(found["agreement"], 0.95)


if __name__ == "__main__":
    unittest.main()
