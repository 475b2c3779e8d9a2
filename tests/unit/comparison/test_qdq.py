"""An int8 network in ONNX's form computes what LibTorch computes of the same integers."""

import io
import sys
import unittest
import warnings

import parts

sys.path[:0] = [str(parts.ROOT / "tests" / "unit" / "model_export"), str(parts.ROOT / "tests" / "bench" / "peers")]
import support  # noqa: E402, F401: skips where there is no torch
import torch  # noqa: E402
from nets import SPEC, Silent, Tensors, net  # noqa: E402
from torch import nn  # noqa: E402

import qdq  # noqa: E402
from model_export.calibrate import calibrate  # noqa: E402
from model_export.student import Student, choose_engine  # noqa: E402

choose_engine()


class Flatten(nn.Module):
    def forward(self, x):
        return torch.flatten(x, 1)


class Shortcut(nn.Module):
    """As a block of MobileNetV2: up, depthwise, down, and the input added."""

    def __init__(self):
        super().__init__()
        self.way = nn.Sequential(
            nn.Conv2d(8, 16, 1), nn.ReLU6(), nn.Conv2d(16, 16, 3, padding=1, groups=16), nn.ReLU(), nn.Conv2d(16, 8, 1)
        )

    def forward(self, x):
        return x + self.way(x)


def small():
    torch.manual_seed(1)
    first = nn.Conv2d(3, 8, 3, stride=2, padding=1)
    return nn.Sequential(first, nn.ReLU(), Shortcut(), nn.AdaptiveAvgPool2d(1), Flatten(), nn.Linear(8, 5))


def int8(network):
    """As a model folder has it: traced and frozen."""
    student = Student(network.eval(), SPEC)
    calibrate(student, Tensors(32), Silent())
    with torch.no_grad():
        return torch.jit.freeze(torch.jit.trace(student.converted(), student.example, check_trace=False))


class Same(unittest.TestCase):
    def setUp(self):
        self.enterContext(warnings.catch_warnings())
        warnings.simplefilter("ignore")  # of what later versions of torch will drop
        self.model = int8(small())
        self.network = qdq.Network(self.model).eval()

    def test_the_logits_are_libtorch_s_to_within_two_steps(self):
        scale = next(scale for _, _, _, scale in reversed(self.network.steps) if scale)[0]
        pictures = Tensors(16, seed=7).values
        with torch.no_grad():
            steps = (self.network(pictures) - self.model(pictures)).abs() / scale
        self.assertLess(float(steps.max()), 2.01)  # what lies in the middle between two integers may go either way
        self.assertLess(float(steps.mean()), 0.2)

    def test_every_tensor_is_rounded_and_every_weight_an_integer(self):
        out = io.BytesIO()
        with torch.no_grad():
            torch.onnx.export(self.network, Tensors(1).values, out, opset_version=13)

        def nodes(operator):
            return out.getvalue().count(bytes((0x22, len(operator))) + operator.encode())  # NodeProto's field 4

        # The input, four convolutions, the sum, the mean, its flat form and the logits; a weight and a bias for each of five layers.
        self.assertEqual((nodes("QuantizeLinear"), nodes("DequantizeLinear")), (9, 9 + 2 * 5))
        self.assertEqual((nodes("Conv"), nodes("Gemm"), nodes("Add")), (4, 1, 1))

    def test_an_operator_that_it_does_not_know_is_named(self):
        with self.assertRaisesRegex(ValueError, "aten::mean"):
            qdq.Network(int8(net()))


if __name__ == "__main__":
    unittest.main()
