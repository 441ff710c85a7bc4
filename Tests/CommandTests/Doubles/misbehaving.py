"""A test double: HTTP services that misbehave as the picture's name asks, one port each.

    misbehaving.py NAME=PORT… --pictures FOLDER --ready-file PATH

A picture called html.jpg is answered with a web page, and so on (see ANSWERS, and Handler.answer for those that are
no body); of told.jpg the answer says what was posted; any other name gets a good answer. A picture that is named by its URL is fetched first; if that fails the
answer is 400 with the reason. GET /pictures/NAME is a file of FOLDER, or 404. GET /health is 200.
"""

import argparse
import json
import os
import re
import signal
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DETECTORS = ("yolov8", "rtdetr", "detectron2")
METADATA = {"processing_time": 0.01}


def bbox(x, y, width, height):
    return {"x": x, "y": y, "width": width, "height": height}


def box(label, emoji, **rest):
    return {"label": label, "emoji": emoji, "confidence": 0.9, **rest}


# coffee_exif_gps.jpg, which the tests use, is 600 × 400 pixels.
BOXES = [
    box("cup", "☕", bbox=bbox(-50, -60, 100, 160)),
    box("plane", "✈️", bbox=bbox(5000, 5000, 10, 10)),
    box("spoon", "🥄", bbox=bbox(10, 10, 0, 50)),
    box("fork", "🍴", bbox=bbox(10, 10, 50, -5)),
    box("dog", "🐶", bbox=bbox(300, 200, 100, 100)),
]
# Members of another shape among one that is sound.
SHAPES = [1, "x", None, [], {"label": 5, "emoji": 7}, {"emoji": "dog"}, {"label": "dog", "bbox": [1, 2, 3, 4]}]

ANSWERS = {
    "html": b"<!DOCTYPE html><title>502 Bad Gateway</title>",
    "empty": b"",
    "deep": b'{"predictions": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "nan": b'{"status": "success", "predictions": [{"confidence": NaN}]}',
    "list": b'[{"label": "dog"}]',
    "text": b'{"status": "success", "predictions": "dog"}',
    "error": b'{"status": "error", "predictions": [], "error": {"message": "out of memory"}}',
}


def good(service):
    if service in DETECTORS:
        return [box("dog", "🐶", bbox=bbox(300, 200, 100, 100))]
    return [box("dog", "🐶")]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, body, status=200):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def predictions(self, predictions):
        answer = {"service": self.server.service, "status": "success", "predictions": predictions}
        self.reply(json.dumps({**answer, "metadata": METADATA}).encode())

    def answer(self, name):
        if name in ANSWERS:
            self.reply(ANSWERS[name])
        elif name == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b'{"status": "success", "predic')
            self.close_connection = True
        elif name == "long":
            self.send_response(200)
            self.send_header("Content-Length", str(64 << 20))
            self.end_headers()
            self.wfile.write(b'{"predictions": ["')
            for _ in range(64):
                self.wfile.write(b"x" * (1 << 20))
        elif name == "absent":
            self.reply(b'{"error": {"message": "no such thing"}}', 404)
        elif name == "busy":
            self.reply(b"come back later", 503)
        elif name == "boxes" and self.server.service in DETECTORS:
            self.predictions(BOXES)
        elif name == "shapes":
            self.predictions(SHAPES + good(self.server.service))
        else:
            self.predictions(good(self.server.service))

    def do_GET(self):
        address = urllib.parse.urlsplit(self.path)
        url = urllib.parse.parse_qs(address.query).get("url")
        if address.path.startswith("/pictures/"):
            self.picture(os.path.basename(address.path))
        elif url:
            self.fetch(url[0])
        else:
            self.reply(b"{}")

    def picture(self, name):
        try:
            with open(os.path.join(self.server.pictures, name), "rb") as file:
                self.reply(file.read())
        except OSError:
            self.reply(b"not here", 404)

    def fetch(self, url):
        try:
            with urllib.request.urlopen(url, timeout=10) as picture:
                picture.read()
        except urllib.error.HTTPError as error:
            message = f"the picture's URL answers {error.code}"
            self.reply(json.dumps({"error": {"message": message}}).encode(), 400)
        else:
            self.answer(stem(url))

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        found = re.search(rb'filename="([^"]*)"', body)
        name = stem(found.group(1).decode()) if found else ""
        if name == "told":
            head, _, content = body.partition(b"\r\n\r\n")
            self.predictions([{"posted": head.decode(), "begins": content[:3].hex()}])
        else:
            self.answer(name)

    def handle(self):
        # farm hangs up on an answer that is too long.
        try:
            super().handle()
        except (BrokenPipeError, ConnectionResetError):
            pass


def stem(path):
    return os.path.splitext(os.path.basename(path))[0]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("services", nargs="+")
    arguments.add_argument("--pictures", default=".")
    arguments.add_argument("--ready-file", required=True)
    given = arguments.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    for pair in given.services:
        name, port = pair.split("=")
        server = ThreadingHTTPServer(("127.0.0.1", int(port)), Handler)
        server.daemon_threads = True
        server.service, server.pictures = name, given.pictures
        threading.Thread(target=server.serve_forever, daemon=True).start()
    with open(given.ready_file, "w", encoding="utf-8") as file:
        file.write("ready\n")
    threading.Event().wait()


if __name__ == "__main__":
    main()
