"""The templates are clean, and the linter sees what is wrong with one that is not."""

import unittest

from lint import Lint, Specification
from needs import SCRIPTS, yaml

SPECIFICATION = Specification()
TEXT = (SCRIPTS / "glimpse.yaml").read_text(encoding="utf-8")


def complaints(text):
    return Lint(text, SPECIFICATION).complaints


class Templates(unittest.TestCase):
    def test_are_clean(self):
        for path in sorted(SCRIPTS.glob("*.yaml")):
            self.assertEqual(complaints(path.read_text(encoding="utf-8")), [], path)


class Broken(unittest.TestCase):
    def test_is_seen(self):
        for old, new, words in (
                ("AWS::IoT::TopicRule", "AWS::IoT::TopicRules", "there is no type AWS::IoT::TopicRules"),
                ("AwsIotSqlVersion:", "SqlVersion:", "there is no property SqlVersion"),
                ("CertificateSigningRequest: !Ref Csr", "Csr: !Ref Csr", "there is no property Csr"),
                ("      Status: ACTIVE\n", "", "Certificate: Status is missing"),
                ("Status: ACTIVE", "Status: ENABLED", "Certificate.Status: ENABLED is none of ACTIVE"),
                ("Enabled: true", "Enabled: 'yes'", "expected a boolean, got 'yes'"),
                ("RetentionInDays: 30", "RetentionInDays: a month", "expected a integer"),
                ("{AttributeName: expires, Enabled: true}", "{AttributeName: expires}", "Enabled is missing"),
                ("- {AttributeName: device, AttributeType: S}", "- device", "expected an object, got 'device'"),
                ("{TableName: !Ref Table}", "{TableName: !Ref Tables}", "Tables is not there"),
                ("!GetAtt Table.Arn", "!GetAtt Table.Name", "Table has no attribute Name"),
                ("${KeepDays} *", "${Days} *", "Days is not there"),
                ("    Condition: IsThing\n    Properties:\n      ThingName: !Ref Device", "    Properties:\n      ThingName: !Ref Device",
                 "Device may not be there"),
                ("    Condition: IsShared", "    Condition: Shared", "there is no such condition"),
                ("TableName: !Ref AWS::StackName", "TableName: !Ref Rule", "each waits for another: "),
                ("Default: 30", "Default: 30\n    Deafult: 1", "there is no Deafult"),
                ("DeletionPolicy: Delete", "DeletionPolicy: Keep", "DeletionPolicy Keep is not known"),
                ("AllowedPattern: '[a-zA-Z0-9:_-]{0,128}'", "AllowedPattern: '[a-z]+'", "not allowed by its own pattern"),
                ("Parameters:\n", "Parameters:\n  Other: {Type: String}\n", "Parameters.Other: is not used")):
            self.assertIn(old, TEXT)
            found = complaints(TEXT.replace(old, new))
            self.assertTrue(any(words in complaint for complaint in found), f"{new}: {found}")

    def test_yaml_that_cloudformation_does_not_take(self):
        for old, new in (("Properties:\n      ThingName: !Ref Thing", "Properties: &alias\n      ThingName: !Ref Thing\n    Metadata: *alias"),
                         ("RetentionInDays: 30", "RetentionInDays: 30\n      RetentionInDays: 60"), ("!Ref Thing\n", "!Reff Thing\n")):
            self.assertIn(old, TEXT)
            with self.assertRaises(yaml.YAMLError):
                complaints(TEXT.replace(old, new))


if __name__ == "__main__":
    unittest.main()
