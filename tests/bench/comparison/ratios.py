"""What the figures of two programs from the same rounds say of each other.

The ratio is taken within each round, since a shared machine's speed changes from minute to minute, and what is told of the
rounds is their median, smallest and largest.
"""

import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Bound:
    """What the project wants of the median ratio."""

    limit: float
    at_most: bool  # else at least

    def met_by(self, ratio: float) -> bool:
        return ratio <= self.limit if self.at_most else ratio >= self.limit

    def __str__(self) -> str:
        return f"<= {self.limit:.2f}" if self.at_most else f">= {self.limit:g}"


@dataclass(frozen=True)
class Round:
    ours: dict  # backend of glimpse: its figure, in ms or fps
    theirs: float


@dataclass(frozen=True)
class Ratio:
    """Ours to theirs."""

    backend: str  # that of glimpse
    ours: float  # medians
    theirs: float
    median: float
    low: float
    high: float
    rounds: list  # of (ours, theirs)


def fastest(rounds: list, less_is_better: bool) -> str:
    """The backend with the best median over all rounds: the best of each round would be ours by luck."""
    everywhere = [name for name in rounds[0].ours if all(name in each.ours for each in rounds)]
    medians = {name: statistics.median(each.ours[name] for each in rounds) for name in everywhere}
    return (min if less_is_better else max)(medians, key=medians.get)


def ratio(rounds: list, less_is_better: bool) -> Ratio:
    backend = fastest(rounds, less_is_better)
    pairs = [(each.ours[backend], each.theirs) for each in rounds]
    ratios = [ours / theirs for ours, theirs in pairs]
    ours, theirs = (statistics.median(side) for side in zip(*pairs))
    return Ratio(backend, ours, theirs, statistics.median(ratios), min(ratios), max(ratios), pairs)
