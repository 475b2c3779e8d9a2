"""One picture of one thing, as a camera might see it: background, thing, shadow, light, lens, sensor, JPEG."""

import cv2
import numpy as np

from . import backgrounds
from .sprites import aspect, corners, paste
from .things import LABELS

cv2.setNumThreads(1)  # the caller decides how many processes render


def place(rng, label: str, size: int) -> np.ndarray:
    """Where the thing lies: 33..95 % of the picture, mostly upright, at times partly out of the picture."""
    # In training's smaller pictures the smallest things keep the pixels that they have at 224, up to half the picture.
    smallest = min(max(0.33, 0.33 * 224 / size), 0.5)
    side_px = size * rng.uniform(smallest, 0.95)
    # The larger the thing, the less room there is to move it; beyond that room at most a tenth is cut off.
    room_px = max(0.0, (size - side_px) / 2) + (0.06 * side_px if rng.random() < 0.2 else 0.0)
    centre = size / 2 + rng.uniform(-1, 1, 2) * room_px
    turn = rng.random()
    spread = rng.normal(0, 12) if turn < 0.85 else rng.uniform(-50, 50)
    degrees = spread if turn < 0.98 else rng.uniform(-180, 180)
    tilt = rng.normal(0, 0.05, (4, 2)) if rng.random() < 0.6 else np.zeros((4, 2))
    stretched = aspect(label) * np.exp(rng.normal(0, 0.08))
    return corners(centre, side_px, stretched, np.deg2rad(degrees), tilt, mirrored=rng.random() < 0.1)


def clutter(rng, picture) -> None:
    """Shapes that are no thing, to teach that not every object is one."""
    size = picture.shape[0]
    for colour in backgrounds.colours(rng, int(rng.integers(1, 6))).tolist():
        centre = rng.integers(0, size, 2).tolist()
        radius = int(size * rng.uniform(0.03, 0.22))
        if rng.random() < 0.5:
            cv2.circle(picture, centre, radius, colour, -1 if rng.random() < 0.7 else 2, cv2.LINE_AA)
        else:
            corner = (centre[0] + radius, centre[1] + int(radius * rng.uniform(0.3, 2)))
            cv2.rectangle(picture, centre, corner, colour, -1 if rng.random() < 0.7 else 2)


def occlude(rng, picture, where) -> None:
    """A finger, a pole, a leaf: something that covers a part of the thing's rim."""
    side_px = float(np.linalg.norm(where[0] - where[2])) / 1.41
    centre = where.mean(0)
    angle = rng.uniform(0, 2 * np.pi)
    rim = centre + side_px * rng.uniform(0.3, 0.5) * np.array([np.cos(angle), np.sin(angle)])
    colour = backgrounds.colours(rng, 1)[0].tolist()
    if rng.random() < 0.5:
        cv2.circle(picture, rim.astype(int).tolist(), int(side_px * rng.uniform(0.06, 0.2)), colour, -1, cv2.LINE_AA)
    else:
        across = side_px * rng.uniform(0.3, 0.8) * np.array([-np.sin(angle), np.cos(angle)])
        width_px = max(1, int(side_px * rng.uniform(0.02, 0.12)))
        cv2.line(
            picture,
            (rim - across).astype(int).tolist(),
            (rim + across).astype(int).tolist(),
            colour,
            width_px,
            cv2.LINE_AA,
        )


def light(rng, picture) -> np.ndarray:
    """Exposure, contrast, white balance, saturation, gamma, uneven light."""
    size = picture.shape[0]
    if rng.random() < 0.25:
        x, y = backgrounds.turned(rng, size)
        picture = picture * (1 + rng.uniform(0.1, 0.5) * np.clip(x - x.mean(), -1, 1))[..., None]
    if rng.random() < 0.6:
        picture = picture * (rng.uniform(0.6, 1.25) * np.exp(rng.normal(0, 0.07, 3))).astype(np.float32)
    if rng.random() < 0.4:
        grey = picture.mean(-1, keepdims=True)
        picture = grey + (picture - grey) * np.float32(rng.uniform(0.4, 1.5))
    if rng.random() < 0.4:
        contrast = np.float32(rng.uniform(0.65, 1.3))
        picture = (picture - 0.5) * contrast + np.float32(0.5 + rng.normal(0, 0.05))
    picture = np.clip(picture, 0, 1)
    return np.power(picture, np.float32(np.exp(rng.normal(0, 0.2)))) if rng.random() < 0.4 else picture


def lens(rng, picture) -> np.ndarray:
    """Out of focus, moved, or taken with fewer pixels; scaled so that 96 px and 224 px lose the same detail."""
    size = picture.shape[0]
    kind = rng.random()
    if kind < 0.25:
        return cv2.GaussianBlur(picture, (0, 0), size / 224 * rng.uniform(0.3, 2.2) + 0.01)
    if kind < 0.37:
        length = max(3, int(size / 224 * rng.uniform(4, 11)) | 1)
        kernel = np.zeros((length, length), np.float32)
        angle = rng.uniform(0, np.pi)
        reach = np.array([np.cos(angle), np.sin(angle)]) * (length // 2)
        middle = np.full(2, length // 2)
        cv2.line(
            kernel, np.rint(middle - reach).astype(int).tolist(), np.rint(middle + reach).astype(int).tolist(), 1.0, 1
        )
        return cv2.filter2D(picture, -1, kernel / kernel.sum())
    if kind < 0.47:
        small = max(40, int(size * rng.uniform(0.42, 0.8)))
        less = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
        return cv2.resize(
            less, (size, size), interpolation=int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_NEAREST, cv2.INTER_CUBIC]))
        )
    if kind < 0.53:
        return picture + np.float32(rng.uniform(0.3, 1.2)) * (
            picture - cv2.GaussianBlur(picture, (0, 0), 1.0)
        )  # sharpened
    return picture


def sensor(rng, picture) -> np.ndarray:
    """Noise, 8 bits, JPEG."""
    if rng.random() < 0.45:
        channels = 3 if rng.random() < 0.7 else 1
        noise = rng.standard_normal((*picture.shape[:2], channels), dtype=np.float32)
        picture = picture + noise * np.float32(rng.exponential(0.018) + 0.003)
    pixels = (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)
    if rng.random() < 0.5:
        quality = int(rng.integers(35, 97))
        pixels = cv2.imdecode(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    return pixels


def render(rng, label: str, size: int, kinds=backgrounds.TRAINING) -> np.ndarray:
    """uint8 RGB [size, size, 3] with one thing named `label`."""
    picture = np.ascontiguousarray(kinds[int(rng.integers(len(kinds)))](rng, size), np.float32)
    if picture.ndim != 3 or picture.shape != (size, size, 3):
        raise ValueError(f"a background has the shape {picture.shape}")
    if rng.random() < 0.25:
        clutter(rng, picture)
    if rng.random() < 0.3:
        picture = cv2.GaussianBlur(picture, (0, 0), size * rng.uniform(0.004, 0.04))  # the camera focuses on the thing
    where = place(rng, label, size)
    side_px = float(np.linalg.norm(where[0] - where[2])) / 1.41
    shadow = None
    if rng.random() < 0.35:
        shadow = (*rng.normal(0, 0.06, 2) * side_px, side_px * rng.uniform(0.005, 0.05), rng.uniform(0.15, 0.7))
    tint = (
        np.exp(rng.normal(0, 0.08, 3)).astype(np.float32) * np.float32(rng.uniform(0.6, 1.1))
        if rng.random() < 0.4
        else None
    )
    if rng.random() < 0.12:
        card(rng, picture, where)
    smooth = cv2.INTER_NEAREST if rng.random() < 0.06 else (cv2.INTER_CUBIC if rng.random() < 0.3 else cv2.INTER_LINEAR)
    paste(picture, label, where, shadow, tint, smooth)
    if rng.random() < 0.1:
        occlude(rng, picture, where)
    return sensor(rng, lens(rng, light(rng, picture)))


def card(rng, picture, where) -> None:
    """The thing on a phone's screen or on a sheet of paper: a plain light or dark field behind it."""
    grown = where.mean(0) + (where - where.mean(0)) * rng.uniform(1.05, 1.6)
    level = float(rng.choice([rng.uniform(0.85, 1.0), rng.uniform(0.0, 0.15)]))
    cv2.fillPoly(picture, [grown.astype(np.int32)], (level, level, level), cv2.LINE_AA)


def batch(seed: int, index: int, count: int, size: int, kinds=backgrounds.TRAINING) -> tuple:
    """Pictures [count, size, size, 3] and label numbers [count]; the same for the same arguments (and the same OpenCV)."""
    rng = np.random.default_rng([seed, index])
    numbers = rng.integers(len(LABELS), size=count)
    return np.stack([render(rng, LABELS[number], size, kinds) for number in numbers]), numbers.astype(np.int64)
