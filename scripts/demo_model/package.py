"""Write and read a model folder: float.pt, int8.pt and manifest.json (see models/README.md)."""

import hashlib
import io
import json
import os
from pathlib import Path

import torch

from .network import INPUT_PX, MEAN, STD

FORMAT = "glimpse-model/1"
LICENCE = (
    "Apache-2.0 (weights trained by this project). The training pictures show emoji of Noto Color Emoji "
    "(SIL OFL 1.1); nothing of the font is in these files"
)
INPUT = {
    "width": INPUT_PX,
    "height": INPUT_PX,
    "resize": INPUT_PX,
    "interpolation": "bilinear",
    "antialias": True,
    "colour": "RGB",
    "mean": list(MEAN),
    "std": list(STD),
}


def tensor_bytes(tensor: torch.Tensor):
    """Raw bytes; of a quantized tensor the integers, then the scales."""
    if tensor.is_quantized:
        yield tensor.int_repr().contiguous().numpy().tobytes()
        yield tensor.q_per_channel_scales().contiguous().numpy().tobytes()
    else:
        yield tensor.detach().contiguous().numpy().tobytes()


def weights_sha256(network: torch.nn.Module) -> str:
    """SHA-256 over the bytes of all tensors in state_dict order."""
    digest = hashlib.sha256()
    for value in network.state_dict().values():
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, torch.Tensor):
                for part in tensor_bytes(item):
                    digest.update(part)
    return digest.hexdigest()


def write_atomically(path: Path, data: bytes) -> None:
    """A reader sees the old file or the new one, never half of one."""
    new = path.with_name(path.name + ".new")
    with open(new, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    os.replace(new, path)


def torchscript(network: torch.nn.Module, metadata: dict) -> bytes:
    scripted = torch.jit.script(network.eval())
    out = io.BytesIO()  # not a path: torch writes the file's name into the archive, and the name is not final yet
    torch.jit.save(scripted, out, _extra_files={"glimpse.json": json.dumps(metadata, ensure_ascii=False, indent=1)})
    return out.getvalue()


def write(
    folder, labels: list, float_network, int8_network, quantization: dict, training: dict, name: str = "demo"
) -> dict:
    """Write the folder, the manifest last, and give the manifest back."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    common = {"format": FORMAT, "name": name, "arch": "mobilenet_v2"}
    files = {}
    for precision, network in (("float", float_network), ("int8", int8_network)):
        metadata = {
            **common,
            "precision": precision,
            "labels": labels,
            "input": INPUT,
            "quantization": quantization if precision == "int8" else None,
            "training": training,
            "weights_sha256": weights_sha256(network),
            "licence": LICENCE,
        }
        data = torchscript(network, metadata)
        write_atomically(folder / f"{precision}.pt", data)
        files[f"{precision}.pt"] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    manifest = {**common, "labels": labels, "licence": LICENCE, "training": training, "files": files}
    write_atomically(folder / "manifest.json", (json.dumps(manifest, ensure_ascii=False, indent=1) + "\n").encode())
    return manifest


def read(folder, precision: str):
    """(module, metadata) of one of the two files; raises ValueError when it is not the one in the manifest."""
    folder = Path(folder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    data = (folder / f"{precision}.pt").read_bytes()
    if hashlib.sha256(data).hexdigest() != manifest["files"][f"{precision}.pt"]["sha256"]:
        raise ValueError(f"{folder / precision}.pt is not the file that manifest.json names")
    extra = {"glimpse.json": ""}
    module = torch.jit.load(io.BytesIO(data), _extra_files=extra).eval()
    return module, json.loads(extra["glimpse.json"])
