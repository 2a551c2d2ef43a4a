"""`GET /ws`: the sockets that are open, and who may open another."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection
from functools import partial
from typing import Final

from aiohttp import web

from node.access import LOOK_AGAIN_S, Keyring, Scope
from node.metrics import Metrics
from node.rpc.budget import Budget
from node.rpc.callers import Caller
from node.rpc.calls import Calls
from node.rpc.errors import Limited
from node.rpc.http import SECURITY_HEADERS, check_origin
from node.rpc.inbox import CallSocket
from node.rpc.limits import caller
from node.rpc.listening import STOP_SECONDS
from node.rpc.sockets import WRITE_LIMIT_NONE, Charges, SocketSession
from node.rpc.stream import Feed
from node.stages import Shared

SOCKET_PING_SECONDS: Final = 30.0
"""A socket whose other end is gone is found out within one and a half of these."""


class Subscribers:
    """The sessions of one node, each on its socket."""

    def __init__(
        self,
        feed: Feed,
        calls: Calls,
        *,
        budget: Budget,
        keyring: Keyring,
        origins: Collection[str],
        parse_account: Callable[[str], object],
        metrics: Metrics,
    ) -> None:
        """Store what is given; no socket is open.

        Args:
            origins: of pages on other hosts that may open one.
            parse_account: raises where a text is no address of this network.
        """
        self._feed = feed
        self._calls = calls
        self._budget = budget
        self._keyring = keyring
        self._origins = origins
        self._parse_account = parse_account
        self._metrics = metrics
        self._sessions: set[SocketSession] = set()
        self._by_address: Counter[str] = Counter()

    async def answer(self, request: web.BaseRequest, asking: Caller) -> web.StreamResponse:
        """Open a socket and serve it until it ends.

        Raises:
            ConnectionResetError: whoever asked is gone.
            HttpRefusal, RpcError: no socket is opened.
        """
        # Where a socket comes from bounds how many there are, whatever key it shows.
        address = caller(request.remote)
        check_origin(request, self._origins)
        asking.needs(Scope.READ)
        self._budget.allowances.take_calls(asking)
        self._check_room(address)
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("gone before it was answered")
        socket = CallSocket(
            timeout=STOP_SECONDS,
            autoping=False,  # answered by the session, which waits for room
            heartbeat=SOCKET_PING_SECONDS,
            compress=False,
            max_msg_size=self._budget.limits.body_max_bytes,
            writer_limit=WRITE_LIMIT_NONE,
        )
        socket.headers.update(SECURITY_HEADERS)
        await socket.prepare(request)
        session = SocketSession(
            socket,
            transport,
            self._feed,
            self._budget.limits,
            charges=self._charges(address, asking),
            parse_account=self._parse_account,
            metrics=self._metrics,
        )
        self._sessions.add(session)
        self._by_address[address] += 1
        self._metrics.subscribers.set(len(self._sessions))
        try:
            await self._serve(session, asking)
        except* Exception as errors:
            # The socket is open: there is no other answer than to end it.
            self._calls.report(request.path, errors)
        finally:
            self._sessions.discard(session)
            self._by_address[address] -= 1
            self._by_address += Counter()  # forget the addresses that have none
            self._metrics.subscribers.set(len(self._sessions))
        return socket

    async def close(self) -> None:
        """Tell all sockets that the node goes away, and close them."""
        async with asyncio.TaskGroup() as group:
            for session in tuple(self._sessions):
                group.create_task(session.close(), name="rpc-socket-close")

    def _check_room(self, address: str) -> None:
        limits = self._budget.limits
        if (
            len(self._sessions) >= limits.subscribers_max
            or self._by_address[address] >= limits.subscribers_per_address_max
        ):
            raise Limited(
                "this node has as many subscribers as it can serve; try another node",
                retry_after_ms=limits.heartbeat_ms,
            )

    def _charges(self, address: str, asking: Caller) -> Charges:
        allowances, held = self._budget.allowances, self._budget.held
        return Charges(
            calls=partial(allowances.take_calls, asking),
            work=Shared(self._metrics.stages.serve, partial(allowances.owe, asking)),
            requests=partial(held.requests.of, asking.name),
            answers=partial(held.answers.of, address),
        )

    async def _serve(self, session: SocketSession, asking: Caller) -> None:
        async with asyncio.TaskGroup() as group:
            leaving = (
                None
                if asking.key is None
                else group.create_task(
                    self._end_when_unwelcome(session, asking), name="rpc-socket-key"
                )
            )
            await session.serve(self._calls.dispatcher_on(session, asking.scopes))
            if leaving is not None:
                leaving.cancel()

    async def _end_when_unwelcome(self, session: SocketSession, asking: Caller) -> None:
        """End a socket once the key that opened it is revoked or expires."""
        while True:
            await asyncio.sleep(LOOK_AGAIN_S)
            if not asking.is_good(self._keyring):
                break
        await session.turn_away("the API key is no longer good")
