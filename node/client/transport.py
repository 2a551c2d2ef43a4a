"""Getting a question answered by one of several nodes: HTTP, failover, strict reading of answers.

The endpoint that answered last is asked first. One that cannot be reached, times out, or answers
nonsense is passed over, and the next is asked; what a node answers is its answer, also where it is
an error. That is safe for everything this client asks: reads change nothing, and submitting the
same bytes twice is submitting them once.
"""

import asyncio
import itertools
import os
import ssl
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec

from node.client.errors import (
    BadAnswer,
    CallFailed,
    ClientError,
    Limited,
    Unreachable,
    WrongNetwork,
    call_failed,
)
from node.codec import CodecError, decode, encode

T = TypeVar("T")

ANSWER_SIZE_MAX: Final = 32 << 20
"""The largest answer read: a block of ids or a page in full stays far below."""
PATIENCE_S: Final = 10.0
"""For how long a question waits where nodes say that too much was asked, and when to come back."""
CONNECT_TIMEOUT_S: Final = 5.0
CONNECTIONS_MAX: Final = 64
"""Open at one time, to all endpoints together."""


class _Error(msgspec.Struct):
    code: int
    message: str
    data: dict[str, Any] = {}


class _Answer(msgspec.Struct):
    id: int | str | None = None
    result: msgspec.Raw = msgspec.Raw(b"")
    error: _Error | None = None


class _HttpAnswer(msgspec.Struct):
    """An error of HTTP: the code is absent where no method was reached."""

    error: dict[str, Any] = {}


SubmittedItem = tuple[bytes | None, int, int | None, int | None]
"""Id, status, number of the outcome, milliseconds to wait: see `node.rpc.submissions`."""


class Transport:
    """A session to a list of nodes."""

    def __init__(
        self,
        endpoints: Sequence[str],
        *,
        timeout_s: float,
        patience_s: float = PATIENCE_S,
        ssl_context: ssl.SSLContext | None = None,
        api_key: str | None = None,
    ) -> None:
        """Store what is given; `open` first.

        Args:
            endpoints: base addresses, such as "http://127.0.0.1:26680", in order of preference.
            timeout_s: for one question to one node, beyond the time that the node is asked to wait.
            patience_s: for how long to wait where nodes say when to come back, together.
            ssl_context: for https, where the system's authorities are not the right ones.
            api_key: shown to every endpoint, on every question.
        """
        if api_key is not None and not (api_key.isascii() and api_key.isprintable()):
            raise ValueError("this is no API key: it has characters that no header can carry")
        if not endpoints:
            raise ValueError("a client needs at least one endpoint")
        self.endpoints = tuple(_base(endpoint) for endpoint in endpoints)
        self._timeout_s = timeout_s
        self._patience_s = patience_s
        self._headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
        self._ssl = ssl_context if ssl_context is not None else True
        self._session: aiohttp.ClientSession | None = None
        self._preferred = 0
        self._ids = itertools.count(1)
        self.genesis_hash: str | None = None
        """Endpoints of other networks are not asked; None: whichever answers first decides."""
        self._verified: set[str] = set()

    async def open(self) -> None:
        """Make the session. No node is asked yet."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX, ssl=self._ssl),
            timeout=aiohttp.ClientTimeout(connect=CONNECT_TIMEOUT_S),
            headers=self._headers,
            auto_decompress=False,
        )

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        """The open session."""
        assert self._session is not None, "use the client as `async with Client(...)`"
        return self._session

    @property
    def preferred(self) -> str:
        """The endpoint that is asked first."""
        return self.endpoints[self._preferred]

    def pass_over(self) -> None:
        """Prefer the next endpoint from now on."""
        self._preferred = (self._preferred + 1) % len(self.endpoints)

    def in_order(self) -> Iterator[str]:
        """Yield every endpoint once, the preferred one first."""
        for step in range(len(self.endpoints)):
            yield self.endpoints[(self._preferred + step) % len(self.endpoints)]

    async def call(
        self,
        method: str,
        params: Mapping[str, Any],
        kind: type[T],
        *,
        wait_s: float = 0.0,
        patience_s: float | None = None,
    ) -> T:
        """Return the result of a call.

        Args:
            wait_s: for how long the node is asked to wait before it answers.
            patience_s: for how long to wait where nodes say when to come back, together; the
                transport's where there is none.

        Raises:
            CallFailed: the error of a node, which is `preferred` now; `Limited` where it would take
                longer than that until it answers.
            Unreachable: no endpoint answered.
        """
        loop = asyncio.get_running_loop()
        ends_s = loop.time() + (self._patience_s if patience_s is None else patience_s)
        while True:
            try:
                return await self._call_any(method, params, kind, wait_s)
            except Limited as error:
                pause_s = error.retry_after_ms / 1000
                if loop.time() + pause_s > ends_s:
                    raise
                self.pass_over()
                await asyncio.sleep(pause_s)

    async def _call_any(
        self, method: str, params: Mapping[str, Any], kind: type[T], wait_s: float
    ) -> T:
        failures: dict[str, Exception] = {}
        for endpoint in self.in_order():
            try:
                await self.verify(endpoint)
                result = await self._call(endpoint, method, params, wait_s)
                value = _decoded(result, kind)
            except _PASSED_OVER as error:
                failures[endpoint] = error
                continue
            except CallFailed:
                self._preferred = self.endpoints.index(endpoint)
                raise
            self._preferred = self.endpoints.index(endpoint)
            return value
        raise _nobody(failures)

    async def submit_list(self, raws: Sequence[bytes]) -> tuple[SubmittedItem, ...]:
        """Hand in transactions as one MessagePack list; one item for each, in order.

        Raises:
            CallFailed: the node's error for the list as a whole.
            Unreachable: no endpoint answered; it may have taken them.
        """
        body = encode(tuple(raws))
        failures: dict[str, Exception] = {}
        for endpoint in self.in_order():
            try:
                await self.verify(endpoint)
                data = await self._post(endpoint + "/transactions", body, "application/msgpack")
                items = decode(data, tuple[SubmittedItem, ...], size_max=ANSWER_SIZE_MAX)
                if len(items) != len(raws):
                    raise BadAnswer(f"{len(items)} answers to {len(raws)} transactions")
            except (*_PASSED_OVER, CodecError) as error:
                failures[endpoint] = error
                continue
            self._preferred = self.endpoints.index(endpoint)
            return items
        raise _nobody(failures)

    async def verify(self, endpoint: str) -> None:
        """Ask an endpoint once for its network.

        Raises:
            WrongNetwork: it is not the client's.
        """
        if endpoint in self._verified:
            return
        found = _decoded(await self._call(endpoint, "khz_status", {}, 0.0), _Network).genesis_hash
        if self.genesis_hash is None:
            self.genesis_hash = found
        elif found != self.genesis_hash:
            raise WrongNetwork(expected=self.genesis_hash, found=found)
        self._verified.add(endpoint)

    async def _call(
        self, endpoint: str, method: str, params: Mapping[str, Any], wait_s: float
    ) -> bytes:
        call_id = next(self._ids)
        body = msgspec.json.encode(
            {"jsonrpc": "2.0", "id": call_id, "method": method, "params": params}
        )
        data = await self._post(endpoint + "/rpc", body, "application/json", wait_s=wait_s)
        answer = _decoded(data, _Answer)
        if answer.error is not None:
            raise call_failed(answer.error.code, answer.error.message, answer.error.data)
        if answer.id != call_id or not bytes(answer.result):
            raise BadAnswer("not the answer to what was asked")
        return bytes(answer.result)

    async def _post(
        self, url: str, body: bytes, content_type: str, *, wait_s: float = 0.0
    ) -> bytes:
        timeout = aiohttp.ClientTimeout(total=self._timeout_s + wait_s, connect=CONNECT_TIMEOUT_S)
        async with self.session.post(
            url, data=body, headers={"Content-Type": content_type}, timeout=timeout
        ) as response:
            data = bytearray()
            while chunk := await response.content.read(ANSWER_SIZE_MAX + 1 - len(data)):
                data += chunk
                if len(data) > ANSWER_SIZE_MAX:
                    raise BadAnswer(f"an answer of more than {ANSWER_SIZE_MAX} bytes")
            if response.status != 200:
                raise _http_failure(response.status, bytes(data))
            return bytes(data)


class _Network(msgspec.Struct):
    genesis_hash: str


_PASSED_OVER: Final = (
    aiohttp.ClientError,
    TimeoutError,
    OSError,
    BadAnswer,
    WrongNetwork,
)


def _base(endpoint: str) -> str:
    base = endpoint if "://" in endpoint else f"http://{endpoint}"
    try:
        parts = urlsplit(base)
        # A resolver is given the host in this encoding, and does not survive one that has none.
        host = (parts.hostname or "").encode("idna")
        sound = parts.scheme in ("http", "https") and host != b"" and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise ValueError(f"{endpoint!r} is not an address of a node: http://HOST:PORT")
    return base.rstrip("/")


def _decoded(data: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadAnswer(f"unreadable: {error}") from None


def _http_failure(status: int, data: bytes) -> ClientError:
    try:
        error = _decoded(data, _HttpAnswer).error
    except BadAnswer:
        error = {}
    code, message, more = error.get("code"), error.get("message"), error.get("data")
    if isinstance(code, int) and isinstance(message, str):
        return call_failed(code, message, more if isinstance(more, dict) else {})
    return BadAnswer(f"HTTP status {status}: {message or 'no reason given'}")


_TLS_REASONS: Final[Mapping[str, str]] = {
    "CERTIFICATE_VERIFY_FAILED": "its certificate is not good here",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "it wants a certificate of its clients",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "it refused the handshake, as where it wants a certificate",
    "TLSV1_ALERT_UNKNOWN_CA": "it does not trust who signed the certificate that was shown",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "the certificate that was shown has expired",
    "SSLV3_ALERT_BAD_CERTIFICATE": "it refused the certificate that was shown",
    "SSLV3_ALERT_CERTIFICATE_REVOKED": "the certificate that was shown is revoked",
    "WRONG_VERSION_NUMBER": "it speaks no TLS there: ask with http",
}
"""What OpenSSL's reasons mean to who asked. Source: RFC 8446, section 6.2, for the alerts."""


def _tls_reason(error: BaseException) -> str | None:
    """Return why TLS was not agreed on; None: that was not the matter."""
    found: object = error
    if isinstance(error, aiohttp.ClientConnectorError):
        found = error.os_error
    elif isinstance(error, aiohttp.ClientConnectorCertificateError):
        found = error.certificate_error
    elif not isinstance(error, ssl.SSLError):
        found = error.__cause__
    if not isinstance(found, ssl.SSLError) or found.reason is None:
        return None
    said = _TLS_REASONS.get(found.reason, f"TLS was not agreed on: {found.reason}")
    more = getattr(found, "verify_message", "")
    return f"{said}: {more}" if more else said


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if (said := _tls_reason(error)) is not None:
        return said
    if isinstance(error, aiohttp.ClientConnectorError) and not isinstance(
        error,
        aiohttp.ClientSSLError,  # whose number is OpenSSL's
    ):
        number = error.os_error.errno or 0
        if number > 0:
            # Its own words are of its options, and of a call that nobody has made.
            return os.strerror(number)
    return str(error) or type(error).__name__


def _nobody(failures: Mapping[str, Exception]) -> ClientError:
    for error in failures.values():
        if not isinstance(error, WrongNetwork):
            return Unreachable({endpoint: _reason(each) for endpoint, each in failures.items()})
    return next(error for error in failures.values() if isinstance(error, WrongNetwork))
