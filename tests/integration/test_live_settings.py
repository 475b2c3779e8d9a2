"""The model changes while frames come: none is lost, each is named by one model, and what is refused changes nothing."""

import csv
import fcntl
import json
import os
import pathlib
import shutil
import signal
import subprocess
import threading
import unittest

from harness import CLIP, GLIMPSE, PATIENCE_S, interrupt, wait_until
from test_service import Manager, ServiceCase

CLIP_FRAMES = 720
with open(pathlib.Path(CLIP).with_suffix(".csv"), newline="", encoding="utf-8") as rows:
    TRUTH = {frame: row["label"] for row in csv.DictReader(rows)
             for frame in range(int(row["first_frame"]), int(row["last_frame"]) + 1)}


class LiveCase(ServiceCase):
    """A service whose model is a copy of the demo and whose records are read as they come."""

    def setUp(self):
        super().setUp()
        self.manager = Manager(self, self.address)
        self.config = self.folder / "glimpse.json"
        self.model = self.demo_copy()
        self.records = []

    @staticmethod
    def command(*arguments):
        return [GLIMPSE, "run", *map(str, arguments)]

    def write(self, **model):
        self.config.write_text(json.dumps({"model": {"name": str(self.model), "threads": 1, **model}, "telemetry": {"interval_s": 0}}))

    def start_it(self, *arguments, **model):
        self.write(**model)
        process = self.run_it("--config", self.config, "--source", CLIP, "--realtime", "--json", *arguments, out=subprocess.PIPE)
        reader = threading.Thread(target=lambda: self.records.extend(map(json.loads, process.stdout)), daemon=True)
        reader.start()
        self.addCleanup(reader.join, PATIENCE_S)
        self.addCleanup(process.kill)  # before that, the last added being the first done: it closes the pipe
        wait_until(lambda: self.manager.count("READY=1"), "READY=1")
        return process

    def reload(self, process):
        before = self.manager.count("READY=1")
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.manager.count("READY=1") > before, "the end of the reload")

    def more(self, count):
        goal = len(self.records) + count
        wait_until(lambda: len(self.records) >= goal, f"{count} more records")

    def assert_no_frame_lost(self):
        indices = [record["frames"]["index"] for record in self.records]
        self.assertEqual(indices, [frame % CLIP_FRAMES for frame in range(len(indices))])
        self.assertEqual([record["seq"] for record in self.records], list(range(1, len(indices) + 1)))

    def models(self):
        """What named the frames, in order, each change once."""
        seen = []
        for record in self.records:
            if not seen or seen[-1] != record["model"]:
                seen.append(record["model"])
        return seen

    def sha256(self, file):
        return json.loads((self.model / "manifest.json").read_text())["files"][file]["sha256"]

    def hold(self, file):
        """Nobody else can open it from here on, for up to 45 s (F_SETLEASE in fcntl(2)). Gives what tells that somebody wants to,
        and what lets them."""
        before = signal.signal(signal.SIGIO, signal.SIG_IGN)
        self.addCleanup(signal.signal, signal.SIGIO, before)
        held = os.open(file, os.O_RDWR)
        self.addCleanup(os.close, held)
        try:
            fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        except OSError as error:
            self.skipTest(f"no leases on the file system of {file}: {error}")
        return (lambda: fcntl.fcntl(held, fcntl.F_GETLEASE) != fcntl.F_WRLCK,
                lambda: fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_UNLCK))


class Switch(LiveCase):
    def test_from_float_to_int8_and_back_without_losing_a_frame(self):
        process = self.start_it("--loop", quantized=False)
        self.more(70)  # of which 45 show a thing
        for quantized in (True, False):
            self.write(quantized=quantized)
            self.reload(process)
            self.assertIn(f"reload: model.quantized is {str(quantized).lower()}", self.log())
            then = len(self.records)
            self.more(70)
            self.assertTrue(all(record["model"]["quantized"] == quantized for record in self.records[then + 3:]))
        self.end(process)
        self.assert_no_frame_lost()
        models = self.models()
        self.assertEqual([model["quantized"] for model in models], [False, True, False])
        self.assertEqual([model["sha256"] for model in models], [self.sha256(form) for form in ("float.pt", "int8.pt", "float.pt")])
        for form in (False, True):
            named = [(TRUTH[record["frames"]["index"]], record["predictions"][0]["label"]) for record in self.records
                     if record["model"]["quantized"] == form and record["frames"]["index"] in TRUTH]
            self.assertGreater(len(named), 20)
            self.assertGreaterEqual(sum(truth == label for truth, label in named) / len(named), 0.9, named)
        self.assertEqual(self.log().count("reload: "), 2)
        self.assertEqual(self.log().count("from the next frame on model demo "), 2)

    def test_a_change_of_nothing_but_top_k_loads_nothing(self):
        process = self.start_it("--loop", top_k=3)
        self.hold(self.model / "float.pt")  # nor is it opened
        self.write(top_k=5)
        self.reload(process)
        self.more(5)
        self.end(process)
        self.assertEqual(len(self.records[-1]["predictions"]), 5)
        self.assertNotIn("from the next frame on", self.log())
        self.assert_no_frame_lost()

    def test_records_go_on_while_a_model_is_loaded_and_the_reload_is_over_after_it(self):
        process = self.start_it("--loop", quantized=False)
        wanted, release = self.hold(self.model / "int8.pt")
        self.write(quantized=True)
        process.send_signal(signal.SIGHUP)
        wait_until(wanted, "somebody who opens int8.pt")
        self.more(30)
        self.assertEqual(self.manager.count("RELOADING=1"), 1)
        self.assertEqual(self.manager.count("READY=1"), 1)  # that of the start
        self.assertFalse(self.records[-1]["model"]["quantized"])
        release()
        wait_until(lambda: self.manager.count("READY=1") == 2, "the end of the reload")
        self.more(5)
        self.end(process)
        self.assertTrue(self.records[-1]["model"]["quantized"])
        self.assert_no_frame_lost()


class Refused(LiveCase):
    def test_a_model_that_cannot_be_is_one_line_and_changes_nothing(self):
        process = self.start_it("--loop", quantized=False, top_k=3)
        (self.folder / "half").mkdir()
        shutil.copy(self.model / "float.pt", self.folder / "half")
        shutil.copy(self.model / "manifest.json", self.folder / "half")
        with open(self.model / "int8.pt", "r+b") as damaged:
            damaged.seek(1000)
            damaged.write(b"damaged")
        for change, reason in (({"name": "no-such-model"}, "model: no model 'no-such-model'"),
                               ({"name": str(self.folder / "half"), "quantized": True}, "model: .*this model has no int8 form"),
                               ({"quantized": True}, "quantized: .*int8.pt is damaged or not the file of its manifest"),
                               ({"name": "no\nsuch"}, "model: no model 'no.x0asuch'")):
            with self.subTest(change):
                before = len(self.log().splitlines())
                self.write(top_k=7, **change)
                self.reload(process)
                lines = self.log().splitlines()[before:]
                self.assertEqual(len(lines), 1, lines)
                self.assertRegex(lines[0], "error: reload: nothing changes: " + reason)
        self.write(top_k=4)
        self.reload(process)  # and it goes on
        self.more(5)
        self.end(process)
        self.assertEqual({len(record["predictions"]) for record in self.records}, {3, 4})
        self.assertEqual(len(self.models()), 1)
        self.assert_no_frame_lost()


class StopWhileLoading(LiveCase):
    def begin_loading(self, *arguments):
        process = self.start_it(*arguments, quantized=False)
        wanted, _ = self.hold(self.model / "int8.pt")
        self.write(quantized=True)
        process.send_signal(signal.SIGHUP)
        wait_until(wanted, "somebody who opens int8.pt")
        return process

    def test_a_stop_does_not_wait_for_the_model(self):
        process = self.begin_loading("--loop")
        code, _, _ = interrupt(process, signal.SIGTERM)
        self.assertEqual(code, 0, self.log())
        self.assertIn(" frames in ", self.log())
        self.assertEqual(self.manager.count("READY=1"), 1)  # nobody says that the reload is over

    def test_nor_does_the_end_of_the_source(self):
        process = self.begin_loading("--frames", "200")
        self.assertEqual(process.wait(30), 0, self.log())
        wait_until(lambda: len(self.records) == 200, "the last record")
        self.assert_no_frame_lost()
        self.assertIn("200 frames in ", self.log())


if __name__ == "__main__":
    unittest.main()
