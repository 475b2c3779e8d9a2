"""glimpse provision against a real mosquitto over mutual TLS, with the claim's own policy, and a stand-in that signs real certificates."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import unittest

from needs import ROOT, SCRIPTS, leave_out

sys.path.insert(0, str(ROOT / "tests" / "integration"))
import harness  # noqa: E402

for tool in ("npm", "node", "openssl", "mosquitto_sub"):
    if not shutil.which(tool):
        leave_out(f"{tool} is not installed")
installed = subprocess.run([SCRIPTS / "rehearsal" / "install.sh"], capture_output=True, text=True, check=False)
if installed.returncode:
    leave_out(installed.stderr.strip())
MODULES = installed.stdout.strip()
ACCEPTED = "$aws/certificates/create-from-csr/json/accepted"


class Cloud(harness.Broker):
    """The broker with the policies of the templates, and the service behind the reserved topics."""

    def __init__(self, test):
        super().__init__(test, device="claim")
        self.acl = test.folder / "acl"
        templates = [SCRIPTS / "glimpse.yaml", SCRIPTS / "provisioning.yaml"]
        with open(self.acl, "wb") as file:
            subprocess.run([sys.executable, "-B", SCRIPTS / "rehearsal" / "acl.py", *templates], check=True, stdout=file)
        self.service = None
        test.addCleanup(self.end_service)

    def script(self, verb):
        subprocess.run([ROOT / "scripts" / "broker.sh", verb, "--dir", self.folder, "--port", str(self.port), "--device", self.device,
                        "--acl", self.acl], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def start_service(self):
        self.words = open(self.folder / "service", "a+", encoding="utf-8")
        self.service = subprocess.Popen(["node", SCRIPTS / "rehearsal" / "provision.js", "--broker", self.folder, "--port", str(self.port)],
                                        env={**os.environ, "NODE_PATH": MODULES}, stdout=self.words, stderr=subprocess.STDOUT)
        harness.wait_until(lambda: self.said("ready"), "the stand-in")
        return self

    def end_service(self):
        if self.service:
            self.service.kill()
            self.service.wait()
            self.words.close()

    def said(self, word):
        """What follows this word in each line of the service that begins with it."""
        lines = (self.folder / "service").read_text(encoding="utf-8").splitlines()
        return [line.split()[1:] for line in lines if line.split()[:1] == [word]]


class Provision(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.cloud = Cloud(self).start()
        self.cloud.start_service()
        self.state = self.folder / "a state"
        self.identity = self.state / "identity"

    def command(self, **changes):
        folder = self.cloud.folder
        options = {"claim-cert": folder / "devices" / "claim.crt", "claim-key": folder / "devices" / "claim.key", "template": "fleet",
                   "device": "pi-7", "broker": f"mqtts://localhost:{self.cloud.port}", "ca": folder / "ca.crt", "state": self.state}
        options.update({name.replace("_", "-"): value for name, value in changes.items()})
        return [harness.GLIMPSE, "provision", *(word for name, value in options.items() if value is not None
                                                for word in (f"--{name}", str(value)))]

    def provision(self, **changes):
        done = subprocess.run(self.command(**changes), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                              timeout=harness.PATIENCE_S)
        return harness.Result(done.returncode, done.stdout, done.stderr)

    def begin(self):
        process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def files(self):
        return {path.name: path.read_bytes() for path in self.identity.iterdir()}

    def check_runs(self, name="pi-7"):
        """It connects as itself, and its records arrive."""
        self.assertEqual({oct(path.stat().st_mode & 0o7777) for path in self.identity.iterdir()}, {"0o600"})
        result = harness.glimpse("--config", self.identity / "glimpse.json", "--source", harness.CLIP, "--frames", "5",
                                 "--interval", "0")
        self.assertEqual(result.code, 0, result.err)
        self.assertIn("5 acknowledged by the broker, 0 kept for the next run", result.err)
        self.assertTrue((self.state / f"outbox-{name}.db").exists())

    def test_a_claim_becomes_an_identity_once(self):
        self.cloud.subscribe("glimpse/#")
        done = self.provision()
        self.assertEqual(done.code, 0, done.err)
        self.assertEqual(done.out, f"this device is provisioned as pi-7\nrun:    glimpse run --config '{self.identity}/glimpse.json'\n")
        ((issued,),) = self.cloud.said("issued")
        self.assertEqual(self.cloud.said("registered"), [["pi-7", issued]])
        self.check_runs()
        harness.wait_until(lambda: len(self.cloud.messages("telemetry")) >= 5, "the records")
        self.assertEqual({record["device"] for record in self.cloud.messages("telemetry")}, {"pi-7"})

        before = self.files()
        # The claim may be gone by then.
        again = self.provision(claim_cert=None, claim_key=None)
        self.assertEqual((again.code, again.err), (0, ""))
        self.assertIn("this device is provisioned already, as pi-7\n", again.out)
        self.assertEqual(self.files(), before)
        self.assertEqual(len(self.cloud.said("issued")), 1)

    def test_a_damaged_identity_is_told_and_left_alone(self):
        self.assertEqual(self.provision().code, 0)
        (self.identity / "device.crt").write_text("")
        before = self.files()
        self.assert_refused(self.provision(), 77, "provisioned already, but", "device.crt", f"rm -r '{self.identity}'")
        self.assertEqual(self.files(), before)

    def test_killed_between_receiving_its_certificate_and_storing_it(self):
        self.cloud.subscribe("$aws/certificates/#")
        self.cloud.service.send_signal(signal.SIGSTOP)
        process = self.begin()
        harness.wait_until(lambda: "certificateSigningRequest" in self.cloud.text(), "the request")
        process.send_signal(signal.SIGSTOP)
        self.cloud.service.send_signal(signal.SIGCONT)
        harness.wait_until(lambda: ACCEPTED in self.cloud.text(), "the answer")
        process.kill()
        process.wait()
        self.assertFalse(self.identity.exists())
        key = (self.state / "identity.pending" / "device.key").read_bytes()

        done = self.provision()
        self.assertEqual(done.code, 0, done.err)
        lost, used = self.cloud.said("issued")
        self.assertEqual(self.cloud.said("registered"), [["pi-7", *used]])
        self.assertNotEqual(lost, used)
        self.assertEqual((self.identity / "device.key").read_bytes(), key)
        self.check_runs()

    def test_killed_at_any_time_it_ends_with_an_identity_that_works(self):
        began = time.monotonic()
        self.assertEqual(self.provision(state=self.folder / "other", device="pi-8").code, 0)
        whole = time.monotonic() - began
        for part in range(1, 13):
            process = self.begin()
            time.sleep(whole * part / 12)  # no waiting for anything: the moment of a power cut
            process.kill()
            process.wait()
            if self.identity.exists():
                self.assertEqual(set(self.files()), {"device.key", "device.crt", "glimpse.json", "registration.json"})
        done = self.provision()
        self.assertEqual(done.code, 0, done.err)
        self.assertEqual({name for name, _ in self.cloud.said("registered")}, {"pi-7", "pi-8"})
        self.check_runs()

    def test_a_token_that_is_known_no_more_is_no_dead_end(self):
        self.cloud.service.send_signal(signal.SIGSTOP)
        process = self.begin()
        harness.wait_until((self.state / "identity.pending" / "device.key").exists, "the key")
        process.kill()
        process.wait()
        self.cloud.end_service()
        self.cloud.start_service()
        self.assertEqual(self.provision().code, 0)
        self.check_runs()

    def test_a_stop_in_the_middle(self):
        self.cloud.service.send_signal(signal.SIGSTOP)
        process = self.begin()
        harness.wait_until((self.state / "identity.pending" / "device.key").exists, "the key")
        code, _, err = harness.interrupt(process)
        self.assertEqual(code, 130, err)
        self.assertIn("run it again: it goes on where it was", err)
        self.cloud.service.send_signal(signal.SIGCONT)
        self.assertEqual(self.provision().code, 0)
        self.check_runs()

    def test_two_at_once(self):
        self.cloud.service.send_signal(signal.SIGSTOP)
        self.begin()
        harness.wait_until((self.state / "identity.pending" / "device.key").exists, "the key")
        self.assert_refused(self.provision(), 78, "another glimpse provision is at work", str(self.state))

    def test_a_revoked_claim(self):
        other = self.revoking_broker()
        self.assert_refused(self.provision(broker=f"mqtts://localhost:{other}"), 77, "not let in with the claim", f"localhost:{other}",
                            "certificate")
        self.assertFalse(self.identity.exists())
        self.assertEqual(self.cloud.said("issued"), [])

    def revoking_broker(self):
        """Another mosquitto of the same authority, which knows that the claim is revoked. Gives its port."""
        folder, ca = self.folder, self.cloud.folder
        (folder / "index").touch()
        (folder / "ca.cnf").write_text(f"[ca]\ndefault_ca=it\n[it]\ndatabase={folder}/index\ndefault_md=sha256\ndefault_crl_days=1\n")
        for words in (["-revoke", ca / "devices" / "claim.crt"], ["-gencrl", "-out", folder / "crl.pem"]):
            subprocess.run(["openssl", "ca", "-config", folder / "ca.cnf", "-cert", ca / "ca.crt", "-keyfile", ca / "ca.key", *words],
                           check=True, capture_output=True)
        port = harness.free_port()
        text = (ca / "mosquitto.conf").read_text().replace(f"listener {self.cloud.port} ", f"listener {port} ")
        (folder / "revoking.conf").write_text(text + f"crlfile {folder}/crl.pem\n")
        process = subprocess.Popen(["mosquitto", "-c", folder / "revoking.conf"], stderr=subprocess.DEVNULL,
                                   env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin"})
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        check = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", ca / "ca.crt"]
        harness.wait_until(lambda: subprocess.run(check, stdin=subprocess.DEVNULL, capture_output=True, check=False).stdout.count(
            b"BEGIN CERTIFICATE"), "the other broker")
        return port

    def test_what_the_command_line_lacks(self):
        for changes, words in (({"claim_cert": None}, "--claim-cert"), ({"claim_key": None}, "--claim-key"),
                               ({"template": None}, "--template"), ({"template": "a/b"}, '"a/b"'), ({"template": "x" * 37}, "1 to 36"),
                               ({"broker": None}, "--broker"), ({"broker": "mqtt://localhost"}, "mqtts://"),
                               ({"broker": "https://localhost"}, "mqtts://"), ({"device": "a b"}, "a b"), ({"proxy": "x"}, "proxy")):
            with self.subTest(changes):
                self.assert_refused(self.provision(**changes), 64, words)

    def test_claim_files_that_cannot_be_taken(self):
        loose = self.folder / "claim.key"
        shutil.copy(self.cloud.folder / "devices" / "claim.key", loose)
        loose.chmod(0o644)
        for changes, words in (({"claim_key": "/nowhere/claim.key"}, ("/nowhere/claim.key",)), ({"claim_key": loose}, ("chmod 600", str(loose))),
                               ({"claim_cert": "/nowhere"}, ("/nowhere",)), ({"ca": "/nowhere.pem"}, ("/nowhere.pem",)),
                               ({"claim_key": self.cloud.folder / "subscriber.key"}, ("does not belong to",))):
            with self.subTest(changes):
                self.assert_refused(self.provision(**changes), 77, *words)
        self.assertEqual(self.cloud.said("issued"), [])

    def test_nobody_there(self):
        port = harness.free_port()
        result = self.provision(broker=f"mqtts://localhost:{port}")
        self.assert_refused(result, 69, f"localhost:{port}")
        self.assertNotIn("by itself", result.err)


if __name__ == "__main__":
    unittest.main()
