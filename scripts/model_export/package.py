"""Write and read a model folder: float.pt, int8.pt and manifest.json (see models/README.md)."""

import hashlib
import io
import json
import os
from pathlib import Path

import torch

from .architectures import InputSpec
from .problem import CANNOT_WRITE, Problem, writing

FORMAT = "glimpse-model/1"


def input_of(spec: InputSpec) -> dict:
    return {
        "width": spec.size_px,
        "height": spec.size_px,
        "resize": spec.resize_px,
        "interpolation": spec.interpolation,
        "antialias": True,
        "colour": "RGB",
        "mean": list(spec.mean),
        "std": list(spec.std),
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


def torchscript(network: torch.nn.Module, spec: InputSpec, metadata: dict) -> bytes:
    """Traced and frozen: one graph without Python's modules, batch normalisation folded, a tenth smaller."""
    example = torch.zeros(1, 3, spec.size_px, spec.size_px)
    with torch.no_grad():
        frozen = torch.jit.freeze(torch.jit.trace(network.eval(), example, check_trace=False))
    out = io.BytesIO()  # not a path: torch writes the file's name into the archive, and the name is not final yet
    torch.jit.save(frozen, out, _extra_files={"glimpse.json": json.dumps(metadata, ensure_ascii=False, indent=1)})
    return out.getvalue()


def check_folder(folder: Path) -> None:
    """Whether the folder can be written, or be made where there is none yet."""
    nearest = next(path for path in (folder.resolve(), *folder.resolve().parents) if path.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise Problem(f"cannot write {folder}: {nearest} is no folder that you may write to", CANNOT_WRITE)


def write_all_or_nothing(folder: Path, contents: dict) -> None:
    """All files under other names first; only when there was room for the last of them does any take its place."""
    new = {name: folder / f".{name}.new" for name in contents}
    there_before = folder.exists()
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        for name, data in contents.items():
            with writing(folder / name), open(new[name], "wb") as out:
                out.write(data)
                out.flush()
                os.fsync(out.fileno())
        for name, path in new.items():
            with writing(folder / name):
                os.replace(path, folder / name)
    except BaseException:
        for path in new.values():
            path.unlink(missing_ok=True)
        if not there_before and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
        raise


def write(folder, name: str, arch: str, spec: InputSpec, labels: list, networks: dict, about: dict, quantization) -> dict:
    """Write the folder and give its manifest. networks: "float" and perhaps "int8"; about: "licence", "weights", "training"."""
    folder = Path(folder)
    common = {"format": FORMAT, "name": name, "arch": arch, "labels": labels}
    contents, files = {}, {}
    for precision, network in networks.items():
        metadata = {
            **common,
            "precision": precision,
            "input": input_of(spec),
            "quantization": quantization if precision == "int8" else None,
            "weights_sha256": weights_sha256(network),
            **about,
        }
        data = torchscript(network, spec, metadata)
        contents[f"{precision}.pt"] = data
        files[f"{precision}.pt"] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    manifest = {**common, **about, "files": files}
    contents["manifest.json"] = (json.dumps(manifest, ensure_ascii=False, indent=1) + "\n").encode()
    write_all_or_nothing(folder, contents)
    if "int8" not in networks:
        (folder / "int8.pt").unlink(missing_ok=True)  # of an earlier export: it belongs to other weights
    return manifest


def read(folder, precision: str):
    """(module, metadata) of one of the two files; Problem when it is not the one in the manifest."""
    folder = Path(folder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    data = (folder / f"{precision}.pt").read_bytes()
    if hashlib.sha256(data).hexdigest() != manifest["files"][f"{precision}.pt"]["sha256"]:
        raise Problem(f"{folder / precision}.pt is not the file that manifest.json names")
    extra = {"glimpse.json": ""}
    module = torch.jit.load(io.BytesIO(data), _extra_files=extra).eval()
    return module, json.loads(extra["glimpse.json"])
