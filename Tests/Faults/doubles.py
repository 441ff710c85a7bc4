"""Test doubles of the services and of an image host, which can be told to fail. One asyncio loop serves them all."""

import asyncio
import contextlib
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "CommandTests", "Doubles"))
from services import predictions  # noqa: E402  (what the double of CommandTests sees in a picture)

SERVICES = (
    "colors detectron2 yolov8 nsfw2 ocr blip clip inception_v3 rtdetr metadata ollama".split(),
    "face pose".split(),
)
# On servers another program has declared this one's queue: a quorum queue, without further arguments.
OF_ANOTHER = "ollama"


class Service:
    """A service in the contract's form. `mode` is how it behaves: up, hang, slow, closing, error, garbage."""

    def __init__(self, name, picture):
        self.name, self.picture, self.mode, self.port = name, picture, "up", None
        self.server, self.writers, self.calls = None, set(), 0
        # Requests that it failed, kept waiting or answered badly, and connections that it broke off.
        self.hurt = 0
        self.changed = asyncio.Event()
        metadata = {"processing_time": 0.01, "model_info": {"name": "test double"}}
        answer = {"service": name, "status": "success", "predictions": predictions(name), "metadata": metadata}
        self.answer = json.dumps(answer).encode()

    async def start(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", self.port or 0, backlog=256)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def become(self, mode):
        """From now on it behaves so; `down`: nobody listens, and open connections end."""
        if mode == "down":
            self.server.close()
            for writer in list(self.writers):
                self.hurt += 1
                writer.transport.abort()
        elif self.mode == "down":
            await self.start()
        self.mode = mode
        self.changed.set()
        self.changed = asyncio.Event()

    async def serve(self, reader, writer):
        self.writers.add(writer)
        try:
            while request := await self.request(reader, writer):
                if not await self.reply(request, writer):
                    break
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()

    async def request(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
            if name.lower() == b"expect":
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await reader.readexactly(length)
        return head.split(b" ", 2)[1].decode()

    async def reply(self, path, writer):
        """Answers; returns whether the connection stays."""
        self.hurt += self.mode != "up"
        if path.startswith("/picture"):
            if self.mode == "error":
                send(writer, 503, b"out of order", "text/plain")
            else:
                send(writer, 200, self.picture, "image/jpeg")
            return True
        is_call = path.startswith("/analyze")
        self.calls += is_call
        while self.mode == "hang":
            await self.changed.wait()
        if self.mode == "slow":
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.changed.wait(), 1)
        if self.mode == "closing" and self.calls % 3 == 0:
            return False
        if self.mode == "error":
            send(writer, 503, b"out of order", "text/plain")
        elif self.mode == "garbage":
            send(writer, 200, b"<html>not what you asked for", "text/html")
        else:
            send(writer, 200, self.answer if is_call else b"{}", "application/json")
        await writer.drain()
        return self.mode != "closing"


def send(writer, status, body, kind):
    writer.write(b"HTTP/1.1 %d x\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n" % (status, kind.encode(), len(body)))
    writer.write(body)
