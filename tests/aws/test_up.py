"""up.sh against the stand-in for aws."""

import json
import os
import pathlib
import shlex
import shutil
import stat
import subprocess
import unittest

from account import ROOT, AccountTest

NEEDED = ["cloudformation describe-stacks", "cloudformation deploy"]
CALLS = [*NEEDED, *NEEDED, "iot update-thing", "cloudformation describe-stacks", "iot describe-certificate", "iot describe-endpoint"]


def public_key(*words):
    return subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, text=True).stdout


class Up(AccountTest):
    def test_a_device_comes_up(self):
        self.assert_done(self.up())
        self.assertEqual(self.calls(), CALLS)
        device = self.device()
        self.assertEqual(json.loads((device / "glimpse.json").read_text()), {"telemetry": {
            "broker": "mqtts://a1b2c3d4e5f6g7-ats.iot.eu-central-1.amazonaws.com", "ca": str(device / "AmazonRootCA.pem"),
            "cert": str(device / "device.crt"), "key": str(device / "device.key"), "device": "pi-1"},
            "aws": {"shadow": True, "jobs": True}})
        self.assertEqual(stat.S_IMODE((device / "device.key").stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(device.stat().st_mode), 0o700)
        self.assertEqual(public_key("x509", "-in", device / "device.crt", "-noout", "-pubkey"),
                         public_key("pkey", "-in", device / "device.key", "-pubout"))
        # Amazon Root CA 1, as https://www.amazontrust.com/repository/ lists its SHA-256.
        fingerprint = public_key("x509", "-in", device / "AmazonRootCA.pem", "-noout", "-fingerprint", "-sha256")
        self.assertIn("8E:CD:E6:88:4F:3D:87:B1:12:5B:A3:1A:C3:FC:B1:3D:70:16:DE:7F:57:CC:90:4F:E1:CB:97:C6:AE:98:19:6E", fingerprint)

    def test_glimpse_takes_the_configuration_and_the_files(self):
        glimpse = os.environ.get("GLIMPSE", str(ROOT / "build" / "glimpse"))
        if not pathlib.Path(glimpse).exists():
            self.skipTest("glimpse is not built")
        self.assert_done(self.up())
        run = [glimpse, "run", "--config", self.device() / "glimpse.json"]
        shown = json.loads(subprocess.run([*run, "--print-config"], check=True, capture_output=True).stdout)
        for part, ours in json.loads((self.device() / "glimpse.json").read_text()).items():
            self.assertEqual({key: shown[part][key] for key in ours}, ours)
        # Key, certificate and authorities are judged at the start: 77 if anything is wrong with them. Here no broker answers.
        done = subprocess.run([*run, "--broker", "mqtts://127.0.0.1:1", "--state", self.folder / "state", "--source", "test", "--model",
                               ROOT / "models" / "demo", "--frames", "1"], capture_output=True, text=True, timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_key_stays_here(self):
        self.assert_done(self.up())
        key = (self.device() / "device.key").read_text().splitlines()[1]
        self.assertNotIn(key, self.file.read_text())
        self.assertIn("BEGIN CERTIFICATE REQUEST", self.account()["stacks"]["glimpse-pi-1"]["csr"])

    def test_a_second_time_changes_nothing(self):
        self.assert_done(self.up())
        files = {path: path.read_bytes() for path in self.device().iterdir()}
        stacks = self.account()["stacks"]
        self.assert_done(self.up())
        self.assertEqual({path: path.read_bytes() for path in self.device().iterdir()}, files)
        self.assertEqual(self.account()["stacks"], stacks)

    def test_many_devices_share_one_stack(self):
        for thing in ("pi-1", "pi-2", "pi_1", "pi:1"):
            self.assert_done(self.up(thing=thing))
        stacks = self.account()["stacks"]
        self.assertEqual(len(stacks), 5)  # pi_1 and pi:1 are no names for stacks, and not the same one
        self.assertEqual(sorted(stack["tags"].get("glimpse-thing", "") for stack in stacks.values()), ["", "pi-1", "pi-2", "pi:1", "pi_1"])
        for name in stacks:
            self.assertRegex(name, r"^glimpse(-[a-zA-Z0-9-]+)?$")

    def test_the_longest_name_makes_a_stack(self):
        self.assert_done(self.up(thing="a" * 128))
        self.assertLessEqual(max(map(len, self.account()["stacks"])), 128)

    def test_a_stack_and_region_of_ones_own(self):
        self.assert_done(self.up("--stack", "lab", "--region", "us-east-1"))
        self.assertEqual(sorted(self.account()["stacks"]), ["lab", "lab-pi-1"])
        for call in self.account()["calls"]:
            self.assertEqual(call[-2:], ["--region", "us-east-1"])

    def test_aws_configure_says_the_region(self):
        self.change(region="us-west-2")
        self.assert_done(self.up(AWS_REGION=""))
        self.assertEqual(self.account()["calls"][0][-1], "us-west-2")


class DryRun(AccountTest):
    def test_shows_the_calls_and_makes_none(self):
        shown = self.up("--dry-run")
        self.assert_done(shown)
        self.assertEqual(self.calls(), [])
        self.assertFalse(self.device().exists())
        self.up()
        made = self.account()["calls"]
        lines = [shlex.split(line)[1:] for line in shown.out.splitlines() if line.startswith("aws ")]
        certificate = next(word for call in made for word in call if len(word) == 64)
        csr = next(word for call in made for word in call if word.startswith("Csr="))
        written = {"CERTIFICATE_ID": certificate, f"Csr=$(cat {self.device()}/device.csr)": csr}
        self.assertEqual([[written.get(word, word) for word in line] for line in lines], made)

    def test_needs_neither_region_nor_aws(self):
        folder = self.folder / "without"
        folder.mkdir()
        for tool in ("bash", "env", "dirname", "basename", "openssl", "jq", "mktemp", "rm", "cat", "cut"):
            (folder / tool).symlink_to(shutil.which(tool))
        shown = self.up("--dry-run", AWS_REGION="", PATH=str(folder))
        self.assertEqual(shown.code, 0, shown.err)
        self.assertIn("REGION stands for it", shown.err)
        self.assertIn("--region REGION", shown.out)

    def test_the_real_aws_understands_every_call(self):
        aws = next((path for path in ("/usr/bin/aws", shutil.which("aws")) if path and pathlib.Path(path).exists()), None)
        if not aws or b"aws-cli/2" not in subprocess.run([aws, "--version"], capture_output=True, check=True).stdout:
            self.skipTest("no aws of version 2")
        shown = self.up("--dry-run").out + self.down("--dry-run").out + self.down("--dry-run", "--thing", "pi-1").out
        nobody = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_MAX_ATTEMPTS": "1", "PATH": "/usr/bin:/bin"}
        for line in sorted({line for line in shown.splitlines() if line.startswith("aws ")}):
            words = shlex.split(line.replace("CERTIFICATE_ID", "a" * 64))
            done = subprocess.run([aws, *words[1:], "--endpoint-url", "http://127.0.0.1:1"], env=nobody, capture_output=True,
                                  text=True, timeout=60, check=False)
            self.assertIn("Could not connect to the endpoint URL", done.stderr, line)  # not its complaint about the words


if __name__ == "__main__":
    unittest.main()
