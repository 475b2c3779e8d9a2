"""The lab's network, as PyTorch's tutorial for the Raspberry Pi makes it: from torchvision, scripted, int8 by qnnpack.

Its weights are random, as scripts/export_model.py --weights none makes them: with values that fade to nothing all answers would be
alike, and the pipeline's sort would be done in one pass.
https://pytorch.org/tutorials/intermediate/realtime_rpi.html
"""

import timing  # noqa: F401: finds scripts/
from model_export.problem import UNAVAILABLE, Problem

ENGINE = "qnnpack"


def network(precision: str, outputs: int):
    import torch
    from model_export import architectures, noise
    from torchvision.models import mobilenet_v2, quantization

    torch.manual_seed(1)
    made = (mobilenet_v2 if precision == "float" else quantization.mobilenet_v2)(weights=None, num_classes=outputs).eval()
    noise.settle(made, architectures.architecture("mobilenet_v2").input)
    if precision == "int8":
        engines = torch.backends.quantized.supported_engines
        if ENGINE not in engines:
            raise Problem(f"this torch has no {ENGINE}, only {', '.join(engines)}", UNAVAILABLE)
        quantization.utils.quantize_model(made, ENGINE)  # what quantize=True does
    return torch.jit.script(made)
