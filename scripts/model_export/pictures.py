"""Pictures of a folder as normalised tensors: as torchvision's preset prepares them, or augmented for training.

One batch of float pictures is in memory at a time, and the resized ones up to CACHE_BYTES; the others are read again.
"""

import copy
import os
import random
import warnings
from collections.abc import Iterator
from pathlib import Path

import torch
from PIL import Image, ImageOps
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F

from .architectures import InputSpec
from .problem import BAD_DATA, NO_INPUT, Problem, warn

EXTENSIONS = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm")
MOST_HELD_BACK = 500  # more would not make an agreement of 95 % much surer: +- 2 points there
SPLIT_SEED = 1
CACHE_BYTES = 512 << 20  # some 2,000 pictures resized to 256 px
LONGEST_TO_SHORTEST = 20  # resizing the shorter side of a thin strip would make the longer one gigabytes

# Of the augmentation, milder than torchvision's for training from nothing: the student must see what the teacher knows.
SMALLEST_AREA = 0.5
ASPECTS = (4 / 5, 5 / 4)
COLOUR_CHANGE = 0.15  # of brightness, contrast and saturation, up and down


def find(folder) -> list:
    """All picture files in a folder and the ones in it, sorted; by their extension, hidden ones not."""
    folder = Path(folder)
    if not folder.is_dir():
        raise Problem(f"{folder}: no such folder", NO_INPUT)

    def unreadable(error: OSError):
        raise Problem(f"{error.filename}: {error.strerror}", NO_INPUT) from error

    paths = []
    for place, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths += [Path(place, name) for name in names if name.lower().endswith(EXTENSIONS) and name[0] != "."]
    if not paths:
        raise Problem(f"{folder} holds no pictures ({' '.join(extension[1:] for extension in EXTENSIONS)})")
    return sorted(paths)


def hold_back(paths: list, share: float = 0.2) -> tuple:
    """(calibration, held back), both in random order; the same for the same names, wherever their folder lies."""
    shuffled = sorted(paths)
    random.Random(SPLIT_SEED).shuffle(shuffled)
    count = min(max(round(share * len(shuffled)), 1), MOST_HELD_BACK) if len(shuffled) > 1 else 0
    return shuffled[count:], shuffled[:count]


def labelled(folder, labels: list) -> tuple:
    """(paths, classes) of a folder with a folder for each class, named for its label or its index.

    Folders of other names, such as WordNet's, are the classes in sorted order where there are as many as labels.
    """
    paths = find(folder)
    names = [path.relative_to(folder).parts[0] if path.parent != Path(folder) else None for path in paths]
    if None in names:
        raise Problem(f"{paths[names.index(None)]} lies in no class's folder")
    folders = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir() and entry.name[0] != ".")
    classes = _classes(folder, folders, labels)
    return paths, [classes[name] for name in names]


def _classes(folder, names: list, labels: list) -> dict:
    if all(name in labels for name in names):
        if twice := [name for name in names if labels.count(name) > 1]:
            raise Problem(f'{folder}: "{twice[0]}" is the label of several outputs; name all folders for their indices')
        return {name: labels.index(name) for name in names}
    if all(name.isdecimal() and int(name) < len(labels) for name in names):
        return {name: int(name) for name in names}
    if len(names) == len(labels):
        return {name: index for index, name in enumerate(names)}
    odd = next(name for name in names if name not in labels)
    raise Problem(f'{folder}: "{odd}" is no label and no index, and {len(names)} folders are not {len(labels)} labels')


class Pictures:
    """The pictures that can be read, in the order of paths. `skipped` has (path, reason) of those that cannot."""

    def __init__(self, paths: list, spec: InputSpec, classes: list = None, cache_bytes: int = CACHE_BYTES):
        """Reads every picture once. classes: one index for each of paths, or none."""
        self.spec, self.paths, self.skipped = spec, [], []
        self._cache, self._cache_left = {}, cache_bytes
        kept = []
        for number, path in enumerate(paths):
            try:
                self._keep(path, self._read(path))
            except Exception as error:  # Pillow's decoders raise whatever comes: OSError, SyntaxError, struct.error ...
                self.skipped.append((path, " ".join(str(error).split()) or type(error).__name__))
            else:
                self.paths.append(path)
                kept.append(number)
        self.classes = None if classes is None else torch.tensor([classes[number] for number in kept])
        if self.skipped:
            path, reason = self.skipped[0]
            text = f"{len(self.skipped)} of {len(paths)} pictures cannot be read, such as {path}: {reason}"
            if not self.paths:
                raise Problem(text, BAD_DATA)
            warn(f"{text}; skipped")

    def part(self, paths: list) -> "Pictures":
        """Some of them, without classes. What is read already is shared."""
        part = copy.copy(self)
        part.paths, part.skipped, part.classes = paths, [], None
        return part

    def __len__(self) -> int:
        return len(self.paths)

    def batches(self, count: int) -> Iterator[torch.Tensor]:
        """In order, as float [n, 3, h, w] with n up to count, prepared for evaluation."""
        for start in range(0, len(self), count):
            numbers = range(start, min(start + count, len(self)))
            yield torch.stack([self._normalised(F.center_crop(self._picture(n), self.spec.size_px)) for n in numbers])

    def augmented(self, count: int, seed: int) -> Iterator[tuple]:
        """All once, shuffled by the seed: (float [n, 3, h, w], int64 [n]: their numbers in paths and classes)."""
        order = list(range(len(self)))
        random.Random(f"order {seed}").shuffle(order)
        for start in range(0, len(order), count):
            numbers = order[start : start + count]
            changed = [self._changed(self._picture(n), random.Random(f"picture {n} {seed}")) for n in numbers]
            yield torch.stack([self._normalised(picture) for picture in changed]), torch.tensor(numbers)

    def _read(self, path) -> Image.Image:
        """RGB, upright, its shorter side resize_px long."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                if max(picture.size) > LONGEST_TO_SHORTEST * min(picture.size):
                    raise ValueError(f"{picture.width} x {picture.height} px is too narrow")
                # Pillow's TIFF reader turns by itself, and Debian 12's leaves the mark to turn there.
                upright = picture if picture.format == "TIFF" else ImageOps.exif_transpose(picture)
                upright = upright.convert("RGB")
        return F.resize(upright, self.spec.resize_px, InterpolationMode(self.spec.interpolation))

    def _keep(self, path, picture: Image.Image) -> None:
        cost_bytes = 3 * picture.width * picture.height
        if cost_bytes <= self._cache_left:
            self._cache[path] = picture
            self._cache_left -= cost_bytes

    def _picture(self, number: int) -> Image.Image:
        path = self.paths[number]
        return self._cache.get(path) or self._read(path)

    def _normalised(self, picture: Image.Image) -> torch.Tensor:
        return F.normalize(F.to_tensor(picture), self.spec.mean, self.spec.std)

    def _changed(self, picture: Image.Image, rng: random.Random) -> Image.Image:
        """Another framing of the picture, half of them mirrored, the light a little other."""
        area, aspect = rng.uniform(SMALLEST_AREA, 1), rng.uniform(*ASPECTS)
        shorter_px = min(picture.size)
        height = min(picture.height, round(shorter_px * (area / aspect) ** 0.5))
        width = min(picture.width, round(shorter_px * (area * aspect) ** 0.5))
        top, left = rng.randint(0, picture.height - height), rng.randint(0, picture.width - width)
        size = [self.spec.size_px] * 2
        picture = F.resized_crop(picture, top, left, height, width, size, InterpolationMode(self.spec.interpolation))
        if rng.random() < 0.5:
            picture = F.hflip(picture)
        for adjust in (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation):
            picture = adjust(picture, rng.uniform(1 - COLOUR_CHANGE, 1 + COLOUR_CHANGE))
        return picture
