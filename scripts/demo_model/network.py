"""The network and the numbers that its input needs."""

import torch
import torchvision

from model_export.architectures import InputSpec

INPUT_PX = 224
MEAN = (0.485, 0.456, 0.406)  # torchvision's ImageNet values
STD = (0.229, 0.224, 0.225)
# The shorter side becomes 224 px, not 256: a thing that fills the picture is to be seen whole.
SPEC = InputSpec(INPUT_PX, INPUT_PX, "bilinear", MEAN, STD)


def build(class_count: int) -> torch.nn.Module:
    """MobileNetV2, width 1.0, untrained. No dropout: no picture comes twice, so there is nothing to overfit."""
    return torchvision.models.mobilenet_v2(num_classes=class_count, dropout=0.0)


def normalise(pictures: torch.Tensor) -> torch.Tensor:
    """uint8 [n, height, width, 3] RGB to the network's float [n, 3, height, width]."""
    mean = torch.tensor(MEAN).mul(255).view(1, 3, 1, 1)
    std = torch.tensor(STD).mul(255).view(1, 3, 1, 1)
    return (pictures.permute(0, 3, 1, 2).float() - mean) / std
