"""A web server on a free loopback port, which it prints: files of a folder, and two addresses of its own.

/stream  MJPEG (multipart/x-mixed-replace): the folder's frame.jpg again and again, ten times; then the connection ends
/silent  accepts and never answers
"""
import functools
import http.server
import sys
import threading
import time


class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/silent":
            print("asked", flush=True)
            threading.Event().wait()
        if self.path != "/stream":
            return super().do_GET()
        with open(self.translate_path("/frame.jpg"), "rb") as file:
            jpeg = file.read()
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
        self.end_headers()
        for _ in range(10):
            self.wfile.write(b"--next\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg))
            self.wfile.write(jpeg + b"\r\n")
            time.sleep(0.02)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=sys.argv[1]))
print(server.server_address[1], flush=True)
server.serve_forever()
