"""Procedural backgrounds: float32 RGB 0..1 [size, size, 3]. TRAINING and HELD_OUT have no kind in common."""

import cv2
import numpy as np


def colours(rng, count: int) -> np.ndarray:
    """Unrelated colours, or shades of one, or greys: rooms are duller than random numbers."""
    kind = rng.random()
    if kind < 0.45:
        return rng.random((count, 3), dtype=np.float32)
    base = rng.random(3) if kind < 0.85 else np.full(3, rng.random())
    return np.clip(base + rng.normal(0, rng.uniform(0.03, 0.25), (count, 3)), 0, 1).astype(np.float32)


def grid(size):
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    return x, y


def turned(rng, size):
    """Coordinates along and across a random direction."""
    x, y = grid(size)
    angle = rng.uniform(0, 2 * np.pi)
    return x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)


def mix(a, b, share):
    return a + (b - a) * share[..., None]


def plain(rng, size):
    level = rng.random()
    colour = (
        colours(rng, 1)[0]
        if level < 0.6
        else np.full(3, 1.0 if level < 0.75 else (0.0 if level < 0.85 else rng.random()))
    )
    return np.full((size, size, 3), colour, np.float32)


def gradient(rng, size):
    along, _ = turned(rng, size)
    share = (along - along.min()) / (along.max() - along.min())
    a, b, c = colours(rng, 3)
    picture = mix(a, b, share)
    return mix(picture, c, np.clip(share * 2 - 1, 0, 1)) if rng.random() < 0.4 else picture


def radial(rng, size):
    x, y = grid(size)
    cx, cy = rng.uniform(0, 1, 2)
    a, b = colours(rng, 2)
    return mix(a, b, np.clip(np.hypot(x - cx, y - cy) / rng.uniform(0.3, 1.3), 0, 1))


def noise_field(rng, size, coarsest, octaves):
    field = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        cells = max(2, min(size, coarsest * 2**octave))
        field += (
            cv2.resize(rng.random((cells, cells), dtype=np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
            * 0.5**octave
        )
    field -= field.min()
    return field / max(float(field.max()), 1e-6)


def clouds(rng, size):
    a, b = colours(rng, 2)
    return mix(a, b, noise_field(rng, size, int(rng.integers(2, 7)), int(rng.integers(1, 6))))


def colour_noise(rng, size):
    cells = int(rng.integers(3, 28))
    picture = cv2.resize(
        colours(rng, cells * cells).reshape(cells, cells, 3),
        (size, size),
        interpolation=int(rng.choice([cv2.INTER_CUBIC, cv2.INTER_NEAREST, cv2.INTER_LINEAR])),
    )
    return np.clip(picture, 0, 1)


def stripes(rng, size):
    along, _ = turned(rng, size)
    wave = np.sin(along * 2 * np.pi * rng.uniform(1.5, 16) + rng.uniform(0, 6))
    a, b = colours(rng, 2)
    return mix(a, b, np.clip(wave * rng.uniform(0.5, 8) + 0.5, 0, 1))


def checks(rng, size):
    along, across = turned(rng, size)
    cells = rng.uniform(2, 12)
    a, b = colours(rng, 2)
    return mix(a, b, ((np.floor(along * cells) + np.floor(across * cells)) % 2).astype(np.float32))


def bricks(rng, size):
    x, y = turned(rng, size) if rng.random() < 0.3 else grid(size)
    rows = rng.uniform(3, 14)
    row = np.floor(y * rows)
    column_place = x * rows / rng.uniform(1.2, 3) + 0.5 * (row % 2)
    joint = rng.uniform(0.04, 0.15)
    inside = ((y * rows) % 1 > joint) & (column_place % 1 > joint / 2)
    a, b = colours(rng, 2)
    return np.clip(mix(a, b, inside.astype(np.float32)) + 0.15 * (noise_field(rng, size, 8, 3)[..., None] - 0.5), 0, 1)


def blobs(rng, size):
    picture = plain(rng, size)
    for colour in colours(rng, int(rng.integers(3, 30))):
        centre = tuple(int(v) for v in rng.integers(0, size, 2))
        axes = tuple(int(v) for v in rng.integers(size // 40 + 1, size // 4, 2))
        cv2.ellipse(picture, centre, axes, float(rng.uniform(0, 180)), 0, 360, colour.tolist(), -1, cv2.LINE_AA)
    return cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.5, size / 20)) if rng.random() < 0.4 else picture


def polygons(rng, size):
    picture = gradient(rng, size)
    for colour in colours(rng, int(rng.integers(2, 18))):
        centre = rng.uniform(0, size, 2)
        points = centre + rng.normal(0, size * rng.uniform(0.05, 0.35), (int(rng.integers(3, 7)), 2))
        cv2.fillPoly(picture, [points.astype(np.int32)], colour.tolist(), cv2.LINE_AA)
    return picture


def lines(rng, size):
    picture = gradient(rng, size)
    for colour in colours(rng, int(rng.integers(4, 50))):
        a, b = rng.integers(-size // 4, size * 5 // 4, (2, 2)).tolist()
        cv2.line(picture, a, b, colour.tolist(), int(rng.integers(1, max(2, size // 14) + 1)), cv2.LINE_AA)
    return picture


def room(rng, size):
    """A wall, a floor and a few upright boxes: what stands behind a thing on a table."""
    wall, floor, *others = colours(rng, 8)
    picture = np.full((size, size, 3), wall, np.float32)
    horizon = int(size * rng.uniform(0.35, 0.9))
    for colour in others[: int(rng.integers(0, 6))]:
        left, width, high = (size * rng.uniform(-0.1, 1), size * rng.uniform(0.05, 0.4), size * rng.uniform(0.1, 0.8))
        cv2.rectangle(picture, (int(left), int(horizon - high)), (int(left + width), horizon), colour.tolist(), -1)
    picture[horizon:] = floor
    picture *= (1 - 0.4 * rng.random() * noise_field(rng, size, 2, 4))[..., None]
    return cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, size / 30)) if rng.random() < 0.6 else picture


def fabric(rng, size):
    """Fine regular texture with uneven light."""
    along, across = turned(rng, size)
    fine = rng.uniform(10, 45)
    weave = np.sin(along * 2 * np.pi * fine) * np.sin(across * 2 * np.pi * fine * rng.uniform(0.5, 2))
    a, b = colours(rng, 2)
    return np.clip(mix(a, b, noise_field(rng, size, 2, 2)) + rng.uniform(0.03, 0.2) * weave[..., None], 0, 1)


def grain(rng, size):
    """Coarse pixel noise over a colour: sand, carpet, a bad sensor."""
    cells = int(rng.integers(max(8, size // 8), size + 1))
    field = cv2.resize(
        rng.normal(0, rng.uniform(0.05, 0.35), (cells, cells, 3 if rng.random() < 0.5 else 1)).astype(np.float32),
        (size, size),
    )
    return np.clip(clouds(rng, size) * 0.6 + 0.2 + field.reshape(size, size, -1), 0, 1).astype(np.float32)


def mosaic(rng, size):
    """Rectangles cut in two again and again: windows, shelves, house fronts."""
    picture = np.empty((size, size, 3), np.float32)
    palette = colours(rng, int(rng.integers(2, 9)))
    smallest = size * rng.uniform(0.04, 0.25)
    left_to_cut = [(0, 0, size, size)]
    while left_to_cut:
        x, y, width, height = left_to_cut.pop()
        if max(width, height) > 2 * smallest and (width * height > size * size / 4 or rng.random() < 0.85):
            share = rng.uniform(0.3, 0.7)
            if width >= height:
                cut = int(width * share)
                left_to_cut += [(x, y, cut, height), (x + cut, y, width - cut, height)]
            else:
                cut = int(height * share)
                left_to_cut += [(x, y, width, cut), (x, y + cut, width, height - cut)]
        else:
            picture[y : y + height, x : x + width] = palette[rng.integers(len(palette))]
    return picture


def facets(rng, size):
    """Triangles of a bent grid, each of one colour."""
    cells = int(rng.integers(2, 10))
    step = size / cells
    y, x = np.mgrid[0 : cells + 1, 0 : cells + 1] * step
    corners = np.stack([x, y], -1) + rng.uniform(-0.4, 0.4, (cells + 1, cells + 1, 2)) * step
    corners[[0, -1], :, 1], corners[:, [0, -1], 0] = [[-1], [size]], [-1, size]
    corners = corners.astype(np.int32)
    picture = np.zeros((size, size, 3), np.float32)
    for row in range(cells):
        for column in range(cells):
            square = corners[[row, row, row + 1, row + 1], [column, column + 1, column + 1, column]]
            if rng.random() < 0.5:
                square = np.roll(square, 1, axis=0)
            for part, colour in zip(([0, 1, 2], [0, 2, 3]), colours(rng, 2)):
                cv2.fillPoly(picture, [square[part]], colour.tolist())
    return picture


def dots(rng, size):
    """A regular pattern of discs, as on paper and cloth."""
    along, across = turned(rng, size)
    cells = rng.uniform(3, 20)
    radius = rng.uniform(0.12, 0.48)
    distance = np.hypot((along * cells) % 1 - 0.5, (across * cells) % 1 - 0.5)
    ground = gradient(rng, size) if rng.random() < 0.4 else plain(rng, size)
    return mix(ground, colours(rng, 1)[0], np.clip((radius - distance) * rng.uniform(4, 30) + 0.5, 0, 1))


def rings(rng, size):
    """Circles about one point: plates, targets, ripples."""
    x, y = grid(size)
    cx, cy = rng.uniform(-0.2, 1.2, 2)
    wave = np.sin(np.hypot(x - cx, (y - cy) * rng.uniform(0.5, 2)) * 2 * np.pi * rng.uniform(2, 14))
    a, b = colours(rng, 2)
    return mix(a, b, np.clip(wave * rng.uniform(0.5, 6) + 0.5, 0, 1))


def writing(rng, size):
    """Lines of text, large and small: paper, posters, screens."""
    picture = plain(rng, size) if rng.random() < 0.7 else gradient(rng, size)
    for colour in colours(rng, int(rng.integers(3, 20))):
        text = "".join(chr(int(code)) for code in rng.integers(33, 126, int(rng.integers(2, 16))))
        place = (int(rng.integers(-size // 4, size)), int(rng.integers(0, size * 11 // 10)))
        scale = size / 224 * rng.uniform(0.3, 3.5)
        font = int(rng.choice([cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX]))
        cv2.putText(picture, text, place, font, scale, colour.tolist(), max(1, int(scale * 2.5)), cv2.LINE_AA)
    return picture


def layered(rng, size):
    """One kind seen through another: patterns that no single kind gives."""
    below, above = (kind(rng, size) for kind in rng.choice(LAYERS, 2))
    share = rng.uniform(0.25, 0.75)
    veil = noise_field(rng, size, 3, 2) if rng.random() < 0.4 else np.full((size, size), share, np.float32)
    return mix(below, above, veil)


LAYERS = (
    gradient, radial, clouds, colour_noise, stripes, checks, bricks, blobs, polygons, lines, room, fabric,
    mosaic, facets, dots, rings, writing,
)  # fmt: skip


# Never seen in training: these measure how the model does somewhere new.


def voronoi(rng, size):
    count = int(rng.integers(6, 50))
    seeds = rng.random((count, 2)).astype(np.float32)
    x, y = grid(size)
    nearest = ((x[..., None] - seeds[:, 0]) ** 2 + (y[..., None] - seeds[:, 1]) ** 2).argmin(-1)
    return colours(rng, count)[nearest]


def plaid(rng, size):
    along, across = turned(rng, size)
    picture = np.full((size, size, 3), colours(rng, 1)[0], np.float32)
    for place in (along, across):
        for colour in colours(rng, int(rng.integers(2, 5))):
            band = np.abs((place * rng.uniform(2, 6) + rng.random()) % 1 - 0.5) < rng.uniform(0.03, 0.2)
            picture = mix(picture, colour, band * np.float32(0.5))
    return picture


def wood(rng, size):
    along, across = turned(rng, size)
    rings = np.sin(
        (across * rng.uniform(4, 14) + noise_field(rng, size, 3, 3) * rng.uniform(0.5, 2) + 0.3 * along) * 2 * np.pi
    )
    light = np.array([0.85, 0.65, 0.42]) * rng.uniform(0.5, 1.15)
    return np.clip(
        mix(light.astype(np.float32), (light * rng.uniform(0.4, 0.8)).astype(np.float32), rings * 0.5 + 0.5), 0, 1
    )


def bokeh(rng, size):
    picture = colours(rng, 1)[0] * 0.3 + np.zeros((size, size, 3), np.float32)
    for colour in colours(rng, int(rng.integers(8, 40))):
        disc = np.zeros((size, size), np.float32)
        cv2.circle(disc, rng.integers(0, size, 2).tolist(), int(size * rng.uniform(0.02, 0.14)), 1.0, -1, cv2.LINE_AA)
        picture += disc[..., None] * colour * np.float32(rng.uniform(0.2, 0.7))
    return cv2.GaussianBlur(np.clip(picture, 0, 1), (0, 0), size / 120)


TRAINING = (
    plain, plain, gradient, radial, clouds, clouds, colour_noise, stripes, checks, bricks, blobs, polygons, polygons,
    lines, room, room, fabric, grain, mosaic, facets, dots, rings, writing,
    layered, layered, layered, layered, layered, layered,
)  # fmt: skip
HELD_OUT = (voronoi, plaid, wood, bokeh)
