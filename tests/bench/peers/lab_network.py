"""lab_network.py float|int8 OUTPUTS THREADS FRAMES: the lab's network in PyTorch, on one random input."""

import sys
import warnings

import lab
import timing
from model_export.interpreter import need
from model_export.problem import run


def main() -> None:
    precision, outputs, threads, frames = sys.argv[1:]
    need("torchvision")
    warnings.filterwarnings("ignore")
    import torch

    torch.set_num_threads(int(threads))
    network = lab.network(precision, int(outputs))
    picture = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        median = timing.median_ms(lambda: network(picture), int(frames))
    timing.tell(name=f"PyTorch {torch.__version__}" + (f", {lab.ENGINE}" if precision == "int8" else ""), figure=median)


if __name__ == "__main__":
    run(main, "lab_network")
