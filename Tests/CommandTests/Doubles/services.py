"""A test double: HTTP services in the contract's form that answer at once (or after --delay), one port each.

    services.py NAME=PORT… [--delay SECONDS] [--ready-file PATH] [--gate PATH] [--fail NAME=TEXT…]

Detectors (yolov8, rtdetr, detectron2) see a person and a dog in every picture, face sees a face, pose a pose,
classifiers a dog; all others answer without a vote. While the file --gate exists no call is answered. A service that
--fail names answers 500 where the request holds the text, say a file's name. GET /calls tells how many pictures were
analysed, how many calls have come in, when the last did (seconds since 1970), and their `traceparent` headers.
"""

import argparse
import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DETECTORS = ("yolov8", "rtdetr", "detectron2")


def box(label, emoji, confidence, x, y, width, height):
    bbox = {"x": x, "y": y, "width": width, "height": height}
    return {"label": label, "emoji": emoji, "confidence": confidence, "bbox": bbox}


def predictions(service):
    if service in DETECTORS:
        shift = DETECTORS.index(service)
        return [box("person", "🧑", 0.9, 10 + shift, 20, 100, 200), box("dog", "🐶", 0.8, 150, 100 + shift, 80, 60)]
    if service == "face":
        return [box("face", "🙂", 0.9, 5, 5, 20, 20)]
    if service == "pose":
        return [{"landmarks": {"nose": {"x": 0.5, "y": 0.1}}, "confidence": 0.8}]
    if service == "colors":
        return [{"type": "color_analysis", "palette": {"colors": []}}]
    if service in ("clip", "inception_v3"):
        return [{"label": "dog", "emoji": "🐶", "confidence": 0.7}]
    return []


class Double(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, service, port, delay, gate, failing):
        super().__init__(("127.0.0.1", port), Handler)
        self.service, self.delay, self.calls, self.lock = service, delay, 0, threading.Lock()
        self.gate, self.failing, self.begun, self.last = gate, failing, 0, None
        self.traces = []
        metadata = {"processing_time": 0.01, "model_info": {"name": "test double"}}
        answer = {"service": service, "status": "success", "predictions": predictions(service), "metadata": metadata}
        self.answer = json.dumps(answer).encode()


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

    def analyse(self, request):
        with self.server.lock:
            self.server.begun += 1
            self.server.last = time.time()
            self.server.traces.append(self.headers.get("traceparent"))
        while self.server.gate and os.path.exists(self.server.gate):
            time.sleep(0.01)
        time.sleep(self.server.delay)
        with self.server.lock:
            self.server.calls += 1
        if any(text.encode() in request for text in self.server.failing):
            self.reply(b"out of order", 500)
        else:
            self.reply(self.server.answer)

    def do_GET(self):
        if self.path.startswith("/analyze"):
            self.analyse(self.path.encode())
        elif self.path == "/calls":
            with self.server.lock:
                counts = {"calls": self.server.calls, "begun": self.server.begun, "last": self.server.last}
                counts["traces"] = [trace for trace in self.server.traces if trace]
            self.reply(json.dumps(counts).encode())
        else:
            self.reply(b"{}")

    def do_POST(self):
        self.analyse(self.rfile.read(int(self.headers.get("Content-Length") or 0)))


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("services", nargs="+")
    arguments.add_argument("--delay", type=float, default=0)
    arguments.add_argument("--ready-file")
    arguments.add_argument("--gate")
    arguments.add_argument("--fail", action="append", default=[])
    given = arguments.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    for pair in given.services:
        name, port = pair.split("=")
        failing = [text for service, text in (fail.split("=", 1) for fail in given.fail) if service == name]
        server = Double(name, int(port), given.delay, given.gate, failing)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    if given.ready_file:
        with open(given.ready_file, "w", encoding="utf-8") as file:
            file.write("ready\n")
    threading.Event().wait()


if __name__ == "__main__":
    main()
