"""The stand-in for AWS IoT's device shadow service: the examples and the words of the developer guide."""

import json
import shutil
import subprocess
import unittest

from needs import SCRIPTS, leave_out

if not shutil.which("node"):
    leave_out("node is not installed")

# Answers lines of JSON: {at, operation, payload} with what is published.
DRIVER = """
const {Shadows} = require(process.argv[1])
let at = 0
const shadows = new Shadows(() => at)
require('readline').createInterface({input: process.stdin}).on('line', line => {
  const message = JSON.parse(line)
  at = message.at
  console.log(JSON.stringify(shadows.answer(message.operation, 'pi-1', message.name, Buffer.from(message.payload, 'latin1'))))
})
"""


class ShadowService(unittest.TestCase):
    def setUp(self):
        self.now = 12345
        self.node = subprocess.Popen(["node", "-e", DRIVER, SCRIPTS / "rehearsal" / "shadow.js"], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.node.wait)
        for stream in (self.node.stdin, self.node.stdout):
            self.addCleanup(stream.close)

    def say(self, operation, payload, name="glimpse"):
        """What is published, by topic."""
        if isinstance(payload, (dict, list)):
            payload = json.dumps(payload)
        print(json.dumps({"at": self.now, "operation": operation, "payload": payload, "name": name}), file=self.node.stdin, flush=True)
        return dict(json.loads(self.node.stdout.readline()))

    def update(self, **request):
        return self.say("update", request)

    def refused(self, payload, code, message):
        answer = self.say("update", payload)
        self.assertEqual(list(answer), ["update/rejected"], payload)
        self.assertEqual([answer["update/rejected"][key] for key in ("code", "message", "timestamp")], [code, message, self.now])
        return answer["update/rejected"]

    def state(self):
        return self.say("get", "")["get/accepted"]["state"]

    def test_get_before_there_is_one(self):
        self.assertEqual(self.say("get", '{"clientToken": "a"}'), {"get/rejected": {
            "code": 404, "message": "No shadow exists with name: 'glimpse'", "timestamp": 12345, "clientToken": "a"}})

    def test_a_client_asks_for_a_change(self):
        """Interacting with shadows: engine ON."""
        answer = self.update(state={"desired": {"color": {"r": 10}, "engine": "ON"}}, clientToken="t")
        self.assertEqual(list(answer), ["update/accepted", "update/delta", "update/documents"])
        self.assertEqual(answer["update/accepted"], {
            "state": {"desired": {"color": {"r": 10}, "engine": "ON"}},
            "metadata": {"desired": {"color": {"r": {"timestamp": 12345}}, "engine": {"timestamp": 12345}}},
            "version": 1, "timestamp": 12345, "clientToken": "t"})
        self.assertEqual(answer["update/delta"], {
            "state": {"color": {"r": 10}, "engine": "ON"},
            "metadata": {"color": {"r": {"timestamp": 12345}}, "engine": {"timestamp": 12345}},
            "version": 1, "timestamp": 12345, "clientToken": "t"})

    def test_the_device_reports_and_no_difference_is_left(self):
        self.update(state={"desired": {"color": {"r": 10}, "engine": "ON"}})
        self.now += 5
        answer = self.update(state={"reported": {"color": {"r": 10}}})
        self.assertEqual(answer["update/delta"]["state"], {"engine": "ON"})
        self.assertEqual(answer["update/delta"]["metadata"], {"engine": {"timestamp": 12345}})  # when it was asked for
        answer = self.update(state={"reported": {"engine": "ON"}})
        self.assertNotIn("update/delta", answer)
        self.assertEqual(answer["update/documents"]["previous"]["version"], 2)

    def test_a_difference_is_sent_again_after_each_update_while_it_stands(self):
        self.update(state={"desired": {"engine": "ON"}})
        for _ in range(3):
            self.assertIn("update/delta", self.update(state={"reported": {"other": 1}}))

    def test_delta_has_what_differs_alone(self):
        """Device Shadow MQTT topics, update/delta, the four rules."""
        self.update(state={"desired": {"a": 1, "b": 2, "d": [1, 2]}, "reported": {"a": 1, "b": 3, "c": 4, "d": [1, 2]}})
        self.assertEqual(self.state()["delta"], {"b": 2})
        self.assertEqual(self.update(state={"reported": {"a": None}})["update/delta"]["state"], {"a": 1, "b": 2})

    def test_null_deletes(self):
        self.update(state={"desired": {"engine": "ON", "color": {"r": 10, "g": 1}}, "reported": {"engine": "ON"}})
        self.update(state={"desired": {"engine": None, "color": {"g": None}}})
        self.assertEqual(self.state()["desired"], {"color": {"r": 10}})
        self.update(state={"desired": None})
        self.assertEqual(self.state(), {"reported": {"engine": "ON"}})

    def test_arrays_are_replaced(self):
        self.update(state={"desired": {"colors": ["RED", "GREEN", "BLUE"]}})
        self.update(state={"desired": {"colors": ["RED"]}})
        self.assertEqual(self.state()["desired"], {"colors": ["RED"]})
        self.refused({"state": {"desired": {"colors": [None, "RED", "GREEN"]}}}, 400, "State contains an invalid node")

    def test_optimistic_locking(self):
        for _ in range(10):
            self.update(state={"desired": {"colors": ["RED", "GREEN", "BLUE"]}})
        request = {"state": {"desired": {"colors": ["BLUE"]}}, "version": 9, "clientToken": "426bfd96"}
        self.assertEqual(self.refused(request, 409, "Version conflict")["clientToken"], "426bfd96")
        self.assertEqual(self.update(**{**request, "version": 10})["update/accepted"]["version"], 11)

    def test_what_is_refused(self):
        deep = {"a": {"a": {"a": {"a": {"a": {"a": {"a": 1}}}}}}}
        for payload, code, message in (
                ("{", 400, "Invalid JSON"), ("[]", 400, "Invalid JSON"), ("", 400, "Invalid JSON"),
                ({}, 400, "Missing required node: state"), ({"state": 1}, 400, "State node must be an object"),
                ({"state": {"desired": 1}}, 400, "Desired node must be an object"),
                ({"state": {"reported": []}}, 400, "Reported node must be an object"),
                ({"state": {"delta": {}}}, 400, "State contains an invalid node"),
                ({"state": {}, "version": "1"}, 400, "Invalid version"),
                ({"state": {}, "clientToken": "x" * 65}, 400, "Invalid clientToken"),
                ({"state": {"desired": deep}}, 400, "JSON contains too many levels of nesting; maximum is 6"),
                ('{"state": {"desired": {"a": "\xff"}}}', 415, "Unsupported documented encoding; supported encoding is UTF-8"),
                ({"state": {"desired": {"a": "x" * 8192}}}, 413, "The payload exceeds the maximum size allowed")):
            self.refused(payload, code, message)
        self.update(state={"desired": {"a": "x" * 5000}})
        self.refused({"state": {"desired": {"b": "x" * 5000}}}, 413, "The payload exceeds the maximum size allowed")
        self.assertEqual(list(self.state()["desired"]), ["a"])

    def test_a_deleted_shadow_keeps_its_version_for_48_hours(self):
        self.update(state={"desired": {"a": 1}})
        self.update(state={"desired": {"a": 2}})
        self.assertEqual(self.say("delete", "anything"), {"delete/accepted": {"version": 2, "timestamp": 12345}})
        self.assertEqual(self.say("get", "")["get/rejected"]["code"], 404)
        self.assertEqual(self.say("delete", "")["delete/rejected"]["code"], 404)
        self.now += 48 * 3600
        self.assertEqual(self.update(state={"desired": {"a": 1}})["update/accepted"]["version"], 3)
        self.say("delete", "")
        self.now += 48 * 3600 + 1
        answer = self.update(state={"desired": {"a": 1}})
        self.assertEqual(answer["update/accepted"]["version"], 1)
        self.assertIsNone(answer["update/documents"]["previous"])

    def test_names_have_shadows_of_their_own(self):
        self.update(state={"desired": {"a": 1}})
        self.assertIn("get/rejected", self.say("get", "", name="other"))


if __name__ == "__main__":
    unittest.main()
