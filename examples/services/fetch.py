"""Fetches the photo that a URL names."""

import http.client
import posixpath
import urllib.parse
import urllib.request
import zlib

from images import MAX_BYTES, Refused, check_length

TIMEOUT = 20


def photo(url: str) -> tuple[bytes, str]:
    """The photo's bytes and its file name."""
    parts = address(url)
    request = urllib.request.Request(ascii_url(parts), headers={"User-Agent": "farm"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            data = answer.read(MAX_BYTES + 1)
            encoding = answer.headers.get("Content-Encoding", "")
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise Refused(400, f"the photo cannot be fetched: {error}") from None
    check_length(len(data))
    data = unpacked(data, encoding)
    check_length(len(data))
    name = posixpath.basename(urllib.parse.unquote(parts.path))
    return data, name or "image"


def unpacked(data: bytes, encoding: str) -> bytes:
    """Some hosts pack photos though nobody asked for it, and some only say so."""
    if encoding.strip().lower() not in ("gzip", "x-gzip", "deflate"):
        return data
    for window in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):  # with a header, or without
        try:
            return zlib.decompressobj(window).decompress(data, MAX_BYTES + 1)
        except zlib.error:
            continue
    return data


def address(url: str) -> urllib.parse.SplitResult:
    try:
        parts = urllib.parse.urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname
        usable = usable and parts.port != 0  # asking raises if it is no port number
    except ValueError:
        usable = False
    if not usable:
        raise Refused(400, "GET takes ?url= with an http or https address")
    return parts


def ascii_url(parts: urllib.parse.SplitResult) -> str:
    """As it came, but with everything that HTTP cannot carry percent-encoded."""
    quoted = parts._replace(
        path=urllib.parse.quote(parts.path, safe="/%:@!$&'()*+,;=~"),
        query=urllib.parse.quote(parts.query, safe="/%:@!$&'()*+,;=~?"),
        fragment="",
    )
    return urllib.parse.urlunsplit(quoted)
