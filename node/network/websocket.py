"""The real transport: WebSockets of aiohttp over mutually pinned TLS 1.3.

Connections are accepted here rather than by aiohttp's own site, for three reasons: the TLS context
changes with the validator set and must be the newest for each connection; a handshake needs a time
limit and a place in a bounded number of handshakes, also between TLS and the upgrade; and whatever
a stranger does ends in its own task.

Compression is off: messages are small or already dense, and a compressed frame is a frame whose
size one does not know. A frame's length is checked when its header is read, before its first byte
is stored.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Collection
from typing import Any, Final, TypeAlias

import aiohttp
from aiohttp import web

from node.log import Logger, Sparing
from node.metrics import Metrics
from node.network.arrivals import Arrivals
from node.network.errors import DialFailed, LinkClosed, WireError, WireFault
from node.network.settings import NetworkSettings
from node.network.tls import TlsIdentity, make_contexts
from node.network.transport import Accept

PATH: Final = "/peer/1"

STRANGER: Final = "(stranger)"
"""Metric label of whoever has no identity yet; no member can have this name."""

_WebSocket: TypeAlias = "web.WebSocketResponse | aiohttp.ClientWebSocketResponse[bool]"

_ACCEPT_PAUSE_S: Final = 0.2  # when accepting fails, as it does without free descriptors
_BACKLOG: Final = 128
_CLOSE_MESSAGE_MAX: Final = 120  # RFC 6455 5.5: a control frame holds 125 bytes, 2 are the code
_UNSENT_BYTES: Final = 1 << 17  # kept in the kernel; what is beyond it can still be overtaken


class WebSocketTransport:
    """A `Transport` over TCP."""

    def __init__(
        self,
        *,
        identity: TlsIdentity,
        following: TlsIdentity | None = None,
        listen: tuple[str, int] | None,
        frame_size_max: int,
        log: Logger,
        metrics: Metrics,
        settings: NetworkSettings | None = None,
    ) -> None:
        """Store what is given; no socket is opened before `start`.

        Args:
            following: what is to take the identity's place: see `present`.
            listen: host and port to accept on (port 0: any free one), or None to only dial.
            frame_size_max: `WireLimits.frame_size_max`, in bytes.

        Raises:
            CertificateUnusable: our own key or certificate.
        """
        self._identity = identity
        self._following = following
        self._trusted: tuple[bytes, ...] = ()
        self._listen = listen
        self._frame_size_max = frame_size_max
        self._log = log.bind(part="transport")
        self._turned_away = Sparing(self._log)
        self._metrics = metrics
        self._settings = settings or NetworkSettings()
        self._contexts = make_contexts(identity, ())
        self._other_contexts = make_contexts(following, ()) if following is not None else None
        self._other_first: set[str] = set()
        """Addresses at which the other certificate is shown, because the first one failed."""
        self._listener: socket.socket | None = None
        self._server: web.Server | None = None
        self._session: aiohttp.ClientSession | None = None
        self._upgrades: dict[asyncio.BaseProtocol, asyncio.Future[WebSocketLink]] = {}
        self._untouched: set[socket.socket] = set()
        """Accepted, and its task has not begun: it may be cancelled before it does."""
        self._arrivals = Arrivals(self._settings)

    @property
    def port(self) -> int:
        """The port it listens on. Only between `start` and `stop`."""
        assert self._listener is not None
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def handshakes(self) -> int:
        """Inbound connections without an identity yet."""
        return self._arrivals.shaking

    async def start(self, tasks: asyncio.TaskGroup, accept: Accept) -> None:
        """Listen and serve.

        Raises:
            OSError: the port is taken or not ours to take.
        """
        connector = aiohttp.TCPConnector(
            use_dns_cache=False,
            force_close=True,
            limit=0,
            socket_factory=_make_socket,
        )
        trace = aiohttp.TraceConfig()
        trace.on_request_redirect.append(_refuse_redirect)
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            trace_configs=[trace],
        )
        if self._listen is not None:
            self._server = web.Server(self._upgrade, access_log=None, lingering_time=0.0)
            self._listener = await _open_listener(*self._listen)
            tasks.create_task(self._accept_all(tasks, accept), name="accept")

    async def stop(self) -> None:
        """Stop listening, close what is left."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for connection in self._untouched:
            connection.close()
        self._untouched.clear()
        if self._server is not None:
            await self._server.shutdown(self._settings.close_timeout_s)
            self._server = None
        if self._session is not None:
            await self._session.close()
            self._session = None

    def trust(self, certificates: Collection[bytes]) -> tuple[str, ...]:
        """Make new contexts; handshakes in progress end under the old ones, and the caller looks
        the certificate of each link up again.
        """
        self._trusted = tuple(certificates)
        self._contexts = make_contexts(self._identity, certificates)
        if self._following is not None:
            self._other_contexts = make_contexts(self._following, certificates)
        return self._contexts.unusable

    def present(self, certificate: bytes) -> bool:
        """Show this certificate from now on, if it is the one prepared; return whether it was.

        Links that stand are for the peers to end, who pin the new one from the same block on. A
        peer that is ahead of us pins it already, and one behind pins the old one still: `dial`
        tries both.
        """
        if self._following is None or certificate != self._following.certificate:
            return False
        self._identity, self._following = self._following, self._identity
        self._other_first.clear()
        self.trust(self._trusted)
        return True

    async def dial(self, address: str) -> "WebSocketLink":
        """Connect. The name is resolved by the system now.

        Raises:
            DialFailed: no link came about.
        """
        assert self._session is not None
        settings = self._settings
        contexts = self._contexts
        if self._other_contexts is not None and address in self._other_first:
            contexts = self._other_contexts
        try:
            websocket = await self._session.ws_connect(
                f"wss://{address}{PATH}",
                ssl=contexts.client,
                max_msg_size=self._frame_size_max + 1,  # aiohttp's bound is exclusive
                compress=0,
                heartbeat=settings.heartbeat_s,
                timeout=aiohttp.ClientWSTimeout(ws_close=settings.close_timeout_s),
            )
        except aiohttp.InvalidURL as error:
            raise DialFailed(address, f"this is no address: {error}") from None
        except (aiohttp.ClientError, OSError) as error:
            # Before what is a ValueError: Python's error of a certificate is that too.
            if self._other_contexts is not None:
                # Whatever it failed for: what a certificate is refused with says too little.
                self._other_first ^= {address}
            raise DialFailed(address, _sentence(error)) from None
        except ValueError as error:  # of the name's encoding
            raise DialFailed(address, f"this is no address: {error}") from None
        return WebSocketLink(
            websocket,
            address=address,
            certificate=_peer_certificate(websocket.get_extra_info("ssl_object")),
            abort=_do_nothing,
            close_timeout_s=settings.close_timeout_s,
        )

    # Private: accepting.

    async def _accept_all(self, tasks: asyncio.TaskGroup, accept: Accept) -> None:
        assert self._listener is not None
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await _accepted(self._listener)
            except OSError as error:
                # Out of descriptors, or the stranger left already. The listener stays.
                self._log.warning("accepting failed", reason=str(error))
                await asyncio.sleep(_ACCEPT_PAUSE_S)
                continue
            host = address[0]
            refusal = self._arrivals.refusal(host, loop.time())
            if refusal is not None:
                connection.close()
                self._turn_away(refusal, f"{host}:{address[1]}", "too many, or too often")
                continue
            self._arrivals.begin(host)
            self._untouched.add(connection)
            tasks.create_task(
                self._welcome(connection, host, f"{host}:{address[1]}", accept),
                name=f"inbound-{host}:{address[1]}",
            )

    async def _welcome(
        self, connection: socket.socket, host: str, address: str, accept: Accept
    ) -> None:
        self._untouched.discard(connection)
        try:
            link = await self._shake_hands(connection, address)
        finally:
            self._arrivals.end(host)
        if link is not None:
            await accept(link)

    async def _shake_hands(self, connection: socket.socket, address: str) -> "WebSocketLink | None":
        """Return the link once TLS and the upgrade are done; None if that fails or takes long."""
        assert self._server is not None
        loop = asyncio.get_running_loop()
        timeout_s = self._settings.handshake_timeout_s
        connection.setblocking(False)
        _tune(connection)
        protocol = self._server()
        upgraded: asyncio.Future[WebSocketLink] = loop.create_future()
        self._upgrades[protocol] = upgraded
        transport: asyncio.BaseTransport | None = None
        link: WebSocketLink | None = None
        try:
            transport, _ = await loop.connect_accepted_socket(
                lambda: protocol,
                connection,
                ssl=self._contexts.server,
                ssl_handshake_timeout=timeout_s,
                ssl_shutdown_timeout=self._settings.close_timeout_s,
            )
            async with asyncio.timeout(timeout_s):
                link = await upgraded
        except (TimeoutError, OSError) as error:
            slow = isinstance(error, TimeoutError)
            why = f"not done after {timeout_s:g} s" if slow else _sentence(error)
            self._turn_away("slow-handshake" if slow else "tls", address, why)
        except Exception:
            # Whatever a stranger finds in the libraries below, it ends here.
            self._count("internal")
            self._log.exception("handshake failed", address=address)
        finally:
            del self._upgrades[protocol]
            if link is None and isinstance(transport, asyncio.WriteTransport):
                _cut(transport)
        return link

    async def _upgrade(self, request: web.BaseRequest) -> web.StreamResponse:
        """Turn the first request of a connection into a link, and hold it until the link closes.

        Runs in aiohttp's own task for the connection.
        """
        upgraded = self._upgrades.get(request.protocol)
        settings = self._settings
        websocket = web.WebSocketResponse(
            timeout=settings.close_timeout_s,
            heartbeat=settings.heartbeat_s,
            compress=False,
            max_msg_size=self._frame_size_max + 1,  # aiohttp's bound is exclusive
        )
        transport = request.transport
        if (
            upgraded is None
            or upgraded.done()
            or transport is None
            or request.path != PATH
            or not websocket.can_prepare(request)
        ):
            self._turn_away(
                "no-upgrade", _address_of(transport), "it asked for something else than a link"
            )
            refusal = web.Response(status=400, text="peers only")
            refusal.force_close()
            return refusal
        try:
            await websocket.prepare(request)
        except ConnectionError as error:  # it has gone meanwhile
            if not upgraded.done():
                upgraded.set_exception(error)
            return web.Response()  # reaches nobody
        link = WebSocketLink(
            websocket,
            address=_address_of(transport),
            certificate=_peer_certificate(transport.get_extra_info("ssl_object")),
            abort=lambda: _cut(transport),
            close_timeout_s=settings.close_timeout_s,
        )
        if upgraded.done():  # the handshake's time ran out while we answered
            await link.close("too slow")
        else:
            upgraded.set_result(link)
        await link.wait_closed()
        return websocket

    def _turn_away(self, reason: str, address: str, why: str) -> None:
        """Count one who got no link, and tell the operator: strangers scan ports, so sparingly."""
        self._count(reason)
        now_s = asyncio.get_running_loop().time()
        self._turned_away.info(now_s, "turned away", address=address, fault=reason, reason=why)

    def _count(self, reason: str) -> None:
        self._metrics.peer_faults.labels(peer=STRANGER, reason=reason).inc()


class WebSocketLink:
    """A `Link` over one WebSocket."""

    def __init__(
        self,
        websocket: _WebSocket,
        *,
        address: str,
        certificate: bytes,
        abort: Callable[[], None],
        close_timeout_s: float,
    ) -> None:
        self._websocket = websocket
        self._address = address
        self._certificate = certificate
        self._abort = abort
        self._close_timeout_s = close_timeout_s
        self._closing = False
        self._closed = asyncio.Event()

    @property
    def certificate(self) -> bytes:
        """The peer's certificate as TLS has verified it."""
        return self._certificate

    @property
    def address(self) -> str:
        """Dialled "name:port", or the source of an inbound connection."""
        return self._address

    async def send(self, frame: bytes) -> None:
        """Write a frame; wait while the socket is full.

        Raises:
            LinkClosed: the link is gone.
        """
        try:
            await self._websocket.send_bytes(frame)
        except (aiohttp.ClientError, OSError) as error:
            raise LinkClosed(_sentence(error)) from None

    async def receive(self) -> bytes:
        """Return the next frame.

        Raises:
            LinkClosed: the link is gone.
            WireError: larger than any frame may be, no WebSocket frame at all, or text.
        """
        try:
            message = await self._websocket.receive()
        except (aiohttp.ClientError, OSError) as ended:
            # It answers pings, also on a connection that has ended since the ping came.
            raise LinkClosed(_sentence(ended)) from None
        match message.type:
            case aiohttp.WSMsgType.BINARY:
                frame: bytes = message.data
                return frame
            case aiohttp.WSMsgType.TEXT:
                raise WireError(WireFault.NOT_BINARY, "unknown", "a text frame")
            case aiohttp.WSMsgType.CLOSE:
                raise LinkClosed(f"closed by the peer: {_printable(message.extra)}")
            case aiohttp.WSMsgType.ERROR if isinstance(message.data, aiohttp.WebSocketError):
                fault = (
                    WireFault.TOO_LARGE
                    if message.data.code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
                    else WireFault.NOT_WEBSOCKET
                )
                raise WireError(fault, "unknown", str(message.data))
            case _:
                error = self._websocket.exception()
                raise LinkClosed(_sentence(error) if error is not None else "connection lost")

    async def close(self, reason: str) -> None:
        """Send the reason, wait for the answer for a moment, and cut the connection."""
        if self._closing:
            return
        self._closing = True
        message = reason.encode("ascii", "replace")[:_CLOSE_MESSAGE_MAX]
        try:
            async with asyncio.timeout(self._close_timeout_s):
                await self._websocket.close(message=message)
        except TimeoutError:
            pass  # It does not read; the connection is cut below.
        finally:
            self._closed.set()
            self._abort()

    async def wait_closed(self) -> None:
        """Return once `close` has run."""
        await self._closed.wait()


# Private.


async def _accepted(listener: socket.socket) -> tuple[socket.socket, Any]:
    """Return the next connection and where it comes from.

    `loop.sock_accept` loses one that comes in the turn of the loop in which it is cancelled.
    """
    loop = asyncio.get_running_loop()
    while True:
        with contextlib.suppress(BlockingIOError):
            return listener.accept()
        ready: asyncio.Future[None] = loop.create_future()
        loop.add_reader(listener, _wake, ready)
        try:
            await ready
        finally:
            loop.remove_reader(listener)


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


async def _open_listener(host: str, port: int) -> socket.socket:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE, proto=socket.IPPROTO_TCP
    )
    family, _, _, _, address = found[0]
    listener = socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    listener.setblocking(False)
    return listener


def _make_socket(address: tuple[int, int, int, str, tuple[Any, ...]]) -> socket.socket:
    connection = socket.socket(address[0], address[1], address[2])
    _tune(connection)
    return connection


def _tune(connection: socket.socket) -> None:
    # Little is left unsent in the kernel, so that a vote overtakes batches that were queued
    # before it. Not every system has the option.
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if option is not None:
        connection.setsockopt(socket.IPPROTO_TCP, option, _UNSENT_BYTES)


def _cut(transport: asyncio.WriteTransport) -> None:
    # Python 3.11.2, which is Debian 12's, forgets the connection under a TLS transport that was
    # closed twice and then fails to abort it. Its own shutdown, which has a time limit, ends it.
    with contextlib.suppress(AttributeError):
        transport.abort()


def _address_of(transport: asyncio.BaseTransport | None) -> str:
    peer = None if transport is None else transport.get_extra_info("peername")
    return "gone" if peer is None else f"{peer[0]}:{peer[1]}"


def _peer_certificate(ssl_object: ssl.SSLObject | None) -> bytes:
    certificate = None if ssl_object is None else ssl_object.getpeercert(binary_form=True)
    # The contexts demand a certificate; should there ever be none, no bytes are nobody's.
    return certificate or b""


async def _refuse_redirect(
    session: aiohttp.ClientSession,
    context: object,
    params: aiohttp.TraceRequestRedirectParams,
) -> None:
    # Following it would let a peer make us call whom it likes.
    del session, context
    params.response.close()
    raise aiohttp.ClientConnectionError("it answered with a redirect")


def _sentence(error: BaseException) -> str:
    """What a failed connection means to an operator, as far as the library's error tells."""
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        if "expired" in text or "not yet valid" in text:
            return "its certificate is not in force today, or a clock is wrong"
        return "its certificate is not pinned here"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        # TLS 1.3: the server judges our certificate after our side of the handshake is done.
        return "it hung up during the handshake: our certificate may not be pinned there"
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return f"it answered HTTP {error.status}: no peer listens there"
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error.strerror or str(error.os_error)
    return text or type(error).__name__


def _printable(text: object) -> str:
    """A peer's words, made safe for a log and a terminal."""
    kept = str(text or "no reason given")[:_CLOSE_MESSAGE_MAX]
    return "".join(character if character.isprintable() else "?" for character in kept)


def _do_nothing() -> None:
    """aiohttp's client cuts its connection itself when a close is done or cancelled."""
