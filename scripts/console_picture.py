#!/usr/bin/env python3
"""Draws what a command shows on a terminal as an SVG picture.

The command runs in a real terminal (a pty), so what is drawn is what the program does when a person looks at it.
Needs python3-pyte (scripts/setup.sh --training).

example: scripts/console_picture.py --out docs/console.svg -- build/glimpse run --source tests/data/clip.mp4 --model demo --realtime
"""
import argparse
import fcntl
import html
import os
import pty
import select
import struct
import sys
import termios
import time

import pyte

CELL_WIDTH, CELL_HEIGHT, MARGIN, BAR = 8.4, 18, 16, 28  # pixels
BACKGROUND, FOREGROUND = "#11151c", "#d7dde8"
WEIGHTS = {True: ' font-weight="bold"', False: ""}
COLOURS = {"green": "#5fd38d", "red": "#ff7b72", "brown": "#e3b341", "default": FOREGROUND}


def screen_of(command, columns, rows, seconds):
    """Runs the command in a terminal of this size; its screen after so many seconds, or at its end."""
    screen = pyte.Screen(columns, rows)
    stream = pyte.ByteStream(screen)
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execvp(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if not select.select([terminal], [], [], left)[0]:
            break
        try:
            stream.feed(os.read(terminal, 65536))
        except OSError:  # the command has ended
            break
    os.kill(pid, 15)
    os.waitpid(pid, 0)
    return screen


def runs(row, columns):
    """Neighbouring characters of one style: (first column, text, style)."""
    start, text, style = 0, "", None
    for column in range(columns):
        char = row[column]
        if (char.fg, char.bold) != style:
            if text.strip():
                yield start, text, style
            start, text, style = column, "", (char.fg, char.bold)
        text += char.data
    if text.strip():
        yield start, text, style


def svg(screen, title):
    used = max((y for y in range(screen.lines) if screen.display[y].strip()), default=0) + 1
    width = 2 * MARGIN + screen.columns * CELL_WIDTH
    height = BAR + MARGIN + used * CELL_HEIGHT + MARGIN
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
           f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14">')
    yield f"<title>{html.escape(title)}</title>"
    yield f'<rect width="100%" height="100%" rx="10" fill="{BACKGROUND}"/>'
    for number, colour in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        yield f'<circle cx="{MARGIN + 6 + 20 * number}" cy="20" r="6" fill="{colour}"/>'
    for y in range(used):
        base = BAR + MARGIN + y * CELL_HEIGHT + 13
        for column, text, (colour, bold) in runs(screen.buffer[y], screen.columns):
            trimmed = text.rstrip()
            length = len(trimmed) * CELL_WIDTH
            yield (f'<text x="{MARGIN + column * CELL_WIDTH:.1f}" y="{base}" textLength="{length:.1f}" '
                   f'lengthAdjust="spacingAndGlyphs" xml:space="preserve" fill="{COLOURS.get(colour, FOREGROUND)}"'
                   f'{WEIGHTS[bold]}>{html.escape(trimmed)}</text>')
    yield "</svg>"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, metavar="FILE.svg")
    parser.add_argument("--seconds", type=float, default=8, help="when the picture is taken (default 8)")
    parser.add_argument("--columns", type=int, default=88)
    parser.add_argument("--rows", type=int, default=24)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not command:
        parser.error("which command? give it after --")
    screen = screen_of(command, arguments.columns, arguments.rows, arguments.seconds)
    with open(arguments.out, "w", encoding="utf-8") as out:
        out.write("\n".join(svg(screen, " ".join(command))) + "\n")


if __name__ == "__main__":
    sys.exit(main())
