"""Post-training quantization: the simulated network, the converted one, and the steps that are kept."""

import math
import unittest
import unittest.mock

import support  # noqa: F401: finds scripts/, or skips
import torch
from nets import SPEC, Silent, Tensors, net
from support import TestCase
from torch import fx, nn

from model_export import calibrate as calibration
from model_export.architectures import architecture, build, input_spec
from model_export.calibrate import answers, calibrate, correct_biases, divergence, find_ranges, watch
from model_export.graph import NotQuantizable
from model_export.noise import Noise
from model_export.ranges import METHODS, min_max
from model_export.student import Student, choose_engine

choose_engine()
RELU6_SCALE = torch.tensor(6 / 255).item()  # as a float32


def calibrated(network, pictures, spec=SPEC):
    student = Student(network, spec)
    return student, calibrate(student, pictures, Silent())


def pooled(*layers):
    """The layers, the last of them with four channels, then a mean and a linear layer of three outputs."""
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))


class Divergence(unittest.TestCase):
    def test_it_is_the_kullback_leibler_divergence_in_nats(self):
        # Of (1/2, 1/2) and (1/4, 3/4): 1/2 ln(2) + 1/2 ln(2/3) = 1/2 ln(4/3).
        expected, found = torch.tensor([[0.0, 0.0], [5.0, 5.0]]), torch.tensor([[1.0, 3.0], [1.0, 3.0]]).log()
        self.assertAlmostEqual(divergence(expected, found), 0.5 * math.log(4 / 3), places=6)
        self.assertAlmostEqual(divergence(found, found + 100), 0.0, places=4)

    def test_it_is_torch_s_own_loss_on_random_logits(self):
        torch.manual_seed(1)
        expected, found = 3 * torch.randn(20, 10), 3 * torch.randn(20, 10)
        want = nn.KLDivLoss(reduction="batchmean")(found.log_softmax(1), expected.softmax(1))
        self.assertAlmostEqual(divergence(expected, found), want.item(), places=4)


class Students(TestCase):
    def test_without_simulation_it_is_the_network(self):
        network, pictures = net(), Tensors(8)
        student = Student(network, SPEC)
        student.simulate(False)
        torch.testing.assert_close(answers(student, [pictures.values]), answers(network, [pictures.values]))

    def test_relu6_is_the_range_and_no_int8_value_lies_beyond(self):
        network = net()
        with torch.no_grad():
            network.first[0].weight *= 20  # far more than 6
        student, _ = calibrated(network, Tensors(32))
        found = student.scales()
        for name in ("first.0", "second"):
            self.assertEqual(found["activation_scales"][name], [RELU6_SCALE, 0])
        int8 = student.converted()
        layer = int8.get_submodule("first.0")
        self.assertEqual((layer.scale, layer.zero_point), (RELU6_SCALE, 0))
        outputs = []
        layer.register_forward_hook(lambda layer, inputs, output: outputs.append(output.dequantize()))
        answers(int8, [10 * Tensors(8, seed=3).values])
        self.assertAlmostEqual(outputs[0].max().item(), 6.0, places=5)
        self.assertEqual(outputs[0].min().item(), 0.0)

    def test_the_input_s_range_is_black_to_white(self):
        student = Student(net(), SPEC)
        found = student.scales()  # (0 - 0.5) / 0.25 = -2, (1 - 0.5) / 0.25 = 2
        self.assertAlmostEqual(found["input_scale"], 4 / 255, places=8)
        self.assertIn(found["input_zero_point"], (127, 128))

    def test_sigmoids_have_torch_s_own_range(self):
        network = pooled(nn.Conv2d(3, 4, 3), nn.Sigmoid())
        student, _ = calibrated(network.eval(), Tensors(16))
        int8 = student.converted()
        zero = torch.quantize_per_tensor(torch.zeros(1), 0.1, 0, torch.quint8)
        self.assertEqual(torch.sigmoid(zero).q_scale(), 1 / 256)
        x = Tensors(16).values
        student.simulate(True)
        torch.testing.assert_close(answers(student, [x]), answers(int8, [x]), rtol=0, atol=0.02)

    def test_tanh_has_torch_s_own_range(self):
        network = pooled(nn.Conv2d(3, 4, 3), nn.Tanh())
        student, _ = calibrated(network.eval(), Tensors(16))
        x = Tensors(16).values
        student.simulate(True)
        torch.testing.assert_close(answers(student, [x]), answers(student.converted(), [x]), rtol=0, atol=0.02)

    def test_an_operator_that_int8_cannot_compute_is_named(self):
        class Fails(nn.Module):
            def forward(self, x):
                return x.view(7)

        student, _ = calibrated(net(), Tensors(16))
        with unittest.mock.patch("model_export.student.convert_fx", lambda graph: fx.symbolic_trace(Fails())):
            with self.assertRaisesRegex(NotQuantizable, "^torch cannot compute its view in int8: .*shape.*$"):
                student.converted()
        self.assertEqual(self.stderr.getvalue(), "", "torch.fx would print its own stack")


class Simulation(TestCase):
    def assert_steps_apart(self, network, spec, pictures, most_mean, most):
        """The logits of the simulated and the converted network, in steps of the last layer's scale."""
        student, _ = calibrated(network, pictures, spec)
        last = [module for module in student.activations][-1]
        student.simulate(True)
        x = [next(pictures.batches(8))]
        steps = (answers(student, x) - answers(student.converted(), x)).abs() / last.scale.item()
        self.assertLessEqual(steps.mean().item(), most_mean)
        self.assertLessEqual(steps.max().item(), most)

    def test_a_small_network_converted_is_what_was_simulated(self):
        self.assert_steps_apart(net(), SPEC, Tensors(32), 0.2, 2.01)

    def test_real_networks_converted_are_what_was_simulated(self):
        for name in ("mobilenet_v2", "mobilenet_v3_small", "squeezenet1_1", "resnet18"):
            with self.subTest(name):
                torch.manual_seed(1)
                spec = input_spec(architecture(name), 32)
                network = build(architecture(name), 10)
                self.assert_steps_apart(network, spec, Noise(spec, 32, seed=1), 2.0, 8.0)


class Biases(TestCase):
    def means(self, student, x, simulated):
        found = {}
        student.simulate(simulated)
        convs = {name: layer for name, layer in student.layers.items() if isinstance(layer, nn.Conv2d)}

        def note(name):
            def hook(layer, inputs, output):
                found[name] = output.mean((0, 2, 3))

            return hook

        handles = [layer.register_forward_hook(note(name)) for name, layer in convs.items()]
        answers(student, [x])
        for handle in handles:
            handle.remove()
        return found

    def test_every_channel_gets_the_mean_that_it_has_in_float(self):
        # Without activation functions, so that the means of the outputs are those of what the biases are added to.
        torch.manual_seed(1)
        network = pooled(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 3))
        student, x = Student(network.eval(), SPEC), (Tensors(32).values + 1).clamp(max=2)  # their mean is not zero
        watch(student, [x])
        find_ranges(student, min_max)
        for layer in student.layers.values():
            layer.weight_fake_quant.scale *= 12  # coarse steps: the means are off
        want, before = self.means(student, x, False), self.means(student, x, True)
        correct_biases(student, x)
        after = self.means(student, x, True)
        for name, expected in want.items():
            self.assertGreater((before[name] - expected).abs().max().item(), 2e-3, name)
            torch.testing.assert_close(after[name], expected, rtol=0, atol=1e-5)

    def test_a_linear_layer_of_pixels_has_its_channels_last(self):
        class Pixels(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv, self.fc = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(4, 5)

            def forward(self, x):
                return self.fc(self.conv(x).permute(0, 2, 3, 1)).mean((1, 2))

        student, x = Student(Pixels().eval(), SPEC), Tensors(16).values
        watch(student, [x])
        find_ranges(student, min_max)
        student.simulate(False)
        want = answers(student, [x]).mean(0)
        student.layers["fc"].weight_fake_quant.scale *= 20
        correct_biases(student, x)
        student.simulate(True)
        steps = (answers(student, [x]).mean(0) - want).abs() / student.activations[-1].scale
        self.assertLessEqual(steps.max().item(), 1.0)


class Steps(TestCase):
    def test_what_is_kept_is_what_diverges_least(self):
        network, pictures = net(spread=300.0), Tensors(64)
        student, steps = calibrated(network, pictures)
        ranges, correction = steps[:-1], steps[-1]
        self.assertEqual([step.name for step in ranges], [f"ranges by {name}" for name in METHODS])
        best = min(ranges, key=lambda step: step.divergence)
        self.assertEqual([step for step in ranges if step.kept], [best])
        self.assertEqual(correction.kept, correction.divergence < best.divergence)
        self.assert_state_is_the_best(student, steps, network, pictures)

    def assert_state_is_the_best(self, student, steps, network, pictures):
        student.simulate(True)
        expected = answers(network, [pictures.values])
        left = divergence(expected, answers(student, [pictures.values]))
        self.assertAlmostEqual(left, min(step.divergence for step in steps), places=6)

    def test_each_method_s_divergence_is_that_of_a_student_with_its_ranges_alone(self):
        network, pictures = net(), Tensors(32)
        _, steps = calibrated(network, pictures)
        for name, method in METHODS.items():
            student = Student(network, SPEC)
            watch(student, list(pictures.batches(16)))
            find_ranges(student, method)
            student.simulate(True)
            found = divergence(answers(network, [pictures.values]), answers(student, [pictures.values]))
            (step,) = (step for step in steps if step.name == f"ranges by {name}")
            self.assertAlmostEqual(step.divergence, found, places=6, msg=name)

    def test_a_correction_that_does_not_help_leaves_no_trace(self):
        network, pictures = net(), Tensors(32)

        def spoil(student, batch):
            for layer in student.layers.values():
                layer.bias.data += 3.0

        want = Student(network, SPEC)
        with unittest.mock.patch.object(calibration, "correct_biases", lambda student, batch: None):
            calibrate(want, pictures, Silent())
        with unittest.mock.patch.object(calibration, "correct_biases", spoil):
            student, steps = calibrated(network, pictures)
        self.assertFalse(steps[-1].kept)
        for key, value in student.state_dict().items():
            self.assertTrue(torch.equal(value, want.state_dict()[key]), key)

    def test_a_method_that_is_far_the_best_is_the_one_that_is_kept(self):
        def poor(values):
            return 1.0, 128

        network, pictures = net(), Tensors(32)
        for name in METHODS:
            with unittest.mock.patch.dict(METHODS, {other: poor for other in METHODS if other != name}):
                student, steps = calibrated(network, pictures)
            self.assertEqual([step.name for step in steps[:-1] if step.kept], [f"ranges by {name}"])
            self.assert_state_is_the_best(student, steps, network, pictures)

    def test_no_more_pictures_are_watched_than_fit_the_memory(self):
        pictures = Tensors(64)
        student = Student(net(), SPEC)
        progress = Silent()
        with unittest.mock.patch.object(calibration, "WATCHED_PICTURES", 32):
            calibrate(student, pictures, progress)
        self.assertIn("watching every tensor on 32 pictures", progress.lines)


if __name__ == "__main__":
    unittest.main()
