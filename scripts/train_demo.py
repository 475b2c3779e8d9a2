#!/usr/bin/env python3
"""Train the demo model from nothing: render pictures, train MobileNetV2, quantize, measure, write the model folder.

Needs (Debian): python3-torch python3-torchvision python3-opencv python3-pil fonts-noto-color-emoji libopenblas0-pthread

  scripts/train_demo.py --out models/demo --work build/train-demo             about 75 minutes on two cores
  scripts/train_demo.py --out models/demo --work build/train-demo --resume    goes on after a break
  scripts/train_demo.py --out build/try --stages 96:8000                       a quick, poor model, to see that it works
"""

import argparse
import os
from pathlib import Path

from model_export.interpreter import need
from model_export.problem import run

CHECK_SEED = 20261122  # evaluate_demo.py's default, so that it repeats the figures
LICENCE = (
    "Apache-2.0 (weights trained by this project). The training pictures show emoji of Noto Color Emoji "
    "(SIL OFL 1.1); nothing of the font is in these files"
)


def parse_stages(text: str) -> list:
    stages = []
    for part in text.split(","):
        size_px, colon, pictures = part.partition(":")
        if not (
            colon and size_px.isdigit() and pictures.isdigit() and 32 <= int(size_px) <= 1024 and int(pictures) > 0
        ):
            raise argparse.ArgumentTypeError(f'expected SIZE:PICTURES[,SIZE:PICTURES...], got "{text}"')
        stages.append((int(size_px), int(pictures)))
    return stages


def positive(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f'expected a number from 1 on, got "{text}"')
    return int(text)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the model folder to write, such as models/demo")
    parser.add_argument(
        "--work", type=Path, default=Path("build/train-demo"), help="where checkpoints go (default %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="of the pictures and of the first weights (default %(default)s)"
    )
    parser.add_argument(
        "--threads", type=positive, default=os.cpu_count(), help="for training (default: all cores, %(default)s)"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --work")
    parser.add_argument(
        "--stages",
        type=parse_stages,
        default="96:90000,160:50000,224:28000",
        help="picture size in px and number of pictures, in turn (default %(default)s)",
    )
    parser.add_argument("--peak-rate", type=float, default=0.06, help="highest learning rate (default %(default)s)")
    parser.add_argument(
        "--calibration", type=positive, default=384, help="pictures that set the int8 ranges (default %(default)s)"
    )
    parser.add_argument(
        "--check", type=positive, default=1000, help="pictures that measure top-1 at the end (default %(default)s)"
    )
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    need("torch")
    # Before torch loads: spinning OpenMP threads would take the cores from the renderers.
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)

    import torch
    from demo_model import network, training
    from demo_model.backgrounds import HELD_OUT
    from demo_model.evaluation import top1
    from demo_model.rendered import Rendered
    from demo_model.sprites import sprite
    from demo_model.things import LABELS
    from model_export import report
    from model_export.export import Request, export
    from model_export.progress import Progress
    from model_export.student import choose_engine

    # What could fail at the end of an hour fails now.
    choose_engine()
    sprite(LABELS[0])
    arguments.out.mkdir(parents=True, exist_ok=True)
    stages = tuple(
        training.Stage(size_px, pictures, 64 if size_px <= 128 else 32) for size_px, pictures in arguments.stages
    )
    settings = training.Settings(
        stages=stages, seed=arguments.seed, threads=arguments.threads, peak_rate=arguments.peak_rate
    )
    model, figures = training.train(settings, arguments.work, arguments.resume)

    print(f"measuring on {arguments.check} pictures", flush=True)
    figures.update(
        top1=top1(model, arguments.check, CHECK_SEED),
        check_pictures=arguments.check,
        check_seed=CHECK_SEED,
        torch=torch.__version__,
    )
    about = {"weights": "trained by scripts/train_demo.py", "licence": LICENCE, "training": figures}
    request = Request(model, "mobilenet_v2", network.SPEC, LABELS, about, arguments.out, "ptq")
    # Pictures of the training kinds, but none that was trained on; and of the others, to see what int8 changes.
    calibration = Rendered(arguments.seed + 7_000_000, arguments.calibration)
    held_back = Rendered(CHECK_SEED + 1, arguments.check // 2, HELD_OUT)
    print(report.table(export(request, calibration, held_back, calibration, Progress())))
    print(f"float: {100 * figures['top1']:.2f} % of {arguments.check} pictures right")


if __name__ == "__main__":
    run(main, "train_demo", "stopped; --resume goes on from the last checkpoint")
