"""What is told of a quantized network: the error of each layer, and what stays in float."""

import unittest

import support  # noqa: F401: finds scripts/, or skips
import torch
from nets import SPEC, Silent, Tensors, net
from support import TestCase
from torch import nn

from model_export.calibrate import calibrate
from model_export.report import layer_errors, left_in_float, table
from model_export.student import Student, choose_engine

choose_engine()


def calibrated(network, pictures=Tensors(32)):
    student = Student(network.eval(), SPEC)
    calibrate(student, pictures, Silent())
    return student


class Flatten(nn.Module):
    def forward(self, x):
        return torch.flatten(x, 1)  # torch 1.13 has nn.Flatten in float alone


def pooled(*layers):
    """The layers, the last of them with eight channels, then a mean and a linear layer of three outputs."""
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), Flatten(), nn.Linear(8, 3))


class Layers(TestCase):
    def errors(self, student):
        rows = layer_errors(student, list(Tensors(32).batches(16)))
        return rows, {row["layer"]: row["error"] for row in rows}

    def test_every_layer_is_there_and_the_worst_is_first(self):
        rows, errors = self.errors(calibrated(net()))
        self.assertEqual(set(errors), {"first.0", "second", "fc"})
        self.assertEqual([row["error"] for row in rows], sorted(errors.values(), reverse=True))
        described = {row["layer"]: (row["operator"], row["shape"]) for row in rows}
        self.assertEqual(
            described,
            {
                "first.0": ("convolution 3x3", [8, 3, 3, 3]),
                "second": ("depthwise 3x3", [8, 1, 3, 3]),
                "fc": ("linear", [5, 8]),
            },
        )
        for error in errors.values():
            self.assertTrue(0 < error < 0.05, errors)  # 8 bits: a step is 1/255 of the range

    def test_a_layer_made_bad_on_purpose_is_the_first(self):
        for bad in ("first.0", "second", "fc"):
            student = calibrated(net())
            student.layers[bad].weight_fake_quant.scale *= 30
            rows, errors = self.errors(student)
            self.assertEqual(rows[0]["layer"], bad)
            self.assertGreater(rows[0]["error"], 3 * rows[1]["error"])

    def test_what_a_layer_inherits_is_not_counted(self):
        _, want = self.errors(calibrated(net()))
        student = calibrated(net())
        student.layers["first.0"].weight_fake_quant.scale *= 30
        _, errors = self.errors(student)
        for name in ("second", "fc"):
            self.assertAlmostEqual(errors[name], want[name], places=6)

    def test_the_error_is_that_of_torch_s_own_int8_tensors(self):
        student = calibrated(pooled(nn.Conv2d(3, 8, 1)))
        _, errors = self.errors(student)
        layer, x = student.layers["0"], Tensors(32).values
        scale, zero_point = student.scales()["activation_scales"]["0"]
        weights = layer.weight_fake_quant
        with torch.no_grad():
            weight = torch.quantize_per_channel(layer.weight, *weights.calculate_qparams(), 0, torch.qint8).dequantize()
            found = nn.functional.conv2d(x, weight, layer.bias)
            found = torch.quantize_per_tensor(found, scale, zero_point, torch.quint8).dequantize()
            expected = layer(x)
        want = ((found - expected).square().mean() / expected.square().mean()).sqrt().item()
        self.assertAlmostEqual(errors["0"], want, delta=0.02 * want)

    def test_a_layer_that_gives_nothing_but_zeros(self):
        network = net()
        nn.init.zeros_(network.fc.weight)
        nn.init.zeros_(network.fc.bias)
        _, errors = self.errors(calibrated(network))
        self.assertEqual(errors["fc"], 0.0)


class InFloat(TestCase):
    def left(self, network):
        return left_in_float(calibrated(network).converted(), Tensors(1).values)

    def test_nothing_of_a_network_that_is_int8_throughout(self):
        self.assertEqual(self.left(net()), {})

    def test_silu_of_a_block_as_efficientnet_has_it(self):
        class Squeeze(nn.Module):
            def __init__(self):
                super().__init__()
                self.pool, self.inner, self.outer = nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 4, 1), nn.Conv2d(4, 8, 1)
                self.silu = nn.SiLU()

            def forward(self, x):
                return x * torch.sigmoid(self.outer(self.silu(self.inner(self.pool(x)))))

        network = pooled(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.SiLU(), Squeeze(), nn.Conv2d(8, 8, 1))
        self.assertEqual(self.left(network), {"SiLU": 2})

    def test_a_split_is_named_for_itself(self):
        class Split(nn.Module):
            def forward(self, x):
                a, b = x.chunk(2, dim=1)
                return torch.cat((b, a), 1)

        self.assertLessEqual(set(self.left(pooled(nn.Conv2d(3, 8, 3), nn.ReLU(), Split()))), {"chunk"})


class Table(unittest.TestCase):
    RESULT = {
        "folder": "models/x",
        "quantization": {
            "steps": [
                {"name": "ranges by min-max", "divergence": 0.5, "kept": False},
                {"name": "ranges by least squares", "divergence": 0.25, "kept": True},
            ],
            "layers": [{"layer": f"layer{n}", "operator": "linear", "error": (20 - n) / 100} for n in range(12)],
            "float_operators": {"SiLU": 49},
            "held_back": 40,
            "agreement": 0.975,
            "divergence": 0.031,
        },
        "not_quantized": None,
        "files": {"float.pt": {"bytes": 14_200_000}, "int8.pt": {"bytes": 3_900_000}},
    }

    def test_what_people_read(self):
        text = table(self.RESULT)
        self.assertRegex(text, r"(?m)^ranges by min-max +0\.5000$")
        self.assertRegex(text, r"(?m)^ranges by least squares +0\.2500 +kept$")
        self.assertLess(text.index("layer0 "), text.index("layer9 "))
        self.assertRegex(text, r"(?m)^layer0 +linear +20\.0 %$")
        self.assertNotIn("layer10", text)
        self.assertIn("2 more, the best 9.0 %", text)
        self.assertIn("49 SiLU", text)
        self.assertIn("97.5 % of 40 pictures held back", text)
        self.assertIn("models/x: float.pt 14.20 MB, int8.pt 3.90 MB", text)

    def test_why_there_is_no_int8(self):
        text = table({**self.RESULT, "quantization": None, "not_quantized": "torch.fx cannot trace it: x"})
        self.assertIn("no int8.pt: torch.fx cannot trace it: x", text)


if __name__ == "__main__":
    unittest.main()
