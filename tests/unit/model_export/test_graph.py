"""A network as a graph that can be quantized computes what the network computes."""

import unittest

import support  # noqa: F401: finds scripts/, or skips
import torch
from support import TestCase
from torch import nn

from model_export.architectures import architecture, build
from model_export.graph import NotQuantizable, simplify


def with_statistics(network, seed=1):
    """Batch normalisation that does something: random means, variances, weights and biases."""
    torch.manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values, low, high in (
                (module.running_mean, -0.5, 0.5),
                (module.running_var, 0.5, 2),
                (module.weight.data, 0.5, 2),
                (module.bias.data, -0.5, 0.5),
            ):
                values.uniform_(low, high)
    return network.eval()


def bounded(graph, names):
    """The graph with the bounds that the quantizer adds: the outputs of the layers named are cut at 6, by hooks."""
    for name in names:
        graph.get_submodule(name).register_forward_hook(lambda layer, inputs, output: output.clamp(max=6.0))
    return graph


class Block(nn.Module):
    """ReLU6 in all its forms, one of them used twice, and a shortcut round a convolution."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.third = (nn.Conv2d(3, 3, 3, padding=1) for _ in range(3))
        self.norm, self.relu6, self.cut = nn.BatchNorm2d(3), nn.ReLU6(), nn.Hardtanh(0.0, 6.0)
        self.dropout, self.fc = nn.Dropout(0.5), nn.Linear(3, 4)

    def forward(self, x):
        x = self.relu6(self.norm(self.first(10 * x)))
        y = self.second(x)
        x = self.relu6(y) + y  # y is needed unbounded, too
        x = self.cut(self.third(x))
        x = nn.functional.dropout(x.mean((2, 3)), training=self.training)
        return nn.functional.relu6(self.fc(self.dropout(x)))


class Simplify(TestCase):
    def assert_same(self, network, size_px, tolerance):
        graph, names = simplify(network)
        x = torch.randn(2, 3, size_px, size_px, generator=torch.Generator().manual_seed(1))
        with torch.no_grad():
            want = network(x)
            spread = float(want.max() - want.min())
            self.assertGreater(spread, 0)
            torch.testing.assert_close(bounded(graph, names)(x), want, rtol=0, atol=tolerance * spread)
        return graph, names

    def test_a_network_with_relu6_in_all_its_forms(self):
        torch.manual_seed(1)
        network = with_statistics(Block())
        before = {key: value.clone() for key, value in network.state_dict().items()}
        graph, names = self.assert_same(network, 8, 1e-5)
        self.assertEqual(names, {"first", "third", "fc"}, "second's output is used unbounded")
        self.assertTrue(all(torch.equal(value, before[key]) for key, value in network.state_dict().items()))
        self.assertFalse(any(isinstance(module, nn.BatchNorm2d) for module in graph.children()))
        self.assertIsInstance(network.relu6, nn.ReLU6)

    def test_mobilenet_v2(self):
        torch.manual_seed(1)
        network = with_statistics(build(architecture("mobilenet_v2"), 10))
        for size_px in (32, 64):
            graph, names = self.assert_same(network, size_px, 1e-4)
        self.assertEqual(len(names), 35)  # its paper's table 2: two in each of 17 blocks but the first, and both ends
        called = {node.target for node in graph.graph.nodes if node.op == "call_module"}
        kinds = {type(graph.get_submodule(name)) for name in called}
        self.assertEqual(kinds, {nn.Conv2d, nn.ReLU, nn.Linear})

    def test_networks_with_other_parts(self):
        for name in ("shufflenet_v2_x0_5", "mobilenet_v3_small", "efficientnet_b0", "squeezenet1_1", "densenet121"):
            torch.manual_seed(1)
            with self.subTest(name):
                self.assert_same(with_statistics(build(architecture(name), 5)), 32, 1e-3)

    def test_a_hardtanh_of_other_bounds_stays(self):
        network = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Hardtanh(-1.0, 1.0))
        _, names = self.assert_same(network, 8, 1e-6)
        self.assertEqual(names, set())

    def test_a_layer_that_is_used_with_and_without_relu6(self):
        class Shared(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv = nn.Conv2d(3, 3, 1)

            def forward(self, x):
                return nn.functional.relu6(self.conv(50 * x)) + self.conv(-50 * x)

        torch.manual_seed(1)
        self.assert_same(Shared().eval(), 8, 1e-5)


class Tracing(TestCase):
    def test_a_pair_is_taken_apart(self):
        class Halves(nn.Module):
            def forward(self, x):
                a, b = x.chunk(2, dim=1)
                return torch.cat((b, a), 1)

        graph, _ = simplify(Halves())
        x = torch.arange(4.0).view(1, 4)
        self.assertEqual(graph(x).tolist(), [[2, 3, 0, 1]])

    def test_control_flow_that_depends_on_the_data_is_told(self):
        class Depends(nn.Module):
            def forward(self, x):
                return x if x.sum() > 0 else -x

        with self.assertRaisesRegex(NotQuantizable, "torch.fx cannot trace it: .*control flow"):
            simplify(Depends())


if __name__ == "__main__":
    unittest.main()
