"""scripts/export_model.py as a user runs it, and glimpse on what it makes: random weights, small inputs, no network."""

import concurrent.futures
import csv
import json
import os
import pathlib
import signal
import subprocess
import unittest

from exporting import ONE_THREAD, SMALL, ExportTestCase, command, export
from harness import GLIMPSE, PATIENCE_S

import torch
import torchvision
from PIL import Image

# The smaller size where the network allows it and is slow.
NETWORKS = (("mobilenet_v2", 64), ("mobilenet_v3_large", 32), ("resnet18", 64), ("resnet50", 32),
            ("shufflenet_v2_x1_0", 64), ("squeezenet1_1", 64), ("efficientnet_b0", 32), ("densenet121", 32))
CHECKPOINT, PICTURES = "GLIMPSE_IMAGENET_CHECKPOINT", "GLIMPSE_IMAGENET_PICTURES"


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
        for method, of_int8 in (("ptq", ["int8.pt"]), ("none", [])):
            want = ["float.pt", *of_int8, "manifest.json"]
            result = export(*SMALL, "--weights", "none", "--method", method, "--out", self.out)
            self.assertEqual(self.made(result), want)
        self.assert_runs()

    def test_json_is_one_object(self):
        result = export(*SMALL, "--weights", "none", "--json", "--out", self.out)
        self.assertEqual(len(result.out.splitlines()), 1)
        found = json.loads(result.out)
        self.assertEqual((found["arch"], found["outputs"], found["name"]), ("squeezenet1_1", 1000, "out"))
        done = found["quantization"]
        self.assertEqual(len(done["layers"]), 26)  # Iandola et al. 2016, table 1: two, and three in each of eight fires
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
        result = export(*SMALL, "--weights", "none", "--method", "qat", "--calibrate", calibrate, "--train",
                        self.folder / "train", "--epochs", "1", "--out", self.out)
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
        self.made(export("--arch", "mobilenet_v2", "--checkpoint", os.environ[CHECKPOINT], "--calibrate",
                         os.environ[PICTURES], "--out", self.out, environment=os.environ, timeout=3 * PATIENCE_S))
        evaluate = [GLIMPSE, "eval", "--model", self.out, "--images", os.environ[PICTURES], "--labels", labels,
                    "--json"]
        done = subprocess.run(evaluate, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_S,
                              env=self.environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        found = json.loads(done.stdout)
        self.assertEqual(found["images"], len(rows))
        self.assertAlmostEqual(found["float"]["top1"], self.torchvisions_top1(rows), delta=0.005 + 1e-9)
        self.assertGreaterEqual(found["int8"]["top1"], found["float"]["top1"] - 0.010 - 1e-9)
        self.assertGreaterEqual(found["agreement"], 0.95)


if __name__ == "__main__":
    unittest.main()
