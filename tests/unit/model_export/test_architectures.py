"""Torchvision's classifiers by name."""

import dataclasses
import unittest

import support  # noqa: F401: finds scripts/, or skips
import torch
import torchvision
from support import TestCase

from model_export.architectures import architecture, build, imagenet_labels, input_spec, names


class Lookup(TestCase):
    def test_mobilenet_v2_as_torchvision_documents_it(self):
        arch = architecture("mobilenet_v2")
        self.assertEqual(
            (arch.outputs, arch.weights_url, arch.sha256_prefix),
            (1000, "https://download.pytorch.org/models/mobilenet_v2-b0353104.pth", "b0353104"),
        )
        self.assertEqual(
            dataclasses.astuple(arch.input), (224, 256, "bilinear", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
        )

    def test_every_classifier_has_all_that_export_needs(self):
        for name in names():
            arch = architecture(name)
            self.assertIn(arch.input.interpolation, ("bilinear", "bicubic"), name)
            self.assertLessEqual(arch.input.size_px, arch.input.resize_px, name)
            self.assertTrue(arch.weights_url.startswith("https://download.pytorch.org/models/"), name)
            self.assertEqual(len(imagenet_labels(arch)), 1000, name)

    def test_the_address_whose_file_was_replaced(self):
        # What users got for 3dd342df...: pytorch/vision issue 8064.
        found = "7f5810bc96def8f7552d5b7e68d53c4786f81167d28291b21c0d90e1fca14934"
        arch = architecture("efficientnet_b0")
        self.assertTrue(found.startswith(arch.sha256_prefix))
        self.assertIn(arch.sha256_prefix, arch.weights_url)
        self.assertEqual(arch.input.interpolation, "bicubic")

    def test_an_unknown_name_gets_the_closest(self):
        with self.problem(64, '"mobilenetv2"', "did you mean mobilenet_v2"):
            architecture("mobilenetv2")
        with self.problem(64, "such as mobilenet_v2"):
            architecture("qqqqq")

    def test_what_is_no_float_classifier_is_refused(self):
        for name in ("quantized_mobilenet_v2", "fasterrcnn_resnet50_fpn", "fcn_resnet50", "r3d_18"):
            with self.problem(64, name):
                architecture(name)


class Input(TestCase):
    def test_another_size(self):
        arch = architecture("mobilenet_v2")
        self.assertEqual(input_spec(arch), arch.input)
        self.assertEqual(input_spec(arch, 224), arch.input)
        spec = input_spec(arch, 160)
        self.assertEqual(
            (spec.size_px, spec.resize_px, spec.mean), (160, 183, arch.input.mean)
        )  # 160 * 256 / 224 = 182.86

    def test_sizes_that_cannot_be(self):
        for name, size_px in (("mobilenet_v2", 8), ("mobilenet_v2", 5000), ("vit_b_16", 160), ("maxvit_t", 160)):
            with self.problem(64, f"--size {size_px}"):
                input_spec(architecture(name), size_px)


class Build(TestCase):
    def test_the_network_has_the_outputs_and_the_seed_s_weights(self):
        for name in ("mobilenet_v2", "squeezenet1_1", "shufflenet_v2_x0_5", "inception_v3"):
            arch = architecture(name)
            networks = []
            for seed in (1, 1, 2):
                torch.manual_seed(seed)
                networks.append(build(arch, 5))
            self.assertFalse(any(module.training for module in networks[0].modules()), name)
            first, same, other = (network.state_dict() for network in networks)
            self.assertTrue(all(torch.equal(first[key], same[key]) for key in first), name)
            self.assertFalse(all(torch.equal(first[key], other[key]) for key in first), name)
            with torch.no_grad():
                self.assertEqual(networks[0](torch.zeros(2, 3, 96, 96)).shape, (2, 5), name)

    def test_mean_and_std_of_half_give_googlenet_what_torchvision_s_own_transform_gives_it(self):
        arch = architecture("googlenet")
        theirs = torchvision.models.googlenet(weights=None, aux_logits=False, transform_input=True, init_weights=False)
        pixels = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
        preset = torchvision.models.GoogLeNet_Weights.IMAGENET1K_V1.transforms()
        normalise = torchvision.transforms.functional.normalize
        first_layer = []
        for network, mean, std in (
            (build(arch, 5), arch.input.mean, arch.input.std),
            (theirs, preset.mean, preset.std),
        ):
            network.conv1.register_forward_pre_hook(lambda _, inputs: first_layer.append(inputs[0]))
            with torch.no_grad():
                network.eval()(normalise(pixels, mean, std))
        torch.testing.assert_close(*first_layer)


if __name__ == "__main__":
    unittest.main()
