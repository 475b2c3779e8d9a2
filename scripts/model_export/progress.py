"""What a long run says of itself, on standard error: lasting lines, and one that changes."""

import sys
import time

EVERY_S = 15.0  # where there is no terminal, a changing line would fill the log


class Progress:
    def __init__(self):
        self.on_terminal = sys.stderr.isatty()
        self.shown_at = time.monotonic()

    def say(self, text: str) -> None:
        print(("\r\x1b[K" if self.on_terminal else "") + text, file=sys.stderr, flush=True)
        self.shown_at = time.monotonic()

    def now(self, text: str) -> None:
        """How far it is. On a terminal it takes the place of the one before."""
        if self.on_terminal:
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - self.shown_at >= EVERY_S:
            self.say(text)
