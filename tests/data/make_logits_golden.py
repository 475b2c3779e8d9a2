#!/usr/bin/env python3
"""Writes logits_golden.json: what the demo model's float.pt gives in PyTorch behind torchvision's own preprocessing.

The pictures are given by a formula and need no resizing. Run it again whenever the demo model has changed.
Needs python3-torchvision (scripts/setup.sh --training). The tests read the file, so they need neither.
usage: tests/data/make_logits_golden.py > tests/data/logits_golden.json
"""
import hashlib
import json
import pathlib

import numpy as np
import torch
from PIL import Image
from torchvision import transforms

PICTURES = 6
MODEL = pathlib.Path(__file__).resolve().parents[2] / "models" / "demo" / "float.pt"


def picture(number, side):
    """The picture that the C++ test draws too: from broad waves (0) to fine ones."""
    y, x = np.mgrid[0:side, 0:side]
    planes = [(x * (number + 1) + y * (2 * number + 1) + channel * 61 + x * y // (96 >> number)) % 256 for channel in range(3)]
    return Image.fromarray(np.stack(planes, axis=2).astype(np.uint8), "RGB")


extra = {"glimpse.json": ""}
network = torch.jit.load(str(MODEL), map_location="cpu", _extra_files=extra).eval()
spec = json.loads(extra["glimpse.json"])["input"]
preprocess = transforms.Compose([
    transforms.Resize(spec["resize"], transforms.InterpolationMode(spec.get("interpolation", "bilinear"))),
    transforms.CenterCrop((spec["height"], spec["width"])),
    transforms.ToTensor(),
    transforms.Normalize(spec["mean"], spec["std"]),
])
with torch.no_grad():
    batch = torch.stack([preprocess(picture(number, spec["resize"])) for number in range(PICTURES)])
    logits = [network(one[None])[0].tolist() for one in batch]
print(json.dumps({
    "sha256": hashlib.sha256(MODEL.read_bytes()).hexdigest(),
    "side": spec["resize"],
    "logits": [[round(value, 6) for value in row] for row in logits],
}))
