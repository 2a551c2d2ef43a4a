"""Listening for clients: aiohttp's server with limits on connections, and a log that stays ours."""

import asyncio
import logging
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

from aiohttp import web
from typing_extensions import override

from node.log import Logger
from node.rpc.limits import RpcLimits, caller

LINGER_SECONDS: Final = 1.0
"""For how long the rest of a refused body is thrown away before the connection is closed."""
STOP_SECONDS: Final = 2.0

Answer: TypeAlias = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


async def listen(
    answer: Answer,
    host: str,
    port: int,
    *,
    limits: RpcLimits,
    log: Logger,
    ssl_context: ssl.SSLContext | None = None,
) -> web.ServerRunner:
    """Listen, and answer every request by this; port 0 asks the system for a free one.

    Raises:
        OSError: the address cannot be listened on.
    """
    server = _Listener(
        answer,
        limits=limits,
        keepalive_timeout=limits.idle_timeout_ms / 1000,
        lingering_time=LINGER_SECONDS,
        auto_decompress=False,
        access_log=None,
        logger=_quiet_logger(log),
    )
    runner = web.ServerRunner(server, shutdown_timeout=STOP_SECONDS)
    await runner.setup()
    await web.TCPSite(runner, host, port, ssl_context=ssl_context).start()
    return runner


class _Listener(web.Server):
    """aiohttp's server, which itself has no limit on connections."""

    def __init__(self, handler: Answer, *, limits: RpcLimits, **settings: Any) -> None:
        super().__init__(handler, **settings)
        self._limits = limits
        self._of_address: Counter[str] = Counter()

    @override
    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        address = _peer_of(handler)
        self._of_address[address] += 1
        if (
            len(self._connections) > self._limits.connections_max
            or self._of_address[address] > self._limits.connections_per_address_max
        ):
            transport.abort()

    @override
    def connection_lost(
        self, handler: web.RequestHandler, exc: BaseException | None = None
    ) -> None:
        address = _peer_of(handler)
        self._of_address[address] -= 1
        if self._of_address[address] <= 0:
            del self._of_address[address]
        super().connection_lost(handler, exc)


def _peer_of(handler: web.RequestHandler) -> str:
    peer = handler.peername
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
