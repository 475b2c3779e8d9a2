"""How floats become 8-bit integers: the range of each tensor, found by watching it, and its simulation in float.

Activations: uint8 0..255, one scale and zero point per tensor. Weights: int8 -127..127, symmetric, one scale per output channel.
torch's converter takes both for its observers, and asks calculate_qparams() for what it needs.
"""

import math

import torch
from torch import nn
from torch.ao.quantization import ObserverBase

SAMPLES = 200_000  # kept of each tensor, enough for its range; every value of every layer would fill the memory
SHRINKAGES = torch.linspace(1.0, 0.2, 41).tolist()


def affine(low: float, high: float) -> tuple:
    """Scale and zero point of uint8 for [low, high]; zero is always exact, since padding is made of it."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = max((high - low) / 255.0, 1e-8)
    return scale, min(max(round(-low / scale), 0), 255)


def min_max(values: torch.Tensor) -> tuple:
    return affine(float(values.min()), float(values.max()))


def least_squares(values: torch.Tensor) -> tuple:
    """The clipped range with the least squared error: a few outliers cost less than coarser steps for all the others."""
    low, high = float(values.min()), float(values.max())
    candidates = [affine(low * keep, high * keep) for keep in SHRINKAGES]

    def error(candidate: tuple) -> float:
        return float((torch.fake_quantize_per_tensor_affine(values, *candidate, 0, 255) - values).square().mean())

    return min(candidates, key=error)


def percentile(values: torch.Tensor) -> tuple:
    """All but one value in 50,000 at either end."""
    last = len(values) - 1
    ordered = values.sort().values
    return affine(float(ordered[round(last * 0.00002)]), float(ordered[round(last * 0.99998)]))


METHODS = {"min-max": min_max, "percentile": percentile, "least squares": least_squares}


class Activations(ObserverBase):
    """Watches a tensor, then simulates its quantization. A fixed range (a ReLU6, the input) only clamps while others watch."""

    qscheme, quant_min, quant_max = torch.per_tensor_affine, 0, 255
    is_dynamic, ch_axis = False, -1

    def __init__(self):
        super().__init__(torch.quint8)
        self.scale = nn.Parameter(torch.ones(1), requires_grad=False)
        self.register_buffer("zero_point", torch.zeros(1))
        self.fixed = None
        self.samples_per_batch = 0  # not watching
        self.seen = []
        self.simulating = False

    def fix(self, low: float, high: float) -> None:
        self.fixed = (low, high)
        self.set(*affine(low, high))

    def set(self, scale: float, zero_point: int) -> None:
        self.scale.data.fill_(scale)
        self.zero_point.fill_(zero_point)

    def find_range(self, method) -> None:
        if self.fixed is None and self.seen:
            self.set(*method(torch.cat(self.seen)))

    def forward(self, x):
        if self.samples_per_batch and self.fixed is None:
            values = x.detach().flatten()
            step = len(values) // self.samples_per_batch | 1  # odd: takes from all columns of an even-sized map
            self.seen.append(values[::step].clone())
        if self.simulating and not self.scale.requires_grad:
            return torch.fake_quantize_per_tensor_affine(
                x, float(self.scale), int(self.zero_point), self.quant_min, self.quant_max
            )
        if self.simulating:
            even = 1 / math.sqrt(x.numel() * self.quant_max)  # Esser et al. 2020, section 2.2
            return torch._fake_quantize_learnable_per_tensor_affine(
                x, self.scale, self.zero_point, self.quant_min, self.quant_max, even
            )
        return x.clamp(*self.fixed) if self.fixed else x

    def calculate_qparams(self) -> tuple:
        return self.scale.detach(), self.zero_point.int()


class Weights(ObserverBase):
    """Each channel is clipped where its squared error is least."""

    qscheme, quant_min, quant_max = torch.per_channel_symmetric, -127, 127
    is_dynamic, ch_axis = False, 0

    def __init__(self, factory_kwargs=None):
        super().__init__(torch.qint8)
        self.register_buffer("scale", torch.ones(1))
        self.register_buffer("zero_point", torch.zeros(1, dtype=torch.int32))
        self.simulating = False

    def find_range(self, weight: torch.Tensor) -> None:
        channels = weight.detach().flatten(1)
        peak = channels.abs().amax(1).clamp(min=1e-8)
        best_scale, best_error = peak / 127, torch.full_like(peak, float("inf"))
        for keep in SHRINKAGES:
            scale = peak * keep / 127
            rounded = (channels / scale[:, None]).round().clamp(self.quant_min, self.quant_max) * scale[:, None]
            error = (rounded - channels).square().sum(1)
            best_scale = torch.where(error < best_error, scale, best_scale)
            best_error = torch.minimum(error, best_error)
        self.scale, self.zero_point = best_scale, torch.zeros(len(best_scale), dtype=torch.int32)

    def forward(self, weight):
        if not self.simulating:
            return weight
        return torch.fake_quantize_per_channel_affine(
            weight, self.scale, self.zero_point, self.ch_axis, self.quant_min, self.quant_max
        )

    def calculate_qparams(self) -> tuple:
        return self.scale, self.zero_point
