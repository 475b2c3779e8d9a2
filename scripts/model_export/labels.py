"""The names of a network's outputs: from a file, or torchvision's own."""

import json
from pathlib import Path

from .architectures import Architecture, imagenet_labels
from .problem import NO_INPUT, Problem, warn


def labels_for(arch: Architecture, outputs: int, path=None) -> list:
    """One for each output: the file's, else ImageNet's where there are as many, else numbers, with a warning."""
    if path is not None:
        return read(path, outputs)
    if outputs == arch.outputs:
        return imagenet_labels(arch)
    warn(f'{outputs} outputs and no --labels FILE: they are called "class 0" to "class {outputs - 1}"')
    return [f"class {index}" for index in range(outputs)]


def read(path, outputs: int) -> list:
    """A label a line, or a JSON list of strings (a file that begins with "["); UTF-8."""
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}", NO_INPUT) from error
    except UnicodeDecodeError as error:
        raise Problem(f"{path} is not UTF-8 text (byte {error.start})") from error
    labels = _from_json(text, path) if text.lstrip().startswith("[") else _from_lines(text, path)
    if len(labels) != outputs:
        raise Problem(f"{path} has {len(labels)} labels, and the network has {outputs} outputs")
    return labels


def _from_lines(text: str, path) -> list:
    lines = [line.strip() for line in text.rstrip().split("\n")] if text.strip() else []
    for number, line in enumerate(lines, 1):
        if not line:
            raise Problem(f"{path}: line {number} is empty")
        _check(line, f"{path}: line {number}")
    return lines


def _from_json(text: str, path) -> list:
    try:
        labels = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Problem(f"{path} is no JSON list: {error}") from error
    for number, label in enumerate(labels):
        if not isinstance(label, str) or not label.strip():
            raise Problem(f"{path}: item {number} is no label: {json.dumps(label)}")
        _check(label, f"{path}: item {number}")
    return [label.strip() for label in labels]


def _check(label: str, where: str) -> None:
    """Labels go to terminals, tables and records, where a control character is never meant."""
    if not label.isprintable():
        raise Problem(f"{where} has a character that cannot be printed: {label!r}")
