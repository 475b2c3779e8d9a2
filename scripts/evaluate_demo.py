#!/usr/bin/env python3
"""Measure a model folder of the demo's things: float and int8 top-1, and how often the two agree.

By default on freshly rendered pictures, with backgrounds of kinds never used in training; with --clip on the labelled frames
of a clip (CLIP.mp4 with CLIP.csv beside it). Uses float.pt and int8.pt as they lie in the folder.

Needs (Debian): python3-torch python3-torchvision python3-opencv python3-pil fonts-noto-color-emoji libopenblas0-pthread

  scripts/evaluate_demo.py --model models/demo
  scripts/evaluate_demo.py --model models/demo --count 3000 --seed 5 --json
  scripts/evaluate_demo.py --model models/demo --clip tests/data/clip.mp4
"""

import argparse
import json
import os
from collections import Counter
from pathlib import Path

from model_export.interpreter import need
from model_export.problem import run


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("models/demo"), help="model folder (default %(default)s)")
    parser.add_argument("--count", type=int, default=1000, help="number of rendered pictures (default %(default)s)")
    parser.add_argument("--seed", type=int, default=20261122, help="of the pictures (default %(default)s)")
    parser.add_argument("--clip", type=Path, help="measure on this clip instead")
    parser.add_argument("--threads", type=int, default=1, help="(default %(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON object, with every mistake")
    arguments = parser.parse_args()
    if arguments.count < 1 or arguments.threads < 1:
        parser.error("--count and --threads: expected numbers from 1 on")
    return arguments


def main() -> None:
    arguments = parse_arguments()
    need("torch")
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)  # before torch loads

    import torch
    from demo_model import evaluation
    from demo_model.things import LABELS
    from model_export import package
    from model_export.student import choose_engine

    torch.set_num_threads(arguments.threads)
    engine = choose_engine()
    float_model, metadata = package.read(arguments.model, "float")
    int8_model, _ = package.read(arguments.model, "int8")
    if arguments.clip:
        result = evaluation.on_clip(float_model, int8_model, arguments.clip, metadata["labels"])
    elif metadata["labels"] != LABELS:
        raise ValueError(f"{arguments.model} has other labels than the pictures that this program renders")
    else:
        result = {
            "seed": arguments.seed,
            **evaluation.on_pictures(float_model, int8_model, arguments.count, arguments.seed),
        }
    result = {
        "model": str(arguments.model),
        "on": str(arguments.clip or "held-out pictures"),
        "engine": engine,
        **result,
    }
    if arguments.json:
        print(json.dumps(result, ensure_ascii=False))
        return
    print(
        f"{result['pictures']} {'labelled frames' if arguments.clip else 'pictures'}: float {100 * result['float_top1']:.2f} %, "
        f"int8 {100 * result['int8_top1']:.2f} %, agreement {100 * result['agreement']:.2f} % (int8 on {engine})"
    )
    wrong = Counter((m["is"], m["float"]) for m in result["mistakes"] if m["is"] != m["float"])
    for (is_a, taken_for), count in wrong.most_common(10):
        print(f"  {count:3d} x {is_a} taken for {taken_for}")


if __name__ == "__main__":
    run(main, "evaluate_demo")
