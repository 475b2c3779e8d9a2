"""glimpse doctor on the machine itself: cameras, models, engines."""

import glob
import json
import os
import pathlib
import shutil
import subprocess
import unittest

from doctoring import STATES, Doctor, doctor
from harness import CLIP, DEMO, GLIMPSE, PATIENCE_S


class Machine(Doctor):
    def test_without_a_broker_it_looks_at_the_machine_alone(self):
        code, checks, err = doctor()
        self.assertEqual((code, err), (0, ""))
        self.assert_states(checks, machine="ok", source="ok", model="ok", libtorch="ok", broker="skip")
        self.assertIn(subprocess.run(["uname", "-r"], check=True, capture_output=True, text=True).stdout.strip(), checks["machine"]["text"])
        for check in checks.values():
            self.assertEqual(list(check), ["name", "state", "text", "remedy"])
            self.assertIn(check["state"], STATES)
            self.assertTrue(check["text"])
            if check["state"] == "warn":
                self.assertTrue(check["remedy"], check)
        size = os.path.getsize(pathlib.Path(DEMO) / "float.pt")
        self.assert_in_check(checks["model"], f"float {size / 1e6:.1f} MB", "91 classes")
        for form in ("float", "int8"):
            self.assertRegex(checks[f"torch {form}"]["text"], r"^[0-9.]+ ms a picture \([0-9.]+ fps\) on \d+ thread")

    def test_as_text_each_check_is_a_line_and_nothing_is_coloured(self):
        done = subprocess.run([GLIMPSE, "doctor", "--model", DEMO, "--source", "test", "--backend", "torch"], capture_output=True,
                              text=True, timeout=PATIENCE_S, check=False)
        lines = done.stdout.splitlines()
        for line in lines[:-1]:
            self.assertRegex(line, r"^(ok  |warn|fail|skip)  \S")
        self.assertRegex(lines[-1], rf"^{len(lines) - 1} checks: 0 failed, \d+ warnings?$")
        self.assertNotIn("\x1b", done.stdout)
        self.assertIn("torch int8", done.stdout)
        self.assertNotIn("xnnpack float", done.stdout)  # --backend torch

    def test_no_such_camera(self):
        code, checks, _ = doctor("--source", "/dev/video97")
        self.assertEqual(code, 66)
        self.assert_in_check(checks["source"], "fail", "/dev/video97", "--source")

    @unittest.skipIf(glob.glob("/usr/lib/*/libcamera.so.*"), "libcamera is installed")
    def test_csi_without_libcamera(self):
        code, checks, _ = doctor("--source", "csi")
        self.assertEqual(code, 66)
        self.assert_in_check(checks["libcamera"], "fail", "sudo apt install gstreamer1.0-libcamera")
        self.assert_states(checks, source="skip")

    def test_a_clip_is_opened_and_a_text_is_no_clip(self):
        code, checks, _ = doctor("--source", CLIP)
        self.assertEqual(code, 0)
        self.assert_in_check(checks["source"], "ok", CLIP)
        text = self.folder / "clip.mp4"
        text.write_text("not a video")
        code, checks, _ = doctor("--source", text)
        self.assertEqual(code, 65)
        self.assert_in_check(checks["source"], "fail", text)

    def test_no_models_at_all(self):
        program = self.folder / "prefix" / "bin" / "glimpse"
        program.parent.mkdir(parents=True)
        shutil.copy(GLIMPSE, program)
        done = subprocess.run([program, "doctor", "--source", "test", "--json"], cwd=self.folder, capture_output=True, timeout=PATIENCE_S,
                              text=True, check=False)
        checks = {check["name"]: check for check in map(json.loads, done.stdout.splitlines())}
        if checks["model"]["state"] == "ok":
            self.skipTest("models are installed on this machine")
        self.assertEqual(done.returncode, 65, done.stderr)
        self.assert_in_check(checks["model"], "fail", "none is installed")
        self.assertNotIn("torch float", checks)

    def test_a_damaged_model(self):
        folder = self.demo_copy()
        content = bytearray((folder / "float.pt").read_bytes())
        content[len(content) // 2] ^= 1
        (folder / "float.pt").write_bytes(content)
        code, checks, _ = doctor("--model", folder)
        self.assertEqual(code, 65)
        actual = subprocess.run(["sha256sum", folder / "float.pt"], check=True, capture_output=True, text=True).stdout.split()[0]
        self.assert_in_check(checks["model"], "fail", folder / "float.pt", actual)
        self.assert_in_check(checks["torch float"], "skip", "see model")
        code, checks, _ = doctor("--model", folder, "--trust")
        self.assert_in_check(checks["model"], "warn", actual)

    @unittest.skipUnless(glob.glob("/usr/lib/*/blas/libblas.so.3"), "no reference BLAS here")
    def test_the_reference_blas(self):
        (folder,) = {os.path.dirname(path) for path in glob.glob("/usr/lib/*/blas/libblas.so.3")}
        _, checks, _ = doctor("--backend", "xnnpack", env={**os.environ, "LD_LIBRARY_PATH": folder})
        self.assert_in_check(checks["blas"], "warn", folder + "/libblas.so.3", "sudo ", "openblas")

    def test_threads_that_leave_no_core(self):
        cores = str(os.cpu_count())
        _, checks, _ = doctor("--threads", cores, "--backend", "xnnpack")
        self.assertEqual(checks["threads"]["state"], "ok" if cores == "1" else "warn", checks["threads"])

    def test_settings_that_no_run_would_take(self):
        code, checks, _ = doctor("--broker", "http://localhost", "--backend", "xnnpack")
        self.assertEqual(code, 64)
        self.assert_in_check(checks["settings"], "fail", "http://localhost", "mqtts://")


if __name__ == "__main__":
    unittest.main()
