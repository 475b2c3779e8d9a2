#!/usr/bin/env python3
"""What viewers of the live page cost: inference fps with 0, 1 and 4 of them in one run, and memory while they come and go.

  tests/bench/web_viewers.py                  ten rounds of 0, 1 and 4 viewers, 4 s each; then memory for a minute
  tests/bench/web_viewers.py --minutes 10 --rounds 20
  tests/bench/web_viewers.py -- --source csi --quantized    this source and model instead of the bundled clip, played as fast as it goes

A viewer reads /stream.mjpg and /api/events to the full, in a process of its own on this machine; what it takes itself is in the figures.
Ratios are taken within each round, since a shared machine's speed changes from minute to minute. Figures go to stdout. Exit: 0 within
bounds (5 % fewer fps with 1 viewer, 12 % with 4; memory in the second half at most 5 MB above the first), 1 not.
"""

import argparse
import os
import pathlib
import random
import re
import socket
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
GLIMPSE = os.environ.get("GLIMPSE", str(ROOT / "build" / "glimpse"))
CLIP = ["--source", str(ROOT / "tests" / "data" / "clip.mp4"), "--loop", "--model", str(ROOT / "models" / "demo")]
VIEWERS = (0, 1, 4)
LOWEST = {1: 0.95, 4: 0.88}
SETTLE_S = 0.5
MOST_GROWTH_MB = 5

READER = """
import selectors, socket, sys
waiting = selectors.DefaultSelector()
for path in ("/stream.mjpg", "/api/events"):
    one = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    one.sendall(f"GET {path} HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n".encode())
    waiting.register(one, selectors.EVENT_READ)
while all(key.fileobj.recv(1 << 20) for key, _ in waiting.select()):
    pass
"""


class Page:
    def __init__(self, arguments):
        self.process = subprocess.Popen([GLIMPSE, "run", "--web", "127.0.0.1:0", "--json", *arguments], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        said = ""
        for line in self.process.stderr:
            said += line
            if found := re.search(r"page http://\S*:(\d+)/", line):
                self.port = int(found[1])
                return
        sys.exit(said)

    def metrics(self):
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
            text = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
        return {name: float(value) for name, value in re.findall(r"^(glimpse_\w+) (\S+)$", text, re.MULTILINE)}

    def named(self):
        return self.metrics()["glimpse_inference_seconds_count"], time.monotonic()

    def memory_mb(self):
        return self.metrics()["glimpse_resident_memory_bytes"] / 2**20

    def view(self):
        return subprocess.Popen([sys.executable, "-c", READER, str(self.port)])


def ticks(process):
    """CPU time of the process in seconds."""
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def leave(viewers):
    for viewer in viewers:
        viewer.kill()
    for viewer in viewers:
        viewer.wait()


def fps_with(page, count, seconds):
    """Inference fps, CPU milliseconds for a frame, and pictures a second encoded meanwhile."""
    viewers = [page.view() for _ in range(count)]
    time.sleep(SETTLE_S)
    encoded = page.metrics()["glimpse_web_pictures_encoded_total"]
    used = ticks(page.process)
    before, started = page.named()
    time.sleep(seconds)
    after, ended = page.named()
    used = ticks(page.process) - used
    encoded = page.metrics()["glimpse_web_pictures_encoded_total"] - encoded
    leave(viewers)
    return (after - before) / (ended - started), 1000 * used / (after - before), encoded / (ended - started)


def speed(page, rounds, seconds):
    fps, cpu = ({count: [] for count in VIEWERS} for _ in range(2))
    pictures = []
    for number in range(rounds):
        for count in VIEWERS if number % 2 == 0 else VIEWERS[::-1]:
            rate, cpu_ms, encoded = fps_with(page, count, seconds)
            fps[count].append(rate)
            cpu[count].append(cpu_ms)
            if count:
                pictures.append(encoded)
    print(f"{rounds} rounds of {seconds:g} s each, medians; {statistics.median(pictures):.1f} pictures/s")
    print("viewers  inference fps  ratio (lowest to highest)  wanted  CPU ms/frame  ratio")
    good = True
    for count in VIEWERS:
        ratios = [with_them / without for with_them, without in zip(fps[count], fps[0])]
        costs = [with_them / without for with_them, without in zip(cpu[count], cpu[0])]
        good = good and statistics.median(ratios) >= LOWEST.get(count, 0)
        print(f"{count:7}  {statistics.median(fps[count]):13.1f}  {statistics.median(ratios):5.3f} ({min(ratios):.3f} to {max(ratios):.3f})"
              f"     {LOWEST.get(count, 1):6}  {statistics.median(cpu[count]):12.2f}  {statistics.median(costs):5.3f}")
    return good


def memory(page, minutes):
    """Viewers come and go, up to six at a time."""
    viewers, found = [], []
    end = time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        if len(viewers) < 6 and random.random() < 0.6:
            viewers.append(page.view())
        elif viewers:
            leave([viewers.pop(random.randrange(len(viewers)))])
        time.sleep(random.uniform(0, 0.5))
        found.append(page.memory_mb())
    leave(viewers)
    half = len(found) // 2
    first, second = statistics.median(found[:half]), statistics.median(found[half:])
    print(f"memory over {minutes:g} min with viewers coming and going: first half {first:.1f} MiB, second half {second:.1f} MiB, "
          f"smallest {min(found):.1f}, largest {max(found):.1f}")
    return second - first <= MOST_GROWTH_MB


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, metavar="N", help="(default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=4, metavar="S", help="of each phase (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=1, metavar="M", help="of the look at memory (default: %(default)s)")
    parser.add_argument("arguments", nargs="*", metavar="ARGUMENT", help="for glimpse run, after --")
    given = parser.parse_args()
    page = Page(given.arguments or CLIP)
    try:
        results = [speed(page, given.rounds, given.seconds)] if given.rounds else []
        results += [memory(page, given.minutes)] if given.minutes else []
    finally:
        page.process.terminate()
        page.process.wait()
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
