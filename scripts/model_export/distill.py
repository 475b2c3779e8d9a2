"""Quantization-aware training: the student feels the rounding of int8 and learns to give the float network's answers.

The float network is the teacher, so pictures need no labels (Hinton et al. 2015, temperature 1); with labels their cross
entropy counts as much. Batch normalisation is already folded, so nothing of it can drift. What learns: the weights, the
biases, and the scale of each range that is not fixed (Esser et al. 2020). Gradients pass the rounding as if it were not there.
"""

import io
import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch.nn import functional as F

from .calibrate import BATCH, answers, divergence
from .package import write_all_or_nothing
from .problem import Problem
from .student import Student

# Adam's steps at the peak of their cycle. A weight moves by far less than its rounding in one step; a bias costs nothing.
WEIGHT_RATE, BIAS_RATE = 1e-5, 1e-4
SCALE_RATE = 3e-3  # of the scale itself
PATIENCE_EPOCHS = 3  # without a better divergence on the pictures held back


@dataclass(frozen=True)
class Epoch:
    number: int  # 0: as calibrated
    divergence: float  # nats, on the pictures held back
    agreement: float  # same top-1 as float there, 0 to 1


def parameter_groups(student: Student) -> list:
    groups = []
    for layer in student.layers.values():
        groups.append({"params": [layer.weight], "peak": WEIGHT_RATE})
        if layer.bias is not None:
            groups.append({"params": [layer.bias], "peak": BIAS_RATE})
    for module in student.activations:
        if module.fixed is None:
            module.scale.requires_grad_(True)
            groups.append({"params": [module.scale], "peak": SCALE_RATE * float(module.scale)})
    return groups


class Training:
    """The student, its optimizer, its best state so far and how it came there."""

    def __init__(self, student: Student, epochs: int, steps_per_epoch: int, file: Path, identity: str):
        self.student, self.epochs, self.file, self.identity = student, epochs, file, identity
        self.step, self.steps = 0, epochs * steps_per_epoch
        self.history, self.best = [], None
        self.optimizer = torch.optim.Adam(parameter_groups(student), lr=0.0)

    def best_epoch(self) -> Epoch:
        return min(self.history, key=lambda epoch: epoch.divergence)

    def judge(self, expected: torch.Tensor, held_back) -> Epoch:
        self.student.simulate(True)
        found = answers(self.student, held_back.batches(BATCH))
        agreement = float((found.argmax(1) == expected.argmax(1)).float().mean())
        self.history.append(Epoch(len(self.history), divergence(expected, found), agreement))
        if self.best_epoch() is self.history[-1]:
            self.best = {key: value.clone() for key, value in self.student.state_dict().items()}
        return self.history[-1]

    def is_over(self) -> bool:
        number = self.history[-1].number
        return number >= self.epochs or number - self.best_epoch().number >= PATIENCE_EPOCHS

    def learn(self, loss: torch.Tensor) -> None:
        """The rate goes up over the first tenth of all steps, then down along a cosine."""
        share = self.step / self.steps
        cycle = share / 0.1 if share < 0.1 else 0.5 * (1 + math.cos(math.pi * (share - 0.1) / 0.9))
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * cycle
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.step += 1

    def save(self) -> None:
        """All but tensors as text: what loads weights alone in torch 1.13 takes no floating-point number."""
        state = {
            "identity": self.identity,
            "student": self.student.state_dict(),
            "best": self.best,
            "optimizer": self.optimizer.state_dict()["state"],
            "step": self.step,
            "history": json.dumps([asdict(epoch) for epoch in self.history]),
        }
        out = io.BytesIO()  # not a path: torch aborts the program when the disk is full
        torch.save(state, out)
        write_all_or_nothing(self.file.parent, {self.file.name: out.getvalue()})

    def resume(self) -> None:
        if not self.file.is_file():
            raise Problem(f"--resume: there is no {self.file} to go on from")
        try:
            state = torch.load(self.file, weights_only=True)
            identity = state["identity"]
        except Exception as error:  # cut short, or not ours
            raise Problem(f"--resume: {self.file} is damaged; remove it and leave --resume out") from error
        if identity != self.identity:
            raise Problem(f"--resume: {self.file} is of another network, other pictures or other --epochs; remove it")
        self.student.load_state_dict(state["student"])
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": state["optimizer"]})
        self.best, self.step = state["best"], state["step"]
        self.history = [Epoch(**epoch) for epoch in json.loads(state["history"])]


def loss_of(found: torch.Tensor, expected: torch.Tensor, classes) -> torch.Tensor:
    loss = F.kl_div(found.log_softmax(1), expected.log_softmax(1), log_target=True, reduction="batchmean")
    return loss if classes is None else loss + F.cross_entropy(found, classes)


def distill(training: Training, teacher, pictures, held_back, seed: int, progress) -> list:
    """Leaves the student in its best state; gives all epochs. `training` saves after each."""
    expected = answers(teacher, held_back.batches(BATCH))
    # A quarter faster than planes on oneDNN; and rounded otherwise, so that all epochs are judged in it.
    training.student.to(memory_format=torch.channels_last)
    if not training.history:
        training.judge(expected, held_back)
    started, first = time.monotonic(), training.step
    while not training.is_over():
        number = training.history[-1].number + 1
        training.student.simulate(True)
        for batch, numbers in pictures.augmented(BATCH, seed + number):
            with torch.no_grad():
                wanted = teacher(batch)
            batch = batch.contiguous(memory_format=torch.channels_last)
            classes = None if pictures.classes is None else pictures.classes[numbers]
            training.learn(loss_of(training.student(batch), wanted, classes))
            left_s = (time.monotonic() - started) / (training.step - first) * (training.steps - training.step)
            progress.now(f"epoch {number}: step {training.step} of {training.steps}, at most {left_s / 60:.1f} min left")
        epoch = training.judge(expected, held_back)
        training.save()
        progress.say(
            f"epoch {number} of {training.epochs}: divergence {epoch.divergence:.4f} nats, "
            f"agreement {100 * epoch.agreement:.1f} % on {len(held_back)} pictures held back"
        )
    training.student.to(memory_format=torch.contiguous_format)
    training.student.load_state_dict(training.best)
    return training.history
