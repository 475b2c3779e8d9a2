"""AWS IoT jobs as a fleet's engineer meets them: install-model, over a real broker and a real web server."""

import hashlib
import io
import json
import pathlib
import signal
import subprocess
import sys
import tarfile
import threading
import unittest

from harness import CLIP, DEMO, PATIENCE_S, ROOT, Broker, TestCase, command, interrupt, wait_until

THING = "pi-test"
ACL = """user subscriber
topic readwrite $aws/#
pattern readwrite glimpse/v1/%u/#
pattern readwrite $aws/things/%u/jobs/#
"""
JOBS = f"$aws/things/{THING}/jobs/"


class Service:
    """One job, as AWS IoT Jobs gives it: scripts/aws/rehearsal/jobs.js is the whole of it."""

    def __init__(self, test, broker, document):
        self.broker = broker
        self.execution = {"jobId": "install-1", "thingName": THING, "status": "IN_PROGRESS", "versionNumber": 1, "executionNumber": 1,
                          "jobDocument": document}
        self.updates = []
        self.listener = self.client("mosquitto_sub", "-d", "-F", "MESSAGE %t %p", "-t", JOBS + "start-next", "-t", JOBS + "+/update",
                                    stdout=subprocess.PIPE)
        test.addCleanup(self.listener.stdout.close)
        test.addCleanup(self.listener.wait)
        test.addCleanup(self.listener.terminate)
        self.is_ready = threading.Event()
        threading.Thread(target=self.serve, daemon=True).start()
        self.is_ready.wait(PATIENCE_S)

    def client(self, program, *words, **options):
        folder = self.broker.folder
        return subprocess.Popen(
            ["stdbuf", "-oL", program, "-h", "localhost", "-p", str(self.broker.port), "--cafile", folder / "ca.crt", "--cert",
             folder / "subscriber.crt", "--key", folder / "subscriber.key", "-q", "1", *words], text=True, **options)

    def serve(self):
        for line in self.listener.stdout:
            if line.startswith("Subscribed"):
                self.is_ready.set()
            if line.startswith("MESSAGE "):
                _, topic, payload = line.split(" ", 2)
                self.answer(topic, json.loads(payload))

    def answer(self, topic, request):
        is_over = self.execution["status"] != "IN_PROGRESS"
        answer = {"clientToken": request["clientToken"], "timestamp": 1}
        if topic.endswith("/update"):
            assert request["expectedVersion"] == self.execution["versionNumber"], request
            self.execution["versionNumber"] += 1
            self.execution["status"] = request["status"]
            self.updates.append((request["status"], request.get("statusDetails", {})))
        elif not is_over:
            answer["execution"] = self.execution
        self.client("mosquitto_pub", "-t", topic + "/accepted", "-m", json.dumps(answer)).wait(PATIENCE_S)

    def end(self):
        wait_until(lambda: self.execution["status"] != "IN_PROGRESS", "the job's end")
        return self.updates[-1]


class Jobs(TestCase):
    def setUp(self):
        super().setUp()
        self.broker = Broker(self, THING, ACL).start()
        self.archive = self.folder / "model.tar"

    def tar(self, files):
        with tarfile.open(self.archive, "w") as tar:
            for name, data in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))

    def demo(self):
        return {name: (pathlib.Path(DEMO) / name).read_bytes() for name in ("manifest.json", "float.pt", "int8.pt")}

    def document(self, how="plain", **others):
        """The job for what is in the archive now, from a server that serves it so."""
        self.log = self.folder / "log"
        server = subprocess.Popen([sys.executable, "-B", ROOT / "tests/unit/installation/http_server.py", self.archive, self.log],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for stream in (server.stdin, server.stdout):
            self.addCleanup(stream.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        data = self.archive.read_bytes()
        return {"operation": "install-model", "name": "birds", "url": f"http://localhost:{server.stdout.readline().strip()}/{how}/x?secret",
                "sha256": hashlib.sha256(data).hexdigest(), "size": len(data), **others}

    def device(self):
        out = open(self.folder / "records", "a", encoding="utf-8")
        self.addCleanup(out.close)
        process = subprocess.Popen(
            [*command(), *self.broker.options(), "--source", CLIP, "--loop", "--realtime", "--interval", "0.1s", "--jobs", "--state",
             str(self.folder / "jobs-state"), "--backend", "torch", "--json"], stdin=subprocess.DEVNULL, stdout=out,
            stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def models(self):
        """Which models the records name, one after the other."""
        lines = (self.folder / "records").read_text(encoding="utf-8").splitlines()
        forms = [json.loads(line)["model"]["quantized"] for line in lines if line.endswith("}")]
        return [form for at, form in enumerate(forms) if at == 0 or forms[at - 1] != form]

    def test_a_model_is_installed_while_frames_come_and_again_at_the_next_start(self):
        self.tar(self.demo())
        service = Service(self, self.broker, self.document(quantized=True))
        device = self.device()
        status, details = service.end()
        self.assertEqual((status, details["form"], details["backend"]), ("SUCCEEDED", "int8", "torch"), details)
        wait_until(lambda: self.models() == [False, True], "records of the new model")
        log = interrupt(device)[2]
        self.assertNotIn("secret", log)
        (self.folder / "records").write_text("", encoding="utf-8")
        device = self.device()
        wait_until(self.models, "records")
        self.assertIn("birds", interrupt(device)[2])
        self.assertEqual(self.models(), [True])

    def test_a_download_that_a_kill_interrupts_goes_on(self):
        self.tar(self.demo())
        document = self.document("stall-once", quantized=True)
        service = Service(self, self.broker, document)
        device = self.device()
        part = self.folder / "jobs-state" / "models" / ".incoming" / (document["sha256"] + ".part")
        wait_until(lambda: part.exists() and part.stat().st_size == document["size"] // 2, "half of the file")
        device.kill()
        device.wait()
        device = self.device()
        self.assertEqual(service.end()[0], "SUCCEEDED")
        self.assertIn(f"bytes={document['size'] // 2}-", self.log.read_text(encoding="utf-8"))
        interrupt(device)

    def test_a_stop_does_not_wait_for_a_server(self):
        self.tar(self.demo())
        Service(self, self.broker, self.document("stall"))
        device = self.device()
        wait_until(lambda: self.log.exists() and "stall" in self.log.read_text(encoding="utf-8"), "the request")
        self.assertEqual(interrupt(device, signal.SIGTERM, limit=3.0)[0], 0)

    def test_a_model_that_cannot_be_loaded_changes_nothing(self):
        noise = b"no TorchScript"
        manifest = {"labels": ["a"], "files": {"int8.pt": {"sha256": hashlib.sha256(noise).hexdigest()}}}
        self.tar({"manifest.json": json.dumps(manifest).encode(), "int8.pt": noise})
        service = Service(self, self.broker, self.document())
        device = self.device()
        status, details = service.end()
        self.assertEqual(status, "FAILED", details)
        self.assertIn("int8.pt", details["reason"])
        size = (self.folder / "records").stat().st_size
        wait_until(lambda: (self.folder / "records").stat().st_size > size, "records after that")
        interrupt(device)
        self.assertEqual(self.models(), [False])
        self.assertFalse((self.folder / "jobs-state" / "models" / "birds").exists())

    def test_a_job_that_is_none_is_rejected(self):
        self.tar(self.demo())
        service = Service(self, self.broker, self.document(operation="reboot"))
        device = self.device()
        status, details = service.end()
        self.assertEqual((status, details), ("REJECTED", {"reason": "operation 'reboot' is unknown; install-model is what there is"}))
        interrupt(device)


if __name__ == "__main__":
    unittest.main()
