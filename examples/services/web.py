"""A service over HTTP/1.1.

GET /analyze?url=…, POST /analyze with multipart field `file`, GET /health.
"""

import json
import socketserver
import sys
import urllib.parse
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler

import fetch
import multipart
from images import MAX_BYTES, Refused, check_length
from service import Service

FORM_BYTES = 64 * 1024  # what a form may have around the file
IDLE_SECONDS = 60


class Server(socketserver.ThreadingTCPServer):
    """Bound to its port at once; it accepts connections after `server_activate`."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    service: Service

    def __init__(self, host: str, port: int):
        super().__init__((host, port), Handler, bind_and_activate=False)
        try:
            self.server_bind()
        except OSError:
            self.server_close()
            raise

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "farm-example-services"
    timeout = IDLE_SECONDS
    wbufsize = -1  # an answer's head and body leave together

    @property
    def service(self) -> Service:
        return self.server.service

    def do_GET(self):
        path, _, query = self.path.partition("?")
        if path == "/health":
            self.reply(200, self.service.health())
        elif path == "/analyze":
            url = urllib.parse.parse_qs(query).get("url", [""])[0]
            self.analyze(lambda: fetch.photo(url))
        else:
            self.reply(404, self.service.error("there are /analyze and /health"))

    def do_POST(self):
        path = self.path.partition("?")[0]
        try:
            body = self.rfile.read(self.body_length())
        except Refused as refusal:
            self.refuse_body(refusal)
            return
        if path == "/analyze":
            content_type = self.headers.get("Content-Type", "")
            self.analyze(lambda: multipart.uploaded_file(content_type, body))
        else:
            self.reply(404, self.service.error("POST goes to /analyze"))

    def analyze(self, photo):
        try:
            data, name = photo()
        except Refused as refusal:
            self.reply(refusal.status, self.service.error(str(refusal)))
        else:
            self.reply(*self.service.answer(data, name))

    def body_length(self) -> int:
        stated = self.headers.get("Content-Length", "")
        if not (stated.isascii() and stated.isdigit()):
            raise Refused(411, "POST needs a Content-Length")
        length = int(stated)
        check_length(length - FORM_BYTES)
        return length

    def handle_expect_100(self) -> bool:
        """A client that asks before sending is told at once if it is too much."""
        try:
            self.body_length()
        except Refused as refusal:
            self.close_connection = True
            self.reply(refusal.status, self.service.error(str(refusal)))
            return False
        return super().handle_expect_100()

    def refuse_body(self, refusal: Refused):
        """Answers, then reads on for a while: else the client may miss the answer."""
        self.close_connection = True
        self.reply(refusal.status, self.service.error(str(refusal)))
        self.wfile.flush()
        unread = 4 * MAX_BYTES
        while unread > 0 and (chunk := self.rfile.read1(2**20)):
            unread -= len(chunk)

    def send_error(self, code, message=None, explain=None):
        """What http.server itself refuses is answered in the contract's form, too."""
        self.close_connection = True
        self.reply(code, self.service.error(message or HTTPStatus(code).phrase))

    def reply(self, status: int, answer: dict):
        body = json.dumps(answer, ensure_ascii=False, allow_nan=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *arguments):
        """Silent: farm has the log of what was asked."""
