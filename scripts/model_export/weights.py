"""Weights from a checkpoint file or torchvision's official address, into a network. Nothing in a file is executed."""

import os
import re
import tarfile
from collections import OrderedDict
from pathlib import Path

import torch

from .architectures import WITH_AUXILIARY, Architecture
from .download import fetch, is_whole
from .problem import NO_INPUT, Problem, warn

# Where training programs put the weights among other things.
NESTED_KEYS = ("state_dict", "model", "model_state_dict")
ZIP_MAGIC, PICKLE_MAGIC = b"PK\x03\x04", b"\x80"
# How torch 1.13 and torch 2.6 say what they would have to execute.
REFUSED = re.compile(r"[Uu]nsupported (?:class|GLOBAL|global: GLOBAL) ([\w.]+)")
REFUSED_UNNAMED = re.compile(r"Unsupported operand|unsupported class|unrecognized function")
# Names of the last layer's weight in all of torchvision's classifiers; the highest number is the last.
LAST_LAYER = re.compile(r"(?:fc|head|heads\.head|classifier(?:\.(\d+))?)\.weight")
SHOWN_KEYS = 3


def load_checkpoint(path) -> dict:
    """The state dict in a file: names to finite float32 (and integer) tensors, on the CPU."""
    path = Path(path)
    found = _unpickled(path)
    if isinstance(found, dict):
        found = next((found[key] for key in NESTED_KEYS if isinstance(found.get(key), dict)), found)
    if not isinstance(found, dict) or not found:
        raise Problem(f"{path} holds no state dict, which maps names to tensors")
    wrapped = all(str(key).startswith("module.") for key in found)  # by torch.nn.DataParallel
    names = [str(key)[len("module.") * wrapped :] for key in found]
    return {name: _tensor(value, f"{path}: {name}") for name, value in zip(names, found.values())}


def _tensor(value, where: str) -> torch.Tensor:
    if not isinstance(value, torch.Tensor):
        raise Problem(f"{where} is no tensor but {type(value).__name__}; expected a state dict")
    if value.is_quantized or value.layout != torch.strided or value.is_complex() or value.is_meta:
        raise Problem(f"{where} is no plain tensor of floats; weights that are quantized already cannot be exported")
    value = value.detach()
    if value.is_floating_point():
        if not torch.isfinite(value).all():
            raise Problem(f"{where} has NaN or infinite values")
        value = value.float()
    return value


def _unpickled(path: Path):
    """What torch.load gives in its mode for weights alone. Torch raises errors of many kinds at a bad file."""
    try:
        with open(path, "rb") as file:
            magic = file.read(len(ZIP_MAGIC))
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}", NO_INPUT) from error
    if not magic:
        raise Problem(f"{path} is empty")
    try:
        _refuse_other_loaders(path, magic)
        return torch.load(path, map_location="cpu", weights_only=True)
    except Problem:
        raise
    except Exception as error:
        raise Problem(f"{path} {_fault(magic, str(error))}") from error


def _fault(magic: bytes, message: str) -> str:
    if not magic.startswith((ZIP_MAGIC, PICKLE_MAGIC)):
        return "is no PyTorch checkpoint"
    if refused := REFUSED.search(message):
        return f"holds a pickled object, {refused[1]}: only weights are loaded"
    if REFUSED_UNNAMED.search(message):
        return "holds pickled objects: only weights are loaded"
    return "is a checkpoint that was cut short or damaged"


def _refuse_other_loaders(path: Path, magic: bytes) -> None:
    """Torch before 2.6 loads TorchScript and tar files by ways that weights_only does not guard (CVE-2025-32434)."""
    if magic.startswith(ZIP_MAGIC):
        # The reader that torch.load itself asks: another one might see another table of contents in the same file.
        records = torch._C.PyTorchFileReader(str(path)).get_all_records()
        if "constants.pkl" in records:
            raise Problem(
                f"{path} is TorchScript, a program; give a state dict, as torch.save(model.state_dict(), ...) writes"
            )
    elif tarfile.is_tarfile(path):
        raise Problem(f"{path} is a tar archive, as torch wrote it before 0.2; save the weights with a newer torch")


def outputs_of(state: dict, path, arch: Architecture) -> int:
    """The number of classes: the rows of the last layer's weight."""
    found = {int(match[1] or 0): key for key in state if (match := LAST_LAYER.fullmatch(key))}
    if not found or state[found[max(found)]].dim() < 2:
        raise Problem(f"{path} is not of {arch.name}: it has no weight of a last layer")
    return state[found[max(found)]].shape[0]


def load_into(network: torch.nn.Module, state: dict, path, arch: Architecture) -> None:
    """Copies the weights; one that is missing, unexpected or of another shape is a Problem."""
    state, shapes = _renamed(state, arch), {key: value.shape for key, value in network.state_dict().items()}
    misshapen = [key for key in state if key in shapes and state[key].shape != shapes[key]]
    # Torch itself renames what some networks called otherwise in the past, so the rest is left to it.
    fitting = OrderedDict((key, value) for key, value in state.items() if key not in misshapen)
    fitting._metadata = {"": {"version": 2}}  # MNASNet loads nothing that has no version
    missing, unexpected = network.load_state_dict(fitting, strict=False)
    missing = [key for key in missing if key not in misshapen]
    faults = []
    if missing:
        faults.append(f"{len(missing)} keys missing ({_some(missing)})")
    if unexpected:
        faults.append(f"{len(unexpected)} keys unexpected ({_some(unexpected)})")
    if misshapen and not faults:
        key = misshapen[0]
        faults.append(f"shape of {key} is {list(state[key].shape)}, expected {list(shapes[key])}")
    if faults:
        raise Problem(f"{path} is not of {arch.name}: {', '.join(faults)}")


def _some(keys: list) -> str:
    return ", ".join(keys[:SHOWN_KEYS]) + (" ..." if len(keys) > SHOWN_KEYS else "")


def _renamed(state: dict, arch: Architecture) -> dict:
    """What torchvision's own builders do to the official files, and torch does not."""
    if arch.name in WITH_AUXILIARY:  # the second classifier is for training alone
        return {key: value for key, value in state.items() if not key.startswith(("aux1.", "aux2.", "AuxLogits."))}
    if arch.name.startswith("densenet"):  # its files are older than its names
        old = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12])\.")
        return {old.sub(r"\1\2.", key): value for key, value in state.items()}
    return state


def cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "glimpse" / "weights"


def imagenet_weights(arch: Architecture, folder=None) -> Path:
    """The file of torchvision's ImageNet weights, from the cache folder or else from its official address."""
    path = Path(folder or cache_folder()) / arch.weights_url.rsplit("/", 1)[1]
    if path.exists():
        if is_whole(path, arch.sha256_prefix):
            return path
        warn(f"{path} is damaged; it is downloaded again")
    fetch(arch.weights_url, path, arch.sha256_prefix)
    return path
