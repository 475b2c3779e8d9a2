#!/usr/bin/env python3
"""Make a model folder of any of torchvision's classifiers: float.pt, int8.pt and manifest.json.

  scripts/export_model.py --arch mobilenet_v2 --calibrate PICTURES --out models/mobilenet_v2
      torchvision's ImageNet weights, quantized after training (PTQ) with the help of some pictures, labels not needed
  scripts/export_model.py --arch mobilenet_v2 --checkpoint weights.pth --method qat --calibrate PICTURES --out models/mine
      weights of your own, quantization-aware training: the float network teaches the int8 one; minutes on two cores
  scripts/export_model.py --arch resnet18 --checkpoint flowers.pth --labels flowers.txt --method none --out models/flowers
      float alone
  glimpse run --model models/mobilenet_v2 --quantized        then run it, or judge it with glimpse eval and glimpse bench

Needs python3-torch and python3-torchvision: scripts/setup.sh --training. docs/quantization.md explains what it does and prints.
"""

import argparse
import json
import os
import warnings
from pathlib import Path

from model_export.interpreter import need
from model_export.problem import ArgumentParser, run, warn


def positive(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f'expected a number from 1 to 10000, got "{text}"')
    return int(text)


def parse_arguments() -> argparse.Namespace:
    parser = ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arch", required=True, metavar="NAME", help="a classifier of torchvision, such as mobilenet_v2")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="the model folder to write: models/NAME")
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--weights",
        choices=("imagenet", "none"),
        default="imagenet",
        help="imagenet: fetched from torchvision's official address and checked (default); none: random, for trying",
    )
    source.add_argument("--checkpoint", type=Path, metavar="FILE", help="a state dict of this architecture")
    parser.add_argument(
        "--labels", type=Path, metavar="FILE", help="one a line, or a JSON list (default: ImageNet's, if there are 1000)"
    )
    parser.add_argument("--size", type=positive, metavar="PX", help="input size (default: the architecture's own)")
    parser.add_argument(
        "--method",
        choices=("ptq", "qat", "none"),
        default="ptq",
        help="ptq: quantize after training (default); qat: train the int8 network too; none: float alone",
    )
    parser.add_argument(
        "--calibrate", type=Path, metavar="DIR", help="pictures such as the camera will see, 100 or more; a fifth is held back"
    )
    parser.add_argument("--train", type=Path, metavar="DIR", help="for qat: labelled pictures, a folder per class")
    parser.add_argument("--epochs", type=positive, default=6, metavar="N", help="of qat, at most (default %(default)s)")
    parser.add_argument("--resume", action="store_true", help="go on with a qat that was cut off")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the tables")
    arguments = parser.parse_args()
    if arguments.method != "qat" and (arguments.train or arguments.resume):
        parser.error("--train and --resume are for --method qat")
    if arguments.method == "none" and arguments.calibrate:
        parser.error("--method none does not calibrate")
    if arguments.method != "none" and not arguments.calibrate and arguments.weights != "none":
        parser.error(f"--method {arguments.method} needs --calibrate DIR, a folder of pictures (or --method none: float alone)")
    return arguments


def load_network(arguments, arch, spec) -> tuple:
    """(network in eval mode, number of outputs, {"weights", "licence"})"""
    import torch
    from model_export import architectures, noise, weights

    if arguments.checkpoint is None and arguments.weights == "none":
        torch.manual_seed(1)
        network = architectures.build(arch, arch.outputs)
        noise.settle(network, spec)
        return network, arch.outputs, {"weights": "random", "licence": "none needed: the weights are random"}
    if arguments.checkpoint is None:
        path = weights.imagenet_weights(arch)
        about = {"weights": arch.weights_url, "licence": "torchvision's ImageNet weights: see their address and ImageNet's terms"}
    else:
        path = arguments.checkpoint
        about = {"weights": path.name, "licence": "that of the checkpoint's author; not stated in it"}
    state = weights.load_checkpoint(path)
    outputs = weights.outputs_of(state, path, arch)
    network = architectures.build(arch, outputs)
    weights.load_into(network, state, path, arch)
    return network, outputs, about


def load_pictures(arguments, spec, labels: list) -> tuple:
    """(calibration, held back, training); the last is the calibration pictures, where no labelled ones are given."""
    from model_export import noise, pictures

    if arguments.method == "none":
        return None, None, None
    if arguments.calibrate is None:
        warn("no --calibrate: the int8 ranges come from noise, good for trying and for nothing else")
        return noise.Noise(spec, 32, seed=1), noise.Noise(spec, 8, seed=2), noise.Noise(spec, 32, seed=1)
    readable = pictures.Pictures(pictures.find(arguments.calibrate), spec)
    calibration, held_back = (readable.part(paths) for paths in pictures.hold_back(readable.paths))
    if arguments.train is None:
        return calibration, held_back, calibration
    paths, classes = pictures.labelled(arguments.train, labels)
    return calibration, held_back, pictures.Pictures(paths, spec, classes)


def main() -> None:
    arguments = parse_arguments()
    need("torch")
    # Before torch loads: Debian's begins with one thread, and threads that spin while they wait are slow on a busy machine.
    os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count()))
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    warnings.filterwarnings("ignore", module="torch")  # of parts that later versions will drop

    from model_export import architectures, export, labels, report
    from model_export.progress import Progress

    arch = architectures.architecture(arguments.arch)
    spec = architectures.input_spec(arch, arguments.size)
    network, outputs, about = load_network(arguments, arch, spec)
    names = labels.labels_for(arch, outputs, arguments.labels)
    progress = Progress()
    progress.say(f"{arch.name}: {outputs} outputs, {spec.size_px} px, weights: {about['weights']}")
    calibration, held_back, training_pictures = load_pictures(arguments, spec, names)
    request = export.Request(
        network, arch.name, spec, names, about, arguments.out, arguments.method, arguments.epochs, arguments.resume
    )
    result = export.export(request, calibration, held_back, training_pictures, progress)
    print(json.dumps(result, ensure_ascii=False) if arguments.json else report.table(result))


if __name__ == "__main__":
    run(main, "export_model", "stopped; with --method qat, --resume goes on from the last whole epoch")
