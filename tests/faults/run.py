#!/usr/bin/env python3
"""Breaks things around a real glimpse and a real mosquitto, and counts accepted against received by (device, boot, seq).

  tests/faults/run.py                      the short form, under three minutes
  tests/faults/run.py --full               the form whose figures are in docs/reliability.md, some 40 minutes
  tests/faults/run.py --only reset,stall   these faults alone; --list tells their names

Exit: 0 every promise was kept, 1 one was broken, 64 usage, 69 something is not built or installed.
Needs build/glimpse and build/glimpse_telemetry_probe (or GLIMPSE and GLIMPSE_PROBE), mosquitto, openssl. Figures go to stdout, progress to
stderr.
"""

import argparse
import json
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration")]
import table  # noqa: E402
from devices import GLIMPSE, PROBE, DeviceFault  # noqa: E402
from kinds import FAULTS  # noqa: E402
from outcome import Outcome, Skipped, Task  # noqa: E402

BY_NAME = {fault.name: fault for fault in FAULTS}


def names(text):
    chosen = text.split(",")
    for name in chosen:
        if name not in BY_NAME:
            raise argparse.ArgumentTypeError(f'no fault "{name}"; there are {", ".join(BY_NAME)}')
    return [BY_NAME[name] for name in dict.fromkeys(chosen)]


class ArgumentParser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(64, f"faults: {message}\n")


def parse_arguments():
    parser = ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="ten times as often")
    parser.add_argument("--only", type=names, default=FAULTS, metavar="A,B", help="(default: all)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), metavar="N", help="(default: a new one)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line for each fault")
    parser.add_argument("--list", action="store_true", help="the faults, and what is promised")
    return parser.parse_args()


def check_tools():
    missing = [path for path in (GLIMPSE, PROBE) if not pathlib.Path(path).is_file()]
    missing += [tool for tool in ("mosquitto", "openssl", "setsid") if not shutil.which(tool, path="/usr/sbin:/usr/local/sbin:/usr/bin:/bin")]
    if missing:
        sys.stderr.write(f"faults: {', '.join(missing)} missing; run scripts/setup.sh and scripts/build.sh\n")
        sys.exit(69)


def count_of(fault, arguments):
    return fault.full if arguments.full else fault.short


def play(fault, arguments):
    """In this process. A device that does what it must never do breaks a promise; so does a runner that cannot go on."""
    outcome, began = Outcome(fault.name), time.monotonic()
    try:
        if not count_of(fault, arguments):
            raise Skipped("it is in the full form alone")
        fault.play(Task(fault, arguments.full, arguments.seed), outcome)
    except Skipped as reason:
        outcome.skipped = str(reason)
    except (DeviceFault, AssertionError, OSError, subprocess.SubprocessError) as error:
        outcome.promise(False, f"{type(error).__name__}: {error}")
    outcome.seconds = round(time.monotonic() - began, 1)
    return outcome


def play_wave(faults, arguments):
    """Each in a process of its own, all at once: most of the time they wait."""
    running = []
    try:
        for fault in faults:
            command = [sys.executable, "-B", __file__, "--json", "--only", fault.name, "--seed", str(arguments.seed)]
            command += ["--full"] if arguments.full else []
            running.append((fault, subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)))
        return [outcome_of(fault, process) for fault, process in running]
    finally:
        for _, process in running:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait()


def outcome_of(fault, process):
    out, _ = process.communicate()
    try:
        return Outcome(**json.loads(out))
    except (ValueError, TypeError):
        outcome = Outcome(fault.name)
        outcome.promise(False, f"the runner ended with {process.returncode} and without a figure")
        return outcome


def main():
    arguments = parse_arguments()
    if arguments.list:
        print("\n".join(f"{fault.name:16} {fault.promise}" for fault in FAULTS))
        return 0
    check_tools()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what was started ends, too
    outcomes = []
    if len(arguments.only) == 1:
        outcomes.append(play(arguments.only[0], arguments))
    else:
        sys.stderr.write(f"faults: --seed {arguments.seed}\n")
        # In the short form the busy ones fit beside those that wait.
        waves = ([0], [1], [2], [3]) if arguments.full else ([0, 1, 2], [3])
        for wave in waves:
            outcomes += play_wave([fault for fault in arguments.only if fault.wave in wave and count_of(fault, arguments)], arguments)
        outcomes.sort(key=lambda outcome: list(BY_NAME).index(outcome.fault))
    print("\n".join(map(table.json_line, outcomes)) if arguments.json else table.text(outcomes), flush=True)
    return any(outcome.broken for outcome in outcomes)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
