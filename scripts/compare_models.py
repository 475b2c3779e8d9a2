#!/usr/bin/env python3
"""Compare model folders on this machine and on your pictures: how often each is right, how fast, how large.

  scripts/compare_models.py models/demo models/mine --images photos --labels photos/labels.csv --out build/comparison
      runs glimpse eval and glimpse bench on each and writes comparison.html and comparison.png into build/comparison
  scripts/compare_models.py models/demo models/mine --images photos --out build/comparison --threads 3 --rounds 5
      photos has a folder for each class; the network on three threads; more rounds for a noisy machine

A model that glimpse refuses is named and left out, and the exit code is then 1.
Needs a built glimpse (scripts/build.sh) and python3-matplotlib (scripts/setup.sh --training).
"""

import argparse
import contextlib
import os
import shlex
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from model_comparison import machine
from model_comparison.measuring import Failure, Glimpse, measure
from model_export.interpreter import need
from model_export.problem import NO_INPUT, UNAVAILABLE, ArgumentParser, Problem, one_line, run, writing
from model_export.progress import Progress

BUILT = Path(__file__).resolve().parents[1] / "build" / "glimpse"
SOME_FAILED = 1


def positive(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(f'expected a number from 1 to 1000000, got "{text}"')
    return int(text)


def parse_arguments() -> argparse.Namespace:
    parser = ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=Path, metavar="DIR", help="a model folder: float.pt, int8.pt or both")
    parser.add_argument("--images", required=True, type=Path, metavar="DIR", help="the pictures, as for glimpse eval")
    parser.add_argument(
        "--labels", type=Path, metavar="CSV", help="what they show (default: --images has a folder for each class)"
    )
    parser.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="for comparison.html and .png")
    parser.add_argument("--glimpse", type=Path, default=BUILT, metavar="PROGRAM", help="(default: build/glimpse)")
    parser.add_argument("--frames", type=positive, metavar="N", help="of bench in each round (default: glimpse's)")
    parser.add_argument("--rounds", type=positive, metavar="N", help="of bench (default: glimpse's)")
    parser.add_argument("--threads", type=positive, metavar="N", help="for the network (default: glimpse's)")
    arguments = parser.parse_args()
    whole = [folder.resolve() for folder in arguments.models]
    for folder, resolved in zip(arguments.models, whole):
        if whole.count(resolved) > 1:
            parser.error(f"{folder} is given twice")
    return arguments


def check_input(arguments) -> None:
    """What is missing is told before the first minute of measuring."""
    if not arguments.glimpse.is_file() or not os.access(arguments.glimpse, os.X_OK):
        if arguments.glimpse == BUILT:
            raise Problem(f"{BUILT} is not built yet: run scripts/build.sh", UNAVAILABLE)
        raise Problem(f"--glimpse {arguments.glimpse}: no such program", NO_INPUT)
    for folder in (*arguments.models, arguments.images):
        if not folder.is_dir():
            raise Problem(f"{folder}: no such folder", NO_INPUT)
    if arguments.labels and not arguments.labels.is_file():
        raise Problem(f"{arguments.labels}: no such file", NO_INPUT)


def names_of(folders: list) -> list:
    """The folders' own names; where two share one, as they were given."""
    short = [folder.resolve().name for folder in folders]
    return [str(folder) if short.count(name) > 1 else name for folder, name in zip(folders, short)]


@contextlib.contextmanager
def all_or_nothing(folder: Path):
    """A place for files that come into the folder at the end, together; before that nothing stays, nor a new folder."""
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            stage = Path(tempfile.mkdtemp(prefix=".comparison-", dir=folder))
        try:
            yield stage
            for path in sorted(stage.iterdir()):
                with writing(folder / path.name):
                    path.replace(folder / path.name)
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    finally:
        for path in new:
            with contextlib.suppress(OSError):
                path.rmdir()  # only where it is empty


def options(**given) -> list:
    return [word for name, value in given.items() if value for word in (f"--{name}", str(value))]


def measure_all(arguments, glimpse: Glimpse, progress: Progress) -> tuple:
    """(models, [(name, glimpse's message)] of those that have no figures)"""
    eval_options = options(images=arguments.images, labels=arguments.labels, threads=arguments.threads)
    bench_options = options(frames=arguments.frames, rounds=arguments.rounds, threads=arguments.threads)
    models, failures = [], []
    for name, folder in zip(names_of(arguments.models), arguments.models):
        try:
            models.append(measure(glimpse, one_line(name), folder, eval_options, bench_options))
        except Failure as failure:
            progress.say(f"compare_models: {one_line(name)}: {failure}")
            failures.append((one_line(name), str(failure)))
    if not models:
        raise Problem(f"nothing to compare: glimpse gave figures for none of the {len(failures)} models")
    return models, failures


def facts_of(arguments, models: list, version: str, machine_facts: dict) -> dict:
    skipped = max(model.skipped for model in models)
    threads = models[0].forms[0].fastest.threads
    frames = {name: f"{value} {name}" for name in ("rounds", "frames") if (value := getattr(arguments, name))}
    return {
        **machine_facts,
        "glimpse": version,
        "threads": str(threads),
        "accuracy": f"glimpse eval on {models[0].images} pictures" + (f", {skipped} files skipped" if skipped else ""),
        "speed": "glimpse bench on a still picture, one model after the other"
        + (f", {' of '.join(frames.values())}" if frames else ""),
    }


def command_line() -> str:
    """As it was typed, an option a line."""
    return " ".join(f"\\\n  {word}" if word.startswith("--") else word for word in map(shlex.quote, sys.argv))


def write(stage: Path, out: Path, models: list, failures: list, facts: dict) -> None:
    from model_comparison import chart, page

    measured_on = f"{facts['CPU']}, {facts['threads']} thread{'s' if facts['threads'] != '1' else ''}"
    below = f"{models[0].images} pictures; {measured_on}; dot area: file size; up and left is better"
    with writing(out / "comparison.png"):
        chart.png(chart.draw(models, chart.WIDE, ("Accuracy against latency", below)), stage / "comparison.png")
    with writing(out / "comparison.html"):
        text = page.page(models, failures, facts, command_line())
        (stage / "comparison.html").write_text(text, encoding="utf-8")


def main() -> None:
    arguments = parse_arguments()
    need("matplotlib")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: the child ends, too, and nothing stays
    check_input(arguments)
    progress = Progress()
    glimpse = Glimpse(arguments.glimpse, progress)
    version = glimpse.version()
    progress.say(f"comparing {len(arguments.models)} model(s) on the pictures of {arguments.images}, with {version}")
    import matplotlib.figure  # noqa: F401: if it is missing, that is to be known now

    with all_or_nothing(arguments.out) as stage:
        machine_facts = machine.facts()
        models, failures = measure_all(arguments, glimpse, progress)
        write(stage, arguments.out, models, failures, facts_of(arguments, models, version, machine_facts))
    print(arguments.out / "comparison.html", arguments.out / "comparison.png", sep="\n")
    if failures:
        sys.exit(SOME_FAILED)


if __name__ == "__main__":
    run(main, "compare_models")
