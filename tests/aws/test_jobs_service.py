"""The stand-in for AWS IoT Jobs: what the developer guide says of the device's MQTT operations."""

import json
import shutil
import subprocess
import unittest

from needs import SCRIPTS, leave_out

if not shutil.which("node"):
    leave_out("node is not installed")

DRIVER = """
const {Jobs} = require(process.argv[1])
const jobs = new Jobs(() => 12345)
require('readline').createInterface({input: process.stdin}).on('line', line => {
  const {call, words} = JSON.parse(line)
  if (call === 'answer') words[2] = Buffer.from(words[2], 'latin1')
  console.log(JSON.stringify(jobs[call](...words)))
})
"""


class JobsService(unittest.TestCase):
    def setUp(self):
        self.node = subprocess.Popen(["node", "-e", DRIVER, SCRIPTS / "rehearsal" / "jobs.js"], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.node.wait)
        for stream in (self.node.stdin, self.node.stdout):
            self.addCleanup(stream.close)

    def call(self, call, *words):
        """What is published, by topic."""
        print(json.dumps({"call": call, "words": words}), file=self.node.stdin, flush=True)
        return dict(json.loads(self.node.stdout.readline()))

    def create(self, job="022"):
        return self.call("create", "pi-1", job, {"operation": "x"})

    def start(self, **request):
        return self.call("answer", "pi-1", "start-next", json.dumps(request))

    def update(self, job="022", **request):
        return self.call("answer", "pi-1", f"{job}/update", json.dumps(request))

    def refused(self, code, **request):
        answer = self.update(**request)["022/update/rejected"]
        self.assertEqual(answer["code"], code, request)
        return answer

    def test_without_a_job_the_answer_has_no_execution(self):
        self.assertEqual(self.start(clientToken="t"), {"start-next/accepted": {"timestamp": 12345, "clientToken": "t"}})

    def test_a_job_is_notified_started_and_ended(self):
        notice = self.create()["notify-next"]["execution"]
        self.assertEqual((notice["jobId"], notice["status"]), ("022", "QUEUED"))
        execution = self.start()["start-next/accepted"]["execution"]
        self.assertEqual((execution["status"], execution["thingName"], execution["jobDocument"]), ("IN_PROGRESS", "pi-1", {"operation": "x"}))
        version = execution["versionNumber"]
        answer = self.update(status="IN_PROGRESS", statusDetails={"percent": "42"}, expectedVersion=version, includeJobExecutionState=True)
        self.assertEqual(answer, {"022/update/accepted": {"timestamp": 12345, "executionState": {
            "status": "IN_PROGRESS", "statusDetails": {"percent": "42"}, "versionNumber": version + 1}}})
        answer = self.update(status="SUCCEEDED", clientToken="t")
        self.assertEqual(answer, {"022/update/accepted": {"timestamp": 12345, "clientToken": "t"}, "notify-next": {"timestamp": 12345}})
        self.assertEqual(self.refused("InvalidStateTransition", status="FAILED")["executionState"]["status"], "SUCCEEDED")

    def test_the_one_in_progress_is_given_first_and_as_it_is(self):
        self.create()
        first = self.start(statusDetails={"a": "b"})["start-next/accepted"]["execution"]
        self.assertEqual(self.create("023"), {})
        self.assertEqual(self.start(statusDetails={"a": "c"})["start-next/accepted"]["execution"], first)
        self.assertEqual(self.update(status="FAILED")["notify-next"]["execution"]["jobId"], "023")

    def test_a_cancelled_one_is_gone(self):
        self.create()
        self.start()
        self.assertEqual(self.call("cancel", "pi-1", "022"), {"notify-next": {"timestamp": 12345}})
        self.assertEqual(self.refused("InvalidStateTransition", status="IN_PROGRESS")["executionState"]["status"], "CANCELED")

    def test_what_is_refused(self):
        self.refused("ResourceNotFound", status="FAILED")
        self.create()
        self.start()
        self.refused("ResourceNotFound", status="FAILED", executionNumber=2)
        self.assertEqual(self.refused("VersionMismatch", status="FAILED", expectedVersion=9)["executionState"]["status"], "IN_PROGRESS")
        for details in ({"a b": "c"}, {"a": ""}, {"a": "x" * 1025}, {"a": "\n"}, {"a": 1}, [], "x"):
            self.refused("InvalidRequest", status="FAILED", statusDetails=details)
        self.refused("InvalidRequest", status="CANCELED")
        for payload in ("{", "\xff"):
            self.assertEqual(self.call("answer", "pi-1", "start-next", payload)["start-next/rejected"]["code"], "InvalidJson")


if __name__ == "__main__":
    unittest.main()
