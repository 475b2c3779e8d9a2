"""All that a peer needs is made before the first round, and what cannot be had is told then."""

import os
import sys
from pathlib import Path

from . import cache
from .contests import PEERS, PRECISIONS, Contest
from .process import Unavailable

PROGRAMS = Path(__file__).resolve().parents[1] / "peers"


def contests(arguments, model: cache.Model, progress) -> list:
    """All that were asked for, in the order of the table."""
    rows = [
        Contest(peer, precision, threads)
        for threads in arguments.threads
        for precision in PRECISIONS
        for peer in PEERS
        if peer in arguments.peers and peer != "pipeline" and (peer, precision) != ("opencv", "int8")
    ]
    if "pipeline" in arguments.peers:
        rows += [Contest("pipeline", precision, None) for precision in PRECISIONS]
    runtime, no_runtime = None, None
    if "ort" in arguments.peers:
        try:
            runtime = cache.onnx_runtime(progress)
        except Unavailable as error:  # asked once for all rows: without a network npm takes minutes to give up
            no_runtime = error
    for row in rows:
        row.name = PEERS[row.peer]
        try:
            if row.peer == "ort" and no_runtime:
                raise no_runtime
            prepare(row, arguments, model, runtime, progress)
        except Unavailable as error:
            row.skipped = str(error)
    return rows


def prepare(contest: Contest, arguments, model: cache.Model, onnx_runtime: Path | None, progress) -> None:
    """Fills in the command; raises Unavailable."""
    if contest.precision not in model.precisions:
        raise Unavailable(f"{model.folder} has no {contest.precision}.pt")
    network, counted = [contest.precision, str(model.outputs)], [str(contest.threads), str(arguments.frames)]
    if contest.peer == "torch":
        contest.command = [*python("lab_network.py"), *network, *counted]
    elif contest.peer == "pipeline":
        contest.command = [*python("lab_pipeline.py"), *network, str(arguments.clip), str(arguments.clip_frames)]
    elif contest.peer == "opencv":
        files = cache.onnx(model, contest.precision, progress)
        contest.command = [*python("opencv_network.py"), str(files.for_opencv), str(files.input), *counted]
        contest.logits = files.logits
    else:
        files = files_for_onnx_runtime(contest.precision, arguments, model, progress)
        contest.command = ["node", str(PROGRAMS / "onnx_runtime.js"), str(files.path), str(files.input), *counted]
        contest.environment = {**os.environ, "NODE_PATH": str(onnx_runtime)}
        contest.logits = files.logits


def python(program: str) -> list:
    return [sys.executable, "-B", str(PROGRAMS / program)]


def files_for_onnx_runtime(precision: str, arguments, model: cache.Model, progress) -> cache.Onnx:
    given = {"float": arguments.onnx_float, "int8": arguments.onnx_int8}[precision]
    if given:
        return cache.onnx_of_the_user(given)
    try:
        return cache.onnx(model, precision, progress)
    except Unavailable as error:
        raise Unavailable(f"{error}; --onnx-{precision} FILE takes one of yours") from error
