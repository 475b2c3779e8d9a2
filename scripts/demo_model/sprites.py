"""The emoji as cut-out pictures (premultiplied RGBA), drawn once from Debian's fonts-noto-color-emoji."""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .things import THINGS

FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
STRIKE_PX = 109  # the font holds bitmaps of this one size


@lru_cache(maxsize=1)
def font() -> ImageFont.FreeTypeFont:
    if not FONT.is_file():
        raise FileNotFoundError(f"{FONT}: no such font; apt install fonts-noto-color-emoji")
    return ImageFont.truetype(str(FONT), STRIKE_PX)


@lru_cache(maxsize=None)
def sprite(label: str) -> np.ndarray:
    """float32 [height, width, 4] in 0..1, colour already multiplied by alpha, cut to the drawn part."""
    canvas = Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    ImageDraw.Draw(canvas).text((30, 30), THINGS[label], font=font(), embedded_color=True)
    box = canvas.getbbox()
    if box is None:
        raise ValueError(f"{FONT} has no picture for {label}")
    pixels = np.asarray(canvas.crop(box), np.float32) / 255
    pixels[..., :3] *= pixels[..., 3:]
    return np.ascontiguousarray(pixels)


@lru_cache(maxsize=None)
def pyramid(label: str) -> tuple:
    """The sprite at full, half, quarter ... size: warping from the nearest larger one keeps small things free of aliasing."""
    levels = [sprite(label)]
    while min(levels[-1].shape[:2]) > 16:
        height, width = levels[-1].shape[:2]
        levels.append(cv2.resize(levels[-1], ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA))
    return tuple(levels)


def paste(
    picture: np.ndarray, label: str, corners_px: np.ndarray, shadow=None, tint=None, interpolation=cv2.INTER_LINEAR
) -> None:
    """Draw the thing into `picture` (float32 RGB 0..1, changed in place), its corners at `corners_px` [4, 2] clockwise.

    `shadow` is (dx_px, dy_px, blur_px, strength); `tint` multiplies the colours.
    """
    height, width = picture.shape[:2]
    longest_px = max(np.linalg.norm(corners_px[1] - corners_px[0]), np.linalg.norm(corners_px[3] - corners_px[0]), 1.0)
    levels = pyramid(label)
    level = 0
    while level + 1 < len(levels) and max(levels[level + 1].shape[:2]) >= longest_px:
        level += 1
    source = levels[level]
    rows, columns = source.shape[:2]
    # Pixel centres lie at integers for warpPerspective, so the picture's edges lie at -0.5.
    edges = np.array([[-0.5, -0.5], [columns - 0.5, -0.5], [columns - 0.5, rows - 0.5], [-0.5, rows - 0.5]], np.float32)
    where = cv2.getPerspectiveTransform(edges, corners_px.astype(np.float32) - 0.5)
    layer = cv2.warpPerspective(source, where, (width, height), flags=interpolation, borderMode=cv2.BORDER_CONSTANT)
    layer = np.clip(layer, 0, 1)
    if shadow is not None:
        dx_px, dy_px, blur_px, strength = shadow
        moved = cv2.warpAffine(layer[..., 3], np.array([[1, 0, dx_px], [0, 1, dy_px]], np.float32), (width, height))
        picture *= 1 - strength * cv2.GaussianBlur(moved, (0, 0), max(blur_px, 0.3))[..., None]
    colour = layer[..., :3] if tint is None else layer[..., :3] * tint
    picture *= 1 - layer[..., 3:]
    picture += colour


def corners(
    centre_px, side_px: float, aspect: float, angle: float, tilt: np.ndarray, mirrored: bool = False
) -> np.ndarray:
    """Corners of a turned, tilted sprite: `aspect` is width / height, `tilt` [4, 2] moves each corner by that share of the side."""
    half_width = side_px / 2 * min(aspect, 1.0)
    half_height = side_px / 2 / max(aspect, 1.0)
    square = np.array(
        [[-half_width, -half_height], [half_width, -half_height], [half_width, half_height], [-half_width, half_height]]
    )
    square = square + tilt * side_px
    if mirrored:
        square[:, 0] *= -1
    cos, sin = np.cos(angle), np.sin(angle)
    return square @ np.array([[cos, sin], [-sin, cos]]) + np.asarray(centre_px)


def aspect(label: str) -> float:
    rows, columns = sprite(label).shape[:2]
    return columns / rows
