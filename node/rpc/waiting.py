"""The interface of a node without a chain: it lives, is not ready, and says how far it is.

While a node joins by a snapshot there is nothing to ask it about. Whoever watches over it must
still be able to tell a node at work from a dead one, and clients to tell it from a wrong address.
"""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Final, TypeAlias

from aiohttp import web

from node.access import SCOPES_OF, Role, Scope
from node.log import Logger
from node.metrics import Metrics
from node.rpc.errors import JsonValue, NotReady
from node.rpc.http import (
    METRICS_TYPE,
    HttpRefusal,
    bytes_response,
    check_host,
    json_response,
    refusal_response,
    text_response,
)
from node.rpc.limits import RpcLimits
from node.rpc.listening import Connections, Listening, listen
from node.rpc.renewing import Renewable

RETRY_MS: Final = 1_000

Progress: TypeAlias = Callable[[], Mapping[str, JsonValue]]
"""How far it is, by stable names."""


class WaitingServer:
    """Answers while there is no chain. `start` for each address, `stop` once."""

    def __init__(
        self,
        progress: Progress,
        *,
        metrics: Metrics,
        log: Logger,
        limits: RpcLimits,
        hosts: Collection[str] = (),
    ) -> None:
        """Make a server that does not listen yet."""
        self._progress = progress
        self._metrics = metrics
        self._log = log.bind(part="rpc")
        self._limits = limits
        self._hosts = frozenset(name.lower() for name in hosts)
        self._connections = Connections(limits)
        self._listening: list[Listening] = []

    async def start(
        self,
        host: str,
        port: int,
        *,
        role: Role = Role.OPERATOR,
        tls: Renewable | None = None,
    ) -> int:
        """Listen at one address more; return the port.

        Raises:
            OSError: the address cannot be listened on.
        """
        listening = await listen(
            partial(self._answer, SCOPES_OF[role]),
            host,
            port,
            limits=self._limits,
            log=self._log,
            tls=tls,
            connections=self._connections,
        )
        self._listening.append(listening)
        return listening.port

    @property
    def port(self) -> int:
        """The port that was listened on first."""
        return self._listening[0].port

    async def stop(self) -> None:
        """Stop listening, so that the node's own interface can."""
        for listening in self._listening:
            await listening.end()
        self._listening.clear()

    async def _answer(
        self, scopes: frozenset[Scope], request: web.BaseRequest
    ) -> web.StreamResponse:
        try:
            check_host(request, self._hosts)
        except HttpRefusal as refusal:
            return refusal_response(refusal)
        match request.path:
            case "/livez":
                return text_response("ok\n")
            case "/metrics" if Scope.OPERATE in scopes:
                return bytes_response(self._metrics.render(), METRICS_TYPE)
            case "/health":
                return json_response({"live": True, "ready": False, "joining": self._progress()})
            case "/readyz":
                return text_response(f"{self._error().message}\n", status=503)
            case _:
                # The request is not read: whatever it asks, there is nothing to answer from.
                body = {"jsonrpc": "2.0", "id": None, "error": self._error().body()}
                headers = {"Retry-After": "1", "Connection": "close"}
                return json_response(body, status=503, headers=headers)

    def _error(self) -> NotReady:
        progress = self._progress()
        told = ", ".join(f"{name} {value}" for name, value in progress.items())
        return NotReady(
            f"this node is joining by a snapshot: {told}",
            {"retry_after_ms": RETRY_MS, "joining": dict(progress)},
        )
