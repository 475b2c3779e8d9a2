"""export_onnx.py MODEL_FOLDER float|int8 OUT: a model of glimpse in ONNX's form, an input, and the logits that LibTorch gives for it.

Writes PRECISION.onnx, input.f32 and PRECISION.json (a list) into OUT; of float also float_opset10.onnx, because OpenCV before 4.7 does
not know a Clip whose bounds are inputs, as they are since opset 11.
"""

import importlib.util
import json
import sys
import warnings
from pathlib import Path

import timing  # noqa: F401: finds scripts/
from model_export.interpreter import need
from model_export.problem import UNAVAILABLE, Problem, run

OPSET = 13  # the first with scales per channel


def main() -> None:
    folder, precision, out = sys.argv[1:]
    need("torchvision")
    warnings.filterwarnings("ignore")
    import torch
    from model_export import architectures, noise, package, student

    if int(torch.__version__.split(".")[0]) >= 2 and importlib.util.find_spec("onnx") is None:
        raise Problem("torch 2 writes ONNX with the help of onnx: apt install python3-onnx", UNAVAILABLE)
    student.choose_engine()
    module, about = package.read(folder, precision)
    size_px = about["input"]["width"]
    picture = noise.Noise(architectures.input_spec(architectures.architecture(about["arch"]), size_px), 1, seed=5).values
    network, opsets = module, {"": OPSET, "_opset10": 10}
    if precision == "int8":
        import qdq

        network, opsets = qdq.Network(module).eval(), {"": OPSET}
    out = Path(out)
    with torch.no_grad():
        for suffix, opset in opsets.items():
            path = out / f"{precision}{suffix}.onnx"
            torch.onnx.export(network, picture, str(path), opset_version=opset, input_names=["input"], output_names=["logits"])
        logits = module(picture).flatten().tolist()
    (out / "input.f32").write_bytes(picture.contiguous().numpy().tobytes())
    (out / f"{precision}.json").write_text(json.dumps(logits))


if __name__ == "__main__":
    run(main, "export_onnx")
