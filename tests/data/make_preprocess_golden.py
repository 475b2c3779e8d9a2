#!/usr/bin/env python3
"""Writes preprocess_golden.csv: pixels of torchvision's Resize, CenterCrop(224) of a picture given by a formula.

Needs python3-torchvision (scripts/setup.sh --training). The tests read the file, so they need neither.
usage: tests/data/make_preprocess_golden.py > tests/data/preprocess_golden.csv
"""
import itertools
import random

import numpy as np
from PIL import Image
from torchvision import transforms

SIZES = [(640, 480), (224, 224), (100, 60), (481, 643), (1920, 1080), (225, 224), (3, 5)]
RESIZES = [224, 256]
INTERPOLATIONS = [transforms.InterpolationMode.BILINEAR, transforms.InterpolationMode.BICUBIC]


def picture(width, height):
    """The picture that the C++ test draws too: red, green, blue by formula."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [(x * 7 + y * 13 + channel * 29 + x * y // 16) % 256 for channel in range(3)]
    return Image.fromarray(np.stack(planes, axis=2).astype(np.uint8), "RGB")


random.seed(1)
print("interpolation,resize,width,height,x,y,red,green,blue")
for interpolation, resize, (width, height) in itertools.product(INTERPOLATIONS, RESIZES, SIZES):
    preprocess = transforms.Compose([transforms.Resize(resize, interpolation), transforms.CenterCrop(224)])
    result = np.asarray(preprocess(picture(width, height)))
    corners = [(0, 0), (223, 0), (0, 223), (223, 223)]
    for x, y in corners + [(random.randrange(224), random.randrange(224)) for _ in range(44)]:
        print(f"{interpolation.value},{resize},{width},{height},{x},{y}," + ",".join(str(value) for value in result[y, x]))
