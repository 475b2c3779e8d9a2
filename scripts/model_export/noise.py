"""Pictures made of noise: what random weights live on, where nobody gave real pictures."""

import contextlib

import torch
from torch import nn

from .architectures import InputSpec


class Noise:
    """Blurred colour noise with the interface of pictures.Pictures; the same for the same seed."""

    def __init__(self, spec: InputSpec, count: int, seed: int):
        generator = torch.Generator().manual_seed(seed)
        coarse = torch.rand(count, 3, 7, 7, generator=generator)
        values = torch.nn.functional.interpolate(coarse, size=[spec.size_px] * 2, mode="bilinear", align_corners=False)
        values += 0.1 * torch.randn(values.shape, generator=generator)
        mean, std = (torch.tensor(values_of).view(1, 3, 1, 1) for values_of in (spec.mean, spec.std))
        self.values = (values.clamp(0, 1) - mean) / std
        self.paths = [f"noise {seed} {number}" for number in range(count)]
        self.classes = None

    def __len__(self) -> int:
        return len(self.values)

    def batches(self, count: int):
        yield from self.values.split(count)

    def augmented(self, count: int, seed: int):
        """As they are, in another order: noise has no other side."""
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(seed))
        for numbers in order.split(count):
            yield self.values[numbers], numbers


def settle(network: nn.Module, spec: InputSpec) -> None:
    """Gives batch normalisation the statistics of noise.

    With those it begins with, values fade from layer to layer: MobileNetV2's logits are 1e-9, and its int8 form is all zeros.
    """
    layers = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for layer in layers:
        layer.momentum = None  # the mean of what it sees, not a moving one
        layer.train()
    with torch.no_grad(), contextlib.suppress(RuntimeError):  # of an input too small for it: export.check() tells that
        network(Noise(spec, 8, seed=3).values)
    for layer in layers:
        layer.eval()
