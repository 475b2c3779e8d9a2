"""glimpse doctor on the machine itself: cameras, models, engines."""

import glob
import hashlib
import json
import os
import pathlib
import pty
import shutil
import socket
import subprocess
import unittest

from doctoring import STATES, Doctor, doctor
from harness import CLIP, DEMO, GLIMPSE, PATIENCE_S, wait_until


class Machine(Doctor):
    def test_without_a_broker_it_looks_at_the_machine_alone(self):
        code, checks, err = doctor()
        self.assertEqual((code, err), (0, ""))
        self.assert_states(checks, machine="ok", source="ok", model="ok", libtorch="ok", broker="ok")
        self.assertIn(subprocess.run(["uname", "-r"], check=True, capture_output=True, text=True).stdout.strip(), checks["machine"]["text"])
        for check in checks.values():
            self.assertEqual(list(check), ["name", "state", "text", "remedy"])
            self.assertIn(check["state"], STATES)
            self.assertTrue(check["text"])
            if check["state"] in ("warn", "fail"):
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

    @unittest.skipIf(os.path.exists("/dev/video0"), "there is a camera here")
    def test_a_missing_camera_that_nobody_named_is_no_failure(self):
        code, checks, _ = doctor(source=False)
        self.assertEqual(code, 0)
        self.assert_in_check(checks["source"], "warn", "none is named", "--source")

    @unittest.skipIf(glob.glob("/usr/lib/*/libcamera.so.*"), "libcamera is installed")
    def test_csi_without_libcamera(self):
        code, checks, _ = doctor("--source", "csi")
        self.assertEqual(code, 66)
        self.assert_in_check(checks["libcamera"], "fail", "sudo apt install gstreamer1.0-libcamera")
        self.assert_states(checks, source="warn")

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
        self.assertEqual(checks["model"]["state"], "fail")
        self.assertIn("none is installed", checks["model"]["text"])
        self.assertIn("--model", checks["model"]["remedy"])
        self.assertNotIn("torch float", checks)

    def test_a_stream_that_is_not_there_has_a_remedy_and_tells_no_password(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        code, checks, _ = doctor("--source", f"http://user:secret@127.0.0.1:{port}/", "--backend", "torch")
        self.assertEqual(code, 66)
        self.assert_in_check(checks["source"], "fail", "cannot be opened", "--source")
        self.assertNotIn("secret", str(checks))
        _, checks, _ = doctor("--source", "gst:videotestsrc ! textoverlay text=secret", "--backend", "torch")
        self.assertNotIn("secret", str(checks))

    def test_a_damaged_model(self):
        folder = self.demo_copy()
        content = bytearray((folder / "float.pt").read_bytes())
        content[len(content) // 2] ^= 1
        (folder / "float.pt").write_bytes(content)
        code, checks, _ = doctor("--model", folder)
        self.assertEqual(code, 65)
        actual = subprocess.run(["sha256sum", folder / "float.pt"], check=True, capture_output=True, text=True).stdout.split()[0]
        self.assert_in_check(checks["model"], "fail", folder / "float.pt", actual)
        self.assert_in_check(checks["torch float"], "warn", "not looked at", "mend first: model")
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
        self.assertEqual(next(iter(checks)), "settings")  # before all that takes its time

    def test_a_config_file_that_is_not_there_or_broken(self):
        for text, code, word in ((None, 78, "cannot"), ("{", 78, "JSON"), ('{"sauce": {}}', 78, "sauce")):
            config = self.folder / "glimpse.json"
            if text is not None:
                config.write_text(text)
            got, checks, err = doctor("--config", config)
            self.assertEqual((got, checks), (code, {}), err)
            self.assertEqual(err.count("\n"), 1, err)
            self.assertIn(str(config), err)

    def test_a_form_that_the_run_would_not_use_fails_nothing(self):
        folder = self.demo_copy()
        (folder / "int8.pt").write_bytes(b"no TorchScript")
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["files"]["int8.pt"]["sha256"] = hashlib.sha256(b"no TorchScript").hexdigest()
        (folder / "manifest.json").write_text(json.dumps(manifest))
        for options, code in (((), 0), (("--backend", "torch"), 0), (("--quantized",), 65), (("--quantized", "--backend", "torch"), 65)):
            got, checks, _ = doctor("--model", folder, *options)
            self.assertEqual(got, code, (options, checks))
            self.assert_states(checks, torch_float="ok")
            states = {check["state"] for name, check in checks.items() if name.endswith(" int8")}
            self.assertEqual("fail" in states, code != 0, checks)
            self.assertNotIn("ok", states)

    def test_the_engines_give_way_to_a_run_beside_them(self):
        with subprocess.Popen([GLIMPSE, "doctor", "--model", DEMO, "--source", "test"], stdout=subprocess.DEVNULL) as process:
            def nice_child():
                self.assertIsNone(process.poll(), "it ended, and none of its processes was nice")
                shown = subprocess.run(["ps", "--no-headers", "-o", "ni", "--ppid", str(process.pid)], capture_output=True, text=True, check=False)
                return "19" in shown.stdout.split()
            wait_until(nice_child, "a process that gives way")


class Output(Doctor):
    """Where the lines go."""

    COMMAND = [GLIMPSE, "doctor", "--model", DEMO, "--source", "test", "--backend", "torch"]

    def test_a_disk_that_is_full(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run(self.COMMAND, stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 70)
        self.assertEqual(done.stderr, "glimpse: cannot write to standard output: No space left on device\n")

    def test_a_reader_that_leaves(self):
        for options in ([], ["--json"]):
            with subprocess.Popen([*self.COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
                self.assertTrue(process.stdout.readline())
                process.stdout.close()
                self.assertEqual(process.stderr.read(), b"")
                self.assertEqual(process.wait(PATIENCE_S), 0)

    def test_what_is_found_is_shown_before_what_takes_long(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            source = f"http://127.0.0.1:{silent.getsockname()[1]}/"
            command = [GLIMPSE, "doctor", "--model", DEMO, "--source", source, "--json"]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                self.addCleanup(process.wait)
                self.addCleanup(process.kill)
                names = []
                while "cameras" not in names:
                    names.append(json.loads(process.stdout.readline())["name"])
                connection, _ = silent.accept()  # only now is the source looked at, and it is not answered
                self.assertIsNone(process.poll())
                self.assertEqual(names[0], "machine")
                process.kill()
                connection.close()

    def on_a_terminal(self, until, **variables):
        """What the terminal gets, up to Ctrl-C once `until` has come, and the exit status."""
        environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        pid, fd = pty.fork()
        if pid == 0:
            os.execve(GLIMPSE, self.COMMAND, {**environment, **variables})
        text = ""
        while True:
            try:
                text += os.read(fd, 4096).decode(errors="replace")
            except OSError:  # EIO: nobody has it open any more
                break
            if until and until in text:
                os.write(fd, b"\x03")
                until = ""
        os.close(fd)
        return text, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def test_a_terminal_is_left_clean_by_ctrl_c(self):
        text, code = self.on_a_terminal("...   torch float", TERM="xterm")
        self.assertEqual(code, 130)
        self.assertTrue(text.endswith("\r\x1b[Kglimpse: stopped before the end\r\n"), text[-200:])
        self.assertIn("\x1b[32mok  \x1b[0m  machine", text)

    def test_no_colour_where_none_is_wanted_and_nothing_but_text_where_the_terminal_is_dumb(self):
        text, code = self.on_a_terminal("", TERM="xterm", NO_COLOR="1")
        self.assertEqual(code, 0)
        self.assertIn("\x1b[K", text)
        self.assertNotIn("\x1b[3", text)
        for kind in ("", "dumb"):
            text, code = self.on_a_terminal("", TERM=kind)
            self.assertEqual(code, 0)
            self.assertNotIn("\x1b", text)
            self.assertNotIn("...", text)


if __name__ == "__main__":
    unittest.main()
