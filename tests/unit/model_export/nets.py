"""Small networks and pictures of noise for the tests of quantization."""

import torch
from torch import nn

from model_export.architectures import InputSpec

SPEC = InputSpec(16, 18, "bilinear", (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))


class Net(nn.Module):
    """A convolution, a depthwise one, a shortcut and a linear layer; ReLU6 between them."""

    def __init__(self, classes=5, channels=8):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU6())
        self.second = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.relu6 = nn.ReLU6()
        self.fc = nn.Linear(channels, classes)

    def forward(self, x):
        x = self.first(x)
        x = self.relu6(self.second(x)) + x
        return self.fc(x.mean((2, 3)))


def net(seed=1, spread=1.0, **options):
    """spread: the channels of the first layer differ by up to this factor in size, as they do in MobileNetV2."""
    torch.manual_seed(seed)
    network = Net(**options)
    with torch.no_grad():
        network.first[0].weight *= 4 * torch.logspace(0, -1, network.fc.in_features, base=spread).view(-1, 1, 1, 1)
        network.fc.weight *= 4
    return network.eval()


class Tensors:
    """Pictures that are tensors already, with the interface of pictures.Pictures."""

    def __init__(self, count, seed=1, size_px=16, classes=None):
        generator = torch.Generator().manual_seed(seed)
        coarse = torch.rand(count, 3, 4, 4, generator=generator)
        values = nn.functional.interpolate(coarse, size=[size_px] * 2, mode="bilinear", align_corners=False)
        self.values, self.classes = (values - 0.5) / 0.25, classes
        self.paths = [f"picture {seed} {number}" for number in range(count)]

    def __len__(self):
        return len(self.values)

    def batches(self, count):
        yield from self.values.split(count)

    def augmented(self, count, seed):
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(seed))
        for numbers in order.split(count):
            yield self.values[numbers], numbers


class Silent:
    """A Progress that keeps what it was told."""

    def __init__(self):
        self.lines = []

    def say(self, text):
        self.lines.append(text)

    def now(self, text):
        pass
