#!/usr/bin/env python3
"""Records what a command shows on a terminal as an SVG picture that moves.

The command runs on a real terminal (a pty), so what is drawn is what the program does when a person looks at it. Viewers that
do not move pictures, or were asked not to, show the first frame. Needs python3-pyte (scripts/setup.sh --training).

example, with a broker, which has a line of its own on the screen:
  scripts/broker.sh start
  scripts/record_console.py --out docs/pictures/console.svg -- \\
    build/glimpse run --config .local/broker/glimpse.json --source tests/data/clip.mp4 --model demo --quantized --realtime --loop
"""
import argparse
import contextlib
import fcntl
import html
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

CELL_WIDTH, CELL_HEIGHT, MARGIN, BAR = 8.4, 18, 16, 28  # pixels
BACKGROUND, EDGE = "#11151c", "#39414f"
COLOURS = {"default": "#d7dde8", "green": "#5fd38d", "brown": "#e3b341", "red": "#ff7b72"}  # pyte calls yellow brown
DIM = "#8b95a5"


class Terminal:
    """A command on a terminal, read by an emulator."""

    def __init__(self, command, columns, rows, prompt):
        import pyte  # pylint: disable=import-outside-toplevel

        class Screen(pyte.Screen):
            """pyte knows no faint text: italics, which glimpse does not use, stand for it."""

            def select_graphic_rendition(self, *attributes, **options):
                super().select_graphic_rendition(*(3 if code == 2 else code for code in attributes), **options)

        self.screen = Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.environ.update(TERM="xterm-256color", LC_ALL="C.UTF-8")
            print(prompt, flush=True)
            os.execvp(command[0], command)

    def play(self, seconds):
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self.terminal], [], [], left)[0]:
                continue
            try:
                self.stream.feed(os.read(self.terminal, 65536))
            except OSError:
                sys.exit("record_console: the command ended before the recording did")

    def end(self):
        os.kill(self.pid, signal.SIGTERM)
        with contextlib.suppress(OSError):
            while os.read(self.terminal, 65536):
                pass
        os.waitpid(self.pid, 0)


def fill(char):
    return DIM if char.italics else COLOURS.get(char.fg, COLOURS["default"])


def runs(row, columns):
    """Neighbouring characters of one style, blocks apart from text: (first column, columns, characters, style). A wide character
    has a second cell, which is empty; one that combines has none."""
    start, found, style = 0, "", None
    for column in range(columns):
        char = row[column]
        this = (fill(char), char.bold, "▁" <= char.data[:1] <= "▏")
        if this != style or (this[2] and char.data != found[-1]):
            if found.strip():
                yield start, column - start, found, style
            start, found, style = column, "", this
        found += char.data
    if found.strip():
        yield start, columns - start, found, style


def block(column, characters):
    """The part of a path that fills the same block character again and again: a lower or a left part of the cell (Unicode,
    Block Elements)."""
    code = ord(characters[0])
    down = CELL_HEIGHT - 3  # rows do not touch
    if code < 0x2588:  # a sparkline, whose columns do not touch either
        down *= (code - 0x2580) / 8
        return "".join(rectangle(column + i, down, CELL_WIDTH - 0.9) for i in range(len(characters)))
    return rectangle(column, down, (len(characters) - 1 + (0x2590 - code) / 8) * CELL_WIDTH)


def rectangle(column, height, width):
    return f"M{column * CELL_WIDTH:.1f} {CELL_HEIGHT - 1.5:.1f}v-{height:.1f}h{width:.1f}v{height:.1f}z"


def row_markup(row, columns):
    parts, paths = [], {}
    for column, width, characters, (colour, bold, is_block) in runs(row, columns):
        if is_block:
            paths[colour] = paths.get(colour, "") + block(column, characters)
            continue
        text = characters.strip()
        width -= len(characters) - len(text)
        column += len(characters) - len(characters.lstrip())
        weight = ' class="b"' if bold else ""
        shade = "" if colour == COLOURS["default"] else f' fill="{colour}"'
        parts.append(f'<text x="{column * CELL_WIDTH:.1f}" y="13.5" textLength="{width * CELL_WIDTH:.1f}"{shade}{weight}>'
                     f"{html.escape(text)}</text>")
    parts += [f'<path fill="{colour}" d="{path}"/>' for colour, path in paths.items()]
    return "".join(parts)


def svg(frames, columns, rows, seconds, title):
    """`frames`: for each frame the markup of its rows. They stand below each other, and the film is pulled up step by step."""
    height, width = rows * CELL_HEIGHT, columns * CELL_WIDTH
    whole_width, whole_height = width + 2 * MARGIN, BAR + height + 2 * MARGIN
    names = {}
    film = []
    for number, frame in enumerate(frames):
        film += [f'<use href="#r{names.setdefault(markup, len(names))}" y="{number * height + y * CELL_HEIGHT}"/>'
                 for y, markup in enumerate(frame) if markup]
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole_width:.0f}" height="{whole_height:.0f}" '
           f'viewBox="0 0 {whole_width:.0f} {whole_height:.0f}" role="img">')
    yield f"<title>{html.escape(title)}</title>"
    yield (f'<style>text{{font:14px "DejaVu Sans Mono",Menlo,Consolas,monospace;white-space:pre}}.b{{font-weight:bold}}'
           f".film{{animation:film {seconds:.1f}s steps({len(frames)}) infinite}}"
           f"@keyframes film{{to{{transform:translateY(-{len(frames) * height}px)}}}}"
           "@media (prefers-reduced-motion:reduce){.film{animation:none}}</style>")
    yield "<defs>" + "\n".join(f'<g id="r{number}">{markup}</g>' for markup, number in names.items()) + "</defs>"
    yield (f'<rect x=".5" y=".5" width="{whole_width - 1:.0f}" height="{whole_height - 1:.0f}" rx="10" fill="{BACKGROUND}" '
           f'stroke="{EDGE}"/>')
    for number, colour in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        yield f'<circle cx="{MARGIN + 6 + 20 * number}" cy="20" r="6" fill="{colour}"/>'
    yield (f'<svg x="{MARGIN}" y="{BAR + MARGIN}" width="{width:.1f}" height="{height}">'
           f'<g class="film" fill="{COLOURS["default"]}">')
    yield "\n".join(film)
    yield "</g></svg></svg>"


def number(kind, least):
    def convert(text):
        value = kind(text)
        if not least <= value <= 10000:
            raise argparse.ArgumentTypeError(f"{text} is not within {least} and 10000")
        return value

    convert.__name__ = "number"  # argparse names it
    return convert


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, metavar="FILE.svg")
    parser.add_argument("--after", type=number(float, 0), default=30, help="seconds before the first frame (default %(default)s)")
    parser.add_argument("--seconds", type=number(float, 0.1), default=12, help="length (default %(default)s)")
    parser.add_argument("--rate", type=number(float, 0.1), default=4, help="frames a second (default %(default)s)")
    parser.add_argument("--columns", type=number(int, 1), default=80)
    parser.add_argument("--rows", type=number(int, 1), default=25)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not command:
        parser.error("which command? give it after --")
    count = round(arguments.seconds * arguments.rate)
    if count == 0:
        parser.error(f"no frame in {arguments.seconds:g} s at --rate {arguments.rate:g}")
    terminal = Terminal(command, arguments.columns, arguments.rows, "$ " + " ".join(command))
    terminal.play(arguments.after)
    frames = []
    for _ in range(count):
        terminal.play(1 / arguments.rate)
        frames.append([row_markup(terminal.screen.buffer[y], arguments.columns) for y in range(arguments.rows)])
    terminal.end()
    used = max((y + 1 for frame in frames for y, markup in enumerate(frame) if markup), default=1)
    text = "\n".join(svg([frame[:used] for frame in frames], arguments.columns, used, arguments.seconds, " ".join(command))) + "\n"
    with open(arguments.out, "w", encoding="utf-8") as out:
        out.write(text)
    print(f"{arguments.out}: {len(frames)} frames, {len(text.encode()) / 1000:.0f} kB")


if __name__ == "__main__":
    sys.exit(main())
