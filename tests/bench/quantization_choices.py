#!/usr/bin/env python3
"""What each choice of scripts/export_model.py is worth: MobileNetV2 quantized in several ways, on pictures with labels.

Half of the pictures calibrate and the other half is measured, then the halves change places: every picture is measured
once, by a network that has not seen it. The first row is torch's own default, everything else is ours.

  tests/bench/quantization_choices.py --checkpoint weights.pth --pictures DIR     DIR has labels.csv with file,index
"""

import argparse
import csv
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from model_export.interpreter import need  # noqa: E402
from model_export.problem import run  # noqa: E402

BATCH = 20


def torchs_default(network, batches):
    """The recipe of torch's tutorial for mobile: eager mode, quantizable twin, qnnpack's default configuration."""
    import torch
    import torchvision

    torch.backends.quantized.engine = "qnnpack"
    twin = torchvision.models.quantization.mobilenet_v2(weights=None, quantize=False).eval()
    twin.load_state_dict(network.state_dict())
    twin.fuse_model(is_qat=False)
    twin.qconfig = torch.ao.quantization.get_default_qconfig("qnnpack")
    torch.ao.quantization.prepare(twin, inplace=True)
    with torch.no_grad():
        for batch in batches:
            twin(batch)
    return torch.ao.quantization.convert(twin, inplace=True)


def per_tensor(student) -> None:
    for layer in student.layers.values():
        weights = layer.weight_fake_quant
        weights.scale = layer.weight.detach().abs().max().div(127).expand(len(weights.scale)).clone()


def ours(network, spec, batches, method="percentile", relu6=True, channels=True, biases=False):
    import torch
    from model_export import calibrate, ranges
    from model_export.student import Student, choose_engine

    choose_engine()
    student = Student(network, spec)
    if not relu6:
        for module in student.activations:
            module.fixed = module.fixed if module.fixed != (0.0, 6.0) else None
    calibrate.watch(student, batches)
    calibrate.find_ranges(student, ranges.METHODS[method])
    if not channels:
        per_tensor(student)
    if biases:
        calibrate.correct_biases(student, torch.cat(batches)[: calibrate.CORRECTED_PICTURES])
    return student.converted()


VARIANTS = {
    "torch's default for qnnpack": None,
    "weights per tensor, ReLU6 kept, percentile": {"channels": False},
    "weights per channel, ReLU for ReLU6": {"relu6": False},
    "weights per channel, ReLU6 kept, min-max": {"method": "min-max"},
    "the same, percentile": {},
    "the same, least squares": {"method": "least squares"},
    "percentile and bias correction": {"biases": True},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--pictures", type=Path, required=True)
    arguments = parser.parse_args()
    need("torch")
    warnings.filterwarnings("ignore")
    import torch
    from model_export import architectures, calibrate, pictures, weights

    arch = architectures.architecture("mobilenet_v2")
    network = architectures.build(arch, arch.outputs)
    weights.load_into(network, weights.load_checkpoint(arguments.checkpoint), arguments.checkpoint, arch)
    with open(arguments.pictures / "labels.csv", newline="", encoding="utf-8-sig") as rows:
        truth = {row["file"]: int(row["index"]) for row in csv.DictReader(rows)}
    halves = []
    for paths in pictures.hold_back([arguments.pictures / name for name in truth], share=0.5):
        read = pictures.Pictures(paths, arch.input)
        halves.append((list(read.batches(BATCH)), torch.tensor([truth[path.name] for path in read.paths])))
    expected = [calibrate.answers(network, batches) for batches, _ in halves]
    classes = torch.cat([truth for _, truth in halves])
    exact = torch.cat(expected)
    print(f"{len(classes)} pictures, each measured by a network that it did not calibrate")
    print(f"{'':44s}{'top-1':>8s}{'as float':>10s}{'divergence':>12s}")
    print(f"{'float':44s}{100 * float((exact.argmax(1) == classes).float().mean()):6.1f} %", flush=True)
    for name, options in VARIANTS.items():
        found = []
        for (measured, _), (calibrating, _) in zip(halves, reversed(halves)):
            made = torchs_default(network, calibrating) if options is None else ours(network, arch.input, calibrating, **options)
            found.append(calibrate.answers(made, measured))
        logits = torch.cat(found)
        right = float((logits.argmax(1) == classes).float().mean())
        same = float((logits.argmax(1) == exact.argmax(1)).float().mean())
        print(
            f"{name:44s}{100 * right:6.1f} %{100 * same:8.1f} %{calibrate.divergence(exact, logits):12.4f}", flush=True
        )


if __name__ == "__main__":
    run(main, "quantization_choices")
