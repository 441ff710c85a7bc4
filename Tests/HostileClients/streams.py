"""Event streams, of which somebody opens as many as they like."""

import contextlib
import socket

from checks import READ_TOKEN, check, first
from raw import ask, connected, last, read_all, request, send


@check
def event_streams_leave_room_for_others(target):
    """Somebody who may only read opens as many as they like; others are served, and a new stream works."""
    token = f"Authorization: Bearer {READ_TOKEN}"
    with contextlib.ExitStack() as stack:
        clients = []
        for number in range(900):
            client = stack.enter_context(connected(target.guarded, receive_buffer=4096))
            send(client, request("/api/v1/events" if number % 2 else "/events", headers=(token,)))
            assert client.recv(1, socket.MSG_PEEK), f"stream {number} was not answered"
            clients.append(client)
        for path in ("/healthz", "/workers", "/") * 7:
            answer = ask(target.guarded, request(path, headers=last(token)))
            assert first(answer) == 200, f"{path}: {answer[:300]!r}"
        text = b""
        while b"event: farm\n" not in text:
            part = clients[-2].recv(65536)
            assert part, f"the newest stream has ended: {text!r}"
            text += part
        # To the end of the oldest.
        assert first(read_all(clients[0])) == 200
