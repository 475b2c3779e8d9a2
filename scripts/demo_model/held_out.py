"""The pictures that measure a model: kinds of background never used in training, and a seed of their own."""

from . import backgrounds, render

BATCH = 25


def held_out_pictures(count: int, seed: int, size_px: int = 224):
    """(pictures uint8 [n, size, size, 3], label numbers [n]) in batches, `count` in all; the same for the same seed."""
    for at in range(0, count, BATCH):
        yield render.batch(seed, at, min(BATCH, count - at), size_px, backgrounds.HELD_OUT)
