"""Debian's Python has Debian's torch; another python3 that comes first on PATH has not."""

import importlib.util
import os
import sys

DEBIANS = "/usr/bin/python3"


def need(module: str) -> None:
    """Where the running Python lacks the module, start the same command again with Debian's Python."""
    if importlib.util.find_spec(module) is None and os.path.realpath(sys.executable) != os.path.realpath(DEBIANS):
        if os.access(DEBIANS, os.X_OK):
            sys.stdout.flush()
            os.execv(DEBIANS, [DEBIANS, *sys.argv])
