"""What up.sh refuses, against the stand-in for aws."""

import shutil
import subprocess
import unittest

from account import USER, AccountTest


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
