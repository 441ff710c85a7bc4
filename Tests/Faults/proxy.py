"""A TCP proxy that makes a network bad on cue: what toxiproxy does, as far as farm's fault runner needs it."""

import asyncio
import contextlib
import random
import socket
import struct

CHUNK = 65536


class Wire:
    """One connection of a client through the proxy."""

    def __init__(self, client):
        self.client, self.server, self.is_half_open = client, None, False


class Proxy:
    """Passes on what clients of `port` and one server say to each other. Its methods are coroutines of one loop."""

    def __init__(self, name, target):
        self.name, self.target, self.port = name, target, None
        self.wires, self.opened = set(), 0
        # Connections that were refused, reset or held up, and pieces that were held up, delayed, cut or swallowed.
        self.hurt = 0
        self.latency, self.rate, self.slices = 0.0, None, None
        self.through = asyncio.Event()
        self.through.set()

    async def start(self):
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0, limit=CHUNK, backlog=256)
        self.port = server.sockets[0].getsockname()[1]
        return self

    # What can be wrong

    async def cut(self):
        """Nothing passes, and nobody is told: as a cable pulled out."""
        self.through.clear()

    async def limp(self, latency=0.0, rate=None, slices=None):
        """Seconds of delay each way, bytes a second, or bytes a packet at most."""
        self.latency, self.rate, self.slices = latency, rate, slices

    async def reset(self):
        """Both ends of every connection get an RST."""
        for wire in list(self.wires):
            self.hurt += 1
            for end in (wire.client, wire.server):
                abort(end)

    async def half_open(self):
        """The server loses every connection, the clients hear nothing of it: what they send is swallowed."""
        for wire in self.wires:
            wire.is_half_open = True
            abort(wire.server)

    async def heal(self):
        """All is well. Whoever still believes in a half-open connection is told, as a server that came back tells."""
        self.latency, self.rate, self.slices = 0.0, None, None
        self.through.set()
        for wire in list(self.wires):
            if wire.is_half_open:
                abort(wire.client)

    # One connection

    async def serve(self, reader, writer):
        wire = Wire(writer)
        self.wires.add(wire)
        self.opened += 1
        try:
            await self.passage()
            upstream, wire.server = await asyncio.open_connection(*self.target, limit=CHUNK)
            for end in (writer, wire.server):
                end.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            there = asyncio.create_task(self.pass_on(reader, wire.server, wire))
            back = asyncio.create_task(self.pass_on(upstream, writer, wire))
            await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
            if wire.is_half_open:
                await there
            for task in (there, back):
                task.cancel()
            await asyncio.gather(there, back, return_exceptions=True)
        except OSError:
            self.hurt += 1
            abort(writer)
        finally:
            self.wires.discard(wire)
            for end in (writer, wire.server):
                if end:
                    end.close()

    async def pass_on(self, reader, writer, wire):
        late = asyncio.Queue(64)
        sender = asyncio.create_task(self.send(late, writer, wire))
        try:
            with contextlib.suppress(OSError):
                while data := await reader.read(CHUNK):
                    await late.put((asyncio.get_running_loop().time() + self.latency, data))
            await late.put((0, None))
            await sender
        finally:
            sender.cancel()

    async def send(self, late, writer, wire):
        """The end of a connection, too, does not pass while the cable is out."""
        loop = asyncio.get_running_loop()
        while True:
            due, data = await late.get()
            if due > loop.time():
                await asyncio.sleep(due - loop.time())
            await self.passage()
            if data is None:
                return
            if wire.is_half_open:
                self.hurt += 1
                continue
            self.hurt += bool(self.latency or self.rate or self.slices)
            with contextlib.suppress(OSError):
                for piece in self.pieces(data):
                    writer.write(piece)
                    await writer.drain()
                    if self.rate:
                        await asyncio.sleep(len(piece) / self.rate)

    async def passage(self):
        self.hurt += not self.through.is_set()
        await self.through.wait()

    def pieces(self, data):
        """As small as the network is bad at that moment: it may be healed before the last piece."""
        begin = 0
        while begin < len(data):
            if self.slices:
                size = random.randint(1, self.slices)
            elif self.rate:
                size = max(1, self.rate // 20)
            else:
                size = len(data)
            yield data[begin : begin + size]
            begin += size


def abort(writer):
    """Ends a connection by RST."""
    if not writer:
        return
    with contextlib.suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
