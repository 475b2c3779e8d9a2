"""What the peers in Python share: where the scripts' own modules are, and how a network is timed."""

import json
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "scripts"))


def warm_up(frames: int) -> int:
    """Runs before the clock starts: the first ones choose kernels and fill caches."""
    return max(20, frames // 5)


def median_ms(network, frames: int) -> float:
    """Of `frames` calls."""
    times = []
    for _ in range(warm_up(frames) + frames):
        start = time.perf_counter()
        network()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times[-frames:])


def tell(**found) -> None:
    print(json.dumps(found))
