"""What glimpse tells of a model folder: `glimpse eval` how often it is right, `glimpse bench` how fast it is."""

import contextlib
import json
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from model_export.problem import UNAVAILABLE, USAGE, Problem, one_line

PATIENCE_S = 10  # for a word of its version, and for its end after it was asked to stop


class Failure(Exception):
    """What glimpse said where it gave no figures, on one line."""


@dataclass(frozen=True)
class Speed:
    """One line of bench: a precision on a backend."""

    backend: str
    threads: int
    p50_ms: float  # of the network
    p90_ms: float
    p99_ms: float
    fps: float
    model_mib: float
    load_ms: float
    peak_rss_mib: float


@dataclass(frozen=True)
class Form:
    """A model's float or int8 file."""

    precision: str
    top1: float  # shares
    top5: float
    counted_on: str  # the backend that eval chose
    speeds: list

    @property
    def fastest(self) -> Speed:
        return min(self.speeds, key=lambda speed: speed.p50_ms)


@dataclass(frozen=True)
class Model:
    name: str
    images: int
    skipped: int
    agreement: float | None  # of int8 with float, a share
    forms: list  # those that the folder has, float first
    told: list  # glimpse's own lines, as objects


class Glimpse:
    """The program; one run of it at a time, which ends with this one."""

    def __init__(self, program: Path, progress):
        self.program = program
        self.progress = progress

    def version(self) -> str:
        try:
            done = subprocess.run(
                [self.program, "--version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_S
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            why = getattr(error, "strerror", None) or "gave no answer"
            raise Problem(f"{self.program} does not run: {why}", UNAVAILABLE) from error
        text = (done.stdout or done.stderr).decode(errors="replace").strip()
        if done.returncode != 0 or not text:
            raise Problem(f"{self.program} does not run: {one_line(text) or 'it says nothing'}", UNAVAILABLE)
        return one_line(text)

    def lines(self, doing: str, *arguments) -> list:
        """The objects that it prints with --json."""
        process = subprocess.Popen(
            [self.program, *arguments, "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            out, err = self._wait(process, doing)
        finally:
            _end(process)
        if process.returncode != 0:
            message = _complaint(err.decode(errors="replace"), arguments[0], process.returncode)
            if process.returncode == USAGE:  # the options are the same for each model: none will do better
                raise Problem(message, USAGE)
            raise Failure(message)
        try:
            return [json.loads(line) for line in out.splitlines()]
        except ValueError as error:
            raise Failure(f"glimpse {arguments[0]} printed what is not JSON") from error

    def _wait(self, process, doing: str) -> tuple:
        start = time.monotonic()
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.communicate(timeout=1)
            self.progress.now(f"{doing}: {time.monotonic() - start:.0f} s")


def _end(process) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for pipe in (process.stdout, process.stderr):
        pipe.close()


def _complaint(stderr: str, command: str, code: int) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    own = [line.removeprefix("glimpse: ") for line in lines if line.startswith("glimpse: ")]
    if own or lines:
        return one_line((own or lines)[-1])
    if code < 0:
        return f"glimpse {command} was ended by {signal.Signals(-code).name}"
    return f"glimpse {command} ended with status {code} and without a word"


def measure(glimpse: Glimpse, name: str, folder: Path, eval_options: list, bench_options: list) -> Model:
    """Accuracy first: pictures or labels that are wrong are told within seconds."""
    model = ["--model", str(folder.resolve())]  # a bare name would be looked up among the installed ones
    shown = one_line(name)
    counted = glimpse.lines(f"{shown}: accuracy", "eval", *model, *eval_options)
    try:
        (accuracy,) = counted
        present = [precision for precision in ("float", "int8") if accuracy[precision]]
        shares = ", ".join(f"{precision} {100 * accuracy[precision]['top1']:.1f} %" for precision in present)
        glimpse.progress.say(f"{shown}: top-1 of {accuracy['images']} pictures: {shares}")
        timed = glimpse.lines(f"{shown}: speed", "bench", *model, *bench_options)
        forms = [_form(precision, accuracy[precision], timed) for precision in present]
        told = [{key: value for key, value in accuracy.items() if key != "disagreements"}, *timed]
        result = Model(name, accuracy["images"], accuracy["skipped"], accuracy["agreement"], forms, told)
    except (KeyError, TypeError, ValueError) as error:
        raise Failure(f"glimpse gave other figures than expected: {one_line(error)}; is it of this version?") from error
    times = ", ".join(f"{form.precision} {form.fastest.p50_ms:.2f} ms on {form.fastest.backend}" for form in forms)
    glimpse.progress.say(f"{shown}: median of the network: {times}")
    return result


def _form(precision: str, accuracy: dict, timed: list) -> Form:
    speeds = [_speed(line) for line in timed if line["precision"] == precision]
    if not speeds:
        raise ValueError(f"no times of {precision}")
    return Form(precision, accuracy["top1"], accuracy["top5"], accuracy["backend"], speeds)


def _speed(line: dict) -> Speed:
    network = line["network_ms"]
    return Speed(
        line["backend"],
        line["threads"],
        *(network[key] for key in ("p50", "p90", "p99")),
        *(line[key] for key in ("fps", "model_mib", "load_ms", "peak_rss_mb")),
    )
