"""Rendered pictures for calibrating and measuring, as model_export takes them."""

import torch

from . import network, render


class Rendered:
    """`count` pictures of a seed, drawn anew whenever they are asked for; `kinds`: of background, or those of training."""

    def __init__(self, seed: int, count: int, kinds=None):
        self.seed, self.count = seed, count
        self.options = () if kinds is None else (kinds,)
        self.paths = [f"rendered {seed} {number}" for number in range(count)]

    def __len__(self) -> int:
        return self.count

    def batches(self, size: int):
        """Float [n, 3, 224, 224], normalised, with n up to `size`. A picture depends on its number alone."""
        drawn = (self.draw(number) for number in range(self.count))
        batch = []
        for picture in drawn:
            batch.append(picture)
            if len(batch) == size:
                yield torch.cat(batch)
                batch = []
        if batch:
            yield torch.cat(batch)

    def draw(self, number: int) -> torch.Tensor:
        pictures, _ = render.batch(self.seed, number, 1, network.INPUT_PX, *self.options)
        return network.normalise(torch.from_numpy(pictures))
