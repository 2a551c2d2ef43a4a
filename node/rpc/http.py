"""The HTTP around the interface: which requests are read at all, and how answers look.

A body is read only if its host, method, type and size are acceptable, within a time. Every answer
is JSON or plain text, never HTML, carries headers that tell browsers to do nothing with it, and
repeats nothing of what was sent but in quoted JSON.
"""

import asyncio
import math
import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

import msgspec
from aiohttp import hdrs, web

from node.rpc.bodies import Body, ending
from node.rpc.errors import Limited, RpcError

SECURITY_HEADERS: Final[Mapping[str, str]] = {
    hdrs.SERVER: "khazana",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""On every answer. There is no CORS header: a page of another origin can read nothing."""

ANY_HOST: Final = "*"
HOSTS_CACHED: Final = 128
"""Each as long as a header may be, 8 kB. Clients name the same few in every request."""
METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_HOST: Final = re.compile(
    r"(?:\[(?P<address>[0-9A-Fa-f:.]+(?:%[^\]]+)?)\]|(?P<name>[^:\[\]]+?)\.?)(?::[0-9]{0,5})?"
)
"""Source: RFC 9110, section 7.2."""
_encode: Final = msgspec.json.Encoder().encode


class HttpRefusal(Exception):
    """A request that is not answered by a method, with the status that says why."""

    def __init__(
        self, status: int, message: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})


def json_response(
    value: object, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return a JSON answer."""
    return bytes_response(_encode(value), "application/json", status=status, headers=headers)


def bytes_response(
    body: bytes, content_type: str, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return an answer of these bytes, with the headers that all answers carry."""
    return web.Response(
        body=body,
        status=status,
        headers={**SECURITY_HEADERS, **(headers or {}), hdrs.CONTENT_TYPE: content_type},
    )


def text_response(text: str, *, status: int = 200) -> web.Response:
    """Return a plain text answer."""
    return bytes_response(text.encode(), "text/plain; charset=utf-8", status=status)


def refusal_response(refusal: HttpRefusal) -> web.Response:
    """Return the answer to a request that was refused before any method saw it."""
    return json_response(
        {"error": {"message": refusal.message}}, status=refusal.status, headers=refusal.headers
    )


def error_response(
    error: RpcError, *, status: int, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return an error outside of a JSON-RPC answer, in the same form."""
    headers = {**retry_headers(error), **(headers or {})}
    return json_response({"error": error.body()}, status=status, headers=headers)


def retry_headers(error: RpcError) -> dict[str, str]:
    """Return `Retry-After` in whole seconds for an error that says when to come back."""
    if not isinstance(error, Limited):
        return {}
    return {hdrs.RETRY_AFTER: str(max(1, math.ceil(error.retry_after_ms / 1000)))}


def check_host(request: web.BaseRequest, names: Collection[str]) -> None:
    """Refuse a request that was meant for another host.

    A page that has its own name resolve to this node's address could otherwise use a visitor's
    browser to call it (DNS rebinding). Addresses and `localhost` cannot be rebound.

    Args:
        names: host names accepted besides, in lower case; `*` accepts any.

    Raises:
        HttpRefusal: 400 without one Host header, 403 for a foreign name.
    """
    given = request.headers.getall(hdrs.HOST, [])
    if len(given) != 1:
        raise HttpRefusal(400, "a request carries exactly one Host header")
    if not is_known_host(given[0], names):
        raise HttpRefusal(403, "this node is not known by that host name; list it in rpc.hosts")


def is_known_host(header: str, names: Collection[str]) -> bool:
    """Return whether a Host header names this node: see `check_host`."""
    if ANY_HOST in names:
        return True
    host = _host_of(header)
    return host is not None and (host in names or host == "localhost" or _is_address(host))


def check_origin(request: web.BaseRequest, origins: Collection[str] = ()) -> None:
    """Refuse a WebSocket that a page of another origin opens: browsers do not stop those.

    Args:
        origins: those that may, besides this host.

    Raises:
        HttpRefusal: 403.
    """
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is None or origin in origins:
        return
    _, separator, authority = origin.partition("://")
    if not separator or authority.lower() != request.headers[hdrs.HOST].lower():
        raise HttpRefusal(403, "a page of another origin may not open a WebSocket here")


def check_type(request: web.BaseRequest, accepted: Collection[str]) -> None:
    """Refuse a body of another type, or a compressed one.

    Raises:
        HttpRefusal: 415.
    """
    if request.content_type not in accepted:
        raise HttpRefusal(415, f"the Content-Type must be {min(accepted)}")
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity") != "identity":
        raise HttpRefusal(415, "compressed bodies are not read")


async def read_body(
    request: web.BaseRequest, *, max_bytes: int, timeout_ms: int, body: Body | None = None
) -> bytes:
    """Return the body.

    Args:
        body: counts what has come of it.

    Raises:
        HttpRefusal: 413 when it is larger, 408 when it does not arrive in time.
        Limited: there is no room for it.
    """
    too_large = HttpRefusal(413, f"at most {max_bytes} bytes are read")
    if (request.content_length or 0) > max_bytes:
        raise too_large
    if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
    if request.content.is_eof():
        # Most bodies are there with their headers: nothing to wait for, and no need of a clock.
        data = request.content.read_nowait()
        if len(data) > max_bytes:
            raise too_large
        if body is not None:
            body.come(len(data))
            body.whole()
        return data
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(timeout_ms / 1000) as timeout:
            end = ending(timeout)
            while part := await request.content.readany():
                size += len(part)
                if size > max_bytes:
                    raise too_large
                if body is not None:
                    body.come(size, end)
                parts.append(part)
    except TimeoutError:
        if body is not None and body.given_up:
            raise HttpRefusal(408, "the body came slowly, and others needed its room") from None
        raise HttpRefusal(408, f"the body did not arrive within {timeout_ms} ms") from None
    if body is not None:
        body.whole()
    return b"".join(parts)


def is_gone(request: web.BaseRequest) -> bool:
    """Return whether the caller has hung up, so that no answer reaches it."""
    return request.transport is None or request.transport.is_closing()


def _host_of(header: str) -> str | None:
    """Return the name in lower case, or the address; None: it is no host with or without a port."""
    found = _HOST.fullmatch(header)
    if found is None:
        return None
    name: str | None = found["name"]
    if name is not None:
        return name.lower()
    return found["address"] if _is_address(found["address"]) else None


@lru_cache(HOSTS_CACHED)
def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
