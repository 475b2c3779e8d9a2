"""The live screen in a real terminal (a pty), judged by an emulator that is not ours (pyte)."""

import contextlib
import fcntl
import json
import os
import pty
import re
import resource
import select
import signal
import struct
import sys
import termios
import time
import unicodedata
import unittest
import zipfile

from harness import CLIP, DEMO, PATIENCE_S, Broker, TestCase, command, wait_until

try:
    import pyte
except ImportError:
    print("python3-pyte is not installed (scripts/setup.sh --training)")
    sys.exit(77)

ENVIRONMENT = {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "NO_COLOR": ""}
# Wide ones, an emoji that U+FE0F makes, joined ones, one of two letters, combining and right-to-left characters, none at all.
LABELS = ["雨傘", "❤\ufe0f heart", "👩\u200d👩\u200d👧", "🇩🇪 flag", "\U0001fae8 shaking", "cafe\u0301", "שלום", "傘" * 40, "g\u0338" * 60, ""]
CLIP_FOR_EVER = ("--source", CLIP, "--realtime", "--loop")
RATE = re.compile(r"^ *\d+\.\d fps( |$)")
GUESS = re.compile(r"^ ?1 \S.* \d+(\.\d)? %$")


class Screen(pyte.HistoryScreen):
    """Notes what pyte has no state for."""

    def __init__(self, columns, rows):
        super().__init__(columns, rows, history=10000, ratio=0.5)
        self.whole_screen_erased = 0
        self.ended = 0  # drawings

    def erase_in_display(self, how=0, *arguments, **options):
        self.whole_screen_erased += how in (2, 3)
        super().erase_in_display(how, *arguments, **options)

    def reset_mode(self, *modes, **options):
        self.ended += 2026 in modes and options.get("private", False)
        super().reset_mode(*modes, **options)

    def text(self):
        return [line.rstrip() for line in self.display]

    def history_lines(self):
        return ["".join(line[column].data for column in range(self.columns)).rstrip() for line in self.history.top]


class Terminal:
    """A process on a terminal of its own, and what stands on it."""

    def __init__(self, test, arguments, columns=80, rows=24, environment=(), redirect=""):
        self.screen = Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""  # what is shown
        self.held = b""  # a drawing whose end has not come: nothing of it is shown before (mode 2026)
        self.status = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.environ.update(ENVIRONMENT, **dict(environment))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            if redirect:
                os.dup2(os.open(redirect, os.O_WRONLY | os.O_CREAT, 0o600), 2)
            os.execvp(arguments[0], arguments)
        test.addCleanup(self.close)

    def read(self, seconds=0.1):
        """Takes what has come within that time. False: nothing has, or the process has ended."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        with contextlib.suppress(OSError):
            if data := os.read(self.fd, 65536):
                self.held += data
                start = self.held.rfind(b"\x1b[?2026h")
                self.show(start if start > self.held.rfind(b"\x1b[?2026l") else len(self.held))
                return True
        time.sleep(0.01)
        return False

    def show(self, size):
        self.raw += self.held[:size]
        self.stream.feed(self.held[:size])
        self.held = self.held[size:]

    def wait(self, condition, what):
        def look():
            self.read()
            return condition(self.screen)

        try:
            wait_until(look, what, timeout=min(PATIENCE_S, 120))
        except AssertionError as error:
            raise AssertionError(f"{error}; on the screen:\n" + "\n".join(self.screen.text())) from None

    def wait_for_drawings(self, count):
        until = self.screen.ended + count
        self.wait(lambda screen: screen.ended >= until, f"{count} drawings")

    def resize(self, columns, rows):
        while self.read(0):  # what was drawn before belongs to the old size
            pass
        self.screen.resize(rows, columns)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def echoes(self):
        """Whether the terminal shows the keys that are typed; what else we never touch is as it was."""
        local = termios.tcgetattr(self.fd)[3]
        others = termios.ISIG | termios.ICANON
        assert local & others == others, local
        return bool(local & termios.ECHO)

    def type(self, keys):
        os.write(self.fd, keys)

    def end(self):
        """Waits for the end; gives the exit status."""
        def ended():
            self.read(0.02)
            if self.status is None:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                self.status = os.waitstatus_to_exitcode(status) if pid else None
            return self.status is not None

        wait_until(ended, "the end", timeout=min(PATIENCE_S, 60))
        while self.read(0):
            pass
        self.show(len(self.held))
        return self.status

    def close(self):
        if self.fd < 0:
            return
        if self.status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)
        self.fd = -1


class Console(TestCase):
    def on_terminal(self, *arguments, **options):
        return Terminal(self, command(*arguments), **options)

    def drawn(self, *arguments, **options):
        """With the clip's things on the screen."""
        terminal = self.on_terminal(*(arguments or CLIP_FOR_EVER), **options)
        terminal.wait(lambda screen: any(GUESS.match(line) for line in screen.text()), "the first guess")
        return terminal

    def model_with_labels(self, labels):
        """The demo model, which says these instead of its own, in turn."""
        model = self.demo_copy()
        with zipfile.ZipFile(f"{DEMO}/float.pt") as old, zipfile.ZipFile(model / "float.pt", "w") as new:
            for entry in old.infolist():
                content = old.read(entry)
                if entry.filename.endswith("extra/glimpse.json"):
                    description = json.loads(content)
                    description["labels"] = [labels[i % len(labels)] for i in range(len(description["labels"]))]
                    content = json.dumps(description)
                new.writestr(entry.filename, content)
        (model / "manifest.json").unlink()
        return model

    def assert_one_screen(self, terminal, columns):
        """Each part of the live screen is there once, nothing of it is above or below, and nothing has been scrolled away."""
        lines = terminal.screen.text()
        shown = "\n".join(lines)
        for what, pattern in {"rate": RATE, "first guess": GUESS}.items():
            self.assertEqual(sum(bool(pattern.match(line)) for line in lines), 1, f"{what}:\n{shown}")
        ranks = [int(line[:2]) for line in lines if re.match(r"^[ 1]\d \S.* %$", line)]
        self.assertEqual(ranks, list(range(1, len(ranks) + 1)), shown)
        top = next(i for i, line in enumerate(lines) if line.startswith("demo "))
        drawing = terminal.raw[terminal.raw.rfind(b"\x1b[?2026h"):terminal.raw.rfind(b"\x1b[?2026l")].split(b"\n")
        height = len(drawing) - drawing[0].endswith(b"l\r\x1b[K\r")  # a blank line first, where there is room for one
        self.assertEqual("".join(lines[top + height:]), "", shown)
        self.assertLess(max(map(len, lines[top:])), columns, shown)
        for line in terminal.screen.history_lines() + lines[:top]:
            self.assertNotRegex(line, r" %$| up \d|[▁-▇]")

    def assert_clean(self, terminal):
        """Cursor visible, on a new line; what is written next is plain text that wraps."""
        screen = terminal.screen
        self.assertTrue(terminal.echoes())
        self.assertFalse(screen.cursor.hidden)
        self.assertIn(pyte.modes.DECAWM, screen.mode)
        self.assertEqual(screen.cursor.attrs, pyte.screens.Char(" "))
        self.assertEqual(screen.cursor.x, 0)
        self.assertEqual("".join(screen.text()[screen.cursor.y:]), "")

    def test_each_refresh_leaves_the_same_lines_in_their_place(self):
        terminal = self.drawn()
        for _ in range(15):
            terminal.wait_for_drawings(1)
            self.assert_one_screen(terminal, 80)
            self.assertTrue(terminal.screen.cursor.hidden)
            above = terminal.screen.text()[terminal.screen.cursor.y - 1]
            self.assertTrue(above.startswith("source "), above)
        lines = terminal.screen.text()
        top = next(i for i, line in enumerate(lines) if RATE.match(line)) - 1
        self.assertRegex(lines[top], r"^demo (float|int8) on \w+ +up 0:00:\d\d$")
        self.assertEqual(lines[top + 2], "")
        # The bar is as long as the number beside it says, to an eighth of its 44 columns.
        for line in lines[top + 3:top + 13]:
            percent = float(line.split()[-2])
            filled = sum(8 if char == "█" else ord("▐") - ord(char) for char in line if "█" <= char <= "▏")
            self.assertAlmostEqual(filled / 8 / 44 * 100, percent, delta=100 / 44 / 16 + 0.05 + 1e-9)
        self.assertRegex(lines[top + 14], r"^latency  p50 \d+\.\d   p90 ")
        self.assertRegex(lines[top + 15], r"^machine  cpu \d+ % [▁-▇]*   rss \d+ MiB")
        self.assertRegex(lines[top + 16], r"^frames   \d+ seen   0 dropped   at \d+   capture ")
        self.assertEqual(terminal.screen.whole_screen_erased, 0)
        self.assertEqual((terminal.screen.cursor.y, terminal.screen.cursor.x), (top - 1, 0))

    def test_labels_of_any_writing_leave_each_bar_and_percent_in_its_column(self):
        model = self.model_with_labels(LABELS)
        for columns, bar, last in ((80, 27, 79), (40, 15, 39)):  # where a bar begins, where a percent ends
            terminal = self.on_terminal("--model", model, "--trust", *CLIP_FOR_EVER, "--top-k", 91, columns=columns, rows=120)
            terminal.wait(lambda screen: any(line.endswith(" %") for line in screen.text()), "the first guess")
            for _ in range(3):
                terminal.wait_for_drawings(2)
                screen, shown = terminal.screen, set()
                top = next(y for y, line in enumerate(screen.text()) if RATE.match(line))
                for y in range(top + 2, top + 93):
                    cells = [screen.buffer[y][x].data for x in range(columns)]
                    shown.add(unicodedata.normalize("NFC", "".join(cells[3:bar - 1]).rstrip()))
                    self.assertRegex("".join(cells[:3]), r"^[ \d]\d $")
                    self.assertEqual(cells[bar - 1], " ", cells)
                    self.assertRegex("".join(cells[bar:last]), r"^█*[▏▎▍▌▋▊▉]? +\d+\.\d %$")
                    self.assertEqual(cells[last:], [" "], cells)
                self.assertTrue({"雨傘", "שלום", "café", ""} <= shown, shown)
                self.assertTrue(any(re.fullmatch("傘+…", label) for label in shown), shown)
                self.assertEqual(screen.history_lines(), [])
            terminal.close()

    def test_the_sparkline_grows_by_a_column_each_second(self):
        terminal = self.drawn()

        def columns():
            line = next((line for line in terminal.screen.text() if RATE.match(line)), "")
            return len(re.findall("[▁-▇]", line))

        terminal.wait(lambda _: columns() >= 3, "three seconds in the sparkline")
        line = next(line for line in terminal.screen.text() if RATE.match(line))
        self.assertEqual(re.search("[▁-▇]", line).start(), 71 - columns())  # the newest is the last of 60, and 11 stand before them

    def test_narrow_and_low_terminals(self):
        for columns, rows in ((40, 24), (20, 24), (20, 3), (80, 8), (300, 100)):
            terminal = self.on_terminal(*CLIP_FOR_EVER, columns=columns, rows=rows)
            terminal.wait(lambda screen: any(RATE.match(line) for line in screen.text()), "the rate")
            terminal.wait_for_drawings(10)
            if rows > 3:
                self.assert_one_screen(terminal, columns)
            else:
                self.assertEqual([line.split(" ")[0] for line in terminal.screen.text()][0:2], ["demo", "up"])
            terminal.close()

    def test_a_resize_in_the_middle(self):
        terminal = self.drawn()
        for columns, rows in ((40, 24), (100, 30), (60, 18), (20, 12), (80, 24)):
            terminal.resize(columns, rows)
            terminal.wait_for_drawings(3)
            terminal.wait(lambda screen: any(GUESS.match(line) for line in screen.text()), "a guess after the resize")
            self.assert_one_screen(terminal, columns)

    def test_keys_that_are_typed_do_not_show(self):
        terminal = self.drawn()
        self.assertFalse(terminal.echoes())
        terminal.type(b"\n\nls -l\n")
        terminal.wait_for_drawings(5)
        self.assert_one_screen(terminal, 80)
        self.assertNotIn("ls -l", "".join(terminal.screen.text()))

    def test_an_echo_that_was_off_stays_off(self):
        terminal = Terminal(self, ["sh", "-c", f"stty -echo; {' '.join(command(*CLIP_FOR_EVER, '--duration', '1s'))}"])
        self.assertEqual(terminal.end(), 0)
        self.assertIn("latency", "".join(terminal.screen.text()))
        self.assertFalse(terminal.echoes())

    def test_no_refresh_blanks_what_stays(self):
        """On a terminal that shows each byte as it comes, as Linux's own console does."""
        terminal = self.drawn()
        terminal.wait_for_drawings(3)
        drawings = terminal.raw[:terminal.raw.rfind(b"\x1b[?2026l")].split(b"\x1b[?2026h")
        screen = pyte.Screen(80, 24)
        stream = pyte.ByteStream(screen)
        stream.feed(b"\x1b[?2026h".join(drawings[:-1]))

        def filled():
            return {(y, x) for y, line in enumerate(screen.display) for x, char in enumerate(line) if char != " "}

        seen = [filled()]
        for byte in drawings[-1]:
            stream.feed(bytes([byte]))
            seen.append(filled())
        stay = seen[0] & seen[-1]
        self.assertGreater(len(stay), 300)
        for now in seen:
            self.assertEqual(stay - now, set())

    def test_ctrl_c_leaves_a_clean_terminal_and_the_summary(self):
        for stop in (lambda terminal: terminal.type(b"\x03"), lambda terminal: os.kill(terminal.pid, signal.SIGTERM)):
            terminal = self.drawn()
            stop(terminal)
            self.assertEqual(terminal.end(), 0)
            self.assert_clean(terminal)
            self.assert_one_screen(terminal, 80)  # the last one stays
            above = terminal.screen.text()[terminal.screen.cursor.y - 1]
            self.assertRegex(above, r"info: \d+ frames in \d+\.\d s, .* fps, 0 dropped; records: \d+ made$")

    def test_a_crash_leaves_a_clean_terminal(self):
        for how in (signal.SIGSEGV, signal.SIGABRT):
            terminal = self.drawn()
            os.kill(terminal.pid, how)
            self.assertEqual(terminal.end(), -how)
            self.assertTrue(terminal.echoes())
            self.assertFalse(terminal.screen.cursor.hidden)
            self.assertIn(pyte.modes.DECAWM, terminal.screen.mode)
            self.assertNotIn("latency", "".join(terminal.screen.text()))

    def test_ctrl_z_leaves_a_clean_terminal_and_fg_brings_the_screen_back(self):
        script = f"{' '.join(command(*CLIP_FOR_EVER))}; echo stopped; read -r line; bg; echo waits; read -r line; fg; echo ended"
        terminal = Terminal(self, ["bash", "-mc", script])
        terminal.wait(lambda screen: any(GUESS.match(line) for line in screen.text()), "the first guess")
        terminal.type(b"\x1a")
        terminal.wait(lambda screen: "stopped" in screen.text(), "the shell")
        self.assertFalse(terminal.screen.cursor.hidden)
        self.assertTrue(terminal.echoes())
        self.assertNotIn("latency", "".join(terminal.screen.text()))
        drawings = terminal.screen.ended
        self.assertFalse(terminal.read(0.3))
        terminal.type(b"\n")
        terminal.wait(lambda screen: "waits" in screen.text(), "the shell")
        self.assertFalse(terminal.read(0.5))  # it runs, and draws nothing
        self.assertTrue(terminal.echoes())
        self.assertEqual(terminal.screen.ended, drawings)
        terminal.type(b"\n")
        terminal.wait_for_drawings(3)
        self.assert_one_screen(terminal, 80)
        self.assertTrue(terminal.screen.cursor.hidden)
        self.assertFalse(terminal.echoes())
        terminal.type(b"\x03")
        terminal.wait(lambda screen: "ended" in screen.text(), "the end")
        self.assert_clean(terminal)

    def test_in_the_background_the_log_erases_nothing_of_the_shell(self):
        broker = Broker(self).start()
        program = " ".join(command(*CLIP_FOR_EVER, *broker.options()))
        terminal = Terminal(self, ["bash", "-mc", f"{program}; bg; printf 'typed so far'; read -r line; fg; echo ended"])
        terminal.wait(lambda screen: any(line.startswith("broker   connected") for line in screen.text()), "the connection")
        terminal.type(b"\x1a")
        terminal.wait(lambda screen: "typed so far" in screen.text(), "the shell")
        drawn = len(terminal.raw)
        broker.stop()
        terminal.wait(lambda screen: any("warning: telemetry" in line for line in screen.text()), "the warning")
        self.assertTrue(any(line.startswith("typed so far") for line in terminal.screen.text()), terminal.screen.text())
        self.assertNotIn(b"\x1b", terminal.raw[drawn:])
        terminal.type(b"\n")
        terminal.wait_for_drawings(3)
        self.assert_one_screen(terminal, 80)
        terminal.type(b"\x03")
        terminal.wait(lambda screen: "ended" in screen.text(), "the end")
        self.assert_clean(terminal)

    def test_log_lines_stay_above_the_screen(self):
        # A broker that is not there: the log says so, in a line that is longer than the terminal is wide.
        terminal = self.drawn(*CLIP_FOR_EVER, "--broker", "mqtt://127.0.0.1:1", columns=30, rows=60)
        terminal.wait(lambda screen: any("warning: telemetry" in line for line in screen.text()), "the warning")
        terminal.wait_for_drawings(3)
        lines = terminal.screen.text()
        self.assert_one_screen(terminal, 30)
        self.assertEqual(sum(line.startswith("source ") for line in lines), 1)
        warning = next(i for i, line in enumerate(lines) if "warning: telemetry" in line)
        self.assertLess(warning, next(i for i, line in enumerate(lines) if RATE.match(line)))
        self.assertTrue(any(line.startswith("waiting since ") for line in lines), lines)
        self.assertTrue(any(line.startswith("last error, ") for line in lines), lines)

    def test_a_log_line_erases_the_screen_that_it_is_written_over(self):
        # So low that no blank line is above the screen, so wide that the warning is shorter than its first line.
        broker = Broker(self).start()
        terminal = self.drawn(*CLIP_FOR_EVER, *broker.options(), columns=250, rows=16)
        terminal.wait(lambda screen: any(line.startswith("broker   connected") for line in screen.text()), "the connection")
        broker.stop()
        terminal.wait(lambda screen: any("warning: telemetry" in line for line in screen.history_lines() + screen.text()), "the warning")
        terminal.wait_for_drawings(1)
        self.assert_one_screen(terminal, 250)

    def test_standard_error_in_a_file_stays_there(self):
        log = self.folder / "log"
        terminal = self.drawn(*CLIP_FOR_EVER, "--broker", "mqtt://127.0.0.1:1", redirect=str(log))
        terminal.wait(lambda screen: any("last error" in line for line in screen.text()), "the error")
        wait_until(lambda: "warning: telemetry" in log.read_text(), "the warning in the file")
        terminal.type(b"\x03")
        self.assertEqual(terminal.end(), 0)
        self.assertIn("frames in", log.read_text())
        self.assertNotIn(b"info:", terminal.raw)
        self.assertNotIn(b"warning:", terminal.raw)

    def test_colour_unless_it_is_refused(self):
        colours = re.compile(rb"\x1b\[[0-9;]*m")
        self.assertRegex(self.drawn().raw, colours)
        self.assertNotRegex(self.drawn(environment={"NO_COLOR": "1"}).raw, colours)

    def test_a_terminal_that_knows_ascii_alone(self):
        terminal = self.drawn(environment={"LC_ALL": "C"})
        terminal.wait_for_drawings(3)
        self.assertTrue(terminal.raw.isascii())
        self.assertTrue(any(re.match(r"^ 1 \S.* #+ +\d+\.\d %$", line) for line in terminal.screen.text()))

    def test_a_dumb_terminal_gets_lines(self):
        terminal = self.on_terminal(*CLIP_FOR_EVER, environment={"TERM": "dumb"})
        terminal.wait(lambda screen: any(line.startswith("frame ") for line in screen.text()), "a line")
        self.assertNotIn(b"\x1b", terminal.raw)

    def test_a_terminal_that_takes_nothing_holds_up_no_record_and_not_the_end(self):
        broker = Broker(self).start()
        broker.subscribe()
        terminal = self.drawn(*CLIP_FOR_EVER, *broker.options(), "--interval", "50ms")
        wait_until(lambda: broker.messages("telemetry"), "a record")
        terminal.type(b"\x13")  # Ctrl-S
        broker.stop()  # that is logged, but nobody may wait until it can be read
        broker.start()
        broker.subscribe()
        wait_until(lambda: len(broker.messages("telemetry")) >= 60, "three seconds of records", timeout=min(PATIENCE_S, 120))
        os.kill(terminal.pid, signal.SIGTERM)
        start = time.monotonic()
        wait_until(lambda: os.waitid(os.P_PID, terminal.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT), "the end", timeout=10)
        self.assertLess(time.monotonic() - start, 3)
        self.assertTrue(terminal.echoes())
        self.assertEqual(terminal.end(), 0)

    def test_after_ctrl_q_the_screen_goes_on(self):
        terminal = self.drawn()
        terminal.type(b"\x13")
        while terminal.read(0.3):
            pass
        terminal.type(b"\x11")
        terminal.wait_for_drawings(3)
        self.assert_one_screen(terminal, 80)


if __name__ == "__main__":
    unittest.main()
