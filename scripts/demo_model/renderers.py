"""Worker processes that render the batches of a training run ahead of time, in order."""

import multiprocessing
import os
import queue

from . import render

BATCHES_AHEAD = 4  # of each worker; a full queue makes it wait


def draw(seed: int, steps: list, first: int, stride: int, batches) -> None:
    """A worker: renders every stride-th batch, from the step `first` on, until its parent is gone."""
    parent = os.getppid()
    for index in range(first, len(steps), stride):
        size_px, count = steps[index]
        made = render.batch(seed, index, count, size_px)
        while True:
            try:
                batches.put(made, timeout=5)
                break
            except queue.Full:
                if os.getppid() != parent:
                    batches.cancel_join_thread()  # nobody will read the rest; waiting for that would be for ever
                    return


class Renderers:
    """`next()` gives (pictures, label numbers) of step after step; `steps` is a list of (size_px, batch)."""

    def __init__(self, seed: int, steps: list, first: int, workers: int):
        context = multiprocessing.get_context("spawn")  # fork would copy torch's threads half-way
        self.turn = 0
        self.queues = [context.Queue(maxsize=BATCHES_AHEAD) for _ in range(workers)]
        self.workers = [
            context.Process(target=draw, args=(seed, steps, first + number, workers, batches), daemon=True)
            for number, batches in enumerate(self.queues)
        ]

    def __enter__(self):
        for worker in self.workers:
            worker.start()
        return self

    def __exit__(self, *_) -> None:
        for worker in self.workers:
            worker.terminate()
            worker.join()

    def next(self) -> tuple:
        number = self.turn % len(self.workers)
        self.turn += 1
        while True:
            try:
                return self.queues[number].get(timeout=10)
            except queue.Empty:
                if not self.workers[number].is_alive():
                    raise RuntimeError("a rendering process has ended too early; its error is above") from None
