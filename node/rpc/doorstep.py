"""Lists of transactions that nothing is taken of, refused on the doorstep: before HTTP is read.

Whoever brings many times what a network takes costs it what refusing takes, and the processors that
refuse are the ones that verify. Read by aiohttp, a list that is told to come back costs 90 us: a
parsed head, a request, two tasks, an answer with its headers, and the body thrown away piece by
piece. Here the head is looked at as bytes, the body is counted and let go, and the answer is one
that was made before.

What is answered is what `RpcServer` would have answered, byte for byte: the slow twin, beside which
`tests/rpc/test_doorstep.py` holds it. To be sure of that without reading HTTP twice, only a request
that can be read in one way is looked at: its head is here whole, has no header but the few that
each client sends, each once and in plain characters, and says how long the body is. A connection on
which anything else was ever said, another path, a key, a piece of a head, two requests in one
piece, is aiohttp's until it is closed. So where a request begins is never guessed: of a connection
that is not, each byte has been counted. And nothing is answered here while aiohttp has a request at
hand, or while the other side has not taken the answers before: its turn, and its bounds.

This reaches below aiohttp's public door, by `_waiter`, `_messages`, `_close`, `_force_close`,
`_keepalive_handle` and `_next_keepalive_close_time`: whether it is idle, and since when. The same
tests say so where a release has changed that.
"""

import asyncio
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

from aiohttp import hdrs, web
from aiohttp.helpers import rfc822_formatted_time
from typing_extensions import override

from node.access import Scope
from node.rpc.callers import Gate
from node.rpc.errors import Limited
from node.rpc.http import error_response, is_known_host
from node.rpc.limits import RateLimiter
from node.rpc.services import RpcServices
from node.rpc.submissions import MESSAGEPACK_TYPES, busy

HEAD_MAX_BYTES: Final = 1 << 11
"""A longer head is aiohttp's."""
HEADS_CACHED: Final = 256
"""A client's differ by the length of its body alone; half a mebibyte at most."""
ANSWERS_CACHED: Final = 256
"""By the time after which to come back."""
LINGER_SECONDS: Final = 1.0
"""For how long the rest of a refused body is thrown away before the connection is closed."""

_REQUEST_LINE: Final = b"POST /transactions HTTP/1.1"
_HOST, _TYPE, _LENGTH, _CONNECTION = b"host", b"content-type", b"content-length", b"connection"
_PLAIN: Final = frozenset(
    {
        _HOST,
        _TYPE,
        _LENGTH,
        _CONNECTION,
        b"accept",
        b"accept-encoding",
        b"accept-language",
        b"user-agent",
    }
)
"""Headers of which none changes what a refusal is, or what the bytes after it are."""
_VALUE: Final = re.compile(rb"[ \t]*([\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)[ \t]*")
_DIGITS: Final = re.compile(rb"[0-9]{1,10}")
_TYPES: Final = frozenset(each.encode() for each in MESSAGEPACK_TYPES)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListHead:
    """The head of a list of transactions that can be read in one way only."""

    size_bytes: int
    """Of the head, with the empty line that ends it."""
    body_bytes: int
    host: str


Refuse: TypeAlias = Callable[[str | None, ListHead], bytes | None]
"""(remote address, head) -> the answer by which it is refused; None: it is served as ever."""


def list_head(data: bytes) -> ListHead | None:
    """Return the head that this begins with; None where it is none of those looked at here."""
    if not data.startswith(_REQUEST_LINE):
        return None
    end = data.find(b"\r\n\r\n", 0, HEAD_MAX_BYTES)
    return None if end < 0 else _read(data[:end])


@lru_cache(HEADS_CACHED)
def _read(head: bytes) -> ListHead | None:
    first, *lines = head.split(b"\r\n")
    if first != _REQUEST_LINE:
        return None
    found: dict[bytes, bytes] = {}
    for line in lines:
        name, _, value = line.partition(b":")
        name, text = name.lower(), _VALUE.fullmatch(value)
        if name not in _PLAIN or name in found or text is None:
            return None
        found[name] = text[1]
    length = found.get(_LENGTH, b"")
    if (
        _HOST not in found
        or found.get(_TYPE) not in _TYPES
        or _DIGITS.fullmatch(length) is None
        or found.get(_CONNECTION, b"keep-alive").lower() != b"keep-alive"
    ):
        return None
    return ListHead(size_bytes=len(head) + 4, body_bytes=int(length), host=found[_HOST].decode())


class Refusals:
    """Whether a list is refused, and how."""

    def __init__(
        self,
        services: RpcServices,
        *,
        calls: RateLimiter,
        hosts: Collection[str],
        is_read_elsewhere: bool,
        body_max_bytes: int,
    ) -> None:
        """Store what is given.

        Args:
            calls: counts those of each caller.
            hosts: names under which this node is called.
            is_read_elsewhere: whether pages of other origins may read answers, which then say so.
            body_max_bytes: of a list; a larger one is refused elsewhere.
        """
        self._services = services
        self._calls = calls
        self._hosts = hosts
        self._more_headers: dict[str, str] = {hdrs.VARY: hdrs.ORIGIN} if is_read_elsewhere else {}
        self._body_max_bytes = body_max_bytes
        self._busy = lru_cache(ANSWERS_CACHED)(lambda ms: self._rendered(busy(ms)))
        labels = {"method": "transactions", "result": "busy"}
        self._count = services.metrics.rpc_requests.labels(**labels).inc

    def refuse(self, gate: Gate, remote: str | None, head: ListHead) -> bytes | None:
        """Return the answer to a list of which nothing is taken now; None where it is to be read.

        Asks the same as `RpcServer` does, in the same order; whoever it would refuse for something
        else is left to it.
        """
        if not self._services.intake.is_crowded:
            return None
        with self._services.metrics.stages.serve:
            asking = gate.stranger(remote)
            if (
                not is_known_host(head.host, self._hosts)
                or Scope.SUBMIT not in asking.scopes
                or head.body_bytes > self._body_max_bytes
            ):
                return None
            try:
                self._calls.take(asking.name)
            except Limited as error:
                return self._dated(self._rendered(error))
            retry_after_ms = self._turn_away()
            return None if retry_after_ms is None else self._dated(self._busy(retry_after_ms))

    def check(self) -> None:
        """Refuse a list whose head was read, before its body is.

        Raises:
            Limited: nothing is taken of it now.
        """
        retry_after_ms = self._turn_away()
        if retry_after_ms is not None:
            raise busy(retry_after_ms)

    def _turn_away(self) -> int | None:
        retry_after_ms = self._services.intake.turn_away()
        if retry_after_ms is not None:
            self._count()
        return retry_after_ms

    def _rendered(self, error: Limited) -> tuple[bytes, bytes]:
        """Return the answer as aiohttp writes it, before and after the date."""
        response = error_response(error, status=429)
        response.headers.update(self._more_headers)
        assert isinstance(response.body, bytes)
        lines = [f"HTTP/1.1 429 {response.reason}"]
        lines += [f"{name}: {value}" for name, value in response.headers.items()]
        lines += [f"{hdrs.CONTENT_LENGTH}: {len(response.body)}", f"{hdrs.DATE}: "]
        return "\r\n".join(lines).encode(), b"\r\n\r\n" + response.body

    def _dated(self, rendered: tuple[bytes, bytes]) -> bytes:
        before, after = rendered
        return before + rfc822_formatted_time().encode() + after


class Doorstep(web.RequestHandler):
    """aiohttp's end of one connection, before which what comes is looked at."""

    __slots__ = ("_is_plain", "_left", "_owed_bytes", "_refuse", "_unread_bytes")

    def __init__(self, refuse: Refuse, manager: web.Server, **settings: Any) -> None:
        """Serve, and refuse by this what can be refused unread."""
        super().__init__(manager, **settings)
        self._refuse = refuse
        self._is_plain = True
        """Whether each byte so far was of a request that was looked at here."""
        self._owed_bytes = 0
        """How much has yet to come of a body that aiohttp reads."""
        self._unread_bytes = 0
        """And of one that was refused."""
        self._left: asyncio.TimerHandle | None = None
        """When that has to have come."""

    @override
    def data_received(self, data: bytes) -> None:
        if self._unread_bytes:
            data = self._throw_away(data)
        if not self._is_plain or not data:
            super().data_received(data)
            return
        if self._owed_bytes:
            self._owed_bytes -= len(data)
            self._is_plain = self._owed_bytes >= 0
            super().data_received(data)
            return
        head = list_head(data)
        left_bytes = 0 if head is None else head.size_bytes + head.body_bytes - len(data)
        if head is None or left_bytes < 0:
            self._is_plain = False
            super().data_received(data)
            return
        answer = self._refuse(self._remote, head) if self._is_idle else None
        if answer is None:
            self._owed_bytes = left_bytes
            super().data_received(data)
            return
        assert self.transport is not None
        self.transport.write(answer)
        self._stay()
        if left_bytes:
            self._unread_bytes = left_bytes
            self._left = self._loop.call_later(LINGER_SECONDS, self.force_close)

    @override
    def connection_lost(self, exc: BaseException | None) -> None:
        if self._left is not None:
            self._left.cancel()
        super().connection_lost(exc)

    def _throw_away(self, data: bytes) -> bytes:
        """Return what comes behind the rest of a body that was refused."""
        rest = data[self._unread_bytes :]
        self._unread_bytes = max(0, self._unread_bytes - len(data))
        if not self._unread_bytes and self._left is not None:
            self._left.cancel()
            self._left = None
        return rest

    @property
    def _is_idle(self) -> bool:
        """Whether everything before is answered, and the answers are on their way."""
        return (
            self._waiter is not None
            and not self._waiter.done()
            and not self._messages
            and not self._close
            and not self._force_close
            and isinstance(self.transport, asyncio.Transport)
            and not self.transport.get_write_buffer_size()
        )

    @property
    def _remote(self) -> str | None:
        return self.peername[0] if isinstance(self.peername, tuple) else self.peername

    def _stay(self) -> None:
        """Begin to be idle anew."""
        close_s = self._loop.time() + self._keepalive_timeout
        self._next_keepalive_close_time = close_s
        if self._keepalive_handle is None:
            self._keepalive_handle = self._loop.call_at(close_s, self._process_keepalive)
