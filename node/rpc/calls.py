"""The table of methods, as each kind of caller may use it; and what is told of each call."""

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from node.access import Scope
from node.log import Logger
from node.metrics import Metrics
from node.rpc.jsonrpc import Dispatcher, Method, methods_of
from node.rpc.limits import RpcLimits
from node.rpc.sockets import SocketSession

_Took: TypeAlias = Callable[[float], None]


class Calls:
    """What answers calls of this node, counts them, and logs our own failures."""

    def __init__(
        self,
        methods: Sequence[Method[Any]],
        *,
        limits: RpcLimits,
        metrics: Metrics,
        log: Logger,
    ) -> None:
        """Store what is given.

        Args:
            methods: those of `/rpc`; a socket has more.
        """
        self.methods = tuple(methods)
        self._limits = limits
        self._metrics = metrics
        self._log = log
        self._dispatchers: dict[frozenset[Scope], Dispatcher] = {}
        # Methods and codes are few, and looking up a label costs more than counting.
        self._observed: dict[tuple[str, str], tuple[Callable[[], None], _Took]] = {}

    def dispatcher_for(self, scopes: frozenset[Scope]) -> Dispatcher:
        """Return the table as callers with these scopes may use it: there are few kinds."""
        found = self._dispatchers.get(scopes)
        if found is None:
            found = self._dispatchers[scopes] = self._make_dispatcher(
                self.methods,
                scopes,
                elsewhere={"khz_subscribe": "/ws", "khz_unsubscribe": "/ws"},
            )
        return found

    def dispatcher_on(self, session: SocketSession, scopes: frozenset[Scope]) -> Dispatcher:
        """Return the same for one socket, with what only a socket answers."""
        return self._make_dispatcher((*self.methods, *methods_of(session)), scopes)

    def report(self, name: str, error: BaseException) -> str:
        """Log a failure of ours under a name; return its trace id."""
        trace_id = secrets.token_hex(8)
        self._log.error("request failed", method=name, trace_id=trace_id, exc_info=error)
        return trace_id

    def observe(self, name: str, result: str, seconds: float) -> None:
        """Count a request: its name, how it ended, and how many seconds it took."""
        found = self._observed.get((name, result))
        if found is None:
            metrics = self._metrics
            found = self._observed[name, result] = (
                metrics.rpc_requests.labels(method=name, result=result).inc,
                metrics.rpc_seconds.labels(method=name).observe,
            )
        count, took = found
        count()
        took(seconds)

    def _make_dispatcher(
        self,
        methods: Sequence[Method[Any]],
        scopes: frozenset[Scope],
        *,
        elsewhere: Mapping[str, str] | None = None,
    ) -> Dispatcher:
        return Dispatcher(
            methods,
            report=self.report,
            observe=self.observe,
            elsewhere=elsewhere,
            batch_max=self._limits.batch_max,
            scopes=scopes,
            # Of this loop, which is asked once: each time would be a call of the system.
            now_s=asyncio.get_running_loop().time,
            answer_bytes_max=self._limits.answer_max_bytes,
        )
