"""Where the labels of a chart go: beside their dots, on nothing else. In points, y upwards."""

import math
from typing import NamedTuple

GAP = 4  # between a label and its dot
STEPS = 24  # directions
ASKEW = 4  # how many points farther a label may be to sit straight beside, above or below its dot
PASSES = 3  # what was placed first did not know of the rest
# How many points farther from its dot a label may be, rather than
CROSSING = 40  # have a line between two dots run through it,
STRIKING = 200  # or another label's leader, or lie on another label or a dot
OVERLAPPING = 1000


class Box(NamedTuple):
    x0: float
    y0: float
    x1: float
    y1: float

    def overlap(self, other: "Box") -> float:
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.y1, other.y1) - max(self.y0, other.y0)
        return width * height if width > 0 and height > 0 else 0.0

    def inside(self, other: "Box") -> bool:
        return self.x0 >= other.x0 and self.y0 >= other.y0 and self.x1 <= other.x1 and self.y1 <= other.y1

    def nearest(self, x: float, y: float) -> tuple:
        return min(max(x, self.x0), self.x1), min(max(y, self.y0), self.y1)

    def crossed_by(self, start: tuple, end: tuple) -> bool:
        """By a straight line; sampled more closely than a letter is wide."""
        count = max(2, math.ceil(math.dist(start, end) / 3))
        for step in range(count + 1):
            x, y = (a + (b - a) * step / count for a, b in zip(start, end))
            if self.x0 < x < self.x1 and self.y0 < y < self.y1:
                return True
        return False


class Dot(NamedTuple):
    x: float
    y: float
    radius: float

    @property
    def box(self) -> Box:
        return Box(self.x - self.radius, self.y - self.radius, self.x + self.radius, self.y + self.radius)


def candidates(dot: Dot, width: float, height: float, reach: float):
    """(cost of the distance, box) of labels around the dot, the nearest first, on its right before the rest."""
    distance = GAP
    while distance < reach:
        for step in range(STEPS):
            turn = math.tau * ((step + 1) // 2 * (-1) ** step) / STEPS
            x = dot.x + math.cos(turn) * (dot.radius + distance + width / 2)
            y = dot.y + math.sin(turn) * (dot.radius + distance + height / 2)
            box = Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
            away = math.dist(box.nearest(dot.x, dot.y), (dot.x, dot.y)) - dot.radius
            if away >= GAP / 2:
                straight = abs(math.sin(2 * turn)) < 1e-6
                yield away + (0 if straight else ASKEW), box
        distance += 6


def place(dots: list, sizes: list, bounds: Box, lines: list) -> list:
    """For each dot's label a box of its size (width, height). Lines, ((x, y), (x, y)), are avoided where possible."""
    placed: list = [None] * len(dots)
    # From the edges inwards: what has the least room chooses first.
    order = sorted(range(len(dots)), key=lambda i: min(bounds.x1 - dots[i].x, dots[i].x - bounds.x0))
    for _ in range(PASSES):
        for i in order:
            others = [(dots[k], box) for k, box in enumerate(placed) if box and k != i]
            placed[i] = _best(dots[i], sizes[i], dots, others, bounds, lines)
    return placed


def _leader(dot: Dot, box: Box) -> tuple:
    return (dot.x, dot.y), box.nearest(dot.x, dot.y)


def _best(dot: Dot, size: tuple, dots: list, others: list, bounds: Box, lines: list) -> Box:
    """others: dots with labels."""
    best, best_cost = Box(dot.x, dot.y, dot.x + size[0], dot.y + size[1]), math.inf
    leaders = [_leader(*other) for other in others]
    for cost, box in candidates(dot, *size, max(bounds.x1 - bounds.x0, bounds.y1 - bounds.y0)):
        if cost >= best_cost or not box.inside(bounds):
            continue
        overlap = sum(box.overlap(label) for _, label in others) + sum(box.overlap(other.box) for other in dots)
        cost += OVERLAPPING * (overlap > 0) + overlap
        if cost >= best_cost:  # the crossings take the longest to find
            continue
        cost += CROSSING * sum(box.crossed_by(*line) for line in lines)
        leader = _leader(dot, box)
        cost += STRIKING * sum(label.crossed_by(*leader) for _, label in others)
        cost += STRIKING * sum(box.crossed_by(*other) for other in leaders)
        if cost < best_cost:
            best, best_cost = box, cost
    return best
