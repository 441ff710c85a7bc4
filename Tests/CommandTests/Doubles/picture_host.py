"""A test double: a host of pictures that stumbles, or is down, as a file says.

    picture_host.py PORT FOLDER MODE-FILE READY-FILE

The mode is `ok`, `503` (to everything), or `503 once`, `429 once`, `cut once`: the first request for each picture.
"""

import http.server
import os
import sys

folder, mode_file, ready_file = sys.argv[2:5]
asked = set()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, body, promised=None):
        self.send_response(status)
        self.send_header("Content-Length", str(promised or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        with open(mode_file) as file:
            mode = file.read().split()
        name = os.path.basename(self.path)
        is_first = bool(name) and name not in asked
        asked.add(name)
        if mode[1:] == ["once"] and not is_first:
            mode = ["ok"]
        if mode[0] == "cut":
            self.reply(200, b"half", promised=1000)
            self.close_connection = True
        elif mode[0] != "ok":
            self.reply(int(mode[0]), b"later")
        elif not name:
            self.reply(200, b"pictures")
        else:
            self.picture(name)

    def picture(self, name):
        try:
            with open(os.path.join(folder, name), "rb") as file:
                self.reply(200, file.read())
        except OSError:
            self.reply(404, b"not here")


with http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler) as server:
    open(ready_file, "w").close()
    server.serve_forever()
