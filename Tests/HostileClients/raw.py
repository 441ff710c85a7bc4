"""Connections that send what no well-behaved client would, and read when they like."""

import contextlib
import re
import socket
import time

# What hangs ends; a server that keeps its promises closes long before.
PATIENCE = 120


@contextlib.contextmanager
def connected(port, receive_buffer=None):
    with socket.socket() as client:
        client.settimeout(PATIENCE)
        if receive_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client.connect(("127.0.0.1", port))
        yield client


def read_all(client):
    """Until the server closes: what it has sent. That it resets the connection is an end, too."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := client.recv(65536):
            parts.append(part)
    return b"".join(parts)


def read_head(client):
    """The first answer's head, without what follows."""
    text = b""
    with contextlib.suppress(ConnectionResetError):
        while b"\r\n\r\n" not in text and (part := client.recv(65536)):
            text += part
    return text


def send(client, data):
    """- Returns: whether the server took all of it."""
    try:
        client.sendall(data)
        return True
    except (BrokenPipeError, ConnectionResetError):
        return False


def ask(port, data):
    """Sends bytes as they are; all that comes back until the server closes. Nothing more is sent after them."""
    with connected(port) as client:
        send(client, data)
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_WR)
        return read_all(client)


def statuses(answer):
    """Of all answers on a connection, in their order."""
    return [int(code) for code in re.findall(rb"(?:^|(?<=\n)|(?<=[^\r\n]))HTTP/1\.1 (\d{3}) ", answer)]


def request(target="/healthz", method="GET", headers=(), body=b"", host="127.0.0.1"):
    lines = [f"{method} {target} HTTP/1.1".encode("utf-8", "surrogateescape")]
    lines += [f"Host: {host}".encode()] if host is not None else []
    lines += [header.encode("utf-8", "surrogateescape") if isinstance(header, str) else header for header in headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def last(*headers):
    """Headers of a request after which the server closes."""
    return ("Connection: close", *headers)


def resident(pid):
    """Memory of a process, in MiB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) / 1024


def until(what, condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise TimeoutError(f"did not come: {what}")
