"""Checkpoint files, good and bad, into networks."""

import os
import pickle
import re
import tarfile
import unittest
import unittest.mock
from collections import OrderedDict

import support  # noqa: F401: finds scripts/, or skips
import torch
from support import TestCase

from model_export.architectures import architecture, build
from model_export.weights import load_checkpoint, load_into, outputs_of

SQUEEZENET = architecture("squeezenet1_1")


def network(seed=1, outputs=4, arch=SQUEEZENET):
    torch.manual_seed(seed)
    return build(arch, outputs)


class Attack:
    """Pickled, it makes a folder when it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


class Files(TestCase):
    def saved(self, content, **options):
        path = self.folder / "weights.pth"
        torch.save(content, path, **options)
        return path

    def assert_same(self, got, want):
        self.assertEqual(list(got), list(want))
        for key in want:
            self.assertTrue(torch.equal(got[key], want[key]), key)

    def test_a_state_dict_plain_or_within_a_checkpoint(self):
        state = network().state_dict()
        for content in (state, {"state_dict": state}, {"model": state, "epoch": 3}, {"model_state_dict": state}):
            self.assert_same(load_checkpoint(self.saved(content)), state)

    def test_the_format_of_old_torch(self):
        state = network().state_dict()
        self.assert_same(load_checkpoint(self.saved(state, _use_new_zipfile_serialization=False)), state)

    def test_the_prefix_of_parallel_training_is_dropped(self):
        state = network().state_dict()
        wrapped = {f"module.{key}": value for key, value in state.items()}
        self.assert_same(load_checkpoint(self.saved({"state_dict": wrapped})), state)

    def test_half_precision_becomes_float(self):
        for half in (torch.float16, torch.bfloat16):
            state = {key: value.to(half) for key, value in network().state_dict().items()}
            got = load_checkpoint(self.saved(state))
            self.assert_same(got, {key: value.float() for key, value in state.items()})
            self.assertEqual({value.dtype for value in got.values()}, {torch.float32})

    def test_a_file_that_was_cut_short(self):
        for options in ({}, {"_use_new_zipfile_serialization": False}):
            path = self.saved(network().state_dict(), **options)
            os.truncate(path, path.stat().st_size // 2)
            with self.problem(65, path, "cut short or damaged"):
                load_checkpoint(path)

    def test_what_is_no_checkpoint(self):
        path = self.folder / "weights.pth"
        for content, words in (
            (b"", "is empty"),
            (b"Not a checkpoint at all.\n", "is no PyTorch checkpoint"),
            (bytes(range(256)) * 40, "is no PyTorch checkpoint"),
        ):
            path.write_bytes(content)
            with self.problem(65, path, words):
                load_checkpoint(path)
        for content in ([1, 2], {}, {"epoch": 3}, {"weight": "text"}, torch.zeros(3)):
            with self.problem(65, path, "state dict"):
                load_checkpoint(self.saved(content))

    def test_a_missing_file_and_a_folder(self):
        for path in (self.folder / "none.pth", self.folder):
            with self.problem(66, path):
                load_checkpoint(path)

    def test_a_pickle_that_would_execute_code_is_refused_and_executes_nothing(self):
        marker = self.folder / "executed"
        attack = Attack(marker)
        pickle.loads(pickle.dumps(attack))
        self.assertTrue(marker.exists(), "the attack works where it is let")
        marker.rmdir()
        path = self.saved({"state_dict": network().state_dict(), "extra": attack})
        with self.problem(65, path, "holds a pickled object, posix.mkdir: only weights are loaded"):
            load_checkpoint(path)
        with self.problem(65, path, "posix.mkdir: only weights are loaded"):
            load_checkpoint(self.saved(attack, _use_new_zipfile_serialization=False))
        for protocol in (2, 4):
            path.write_bytes(pickle.dumps(attack, protocol))
            with self.problem(65, path, "only weights are loaded"):
                load_checkpoint(path)
        self.assertFalse(marker.exists())

    def test_a_whole_pickled_network_names_its_class(self):
        path = self.saved(torch.nn.Sequential(torch.nn.Linear(2, 2)))
        with self.problem(65, path, "torch.nn.modules.container.Sequential: only weights are loaded"):
            load_checkpoint(path)

    def test_torchscript_is_refused_unopened(self):
        path = self.folder / "scripted.pt"
        torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), str(path))
        with unittest.mock.patch("torch.jit.load", side_effect=AssertionError("must not be called")):
            with self.problem(65, path, "is TorchScript"):
                load_checkpoint(path)

    def test_a_tar_archive_is_refused_unopened(self):
        path = self.folder / "weights.tar"
        with tarfile.open(path, "w") as archive:
            archive.add(self.saved(network().state_dict()), "pickle")
        with self.problem(65, path, "is a tar archive"):
            load_checkpoint(path)

    def test_values_that_are_no_numbers_are_named(self):
        for value in (float("nan"), float("inf")):
            state = network().state_dict()
            state["features.0.weight"][0, 0, 0, 0] = value
            path = self.saved(state)
            with self.problem(65, path, "features.0.weight has NaN or infinite values"):
                load_checkpoint(path)

    def test_quantized_weights(self):
        state = {"fc.weight": torch.quantize_per_tensor(torch.zeros(2, 2), 0.1, 0, torch.qint8)}
        path = self.saved(state)
        with self.problem(65, path):  # torch 1.13 does not load them as weights alone, torch 2.6 does
            load_checkpoint(path)


class Networks(TestCase):
    def assert_loads(self, arch, state, want):
        loaded = network(seed=2, arch=arch)
        load_into(loaded, state, "file", arch)
        got = loaded.state_dict()
        for key in want:
            self.assertTrue(torch.equal(got[key], want[key]), key)

    def test_the_number_of_outputs_is_the_last_layer_s(self):
        for name in ("squeezenet1_1", "alexnet", "mobilenet_v3_small", "resnet18", "densenet121", "googlenet"):
            arch = architecture(name)
            self.assertEqual(outputs_of(network(outputs=7, arch=arch).state_dict(), "file", arch), 7, name)
        with self.problem(65, "file is not of squeezenet1_1"):
            outputs_of({"conv.weight": torch.zeros(1)}, "file", SQUEEZENET)

    def test_weights_are_copied(self):
        state = network().state_dict()
        self.assert_loads(SQUEEZENET, state, state)

    def test_a_checkpoint_of_another_architecture(self):
        state = network(arch=architecture("shufflenet_v2_x0_5")).state_dict()
        keys = len(network().state_dict())
        words = (
            "file is not of squeezenet1_1",
            f"{keys} keys missing (features.0.weight, ",
            "unexpected (conv1.0.weight, ",
        )
        with self.problem(65, *words):
            load_into(network(), state, "file", SQUEEZENET)

    def test_a_weight_of_another_shape(self):
        state = network().state_dict()
        state["features.0.weight"] = torch.zeros(64, 3, 5, 5)
        words = "shape of features.0.weight is [64, 3, 5, 5], expected [64, 3, 3, 3]"
        with self.problem(65, "file is not of squeezenet1_1", words):
            load_into(network(), state, "file", SQUEEZENET)

    def test_counts_of_training_steps_may_be_missing(self):
        arch = architecture("mnasnet0_5")  # which also asks for a version
        want = network(arch=arch).state_dict()
        state = OrderedDict((key, value) for key, value in want.items() if not key.endswith("num_batches_tracked"))
        self.assertLess(len(state), len(want))
        self.assert_loads(arch, state, state)

    def test_the_second_classifier_of_training_is_left_out(self):
        arch = architecture("googlenet")
        want = network(arch=arch).state_dict()
        self.assert_loads(arch, {**want, "aux1.fc1.weight": torch.zeros(1)}, want)

    def test_the_old_names_in_the_official_densenet_files(self):
        arch = architecture("densenet121")
        want = network(arch=arch).state_dict()
        # torchvision's densenet.py: 'norm.1' and 'conv.2' were allowed as names once, and are not any more.
        old = {re.sub(r"(denselayer\d+\.(norm|conv))(\d\.)", r"\1.\3", key): value for key, value in want.items()}
        self.assertIn("features.denseblock1.denselayer1.norm.1.weight", old)
        self.assert_loads(arch, old, want)


if __name__ == "__main__":
    unittest.main()
