"""Runs up.sh and down.sh against the stand-in for aws, in a folder of their own."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from needs import ROOT, leave_out

for tool in ("openssl", "jq"):
    if not shutil.which(tool):
        leave_out(f"{tool} is not installed")
HERE = pathlib.Path(__file__).resolve().parent
SCRIPTS = ROOT / "scripts" / "aws"
REGION = "eu-central-1"
USER = "arn:aws:iam::123456789012:user/pi"


class Result:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr


class AccountTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="glimpse-aws-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        (self.folder / "bin").mkdir()
        (self.folder / "bin" / "aws").symlink_to(HERE / "fake_aws.py")
        self.file = self.folder / "account.json"
        self.change(stacks={}, calls=[])

    def account(self):
        return json.loads(self.file.read_text())

    def change(self, **values):
        old = self.account() if self.file.exists() else {}
        self.file.write_text(json.dumps({**old, **values}))

    def script(self, name, *words, **variables):
        kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        environment = {**kept, "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "FAKE_AWS": str(self.file),
                       "AWS_REGION": REGION, **variables}
        text = variables.pop("typed", "")
        environment.pop("typed", None)
        return Result(subprocess.run([SCRIPTS / name, *map(str, words)], env=environment, input=text, capture_output=True,
                                     text=True, timeout=120))

    def up(self, *words, thing="pi-1", **variables):
        return self.script("up.sh", "--thing", thing, "--dir", self.device(thing), *words, **variables)

    def down(self, *words, **variables):
        return self.script("down.sh", *words, **variables)

    def device(self, thing="pi-1"):
        return self.folder / "devices" / thing

    def calls(self):
        """What was called since the last time, `service operation` each."""
        calls = self.account()["calls"]
        self.change(calls=[])
        return [" ".join(call[:2]) for call in calls]

    def assert_done(self, result):
        self.assertEqual((result.code, result.err), (0, ""), result.out)

    def assert_refused(self, result, code, *words):
        """This exit status, and one line on standard error that has these words."""
        self.assertEqual(result.code, code, result.err)
        self.assertEqual(len(result.err.splitlines()), 1, result.err)
        for word in words:
            self.assertIn(word, result.err)
