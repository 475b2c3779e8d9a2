"""Measure the float and the int8 network on the same pictures: freshly rendered ones, or the frames of a clip."""

import csv
from pathlib import Path

import torch

from . import network
from .held_out import held_out_pictures
from .things import LABELS


def answers(model, inputs) -> list:
    """Top-1 numbers of float [n, 3, 224, 224]. One at a time: that is how a camera uses the network."""
    with torch.no_grad():
        return [int(model(one[None])[0].argmax()) for one in inputs]


def top1(model, count: int, seed: int) -> float:
    """Share of pictures of the held-out kinds that the model names rightly."""
    right = 0
    for pictures, numbers in held_out_pictures(count, seed, network.INPUT_PX):
        found = answers(model, network.normalise(torch.from_numpy(pictures)))
        right += sum(int(number) == answer for number, answer in zip(numbers, found))
    return right / count


class Score:
    """Counts of right answers and of the two networks' agreement, and what was taken for what."""

    def __init__(self, labels: list):
        self.labels = labels
        self.pictures = self.right_float = self.right_int8 = self.agree = 0
        self.mistakes = []

    def add(self, truth: int, by_float: int, by_int8: int, where: int) -> None:
        self.pictures += 1
        self.right_float += truth == by_float
        self.right_int8 += truth == by_int8
        self.agree += by_float == by_int8
        if not truth == by_float == by_int8:
            self.mistakes.append(
                {"at": where, "is": self.labels[truth], "float": self.labels[by_float], "int8": self.labels[by_int8]}
            )

    def result(self) -> dict:
        """Shares are from 0 to 1."""
        count = max(1, self.pictures)
        return {
            "pictures": self.pictures,
            "float_top1": self.right_float / count,
            "int8_top1": self.right_int8 / count,
            "agreement": self.agree / count,
            "mistakes": self.mistakes,
        }


def on_pictures(float_model, int8_model, count: int, seed: int) -> dict:
    score = Score(LABELS)
    for pictures, numbers in held_out_pictures(count, seed, network.INPUT_PX):
        inputs = network.normalise(torch.from_numpy(pictures))
        for truth, by_float, by_int8 in zip(
            numbers.tolist(), answers(float_model, inputs), answers(int8_model, inputs)
        ):
            score.add(truth, by_float, by_int8, score.pictures)
    return score.result()


def network_input(frame_bgr) -> torch.Tensor:
    """A camera's frame as the metadata of the model says: shorter side to 224 px, antialiased; the centre square."""
    rgb = torch.from_numpy(frame_bgr[..., ::-1].copy()).permute(2, 0, 1)[None].float()
    height, width = rgb.shape[2:]
    scale = network.INPUT_PX / min(height, width)
    size = (max(network.INPUT_PX, int(height * scale)), max(network.INPUT_PX, int(width * scale)))
    small = torch.nn.functional.interpolate(rgb, size=size, mode="bilinear", antialias=True, align_corners=False)
    top, left = (size[0] - network.INPUT_PX) // 2, (size[1] - network.INPUT_PX) // 2
    square = small[..., top : top + network.INPUT_PX, left : left + network.INPUT_PX]
    return network.normalise(square[0].round().clamp(0, 255).permute(1, 2, 0)[None])


def on_clip(float_model, int8_model, video: Path, labels: list) -> dict:
    """On the frames that the CSV beside the video names."""
    import cv2

    with open(video.with_suffix(".csv"), newline="", encoding="utf-8") as table:
        truth = {
            frame: labels.index(row["label"])
            for row in csv.DictReader(table)
            for frame in range(int(row["first_frame"]), int(row["last_frame"]) + 1)
        }
    capture = cv2.VideoCapture(str(video))
    score, frame = Score(labels), 0
    while True:
        good, picture = capture.read()
        if not good:
            break
        if frame in truth:
            inputs = network_input(picture)
            score.add(truth[frame], answers(float_model, inputs)[0], answers(int8_model, inputs)[0], frame)
        frame += 1
    if truth and frame <= max(truth):
        raise ValueError(
            f"{video} ends after {frame} frames, but {video.with_suffix('.csv').name} goes on to {max(truth)}"
        )
    return score.result()
