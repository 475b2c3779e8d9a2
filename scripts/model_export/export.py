"""From a float network to a model folder: calibrate, perhaps train, convert, measure, write."""

import hashlib
import math
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from . import package, report
from .architectures import InputSpec
from .calibrate import BATCH, answers, calibrate, divergence
from .distill import Training, distill
from .graph import NotQuantizable
from .problem import USAGE, Problem
from .student import Student, choose_engine

SEED = 1
CHECKPOINT = "qat.checkpoint"
MEASURED_PICTURES = 32  # for the error of each layer


@dataclass(frozen=True)
class Request:
    """What is to become a model folder."""

    network: torch.nn.Module  # float, eval mode
    arch: str
    spec: InputSpec
    labels: list
    about: dict  # "licence", "weights" and perhaps "training", for the manifest
    folder: Path
    method: str  # ptq, qat or none
    epochs: int = 0
    resume: bool = False


def identity(request: Request, pictures, held_back) -> str:
    """Differs where going on with a training that was cut off would mix two of them."""
    digest = hashlib.sha256(package.weights_sha256(request.network).encode())
    classes = None if pictures.classes is None else pictures.classes.tolist()
    paths = [str(path) for path in (*pictures.paths, *held_back.paths)]
    digest.update(repr((request.epochs, request.spec, paths, classes)).encode())
    return digest.hexdigest()


def train(request: Request, student: Student, pictures, held_back, progress) -> list:
    training = Training(
        student,
        request.epochs,
        math.ceil(len(pictures) / BATCH),
        request.folder / CHECKPOINT,
        identity(request, pictures, held_back),
    )
    if request.resume:
        training.resume()
        progress.say(f"going on after epoch {training.history[-1].number}")
    return distill(training, request.network, pictures, held_back, SEED, progress)


def measure(request: Request, student: Student, int8_network, calibration, held_back) -> dict:
    expected = answers(request.network, held_back.batches(1)) if len(held_back) else torch.zeros(0, 1)
    found = answers(int8_network, held_back.batches(1)) if len(held_back) else expected
    batches = [batch for batch, _ in zip(calibration.batches(BATCH), range(MEASURED_PICTURES // BATCH))]
    return {
        "calibration_pictures": len(calibration),
        "held_back": len(held_back),
        "agreement": float((found.argmax(1) == expected.argmax(1)).float().mean()) if len(held_back) else None,
        "divergence": divergence(expected, found) if len(held_back) else None,
        "layers": report.layer_errors(student, batches),
        "float_operators": report.left_in_float(int8_network, batches[0][:1]),
    }


def quantize(request: Request, calibration, held_back, training_pictures, progress) -> tuple:
    """(int8 network, what was done and found). Raises NotQuantizable."""
    student = Student(request.network, request.spec)
    steps, epochs = calibrate(student, calibration, progress), []
    if request.method == "qat":
        student.converted()  # what cannot be converted is told before the training, not after it
        epochs = train(request, student, training_pictures, held_back, progress)
    progress.say("converting to int8 and measuring")
    int8_network = student.converted()
    done = {
        "method": request.method,
        "weights": "per-channel symmetric int8",
        "activations": "per-tensor uint8",
        "torch": torch.__version__,
        **student.scales(),
        "steps": [asdict(step) for step in steps],
        "epochs": [asdict(epoch) for epoch in epochs],
    }
    return int8_network, {**done, **measure(request, student, int8_network, calibration, held_back)}


def check(request: Request, held_back) -> None:
    """What would fail after minutes fails now."""
    package.check_folder(request.folder)
    if request.method == "qat" and not len(held_back):
        raise Problem("--method qat needs two pictures or more, since a fifth of them is held back")
    size_px = request.spec.size_px
    try:
        answers(request.network, [torch.zeros(1, 3, size_px, size_px)])
    except RuntimeError as error:
        raise Problem(f"{request.arch} cannot take {size_px} px: {str(error).splitlines()[0]}", USAGE) from error


def export(request: Request, calibration, held_back, training_pictures, progress) -> dict:
    """Writes the folder; gives what report.table() shows and --json prints. `calibration`...: as Pictures of pictures.py."""
    check(request, held_back)
    choose_engine()
    networks, quantization, reason = {"float": request.network}, None, None
    if request.method != "none":
        try:
            networks["int8"], quantization = quantize(request, calibration, held_back, training_pictures, progress)
        except NotQuantizable as error:
            reason = str(error)
    name = request.folder.resolve().name
    manifest = package.write(
        request.folder, name, request.arch, request.spec, request.labels, networks, request.about, quantization
    )
    if request.method == "qat":
        (request.folder / CHECKPOINT).unlink(missing_ok=True)  # not before: a full disk must not cost the training
    return {
        "folder": str(request.folder),
        "name": name,
        "arch": request.arch,
        "outputs": len(request.labels),
        "quantization": quantization,
        "not_quantized": reason,
        "files": manifest["files"],
    }
