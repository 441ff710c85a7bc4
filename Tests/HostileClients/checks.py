"""What clients do that mean harm, and what `farm web` must answer. Each check is given a Target."""

import base64
import contextlib
import dataclasses
import hashlib
import hmac
import re
import time

from malformed import FRAMING, HEADS, PATHS, QUERIES, RANGES
from raw import ask, connected, last, read_head, request, resident, send, statuses, until

CHECKS = []
# The way to the login, which leads on to a page of ours, if anywhere.
LOGIN = re.compile(rb"\r\nLocation: (\.\./)*login(\?next=(workers|images|dead|quality|audit|services)[A-Za-z0-9%._~-]*)?\r\n")
TOKEN = "hostile-clients-may-act"
READ_TOKEN = "hostile-clients-may-read"


@dataclasses.dataclass
class Target:
    # Ports of a server that needs no token and of one that needs one, and the first one's process.
    open: int
    guarded: int
    pid: int


def check(function):
    CHECKS.append(function)
    return function


def expect(faults, what, is_right, answer):
    if not is_right:
        faults.append(f"{what}: {answer[:300]!r}" if answer else f"{what}: closed without an answer")


def passed(faults):
    assert not faults, "\n".join(faults)


def first(answer):
    return (statuses(answer) or [None])[0]


@check
def framing(target):
    faults = []
    for name, (data, right) in FRAMING.items():
        answer = ask(target.open, data)
        expect(faults, name, first(answer) in right and len(statuses(answer)) <= 1, answer)
    passed(faults)


@check
def heads(target):
    faults = []
    for name, (data, right) in HEADS.items():
        answer = ask(target.open, data)
        expect(faults, name, first(answer) in right, answer)
    passed(faults)


@check
def paths_lead_nowhere_without_a_login(target):
    faults = []
    for path in PATHS:
        answer = ask(target.guarded, request(path, headers=last()))
        expect(faults, path, first(answer) in (303, 400, 401, 404, None), answer)
        expect(faults, path, first(answer) != 303 or LOGIN.search(answer), answer)
        answer = ask(target.open, request(path, headers=last()))
        expect(faults, f"{path} (open)", (first(answer) or 400) < 500, answer)
    passed(faults)


@check
def queries(target):
    faults = []
    for page in ("/", "/workers", "/login", "/events-of-nobody", "/images", "/dead", "/api/v1/images"):
        for query in QUERIES:
            answer = ask(target.open, request(page + query, headers=last()))
            expect(faults, page + query, (first(answer) or 400) < 500, answer)
    for body in ("token=%", "token=%00", "token=%ff", "&" * 100_000, "a=b&" * 1000, "token=" + "a" * 60_000, "{}", "\0"):
        head = last("Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}")
        answer = ask(target.guarded, request("/login", "POST", head, body.encode()))
        expect(faults, f"a form of {body[:20]}", first(answer) in (400, 401, 413, 429), answer)
    head = last("Content-Length: 100000000")
    answer = ask(target.guarded, request("/login", "POST", head, b"token=" + b"a" * 3_000_000))
    expect(faults, "a form that is too large", first(answer) in (400, 413, None), answer)
    passed(faults)


@check
def ranges(target):
    faults = []
    for path in ("/assets/farm.css", "/", "/images/1/photo", "/images/1/thumbnail", "/api/v1/images/1/photo"):
        answer = ask(target.open, request(path, headers=last()))
        expect(faults, f"{path} is there", first(answer) == 200, answer)
        for value in RANGES:
            answer = ask(target.open, request(path, headers=last(f"Range: {value}")))
            expect(faults, f"{path} {value[:60]}", first(answer) in (200, 206, 400, 416), answer)
    passed(faults)


@check
def methods(target):
    faults = []
    for path, allowed in {
        "/": ("GET", "HEAD"),
        "/workers": ("GET", "HEAD"),
        "/events": ("GET", "HEAD"),
        "/healthz": ("GET", "HEAD"),
        "/assets/farm.js": ("GET", "HEAD"),
        "/login": ("GET", "HEAD", "POST"),
        "/logout": ("POST",),
    }.items():
        for method in ("HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "POST"):
            answer = ask(target.open, request(path, method, last("Content-Length: 0")))
            if method == "POST" and method in allowed:
                continue
            if method in allowed:
                is_right = first(answer) == 200 and answer.endswith(b"\r\n\r\n")
            else:
                is_right = first(answer) == 405 and f"\r\nAllow: {', '.join(sorted(allowed))}\r\n".encode() in answer
            expect(faults, f"{method} {path}", is_right, answer)
    passed(faults)


def cookie(role, issued, token):
    text = f"farm web session, {role}, {issued}"
    return f"{role}.{issued}.{hmac.new(token.encode(), text.encode(), hashlib.sha256).hexdigest()}"


@check
def cookies(target):
    now, day = int(time.time()), 86_400
    right = cookie("act", now, TOKEN)
    forged = [
        cookie("act", now, READ_TOKEN), cookie("read", now, TOKEN), cookie("act", now, ""),
        cookie("act", now - 31 * day, TOKEN), cookie("act", now + 2 * day, TOKEN), cookie("act", -1, TOKEN),
        cookie("act", 9223372036854775807, TOKEN), cookie("act", 99999999999999999999, TOKEN), right[:-1], right + "0",
        right.upper(), right.replace(".", ".."), right + ".x", "act", "act..", "...", "act.1.", "", "act.\xff.x", "root." + right[4:],
    ]
    faults = []

    def logged_in(value):
        return ask(target.guarded, request("/workers", headers=last(f"Cookie: {value}")))

    for value in (right, cookie("act", now - 29 * day, TOKEN), cookie("read", now, READ_TOKEN)):
        # Others may have cookies of the same name, from a path above.
        for whole in (f"farm_session={value}", f"farm_session=x; farm_session={value}", f"farm_session={value}; farm_session=act.1.x"):
            answer = logged_in(whole)
            expect(faults, f"a right cookie: {whole}", first(answer) == 200, answer)
    for value in forged:
        answer = logged_in(f"farm_session={value}")
        expect(faults, f"a forged cookie: {value}", first(answer) in (303, 400), answer)
    for whole in (f"farm_sessio={right}", f"xfarm_session={right}", ";" * 5000, "farm_session", "=" * 5000, "farm_session=;" * 500):
        answer = logged_in(whole)
        expect(faults, f"no cookie of ours: {whole[:40]}", first(answer) == 303, answer)
    passed(faults)


@check
def authorizations(target):
    faults = []
    basic = base64.b64encode(f"farm:{TOKEN}".encode()).decode()
    for value, right in {
        f"Bearer {TOKEN}": 200, f"bearer {READ_TOKEN}": 200, f"BEARER {TOKEN}": 200,
        f"Bearer {TOKEN}x": 401, f"Bearer {TOKEN[:-1]}": 401, f"Bearer {TOKEN} {TOKEN}": 401, "Bearer ": 401, "Bearer": 401,
        f"Bearer {TOKEN.upper()}": 401, f"Bearer, {TOKEN}": 303, f"Bearer{TOKEN}": 303, TOKEN: 303, f"Token {TOKEN}": 303,
        # A proxy may have a login of its own, which is nothing to farm.
        f"Basic {basic}": 303, "Negotiate x": 303,
    }.items():
        answer = ask(target.guarded, request("/workers", headers=last(f"Authorization: {value}")))
        expect(faults, f"guarded, {value}", first(answer) == right, answer)
    answer = ask(target.guarded, request("/workers", headers=last(f"Authorization: Bearer {TOKEN}", "Authorization: Bearer x")))
    expect(faults, "two tokens", first(answer) == 401, answer)
    # Where no token is needed a wrong one is refused, and the login of a proxy is not.
    for value, right in {"Bearer wrong": 401, f"Basic {basic}": 200}.items():
        answer = ask(target.open, request("/workers", headers=last(f"Authorization: {value}")))
        expect(faults, f"open, {value}", first(answer) == right, answer)
    passed(faults)


@check
def hosts_and_origins(target):
    faults = []
    for host, is_ours in {
        "127.0.0.1": True, f"127.0.0.1:{target.open}": True, "localhost": True, "LOCALHOST:80": True, "[::1]": True,
        "[::1]:8090": True, "192.0.2.7": True,
        "example.org": False, "localhost.example.org": False, "127.0.0.1.example.org": False, "[::1].example.org": False,
        "[::1]example": False, "127.0.0.1@example.org": False, "example.org:127.0.0.1": False, "127.0.0.1:80:80": False,
        "127.0.0.1/": False, "127.0.0.1 example.org": False, "localhost\texample": False, "127.1": False, "a" * 300: False, "[": False,
        "[]": False, ":": False, "::1": False, "%6cocalhost": False, "127.0.0.1,example.org": False,
    }.items():
        answer = ask(target.open, request("/workers", headers=last(), host=host))
        expect(faults, f"Host: {host}", (first(answer) == 200) == is_ours and (is_ours or first(answer) in (400, 421)), answer)
    own, port = f"127.0.0.1:{target.guarded}", target.guarded
    for headers, is_ours in [
        ((), True),
        ((f"Origin: http://{own}",), True),
        (("Sec-Fetch-Site: same-origin",), True),
        (("Sec-Fetch-Site: same-origin", f"Origin: http://{own}"), True),
        (("Sec-Fetch-Site: cross-site",), False),
        (("Sec-Fetch-Site: same-site",), False),
        (("Sec-Fetch-Site: none",), False),
        (("Sec-Fetch-Site: SAME-ORIGIN",), False),
        (("Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"), False),
        (("Sec-Fetch-Site: ",), False),
        (("Sec-Fetch-Site: cross-site", f"Origin: http://{own}"), False),
        (("Origin: http://example.org",), False),
        (("Origin: null",), False),
        (("Origin: ",), False),
        ((f"Origin: http://127.0.0.1:{port + 1}",), False),
        ((f"Origin: http://127.0.0.1:{port}.example.org",), False),
        ((f"Origin: http://example.org#{own}",), False),
        ((f"Origin: http://example.org@{own}",), False),
        ((f"Origin: {own}",), False),
        # A browser adds this to what another site makes it send.
        (("Origin: http://example.org", "Authorization: Basic eDp5"), False),
        (("Sec-Fetch-Site: cross-site", "Authorization: Basic eDp5"), False),
    ]:
        body = b"token=" + READ_TOKEN.encode()
        head = last("Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}", *headers)
        answer = ask(target.guarded, request("/login", "POST", head, body, host=own))
        expect(faults, f"a login with {headers}", first(answer) == (303 if is_ours else 403), answer)
    passed(faults)


@check
def answers_tell_browsers_what_not_to_do(target):
    faults = []
    for path in ("/", "/workers", "/nothing", "/login", "/assets/farm.js"):
        answer = ask(target.open, request(path, headers=last())).split(b"\r\n\r\n")[0].lower()
        for header in (b"content-security-policy: default-src 'none'", b"x-content-type-options: nosniff", b"referrer-policy: "):
            expect(faults, f"{path} {header}", header in answer, answer)
        expect(faults, f"{path} names its server", b"\r\nserver:" not in answer, answer)
        expect(faults, f"{path} lets others read", b"access-control-allow" not in answer, answer)
    passed(faults)


# What takes its time: these wait for limits of the server's.


@check
def slow_heads_are_cut(target):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connected(target.open)) for _ in range(50)]
        for client in clients:
            send(client, b"GET /healthz HTTP/1.1\r\nX-Slow: ")
        open_clients = set(clients)

        def cut():
            for client in list(open_clients):
                client.setblocking(False)
                with contextlib.suppress(BlockingIOError, ConnectionResetError, BrokenPipeError):
                    client.send(b"a")
                try:
                    if client.recv(65536) == b"":
                        open_clients.discard(client)
                except BlockingIOError:
                    pass
                except ConnectionResetError:
                    open_clients.discard(client)
            time.sleep(0.3)
            return not open_clients

        until("the end of slow heads", cut)


@check
def slow_bodies_are_cut(target):
    with connected(target.open) as client:
        send(client, request("/login", "POST", ("Content-Length: 60000",)))

        def cut():
            client.settimeout(0.3)
            with contextlib.suppress(ConnectionResetError, BrokenPipeError, TimeoutError):
                client.send(b"a")
            try:
                return client.recv(65536) == b""
            except TimeoutError:
                return False
            except ConnectionResetError:
                return True

        until("the end of a slow body", cut)


@check
def idle_connections_make_room(target):
    with contextlib.ExitStack() as stack:
        for number in range(1000):
            client = stack.enter_context(connected(target.open))
            # Half of them begin a request.
            if number % 2:
                send(client, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        for _ in range(20):
            answer = ask(target.open, request("/healthz", headers=last()))
            assert first(answer) == 200, answer[:300]


@check
def streams_that_are_not_read_are_cut(target):
    before = resident(target.pid)
    with contextlib.ExitStack() as stack:
        # Each asks for far more than sockets hold, and reads nothing.
        clients = [stack.enter_context(connected(target.open, receive_buffer=4096)) for _ in range(40)]
        for client in clients[:20]:
            client.setblocking(False)
            # On a busy machine the server may cut one before all is sent.
            with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
                for _ in range(400):
                    client.send(request("/assets/farm.css") * 20)
        for client in clients[20:]:
            send(client, request("/events"))
        until("the end of those that do not read", lambda: sum(map(is_cut, clients[:20])) == 20)
        grown = resident(target.pid) - before
        assert grown < 64, f"memory has grown by {grown:.0f} MiB"


def is_cut(client):
    """Whether the server has closed, seen without reading what it has sent."""
    try:
        client.send(b"x")
        return False
    except BlockingIOError:
        return False
    except OSError:
        return True


@check
def streams_go_on_while_they_are_read(target):
    with connected(target.open) as client:
        send(client, request("/events"))
        text = read_head(client)
        assert first(text) == 200 and b"text/event-stream" in text, text
        # Longer than any limit on idle connections. Something comes every 15 s at least, an event or a comment.
        end = time.monotonic() + 45
        while time.monotonic() < end:
            assert client.recv(65536), "the stream has ended"
