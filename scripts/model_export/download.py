"""Downloads a file over HTTP: goes on where an earlier try was cut, and is there only when its hash is right."""

import fcntl
import hashlib
import http.client
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from .problem import UNAVAILABLE, Problem, writing

TIMEOUT_S = 20  # without a byte
ATTEMPTS = 5  # each goes on where the one before was cut
LIMIT_BYTES = 4 << 30  # the largest of torchvision's files has 2.6 GB
CHUNK_BYTES = 1 << 18
OTHER_WAY = "--checkpoint FILE takes weights that you have"


def is_whole(path: Path, sha256_prefix: str) -> bool:
    """Whether the file's SHA-256 begins so. Torchvision pins the first 8 (or 10) hex digits in each file's name and
    torch.hub checks just those: that finds damage of any kind, and TLS vouches for the sender."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest().startswith(sha256_prefix)


def fetch(url: str, path: Path, sha256_prefix: str, limit_bytes: int = LIMIT_BYTES) -> None:
    """Writes path + ".part" and moves it into place when its hash is right."""
    part = path.with_name(path.name + ".part")
    with writing(part):
        path.parent.mkdir(parents=True, exist_ok=True)
        out = open(part, "ab", buffering=0)  # nothing is left to be written when it is closed
    with out:
        try:
            fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Problem(f"{part} is being downloaded by another program; wait for it", UNAVAILABLE) from error
        try:
            # What an earlier run left can be all of it.
            if not (out.tell() and is_whole(part, sha256_prefix)):
                _download(url, out, limit_bytes)
        finally:
            if not out.tell():
                part.unlink()
        if not is_whole(part, sha256_prefix):
            part.unlink()
            raise Problem(f"{url} has not the SHA-256 that its name pins ({sha256_prefix}...); what came is deleted")
        with writing(path):
            os.replace(part, path)


def _download(url: str, out, limit_bytes: int) -> None:
    for _ in range(ATTEMPTS):
        with _open(url, out) as response:
            if _append(response, url, out, limit_bytes):
                return
    raise Problem(f"{_host(url)} hung up after {out.tell()} bytes; the same command goes on from there", UNAVAILABLE)


def _host(url: str) -> str:
    return urllib.parse.urlsplit(url).hostname


def _open(url: str, out):
    """The answer to a request for what is missing; out is emptied where the answer is the whole file."""
    try:
        if have := out.tell():
            request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"})
            try:
                response = urllib.request.urlopen(request, timeout=TIMEOUT_S)
                if response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
                    return response
                response.close()  # a server that knows no ranges
            except urllib.error.HTTPError as error:
                if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                    raise
            out.seek(0)  # what is there is longer than the file, or has no known beginning
            out.truncate()
        return urllib.request.urlopen(url, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        raise Problem(f"{_host(url)} answers {error.code} {error.reason} to {url}; {OTHER_WAY}", UNAVAILABLE) from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        reason = getattr(reason, "strerror", None) or reason
        raise Problem(f"{_host(url)} cannot be reached ({reason}); {OTHER_WAY}", UNAVAILABLE) from error


def _append(response, url: str, out, limit_bytes: int) -> bool:
    """Whether the answer came whole."""
    length = response.headers.get("Content-Length", "")
    total = out.tell() + int(length) if length.isdigit() else None
    progress = Progress(Path(urllib.parse.urlsplit(url).path).name, total)
    try:
        while chunk := response.read(CHUNK_BYTES):
            if out.tell() + len(chunk) > limit_bytes:
                raise Problem(f"{url} has more than {limit_bytes} bytes: not what it should be")
            _write(out, chunk)
            progress.show(out.tell())
    except (OSError, http.client.HTTPException):
        return False
    return total is None or out.tell() >= total


def _write(out, chunk: bytes) -> None:
    rest = memoryview(chunk)
    with writing(out.name):
        while rest:
            rest = rest[out.write(rest) :]


class Progress:
    """On a terminal one line that moves, else a line for each tenth."""

    def __init__(self, name: str, total_bytes):
        self.name, self.total_bytes, self.shown_tenths = name, total_bytes, 0

    def show(self, done_bytes: int) -> None:
        if not self.total_bytes:
            return
        tenths = 10 * done_bytes // self.total_bytes
        text = f"{self.name}: {100 * done_bytes // self.total_bytes} % of {self.total_bytes / 1e6:.1f} MB"
        if sys.stderr.isatty():
            bar = "#" * (2 * tenths) + "-" * (20 - 2 * tenths)
            end = "\n" if done_bytes >= self.total_bytes else ""
            print(f"\r[{bar}] {text}", end=end, file=sys.stderr, flush=True)
        elif tenths > self.shown_tenths:
            print(text, file=sys.stderr, flush=True)
        self.shown_tenths = tenths
