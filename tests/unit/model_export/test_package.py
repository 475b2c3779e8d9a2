"""The model folder: what is in it, and that it is written as a whole or not at all."""

import hashlib
import json
import os
import resource
import signal
import sys
import unittest
import unittest.mock

import support
import torch
from nets import SPEC, Silent, Tensors, net
from support import TestCase

from model_export import package
from model_export.calibrate import calibrate
from model_export.problem import CANNOT_WRITE, Problem
from model_export.student import Student, choose_engine

choose_engine()
LABELS = ["cat", "hot dog", "Straße", "d", "e"]
ABOUT = {"weights": "made here", "licence": "Apache-2.0"}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Folder(TestCase):
    @classmethod
    def setUpClass(cls):
        cls.network = net()
        student = Student(cls.network, SPEC)
        calibrate(student, Tensors(16), Silent())
        cls.int8, cls.scales = student.converted(), student.scales()

    def setUp(self):
        super().setUp()
        self.out = self.folder / "models" / "mine"

    def write(self, *precisions, network=None):
        networks = {"float": network or self.network, "int8": self.int8}
        networks = {precision: networks[precision] for precision in precisions or ("float", "int8")}
        return package.write(self.out, "mine", "tiny", SPEC, LABELS, networks, ABOUT, self.scales)

    def content(self):
        return {path.name: path.read_bytes() for path in self.out.iterdir()}


class Content(Folder):
    def test_the_manifest_names_the_files_their_sizes_and_hashes(self):
        manifest = self.write()
        files = self.content()
        self.assertEqual(set(files), {"float.pt", "int8.pt", "manifest.json"})
        self.assertEqual(json.loads(files["manifest.json"]), manifest)
        self.assertEqual(
            manifest["files"],
            {name: {"sha256": sha256(files[name]), "bytes": len(files[name])} for name in ("float.pt", "int8.pt")},
        )
        self.assertEqual((manifest["name"], manifest["labels"], manifest["licence"]), ("mine", LABELS, "Apache-2.0"))
        self.assertIn("Straße", files["manifest.json"].decode())

    def test_the_files_carry_all_that_running_needs(self):
        self.write()
        for precision in ("float", "int8"):
            extra = {"glimpse.json": ""}
            torch.jit.load(str(self.out / f"{precision}.pt"), _extra_files=extra)
            found = json.loads(extra["glimpse.json"])
            self.assertEqual((found["labels"], found["precision"], found["arch"]), (LABELS, precision, "tiny"))
            expected = {
                "width": 16, "height": 16, "resize": 18, "interpolation": "bilinear", "antialias": True,
                "colour": "RGB", "mean": [0.5] * 3, "std": [0.25] * 3,
            }  # fmt: skip
            self.assertEqual(found["input"], expected)
            self.assertEqual(found["quantization"], self.scales if precision == "int8" else None)
            self.assertRegex(found["weights_sha256"], "^[0-9a-f]{64}$")
            self.assertEqual(found["licence"], "Apache-2.0")
        self.assertAlmostEqual(self.scales["input_scale"], 4 / 255, places=8)

    def test_the_files_compute_what_the_networks_compute(self):
        self.write()
        for precision, network in (("float", self.network), ("int8", self.int8)):
            module, _ = package.read(self.out, precision)
            x = Tensors(1, seed=5).values
            with torch.no_grad():
                torch.testing.assert_close(module(x), network(x))

    def test_a_float_weight_takes_four_bytes(self):
        network = torch.nn.Sequential(net(), torch.nn.Linear(5, 50_000)).eval()
        size = self.write("float", network=network)["files"]["float.pt"]["bytes"]
        self.assertAlmostEqual(size, 4 * (5 + 1) * 50_000, delta=40_000)

    def test_the_hash_of_the_weights_is_over_their_bytes_in_order(self):
        network = torch.nn.Linear(3, 2)
        data = network.weight.detach().numpy().tobytes() + network.bias.detach().numpy().tobytes()
        self.assertEqual(package.weights_sha256(network), sha256(data))
        with torch.no_grad():
            network.bias[1] += 1e-6
        self.assertNotEqual(package.weights_sha256(network), sha256(data))

    def test_a_file_that_the_manifest_does_not_name_is_not_read(self):
        self.write()
        with open(self.out / "int8.pt", "ab") as out:
            out.write(b"x")
        with self.problem(65, self.out / "int8.pt", "is not the file that manifest.json names"):
            package.read(self.out, "int8")

    def test_float_alone_takes_the_int8_of_other_weights_away(self):
        self.write()
        manifest = self.write("float")
        self.assertEqual(set(self.content()), {"float.pt", "manifest.json"})
        self.assertEqual(set(manifest["files"]), {"float.pt"})


class AllOrNothing(Folder):
    def write_with_limit(self, limit_bytes):
        """In a child whose files can grow to this size alone; its exit code. Python ignores SIGXFSZ, so it is EFBIG."""
        sys.stdout.flush()
        child = os.fork()
        if not child:
            code = 1
            try:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
                package.write_all_or_nothing(self.out, self.new)
                code = 0
            except Problem as problem:
                code = problem.exit_code
            finally:
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    new = {"float.pt": b"n" * 40_000, "int8.pt": b"n" * 10_000, "manifest.json": b"n" * 1000}

    def test_where_there_is_room_all_is_written(self):
        self.assertEqual(self.write_with_limit(1 << 20), 0)
        self.assertEqual(self.content(), self.new)

    def test_without_room_for_any_one_of_the_files_no_file_and_no_folder_stays(self):
        for order in (("float.pt", "int8.pt", "manifest.json"), ("manifest.json", "int8.pt", "float.pt")):
            self.new = {name: AllOrNothing.new[name] for name in order}
            for limit_bytes in (0, 500, 5000, 39_999):
                self.assertEqual(self.write_with_limit(limit_bytes), CANNOT_WRITE)
                self.assertFalse(self.out.exists(), limit_bytes)

    def test_an_older_model_stays_and_still_loads(self):
        self.write()
        before = self.content()
        for limit_bytes in (500, 20_000):
            self.assertEqual(self.write_with_limit(limit_bytes), CANNOT_WRITE)
            self.assertEqual(self.content(), before)
        for precision in ("float", "int8"):
            package.read(self.out, precision)

    def test_a_folder_with_other_files_stays(self):
        self.out.mkdir(parents=True)
        (self.out / "notes.txt").write_text("mine")
        self.assertEqual(self.write_with_limit(500), CANNOT_WRITE)
        self.assertEqual(self.content(), {"notes.txt": b"mine"})

    def test_ctrl_c_leaves_nothing(self):
        with unittest.mock.patch("os.fsync", side_effect=[None, KeyboardInterrupt]):
            with self.assertRaises(KeyboardInterrupt):
                package.write_all_or_nothing(self.out, self.new)
        self.assertFalse(self.out.exists())

    def test_the_manifest_is_the_last_to_take_its_place(self):
        order, replace = [], os.replace
        with unittest.mock.patch("os.replace", lambda old, new: (order.append(new.name), replace(old, new))):
            self.write()
        self.assertEqual(order[-1], "manifest.json")
        self.assertEqual(set(order), {"float.pt", "int8.pt", "manifest.json"})

    def test_a_folder_that_cannot_be_made(self):
        (self.folder / "models").write_text("a file")
        with self.problem(73, self.out):
            self.write()
        with self.problem(73, self.out, "no folder that you may write to"):
            package.check_folder(self.out)
        self.out = self.folder / "models"
        with self.problem(73, self.out):
            package.check_folder(self.out)

    def test_a_folder_that_can_be_made_is_not_made_by_asking(self):
        package.check_folder(self.out)
        self.assertFalse(self.out.parent.exists())

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_a_folder_that_may_not_be_written(self):
        self.out.mkdir(parents=True)
        self.out.chmod(0o500)
        with self.problem(73, self.out):
            package.check_folder(self.out)
        with self.problem(73, self.out):
            self.write()


class Archive(Folder):
    def test_nothing_of_this_machine_is_in_it(self):
        self.write()
        for name, data in self.content().items():
            for place in (self.folder, support.ROOT):
                self.assertNotIn(str(place).encode(), data, name)


if __name__ == "__main__":
    unittest.main()
