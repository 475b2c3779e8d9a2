"""Records to a real mosquitto over mutual TLS, and what happens when it is not as it should be."""

import json
import subprocess
import unittest

from harness import CLIP, ROOT, Broker, Forwarder, TestCase, glimpse, interrupt, start, wait_until


class RealBroker(TestCase):
    def test_a_separate_subscriber_receives_every_record(self):
        broker = Broker(self).start()
        broker.subscribe()
        result = glimpse(*broker.options(), "--source", CLIP, "--frames", "60", "--interval", "0", "--json")
        self.assertEqual(result.code, 0, result.err)
        wait_until(lambda: len(broker.messages("telemetry")) >= 60, "60 records")
        received = broker.messages("telemetry")
        self.assertEqual(received, result.records())
        for record in received:  # the lab's own fields
            self.assertIsInstance(record["time"], int)
            self.assertEqual(record["quality"], "GOOD")
            self.assertTrue(record["hostname"])
            self.assertIsInstance(record["value"], (int, float))
            self.assertEqual(record["device"], "pi-test")
        self.assertEqual([message["status"] for message in broker.messages("status")], ["online", "offline"])

    def test_an_acl_that_is_not_there_is_refused(self):
        done = subprocess.run([ROOT / "scripts" / "broker.sh", "start", "--dir", self.folder / "broker", "--acl", "/nowhere"],
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (1, "broker.sh: --acl /nowhere: there is no such file\n"))
        self.assertFalse((self.folder / "broker").exists())

    def test_the_last_will_says_offline(self):
        broker = Broker(self).start()
        broker.subscribe()
        process = start(*broker.options(), "--source", "test", "--interval", "100ms", "--json")
        self.addCleanup(process.communicate)
        wait_until(lambda: broker.messages("telemetry"), "a record")
        process.kill()
        wait_until(lambda: broker.messages("status")[-1]["status"] == "offline", "the last will")

    def test_a_broker_that_is_not_there_never_stops_the_pictures(self):
        broker = Broker(self).start()
        broker.stop()
        result = glimpse(*broker.options(), "--source", CLIP, "--frames", "30", "--interval", "0", "--json")
        self.assertEqual(result.code, 0, result.err)
        self.assertEqual(len(result.records()), 30)
        self.assertIn("telemetry: ", result.err)
        self.assertIn("30 kept for the next run", result.err)

    def test_a_broker_that_comes_back_gets_what_it_missed(self):
        broker = Broker(self).start()
        process = start(*broker.options(), "--source", "test", "--interval", "100ms", "--json")
        self.addCleanup(process.kill)
        pending = lambda: json.loads(process.stdout.readline())["outbox"]["pending"]
        broker.stop()
        while pending() < 10:
            pass
        broker.start()
        while pending() > 1:  # the newest may be on its way
            pass
        code, _, err = interrupt(process)
        self.assertEqual(code, 0)
        made = err.split("records: ")[1].split(" made")[0]
        self.assertIn(f"{made} acknowledged by the broker, 0 kept for the next run, 0 dropped", err)


class Refused(TestCase):
    """The handshake fails: named once, the pictures go on, and the exit code says credentials."""

    def setUp(self):
        super().setUp()
        self.broker = Broker(self).start()

    def refused(self, *words, uri=None, **files):
        folder = self.broker.folder
        paths = {"ca": folder / "ca.crt", "cert": folder / "devices" / "pi-test.crt",
                 "key": folder / "devices" / "pi-test.key", **files}
        options = [text for name, path in paths.items() if path for text in ("--" + name, path)]
        uri = uri or f"mqtts://localhost:{self.broker.port}"
        result = glimpse("--source", CLIP, "--frames", "40", "--realtime", "--json", "--interval", "0", "--device", "pi-test",
                         "--broker", uri, *options)
        self.assertEqual(result.code, 77, result.err)
        self.assertEqual(len(result.records()), 40)
        warnings = [line for line in result.err.splitlines() if " warning: telemetry: " in line]
        self.assertEqual(len(warnings), 1, result.err)
        for word in words:
            self.assertIn(word, warnings[0])

    def authority(self, name):
        """Another certificate authority, which the broker has never heard of."""
        key, certificate = self.folder / f"{name}.key", self.folder / f"{name}.crt"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                        "/CN=pi-test", "-days", "2", "-keyout", key, "-out", certificate], check=True, capture_output=True)
        key.chmod(0o600)
        return certificate, key

    def test_wrong_ca(self):
        certificate, _ = self.authority("other")
        self.refused(str(certificate), ca=certificate)

    def test_certificate_for_another_host(self):
        other = Forwarder(self, self.broker.port)
        self.refused("another host", "127.0.0.2", uri=f"mqtts://127.0.0.2:{other.port}")

    def test_no_client_certificate(self):
        self.refused("--cert", cert=None, key=None)

    def test_client_certificate_of_an_unknown_authority(self):
        certificate, key = self.authority("self-signed")
        self.refused("certificate", cert=certificate, key=key)


if __name__ == "__main__":
    unittest.main()
