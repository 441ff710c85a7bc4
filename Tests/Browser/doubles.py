"""Test doubles of services for the browser tests.

    doubles.py READY-FILE NAME=PORT…

The detectors see things in different places, so that they agree on some and not on others. Of a picture whose name says
`hostile` all answers hold hostile texts, and to some of them `blip` answers with an error.
"""

import json
import pathlib
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from hostile import PAYLOADS, predictions
from turned import BOX


def box(label, emoji, confidence, x, y, width, height):
    bbox = {"x": x, "y": y, "width": width, "height": height}
    return {"label": label, "emoji": emoji, "confidence": confidence, "bbox": bbox}


def turned(service):
    """Of one of the turned pictures the detectors see the rectangle where it lies upright, as services do (docs/services.md)."""
    return [{"label": "parking", "emoji": "🅿️", "confidence": 0.9, "bbox": BOX}] if service in ("yolov8", "rtdetr") else None


def usual(service):
    if service == "yolov8":
        return [box("person", "🧑", 0.9, 30, 20, 120, 220), box("dog", "🐶", 0.35, 200, 120, 90, 70)]
    if service == "rtdetr":
        return [box("person", "🧑", 0.8, 34, 24, 118, 214), box("cup", "☕", 0.7, 300, 60, 50, 50)]
    if service == "face":
        return [box("face", "🙂", 0.9, 5, 5, 20, 20)]
    if service == "pose":
        return [{"landmarks": {"nose": {"x": 0.5, "y": 0.1}}, "confidence": 0.8}]
    if service == "colors":
        return [{"type": "color_analysis", "palette": {"colors": [{"hex": "#aa5500", "percent": 60}]}}]
    if service == "blip":
        return [{"text": "a person with a dog", "emoji_mappings": [{"word": "dog", "emoji": "🐶"}]}]
    return [{"label": "dog", "emoji": "🐶", "confidence": 0.7}]


class Double(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, service, port):
        super().__init__(("127.0.0.1", port), Handler)
        self.service, self.calls = service, 0


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, members):
        body = json.dumps({"service": self.server.service, "status": "success", **members}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer({})

    def do_POST(self):
        request = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.calls += 1
        metadata = {"processing_time": 0.01, "model_info": {"name": "test double"}}
        text = PAYLOADS[self.server.calls % len(PAYLOADS)]
        if b'filename="turned-' in request:
            found = turned(self.server.service)
            self.answer({"predictions": usual(self.server.service) if found is None else found, "metadata": metadata})
        elif b"hostile.jpg" not in request:
            self.answer({"predictions": usual(self.server.service), "metadata": metadata})
        elif self.server.service == "blip" and b"<script" in request:
            # Few enough that the others show that the service is well.
            self.answer({"status": "error", "error": {"message": text}})
        else:
            metadata["model_info"]["name"] = text
            found = predictions(self.server.calls) if self.server.service in ("yolov8", "rtdetr") else [
                {"label": text, "emoji": text, "text": text, "confidence": 0.7}
            ]
            self.answer({"predictions": found, "metadata": metadata})


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    for pair in sys.argv[2:]:
        name, port = pair.split("=")
        threading.Thread(target=Double(name, int(port)).serve_forever, daemon=True).start()
    pathlib.Path(sys.argv[1]).write_text("ready\n", encoding="utf-8")
    threading.Event().wait()


if __name__ == "__main__":
    main()
