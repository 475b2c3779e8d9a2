#!/usr/bin/env python3
"""Many devices against one mosquitto with mutual TLS, all on this machine: how many, how fast, what they cost, and that nothing is lost.

  tests/bench/fleet.py                                   1,000 devices, a record a second each, for a minute
  tests/bench/fleet.py --devices 1000 --processes 1000   each in a process of its own, as in the field
  tests/bench/fleet.py --devices 100 --interval 0.1 --records 600 --json

A device is glimpse's own outbox, publisher and link, with a key and a certificate of its own, without camera and model. A separate
subscriber counts what arrives, by device and number. Figures go to stdout, progress to stderr. Exit: 0 nothing was lost, 1 something
was, 64 usage, 69 something is missing. Needs build/glimpse_fleet (or GLIMPSE_FLEET), mosquitto, openssl. docs/fleet.md says how to read it.
"""

import argparse
import json
import math
import os
import pathlib
import shutil
import signal
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "faults"), str(ROOT / "scripts")]
from many_devices import table  # noqa: E402
from many_devices.run import Fleet  # noqa: E402
from model_export.problem import UNAVAILABLE, ArgumentParser, Problem, run  # noqa: E402
from model_export.progress import Progress  # noqa: E402

MEMORY_DISK = "/dev/shm"  # each real device has a disk of its own; a thousand on one would measure that disk


def count(text):
    if not text.isdecimal() or not 1 <= int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(f'expected a number from 1 to 1000000, got "{text}"')
    return int(text)


def port(text):
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f'expected 1 to 65535, got "{text}"')
    return int(text)


def seconds(text):
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 86400:
        raise argparse.ArgumentTypeError(f'expected seconds from 0 to 86400, got "{text}"')
    return value


def parse_arguments():
    state = MEMORY_DISK if os.access(MEMORY_DISK, os.W_OK) else tempfile.gettempdir()
    parser = ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=count, default=1000, metavar="N", help="(default: %(default)s)")
    parser.add_argument("--processes", type=count, metavar="N", help="that they live in (default: one for each ten)")
    parser.add_argument("--interval", type=seconds, default=1.0, metavar="S", help="between a device's records (default: 1)")
    parser.add_argument("--records", type=count, default=60, metavar="N", help="of each device (default: %(default)s)")
    parser.add_argument("--ramp", type=seconds, default=0.0, metavar="S", help="they connect spread over so long (default: 0, all at once)")
    parser.add_argument("--state", type=pathlib.Path, default=pathlib.Path(state), metavar="DIR", help="outboxes (default: %(default)s)")
    parser.add_argument("--broker-dir", type=pathlib.Path, default=ROOT / ".local" / "fleet", metavar="DIR",
                        help="certificates and log, kept for the next run (default: .local/fleet)")
    parser.add_argument("--port", type=port, default=8893, metavar="N", help="of the broker (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    arguments = parser.parse_args()
    arguments.processes = min(arguments.processes or math.ceil(arguments.devices / 10), arguments.devices)
    arguments.broker_dir = arguments.broker_dir.absolute()
    arguments.program = pathlib.Path(os.environ.get("GLIMPSE_FLEET", ROOT / "build" / "glimpse_fleet"))
    return arguments


def check_tools(arguments):
    if not arguments.program.is_file():
        raise Problem(f"{arguments.program} is not built; run scripts/build.sh", UNAVAILABLE)
    for tool in ("mosquitto", "openssl", "setsid"):
        if not shutil.which(tool, path="/usr/sbin:/usr/local/sbin:/usr/bin:/bin"):
            raise Problem(f"{tool} is not installed; run scripts/setup.sh", UNAVAILABLE)
    if not arguments.state.is_dir() or not os.access(arguments.state, os.W_OK):
        raise Problem(f"--state {arguments.state}: no folder to write to", UNAVAILABLE)


def main():
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what was started ends, too
    check_tools(arguments)
    progress = Progress()
    with Fleet(arguments, progress) as fleet:
        figures = fleet.play()
    for words, times in figures["warnings"].items():
        progress.say(f"{times} times: {words}")
    print(json.dumps(figures) if arguments.json else table.text(figures), flush=True)
    if any(figures[name] for name in ("lost", "strange", "dropped", "pending")):
        sys.exit(1)


if __name__ == "__main__":
    run(main, "fleet")
