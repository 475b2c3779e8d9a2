"""The contests: which peer, in which precision, on how many threads, and the bound that the project has set itself."""

import json
import statistics
from dataclasses import dataclass, field
from pathlib import Path

from .process import Unavailable, result
from .ratios import Bound, Round

PRECISIONS = ("float", "int8")
PEERS = {
    "ort": "ONNX Runtime",
    "opencv": "OpenCV DNN",
    "torch": "PyTorch, the lab's way",
    "pipeline": "the lab's loop in PyTorch",
}
BOUNDS = {  # of ours to theirs, by peer, precision and threads
    ("ort", "float", 1): Bound(1.10, at_most=True),
    ("ort", "float", 2): Bound(1.10, at_most=True),
    ("ort", "int8", 1): Bound(0.95, at_most=True),
    ("ort", "int8", 2): Bound(1.05, at_most=True),
    ("torch", "float", 1): Bound(0.5, at_most=True),
    ("torch", "float", 2): Bound(0.5, at_most=True),
    ("torch", "int8", 1): Bound(0.15, at_most=True),
    ("torch", "int8", 2): Bound(0.15, at_most=True),
    ("pipeline", "float", None): Bound(3, at_most=False),
    ("pipeline", "int8", None): Bound(5, at_most=False),
}
# int8 rounds in other places in each library: its logits correlate with LibTorch's by 0.99, those of another network do not.
LEAST_CORRELATION = {"float": 0.9999, "int8": 0.9}


@dataclass
class Contest:
    """A row of the table."""

    peer: str  # of PEERS
    precision: str
    threads: int | None  # None: each side's own default
    command: list = field(default_factory=list)
    environment: dict | None = None
    logits: Path | None = None  # that the peer is to give, too
    name: str = ""  # with its version, once the peer has told it
    rounds: list = field(default_factory=list)
    skipped: str = ""  # why it is not measured, or no longer

    @property
    def in_fps(self) -> bool:
        return self.peer == "pipeline"

    @property
    def bound(self) -> Bound | None:
        return BOUNDS.get((self.peer, self.precision, self.threads))

    def measure(self, ours: dict) -> None:
        """One round, after glimpse's own turn. A peer that fails is not asked again."""
        try:
            told = result(self.command, self.environment)
            if self.logits:
                check(json.loads(self.logits.read_text()), told["logits"], LEAST_CORRELATION[self.precision])
            self.name = told["name"]
            self.rounds.append(Round(ours, told["figure"]))
        except Unavailable as error:
            self.skipped = str(error)


def check(expected: list, found: list, least: float) -> None:
    """A peer that computes something else is no peer."""
    try:
        correlation = statistics.correlation(expected, found)
    except statistics.StatisticsError as error:
        raise Unavailable(f"its logits are not those of glimpse's model: {error}") from error
    if not correlation >= least:
        raise Unavailable(f"its logits are not those of glimpse's model: they correlate by {correlation:.4f}")
