"""The interface behind the live page, docs/web.md: each path, from outside."""

import json
import signal
import socket
import threading
import unittest
import zipfile

from harness import CLIP, DEMO, glimpse, wait_until
from web_page import JSON, Page, Parts, WebTestCase, jpeg_size, prometheus_samples, read_all

PLAYED = ("--source", CLIP, "--loop", "--realtime")


def events(stream, count):
    """The next events of a text/event-stream: name and data."""
    found = []
    name = None
    while len(found) < count:
        line = stream.readline().decode().rstrip("\n")
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            found.append((name, json.loads(line[6:])))
    return found


class Reading(WebTestCase):
    def test_the_page_and_its_files(self):
        page = Page(self)
        index = page.ask("/")
        self.assertEqual((index.status, index.header("Content-Type")), (200, "text/html; charset=utf-8"))
        self.assertIn(b"<html", index.body)
        chart = page.ask("/chart.js")
        self.assertIn(b"Chart.js v3", chart.body[:200])
        for answer in (index, chart, page.ask("/nothing")):
            self.assert_headers(answer)

    def test_the_status_is_the_record_and_what_the_page_needs(self):
        page = Page(self, source=PLAYED).wait_for_frames()
        status = page.ask("/api/status").json()
        record = glimpse("--source", "test", "--frames", "3", "--json").records()[0]
        view = status.pop("view")
        self.assertEqual(list(status), list(record))
        self.assertEqual(len(status["predictions"]), 10)
        self.assertEqual(view["frame"], {"width": 640, "height": 480})
        # torchvision's way: the shorter side is resized, then the middle is cut out. The sizes are in the model file, a zip.
        with zipfile.ZipFile(DEMO + "/float.pt") as file:
            name = next(name for name in file.namelist() if name.endswith("extra/glimpse.json"))
            given = json.loads(file.read(name))["input"]
        seen = given["height"] / given["resize"]
        for key, expected in {"x": (1 - seen * 480 / 640) / 2, "y": (1 - seen) / 2, "width": seen * 480 / 640, "height": seen}.items():
            self.assertAlmostEqual(view["crop"][key], expected, places=3)
        self.assertIn("clip.mp4", view["source"])

    def test_events_bring_settings_history_and_statuses(self):
        page = Page(self).wait_for_frames()
        with page.open("/api/events") as connection, connection.makefile("rb") as stream:
            first = events(stream, 2)
            self.assertEqual([name for name, _ in first], ["settings", "history"])
            self.assertEqual(first[0][1], page.ask("/api/settings").json())
            self.assertEqual({len(column) for column in first[1][1].values()}, {len(first[1][1]["time_ms"])})
            later = [data for name, data in events(stream, 4) if name == "status"]
            self.assertGreater(later[-1]["frames"]["seen"], later[0]["frames"]["seen"])
            self.assertEqual(later[-1]["view"]["viewers"]["events"], 1)
            page.patch({"top_k": 3})
            told = []
            while not told:
                told = [data for name, data in events(stream, 1) if name == "settings" and data["settings"]["top_k"] == 3]

    def test_pictures_come_and_nothing_is_encoded_when_nobody_watches(self):
        page = Page(self, source=PLAYED).wait_for_frames()
        wait_until(lambda: page.metric("inference_seconds_count") > 20, "frames")
        self.assertEqual(page.metric("web_pictures_encoded_total"), 0)
        with page.open("/stream.mjpg") as connection:
            parts = Parts(connection)
            pictures = [parts.next() for _ in range(5)]
            parts.file.close()
        self.assertEqual({jpeg_size(picture) for picture in pictures}, {(640, 480)})
        self.assertEqual({picture[-2:] for picture in pictures}, {b"\xff\xd9"})
        self.assertGreater(len(set(pictures)), 1)
        wait_until(lambda: page.viewers() == 0, "the viewer to be gone")
        encoded = page.metric("web_pictures_encoded_total")
        named = page.metric("inference_seconds_count")
        wait_until(lambda: page.metric("inference_seconds_count") > named + 20, "more frames")
        self.assertEqual(page.metric("web_pictures_encoded_total"), encoded)

    def test_a_snapshot_is_the_frame_in_full_size(self):
        page = Page(self, "--frames", "1000000", source=("--source", "gst:videotestsrc ! video/x-raw,width=1280,height=720 ! videoconvert"))
        answer = page.wait_for_frames().ask("/snapshot.jpg")
        self.assertEqual((answer.status, answer.header("Content-Type")), (200, "image/jpeg"))
        self.assertEqual(jpeg_size(answer.body), (1280, 720))
        with page.open("/stream.mjpg") as connection:
            self.assertEqual(jpeg_size(Parts(connection).next()), (640, 360))

    def test_metrics_are_what_prometheus_reads(self):
        page = Page(self).wait_for_frames()
        answer = page.ask("/metrics")
        self.assertEqual(answer.header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8")
        samples, families = prometheus_samples(answer.body.decode())
        values = {(name, labels.get("le")): value for name, labels, value in samples}
        for name in ("inference", "preprocess", "frame_age"):
            self.assertEqual(families[f"glimpse_{name}_seconds"][0], "histogram")
            buckets = [value for sample, labels, value in samples if sample == f"glimpse_{name}_seconds_bucket"]
            self.assertEqual(buckets, sorted(buckets))
            self.assertEqual(buckets[-1], values[f"glimpse_{name}_seconds_count", None])
        self.assertGreaterEqual(values["glimpse_frames_seen_total", None], values["glimpse_inference_seconds_count", None])
        self.assertEqual([labels["model"] for name, labels, _ in samples if name == "glimpse_info"], ["demo"])
        self.assertTrue(all(help_text for _, help_text in families.values()))

    def test_health(self):
        page = Page(self).wait_for_frames()
        self.assertEqual(page.ask("/healthz").json(), {"healthy": True})

    def test_head_has_no_content(self):
        page = Page(self).wait_for_frames()
        for path in ("/", "/api/status", "/stream.mjpg", "/api/events"):
            answer = page.ask(path, method="HEAD")
            self.assertEqual((answer.status, answer.body), (200, b""), path)

    def test_glimpse_watches_glimpse(self):
        page = Page(self, source=PLAYED).wait_for_frames()
        watcher = glimpse("--source", f"http://127.0.0.1:{page.port}/stream.mjpg", "--frames", "20", "--interval", "0", "--json")
        self.assertEqual(watcher.code, 0, watcher.err)
        self.assertEqual(len(watcher.records()), 20)
        self.assertIn("640x480", watcher.err)
        wait_until(lambda: page.viewers() == 0, "the watcher to be gone")

    def test_the_token_that_a_watcher_has_is_shown_nowhere(self):
        watched = Page(self, address="0.0.0.0:0")
        token = (self.folder / "state" / "glimpse" / "web-token").read_text(encoding="utf-8").strip()
        uri = f"http://127.0.0.1:{watched.port}/stream.mjpg"
        config = self.folder / "watcher.json"
        config.write_text(json.dumps({"source": {"uri": f"{uri}?token={token}"}}), encoding="utf-8")
        watcher = Page(self, source=("--config", str(config))).wait_for_frames()
        status = watcher.ask("/api/status")
        self.assertTrue(status.json()["view"]["source"].startswith(uri + ", 640x480"), status.body)
        self.assertNotIn(token.encode(), status.body)
        watched.end()
        wait_until(lambda: "reopening" in "".join(watcher.log), "the watcher to miss it")
        watcher.process.send_signal(signal.SIGINT)
        watcher.process.wait()
        watcher.end()
        self.assertIn(uri, "".join(watcher.log))
        self.assertNotIn(token, "".join(watcher.log + watcher.told))


class Changing(WebTestCase):
    def test_the_switch_to_int8_and_back(self):
        page = Page(self).wait_for_frames()
        for quantized in (True, False):
            answer = page.patch({"quantized": quantized, "top_k": 3})
            self.assertEqual((answer.status, answer.json()["settings"]["quantized"]), (200, quantized), answer.body)
            wait_until(lambda: page.ask("/api/status").json()["model"]["quantized"] == quantized, "the other form")
            wait_until(lambda: len(page.ask("/api/status").json()["predictions"]) == 3, "three predictions")

    def test_what_can_be_asked_for(self):
        page = Page(self)
        settings = page.ask("/api/settings").json()
        self.assertEqual(settings["settings"], {"model": "demo", "quantized": False, "top_k": 10, "interval_s": 0.2})
        self.assertEqual(settings["limits"], {"top_k": {"min": 1, "max": 1000}, "interval_s": {"min": 0, "max": 86400}})
        self.assertIn({"name": "demo", "forms": ["float", "int8"]}, settings["models"])
        self.assertEqual(page.patch({"interval_s": 2.5, "model": "demo"}).json()["settings"]["interval_s"], 2.5)

    def test_junk_changes_nothing(self):
        page = Page(self)
        before = page.ask("/api/settings").json()
        for status, change in (
                (400, b"{"), (400, b""), (400, b"[]"), (400, b"{}"), (400, b"null"), (400, b"[" * 4000), (400, b"\xff\xfe\x00"),
                (400, {"source": "0"}), (400, {"top_k": "3"}), (400, {"top_k": 2.5}), (400, {"quantized": 1}),
                (400, {"interval_s": "1 s"}), (400, {"model": 1}), (400, b'{"top_k": 1e999}'), (413, b"{" + b" " * 5000 + b"}"),
                (422, {"top_k": 0}), (400, {"top_k": 2 ** 70}), (422, {"top_k": 2 ** 40}), (422, {"interval_s": -1}), (422, {"interval_s": 1e300}),
                (422, {"model": "nobody"}), (422, {"model": "../models/demo"}), (422, {"model": ""}),
                (422, {"top_k": 5, "model": "/etc"})):
            answer = page.patch(change)
            self.assertEqual(answer.status, status, (change, answer.body))
            self.assertEqual(answer.json()["status"], status)
            self.assertTrue(answer.json()["error"])
        self.assertEqual(page.patch({"top_k": 0}).json()["refusals"],
                         [{"setting": "top_k", "reason": "expected a whole number from 1 to 1000, got 0"}])
        self.assertEqual(page.ask("/api/settings").json(), before)

    def test_only_json_by_patch_from_here(self):
        page = Page(self)
        before = page.ask("/api/settings").json()
        own = f"Origin: http://127.0.0.1:{page.port}"
        body = b'{"top_k": 4}'
        self.assertEqual(page.patch(body, "Content-Type: text/plain").status, 415)
        self.assertEqual(page.patch(body, "Accept: */*").status, 415)
        for origin in ("http://evil.example", f"http://127.0.0.1:{page.port + 1}", "null", f"http://localhost:{page.port}"):
            self.assertEqual(page.patch(body, JSON, "Origin: " + origin).status, 403, origin)
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            answer = page.ask("/api/settings", JSON, method=method, body=body)
            self.assertEqual((answer.status, answer.header("Allow")), (405, "GET, HEAD, PATCH"), method)
        self.assertEqual(page.ask("/api/status", JSON, method="PATCH", body=body).status, 405)
        self.assertEqual(page.ask("/api/settings?top_k=4", JSON, body=body).status, 200)  # a GET: its body is nothing
        self.assertEqual(page.ask("/api/settings").json(), before)
        self.assertEqual(page.patch(body, JSON, own).json()["settings"]["top_k"], 4)


class Stopping(WebTestCase):
    def test_with_viewers_of_every_kind_connected(self):
        for how in (signal.SIGINT, signal.SIGTERM):
            page = Page(self).wait_for_frames()
            viewers = [page.open(path) for path in ("/stream.mjpg", "/stream.mjpg", "/api/events")]
            half = page.connect()
            half.sendall(b"GET / HTTP/1.1\r\n")
            for viewer in viewers:
                self.assertTrue(viewer.recv(100).startswith(b"HTTP/1.1 200"))
            page.process.send_signal(how)
            self.assertEqual(page.process.wait(timeout=3), 0, page.log)
            for viewer in (*viewers, half):
                read_all(viewer)  # comes to its end
                viewer.close()

    def test_while_connections_come_without_end(self):
        page = Page(self).wait_for_frames()
        over = threading.Event()

        def flood():
            while not over.is_set():
                with socket.socket() as one:
                    one.setblocking(False)
                    one.connect_ex(("127.0.0.1", page.port))

        floods = [threading.Thread(target=flood) for _ in range(3)]
        for one in floods:
            one.start()
        try:
            page.process.send_signal(signal.SIGTERM)
            self.assertEqual(page.process.wait(timeout=10), 0, page.log)
        finally:
            over.set()
            for one in floods:
                one.join()

    def test_the_port_is_free_again_at_once(self):
        page = Page(self).wait_for_frames()
        with page.open("/stream.mjpg") as viewer:
            viewer.recv(100)
            page.process.send_signal(signal.SIGINT)
            page.process.wait(timeout=3)
        self.assertEqual(Page(self, address=f"127.0.0.1:{page.port}").ask("/").status, 200)


if __name__ == "__main__":
    unittest.main()
