"""up.sh against the stand-in for aws."""

import json
import os
import pathlib
import shlex
import shutil
import stat
import subprocess
import unittest

from account import ROOT, USER, AccountTest

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
            "cert": str(device / "device.crt"), "key": str(device / "device.key"), "device": "pi-1"}})
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
        ours = json.loads((self.device() / "glimpse.json").read_text())["telemetry"]
        self.assertEqual({key: shown["telemetry"][key] for key in ours}, ours)
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


class Refused(AccountTest):
    def test_names_that_aws_refuses(self):
        for thing in ("a b", "a/b", "a.b", "ä", "a#", "a+", "$aws", "a" * 129, "a\nb", "*"):
            result = self.script("up.sh", "--thing", thing)
            self.assertEqual(result.code, 64)
            self.assertIn("AWS takes 1 to 128 of a-z A-Z 0-9 : _ -", result.err)
        self.assertEqual(self.calls(), [])

    def test_stacks_and_regions_that_are_none(self):
        for stack in ("a-b", "ab", "1abc", "a_b", "a" * 33):
            self.assert_refused(self.up("--stack", stack), 64, "letters and digits")
        for region in ("europe", "eu-central", "EU-CENTRAL-1", "eu-central-1; ls"):
            self.assert_refused(self.up("--region", region), 64, "they look like eu-central-1")
        self.assertEqual(self.calls(), [])

    def test_words_it_does_not_know(self):
        self.assertEqual(self.script("up.sh").code, 64)
        self.assertEqual(self.up("--yes").code, 64)
        self.assertEqual(self.up("--quickly").code, 64)
        self.assert_refused(self.script("up.sh", "--thing"), 64, "--thing needs a value")

    def test_no_region(self):
        self.assert_refused(self.up(AWS_REGION=""), 78, "no region", "aws configure")

    def test_no_credentials(self):
        self.change(refusals={"cloudformation describe-stacks":
                              'Unable to locate credentials. You can configure credentials by running "aws configure".'})
        self.assert_refused(self.up(), 77, "no AWS credentials", "aws configure")

    def test_expired_credentials(self):
        self.change(refusals={"cloudformation describe-stacks": "An error occurred (ExpiredToken) when calling the DescribeStacks "
                              "operation: The security token included in the request is expired"})
        self.assert_refused(self.up(), 77, "does not take these credentials", "is expired")

    def test_a_permission_that_is_missing_is_named(self):
        for call, action in (("cloudformation describe-stacks", "cloudformation:DescribeStacks"),
                             ("cloudformation deploy", "cloudformation:CreateChangeSet"),
                             ("iot update-thing", "iot:UpdateThing"), ("iot describe-certificate", "iot:DescribeCertificate"),
                             ("iot describe-endpoint", "iot:DescribeEndpoint")):
            operation = action.split(":")[1]
            self.change(refusals={call: f"An error occurred (AccessDeniedException) when calling the {operation} operation: User: {USER} "
                                  f"is not authorized to perform: {action} because no identity-based policy allows the {action} action"})
            result = self.up()
            self.assert_refused(result, 77, f"{USER} may not {action};")

    def test_a_permission_that_cloudformation_misses_is_named(self):
        self.change(deploy_fails={"glimpse": [
            {"ResourceType": "AWS::IoT::TopicRule", "LogicalResourceId": "Rule", "ResourceStatus": "CREATE_FAILED",
             "ResourceStatusReason": "Resource creation cancelled"},
            {"ResourceType": "AWS::IAM::Role", "LogicalResourceId": "WriterRole", "ResourceStatus": "CREATE_FAILED",
             "ResourceStatusReason": f"User: {USER} is not authorized to perform: iam:CreateRole on resource: x (Service: Iam)"},
            {"ResourceType": "AWS::CloudFormation::Stack", "LogicalResourceId": "glimpse", "ResourceStatus": "CREATE_IN_PROGRESS",
             "ResourceStatusReason": "User Initiated"},
            {"ResourceType": "AWS::IoT::Policy", "LogicalResourceId": "Policy", "ResourceStatus": "CREATE_FAILED",
             "ResourceStatusReason": "an older failure"}]})
        self.assert_refused(self.up(), 77, "stack glimpse: ", f"{USER} may not iam:CreateRole;")

    def test_what_cloudformation_could_not_make_is_named(self):
        self.change(deploy_fails={"glimpse-pi-1": [
            {"ResourceType": "AWS::IoT::Thing", "LogicalResourceId": "Device", "ResourceStatus": "CREATE_FAILED",
             "ResourceStatusReason": "pi-1 already exists"},
            {"ResourceType": "AWS::CloudFormation::Stack", "LogicalResourceId": "glimpse-pi-1", "ResourceStatus": "CREATE_IN_PROGRESS",
             "ResourceStatusReason": "User Initiated"}]})
        self.assert_refused(self.up(), 69, "stack glimpse-pi-1: Device: pi-1 already exists")

    def test_a_creation_that_was_rolled_back_is_begun_anew(self):
        self.change(stacks={"glimpse": {"status": "ROLLBACK_COMPLETE", "tags": {}}})
        self.assert_done(self.up())
        self.assertEqual(self.calls()[:4], ["cloudformation describe-stacks", "cloudformation delete-stack", "cloudformation wait",
                                            "cloudformation deploy"])

    def test_a_stack_left_half_done(self):
        for status in ("CREATE_FAILED", "ROLLBACK_FAILED", "DELETE_FAILED"):
            self.change(stacks={"glimpse": {"status": status, "tags": {}}})
            self.assert_refused(self.up(), 69, status, "scripts/aws/down.sh --stack glimpse")
        self.change(stacks={"glimpse": {"status": "UPDATE_ROLLBACK_FAILED", "tags": {}}})
        self.assert_refused(self.up(), 69, "continue-update-rollback --stack-name glimpse")
        self.change(stacks={"glimpse-pi-1": {"status": "CREATE_FAILED", "tags": {}}})
        (self.device()).mkdir(parents=True)
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out",
                        self.device() / "device.key"], check=True, capture_output=True)
        self.assert_refused(self.up(), 69, "scripts/aws/down.sh --stack glimpse --thing pi-1")

    def test_a_stack_that_is_being_changed(self):
        for status in ("CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "DELETE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"):
            self.change(stacks={"glimpse": {"status": status, "tags": {}}}, calls=[])
            self.assert_refused(self.up(), 75, f"stack glimpse is being changed ({status})")
            self.assertEqual(self.calls(), ["cloudformation describe-stacks"])

    def test_an_endpoint_that_is_not_ats(self):
        for endpoint in ("a1b2c3d4e5f6g7.iot.eu-central-1.amazonaws.com", "example.com", "None", "x-ats.iot.eu.amazonaws.com.evil.org"):
            self.change(endpoint=endpoint)
            self.assert_refused(self.up(), 69, f"not ATS: {endpoint}", "glimpse.json was not written")
            self.assertFalse((self.device() / "glimpse.json").exists())

    def test_a_device_whose_key_is_elsewhere(self):
        self.assert_done(self.up())
        self.calls()
        shutil.move(self.device(), self.folder / "elsewhere")
        self.assert_refused(self.up(), 77, "pi-1 is up already", "scripts/aws/down.sh --stack glimpse --thing pi-1")
        self.assertNotIn("glimpse-pi-1", [call[3] for call in self.account()["calls"] if call[1] == "deploy"])

    def test_a_certificate_of_another_key(self):
        other = self.folder / "other"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout", "/dev/null", "-out", other],
                       check=True, capture_output=True)
        self.change(certificate=other.read_text())
        self.assert_refused(self.up(), 77, "belongs to another key")
        self.assertFalse((self.device() / "device.crt").exists())

    def test_a_key_that_is_none(self):
        self.device().mkdir(parents=True)
        (self.device() / "device.key").write_text("nonsense")
        self.assert_refused(self.up(), 65, "device.key is no key")

    def test_a_folder_that_cannot_be_made(self):
        (self.folder / "devices").write_text("a file")
        self.assert_refused(self.up(), 73, "cannot make the folder")

    def test_no_authorities(self):
        self.assert_refused(self.up(GLIMPSE_CA_FOLDER=str(self.folder)), 69, "apt-get install --reinstall ca-certificates")


if __name__ == "__main__":
    unittest.main()
