"""A test double: a collector of traces that takes OTLP over HTTP as JSON.

    collector.py --port PORT --spans FILE --ready-file PATH

Appends each span to FILE, a line each: the span's own JSON, with the resource's attributes as `resource`.
"""

import argparse
import json
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        is_right = self.path == "/v1/traces" and self.headers.get("Content-Type") == "application/json"
        if is_right:
            with open(self.server.spans, "a", encoding="utf-8") as file:
                for group in json.loads(body)["resourceSpans"]:
                    for scope in group["scopeSpans"]:
                        for span in scope["spans"]:
                            file.write(json.dumps({**span, "resource": group["resource"]["attributes"]}) + "\n")
        self.send_response(200 if is_right else 400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--port", type=int, required=True)
    arguments.add_argument("--spans", required=True)
    arguments.add_argument("--ready-file", required=True)
    given = arguments.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = HTTPServer(("127.0.0.1", given.port), Handler)
    server.spans = given.spans
    with open(given.ready_file, "w", encoding="utf-8") as file:
        file.write("ready\n")
    server.serve_forever()


if __name__ == "__main__":
    main()
