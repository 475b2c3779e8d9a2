"""What the scripts have in common: a failure is one line that says what is wrong, and an exit code of its kind.

Needs Python alone: what torch's absence does is said here.
"""

import argparse
import contextlib
import errno
import sys

USAGE = 64
BAD_DATA = 65  # a model, a picture, a file of labels
NO_INPUT = 66
UNAVAILABLE = 69  # the network, or a package
INTERNAL = 70
CANNOT_WRITE = 73
INTERRUPTED = 130  # as a shell reports SIGINT

WRITING = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EROFS, errno.EACCES)
MISSING = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR)


class Problem(Exception):
    """What the user must know and can mend; the message is one line without the program's name."""

    def __init__(self, message: str, exit_code: int = BAD_DATA):
        super().__init__(message)
        self.exit_code = exit_code


class ArgumentParser(argparse.ArgumentParser):
    """A wrong command line is one line and exit code 64, as glimpse itself does it."""

    def error(self, message: str):
        self.exit(USAGE, f"{self.prog.removesuffix('.py')}: {one_line(message)}; see --help\n")


@contextlib.contextmanager
def writing(path):
    """Names the file that could not be written: Python's own error of a full disk does not."""
    try:
        yield
    except OSError as error:
        raise Problem(f"cannot write {path}: {error.strerror or error}", CANNOT_WRITE) from error


def one_line(text) -> str:
    """Names from files and folders are in messages, and may hold what moves a terminal's cursor."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in str(text))


def warn(message: str) -> None:
    print(f"warning: {one_line(message)}", file=sys.stderr, flush=True)


def _explain(error: Exception) -> tuple:
    """(message, exit code)"""
    if isinstance(error, Problem):
        return str(error), error.exit_code
    if isinstance(error, ImportError):
        return f"{error}; scripts/setup.sh --training installs what is needed", UNAVAILABLE
    if isinstance(error, OSError):
        message = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        if error.errno in WRITING:
            return f"cannot write {message}", CANNOT_WRITE
        return message, NO_INPUT if isinstance(error, FileNotFoundError) or error.errno in MISSING else BAD_DATA
    if isinstance(error, KeyError):
        return f"{error} is missing", BAD_DATA
    # Torch's messages go on with its own stack below the first line.
    message = (str(error).splitlines() or [type(error).__name__])[0]
    return message, BAD_DATA if isinstance(error, ValueError) else INTERNAL


def run(main, name: str, when_interrupted: str = "stopped") -> None:
    """Runs main(); what it raises ends the program as described above."""
    try:
        main()
    except KeyboardInterrupt:
        print(f"{name}: {when_interrupted}", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except (Problem, ImportError, OSError, RuntimeError, ValueError, KeyError, MemoryError) as error:
        message, exit_code = _explain(error)
        print(f"{name}: {one_line(message)}", file=sys.stderr)
        sys.exit(exit_code)
