"""The classifiers of torchvision: how each is built, what input it takes, where its ImageNet weights are."""

import difflib
import re
from dataclasses import dataclass

import torch
import torchvision

from .problem import USAGE, Problem

# The position embedding (ViT) or the partition into windows (MaxViT) is made for one size.
ONE_SIZE_ONLY = ("vit_", "maxvit_")
SMALLEST_PX, LARGEST_PX = 32, 1024

# Both have a second classifier for training alone, and a flag that turns torchvision's normalisation into the one of
# their ImageNet weights. That one is (p - 0.5) / 0.5, so it is their mean and std here, and the flag stays off.
WITH_AUXILIARY = ("googlenet", "inception_v3")
AUXILIARY_MEAN_STD = (0.5, 0.5, 0.5)

# The files of these addresses were replaced on the server: torchvision before 0.17 names hashes that no longer hold
# (pytorch/vision issue 7744). These are the names that torchvision 0.21 has.
REPLACED = {
    "efficientnet_b0_rwightman-3dd342df": "efficientnet_b0_rwightman-7f5810bc",
    "efficientnet_b2_rwightman-bcdf34b7": "efficientnet_b2_rwightman-c35c1473",
    "efficientnet_b3_rwightman-cf984f9c": "efficientnet_b3_rwightman-b3899882",
    "efficientnet_b4_rwightman-7eb33cd5": "efficientnet_b4_rwightman-23ab8bcd",
    "efficientnet_b5_lukemelas-b6417697": "efficientnet_b5_lukemelas-1a07897c",
    "efficientnet_b6_lukemelas-c76e70fd": "efficientnet_b6_lukemelas-24a108a5",
    "efficientnet_b7_lukemelas-dcc49843": "efficientnet_b7_lukemelas-c5b4e57e",
}


@dataclass(frozen=True)
class InputSpec:
    """Shorter side resized to resize_px, centre square of size_px cut out, [0, 1] RGB normalised by mean and std."""

    size_px: int
    resize_px: int
    interpolation: str  # "bilinear" or "bicubic", antialiased
    mean: tuple
    std: tuple


@dataclass(frozen=True)
class Architecture:
    name: str
    outputs: int  # of torchvision's ImageNet weights
    input: InputSpec
    weights_url: str
    sha256_prefix: str  # the first hex digits of the file's SHA-256, as its name pins them


def names() -> list:
    """All of torchvision's classifiers; detection, segmentation, video and quantizable twins live in other modules."""
    return torchvision.models.list_models(module=torchvision.models)


def architecture(name: str) -> Architecture:
    if name not in names():
        near = difflib.get_close_matches(name.lower(), names(), n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else "such as mobilenet_v2, resnet18 or efficientnet_b0"
        raise Problem(f'"{name}" is no classifier of torchvision {torchvision.__version__}; {hint}', USAGE)
    weights = _imagenet_weights(name)
    preset = weights.transforms()
    mean_std = (AUXILIARY_MEAN_STD,) * 2 if name in WITH_AUXILIARY else (tuple(preset.mean), tuple(preset.std))
    url = weights.url
    for old, new in REPLACED.items():
        url = url.replace(old, new)
    return Architecture(
        name=name,
        outputs=len(weights.meta["categories"]),
        input=InputSpec(preset.crop_size[0], preset.resize_size[0], preset.interpolation.value, *mean_std),
        weights_url=url,
        sha256_prefix=re.search(r"-([0-9a-f]{8,})\.pth$", url).group(1),
    )


def input_spec(arch: Architecture, size_px: int = None) -> InputSpec:
    """For another size than the architecture's own the shorter side is resized to 256/224 of it, rounded."""
    spec = arch.input
    if size_px is None or size_px == spec.size_px:
        return spec
    if arch.name.startswith(ONE_SIZE_ONLY):
        raise Problem(f"--size {size_px}: {arch.name} takes {spec.size_px} px alone", USAGE)
    if not SMALLEST_PX <= size_px <= LARGEST_PX:
        raise Problem(f"--size {size_px}: expected {SMALLEST_PX} to {LARGEST_PX} px", USAGE)
    return InputSpec(size_px, round(size_px * 256 / 224), spec.interpolation, spec.mean, spec.std)


def build(arch: Architecture, outputs: int) -> torch.nn.Module:
    """The network for evaluation, [n, 3, h, w] to [n, outputs], its weights drawn from torch's generator."""
    options = {}
    if arch.name in WITH_AUXILIARY:
        # init_weights would draw from a normal distribution so narrow that a deep untrained network is all zeros.
        options = {"aux_logits": False, "transform_input": False, "init_weights": False}
    elif arch.name.startswith("vit_"):
        options = {"image_size": arch.input.size_px}
    return torchvision.models.get_model(arch.name, weights=None, num_classes=outputs, **options).eval()


def imagenet_labels(arch: Architecture) -> list:
    return list(_imagenet_weights(arch.name).meta["categories"])


def _imagenet_weights(name: str):
    """IMAGENET1K_V1, or the first where there is none (regnet_y_128gf, vit_h_14)."""
    entries = torchvision.models.get_model_weights(name)
    return entries.__members__.get("IMAGENET1K_V1") or list(entries)[0]
