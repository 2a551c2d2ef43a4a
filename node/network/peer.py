"""One connected peer: a task that sends by lane and a task that receives, checks and hands over.

The receiving side is where a stranger's bytes become messages: a budget of frames and bytes is
charged first (a peer beyond it is read more slowly, which TCP passes on to it), then the frame is
decoded under the limits of its kind, then the handler gets it and is awaited, so that a handler
that is busy slows this peer and nobody else.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from node.metrics import Metrics
from node.network.conduct import TokenBucket
from node.network.errors import LinkClosed
from node.network.lanes import LaneOverflow, Lanes
from node.network.messages import (
    GetBlocks,
    GetChunk,
    GetHandovers,
    GetProposedBlock,
    GetRecentIds,
    GetSnapshots,
    GetTransactions,
    Hello,
    Lane,
    ProposalMessage,
    Status,
    VoteMessage,
    WireLimits,
    WireMessage,
    decode_message,
    kind_of,
)
from node.network.roster import Member, Role
from node.network.settings import NetworkSettings
from node.network.transport import Link

Receive: TypeAlias = Callable[[str, WireMessage], Awaitable[None]]
"""(peer's name, message): what the handler does with a message."""

# A request for blocks makes us read and send up to a block: the budget allows 20 a second.
# A chunk of a snapshot is of bounded size: 40 a second.
_COSTS: Final[dict[type[WireMessage], float]] = {
    GetBlocks: 100.0,
    GetSnapshots: 10.0,
    GetHandovers: 100.0,
    GetChunk: 50.0,
    GetRecentIds: 100.0,
    GetProposedBlock: 10.0,
    GetTransactions: 10.0,
}

# After so many frames in a row the other tasks get their turn, even if more has arrived already.
_FRAMES_IN_A_ROW: Final = 32


class Counts:
    """What one member has sent and was sent, over all its links."""

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()
        self.received: Counter[str] = Counter()
        """Frames by kind."""
        self.throttled = 0
        """Frames that had to wait for the budget."""
        self.ignored = 0
        """Votes and proposals of an observer."""


class Traffic:
    """The metrics of all peers together, with their labels bound once."""

    def __init__(self, metrics: Metrics) -> None:
        self.sent = [metrics.bytes_sent.labels(lane=lane.name.lower()) for lane in Lane]
        self.dropped = [metrics.messages_dropped.labels(lane=lane.name.lower()) for lane in Lane]
        self.received = metrics.bytes_received
        self.stage = metrics.stages.gossip


class Misconduct(Exception):
    """A well-formed message at a moment when the protocol forbids it."""


class Peer:
    """A member with a live link, after both have said Hello."""

    def __init__(
        self,
        *,
        member: Member,
        link: Link,
        hello: Hello,
        dialled: bool,
        settings: NetworkSettings,
        limits: WireLimits,
        counts: Counts,
        traffic: Traffic,
        now_s: float,
    ) -> None:
        self.member = member
        self.link = link
        self.hello = hello
        self.dialled = dialled
        """Whether this side opened the link."""
        self.since_s = now_s
        """Event loop's time at which the link came about."""
        self.height = hello.height
        """The highest height the peer has told of."""
        self.earliest = hello.earliest
        """The first height that the peer can serve, by its latest word."""
        self.lanes = Lanes(settings)
        self._settings = settings
        self._limits = limits
        self._counts = counts
        self._traffic = traffic
        self._frames = TokenBucket(
            rate_per_s=settings.frames_per_s, burst=settings.frames_burst, now_s=now_s
        )
        self._bytes = TokenBucket(
            rate_per_s=settings.bytes_per_s, burst=settings.bytes_burst, now_s=now_s
        )
        self._wanted = asyncio.Event()
        self._dropped = asyncio.Event()
        self._drop_reason: str | None = None

    @property
    def name(self) -> str:
        """The member's name."""
        return self.member.name

    @property
    def dropped(self) -> bool:
        """Whether `drop` was called: nothing more is sent or handed over."""
        return self._drop_reason is not None

    def offer(self, lane: Lane, frame: bytes) -> bool:
        """Queue a frame; return whether it will be sent if the link lives. Never waits."""
        if self.dropped:
            return False
        dropped_before = self.lanes.dropped[lane]
        try:
            queued = self.lanes.put(lane, frame)
        except LaneOverflow:
            self.drop("it does not take its consensus messages")
            queued = False
        if dropped := self.lanes.dropped[lane] - dropped_before:
            self._traffic.dropped[lane].inc(dropped)
        self._wanted.set()
        return queued

    def drop(self, reason: str) -> None:
        """End the link; `run` returns soon and raises `LinkClosed` with the first reason given."""
        if self._drop_reason is None:
            self._drop_reason = reason
            self._dropped.set()

    async def run(self, receive: Receive) -> None:
        """Send and receive until the link ends; never returns otherwise.

        Raises:
            LinkClosed: the link ended, or `drop` was called.
            WireError: the peer sent what is no message.
            Misconduct: the peer broke the protocol with a well-formed message.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                stage = self._traffic.stage
                tasks.create_task(stage.of(self._send), name=f"send-{self.name}")
                tasks.create_task(self._watch(), name=f"watch-{self.name}")
                # In the body, not in a third task: only there does a task group keep the count of
                # its parent's cancellations right when a child fails (before Python 3.13).
                await stage.of(self._receive, receive)
        except BaseExceptionGroup as group:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                # A task group forgets a cancellation that meets a failure (before Python 3.13), and
                # the task that serves this link would live on.
                raise asyncio.CancelledError from None
            # The first to fail cancels the others; what ends the link is what failed.
            raise group.exceptions[0] from None

    # Private.

    async def _watch(self) -> None:
        await self._dropped.wait()
        raise LinkClosed(self._drop_reason or "")

    async def _send(self) -> None:
        while True:
            taken = self.lanes.take()
            if taken is None:
                self._wanted.clear()
                await self._wanted.wait()
                continue
            lane, frame = taken
            try:
                async with asyncio.timeout(self._settings.send_timeout_s):
                    await self.link.send(frame)
            except TimeoutError:
                raise LinkClosed(
                    f"it read nothing for {self._settings.send_timeout_s:.0f} s"
                ) from None
            kind = kind_of(frame)
            assert kind is not None
            self._counts.sent[kind.__name__] += 1
            self._traffic.sent[lane].inc(len(frame))

    async def _receive(self, receive: Receive) -> None:
        loop = asyncio.get_running_loop()
        in_a_row = 0
        while True:
            frame = await self.link.receive()
            await self._charge(frame, loop.time())
            message = decode_message(frame, self._limits)
            self._counts.received[type(message).__name__] += 1
            self._traffic.received.inc(len(frame))
            if isinstance(message, Hello):
                raise Misconduct("a second Hello")
            if not self._may_send(message):
                self._counts.ignored += 1
                continue
            if isinstance(message, Status):
                self.height = max(self.height, message.height)
                self.earliest = message.earliest
            if self.dropped:
                return
            await receive(self.name, message)
            in_a_row += 1
            if in_a_row >= _FRAMES_IN_A_ROW:
                in_a_row = 0
                await asyncio.sleep(0)

    async def _charge(self, frame: bytes, now_s: float) -> None:
        kind = kind_of(frame)
        cost = 1.0 if kind is None else _COSTS.get(kind, 1.0)
        wait_s = max(self._frames.take(cost, now_s), self._bytes.take(len(frame), now_s))
        if wait_s > 0:
            self._counts.throttled += 1
            await asyncio.sleep(wait_s)

    def _may_send(self, message: WireMessage) -> bool:
        # Not an offence: an observer that the ledger has just made a validator may know of it one
        # block before we do.
        return self.member.role is Role.VALIDATOR or not isinstance(
            message, ProposalMessage | VoteMessage
        )
