"""Each kind of bad input: one clear line, the right exit code, nothing lost."""

import json
import subprocess
import unittest

from harness import CLIP, TestCase, glimpse


class Sources(TestCase):
    def test_no_such_file(self):
        self.assert_refused(glimpse("--source", "nowhere/clip.mp4"), 66, "nowhere/clip.mp4")

    def test_a_folder_without_pictures(self):
        (self.folder / "notes.txt").write_text("not a picture")
        self.assert_refused(glimpse("--source", self.folder), 66, str(self.folder))

    def test_a_camera_that_is_not_there(self):
        self.assert_refused(glimpse("--source", "/dev/video97"), 66, "/dev/video97")

    def test_a_text_file_in_a_videos_place(self):
        text = self.folder / "clip.mp4"
        text.write_text("this is not a video\n" * 100)
        self.assert_refused(glimpse("--source", text), 65, str(text))

    def test_the_good_part_of_a_truncated_video_is_played_then_the_reason_told(self):
        with open(CLIP, "rb") as whole:
            content = whole.read()
        cut = self.folder / "cut.mp4"
        cut.write_bytes(content[: len(content) // 2])
        result = glimpse("--source", cut, "--interval", "0", "--json")
        self.assertEqual(result.code, 65, result.err)
        self.assertGreater(len(result.records()), 100)
        self.assertIn("cut.mp4", result.err)
        self.assertIn("truncated", result.err)

    def test_an_empty_picture_among_good_ones_is_skipped_and_counted(self):
        for name, colour in (("a.ppm", b"\xff\x00\x00"), ("c.ppm", b"\x00\xff\x00")):
            (self.folder / name).write_bytes(b"P6 64 64 255\n" + colour * (64 * 64))
        (self.folder / "b.ppm").write_bytes(b"")
        result = glimpse("--source", self.folder, "--interval", "0", "--json")
        self.assertEqual(result.code, 0, result.err)
        records = result.records()
        self.assertEqual([record["frames"]["index"] for record in records], [0, 2])
        self.assertEqual(records[-1]["frames"]["skipped"], 1)
        self.assertIn("b.ppm", result.err)
        self.assertIn("1 pictures skipped", result.err)

    def test_a_folder_of_nothing_but_broken_pictures(self):
        (self.folder / "a.png").write_bytes(b"")
        result = glimpse("--source", self.folder, "--json")
        self.assertEqual(result.code, 65, result.err)


class Models(TestCase):
    def refused(self, model, code, *words, quantized=False):
        options = ["--quantized"] if quantized else []
        self.assert_refused(glimpse("--source", CLIP, "--model", model, *options), code, *words)

    def test_no_such_model(self):
        self.refused("no-such-model", 65, "no-such-model")

    def test_no_int8_when_quantized(self):
        model = self.demo_copy()
        (model / "int8.pt").unlink()
        self.refused(model, 65, "int8.pt", quantized=True)

    def test_one_bit_flipped(self):
        model = self.demo_copy()
        content = bytearray((model / "float.pt").read_bytes())
        content[len(content) // 2] ^= 1
        (model / "float.pt").write_bytes(content)
        self.refused(model, 65, "float.pt", "SHA-256")

    def test_labels_that_do_not_match_the_output(self):
        model = self.demo_copy()
        manifest = json.loads((model / "manifest.json").read_text())
        manifest["labels"].append("one too many")
        (model / "manifest.json").write_text(json.dumps(manifest))
        self.refused(model, 65, "manifest.json", "labels")

    def test_a_text_file_in_a_models_place(self):
        model = self.demo_copy()
        (model / "float.pt").write_text("not a network")
        self.refused(model, 65, "float.pt")
        self.assert_refused(glimpse("--source", CLIP, "--model", model, "--trust"), 65, "not a TorchScript file")


class CommandLine(TestCase):
    def test_unknown_flag(self):
        self.assert_refused(glimpse("--sauce", "0"), 64, "--sauce")

    def test_top_k_out_of_range(self):
        for value in ("0", "5000"):
            self.assert_refused(glimpse("--source", CLIP, "--top-k", value), 64, "--top-k", value)

    def test_sizes_and_flips_that_no_camera_has(self):
        for size in ("0x0", "640", "640x", "99999x1"):
            self.assert_refused(glimpse("--source", "csi", "--size", size), 64, "--size", size)
        self.assert_refused(glimpse("--source", "csi", "--flip", "sideways"), 64, "--flip", "sideways")

    def test_size_and_flip_of_a_file_are_said_to_be_for_cameras(self):
        result = glimpse("--source", CLIP, "--size", "640x480", "--flip", "180", "--frames", "1", "--json")
        self.assertEqual(result.code, 0, result.err)
        self.assertIn("--size and --flip are for cameras", result.err)
        self.assertNotIn("--size and --flip", glimpse("--source", CLIP, "--frames", "1", "--json").err)

    def test_device_names_that_are_no_topic_level(self):
        for name in ("pi/#", "pi+1", "a" * 129):
            self.assert_refused(glimpse("--source", CLIP, "--device", name), 64, "--device")

    def test_malformed_configuration_is_named_by_line_and_column(self):
        config = self.folder / "glimpse.json"
        config.write_text('{\n  "model": {\n    "top_k" 3\n  }\n}\n')
        self.assert_refused(glimpse("--config", config), 78, f"{config}:3:13")

    def test_a_wrong_type_in_the_configuration_is_named_by_its_path(self):
        config = self.folder / "glimpse.json"
        config.write_text('{"telemetry": {"interval_s": "fast"}}')
        self.assert_refused(glimpse("--config", config), 78,
                            'telemetry.interval_s: expected a number from 0 to 86400, got "fast"')

    def test_the_command_line_overrides_the_configuration(self):
        config = self.folder / "glimpse.json"
        config.write_text('{"model": {"top_k": 3}, "source": {"uri": "test"}}')
        result = glimpse("--config", config, "--top-k", "4", "--print-config")
        self.assertEqual(result.code, 0, result.err)
        shown = json.loads(result.out)
        self.assertEqual(shown["model"]["top_k"], 4)
        self.assertEqual(shown["source"]["uri"], "test")

    def test_plain_mqtt_to_another_machine_is_refused(self):
        self.assert_refused(glimpse("--source", CLIP, "--broker", "mqtt://192.0.2.1"), 64, "--insecure")
        self.assert_refused(glimpse("--source", CLIP, "--broker", "mqtt://localhost", "--basic-ingest", "a/b"), 64, "--basic-ingest")
        for aws in (["--shadow"], ["--jobs"], ["--basic-ingest", "rule"]):
            self.assert_refused(glimpse("--source", CLIP, *aws), 64, "need --broker")


class Credentials(TestCase):
    def refused(self, *words, **files):
        options = [text for name, path in files.items() for text in ("--" + name, path)]
        self.assert_refused(glimpse("--source", CLIP, "--broker", "mqtts://localhost:1", *options), 77, *words)

    def test_a_key_that_others_can_read(self):
        key, certificate = self.folder / "pi.key", self.folder / "pi.crt"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                        "/CN=pi", "-days", "2", "-keyout", key, "-out", certificate], check=True, capture_output=True)
        key.chmod(0o644)
        self.refused(f"chmod 600 {key}", ca=certificate, cert=certificate, key=key)

    def test_a_certificate_that_is_not_there(self):
        self.refused("nowhere.crt", ca="nowhere.crt")


if __name__ == "__main__":
    unittest.main()
