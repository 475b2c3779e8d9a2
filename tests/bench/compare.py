#!/usr/bin/env python3
"""glimpse against its peers on this machine, in turn, in one run: times, and their ratio with its spread.

  tests/bench/compare.py                              all peers, on one and on two threads, five rounds: some ten minutes
  tests/bench/compare.py --peers ort --rounds 3       ONNX Runtime alone
  tests/bench/compare.py --model models/mobilenet_v2 --backend xnnpack --json

Peers: ort, ONNX Runtime from npm, float and int8 (QDQ), on the very weights of glimpse's model; opencv, OpenCV's DNN module, float;
torch, PyTorch as its tutorial for the Raspberry Pi has it: TorchScript, int8 by qnnpack; pipeline, that tutorial's whole loop on a clip
against glimpse's. Every peer is a process of its own in each round. What is missing here is told and left out.
Needs a built glimpse, python3-torch, python3-torchvision and python3-opencv (scripts/setup.sh --training); for ort also nodejs and npm.
docs/performance.md says how to read the result.
"""

import argparse
import json
import os
import signal
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
from comparison import cache, contests, preparing, rounds, table  # noqa: E402
from model_comparison import machine  # noqa: E402
from model_comparison.measuring import Glimpse  # noqa: E402
from model_export.problem import NO_INPUT, UNAVAILABLE, ArgumentParser, Problem, run  # noqa: E402
from model_export.progress import Progress  # noqa: E402

BUILT = ROOT / "build" / "glimpse"


def positive(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(f'expected a number from 1 to 1000000, got "{text}"')
    return int(text)


def list_of(one):
    def read(text: str) -> list:
        return list(dict.fromkeys(one(part.strip()) for part in text.split(",")))

    return read


def peer(text: str) -> str:
    if text not in contests.PEERS:
        raise argparse.ArgumentTypeError(f'no peer "{text}"; there are {", ".join(contests.PEERS)}')
    return text


def parse_arguments() -> argparse.Namespace:
    parser = ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--glimpse", type=Path, default=BUILT, metavar="PROGRAM", help="(default: build/glimpse)")
    parser.add_argument(
        "--model", type=Path, metavar="DIR", help="a mobilenet_v2 (default: random weights, made once: only its speed matters)"
    )
    parser.add_argument("--backend", metavar="NAME", help="of glimpse (default: each in turn, and the fastest counts)")
    parser.add_argument("--peers", type=list_of(peer), default=list(contests.PEERS), metavar="A,B", help="(default: all)")
    parser.add_argument("--threads", type=list_of(positive), default=[1, 2], metavar="N,M", help="(default: 1,2)")
    parser.add_argument("--rounds", type=positive, default=5, metavar="N", help="(default: %(default)s)")
    parser.add_argument("--frames", type=positive, default=100, metavar="N", help="in each round (default: %(default)s)")
    clip = ROOT / "tests" / "data" / "clip.mp4"
    parser.add_argument("--clip", type=Path, default=clip, metavar="FILE", help="for pipeline (default: tests/data/clip.mp4)")
    parser.add_argument("--clip-frames", type=positive, default=300, metavar="N", help="in each round (default: %(default)s)")
    for precision in contests.PRECISIONS:
        parser.add_argument(
            f"--onnx-{precision}", type=Path, metavar="FILE", help=f"{precision} model for ort (default: written from the model)"
        )
    parser.add_argument("--json", action="store_true", help="one JSON object a line: what was measured, then each row")
    return parser.parse_args()


def check_input(arguments) -> None:
    if not arguments.glimpse.is_file() or not os.access(arguments.glimpse, os.X_OK):
        if arguments.glimpse == BUILT:
            raise Problem(f"{BUILT} is not built yet: run scripts/build.sh", UNAVAILABLE)
        raise Problem(f"--glimpse {arguments.glimpse}: no such program", NO_INPUT)
    for path in (arguments.clip, arguments.onnx_float, arguments.onnx_int8):
        if path and not path.is_file():
            raise Problem(f"{path}: no such file", NO_INPUT)


def main() -> None:
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: the child ends, too
    check_input(arguments)
    progress = Progress()
    glimpse = Glimpse(arguments.glimpse, progress)
    facts = {"glimpse": glimpse.version(), "machine": machine.facts()}
    progress.say(f"{facts['glimpse']} against {'; '.join(contests.PEERS[name] for name in arguments.peers)}")
    model = cache.model(arguments.model, progress)
    rows = preparing.contests(arguments, model, progress)
    for row in rows:
        if row.skipped:
            progress.say(f"skipped: {table.label(row)}: {row.skipped}")
    rounds.measure(
        rows,
        arguments.rounds,
        lambda doing, threads: rounds.glimpses_turn(glimpse, doing, threads, arguments, model),
        progress,
    )
    if not any(row.rounds for row in rows):
        raise Problem("nothing was measured: no peer is left", UNAVAILABLE)
    facts |= {"model": str(model.folder), **{name: getattr(arguments, name) for name in ("rounds", "frames", "clip_frames")}}
    if arguments.json:
        print("\n".join(json.dumps(line, ensure_ascii=False) for line in table.objects(rows, facts)))
    else:
        print(table.table(rows, facts))


if __name__ == "__main__":
    run(main, "compare")
