"""What the figures were measured on: times mean nothing without it."""

import os
import platform
import time
from pathlib import Path


def _value(path: str, key: str, separator: str) -> str | None:
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    pairs = (line.partition(separator) for line in lines)
    return next((value.strip(' \t"') for name, _, value in pairs if name.strip() == key), None)


def facts() -> dict:
    """In the order to be shown; what this machine does not tell is left out."""
    cores = len(os.sched_getaffinity(0))
    told = {
        # x86 names its CPU; a Raspberry Pi names the board.
        "CPU": _value("/proc/cpuinfo", "model name", ":") or platform.machine(),
        "board": _value("/proc/cpuinfo", "Model", ":"),
        "cores": str(cores),
        "system": _value("/etc/os-release", "PRETTY_NAME", "="),
        "load before": f"{os.getloadavg()[0]:.1f} ({cores} cores); other work makes the times longer",
        "date": time.strftime("%Y-%m-%d %H:%M %Z"),
    }
    return {key: value for key, value in told.items() if value}
