"""opencv_network.py MODEL.onnx INPUT.f32 THREADS FRAMES: OpenCV's own network module on a float network."""

import sys

import timing
from model_export.interpreter import need
from model_export.problem import Problem, run


def main() -> None:
    model, picture, threads, frames = sys.argv[1:]
    need("cv2")
    import cv2
    import numpy

    cv2.setNumThreads(int(threads))
    try:
        network = cv2.dnn.readNetFromONNX(model)
    except cv2.error as error:
        raise Problem(f"OpenCV {cv2.__version__} cannot read {model}: {' '.join(error.err.split())}") from error
    picture = numpy.fromfile(picture, numpy.float32).reshape(1, 3, 224, 224)

    def classify():
        network.setInput(picture)
        return network.forward()

    median = timing.median_ms(classify, int(frames))
    timing.tell(name=f"OpenCV DNN {cv2.__version__}", figure=median, logits=classify().flatten().tolist())


if __name__ == "__main__":
    run(main, "opencv_network")
