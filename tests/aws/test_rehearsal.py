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

    def start(self, glimpse=GLIMPSE, records=RECORDS):
        environment = {**os.environ, "GLIMPSE": str(glimpse), "REHEARSAL_RECORDS": str(records), "TMPDIR": str(self.folder)}
        return subprocess.Popen([SCRIPTS / "rehearse.sh"], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, start_new_session=True)

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
        for key in ("device", "time_ms", "value", "predictions"):
            self.assertIn(f'"{key}"', out)

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
