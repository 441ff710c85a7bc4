"""A test double of older servers: passes each connection on to a real one and, in what that says, puts one text in the
place of another of the same length, such as its version. Ends with its parent.

    disguise.py READY_FILE PORT=TEXT=OTHER ...     writes the port of each, in the order given, to READY_FILE

    disguise.py READY_FILE --tls CERTIFICATE KEY   listens for TLS instead, and writes the names that clients ask for
                                                   (Server Name Indication) to READY_FILE.names
"""

import asyncio
import os
import ssl
import sys


async def pump(reader, writer, change):
    try:
        while chunk := await reader.read(65536):
            writer.write(change(chunk))
            await writer.drain()
    except OSError:
        pass
    writer.close()


async def disguise(port, text, other):
    async def serve(reader, writer):
        to_server, from_server = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(
            pump(reader, from_server, lambda chunk: chunk),
            pump(to_server, writer, lambda chunk: chunk.replace(text, other)),
        )

    return await asyncio.start_server(serve, "127.0.0.1", 0)


async def listen(names, certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def note(_socket, name, _context):
        with open(names, "a", encoding="utf-8") as file:
            file.write(f"{name}\n")

    context.sni_callback = note

    async def serve(_reader, writer):
        writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)


async def main(ready, *arguments):
    if arguments[0] == "--tls":
        servers = [await listen(ready + ".names", *arguments[1:])]
    else:
        servers = []
        for argument in arguments:
            port, text, other = argument.split("=")
            assert len(text) == len(other), argument
            servers.append(await disguise(int(port), text.encode(), other.encode()))
    with open(ready + ".part", "w", encoding="utf-8") as file:
        file.write(" ".join(str(server.sockets[0].getsockname()[1]) for server in servers))
    os.rename(ready + ".part", ready)
    while os.getppid() != 1:
        await asyncio.sleep(1)


asyncio.run(main(*sys.argv[1:]))
