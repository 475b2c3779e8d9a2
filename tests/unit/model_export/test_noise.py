"""Random weights that are to be tried: each layer has something to do."""

import unittest

import support  # noqa: F401: finds scripts/, or skips
import torch
from torch import nn

from model_export.architectures import architecture, build, input_spec
from model_export.noise import Noise, settle

MOBILENET = architecture("mobilenet_v2")
SPEC = input_spec(MOBILENET, 64)


class Settled(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(1)
        self.network = build(MOBILENET, 1000)
        settle(self.network, SPEC)

    def spreads(self):
        """Standard deviations of what each batch normalisation gives for noise that it has not seen."""
        found = []
        for layer in self.network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.register_forward_hook(lambda _, inputs, output: found.append(float(output.std())))
        with torch.no_grad():
            self.network(Noise(SPEC, 8, seed=9).values)
        return found

    def test_values_neither_fade_nor_grow_from_layer_to_layer(self):
        spreads = self.spreads()
        self.assertEqual(len(spreads), 52)
        for spread in spreads:  # 1 by the definition of batch normalisation, for the noise that it has seen
            self.assertTrue(0.5 < spread < 2, spreads)

    def test_the_network_is_in_eval_mode(self):
        self.assertFalse(any(module.training for module in self.network.modules()))

    def test_an_input_too_small_is_left_to_who_checks_it(self):
        inception = architecture("inception_v3")
        settle(build(inception, 10), input_spec(inception, 32))


if __name__ == "__main__":
    unittest.main()
