"""glimpse doctor on the way to the broker, with a real mosquitto as it should be and as it should not; and beside a run."""

import contextlib
import json
import re
import signal
import socket
import subprocess
import threading
import unittest

from doctoring import Doctor, doctor, openssl, undisturbed, utc
from harness import CLIP, DEMO, GLIMPSE, PATIENCE_S, ROOT, Broker, command, free_port, interrupt, start, wait_until


class Link(Doctor):
    """Each with the engines left out but one, which is quick."""

    def look(self, *arguments, **options):
        return undisturbed("--backend", "xnnpack", *arguments, **options)

    def files(self, broker, **others):
        folder = broker.folder
        paths = {"ca": folder / "ca.crt", "cert": folder / "devices" / f"{self.device}.crt",
                 "key": folder / "devices" / f"{self.device}.key", **others}
        return ["--broker", f"mqtts://localhost:{broker.port}", "--device", self.device, "--state", self.folder / "state",
                *(text for name, path in paths.items() for text in ("--" + name, path))]

    def skip_beside_a_stranger(self, checks):
        if "may be logged in" in checks["login"]["text"]:
            self.skipTest("another user's glimpse run is here: " + checks["login"]["text"])

    def test_a_broker_that_is_up(self):
        broker = self.broker()
        broker.subscribe()
        code, checks, err = self.look(*broker.options())
        self.skip_beside_a_stranger(checks)
        self.assertEqual((code, err), (0, ""))
        self.assert_states(checks, running="ok", outbox="ok", key_files="ok", dns="ok", tls="ok", login="ok", publish="ok",
                           state_folder="ok")
        server = broker.folder / "server.crt"
        self.assert_in_check(checks["tls"], f"localhost:{broker.port}: {openssl(server, 'subject')}, issued by {openssl(server, 'issuer')}",
                             "valid until " + utc(openssl(server, "enddate")))
        self.assert_in_check(checks["key files"], "valid until " + utc(openssl(broker.folder / "devices" / f"{self.device}.crt", "enddate")))
        wait_until(lambda: f"glimpse/v1/{self.device}/doctor" in broker.text(), "the doctor's message")
        topics = {line.split(" ")[1] for line in broker.text().splitlines() if line.startswith("MESSAGE ")}
        self.assertEqual(topics, {f"glimpse/v1/{self.device}/doctor"})  # neither a record nor a status
        retained = subprocess.run(
            ["mosquitto_sub", "-h", "localhost", "-p", str(broker.port), "--cafile", broker.folder / "ca.crt", "--cert",
             broker.folder / "subscriber.crt", "--key", broker.folder / "subscriber.key", "-i", "late", "-t", "glimpse/#", "-t", "$SYS/none",
             "--retained-only", "-W", "1"], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(retained.stdout, "")
        self.assertFalse((broker.folder / "state").exists())  # the doctor has made nothing

    def test_a_broker_that_is_down(self):
        broker = self.broker()
        broker.stop()
        code, checks, _ = self.look(*broker.options())
        self.assertEqual(code, 69)
        self.assert_in_check(checks[f"port {broker.port}"], "fail", "nothing listens at localhost", "start the broker")
        self.assert_states(checks, key_files="ok", dns="ok", tls="warn", login="warn")

    def test_no_network(self):
        prefix = ["unshare", "--map-root-user", "--net"]
        if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("no network namespaces here")
        code, checks, _ = self.look("--broker", "mqtts://broker.example.com", prefix=prefix)
        self.assertEqual(code, 69)
        self.assert_in_check(checks["dns"], "fail", "broker.example.com", "getent hosts")
        self.assert_states(checks, port_8883="warn", tls="warn", login="warn")
        code, checks, _ = self.look("--broker", "mqtts://127.0.0.1", prefix=prefix)
        self.assertEqual(code, 69)
        self.assert_states(checks, dns="ok", port_8883="fail", port_443="ok")

    def test_the_wrong_authority(self):
        broker = self.broker()
        other = self.folder / "other.crt"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=other",
                        "-keyout", self.folder / "other.key", "-out", other], check=True, capture_output=True)
        code, checks, _ = self.look(*self.files(broker, ca=other))
        self.assertEqual(code, 77)
        self.assert_in_check(checks["tls"], "fail", other, "--ca")
        self.assert_states(checks, login="warn")

    def test_a_key_that_others_can_read(self):
        broker = self.broker()
        key = broker.folder / "devices" / f"{self.device}.key"
        key.chmod(0o644)
        code, checks, _ = self.look(*self.files(broker))
        self.assertEqual(code, 77)
        self.assertEqual(checks["key files"]["remedy"], f"chmod 600 {key}")
        self.assert_states(checks, dns="ok", tls="warn", login="warn")
        self.assertEqual(checks[f"port {broker.port}"]["state"], "ok")

    def test_certificates_that_have_expired_or_soon_will(self):
        broker = self.broker()
        certificates = self.folder / "certificates"
        subprocess.run([ROOT / "tests" / "integration" / "make_certs.sh", certificates], check=True, capture_output=True)
        expired, soon = (certificates / f"device{kind}.crt" for kind in ("-expired", ""))
        code, checks, _ = self.look(*self.files(broker, cert=expired, key=expired.with_suffix(".key")))
        self.assertEqual(code, 77)
        self.assert_in_check(checks["key files"], "fail", expired, utc(openssl(expired, "enddate")), "have a new one issued")
        _, checks, _ = self.look(*self.files(broker, cert=soon, key=soon.with_suffix(".key")))
        self.assert_in_check(checks["key files"], "warn", utc(openssl(soon, "enddate")), "(in 29 days)")

    def test_a_broker_that_drops_what_this_device_publishes(self):
        acl = self.folder / "acl"
        acl.write_text("user subscriber\ntopic read glimpse/#\n")
        broker = self.broker()
        subprocess.run([ROOT / "scripts" / "broker.sh", "stop", "--dir", broker.folder], check=True, capture_output=True)
        subprocess.run([ROOT / "scripts" / "broker.sh", "start", "--dir", broker.folder, "--port", str(broker.port), "--device", self.device,
                        "--acl", acl], check=True, capture_output=True)
        code, checks, _ = self.look(*broker.options())
        self.skip_beside_a_stranger(checks)
        self.assertEqual(code, 0)
        self.assert_states(checks, login="ok")
        self.assert_in_check(checks["publish"], "warn", f"glimpse/v1/{self.device}/doctor", "ACL")

    def test_a_server_that_says_nothing_is_given_up_and_ctrl_c_does_not_wait_for_that(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            arguments = ["--broker", f"mqtts://127.0.0.1:{port}", "--state", str(self.folder)]
            code, checks, _ = self.look(*arguments)
            self.assertEqual(code, 69)
            self.assert_states(checks, tls="fail", login="warn")
            process = subprocess.Popen([GLIMPSE, "doctor", "--model", DEMO, "--source", "test", "--backend", "xnnpack", "--json", *arguments],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for line in process.stdout:
                if json.loads(line)["name"] == f"port {port}":
                    break
            process.send_signal(signal.SIGINT)
            rest, err = process.communicate(timeout=PATIENCE_S)
            self.assertEqual((process.returncode, rest), (130, ""))
            self.assertEqual(err, "glimpse: stopped before the end\n")

    def test_a_full_disk(self):
        small = self.folder / "small"
        small.mkdir()
        prefix = ["unshare", "--map-root-user", "--mount", "sh", "-c", 'mount -t tmpfs -o size=500k tmpfs "$0" && exec "$@"', small]
        if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("no mount namespaces here")
        code, checks, _ = self.look("--broker", "mqtt://127.0.0.1:1", "--state", small, prefix=prefix)
        self.assertEqual(code, 69)  # the broker's
        self.assert_in_check(checks["disk"], "warn", small, "make room")

    def test_a_state_folder_that_cannot_be(self):
        blocked = self.folder / "file"
        blocked.touch()
        code, checks, _ = self.look("--broker", "mqtt://127.0.0.1:1", "--state", blocked / "state")
        self.assertEqual(code, 78)
        self.assert_in_check(checks["state folder"], "fail", blocked, "--state")
        self.assert_states(checks, outbox="warn")


class Refusals(Doctor):
    """Brokers that let nobody in, or nobody stay, and ways around."""

    def look(self, uri, *arguments, **options):
        return undisturbed("--backend", "xnnpack", "--broker", uri, "--device", self.device, "--state", self.folder / "state", *arguments,
                           **options)

    def test_a_broker_that_refuses_the_login(self):
        port = free_port()
        config = self.folder / "mosquitto.conf"
        config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous false\n")
        broker = subprocess.Popen(["mosquitto", "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(broker.wait)
        self.addCleanup(broker.kill)
        wait_until(lambda: accepts(port), "the broker")
        code, checks, _ = self.look(f"mqtt://127.0.0.1:{port}")
        self.assertEqual(code, 77)
        self.assert_in_check(checks["login"], "fail", self.device, "not authorised", "policy")
        self.assertNotIn("publish", checks)

    def test_a_broker_that_ends_the_session_at_a_publish(self):
        """As AWS does where the policy forbids it; another client with the same name looks the same."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            def serve():
                with contextlib.suppress(OSError):
                    while True:
                        connection, _ = server.accept()
                        with connection:
                            if connection.recv(1000):  # CONNECT; the looks at the port say nothing
                                connection.sendall(bytes([0x20, 2, 0, 0]))  # CONNACK, accepted: MQTT 3.1.1, 3.2
                                connection.recv(1000)  # PUBLISH
            thread = threading.Thread(target=serve)
            thread.start()
            code, checks, _ = self.look(f"mqtt://127.0.0.1:{server.getsockname()[1]}")
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
        self.assertEqual(code, 77)
        self.assert_states(checks, login="ok")
        self.assert_in_check(checks["publish"], "fail", f"glimpse/v1/{self.device}/doctor", "policy", f"another client came as {self.device}")

    def test_8883_closed_and_443_open(self):
        listen = "import socket, subprocess, sys; s = socket.create_server(('127.0.0.1', 443)); sys.exit(subprocess.call(sys.argv[1:]))"
        prefix = ["unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec python3 -c "$0" "$@"', listen]
        if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("no network namespaces here, or no ip(8)")
        code, checks, _ = self.look("mqtts://127.0.0.1", prefix=prefix)
        self.assertEqual(code, 69)
        self.assert_in_check(checks["port 8883"], "fail", "nothing listens at 127.0.0.1:8883")
        self.assert_in_check(checks["port 443"], "warn", "is open, unlike port 8883", "--broker mqtts://127.0.0.1:443")
        self.assert_states(checks, tls="warn", login="warn")

    def test_through_a_proxy(self):
        broker = Broker(self, device=self.device).start()
        with Proxy() as proxy:
            _, checks, _ = doctor("--backend", "xnnpack", *broker.options(), "--proxy", f"http://127.0.0.1:{proxy.port}")
        self.assert_in_check(checks["dns"], "ok", "127.0.0.1 (the proxy)")
        self.assert_in_check(checks[f"port {broker.port}"], "ok", f"localhost:{broker.port} is open through", str(proxy.port))
        self.assert_states(checks, tls="ok", login="ok", publish="ok")
        self.assertEqual(set(proxy.asked), {f"CONNECT localhost:{broker.port} HTTP/1.1"})
        _, checks, _ = doctor("--backend", "xnnpack", *broker.options(), "--proxy", f"http://127.0.0.1:{free_port()}")
        self.assert_in_check(checks[f"port {broker.port}"], "fail", "nothing listens at", "start it")


def accepts(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


class Proxy:
    """An HTTP proxy: each CONNECT leads to where it asks."""

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.asked = []
        self.threads = []
        self.run(self.serve)
        return self

    def __exit__(self, *error):
        self.listener.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join()
        self.listener.close()

    def run(self, target, *arguments):
        self.threads.append(threading.Thread(target=target, args=arguments))
        self.threads[-1].start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                self.run(self.lead, self.listener.accept()[0])

    def lead(self, client):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1)
        self.asked.append(head.decode().splitlines()[0])
        host, port = self.asked[-1].split(" ")[1].rsplit(":", 1)
        with client, socket.create_connection((host, int(port))) as server:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=self.copy, args=(server, client))
            back.start()
            self.copy(client, server)
            back.join()

    @staticmethod
    def copy(one, other):
        with contextlib.suppress(OSError):
            while data := one.recv(4096):
                other.sendall(data)
        with contextlib.suppress(OSError):
            other.shutdown(socket.SHUT_WR)


class BesideARun(Doctor):
    """The run keeps its session: the broker's own log says who came and who was sent away."""

    def sessions(self, broker):
        log = (broker.folder / "mosquitto.log").read_text(encoding="utf-8")
        return re.findall(rf"(?:New client connected .* as|Client) {self.device}\b.*", log)

    def test_a_run_keeps_its_session(self):
        broker = self.broker()
        broker.subscribe()
        run = subprocess.Popen(command(*broker.options(), "--source", "test", "--interval", "100ms"), stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)  # who does not read stops it
        self.addCleanup(run.communicate)
        self.addCleanup(run.kill)
        wait_until(lambda: broker.messages("telemetry"), "a record")
        before = self.sessions(broker)
        for state in (broker.folder / "state", self.folder / "elsewhere"):  # its own outbox, and one that it has not
            code, checks, _ = doctor("--backend", "xnnpack", *broker.options(), "--state", state)
            self.assertEqual(code, 0)
            self.assert_in_check(checks["login"], "ok", f"not tried: glimpse run, pid {run.pid}", self.device)
            self.assert_in_check(checks["running"], "ok", f"pid {run.pid}")
            self.assert_states(checks, tls="ok")
            self.assertNotIn("publish", checks)
        seen = len(broker.messages("telemetry"))
        wait_until(lambda: len(broker.messages("telemetry")) > seen, "another record")
        self.assertEqual(self.sessions(broker), before)
        self.assertEqual(len(before), 1, before)
        _, _, err = interrupt(run)
        self.assertNotIn("warning: telemetry", err)
        self.assertNotIn(f"glimpse/v1/{self.device}/doctor", broker.text())

    def test_an_outbox_with_records_is_counted_and_kept(self):
        broker = self.broker()
        broker.stop()
        run = start(*broker.options(), "--source", CLIP, "--frames", "30", "--interval", "0", "--json")
        _, err = run.communicate(timeout=PATIENCE_S)
        self.assertIn("30 kept for the next run", err)
        _, checks, _ = doctor("--backend", "xnnpack", *broker.options())
        self.assert_in_check(checks["outbox"], "ok", "30 records wait, 0 dropped so far", "undamaged")
        broker.start()
        broker.subscribe()
        run = start(*broker.options(), "--source", CLIP, "--frames", "1", "--interval", "0", "--json")
        run.communicate(timeout=PATIENCE_S)
        wait_until(lambda: len(broker.messages("telemetry")) >= 31, "all of them")


if __name__ == "__main__":
    unittest.main()
