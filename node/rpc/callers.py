"""Who asks: what a request may, by the listener that it came to and the key that it shows."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeVar

from aiohttp import hdrs, web

from node.access import SCOPES_OF, ApiKey, ApiKeyRefused, Keyring, Role, Scope
from node.rpc.errors import Forbidden, KeyRefused
from node.rpc.http import SECURITY_HEADERS
from node.rpc.limits import ADDRESSES_MAX, caller

CHALLENGE: Final[Mapping[str, str]] = {hdrs.WWW_AUTHENTICATE: 'Bearer realm="khazana"'}
_BEARER: Final = "bearer "

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whoever sent a request."""

    name: str
    """Under which it is counted: its address, or the name of its key."""
    scopes: frozenset[Scope]
    key_name: str | None = None
    key: ApiKey | None = None

    @property
    def calls_per_second(self) -> int | None:
        """Its own rate, None: that of any address."""
        return None if self.key is None else self.key.calls_per_s_max

    def is_good(self, keyring: Keyring) -> bool:
        """Return whether its key, if it showed one, still stands."""
        if self.key is None or self.key_name is None:
            return True
        return keyring.is_good(self.key_name, self.key)

    def needs(self, scope: Scope) -> None:
        """Refuse it what it may not.

        Raises:
            Forbidden: the scope is not among its own.
        """
        if scope not in self.scopes:
            raise Forbidden(scope)


class Bill:
    """What a request has taken of the processor, before and after it is known for whom."""

    __slots__ = ("_owe", "_seconds", "caller")

    def __init__(self, owe: Callable[[Caller, float], None]) -> None:
        self._owe = owe
        self._seconds = 0.0
        self.caller: Caller | None = None
        """Who is charged; None: nobody is."""

    def add(self, seconds: float) -> None:
        """Charge so much more."""
        self._seconds += seconds
        if self.caller is not None:
            self._owe(self.caller, self._seconds)
            self._seconds = 0.0


PAYING: Final[ContextVar[Bill | None]] = ContextVar("paying", default=None)
"""The bill of the request that is being answered."""


class Beside:
    """Work that takes too long for a turn of the loop: in a thread, one piece after the other, and
    charged to whoever asks for it.

    A thread beside the loop takes turns with it, so that several would have most of its time.
    """

    def __init__(self, cpu_s: Callable[[], float]) -> None:
        """Measure by this clock: processor time of the calling thread, in seconds."""
        self._cpu_s = cpu_s
        self._turn = asyncio.Lock()

    async def __call__(self, work: Callable[[], ResultT]) -> ResultT:
        """Return what the work returns."""
        took_s = 0.0

        def measured() -> ResultT:
            nonlocal took_s
            began_s = self._cpu_s()
            try:
                return work()
            finally:
                took_s = self._cpu_s() - began_s

        bill = PAYING.get()
        async with self._turn:
            try:
                return await asyncio.to_thread(measured)
            finally:
                if bill is not None:
                    bill.add(took_s)


class Gate:
    """What one listener asks of whoever comes to it."""

    def __init__(self, role: Role, keyring: Keyring) -> None:
        self._keyring = keyring
        self._scopes: Final = SCOPES_OF[role]
        # An address comes many times, and is always the same.
        self.stranger: Final = lru_cache(ADDRESSES_MAX)(self._make_stranger)
        """Returns who asks from a remote address without a key."""

    def caller_of(self, request: web.BaseRequest) -> Caller:
        """Return who sent this.

        Raises:
            KeyRefused: it shows a key that opens nothing.
        """
        given = request.headers.get(hdrs.AUTHORIZATION)
        if given is None:
            return self.stranger(request.remote)
        if given[: len(_BEARER)].lower() != _BEARER:
            raise KeyRefused("expected Authorization: Bearer and an API key")
        if not self._keyring.has_file:
            raise KeyRefused("this node takes no API keys; ask without one, or set rpc.api_keys")
        try:
            name, key = self._keyring.find(given[len(_BEARER) :].strip())
        except ApiKeyRefused as error:
            raise KeyRefused(str(error)) from None
        # Its rate stands in the name, so that a change of it counts anew.
        counted = f"key {name} {key.calls_per_s_max or ''}"
        scopes = self._scopes.union(key.scopes)
        return Caller(name=counted, scopes=scopes, key_name=name, key=key)

    def _make_stranger(self, remote: str | None) -> Caller:
        return Caller(name=caller(remote), scopes=self._scopes)


def origin_headers(request: web.BaseRequest, origins: Collection[str]) -> dict[str, str]:
    """Return the headers by which a browser lets a page of a named origin read the answer.

    Args:
        origins: such as "https://desk.example"; none by default, so no page of another host can.

    Source: the Fetch standard, "CORS protocol".
    """
    if not origins:
        return {}
    origin = request.headers.get(hdrs.ORIGIN)
    if origin not in origins or origin is None:
        return {hdrs.VARY: hdrs.ORIGIN}
    return {
        hdrs.VARY: hdrs.ORIGIN,
        hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: origin,
        hdrs.ACCESS_CONTROL_EXPOSE_HEADERS: hdrs.RETRY_AFTER,
    }


def is_preflight(request: web.BaseRequest, origins: Collection[str]) -> bool:
    """Return whether a browser asks on behalf of a named origin if it may ask."""
    return (
        request.method == hdrs.METH_OPTIONS
        and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
        and request.headers.get(hdrs.ORIGIN) in origins
    )


def preflight_response() -> web.Response:
    """Return the answer that it may."""
    headers: dict[str, str] = {
        **SECURITY_HEADERS,
        hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET, POST",
        hdrs.ACCESS_CONTROL_ALLOW_HEADERS: f"{hdrs.CONTENT_TYPE}, {hdrs.AUTHORIZATION}",
        hdrs.ACCESS_CONTROL_MAX_AGE: "600",
    }
    return web.Response(status=204, headers=headers)
