"""scripts/aws/rehearse.sh: records of the real glimpse, over real mutual TLS, through the template's rule, read by the real aws."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from needs import ROOT, SCRIPTS, leave_out

for tool in ("npm", "node", "aws", "jq", "mosquitto_sub"):
    if not shutil.which(tool, path=os.environ["PATH"] + ":/usr/bin"):
        leave_out(f"{tool} is not installed")
installed = subprocess.run([SCRIPTS / "rehearsal" / "install.sh"], capture_output=True, text=True, check=False)
if installed.returncode:
    leave_out(installed.stderr.strip())
GLIMPSE = os.environ.get("GLIMPSE", str(ROOT / "build" / "glimpse"))
RECORDS = 40


class Rehearsal(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="glimpse-rehearsal-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def start(self, glimpse=GLIMPSE, script=SCRIPTS / "rehearse.sh"):
        environment = {**os.environ, "GLIMPSE": str(glimpse), "REHEARSAL_RECORDS": str(RECORDS), "TMPDIR": str(self.folder)}
        process = subprocess.Popen([script], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, start_new_session=True)
        self.addCleanup(lambda: process.poll() is None and os.killpg(process.pid, signal.SIGKILL))
        return process

    def finish(self, process):
        out, err = process.communicate(timeout=600)
        self.assertEqual(list(self.folder.iterdir()), [], "it left something behind")
        group = subprocess.run(["ps", "-o", "args=", "-g", str(process.pid)], capture_output=True, text=True, check=False).stdout
        self.assertEqual(group, "", "it left something running")
        return process.returncode, out, err

    def wrapper(self, text):
        """A glimpse that is none."""
        path = self.folder.parent / (self.folder.name + ".glimpse")
        path.write_text("#!/bin/sh\n" + text)
        path.chmod(0o755)
        self.addCleanup(path.unlink)
        return path

    def test_every_record_is_in_the_table_and_aws_reads_it(self):
        code, out, err = self.finish(self.start())
        self.assertEqual((code, err), (0, ""), out)
        self.assertEqual(re.findall(r"^(?:records sent|items in the table) +(\d+)$", out, re.M), [str(RECORDS)] * 2)
        self.assertRegex(out, r"(?m)^by Basic Ingest +20 sent, 20 in the table, 0 seen by a subscriber$")
        self.assertRegex(out, r"(?m)^forged records +2 sent, 0 in the table$")
        self.assertRegex(out, r"(?m)^shadow +quantized false -> true after \d+(\.\d)? s, 0 frames lost, longest gap \d+ ms$")
        self.assertRegex(out, r"(?m)^provisioned +rehearsal-2 by claim; 30 records sent as itself, 30 in the table$")
        self.assertRegex(out, r"(?m)^job +birds runs after [0-9.]+ s, 0 frames lost, longest gap \d+ ms$")
        for key in ("device", "time_ms", "value", "predictions"):
            self.assertIn(f'"{key}"', out)

    def test_help_runs_nothing_wherever_it_is_asked_for(self):
        result = subprocess.run([SCRIPTS / "rehearse.sh", "--help"], cwd="/", capture_output=True, text=True, check=False,
                                timeout=10)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertTrue(result.stdout.startswith("usage: "))

    def test_an_unknown_option_is_refused(self):
        result = subprocess.run([SCRIPTS / "rehearse.sh", "--fast"], capture_output=True, text=True, check=False, timeout=10)
        self.assertEqual(result.returncode, 64)
        self.assertEqual(result.stderr, "rehearse: unknown option --fast; scripts/aws/rehearse.sh --help\n")

    def test_a_policy_that_lets_a_device_forge_is_seen(self):
        """The rehearsal in a copy whose policy and rule are as careless as the lab's."""
        copy = self.folder.parent / (self.folder.name + ".copy")
        self.addCleanup(shutil.rmtree, copy)
        (copy / "tests").mkdir(parents=True)
        shutil.copytree(ROOT / "scripts", copy / "scripts")
        for path in ("tests/data", "models", ".local"):
            (copy / path).symlink_to(ROOT / path)
        template = copy / "scripts" / "aws" / "glimpse.yaml"
        careless = template.read_text().replace("topic/glimpse/v1/${!iot:Connection.Thing.ThingName}/*", "topic/glimpse/v1/*")
        template.write_text(careless)
        code, out, _ = self.finish(self.start(script=copy / "scripts" / "aws" / "rehearse.sh"))
        self.assertEqual(code, 1, out)
        self.assertRegex(out, r"(?m)^forged records +2 sent, 1 in the table$")
        template.write_text(careless.replace(" WHERE device = topic(3)", ""))
        _, out, _ = self.finish(self.start(script=copy / "scripts" / "aws" / "rehearse.sh"))
        self.assertRegex(out, r"(?m)^forged records +2 sent, 2 in the table$")

    def test_a_program_that_sends_nothing_is_told(self):
        code, _, err = self.finish(self.start(self.wrapper("echo 'broken: no camera' >&2; exit 66")))
        self.assertEqual((code, err), (70, "rehearse: glimpse: broken: no camera\n"))

    def test_it_cleans_up_when_it_is_stopped(self):
        process = self.start(self.wrapper(f"touch '{self.folder}/running'; while :; do sleep 0.1; done"))
        while not (self.folder / "running").exists():
            self.assertIsNone(process.poll())
        (self.folder / "running").unlink()
        os.killpg(process.pid, signal.SIGINT)
        code, _, _ = self.finish(process)
        self.assertEqual(code, 130)


if __name__ == "__main__":
    unittest.main()
