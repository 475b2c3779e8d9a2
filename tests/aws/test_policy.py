"""What the policies of the templates allow, held against a list: nothing is missing, nothing is beyond."""

import itertools
import json
import re
import unittest

from needs import SCRIPTS
from policy import context, is_allowed
from template import Stack

ARN = "arn:aws:iot:eu-central-1:123456789012:"
ACTIONS = ["Connect", "Publish", "RetainPublish", "Receive", "Subscribe", "GetThingShadow", "UpdateThingShadow", "DeleteThingShadow",
           "ListNamedShadowsForThing", "GetRetainedMessage", "ListRetainedMessages", "AssumeRoleWithCertificate",
           "DescribeJobExecution", "GetPendingJobExecutions", "StartNextPendingJobExecution", "UpdateJobExecution"]
# THING is each of pi-1, pi-2 and pi-11 in turn.
OF_A_THING = [
    "glimpse/v1/THING/telemetry", "glimpse/v1/THING/status", "glimpse/v1/THING/a/b/c", "glimpse/v1/THING/#", "glimpse/v1/THING",
    "glimpse/v2/THING/telemetry", "glimpse/THING/telemetry", "glimpse/v1/x/THING/telemetry", "THING/telemetry",
    "$aws/rules/glimpse/glimpse/v1/THING/telemetry", "$aws/rules/glimpse/glimpse/v1/THING/status", "$aws/rules/other/glimpse/v1/THING/telemetry",
    "$aws/things/THING/shadow/name/glimpse/get", "$aws/things/THING/shadow/name/glimpse/update", "$aws/things/THING/shadow/name/glimpse/delete",
    "$aws/things/THING/shadow/name/glimpse/get/accepted", "$aws/things/THING/shadow/name/glimpse/update/delta",
    "$aws/things/THING/shadow/name/other/update", "$aws/things/THING/shadow/update", "$aws/things/THING/shadow/get",
    "$aws/things/THING/jobs/get", "$aws/things/THING/jobs/start-next", "$aws/things/THING/jobs/7/update", "$aws/things/THING/jobs/notify-next",
    "$aws/things/THING/streams/7/get/json", "$aws/things/THING/defender/metrics/json"]
OF_NOBODY = ["#", "+", "+/#", "glimpse/#", "glimpse/v1/#", "glimpse/v1/+/telemetry", "glimpse/v1/*/telemetry", "$aws/#", "$aws/things/#",
             "$aws/things/+/shadow/name/glimpse/update", "$aws/events/#", "$aws/certificates/create/json",
             "$aws/certificates/create-from-csr/json", "$aws/provisioning-templates/fleet/provision/json", "a", ""]
THINGS = ["pi-1", "pi-2", "pi-11"]
TOPICS = [topic.replace("THING", thing) for topic in OF_A_THING for thing in THINGS] + OF_NOBODY
RESOURCES = ([f"client/{name}" for name in [*THINGS, "", "*", "claim-1", "pi-1/pi-2"]]
             + [f"{kind}/{topic}" for kind in ("topic", "topicfilter") for topic in TOPICS]
             + [f"thing/{thing}" for thing in THINGS] + [f"thing/{thing}/glimpse" for thing in THINGS] + ["rolealias/x"])

# All that pi-1 may do, once it is connected as pi-1.
DEVICE = [
    ("Connect", "client/pi-1"),
    ("RetainPublish", "topic/glimpse/v1/pi-1/status"),
    *[(action, f"topic/glimpse/v1/pi-1/{rest}") for action in ("Publish", "Receive") for rest in ("telemetry", "status", "a/b/c", "#")],
    *[("Subscribe", f"topicfilter/glimpse/v1/pi-1/{rest}") for rest in ("telemetry", "status", "a/b/c", "#")],
    ("Publish", "topic/$aws/rules/glimpse/glimpse/v1/pi-1/telemetry"),
    ("Publish", "topic/$aws/things/pi-1/shadow/name/glimpse/get"),
    ("Publish", "topic/$aws/things/pi-1/shadow/name/glimpse/update"),
    *[(action, f"{kind}/$aws/things/pi-1/shadow/name/glimpse/{rest}") for action, kind in (("Receive", "topic"), ("Subscribe", "topicfilter"))
      for rest in ("get", "update", "delete", "get/accepted", "update/delta")],
    *[(action, f"{kind}/$aws/things/pi-1/jobs/{rest}")
      for action, kind in (("Publish", "topic"), ("Receive", "topic"), ("Subscribe", "topicfilter"))
      for rest in ("get", "start-next", "7/update", "notify-next")]]
CLAIM = [("Connect", "client/claim-1"), ("Publish", "topic/$aws/certificates/create-from-csr/json"),
         ("Publish", "topic/$aws/provisioning-templates/fleet/provision/json")]
LAB = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}]}


def document(file, name="glimpse", **parameters):
    stack = Stack((SCRIPTS / file).read_text(encoding="utf-8"), name, **parameters)
    (policy,) = stack.resources("AWS::IoT::Policy").values()
    return policy["PolicyDocument"]


def allowed(policy, values):
    return {(action, resource) for action, resource in itertools.product(ACTIONS, RESOURCES)
            if is_allowed(policy, f"iot:{action}", ARN + resource, values)}


class Device(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.policy = document("glimpse.yaml")

    def test_a_device_may_do_what_is_listed_and_nothing_else(self):
        found, listed = allowed(self.policy, context("pi-1")), set(DEVICE)
        total = len(ACTIONS) * len(RESOURCES)
        print(f"\n{total} questions: {len(found & listed)} of {len(listed)} listed actions allowed, {len(found - listed)} allowed beyond "
              f"the list, {total - len(found)} refused")
        self.assertEqual(found, listed)

    def test_without_its_thing_a_certificate_may_nothing(self):
        self.assertEqual(allowed(self.policy, context("pi-1", attached=False)), set())

    def test_a_last_will_is_allowed_a_session_that_stays_is_not(self):
        for attributes, expected in (((), True), (("LastWill",), True), (("PersistentConnect",), False), (("LastWill", "PersistentConnect"), False)):
            values = context("pi-1", attributes=attributes)
            self.assertEqual(is_allowed(self.policy, "iot:Connect", ARN + "client/pi-1", values), expected, attributes)

    def test_fits_aws_limit(self):
        # 2048 characters without white space; the longest region and partition, and a stack's longest name.
        text = json.dumps(document("glimpse.yaml", "s" * 32, **{"AWS::Region": "cn-northwest-1", "AWS::Partition": "aws-cn"}))
        size = len(re.sub(r"\s", "", text))
        print(f"\nthe policy's size: {size} of 2048")
        self.assertLessEqual(size, 2048)

    def test_the_labs_policy_is_seen_to_allow_everything(self):
        self.assertEqual(len(allowed(LAB, context("pi-1"))), len(ACTIONS) * len(RESOURCES))

    def test_every_line_of_the_policy_is_needed(self):
        for place, statement in enumerate(self.policy["Statement"]):
            for resource in statement["Resource"] if isinstance(statement["Resource"], list) else [None]:
                changed = json.loads(json.dumps(self.policy))
                if resource:
                    changed["Statement"][place]["Resource"].remove(resource)
                else:
                    del changed["Statement"][place]
                self.assertTrue(set(DEVICE) - allowed(changed, context("pi-1")), f"nothing is lost without {resource or statement}")


class Claim(unittest.TestCase):
    def test_a_claim_may_register_and_nothing_else(self):
        policy = document("provisioning.yaml", "fleet", ClaimCsr="x")
        policy = json.loads(json.dumps(policy).replace("/Template/", "/fleet/"))
        self.assertEqual(allowed(policy, context("claim-1", attached=False)), set(CLAIM))


class Evaluator(unittest.TestCase):
    """By examples of AWS's own pages."""

    def decide(self, action, resource, *statements, values=None):
        return is_allowed({"Statement": list(statements)}, action, resource, values or context("client1"))

    def test_a_denial_wins(self):
        allow, deny = {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}, {"Effect": "Deny", "Action": "iot:Publish", "Resource": "a/restricted/*"}
        self.assertTrue(self.decide("iot:Publish", "a/b", allow, deny))
        self.assertFalse(self.decide("iot:Publish", "a/restricted/b", allow, deny))
        self.assertFalse(self.decide("iot:Publish", "a/restricted/b", deny, allow))
        self.assertFalse(self.decide("iot:Publish", "a/b"))

    def test_wildcards(self):
        for pattern, text, expected in (("a/*/b", "a/x/y/b", True), ("a/?/b", "a/xy/b", False), ("a/?/b", "a/x/b", True), ("a/+/b", "a/x/b", False),
                                        ("a/+/b", "a/+/b", True), ("a/#", "a/b", False), ("a.b", "axb", False), ("*", "", True)):
            statement = {"Effect": "Allow", "Action": "iot:Subscribe", "Resource": pattern}
            self.assertEqual(self.decide("iot:Subscribe", text, statement), expected, (pattern, text))

    def test_a_value_is_no_pattern(self):
        statement = {"Effect": "Allow", "Action": "iot:Connect", "Resource": "client/${iot:ClientId}"}
        self.assertFalse(self.decide("iot:Connect", "client/ab", statement, values=context("a*")))
        self.assertTrue(self.decide("iot:Connect", "client/a*", statement, values=context("a*")))

    def test_what_it_does_not_know_it_does_not_guess(self):
        for change in ({"Condition": {"StringLike": {"a": "b"}}}, {"NotResource": "*"}, {"Effect": "Maybe"}):
            with self.assertRaises(ValueError):
                self.decide("iot:Connect", "x", {"Effect": "Allow", "Action": "*", "Resource": "*", **change})


if __name__ == "__main__":
    unittest.main()
