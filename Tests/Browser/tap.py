"""Hands on the bytes between browsers and `farm web`, and counts the event streams that are open."""

import asyncio


class Tap:
    def __init__(self):
        self.target = None
        self.port = None
        self.open = 0
        self.opened = 0
        self.server = None

    async def start(self, target):
        self.target = target
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    async def stop(self):
        self.server.close()

    async def serve(self, reader, writer):
        try:
            upstream, upstream_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        is_stream = False

        async def ask():
            nonlocal is_stream
            while part := await reader.read(65536):
                # A browser sends a request's head in one piece.
                if part.split(b"\r\n", 1)[0].startswith(b"GET /events"):
                    is_stream = True
                    self.open += 1
                    self.opened += 1
                upstream_writer.write(part)
                await upstream_writer.drain()

        async def answer():
            while part := await upstream.read(65536):
                writer.write(part)
                await writer.drain()

        tasks = [asyncio.create_task(ask()), asyncio.create_task(answer())]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if is_stream:
            self.open -= 1
        for end in (writer, upstream_writer):
            end.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
