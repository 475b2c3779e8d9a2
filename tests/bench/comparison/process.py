"""One run of a program that is not glimpse."""

import json
import subprocess

from model_export.problem import one_line

PATIENCE_S = 900


class Unavailable(Exception):
    """Why there is nothing of a peer, on one line."""


def run(command: list, environment: dict | None = None) -> str:
    """What it prints. It ends with this program, whatever happens."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_S, env=environment
        )
    except OSError as error:
        raise Unavailable(f"{command[0]} does not run: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"no answer within {PATIENCE_S} s") from error
    if done.returncode != 0:
        said = [line for line in done.stderr.decode(errors="replace").splitlines() if line.strip()]
        raise Unavailable(one_line(said[-1] if said else f"it ended with status {done.returncode} and without a word"))
    return done.stdout.decode(errors="replace")


def result(command: list, environment: dict | None = None) -> dict:
    """The JSON object that a peer prints: name, figure, perhaps logits."""
    try:
        return json.loads(run(command, environment))
    except ValueError as error:
        raise Unavailable("it printed what is not JSON") from error
