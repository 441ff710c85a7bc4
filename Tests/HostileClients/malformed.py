"""Requests that no well-behaved client sends: for each, which statuses are right. None stands for a connection that is
closed without an answer."""

from raw import last, request

BAD = {400, None}
FORM = "Content-Type: application/x-www-form-urlencoded"


def post(*headers, body=b"", target="/login"):
    return request(target, "POST", last(FORM, *headers), body)


def chunked(body):
    return post("Transfer-Encoding: chunked", body=body)


# Name, bytes, right statuses of the first answer. There may be no second one: it would be a request that was smuggled in.
SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
FRAMING = {
    "two lengths that differ": (post("Content-Length: 5", "Content-Length: 6", body=b"token="), BAD),
    "two lengths that agree": (post("Content-Length: 6", "Content-Length: 6", body=b"token="), BAD | {401}),
    "a list of lengths": (post("Content-Length: 6, 6", body=b"token="), BAD),
    "length and chunks": (
        post("Content-Length: 4", "Transfer-Encoding: chunked", body=b"0\r\n\r\n" + SMUGGLED),
        BAD,
    ),
    "chunks and length": (
        post("Transfer-Encoding: chunked", "Content-Length: 4", body=b"0\r\n\r\n" + SMUGGLED),
        BAD,
    ),
    "an unknown coding": (post("Transfer-Encoding: xchunked", body=b"0\r\n\r\n"), BAD),
    "chunks that are not last": (post("Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n"), BAD),
    "two codings": (post("Transfer-Encoding: chunked", "Transfer-Encoding: identity", body=b"0\r\n\r\n"), BAD),
    "a coding after a folded line": (post("Transfer-Encoding:\r\n chunked", body=b"0\r\n\r\n"), BAD | {401}),
    "a blank before the colon": (post("Transfer-Encoding : chunked", "Content-Length: 0"), BAD),
    "a length below zero": (post("Content-Length: -1"), BAD),
    "a length with a sign": (post("Content-Length: +6", body=b"token="), BAD),
    "a length in hexadecimal": (post("Content-Length: 0x6", body=b"token="), BAD),
    "a length beyond 64 bits": (post("Content-Length: 99999999999999999999999"), BAD),
    "an empty length": (post("Content-Length: ", body=b"token="), BAD | {401}),
    "a chunk size of letters": (chunked(b"xyz\r\n"), BAD),
    "a chunk size below zero": (chunked(b"-1\r\n"), BAD),
    "a chunk size beyond 64 bits": (chunked(b"fffffffffffffffff\r\n"), BAD),
    "a chunk that is longer than it says": (chunked(b"3\r\ntoken\r\n0\r\n\r\n"), BAD),
    "a chunk that ends with LF": (chunked(b"6\ntoken=\n0\n\n"), BAD),
    "an endless chunk extension": (chunked(b"6;" + b"a" * 200_000 + b"\r\ntoken=\r\n0\r\n\r\n"), BAD | {401, 413}),
    "trailers": (chunked(b"6\r\ntoken=\r\n0\r\nX-Trailer: a\r\n\r\n"), BAD | {401}),
    "trailers that are too large": (chunked(b"0\r\n" + b"X-T: a\r\n" * 20_000 + b"\r\n"), BAD | {401, 431}),
    "a body of a GET": (request("/healthz", "GET", last("Content-Length: 3"), b"abc"), {200}),
    "a body cut in the middle": (post("Content-Length: 100", body=b"token=abc"), BAD),
    "chunks cut in the middle": (chunked(b"6\r\ntok"), BAD),
}

HEADS = {
    "no request at all": (b"", {None}),
    "only line ends": (b"\r\n" * 1000, {None}),
    "a byte of zero": (b"\0", BAD),
    "TLS": (bytes.fromhex("16030100c8010000c40303") + bytes(190), BAD),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", BAD | {501}),
    "HTTP/0.9": (b"GET /healthz\r\n", BAD),
    "HTTP/9.9": (b"GET /healthz HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n", BAD),
    "lines that end with LF": (b"GET /healthz HTTP/1.1\nHost: 127.0.0.1\nConnection: close\n\n", BAD | {200}),
    "a lone CR": (b"GET /healthz HTTP/1.1\rHost: 127.0.0.1\r\n\r\n", BAD),
    "two blanks": (b"GET  /healthz  HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", BAD | {200}),
    "no host": (request(headers=last(), host=None), {400, 421}),
    "an empty host": (request(headers=last(), host=""), {400, 421}),
    "two hosts": (request(headers=last("Host: example.org")), {400}),
    "an absolute target": (request("http://example.org/healthz", headers=last()), {200, 400, 404, 421}),
    "a target without a path": (request("healthz", headers=last()), BAD | {404}),
    "a target of a star": (request("*", "OPTIONS", last()), BAD | {200, 204, 404, 405, 401, 303}),
    "CONNECT": (request("example.org:80", "CONNECT", last()), BAD | {404, 405, 401, 501}),
    "an unknown method": (request("/healthz", "PROPFIND", last()), {501}),
    "a method of a thousand letters": (request("/healthz", "A" * 1000, last()), BAD | {501}),
    "a method in lower case": (request("/healthz", "get", last()), BAD | {501}),
    "a header without a colon": (request(headers=last("Nothing")), BAD),
    "a header without a name": (request(headers=last(": a")), BAD),
    "a name with a blank": (request(headers=last("X Y: a")), BAD),
    "a name with a NUL": (request(headers=last("X\0Y: a")), BAD),
    "a value with a NUL": (request(headers=last("X-Y: a\0b")), BAD),
    "a value with control characters": (request(headers=last("X-Y: a\x01\x7fb")), BAD | {200}),
    "a value that is no UTF-8": (request(headers=last(b"X-Y: \xff\xfe\x80")), BAD | {200}),
    "a folded line": (request(headers=last("X-Y: a\r\n b")), BAD | {200}),
    "a header that is too large": (request(headers=last("X-Y: " + "a" * 70_000)), BAD | {431}),
    "headers that are too large": (request(headers=last(*[f"X-{n}: {'a' * 4000}" for n in range(90)])), BAD | {431}),
    "too many headers": (request(headers=last(*[f"X-{n}: a" for n in range(5000)])), BAD | {431}),
    "a name that is too long": (request(headers=last("X" * 70_000 + ": a")), BAD | {431}),
    "a target that is too long": (request("/" + "a" * 1_000_000, headers=last()), BAD | {404, 414, 431}),
    "a query that is too long": (request("/workers?q=" + "a" * 1_000_000, headers=last()), BAD | {414, 431}),
    "a cookie that is too large": (request("/", headers=last("Cookie: farm_session=" + "a" * 70_000)), BAD | {431}),
}

# Nothing of these is found, and none leads around the login.
PATHS = [
    "//", "//example.org", "///", "/./", "/../", "/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd",
    "/..%2f..%2fetc%2fpasswd", "/assets/../", "/assets/..%2f", "/assets/%2e%2e/workers", "/assets//../workers",
    "/assets/../workers", "/assets/..;/workers", "/assets/", "/assets", "/assets/farm.css/../../workers", "/assets\\..\\workers",
    "/login/../workers", "/login/..", "/login%2f..%2fworkers", "/login;/workers", "/healthz/../workers", "/workers%00.css",
    "/%00", "/%", "/%zz", "/%ff%fe", "/\udcff\udcfe", "/%c0%ae%c0%ae/", "/%u002e", "/\x7f", "/workers/", "/WORKERS",
    "/workers%2f", "/%77orkers", "/workers#x", "/workers;a=b", "/{id}", "/:id", "/*", "/**", "/images/..", "/images/%2e%2e",
    "/images/-1", "/images/99999999999999999999", "/images/0x1", "/images/1%00", "/images/\udcff",
]

QUERIES = [
    "?", "??", "?&&&", "?=", "?=&=", "?part", "?part=live&part=live", "?part=%", "?part=%zz", "?part=%00", "?part=%ff",
    "?" + "&".join(f"a{n}=b" for n in range(1000)), "?part=" + "%41" * 2000, "?part[]=live", "?part=live%26", "?\udcff",
    "?cursor=-1", "?cursor=%22%3E", "?group=%F0%9F%98%80", "?confidence=nan", "?confidence=1e999", "?label=%27%20OR%201=1--",
]

RANGES = [
    "bytes=0-", "bytes=0-0", "bytes=-1", "bytes=-0", "bytes=99999999999999999999-", "bytes=0-99999999999999999999",
    "bytes=5-1", "bytes=-99999999999999999999", "bytes=9223372036854775807-9223372036854775807", "bytes=a-b", "bytes=",
    "bytes", "lines=0-1", "bytes=" + ",".join("0-0" for _ in range(1500)), "bytes=0-,0-,0-", "bytes=--1", "bytes=1-2-3",
]
