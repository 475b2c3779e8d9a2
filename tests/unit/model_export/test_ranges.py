"""How floats become 8-bit integers: the range of a tensor and the rounding of a weight."""

import unittest

import support  # noqa: F401: finds scripts/, or skips
import torch
from support import TestCase

from model_export.ranges import METHODS, Activations, Weights, affine, least_squares, min_max, percentile


def random(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def rounding_error(values, scale, zero_point):
    """Of torch's own uint8 tensors: the mean squared difference."""
    there_and_back = torch.quantize_per_tensor(values, scale, zero_point, torch.quint8).dequantize()
    return float((there_and_back - values).square().mean())


class Ranges(TestCase):
    def test_relu6_is_steps_of_6_255ths_from_zero(self):
        self.assertEqual(affine(0.0, 6.0), (6 / 255, 0))

    def test_zero_is_exact_whatever_the_range(self):
        for low, high in ((-1, 1), (-0.3, 2.7), (0.5, 2), (-2, -0.5), (0, 0), (-1e-3, 5), (-7, 1e-4), (3, 3)):
            scale, zero_point = affine(low, high)
            self.assertGreater(scale, 0)
            self.assertIn(zero_point, range(256))
            zero = torch.quantize_per_tensor(torch.zeros(1), scale, zero_point, torch.quint8)
            self.assertEqual(zero.dequantize().item(), 0.0, (low, high))
            # Both ends are reached but for half a step, and zero's own rounding takes another half at most.
            ends = torch.tensor([float(low), float(high)])
            back = torch.quantize_per_tensor(ends, scale, zero_point, torch.quint8).dequantize()
            self.assertLessEqual((back - ends).abs().max().item(), scale * 1.001, (low, high))

    def test_min_max_is_the_whole_range(self):
        values = torch.tensor([-1.0, 0.2, 4.1])
        self.assertEqual(min_max(values), (torch.tensor(5.1).item() / 255, 50))  # 1 / (5.1 / 255) = 50

    def test_least_squares_beats_min_max_where_there_is_an_outlier(self):
        values = random(100_000)
        values[17] = 20.0
        clipped, whole = rounding_error(values, *least_squares(values)), rounding_error(values, *min_max(values))
        self.assertLess(clipped, whole)
        # The bound of the whole range is known: steps of (20 + 4.4) / 255, whose error is uniform.
        step = (20.0 - values.min().item()) / 255
        self.assertAlmostEqual(whole, step**2 / 12, delta=0.05 * step**2 / 12)

    def test_least_squares_clips_nothing_of_a_uniform_tensor(self):
        values = torch.linspace(-1, 1, 10_001)
        self.assertEqual(least_squares(values), min_max(values))

    def test_percentile_leaves_out_one_value_in_50000_at_either_end(self):
        values = torch.arange(100_001, dtype=torch.float32)[torch.randperm(100_001)] - 50_000
        scale, zero_point = percentile(values)
        self.assertAlmostEqual(scale, (49_998 + 49_998) / 255, places=3)
        self.assertIn(zero_point, (127, 128))

    def test_every_method_takes_a_tensor_that_is_constant(self):
        for name, method in METHODS.items():
            for value in (0.0, 2.0, -2.0):
                scale, zero_point = method(torch.full((100,), value))
                back = torch.quantize_per_tensor(torch.tensor([value]), scale, zero_point, torch.quint8).dequantize()
                self.assertAlmostEqual(back.item(), value, places=5, msg=name)


class Watching(TestCase):
    def test_samples_are_of_the_tensor_and_bounded(self):
        module, x = Activations(), random(2, 8, 32, 32)
        module.samples_per_batch = 1000
        self.assertTrue(torch.equal(module(x), x))
        (seen,) = module.seen
        self.assertLessEqual(len(seen), 1100)
        self.assertGreaterEqual(len(seen), 900)
        self.assertTrue(set(seen.tolist()) <= set(x.flatten().tolist()))

    def test_the_samples_come_from_every_column_of_an_even_sized_map(self):
        module = Activations()
        module.samples_per_batch = 1024
        module(torch.arange(32.0).repeat(8 * 32).view(1, 8, 32, 32))
        self.assertEqual(set(module.seen[0].tolist()), set(range(32)))

    def test_the_simulation_is_torch_s_own_quantization(self):
        module, x = Activations(), 3 * random(1000)
        module.set(0.02, 100)
        module.simulating = True
        want = torch.quantize_per_tensor(x, 0.02, 100, torch.quint8).dequantize()
        torch.testing.assert_close(module(x), want, rtol=0, atol=1e-6)

    def test_a_fixed_range_only_clamps_while_others_watch_and_is_never_changed(self):
        module, x = Activations(), 10 * random(1000)
        module.fix(0.0, 6.0)
        module.samples_per_batch = 1000
        self.assertTrue(torch.equal(module(x), torch.nn.functional.relu6(x)))
        module.find_range(min_max)
        self.assertEqual(module.seen, [])
        scale, zero_point = module.calculate_qparams()
        self.assertEqual((scale.item(), zero_point.item()), (torch.tensor(6 / 255).item(), 0))


class WeightRounding(TestCase):
    def rounded(self, weight):
        module = Weights()
        module.find_range(weight)
        module.simulating = True
        return module, module(weight)

    def test_no_weight_within_the_range_is_off_by_more_than_half_a_step_of_its_own_channel(self):
        weight = random(8, 3, 3, 3) * torch.logspace(-3, 1, 8).view(-1, 1, 1, 1)
        module, found = self.rounded(weight)
        self.assertEqual(module.scale.shape, (8,))
        peak = weight.abs().amax((1, 2, 3))
        self.assertTrue((module.scale <= peak / 127 * 1.000001).all())
        limit = module.scale.view(-1, 1, 1, 1) * 127
        inside = weight.abs() <= limit
        half = (0.5001 * module.scale).view(-1, 1, 1, 1).expand_as(weight)
        self.assertTrue(((found - weight).abs()[inside] <= half[inside]).all())
        torch.testing.assert_close(found[~inside], (weight.sign() * limit)[~inside])
        # A scale for the whole tensor would round the first channel's weights, 10,000 times smaller, all to zero.
        self.assertTrue((found[0] != 0).any())

    def test_no_channel_is_worse_than_with_its_whole_range(self):
        weight = random(16, 200)
        weight[3, 5] = 30.0
        module, found = self.rounded(weight)
        whole = weight.abs().amax(1) / 127
        naive = torch.quantize_per_channel(weight, whole, torch.zeros(16), 0, torch.qint8).dequantize()
        ours, theirs = (found - weight).square().sum(1), (naive - weight).square().sum(1)
        self.assertTrue((ours <= theirs * 1.0001).all())

    def test_the_simulation_is_what_torch_s_int8_tensor_holds(self):
        weight = random(4, 50)
        module, found = self.rounded(weight)
        scale, zero_point = module.calculate_qparams()
        want = torch.quantize_per_channel(weight, scale, zero_point, 0, torch.qint8)
        torch.testing.assert_close(found, want.dequantize(), rtol=0, atol=1e-7)
        self.assertGreaterEqual(want.int_repr().min().item(), -127)

    def test_a_channel_of_zeros(self):
        _, found = self.rounded(torch.zeros(2, 9))
        self.assertTrue(torch.equal(found, torch.zeros(2, 9)))


if __name__ == "__main__":
    unittest.main()
