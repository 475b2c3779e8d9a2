"""What the comparison needs and can make again: a model of random weights, ONNX files, ONNX Runtime from npm.

It lies in $XDG_CACHE_HOME/glimpse/peers, else ~/.cache/glimpse/peers. A folder there is whole: it was made elsewhere. Its name ends
with a hash of what it was made from.
"""

import array
import hashlib
import json
import os
import random
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from model_export.problem import Problem, writing

from .process import Unavailable, run

ROOT = Path(__file__).resolve().parents[3]
EXPORT = ROOT / "scripts" / "export_model.py"
EXPORT_ONNX = ROOT / "tests" / "bench" / "peers" / "export_onnx.py"
ARCH = "mobilenet_v2"
ONNX_RUNTIME = "onnxruntime-node@1.30.0"


@dataclass(frozen=True)
class Model:
    """A model folder of glimpse."""

    folder: Path
    outputs: int
    precisions: tuple


@dataclass(frozen=True)
class Onnx:
    path: Path
    input: Path
    logits: Path | None  # what LibTorch gives for the input, as JSON; None: the weights are others
    for_opencv: Path | None


def _folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "glimpse" / "peers"


def _digest(*paths: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def made(name: str, make) -> Path:
    """The folder of this name, made by make(path) where it is missing."""
    folder = _folder() / name
    if folder.exists():
        return folder
    with writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        making = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
    try:
        stage = making / name
        stage.mkdir()
        make(stage)
        with writing(folder):
            stage.replace(folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return folder


def model(given: Path | None, progress) -> Model:
    folder = given or _random_model(progress)
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        arch, outputs = manifest["arch"], len(manifest["labels"])
        precisions = tuple(name.removesuffix(".pt") for name in manifest["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Problem(f"{folder} is no model folder: {getattr(error, 'strerror', None) or error}") from error
    if arch != ARCH:
        raise Problem(f"{folder} is {arch}; the peers run {ARCH}")
    return Model(folder, outputs, precisions)


def _random_model(progress) -> Path:
    def make(stage: Path) -> None:
        progress.say(f"making a {ARCH} with random weights, half a minute; --model DIR takes one that is there")
        try:
            run([sys.executable, "-B", str(EXPORT), "--arch", ARCH, "--weights", "none", "--out", str(stage)])
        except Unavailable as error:
            raise Problem(f"no model: {error}") from error

    return made(f"{ARCH}-{_digest(EXPORT, *sorted(EXPORT.with_name('model_export').glob('*.py')))}", make)


def onnx(of: Model, precision: str, progress) -> Onnx:
    def make(stage: Path) -> None:
        progress.say(f"writing the {precision} model as ONNX")
        run([sys.executable, "-B", str(EXPORT_ONNX), str(of.folder), precision, str(stage)])

    sources = of.folder / "manifest.json", EXPORT_ONNX, EXPORT_ONNX.with_name("qdq.py")
    folder = made(f"onnx-{precision}-{_digest(*sources)}", make)
    names = (f"{precision}.onnx", "input.f32", f"{precision}.json", f"{precision}_opset10.onnx")
    return Onnx(*(folder / name for name in names))


def onnx_of_the_user(path: Path) -> Onnx:
    def make(stage: Path) -> None:
        values = random.Random(1)
        with open(stage / "input.f32", "wb") as out:
            array.array("f", (values.uniform(-2, 2) for _ in range(3 * 224 * 224))).tofile(out)

    return Onnx(path, made("input", make) / "input.f32", None, None)


def onnx_runtime(progress) -> Path:
    """The folder that Node finds it in."""
    if not shutil.which("node"):
        raise Unavailable("no node here: apt install nodejs npm")

    def make(stage: Path) -> None:
        if not shutil.which("npm"):
            raise Unavailable("no npm here: apt install npm")
        progress.say(f"fetching {ONNX_RUNTIME} from npm, 300 MB on the disk")
        # Its install script would fetch CUDA's libraries.
        try:
            run(["npm", "install", "--prefix", str(stage), "--ignore-scripts", "--no-audit", "--no-fund", ONNX_RUNTIME])
        except Unavailable as error:
            raise Unavailable(f"npm cannot fetch it; npm view {ONNX_RUNTIME} says more") from error

    return made(ONNX_RUNTIME, make) / "node_modules"
