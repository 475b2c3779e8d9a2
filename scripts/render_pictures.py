#!/usr/bin/env python3
"""Write pictures of everyday things with backgrounds of kinds never used in training, for any program to be measured on.

OUT gets 0000.png, 0001.png ... and labels.csv (file,label). The same seed gives the same pictures; with the defaults they are
the ones that `evaluate_demo.py` measures.

Needs (Debian): python3-opencv python3-pil fonts-noto-color-emoji

  scripts/render_pictures.py --count 1000 --seed 20261122 --out build/pictures
  build/glimpse eval --images build/pictures --labels build/pictures/labels.csv --model demo
"""

import argparse
import csv
from pathlib import Path

from model_export.interpreter import need
from model_export.problem import run


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="a folder, made where it is missing")
    parser.add_argument("--count", type=int, default=1000, help="number of pictures (default %(default)s)")
    parser.add_argument("--seed", type=int, default=20261122, help="(default %(default)s)")
    parser.add_argument(
        "--size", type=int, default=224, help="width and height in px, 64 to 1024 (default %(default)s)"
    )
    arguments = parser.parse_args()
    if arguments.count < 1:
        parser.error(f"--count: expected a number from 1 on, got {arguments.count}")
    if not 64 <= arguments.size <= 1024:
        parser.error(f"--size: expected a number from 64 to 1024, got {arguments.size}")
    return arguments


def main() -> None:
    arguments = parse_arguments()
    need("cv2")
    import cv2
    from demo_model.held_out import held_out_pictures
    from demo_model.things import LABELS

    arguments.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for pictures, numbers in held_out_pictures(arguments.count, arguments.seed, arguments.size):
        for picture, number in zip(pictures, numbers):
            name = f"{len(rows):04d}.png"
            if not cv2.imwrite(str(arguments.out / name), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)):
                raise OSError(f"{arguments.out / name}: cannot be written")
            rows.append([name, LABELS[number]])
    with open(arguments.out / "labels.csv", "w", newline="", encoding="utf-8") as out:
        table = csv.writer(out, lineterminator="\n")
        table.writerow(["file", "label"])
        table.writerows(rows)
    print(f"{arguments.out}: {len(rows)} pictures and labels.csv")


if __name__ == "__main__":
    run(main, "render_pictures")
