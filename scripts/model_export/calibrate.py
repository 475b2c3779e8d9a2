"""Post-training quantization: find the range of every tensor, mend the biases, and keep only what measurably helps.

The measure is the Kullback-Leibler divergence of the int8 network's probabilities from the float network's, in nats, on
calibration pictures: unlike a count of changed answers it moves smoothly, and it needs no labels.
"""

import copy
from dataclasses import dataclass

import torch
from torch import nn

from .ranges import METHODS, SAMPLES
from .student import Student, before_activation

WATCHED_PICTURES = 512
JUDGED_PICTURES = 128
CORRECTED_PICTURES = 64  # in one batch, whose activations are in memory together
BATCH = 16


@dataclass(frozen=True)
class Step:
    name: str
    divergence: float  # nats
    kept: bool


def divergence(expected: torch.Tensor, found: torch.Tensor) -> float:
    """Mean over the pictures of KL(softmax(expected) || softmax(found)), in nats; both are logits [n, outputs]."""
    logs = expected.log_softmax(1)
    return float((logs.exp() * (logs - found.log_softmax(1))).sum(1).mean())


def answers(network, batches) -> torch.Tensor:
    with torch.no_grad():
        return torch.cat([network(batch) for batch in batches])


def watch(student: Student, batches: list) -> None:
    """Run the float network and take samples of every tensor."""
    student.simulate(False)
    for module in student.activations:
        module.samples_per_batch = max(1, SAMPLES // len(batches))
    answers(student, batches)
    for module in student.activations:
        module.samples_per_batch = 0


def find_weight_ranges(student: Student) -> None:
    for layer in student.layers.values():
        layer.weight_fake_quant.find_range(layer.weight)


def find_activation_ranges(student: Student, method) -> None:
    for module in student.activations:
        module.find_range(method)


def find_ranges(student: Student, method) -> None:
    find_weight_ranges(student)
    find_activation_ranges(student, method)


def correct_biases(student: Student, batch: torch.Tensor) -> None:
    """Give each output channel the mean that it has in float (Nagel et al. 2019, section 4.2, empirical form).

    Layer by layer in the order of the data, in one go: each sees what the corrected ones before it give.
    """
    expected, hooks = {}, []

    def channel_means(layer, x):
        values = before_activation(layer, x)
        return values.flatten(0, -2).mean(0) if isinstance(layer, nn.Linear) else values.mean((0, 2, 3))

    def note(layer, inputs):
        expected[layer] = channel_means(layer, inputs[0])

    def correct(layer, inputs):
        layer.bias += expected[layer] - channel_means(layer, inputs[0])

    for simulated, hook in ((False, note), (True, correct)):
        student.simulate(simulated)
        hooks = [layer.register_forward_pre_hook(hook) for layer in student.layers.values() if layer.bias is not None]
        answers(student, [batch])
        for handle in hooks:
            handle.remove()


def calibrate(student: Student, pictures, progress) -> list:
    """Leaves the student with the best ranges and biases; gives the steps that were tried. `pictures`: of pictures.py."""
    batches = []
    for batch in pictures.batches(BATCH):
        batches.append(batch)
        if len(batches) * BATCH >= WATCHED_PICTURES:
            break
    progress.say(f"watching every tensor on {sum(map(len, batches))} pictures")
    watch(student, batches)
    judged = batches[: JUDGED_PICTURES // BATCH]
    expected = answers(student, judged)

    def judge() -> float:
        student.simulate(True)
        return divergence(expected, answers(student, judged))

    find_weight_ranges(student)
    tried = {}
    for name, method in METHODS.items():
        progress.say(f"ranges by {name}")
        find_activation_ranges(student, method)
        tried[name] = judge()
    best = min(tried, key=tried.get)
    find_activation_ranges(student, METHODS[best])
    steps = [Step(f"ranges by {name}", cost, name == best) for name, cost in tried.items()]

    progress.say("correcting the biases")
    before = copy.deepcopy(student.state_dict())
    correct_biases(student, torch.cat(batches)[:CORRECTED_PICTURES])
    cost = judge()
    helped = cost < tried[best]
    if not helped:
        student.load_state_dict(before)
    return [*steps, Step("bias correction", cost, helped)]
