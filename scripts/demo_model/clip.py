"""The bundled clip: things slide in, cross the centre slowly, slide out. What is in sight is known for every frame."""

from dataclasses import dataclass

import cv2
import numpy as np

from . import backgrounds
from .sprites import aspect, corners, paste

WIDTH_PX, HEIGHT_PX, FPS = 640, 480, 30
SQUARE_LEFT_PX = (WIDTH_PX - HEIGHT_PX) / 2  # the network sees the square in the middle
SLIDE_FRAMES = 6
GAP_FRAMES = 7  # with nothing in sight
MEET_FRAMES = 14  # with two things in sight
THINGS_SHOWN = (
    "umbrella",
    "banana",
    "car",
    "teddy bear",
    "sunflower",
    "guitar",
    "panda",
    "cup of coffee",
    "bicycle",
    "pineapple",
    "rocket",
    "alarm clock",
    "running shoe",
    "butterfly",
)
AFTER = {2: "gap", 4: "meet", 6: "gap", 8: "meet", 10: "gap"}  # what follows the n-th thing; else the next one at once
SCENES = ("gradient", "clouds", "polygons", "plaid", "radial", "blobs", "bokeh", "room", "voronoi", "stripes")
SIDES = {"left": (-1, 0), "right": (1, 0), "top": (0, -1), "bottom": (0, 1)}
SCENE_PX, SCENE_FADE_FRAMES = 900, 12


@dataclass(frozen=True)
class Passage:
    """One thing's way through the picture; frames count from 0."""

    label: str
    first: int  # enters
    hold: int  # frames between sliding in and sliding out
    way: tuple  # points in px: outside, start and end of the slow part, outside
    side_px: float
    phase: float

    @property
    def last(self) -> int:
        return self.first + 2 * SLIDE_FRAMES + self.hold - 1

    def outline(self, frame: int):
        """Corners [4, 2] in px, or None before and after."""
        if not self.first <= frame <= self.last:
            return None
        outside, start, end, away = (np.array(point, float) for point in self.way)
        age = frame - self.first
        if age < SLIDE_FRAMES:
            centre = outside + (start - outside) * (1 - (1 - (age + 1) / SLIDE_FRAMES) ** 2)
        elif age < SLIDE_FRAMES + self.hold:
            centre = start + (end - start) * (age - SLIDE_FRAMES) / max(1, self.hold - 1)
        else:
            centre = end + (away - end) * ((age - SLIDE_FRAMES - self.hold + 1) / SLIDE_FRAMES) ** 2
        swing = self.phase + frame / FPS * 2 * np.pi
        tilt = 0.04 * np.sin(0.45 * swing + np.arange(8).reshape(4, 2) * 1.7)
        side_px = self.side_px * (1 + 0.07 * np.sin(0.5 * swing))
        return corners(centre, side_px, aspect(self.label), np.deg2rad(11) * np.sin(0.6 * swing), tilt)


def passages(seed: int, frames: int) -> list:
    """The timetable: fills `frames` frames."""
    rng = np.random.default_rng([seed, 1])
    count = len(THINGS_SHOWN)
    moves = {
        "gap": SLIDE_FRAMES + GAP_FRAMES,
        "meet": -MEET_FRAMES,
    }  # against the next one entering when this one leaves
    fixed = 2 * GAP_FRAMES + SLIDE_FRAMES * (count + 1) + sum(moves[kind] for kind in AFTER.values())
    hold, spare = divmod(frames - fixed, count)
    if hold < 2 * MEET_FRAMES:
        raise ValueError(f"{frames} frames are too few for {count} things")
    made, first = [], GAP_FRAMES
    sides = list(SIDES)
    for number, label in enumerate(THINGS_SHOWN):
        meets_before, meets_after = AFTER.get(number - 1) == "meet", AFTER.get(number) == "meet"
        side_px = rng.uniform(210, 240) if meets_before or meets_after else rng.uniform(230, 330)
        room_px = max(10.0, (HEIGHT_PX - 1.3 * side_px) / 2)
        enter = sides[int(rng.integers(4))] if not meets_before else "right"
        leave = sides[int(rng.integers(4))] if not meets_after else "left"
        middle = np.array([WIDTH_PX / 2, HEIGHT_PX / 2])
        start = middle + np.array(SIDES[enter]) * room_px + rng.uniform(-0.3, 0.3, 2) * room_px
        end = middle + np.array(SIDES[leave]) * room_px + rng.uniform(-0.3, 0.3, 2) * room_px
        reach = np.array([WIDTH_PX / 2, HEIGHT_PX / 2]) + 0.75 * side_px
        outside = np.where(np.array(SIDES[enter]) != 0, middle + np.array(SIDES[enter]) * reach, start)
        away = np.where(np.array(SIDES[leave]) != 0, middle + np.array(SIDES[leave]) * reach, end)
        this_hold = hold + (1 if number < spare else 0)
        made.append(
            Passage(label, first, this_hold, tuple(map(tuple, (outside, start, end, away))), side_px, rng.uniform(0, 6))
        )
        first += SLIDE_FRAMES + this_hold + moves.get(AFTER.get(number), 0)
    return made


def in_sight(outline) -> bool:
    return bool((outline.max(0) > 0).all() and (outline.min(0) < (WIDTH_PX, HEIGHT_PX)).all())


def wholly_in_square(outline) -> bool:
    low, high = outline.min(0), outline.max(0)
    return bool(
        low[0] >= SQUARE_LEFT_PX and high[0] <= WIDTH_PX - SQUARE_LEFT_PX and low[1] >= 0 and high[1] <= HEIGHT_PX
    )


def label_of(timetable: list, frame: int):
    """The thing's name where exactly one thing is in sight and it lies wholly in the square; else None."""
    seen = [(p.label, outline) for p in timetable if (outline := p.outline(frame)) is not None and in_sight(outline)]
    return seen[0][0] if len(seen) == 1 and wholly_in_square(seen[0][1]) else None


def rows(timetable: list, frames: int) -> list:
    """(first_frame, last_frame, label) of each unbroken run."""
    made = []
    for frame in range(frames):
        label = label_of(timetable, frame)
        if label is None:
            continue
        if made and made[-1][1] == frame - 1 and made[-1][2] == label:
            made[-1][1] = frame
        else:
            made.append([frame, frame, label])
    return made


def scene(canvas, frame: int, number: int):
    """The part of a large still picture that a slowly turning, moving camera sees."""
    degrees = 6 * np.sin(frame / FPS * 0.5 + number)
    where = cv2.getRotationMatrix2D((SCENE_PX / 2, SCENE_PX / 2), degrees, 1.0)
    where[:, 2] += (WIDTH_PX - SCENE_PX) / 2 + 45 * np.sin(frame / FPS * 0.9 + number), (
        HEIGHT_PX - SCENE_PX
    ) / 2 + 45 * np.cos(frame / FPS * 0.7)
    return cv2.warpAffine(canvas, where, (WIDTH_PX, HEIGHT_PX), borderMode=cv2.BORDER_REFLECT)


def pictures(seed: int, frames: int):
    """uint8 RGB [480, 640, 3], frame by frame."""
    timetable = passages(seed, frames)
    canvases = []
    for number, kind in enumerate(SCENES):
        canvas = getattr(backgrounds, kind)(np.random.default_rng([seed, 2, number]), SCENE_PX).astype(np.float32)
        canvases.append(
            cv2.GaussianBlur(canvas, (0, 0), 2.0) * 0.85 + 0.05
        )  # a little out of focus, as behind a near thing
    per_scene = frames / len(canvases)
    for frame in range(frames):
        number = min(int(frame / per_scene), len(canvases) - 1)
        picture = scene(canvases[number], frame, number)
        since = frame - number * per_scene
        if number and since < SCENE_FADE_FRAMES:
            share = np.float32((since + 1) / (SCENE_FADE_FRAMES + 1))
            picture = picture * share + scene(canvases[number - 1], frame, number - 1) * (1 - share)
        for passage in timetable:
            outline = passage.outline(frame)
            if outline is not None:
                paste(picture, passage.label, outline, (6, 9, 8, 0.35), interpolation=cv2.INTER_CUBIC)
        picture *= np.float32(0.95 + 0.05 * np.sin(frame / FPS * 1.3))  # the light is never quite steady
        yield (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)
