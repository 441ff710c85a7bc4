"""A test double of older or lesser servers: passes each connection on to a real one and, in what that says, puts one text in the
place of another of the same length, such as its version. Ends with its parent.

    disguise.py READY_FILE PORT=TEXT=OTHER ...     writes the port of each, in the order given, to READY_FILE

    disguise.py READY_FILE --plain POSTGRESQL_PORT MARIADB_PORT     passes on to real servers, but says that they have no TLS

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
        await pass_on(reader, writer, port, lambda chunk: chunk.replace(text, other))

    return await asyncio.start_server(serve, "127.0.0.1", 0)


async def pass_on(reader, writer, port, change=lambda chunk: chunk, before=None):
    from_server, to_server = await asyncio.open_connection("127.0.0.1", port)
    if before:
        await before(reader, writer, from_server, to_server)
    await asyncio.gather(pump(reader, to_server, lambda chunk: chunk), pump(from_server, writer, change))


async def plain_postgresql(reader, writer, _from_server, to_server):
    # Length 8 and the codes that ask for TLS and for GSSAPI's encryption.
    while (start := await reader.read(8)) in (b"\0\0\0\x08\x04\xd2\x16\x2f", b"\0\0\0\x08\x04\xd2\x16\x30"):
        writer.write(b"N")
        await writer.drain()
    to_server.write(start)


async def plain_mariadb(_reader, writer, from_server, _to_server):
    head = await from_server.readexactly(4)
    greeting = bytearray(await from_server.readexactly(int.from_bytes(head[:3], "little")))
    # After the version's text, thread id and scramble: the lower half of what the server can; bit 11 is CLIENT_SSL.
    greeting[greeting.index(0, 1) + 1 + 4 + 8 + 1 + 1] &= ~0x08
    writer.write(head + greeting)


async def plain(port, before):
    async def serve(reader, writer):
        await pass_on(reader, writer, port, before=before)

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
    elif arguments[0] == "--plain":
        servers = [
            await plain(int(arguments[1]), plain_postgresql),
            await plain(int(arguments[2]), plain_mariadb),
        ]
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
