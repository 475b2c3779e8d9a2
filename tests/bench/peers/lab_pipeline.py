"""lab_pipeline.py float|int8 OUTPUTS CLIP FRAMES: the loop of PyTorch's tutorial for the Raspberry Pi, on a clip in the camera's place.

One frame after the other: read, resize, ToTensor and Normalize, network, softmax, Python's sort, top 10. Threads are torch's default.
"""

import sys
import time
import warnings

import lab
import timing
from model_export.interpreter import need
from model_export.problem import NO_INPUT, Problem, run

CAMERA_PX = (224, 224)  # the tutorial has its camera give this size


def frames_of(clip: str):
    """Without end: the clip again and again."""
    import cv2

    while True:
        capture = cv2.VideoCapture(clip)
        ok, image = capture.read()
        if not ok:
            raise Problem(f"{clip}: OpenCV cannot read it", NO_INPUT)
        while ok:
            yield cv2.resize(image, CAMERA_PX)
            ok, image = capture.read()


def top_ten(network, preprocess, image) -> list:
    image = image[:, :, [2, 1, 0]]  # BGR to RGB
    output = network(preprocess(image).unsqueeze(0))
    top = list(enumerate(output[0].softmax(dim=0)))
    top.sort(key=lambda pair: pair[1], reverse=True)
    return [(index, value.item()) for index, value in top[:10]]


def main() -> None:
    precision, outputs, clip, frames = sys.argv[1:]
    need("torchvision")
    warnings.filterwarnings("ignore")
    import torch
    from torchvision import transforms

    network = lab.network(precision, int(outputs))
    preprocess = transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])]
    )
    images, warm_up = frames_of(clip), timing.warm_up(100)
    with torch.no_grad():
        for number in range(warm_up + int(frames)):
            if number == warm_up:
                start = time.perf_counter()
            top_ten(network, preprocess, next(images))
    fps = int(frames) / (time.perf_counter() - start)
    timing.tell(name=f"the lab's loop in PyTorch {torch.__version__}", figure=fps)


if __name__ == "__main__":
    run(main, "lab_pipeline")
