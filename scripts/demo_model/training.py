"""The training loop: growing resolution, SGD with one cycle of the learning rate, pictures from worker processes.

A picture depends on (seed, batch number) alone, so a resumed run goes on exactly where the checkpoint was written.
"""

import ctypes
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from . import backgrounds, network, render
from .renderers import Renderers
from .things import LABELS

WATCH_SEED = 990_001  # pictures of the held-out kinds, watched during training and never learnt from
WATCH_PICTURES = 200
SETTLING_SEED, SETTLING_BATCHES = 3_000_000, 60


@dataclass(frozen=True)
class Stage:
    size_px: int
    pictures: int
    batch: int


@dataclass(frozen=True)
class Settings:
    stages: tuple
    seed: int
    threads: int
    peak_rate: float
    workers: int = 2
    momentum: float = 0.9
    weight_decay: float = 5e-5
    smoothing: float = 0.1
    memory: float = 0.995  # of the averaged weights: about the last 200 steps
    checkpoint_every_s: float = 120.0
    report_every_s: float = 15.0


def plan(stages) -> list:
    """(size_px, batch) for each step."""
    return [(stage.size_px, stage.batch) for stage in stages for _ in range(math.ceil(stage.pictures / stage.batch))]


def rate_at(share: float, peak: float) -> float:
    """One cycle: up over the first 12 %, then down along a cosine to almost nothing."""
    if share < 0.12:
        return peak * (0.04 + 0.96 * share / 0.12)
    return peak * (0.5 * (1 + math.cos(math.pi * (share - 0.12) / 0.88)) + 1e-4)


def keep_freed_memory() -> None:
    """Tell glibc to keep what tensors give back: asking the kernel for it at every step costs a third of the speed."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        trim_threshold, mmap_max = -1, -4
        libc.mallopt(mmap_max, 0)
        libc.mallopt(trim_threshold, 2**31 - 1)


class Progress:
    """Loss, accuracy and speed since the last line, and the time that is left."""

    def __init__(self, steps: list, first: int, every_s: float):
        self.cost = [size_px * size_px * batch for size_px, batch in steps]  # work grows with the area
        self.total = sum(batch for _, batch in steps)
        self.every_s = every_s
        self.cost_before, self.done_cost, self.cost_here = sum(self.cost[:first]), 0, sum(self.cost[first:])
        self.started = time.monotonic()
        self.clear()

    def clear(self) -> None:
        self.since, self.pictures, self.right, self.loss = time.monotonic(), 0, 0, 0.0

    def share(self) -> float:
        """How much of the work is done, 0 to 1. Not of the pictures: the few large ones need their part of the cycle."""
        return (self.cost_before + self.done_cost) / (self.cost_before + self.cost_here)

    def add(self, step: int, size_px: int, done: int, loss: float, right: int, count: int) -> None:
        self.done_cost += self.cost[step]
        self.pictures += count
        self.right += right
        self.loss += loss * count
        now = time.monotonic()
        if now - self.since < self.every_s and done < self.total:
            return
        left_s = (now - self.started) / self.done_cost * (self.cost_here - self.done_cost)
        print(
            f"{size_px:3d} px  {done:6d}/{self.total} pictures  {self.pictures / (now - self.since):5.1f}/s  "
            f"loss {self.loss / self.pictures:.3f}  top-1 {100 * self.right / self.pictures:5.1f} %  "
            f"{left_s / 60:4.1f} min left",
            flush=True,
        )
        self.clear()


class Trainer:
    """The network, its optimizer and how far they have come."""

    def __init__(self, settings: Settings, work: Path):
        self.settings = settings
        self.checkpoint = work / "checkpoint.pt"
        self.steps = plan(settings.stages)
        self.first = 0
        self.seconds_before = 0.0
        self.started = time.monotonic()
        self.watched_px, self.watched = None, None
        torch.manual_seed(settings.seed)
        # Channels last: a quarter faster than planes on oneDNN.
        self.model = network.build(len(LABELS)).to(memory_format=torch.channels_last)
        weights = [p for p in self.model.parameters() if p.dim() > 1]
        others = [p for p in self.model.parameters() if p.dim() <= 1]  # decay only hurts biases and batch norm
        groups = [{"params": weights, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}]
        self.optimizer = torch.optim.SGD(groups, lr=0.0, momentum=settings.momentum, nesterov=True)
        self.average = {name: p.detach().clone() for name, p in self.model.named_parameters()}
        self.loss_of = torch.nn.CrossEntropyLoss(label_smoothing=settings.smoothing)

    def seconds(self) -> float:
        return self.seconds_before + time.monotonic() - self.started

    def resume(self) -> None:
        if not self.checkpoint.is_file():
            return
        state = torch.load(self.checkpoint)
        done = state["step"]  # the steps to come may have been changed, to train longer
        same = state["plan"][:done] == self.steps[:done] and state["seed"] == self.settings.seed
        if not same or state["labels"] != LABELS:
            raise ValueError(f"{self.checkpoint} is of another run; use another --work, or leave --resume out")
        self.model.load_state_dict(state["model"])
        self.average = state["average"]
        self.optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"])
        self.first, self.seconds_before = state["step"], state["seconds"]
        print(f"resumed at step {self.first} of {len(self.steps)}", flush=True)

    def save(self, step: int) -> None:
        state = {
            "model": self.model.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
            "random": torch.get_rng_state(),
            "step": step,
            "seconds": self.seconds(),
            "plan": self.steps,
            "seed": self.settings.seed,
            "labels": LABELS,
        }
        new = self.checkpoint.with_suffix(".new")
        torch.save(state, new)
        os.replace(new, self.checkpoint)

    def learn(self, pictures: torch.Tensor, numbers: torch.Tensor, rate: float, step: int) -> tuple:
        """One step; gives the loss and the number of right answers before it."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.model.train()
        output = self.model(network.normalise(pictures))
        loss = self.loss_of(output, numbers)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        memory = min(self.settings.memory, (1 + step) / (10 + step))  # the first weights are random: forget them soon
        with torch.no_grad():
            for name, parameter in self.model.named_parameters():
                self.average[name].lerp_(parameter, 1 - memory)
        return float(loss), int((output.detach().argmax(1) == numbers).sum())

    def watch(self, size_px: int) -> float:
        """Top-1 on a few pictures of the held-out kinds, at the size of the hour."""
        if self.watched_px != size_px:
            self.watched_px = size_px
            self.watched = render.batch(WATCH_SEED, size_px, WATCH_PICTURES, size_px, backgrounds.HELD_OUT)
        pictures, numbers = map(torch.from_numpy, self.watched)
        self.model.eval()
        with torch.no_grad():
            found = torch.cat([self.model(network.normalise(part)).argmax(1) for part in pictures.split(40)])
        return float((found == numbers).float().mean())

    def averaged(self):
        """The network with its weights averaged over the last steps, which wander less than those of any one step."""
        with torch.no_grad():
            for name, parameter in self.model.named_parameters():
                parameter.copy_(self.average[name])
        settle_batch_norm(self.model, self.settings.seed, network.INPUT_PX)
        return self.model.to(memory_format=torch.contiguous_format)

    def run(self) -> None:
        settings, steps = self.settings, self.steps
        progress = Progress(steps, self.first, settings.report_every_s)
        done = sum(batch for _, batch in steps[: self.first])
        saved = time.monotonic()
        with Renderers(settings.seed, steps, self.first, settings.workers) as renderers:
            for step in range(self.first, len(steps)):
                size_px, batch = steps[step]
                pictures, numbers = map(torch.from_numpy, renderers.next())
                loss, right = self.learn(pictures, numbers, rate_at(progress.share(), settings.peak_rate), step)
                done += batch
                progress.add(step, size_px, done, loss, right, batch)
                if time.monotonic() - saved >= settings.checkpoint_every_s:
                    self.save(step + 1)
                    top1 = self.watch(size_px)
                    print(f"        held-out kinds at {size_px} px: top-1 {100 * top1:.1f} %  (checkpoint)", flush=True)
                    saved = time.monotonic()
        self.save(len(steps))


def settle_batch_norm(model, seed: int, size_px: int) -> None:
    """Measure means and variances again, over many pictures: the running ones are a noisy memory of the last few batches."""
    layers = [layer for layer in model.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the plain average
    model.train()
    with torch.no_grad():
        for index in range(SETTLING_BATCHES):
            model(network.normalise(torch.from_numpy(render.batch(seed + SETTLING_SEED, index, 32, size_px)[0])))
    model.eval()
    for layer in layers:
        layer.momentum = 0.1  # as torch and the networks that others export have it


def train(settings: Settings, work: Path, resume: bool) -> tuple:
    """The trained network (eval mode) and its figures: {"pictures", "seed", "minutes", "stages"}."""
    keep_freed_memory()
    work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(settings.threads)
    trainer = Trainer(settings, work)
    if resume:
        trainer.resume()
    trainer.run()
    print("settling batch normalisation", flush=True)
    model = trainer.averaged()
    return model, {
        "pictures": sum(batch for _, batch in trainer.steps),
        "seed": settings.seed,
        "minutes": round(trainer.seconds() / 60, 1),
        "stages": [[stage.size_px, stage.pictures] for stage in settings.stages],
    }
