"""What was accepted outlives the process, whatever ends it; and what happens when the state folder is not as it should be."""

import contextlib
import json
import os
import pathlib
import signal
import sqlite3
import unittest

from harness import CLIP, Broker, TestCase, glimpse, interrupt, start, wait_until


def identity(record):
    return record["device"], record["boot"], record["seq"]


class Outbox(TestCase):
    def setUp(self):
        super().setUp()
        self.broker = Broker(self).start()
        self.state = self.folder / "outbox"

    def options(self, *more):
        return [*self.broker.options(), "--state", self.state, "--json", "--interval", "0", *more]

    def database(self):
        return self.state / "outbox-pi-test.db"

    def stored(self):
        with contextlib.closing(sqlite3.connect(self.database())) as database:
            return [json.loads(payload) for (payload,) in database.execute("SELECT payload FROM records ORDER BY id")]

    def run_offline(self, frames):
        self.broker.stop()
        result = glimpse(*self.options("--source", CLIP, "--frames", frames))
        self.assertEqual(result.code, 0, result.err)
        return result.records()

    def test_what_one_run_could_not_send_the_next_one_sends_unchanged_and_in_order(self):
        first = self.run_offline("40")
        self.assertEqual(self.stored(), first)
        self.broker.start()
        self.broker.subscribe()
        second = glimpse(*self.options("--source", CLIP, "--frames", "20"))
        self.assertEqual(second.code, 0, second.err)
        wait_until(lambda: len(self.broker.messages("telemetry")) >= 60, "60 records")
        self.assertEqual(self.broker.messages("telemetry"), first + second.records())
        self.assertIn("60 acknowledged by the broker, 0 kept for the next run", second.err)
        self.assertEqual(self.stored(), [])

    def test_a_kill_loses_nothing_that_was_printed(self):
        self.broker.stop()
        process = start(*self.options("--source", "test", "--fps", "200"))
        printed = [json.loads(process.stdout.readline()) for _ in range(100)]
        process.kill()
        rest, _ = process.communicate()
        printed += [json.loads(line) for line in rest.splitlines(keepends=True) if line.endswith("\n")]
        stored = {identity(record) for record in self.stored()}
        self.assertEqual([record for record in printed if identity(record) not in stored], [])

    def test_the_record_tells_what_the_operator_wants_to_know(self):
        self.broker.stop()
        process = start(*self.options("--source", "test", "--fps", "20"))
        self.addCleanup(process.kill)
        record = {}
        while not (record.get("link") or {}).get("last_error"):
            record = json.loads(process.stdout.readline())
        self.assertIn(record["link"]["state"], ("waiting", "connecting"))
        self.assertIn("nothing listens at localhost", record["link"]["last_error"])
        self.assertLessEqual(record["link"]["last_error_ms"], record["time_ms"])
        self.broker.start()
        while record["link"]["state"] != "connected" or record["outbox"]["acknowledged"] < 5:
            record = json.loads(process.stdout.readline())
        self.assertEqual(record["outbox"]["sent"] - record["outbox"]["acknowledged"] <= 20, True)
        code, _, err = interrupt(process, signal.SIGTERM)
        self.assertEqual(code, 0, err)

    def test_the_status_tells_version_and_model(self):
        self.broker.subscribe()
        glimpse(*self.options("--source", CLIP, "--frames", "5", "--quantized"))
        wait_until(lambda: len(self.broker.messages("status")) >= 2, "online and offline")
        online, offline = self.broker.messages("status")
        self.assertEqual((online["status"], offline["status"]), ("online", "offline"))
        self.assertEqual(online["model"]["name"], "demo")
        self.assertTrue(online["model"]["quantized"])
        self.assertRegex(online["version"], r"^\d+\.\d+\.\d+$")
        self.assertRegex(online["boot"], r"^[0-9a-f-]{36}$")

    def test_a_second_process_on_the_same_outbox_is_refused(self):
        process = start(*self.options("--source", "test", "--fps", "10"))
        self.addCleanup(process.kill)
        process.stdout.readline()
        second = glimpse(*self.options("--source", CLIP, "--frames", "5"))
        self.assert_refused(second, 78, "outbox-pi-test.db", "in use by another process", "--state")
        other = glimpse(*self.options("--source", CLIP, "--frames", "5", "--device", "somebody-else"))
        self.assertEqual(other.code, 0, other.err)  # each name has its own
        self.assertEqual(interrupt(process)[0], 0)

    def test_a_damaged_outbox_is_set_aside_and_reported(self):
        records = self.run_offline("30")
        self.database().write_text("this is no database\n")
        result = glimpse(*self.options("--source", CLIP, "--frames", "10"))
        self.assertEqual(result.code, 0, result.err)
        self.assertEqual(len(records), 30)
        warnings = [line for line in result.err.splitlines() if "was damaged" in line]
        self.assertEqual(len(warnings), 1, result.err)
        aside = [path for path in self.state.iterdir() if ".damaged-20" in path.name]
        self.assertEqual([path.read_text() for path in aside], ["this is no database\n"])
        self.assertEqual(self.stored(), result.records())

    def test_the_state_folder_is_private(self):
        self.run_offline("3")
        self.assertEqual(self.state.stat().st_mode & 0o777, 0o700)
        self.assertEqual(self.database().stat().st_mode & 0o777, 0o600)


class State(TestCase):
    """Where the state is, and folders that cannot be one."""

    def run_in(self, *options, **environment):
        return glimpse("--broker", "mqtt://localhost:1", "--device", "pi-test", "--source", CLIP, "--frames", "2", "--json",
                       *options, env={**os.environ, **environment})

    def test_the_default_is_systemds_then_xdgs_then_home(self):
        home, xdg, systemd = (self.folder / name for name in ("home", "xdg", "systemd"))
        for folder in (home, xdg, systemd):
            folder.mkdir()
        places = [
            ({"HOME": home, "XDG_STATE_HOME": "", "STATE_DIRECTORY": ""}, home / ".local" / "state" / "glimpse"),
            ({"HOME": home, "XDG_STATE_HOME": "relative"}, home / ".local" / "state" / "glimpse"),
            ({"HOME": home, "XDG_STATE_HOME": xdg}, xdg / "glimpse"),
            ({"HOME": home, "XDG_STATE_HOME": xdg, "STATE_DIRECTORY": f"{systemd}:/elsewhere"}, systemd),
        ]
        for environment, expected in places:
            result = self.run_in(**{name: str(value) for name, value in environment.items()})
            self.assertEqual(result.code, 0, result.err)
            self.assertTrue((expected / "outbox-pi-test.db").exists(), environment)
            (expected / "outbox-pi-test.db").unlink()

    def test_folders_that_cannot_be_one(self):
        in_the_way = self.folder / "file"
        in_the_way.write_text("")
        self.assert_refused(self.run_in("--state", in_the_way), 78, str(in_the_way), "--state")
        self.assert_refused(self.run_in("--state", in_the_way / "below"), 78, "cannot be made", "--state")
        self.assert_refused(self.run_in(HOME="", XDG_STATE_HOME=""), 78, "no HOME", "--state")

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_a_folder_that_is_not_ours(self):
        closed = self.folder / "closed"
        closed.mkdir(mode=0o500)
        self.assert_refused(self.run_in("--state", closed), 78, str(closed), "cannot be written to")

    def test_without_a_broker_nothing_is_stored(self):
        glimpse("--source", CLIP, "--frames", "2", "--json")
        self.assertFalse(pathlib.Path(os.environ["XDG_STATE_HOME"]).exists())

    def test_bad_settings(self):
        for options, words in ((("--drain", "lifo"), ("--drain", "newest or fifo")), (("--outbox-mb", "0"), ("--outbox-mb",)),
                               (("--sync", "2h"), ("--sync",)), (("--outbox-age", "1s"), ("--outbox-age",))):
            self.assert_refused(self.run_in(*options), 64, *words)


if __name__ == "__main__":
    unittest.main()
