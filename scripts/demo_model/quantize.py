"""Post-training static quantization of a trained MobileNetV2.

Weights: int8, symmetric, one scale per output channel. Activations: uint8 0..255, one scale per tensor.
ReLU6 needs no operator of its own: a convolution whose output is stored as uint8 with scale 6/255 and zero point 0 can
hold nothing outside [0, 6]. (torchvision's quantizable network turns ReLU6 into ReLU, which loses that bound.)
"""

import copy

import torch
import torch.ao.nn.quantized as nnq
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models.mobilenetv2 import InvertedResidual

from .network import MEAN, STD

RELU6 = (6.0 / 255.0, 0)
SAMPLES_PER_TENSOR = 200_000  # enough for a range; every value of every layer would fill the memory


class Block(nn.Module):
    """Convolutions in a row and, in a residual block, the addition of the input. Float and int8 have the same shape."""

    def __init__(self, convs: nn.Sequential, add: nn.Module):
        super().__init__()
        self.convs = convs
        self.add = add

    def forward(self, x):
        return self.add(x, self.convs(x))


class First(nn.Module):
    """Stands for "no addition": gives the convolutions' result."""

    def forward(self, x, y):
        return y


class Add(nn.Module):
    def forward(self, x, y):
        return x + y


class QuantizedAdd(nn.Module):
    def __init__(self, scale: float, zero_point: int):
        super().__init__()
        self.scale = scale
        self.zero_point = zero_point

    def forward(self, x, y):
        return torch.ops.quantized.add(x, y, self.scale, self.zero_point)


class Folded(nn.Module):
    """MobileNetV2 with batch normalisation folded into the convolutions."""

    def __init__(self, quant: nn.Module, features: nn.Sequential, classifier: nn.Module, dequant: nn.Module):
        super().__init__()
        self.quant = quant
        self.features = features
        self.classifier = classifier
        self.dequant = dequant

    def forward(self, x):
        x = self.features(self.quant(x))
        x = torch.nn.functional.adaptive_avg_pool2d(x, (1, 1))
        return self.dequant(self.classifier(torch.flatten(x, 1)))


def fold(network: nn.Module) -> Folded:
    """The same function as `network` in eval mode, in the shape that quantization takes."""
    network = copy.deepcopy(network).eval()
    blocks = []
    for part in network.features:
        residual = isinstance(part, InvertedResidual) and part.use_res_connect
        leaves = [leaf for leaf in part.modules() if not list(leaf.children())]
        convs = []
        for leaf in leaves:
            if isinstance(leaf, nn.BatchNorm2d):
                convs[-1] = fuse_conv_bn_eval(convs[-1], leaf)
            elif isinstance(leaf, nn.ReLU6):
                convs[-1] = nn.Sequential(convs[-1], nn.ReLU6())
            else:
                convs.append(leaf)
        blocks.append(Block(nn.Sequential(*convs), Add() if residual else First()))
    return Folded(nn.Identity(), nn.Sequential(*blocks), network.classifier[1], nn.Identity()).eval()


def best_range(values: torch.Tensor) -> tuple:
    """Scale and zero point of the clipping range with the smallest mean squared error over `values`."""
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    best = None
    for keep in torch.linspace(1.0, 0.3, 29).tolist():
        scale = max((high - low) * keep / 255.0, 1e-8)
        zero_point = min(max(round(-low * keep / scale), 0), 255)
        error = float(
            (torch.fake_quantize_per_tensor_affine(values, scale, zero_point, 0, 255) - values).square().mean()
        )
        if best is None or error < best[0]:
            best = (error, scale, zero_point)
    return best[1], best[2]


def calibrate(folded: Folded, batches) -> dict:
    """Scale and zero point for each layer output that is not bounded by a ReLU6, by layer name."""
    generator = torch.Generator().manual_seed(0)
    seen, hooks = {}, []

    def keep(name, share):
        def hook(module, inputs, output):
            flat = output.detach().flatten()
            seen.setdefault(name, []).append(flat[torch.randint(flat.numel(), (share,), generator=generator)])

        return hook

    batches = list(batches)
    for name, module in folded.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear, Add)):
            hooks.append(module.register_forward_hook(keep(name, SAMPLES_PER_TENSOR // len(batches))))
    with torch.no_grad():
        for batch in batches:
            folded(batch)
    for hook in hooks:
        hook.remove()
    return {name: best_range(torch.cat(parts)) for name, parts in seen.items()}


def quantize_weight(weight: torch.Tensor) -> torch.Tensor:
    """Per-channel symmetric int8 in -127..127; the clipping of each channel is the one with the least squared error."""
    flat = weight.detach().flatten(1)
    peak = flat.abs().amax(1).clamp(min=1e-8)
    best_error = torch.full_like(peak, float("inf"))
    best_scale = peak / 127
    for keep in torch.linspace(1.0, 0.6, 21):
        scale = peak * keep / 127
        error = ((flat / scale[:, None]).round().clamp(-127, 127) * scale[:, None] - flat).square().sum(1)
        better = error < best_error
        best_error = torch.where(better, error, best_error)
        best_scale = torch.where(better, scale, best_scale)
    shape = (-1,) + (1,) * (weight.dim() - 1)
    clipped = weight.detach().clamp(-127 * best_scale.view(shape), 127 * best_scale.view(shape))
    return torch.quantize_per_channel(
        clipped, best_scale.double(), torch.zeros(len(best_scale), dtype=torch.long), 0, torch.qint8
    )


def quantized_conv(conv: nn.Conv2d, scale: float, zero_point: int) -> nnq.Conv2d:
    made = nnq.Conv2d(
        conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride, conv.padding, conv.dilation, conv.groups
    )
    made.set_weight_bias(quantize_weight(conv.weight), conv.bias.detach())
    made.scale, made.zero_point = scale, zero_point
    return made


def quantize(network: nn.Module, batches) -> tuple:
    """The int8 module (float in, float logits out) and {"activation_scales", "input_scale", ...} for its metadata."""
    folded = fold(network)
    ranges = calibrate(folded, batches)
    low = min(-m / s for m, s in zip(MEAN, STD))  # black and white after normalisation: nothing lies outside
    high = max((1 - m) / s for m, s in zip(MEAN, STD))
    input_scale = (high - low) / 255
    input_zero_point = round(-low / input_scale)

    scales, blocks = {}, []
    for index, block in enumerate(folded.features):
        convs = []
        for place, conv in enumerate(block.convs):
            bounded = isinstance(conv, nn.Sequential)
            scale, zero_point = RELU6 if bounded else ranges[f"features.{index}.convs.{place}"]
            convs.append(quantized_conv(conv[0] if bounded else conv, scale, zero_point))
            scales[f"features.{index}.convs.{place}"] = [scale, zero_point]
        add = First()
        if isinstance(block.add, Add):
            scales[f"features.{index}.add"] = list(ranges[f"features.{index}.add"])
            add = QuantizedAdd(*ranges[f"features.{index}.add"])
        blocks.append(Block(nn.Sequential(*convs), add))

    classifier = nnq.Linear(folded.classifier.in_features, folded.classifier.out_features)
    classifier.set_weight_bias(quantize_weight(folded.classifier.weight), folded.classifier.bias.detach())
    classifier.scale, classifier.zero_point = ranges["classifier"]
    scales["classifier"] = list(ranges["classifier"])
    quant = nnq.Quantize(input_scale, input_zero_point, torch.quint8)
    made = Folded(quant, nn.Sequential(*blocks), classifier, nnq.DeQuantize()).eval()
    return made, {
        "method": "ptq",
        "weights": "per-channel symmetric int8",
        "activations": "per-tensor uint8",
        "input_scale": input_scale,
        "input_zero_point": input_zero_point,
        "activation_scales": scales,
    }


def choose_engine() -> str:
    """Set and name the first quantized engine that this build of torch has."""
    for engine in ("fbgemm", "onednn", "qnnpack"):
        if engine in torch.backends.quantized.supported_engines:
            torch.backends.quantized.engine = engine
            return engine
    raise RuntimeError("this torch has no quantized engine; Debian's python3-torch has onednn")
