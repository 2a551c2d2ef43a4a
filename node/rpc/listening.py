"""Listening for clients: aiohttp's server with limits on connections, and a log that stays ours."""

import asyncio
import asyncio.sslproto
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, TypeAlias

from aiohttp import web
from typing_extensions import override

from node.log import Logger
from node.rpc.doorstep import LINGER_SECONDS, Doorstep, Refuse
from node.rpc.limits import RpcLimits, caller
from node.rpc.renewing import Renewable
from node.rpc.tls import SHAKING, Handshake, ListenerTls, refusal_of

READ_BYTES: Final = 1 << 15
"""Of a body that nobody reads yet; at twice as much its connection is not read."""
READ_AT_ONCE_BYTES: Final = 1 << 16
"""Of one connection in one turn of the loop: asyncio would read four times as much, and each
connection holds what came first until its request has its turn. This is an attribute of asyncio's
transports that none of its pages names; one without it would read as it always did."""
WRITE_BYTES: Final = 1 << 16
"""Of answers that the other side has not taken: with more, a request waits until it has. This is
asyncio's own figure for connections without TLS; for those with it, it has eight times as much."""
STOP_SECONDS: Final = 2.0
HANDSHAKE_SECONDS: Final = 5.0
"""In which TLS must be agreed on: against those that connect and say nothing."""

TurnAway: TypeAlias = Callable[[str, str], None]
"""Told of whoever gets no further than the handshake: the address, and why in a word."""

Answer: TypeAlias = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


async def listen(
    answer: Answer,
    host: str,
    port: int,
    *,
    limits: RpcLimits,
    log: Logger,
    tls: Renewable | None = None,
    connections: "Connections | None" = None,
    refuse: Refuse | None = None,
    turned_away: TurnAway | None = None,
) -> "Listening":
    """Listen, and answer every request by this; port 0 asks the system for a free one.

    Args:
        connections: counts those of several listeners together.
        refuse: asked for each list of transactions that can be refused before it is read.
        turned_away: told of each handshake of TLS that fails.

    Raises:
        OSError: the address cannot be listened on.
    """
    counted = connections or Connections(limits)
    server = _Listener(
        answer,
        connections=counted,
        counts=tls is None,
        refuse=refuse,
        keepalive_timeout=limits.idle_timeout_ms / 1000,
        lingering_time=LINGER_SECONDS,
        auto_decompress=False,
        read_bufsize=READ_BYTES,
        access_log=None,
        logger=_quiet_logger(log),
    )
    runner = web.ServerRunner(server, shutdown_timeout=STOP_SECONDS)
    await runner.setup()
    assert runner.server is not None
    shaking: set[asyncio.Task[None]] = set()
    make: Callable[[], asyncio.BaseProtocol] = runner.server
    if tls is not None:
        # Each connection has a buffer of this size before its first byte: by asyncio's own figure,
        # 256 KiB, 512 MiB for those that may be open. `start_tls` has no word for it. A record of
        # TLS has 16 KiB (RFC 8446, 5.1). Holds for the whole process, connections of peers too.
        asyncio.sslproto.SSLProtocol.max_size = READ_AT_ONCE_BYTES
        make = partial(_Doorway, server, counted, tls, shaking, turned_away or _tell_nobody)
    try:
        listening = await asyncio.get_running_loop().create_server(make, host, port)
    except OSError:
        await runner.cleanup()
        raise
    if tls is not None:
        tls.listeners.append(partial(_part_with, runner.server))
    return Listening(runner, listening, shaking)


class Listening:
    """An address that is listened on."""

    def __init__(
        self,
        runner: web.ServerRunner,
        listening: asyncio.Server,
        shaking: set[asyncio.Task[None]],
    ) -> None:
        self._runner = runner
        self._listening = listening
        self._shaking = shaking
        self.port: Final = int(listening.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Take no new connection."""
        self._listening.close()

    async def end(self) -> None:
        """Close, with the connections that are left."""
        self.close()
        for task in self._shaking:
            task.cancel()
        await asyncio.gather(*self._shaking, return_exceptions=True)
        await self._runner.cleanup()


class Connections:
    """How many connections are open, in all and of each address."""

    def __init__(self, limits: RpcLimits) -> None:
        self._limits = limits
        self._of_address: Counter[str] = Counter()
        self._open = 0

    def open(self, address: str) -> bool:
        """Count one more; return whether it may stay."""
        self._of_address[address] += 1
        self._open += 1
        return (
            self._open <= self._limits.connections_max
            and self._of_address[address] <= self._limits.connections_per_address_max
        )

    def close(self, address: str) -> None:
        """Count one less."""
        self._open -= 1
        self._of_address[address] -= 1
        if self._of_address[address] <= 0:
            del self._of_address[address]


class _Listener(web.Server):
    """aiohttp's server, which itself has no limit on connections."""

    def __init__(
        self,
        handler: Answer,
        *,
        connections: Connections,
        counts: bool,
        refuse: Refuse | None,
        **settings: Any,
    ) -> None:
        """Serve.

        Args:
            counts: whether a connection is new when it comes here, and to be counted.
            refuse: refuses lists before they are read; None: nobody does.
        """
        super().__init__(handler, **settings)
        self._counted = connections
        self._counts = counts
        self._refuse = refuse
        self._settings = settings
        self.addresses: Final[dict[web.RequestHandler, str]] = {}
        """From where each connection comes. When it ends it is not asked: one with TLS that was
        reset does not know it any more."""

    @override
    def __call__(self) -> web.RequestHandler:
        if self._refuse is None:
            return super().__call__()
        loop = asyncio.get_running_loop()
        return Doorstep(self._refuse, self, loop=loop, **self._settings)

    @override
    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        reading: Any = transport
        reading.max_size = READ_AT_ONCE_BYTES
        address = self.addresses.setdefault(handler, _peer_of(handler.peername))
        if self._counts and not self._counted.open(address):
            transport.abort()

    @override
    def connection_lost(
        self, handler: web.RequestHandler, exc: BaseException | None = None
    ) -> None:
        self._counted.close(self.addresses.pop(handler))
        super().connection_lost(handler, exc)


class _Doorway(asyncio.Protocol):
    """A connection until TLS is agreed on, counted from when it is accepted.

    asyncio's own server tells nobody of it before: whoever connects and says nothing could hold
    any number of them.
    """

    def __init__(
        self,
        server: _Listener,
        counted: Connections,
        tls: Renewable,
        shaking: set[asyncio.Task[None]],
        turned_away: TurnAway,
    ) -> None:
        self._server = server
        self._turned_away = turned_away
        self._counted = counted
        self._tls = tls
        self._shaking = shaking
        self._address = ""
        self._received = bytearray()
        self._lost = False

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._address = _peer_of(transport.get_extra_info("peername"))
        if not self._counted.open(self._address):
            transport.abort()
            return
        transport.pause_reading()  # what comes is for TLS
        task = asyncio.get_running_loop().create_task(self._shake(transport), name="rpc-handshake")
        self._shaking.add(task)
        task.add_done_callback(self._shaking.discard)

    async def _shake(self, transport: asyncio.Transport) -> None:
        handshake = Handshake()
        SHAKING.set(handshake)  # of this task alone, and of what it begins
        begun = self._tls.now
        try:
            encrypted = await asyncio.get_running_loop().start_tls(
                transport,
                self,
                begun.context,
                server_side=True,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
            )
        except OSError as error:
            self._turned_away(self._address, refusal_of(handshake.refused or error))
            self._lose()  # asyncio tells nobody of one that is lost in the handshake
            _leave_frames(error)
            _leave_frames(handshake.refused)
            return
        except BaseException:
            transport.abort()
            self._lose()
            raise
        if encrypted is None or encrypted.is_closing() or self._lost:
            self._lose()
            return
        now = self._tls.now  # may have been renewed meanwhile, when this was in no list yet
        if not _may_stay(encrypted, begun, now):
            is_same = begun.authority == now.authority
            self._turned_away(self._address, "revoked" if is_same else "untrusted")
            encrypted.abort()
            return
        encrypted.set_write_buffer_limits(high=WRITE_BYTES)
        handler = self._server()
        self._server.addresses[handler] = self._address
        encrypted.set_protocol(handler)
        handler.connection_made(encrypted)
        if self._received:  # together with the end of the handshake
            handler.data_received(bytes(self._received))

    @override
    def data_received(self, data: bytes) -> None:
        self._received += data

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._lose()

    def _lose(self) -> None:
        if not self._lost:
            self._lost = True
            self._counted.close(self._address)


def _leave_frames(error: BaseException | None) -> None:
    """Let go of where an error went through: those frames have what has the error.

    Only the collector would find that, which looks seldom, and each handshake has 256 KiB.
    """
    while error is not None and error.__traceback__ is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


def _part_with(server: web.Server, former: ListenerTls, now: ListenerTls) -> None:
    """End the connections of those who would not be let in any more."""
    for handler in server.connections:
        transport = handler.transport
        if transport is not None and not _may_stay(transport, former, now):
            transport.abort()


def _may_stay(transport: asyncio.BaseTransport, former: ListenerTls, now: ListenerTls) -> bool:
    """Say whether whoever shook hands by the former would be let in now.

    With another authority nobody would: whoever is good there shakes hands again.
    """
    shaken = transport.get_extra_info("ssl_object")
    if former is now or shaken is None:
        return True
    certificate = shaken.getpeercert(binary_form=True)
    return former.authority == now.authority and (
        certificate is None or now.is_welcome(certificate)
    )


def _tell_nobody(_address: str, _reason: str) -> None:
    """Where nobody counts handshakes."""


def _peer_of(peer: object) -> str:
    return caller(peer[0] if isinstance(peer, tuple) else None)


def _quiet_logger(log: Logger) -> logging.Logger:
    """Return aiohttp's own log as debug lines: what strangers send must not fill ours."""
    logger = logging.Logger("khazana.rpc.http")
    logger.addHandler(_Forward(log))
    return logger


class _Forward(logging.Handler):
    def __init__(self, log: Logger) -> None:
        super().__init__()
        self._log = log

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self._log.debug("http", said=record.getMessage())
