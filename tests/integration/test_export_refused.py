"""What scripts/export_model.py refuses: one line, the right exit code, nothing left behind."""

import json
import os
import pickle
import resource
import unittest

from exporting import SMALL, ExportTestCase, export

import torch
import torchvision


def small_files():
    """In the child: no file can grow beyond 1 MB, which looks like a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))


class BadInput(ExportTestCase):
    def refused(self, code, *arguments, words=(), **options):
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
        other = self.checkpoint("other.pth", "mobilenet_v3_small")
        self.refused(65, *options, other, words=("other.pth is not of squeezenet1_1",))
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
        self.refused(64, "--arch", "inception_v3", "--weights", "none", "--size", "32",
                     words=("inception_v3 cannot take 32 px",))

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
            self.refused(73, *SMALL, "--weights", "none", "--method", method, *calibrate,
                         words=("cannot write", self.out))


if __name__ == "__main__":
    unittest.main()
