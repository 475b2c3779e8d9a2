"""scripts/package/glimpse.service: what systemd thinks of it, and how it runs under a real systemd where one can be booted."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request

from harness import DEMO, GLIMPSE, PATIENCE_S, ROOT, TestCase, free_port, wait_until

UNIT = ROOT / "scripts" / "package" / "glimpse.service"
# Keys of systemd 254; the one of Debian 12 is 252. The unit says what becomes of them there.
NEWER_KEYS = ("RestartSteps", "RestartMaxDelaySec")


def analyze(*arguments):
    done = subprocess.run(["systemd-analyze", "--no-pager", *map(str, arguments)], capture_output=True, text=True,
                          timeout=PATIENCE_S, check=False)
    return done.returncode, done.stdout + done.stderr


class UnitFile(TestCase):
    def test_its_exposure_is_below_3(self):
        code, text = analyze("security", "--offline=true", "--threshold=29", UNIT)
        self.assertEqual(code, 0, text)
        exposure = float(re.search(r"Overall exposure level for glimpse.service: ([\d.]+)", text)[1])
        self.assertLess(exposure, 3.0)

    def test_systemd_has_nothing_to_say_against_it(self):
        unit = self.folder / UNIT.name
        unit.write_text(UNIT.read_text().replace("/usr/bin/glimpse", GLIMPSE))
        version = int(re.search(r"systemd (\d+)", analyze("--version")[1])[1])
        code, text = analyze("verify", "--man=no", unit)
        said = [line for line in text.splitlines() if version >= 254 or not any(key in line for key in NEWER_KEYS)]
        self.assertEqual((code, said), (0, []))


class Machine:
    """A systemd that was booted in a namespace, with the unit and the program in it."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("layer", "root", "files"):
            (folder / name).mkdir()
        files = folder / "files"
        for path, source in (("usr/bin/glimpse", GLIMPSE), ("etc/systemd/system/glimpse.service", UNIT)):
            (files / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, files / path)
        shutil.copytree(DEMO, files / "usr/share/glimpse/models/demo")
        (files / "etc/glimpse").mkdir()
        (files / "etc/glimpse/glimpse.json").write_text(json.dumps(
            {"source": {"uri": "test"}, "model": {"name": "/usr/share/glimpse/models/demo", "backend": "torch"}}))
        (files / "etc/systemd/system/test.target").write_text(
            "[Unit]\nRequires=basic.target systemd-journald.service\nAfter=basic.target systemd-journald.service\n")
        script = ROOT / "tests" / "integration" / "boot_systemd.sh"
        with open(folder / "boot.log", "wb") as log:
            self.process = subprocess.Popen(["unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child", script, folder],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.first = None

    def is_up(self):
        if self.process.poll() is not None:
            return True
        with contextlib.suppress(OSError, ValueError):
            self.first = int(pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text())
            return self.run("systemctl", "is-active", "test.target").stdout.strip() == "active"
        return False

    def problem(self):
        """Why it could not be booted here, or nothing."""
        try:
            wait_until(self.is_up, "systemd", timeout=60)
        except AssertionError:
            return "it did not come up within 60 s"
        return None if self.process.poll() is None else (self.folder / "boot.log").read_text().strip()[-200:] or "it ended"

    def run(self, *words):
        entering = ["nsenter", "-t", str(self.first), "-m", "-p", "-C", "-i", "-u", "-r", "-w"]
        return subprocess.run([*entering, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_S,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, check=False)

    def write(self, path, text):
        target = pathlib.Path(f"/proc/{self.first}/root{path}")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def show(self, name):
        return self.run("systemctl", "show", "--value", "-p", name, "glimpse").stdout.strip()

    def journal(self):
        return self.run("journalctl", "-u", "glimpse", "--no-pager", "-o", "cat").stdout

    def close(self):
        self.process.kill()  # and with it all that is in its namespaces
        self.process.wait()
        for cgroups in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
            for folder, _, _ in os.walk(f"{cgroups}/{self.folder.name}", topdown=False):
                wait_until(lambda path=folder: self.is_removed(path), "the cgroup's end", timeout=30)

    @staticmethod
    def is_removed(folder):
        with contextlib.suppress(OSError):
            os.rmdir(folder)
        return not os.path.exists(folder)


@unittest.skipUnless(os.geteuid() == 0, "booting a systemd in a namespace takes root")
class Booted(TestCase):
    def setUp(self):
        super().setUp()
        self.machine = Machine(self.folder)
        self.addCleanup(self.machine.close)
        if problem := self.machine.problem():
            self.skipTest(f"systemd cannot be booted here: {problem}")

    def configure(self, **settings):
        """Settings of the unit that make the test short; and the command line, where it is another one."""
        command = settings.pop("command", None)
        lines = [f"{key}={value}" for key, value in settings.items()]
        if command is not None:
            lines += ["ExecStart=", f"ExecStart=/usr/bin/glimpse run --config {command}"]
        self.machine.write("/run/systemd/system/glimpse.service.d/test.conf", "[Service]\n" + "\n".join(lines) + "\n")
        self.machine.run("systemctl", "daemon-reload")

    def systemctl(self, verb):
        return self.machine.run("systemctl", verb, "glimpse").returncode

    def assert_state(self, name, value):
        wait_until(lambda: self.machine.show(name) == value, f"{name}={value}, it is {self.machine.show(name)}", timeout=60)

    def test_a_life_under_systemd(self):
        machine = self.machine
        self.assertEqual(self.systemctl("start"), 0, machine.journal())
        self.assertEqual(machine.show("ActiveState"), "active")
        wait_until(lambda: re.fullmatch(r"[\d.]+ fps, .+ \d+ %", machine.show("StatusText")), "the state")
        process = pathlib.Path(f"/proc/{machine.first}/root/proc/{machine.show('MainPID')}")
        status = (process / "status").read_text()
        for line in ("CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
            self.assertIn(line, status)
        for folder in ("/var/lib/glimpse", "/var/cache/glimpse"):
            self.assertIn("glimpse", machine.run("stat", "-c", "%U", folder).stdout)
        self.assertEqual(machine.run("stat", "-c", "%a", "/var/lib/glimpse").stdout.strip(), "700")

        machine.write("/etc/glimpse/glimpse.json", json.dumps(
            {"model": {"name": "/usr/share/glimpse/models/demo", "top_k": 3}, "source": {"uri": "test", "fps": 10}}))
        self.assertEqual(self.systemctl("reload"), 0)
        wait_until(lambda: "reload: model.top_k is 3" in machine.journal(), "the reload")
        self.assertIn("reload: source.fps changes at the next start", machine.journal())
        self.assertEqual(machine.show("NRestarts"), "0")

        began = time.monotonic()
        self.assertEqual(self.systemctl("stop"), 0)
        self.assertLess(time.monotonic() - began, 4)
        self.assertEqual(machine.show("Result"), "success")
        self.assertIn(" frames in ", machine.journal())

    def test_the_page_comes_after_the_network_and_keeps_its_token_from_the_journal(self):
        machine, port = self.machine, free_port()
        self.configure(command=f"/etc/glimpse/glimpse.json --web 0.0.0.0:{port}")
        self.assertEqual(self.systemctl("start"), 0, machine.journal())
        token = machine.run("cat", "/var/lib/glimpse/web-token").stdout.strip()
        self.assertEqual(machine.run("stat", "-c", "%a %U", "/var/lib/glimpse/web-token").stdout.strip(), "600 glimpse")
        page = f"http://127.0.0.1:{port}"
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{page}/api/status", timeout=PATIENCE_S)
        self.assertEqual(refused.exception.code, 401)
        with urllib.request.urlopen(f"{page}/api/status?token={token}", timeout=PATIENCE_S) as answer:
            self.assertEqual(json.load(answer)["schema"], "glimpse/1")
        self.assertIn("token in /var/lib/glimpse/web-token", machine.journal())
        self.assertNotIn(token, machine.journal())
        threads = machine.run("sh", "-c", f"cat /proc/{machine.show('MainPID')}/task/*/stat").stdout.splitlines()
        nice_values = {int(line.rsplit(")", 1)[1].split()[16]) for line in threads}  # proc(5): the 19th field
        self.assertEqual(nice_values, {0, 10})

    def test_what_hangs_is_killed_and_started_again(self):
        self.configure(WatchdogSec="3s", RestartSec="100ms")
        self.assertEqual(self.systemctl("start"), 0, self.machine.journal())
        main = self.machine.show("MainPID")
        self.machine.run("kill", f"-{signal.SIGSTOP.value}", main)
        self.assert_state("NRestarts", "1")
        self.assert_state("ActiveState", "active")
        self.assertIn("Watchdog timeout", self.machine.journal())
        self.assertNotEqual(self.machine.show("MainPID"), main)

    def test_a_camera_that_is_not_there_is_tried_again_a_wrong_file_is_not(self):
        self.configure(RestartSec="100ms", command="/etc/glimpse/glimpse.json --source /dev/video97")
        self.assertNotEqual(self.systemctl("start"), 0)
        wait_until(lambda: int(self.machine.show("NRestarts")) >= 2, "two restarts", timeout=60)
        self.systemctl("stop")
        self.configure(RestartSec="100ms", command="/etc/hostname")
        self.assertNotEqual(self.systemctl("start"), 0)
        self.assert_state("ActiveState", "failed")
        self.assertEqual(self.machine.show("ExecMainStatus"), "78")
        self.assertEqual(self.machine.show("NRestarts"), "0")


if __name__ == "__main__":
    if not shutil.which("systemd-analyze"):
        print("skipped: there is no systemd-analyze (apt-get install systemd)")
        sys.exit(77)
    unittest.main()
