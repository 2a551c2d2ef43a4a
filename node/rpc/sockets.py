"""One WebSocket: calls as on `/rpc`, and subscriptions that resume from a cursor.

Limits: calls under way, subscriptions on the socket, bytes held for a reader that does not read,
whatever they answer: calls, subscriptions or pings, which are counted as calls.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Coroutine, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from aiohttp import WSCloseCode, WSMsgType

from node.metrics import Metrics
from node.rpc.bodies import Body, ending
from node.rpc.errors import InvalidParams, Limited, NotFound, Pruned
from node.rpc.frames import text_frame
from node.rpc.inbox import CallSocket, Message
from node.rpc.jsonrpc import TURN_BYTES, Begun, Dispatcher, method, methods_of
from node.rpc.limits import RpcLimits
from node.rpc.stream import PORTION_BYTES, Cursor, Feed, StreamFilter
from node.rpc.subscriptions import (
    Subscribed,
    SubscribeParams,
    Subscription,
    Unsubscribed,
    UnsubscribeParams,
)
from node.stages import Shared

AT_ONCE_MAX: Final = 16
"""Calls of one socket that are answered in one turn of the loop: half a millisecond."""

WRITE_LIMIT_NONE: Final = (1 << 31) - 1
"""Bytes after which asyncio and aiohttp would wait for room: never. No event loop that is written
in C takes more."""
ROOM_POLL_S: Final = 0.01
"""How often a full socket is looked at: with the default buffer, 25 MB/s to one reader."""

# Subscriptions made by the message being answered: they start after its answer was sent.
_MADE: ContextVar[list[Subscription]] = ContextVar("made")


@dataclass(frozen=True, slots=True, kw_only=True)
class Charges:
    """What a connection costs whoever opened it, and is counted against them."""

    calls: Callable[[int], None]
    """Takes so many calls, or raises `Limited`."""
    work: Shared
    """Takes the processor time of calls."""
    requests: Callable[[], Body]
    """Gives a large message its place while it comes."""
    answers: Callable[[], Body]
    """Gives a large answer its place until it is read."""


class SocketSession:
    """What one connection may ask that needs the connection, and the tasks that serve it."""

    def __init__(
        self,
        response: CallSocket,
        transport: asyncio.Transport,
        feed: Feed,
        limits: RpcLimits,
        *,
        charges: Charges,
        parse_account: Callable[[str], object],
        metrics: Metrics,
    ) -> None:
        """Set up what the connection may hold; `serve` comes next.

        Args:
            parse_account: raises where a text is no address of this network.
        """
        self._socket = response
        self._transport = transport
        self._feed = feed
        self._limits = limits
        self._charges = charges
        self._parse_account = parse_account
        self._metrics = metrics
        self._pending: Body | None = None
        """A large message that is not here whole."""
        self._pending_ends: asyncio.TimerHandle | None = None
        self._refusing = False
        """Whether the connection is being ended for a message that did not come whole."""
        # This file waits for room itself: see `_drained_to`.
        transport.set_write_buffer_limits(high=WRITE_LIMIT_NONE)
        link = transport.get_extra_info("socket")
        # The system would otherwise hold megabytes for a reader that does not read.
        link.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, limits.send_buffer_bytes)
        self._posted: list[bytes] = []
        """Frames of this turn of the loop that are to be written together."""
        self._subscriptions: dict[str, Subscription] = {}
        self._made = 0
        self._received = 0
        """Messages that were queued and are dealt with."""
        self._answered = 0
        self._rendered = 0
        """Calls that were answered in this turn of the loop, and bytes of their answers."""
        self._under_way = 0
        """Calls that wait for something."""
        self._one_ended = asyncio.Event()
        self.lagging = asyncio.Event()
        """Set once the other end has not read for too long."""
        self.ended = asyncio.Event()
        """Set once nothing of the connection is left."""

    @method("khz_subscribe", NotFound, Limited, socket_only=True)
    async def subscribe(self, params: SubscribeParams) -> Subscribed:
        """Be told of what is committed, from a cursor on, without a gap.

        Only on `/ws`. Notifications `khz_subscription` follow the answer. Whoever keeps the last
        cursor can resume on another connection, or at another node, and misses nothing.
        """
        if len(self._subscriptions) >= self._limits.subscriptions_max:
            raise Limited(
                f"this connection has {len(self._subscriptions)} subscriptions, the most it may;"
                " end one or open another connection",
                retry_after_ms=self._limits.heartbeat_ms,
            )
        wanted = StreamFilter(
            topics=frozenset(params.topics),
            accounts=None if params.accounts is None else self._addresses(params.accounts),
            assets=None if params.assets is None else frozenset(params.assets),
        )
        self._made += 1
        seen = self._start(params.from_)
        subscription = Subscription(str(self._made), wanted, seen, seen.height, seen.index + 1)
        self._subscriptions[subscription.id] = subscription
        _MADE.get().append(subscription)
        return Subscribed(subscription=subscription.id, cursor=str(subscription.seen))

    @method("khz_unsubscribe", NotFound, socket_only=True)
    async def unsubscribe(self, params: UnsubscribeParams) -> Unsubscribed:
        """End a subscription of this connection."""
        subscription = self._subscriptions.pop(params.subscription, None)
        if subscription is None:
            raise NotFound("there is no such subscription on this connection")
        if subscription.task is not None:
            subscription.task.cancel()
        return Unsubscribed(cursor=str(subscription.seen))

    def _addresses(self, texts: Sequence[str]) -> frozenset[str]:
        for text in texts:
            self._parse_account(text)
        return frozenset(text.lower() for text in texts)

    def _start(self, text: str) -> Cursor:
        if text == "now":
            return self._feed.end(self._feed.head)
        try:
            cursor = Cursor.parse(text)
        except ValueError as error:
            raise InvalidParams(f'from: {error}, or "now"') from None
        furthest = self._feed.head + self._limits.cursor_ahead_max
        if cursor.height > furthest:
            raise InvalidParams(
                f"from: height {cursor.height} is far ahead of this node's {self._feed.head}",
                {"height": self._feed.head},
            )
        if max(cursor.height, 1) <= self._feed.head:
            self._feed.block(max(cursor.height, 1))  # raises where the history is no longer kept
        return cursor

    async def serve(self, dispatcher: Dispatcher) -> None:
        """Answer calls until the connection ends; then end what it had under way.

        A call that finds everything idle is answered in the turn in which it arrives (`_take`). All
        others are queued, and answered here.
        """
        try:
            async with asyncio.TaskGroup() as group:
                self._socket.take_by(
                    partial(self._take, dispatcher, group),
                    self._begin_piece,
                    partial(self._end_piece, group),
                )
                async for message in self._socket:
                    if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                        await self._answer_queued(dispatcher, group, message.data)
                    elif message.type is WSMsgType.PING:
                        await self._pong(message.data)
                    elif message.type is not WSMsgType.PONG:
                        break
                    self._received += 1
                if not self.lagging.is_set():
                    raise _Ended
                # Otherwise a task is saying farewell, and ends the rest when it has.
        except* (_Ended, ConnectionError):
            pass
        finally:
            self.ended.set()
            self._have_pending(None)

    def _begin_piece(self) -> None:
        self._answered = self._rendered = 0
        self._charges.work.__enter__()

    def _end_piece(self, group: asyncio.TaskGroup, pending_bytes: int) -> None:
        self._flush()
        self._charges.work.__exit__()
        if pending_bytes > self._limits.body_small_bytes:
            self._hold_pending(group, pending_bytes)
        elif self._pending is not None:
            self._have_pending(None)

    def _hold_pending(self, group: asyncio.TaskGroup, size: int) -> None:
        """Count a message as it comes; end the socket where there is no room, or no more time."""
        if self._refusing or self.ended.is_set() or self.lagging.is_set():
            return

        def end(reason: str) -> None:
            self._refusing = True
            self._have_pending(None)
            self._transport.pause_reading()  # no more of it
            group.create_task(self._end(reason), name="rpc-socket-message")

        if self._pending is None:
            self._have_pending(self._charges.requests())
            self._pending_ends = asyncio.get_running_loop().call_later(
                self._limits.body_timeout_ms / 1000, end, "the message did not come in time"
            )
        assert self._pending is not None
        try:
            self._pending.come(
                size, partial(end, "the message came slowly, and others needed its room")
            )
        except Limited:
            end("too much is under way; try again")

    def _have_pending(self, body: Body | None) -> None:
        if self._pending is not None:
            self._pending.leave()
        if self._pending_ends is not None:
            self._pending_ends.cancel()
        self._pending, self._pending_ends = body, None

    async def _end(self, reason: str) -> None:
        await self._close(WSCloseCode.TRY_AGAIN_LATER, reason)
        raise _Ended

    def _take(self, dispatcher: Dispatcher, group: asyncio.TaskGroup, message: Message) -> bool:
        """Answer a message at once; return False, and do nothing, where it has to wait its turn."""
        if (
            message.type is not WSMsgType.TEXT
            or self._has_had_its_turn
            or self._received < self._socket.queued
            or self._under_way >= self._limits.socket_calls_max
            or self.ended.is_set()
            or self.lagging.is_set()
            or self._transport.get_write_buffer_size() > self._limits.send_buffer_bytes
        ):
            return False
        self._answered += 1
        begun = self._begin(dispatcher, message.data.encode())
        answer = self._answer_of(group, begun)
        if answer is not None:
            self._posted.append(text_frame(answer))
        return True

    def _answer_of(self, group: asyncio.TaskGroup, begun: Begun) -> bytes | None:
        """Return the answer that can be sent now; one that has to wait, for what was asked or to be
        read, is sent by a task of its own."""
        if begun is None:
            return None
        if not isinstance(begun, Coroutine):
            self._rendered += len(begun)
            if len(begun) <= self._limits.body_small_bytes:
                return begun
            begun = _given(begun)
        self._start_call(group, begun)
        return None

    @property
    def _has_had_its_turn(self) -> bool:
        return self._answered >= AT_ONCE_MAX or self._rendered >= TURN_BYTES

    async def _answer_queued(
        self, dispatcher: Dispatcher, group: asyncio.TaskGroup, data: str | bytes
    ) -> None:
        while self._under_way >= self._limits.socket_calls_max:
            self._one_ended.clear()
            await self._one_ended.wait()
        begun = self._begin(dispatcher, data.encode() if isinstance(data, str) else data)
        self._answered += 1
        answer = self._answer_of(group, begun)
        if answer is not None:
            await self._post(answer)
        if self._has_had_its_turn:
            # They may all be here already: nothing else has made this loop wait.
            self._answered = self._rendered = 0
            await asyncio.sleep(0)

    def _start_call(
        self, group: asyncio.TaskGroup, begun: Coroutine[Any, Any, bytes | None]
    ) -> None:
        self._under_way += 1
        task = group.create_task(
            self._charges.work.of(self._answer, begun, group), name="rpc-socket-call"
        )
        task.add_done_callback(self._end_call)

    def _end_call(self, _: asyncio.Task[None]) -> None:
        self._under_way -= 1
        self._one_ended.set()

    async def _pong(self, data: bytes) -> None:
        try:
            self._charges.calls(1)
        except Limited:
            await self._close(WSCloseCode.POLICY_VIOLATION, "more pings than calls are answered")
            raise _Ended from None
        await self._send(data, WSMsgType.PONG)

    def _begin(self, dispatcher: Dispatcher, body: bytes) -> Begun:
        try:
            return dispatcher.begin(body, charge=self._charges.calls)
        except Limited as error:
            return dispatcher.failure(None, error)

    async def _answer(
        self, begun: Coroutine[Any, Any, bytes | None], group: asyncio.TaskGroup
    ) -> None:
        made: list[Subscription] = []
        _MADE.set(made)
        answer = await begun
        if answer is not None:
            await self._give(answer)
        for subscription in made:
            if subscription.id in self._subscriptions:
                subscription.task = group.create_task(
                    self._metrics.stages.serve.of(self._follow, subscription),
                    name=f"rpc-subscription-{subscription.id}",
                )

    async def _give(self, answer: bytes) -> None:
        """Send an answer, a large one where there is room to hold it until it is read."""
        if len(answer) <= self._limits.body_small_bytes:
            await self._send(answer)
            return
        with self._charges.answers() as body:
            try:
                async with asyncio.timeout(None) as timeout:
                    body.come(len(answer), ending(timeout))
                    await self._send(answer)
            except (Limited, TimeoutError):
                await self._lag()

    async def _post(self, answer: bytes) -> None:
        """Send an answer, together with what else is answered in this turn of the loop."""
        if not self._posted:
            asyncio.get_running_loop().call_soon(self._flush)
        self._posted.append(text_frame(answer))
        if len(self._posted) >= AT_ONCE_MAX or len(answer) >= PORTION_BYTES:
            self._flush()
        # Also of what was written in earlier turns: it may ask one by one, and never read.
        if not await self._drained_to(self._limits.send_buffer_bytes):
            await self._lag()

    def _flush(self) -> None:
        if self._posted and not self.lagging.is_set() and not self._socket.closed:
            self._transport.write(b"".join(self._posted))
        self._posted.clear()

    async def _follow(self, subscription: Subscription) -> None:
        """Send what the subscription wants from its position on, for ever."""
        loop = asyncio.get_running_loop()
        heartbeat = self._limits.heartbeat_ms / 1000
        subscription.told_at = loop.time()
        if subscription.height == 0:
            subscription.height, subscription.index = 1, 0
        while True:
            while subscription.height <= self._feed.head:
                await self._send_block(subscription)
            # A filter that nothing passes must advance too, or its resume would replay for ever.
            if loop.time() >= subscription.told_at + heartbeat:
                subscription.told_at = loop.time()
                await self._send(subscription.notice("heartbeat", "cursor", subscription.seen))
                continue
            await self._follow_head(subscription, subscription.told_at + heartbeat)

    async def _follow_head(self, subscription: Subscription, until: float) -> None:
        """Have the subscription told of each block without a turn of its own, until then, or as
        long as it takes what it is sent.
        """
        behind = asyncio.get_running_loop().create_future()

        def tell() -> None:
            if not self._tell(subscription) and not behind.done():
                behind.set_result(None)

        self._feed.join(tell)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    await behind
        finally:
            self._feed.leave(tell)

    def _tell(self, subscription: Subscription) -> bool:
        """Send all up to the head that the subscription wants, in one write.

        Returns False, and sends nothing, where it has to be read from the store, or has no room.
        """
        self._flush()
        if self.lagging.is_set() or self._socket.closed:
            return True  # Others are ending what is left of the connection.
        frames: list[bytes] = []
        end, start = subscription.seen, subscription.index
        for height in range(subscription.height, self._feed.head + 1):
            block = self._feed.recent(height)
            if block is None:
                return False
            frames += [
                text_frame(subscription.items(portion))
                for portion in block.portions(subscription.wanted, start)
            ]
            end, start = block.end, 0
        data = b"".join(frames)
        room = self._limits.send_buffer_bytes - self._transport.get_write_buffer_size()
        if len(data) > room:
            return False
        if data:
            # Past aiohttp, which would write frame by frame: there is no mask and no compression.
            self._transport.write(data)
            subscription.told_at = asyncio.get_running_loop().time()
        subscription.pass_over(end)
        return True

    async def _send_block(self, subscription: Subscription) -> None:
        try:
            end, portions = await self._feed.read(
                subscription.height, subscription.wanted, subscription.index
            )
        except Pruned:
            # Read more slowly than this node prunes: subscribing again says so.
            await self._lag()
            raise AssertionError("a connection that lags ends") from None
        for portion in portions:
            subscription.seen = portion.end
            subscription.told_at = asyncio.get_running_loop().time()
            await self._send(subscription.items(portion))
            await asyncio.sleep(0)
        subscription.pass_over(end)
        # Consensus runs on this loop too: it has its turn between blocks.
        await asyncio.sleep(0)

    async def _send(self, message: bytes, kind: WSMsgType = WSMsgType.TEXT) -> None:
        if self.lagging.is_set():
            await self._never()
        self._flush()
        await self._socket.send_frame(message, kind)  # into the buffer, at once
        if not await self._drained_to(self._limits.send_buffer_bytes):
            await self._lag()

    async def _drained_to(self, size_bytes: int) -> bool:
        """Return whether the socket took all but this much, within the time for a stall.

        Looked at from time to time: aiohttp's own wait for room must not be cancelled, and a wait
        that may take for ever must be.
        """
        deadline = asyncio.get_running_loop().time() + self._limits.stall_ms / 1000
        while self._transport.get_write_buffer_size() > size_bytes:
            if asyncio.get_running_loop().time() >= deadline:
                return False
            await asyncio.sleep(ROOM_POLL_S)
        return True

    async def _lag(self) -> None:
        """Tell the subscriber where to resume, and close: it does not read."""
        if self.lagging.is_set():
            await self._never()
        self._flush()
        self.lagging.set()
        labels = {"method": "khz_subscription", "result": "lagged"}
        self._metrics.rpc_requests.labels(**labels).inc()
        resume = Cursor(height=0, index=0)
        for subscription in self._subscriptions.values():
            resume = subscription.seen
            notification = subscription.notice("lagged", "resume", resume)
            await self._socket.send_frame(notification, WSMsgType.TEXT)
        await self._close(WSCloseCode.TRY_AGAIN_LATER, f"lagged, resume {resume}")
        raise _Ended

    async def close(self) -> None:
        """Say that the node goes away, and close."""
        with contextlib.suppress(ConnectionError):
            await self._close(WSCloseCode.GOING_AWAY, "the node stops")

    async def turn_away(self, reason: str) -> None:
        """Say that whoever is there may no longer be, and close."""
        with contextlib.suppress(ConnectionError):
            await self._close(WSCloseCode.POLICY_VIOLATION, reason)

    async def _close(self, code: WSCloseCode, reason: str) -> None:
        self._flush()
        try:
            await self._socket.close(code=code, message=reason.encode())
            await self._drained_to(0)
        finally:
            # It had its time to read the farewell; the buffer is not kept for it any longer.
            self._transport.abort()

    async def _never(self) -> None:
        """Wait to be ended together with the connection, which another task is closing."""
        await asyncio.Event().wait()


SOCKET_METHODS: Final = methods_of(SocketSession)
"""What a socket answers besides the common methods: for the generated document."""


class _Ended(Exception):
    """The connection is over: leaves the task group, which ends its tasks."""


async def _given(answer: bytes) -> bytes:
    return answer
