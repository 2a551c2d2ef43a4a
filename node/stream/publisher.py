"""Keeps a stream of NATS at the head of the chain, off the way of consensus.

There is one position, and it is in the stream: its last message. A course of messages begins
there, is read from the blocks in memory or from the store, and ends by whatever goes wrong; then
the stream is asked again. Nothing is kept here that could be lost, and a block never waits for it.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from node.log import Logger
from node.metrics import Metrics
from node.rpc.errors import Pruned
from node.rpc.stream import Cursor, Feed, StreamBlock
from node.stream.answers import Answer, Full, Passed, Refused, Stored
from node.stream.course import Course
from node.stream.errors import (
    StreamFailure,
    StreamForeign,
    StreamFull,
    StreamGap,
    StreamRefused,
    StreamUnreachable,
)
from node.stream.link import ANSWER_S, Link
from node.stream.messages import Message, Naming, Standing, following

SENT_AT_ONCE: Final = 32
"""Messages made and sent in one turn of the loop: some two milliseconds."""
SENDING_REST: Final = 1.0
"""Publishing may take half of the loop's time."""
RETRY_S: Final = 1.0
"""First pause after a failure; doubled each time."""
RETRY_S_MAX: Final = 60.0


class Publisher:
    """Publishes one node's chain to one stream. `run` once; `close` after it has ended."""

    def __init__(
        self,
        link: Link,
        feed: Feed,
        *,
        block_id: Callable[[int], bytes | None],
        earliest: Callable[[], int],
        tells_gaps: bool,
        metrics: Metrics,
        log: Logger,
        retry_s_max: float = RETRY_S_MAX,
    ) -> None:
        """Make one that publishes nothing yet.

        Args:
            block_id: of a committed height; None: this node does not know it any more.
            earliest: the first height whose block is kept.
            tells_gaps: where blocks that the stream has not seen are no longer kept, say so in the
                stream and go on; False: publish nothing until another node has published them.
            retry_s_max: the longest pause after a failure.
        """
        self._link = link
        self._naming = link.naming
        self._feed = feed
        self._block_id = block_id
        self._earliest = earliest
        self._tells_gaps = tells_gaps
        self._metrics = metrics
        self._log = log.bind(part="stream")
        self._retry_s_max = retry_s_max
        self._courses = 0
        self._course: Course | None = None
        self._silent_since = 0.0
        """When the server last answered, or was sent something while it had nothing to answer."""
        self._woken = asyncio.Event()
        self._moved = asyncio.Condition()
        self.standing: Standing | None = None
        """Where the stream stood when this node last knew; None: it never has."""
        self.failure: str | None = None
        """Why nothing is published; None: it is."""
        metrics.stream_lag_blocks.set_function(lambda: max(0, feed.head - self.height))

    @property
    def place(self) -> str:
        """Where the stream is."""
        return self._link.place

    @property
    def height(self) -> int:
        """Of the last message that is known to be in the stream."""
        standing = self.standing
        return 0 if standing is None or standing.cursor is None else standing.cursor.height

    async def run(self) -> None:
        """Publish until cancelled. What fails is logged and kept in `failure`; nothing raises."""
        pause_s = first_s = min(RETRY_S, self._retry_s_max)
        self._feed.join(self._woken.set)
        try:
            while True:
                began = self._sequence
                is_passed = await self._once()
                has_moved = self._sequence != began
                if has_moved:
                    pause_s = first_s
                if is_passed and has_moved:
                    continue
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, self._retry_s_max)
        finally:
            self._feed.leave(self._woken.set)

    @property
    def naming(self) -> Naming:
        """How its messages are named."""
        return self._naming

    async def reached(self, cursor: Cursor) -> None:
        """Wait until the stream is known to have this message, or one after it."""
        async with self._moved:
            await self._moved.wait_for(lambda: self._has(cursor))

    def _has(self, cursor: Cursor) -> bool:
        standing = self.standing
        return standing is not None and standing.cursor is not None and standing.cursor >= cursor

    async def close(self) -> None:
        """Let go of the server."""
        await self._link.close()

    # Private.

    async def _once(self) -> bool:
        """Publish as long as it goes; return whether it was somebody else who ended it."""
        try:
            await self._publish()
        except _PassedBy:
            return True
        except StreamFull as error:
            await self._failed(error)  # The connection is well.
        except StreamFailure as error:
            await self._failed(error)
            await self._link.close()
        except Exception as error:
            self._log.error("stream failed", place=self.place, exc_info=error)
            await self._failed(error)
            await self._link.close()
        finally:
            self._course = None
        return False

    async def _publish(self) -> None:
        """Publish from where the stream stands, for ever.

        Raises:
            StreamFailure: it does not go on.
            _PassedBy: somebody else has published.
        """
        if not self._link.is_open:
            await self._link.open(self._answered, self._woken.set)
            self._log.info("stream connected", place=self.place)
        standing = await self._link.locate(create=True)
        await self._stands(standing)
        self._courses += 1
        course = self._course = Course(standing)
        height, start = following(standing.cursor)
        is_ours = False
        while True:
            if height < self._earliest():
                await self._tell_gap(course, height)
                height, start = self._earliest(), 0
            while height <= self._feed.head:
                if not is_ours:
                    self._compare(standing)
                    is_ours = True
                block = await self._run_of(height)
                if block is None:
                    break  # It has just been pruned.
                await self._send_block(course, block, start)
                height, start = height + 1, 0
            else:
                self.failure = None
                await self._wait(course)

    async def _run_of(self, height: int) -> StreamBlock | None:
        try:
            return await self._feed.run(height)
        except Pruned:
            return None

    async def _send_block(self, course: Course, block: StreamBlock, start: int) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for count, message in enumerate(self._naming.messages(block, start), start=1):
            await self._send(course, message)
            if count % SENT_AT_ONCE == 0:
                await asyncio.sleep(SENDING_REST * (loop.time() - began))
                began = loop.time()
        await asyncio.sleep(SENDING_REST * (loop.time() - began))

    async def _send(self, course: Course, message: Message) -> None:
        while not course.has_room(len(message.body)):
            await self._wait(course)
        _judge(course)
        if not course.in_flight:
            self._silent_since = asyncio.get_running_loop().time()
        after = course.sent
        sequence = course.send(message.cursor, len(message.body))
        await self._link.publish(message, course=self._courses, sequence=sequence, after=after)

    async def _tell_gap(self, course: Course, height: int) -> None:
        """Say in the stream that blocks from this height on are missing, if that is wanted."""
        earliest = self._earliest()
        if not self._tells_gaps:
            raise StreamGap(
                f"the stream needs block {height} next, and this node keeps none before {earliest}:"
                " let a node that has them publish, or say stream.gaps = true, and the stream tells"
                " its readers what it lacks"
            )
        self._log.warning("gap in the stream", from_height=height, to_height=earliest - 1)
        self._metrics.stream_gaps.inc()
        await self._send(course, self._naming.gap(course.cursor, earliest))

    def _compare(self, standing: Standing) -> None:
        """Refuse a stream of another chain with the same genesis."""
        if standing.cursor is None or not standing.block_id:
            return
        ours = self._block_id(standing.cursor.height)
        if ours is not None and ours.hex() != standing.block_id:
            raise StreamForeign(
                f"block {standing.cursor.height} is {standing.block_id} in the stream and"
                f" {ours.hex()} on the chain"
            )

    async def _wait(self, course: Course) -> None:
        """Wait for a block, an answer, or the end of the connection."""
        _judge(course)
        try:
            until = self._silent_since + ANSWER_S if course.in_flight else None
            async with asyncio.timeout_at(until):
                await self._woken.wait()
        except TimeoutError:
            # A user who may not publish is told so, and not in an answer.
            said = f": {self._link.said}" if self._link.said else ""
            raise StreamUnreachable(
                f"{self.place} has answered nothing for {ANSWER_S:.0f} s{said}"
            ) from None
        self._woken.clear()
        if course.cursor is not None and course.sequence != self._sequence:
            self.failure = None
            await self._stands(Standing(sequence=course.sequence, cursor=course.cursor))
        _judge(course)
        if not self._link.is_open:
            raise StreamUnreachable(f"{self.place}: the connection was cut")

    def _answered(self, course: int, sequence: int, answer: Answer) -> None:
        if self._course is None or course != self._courses:
            return
        self._silent_since = asyncio.get_running_loop().time()
        self._course.answer(sequence, answer)
        if isinstance(answer, Stored):
            result = "duplicate" if answer.duplicate else "stored"
            self._metrics.stream_messages.labels(result).inc()
        self._woken.set()

    @property
    def _sequence(self) -> int:
        return 0 if self.standing is None else self.standing.sequence

    async def _stands(self, standing: Standing) -> None:
        async with self._moved:
            self.standing = standing
            self._metrics.stream_height.set(self.height)
            self._moved.notify_all()

    async def _failed(self, error: Exception) -> None:
        self._metrics.stream_failures.inc()
        self.failure = str(error) or type(error).__name__
        self._log.warning("stream cannot go on", place=self.place, error=self.failure)


class _PassedBy(Exception):
    """The stream does not stand where it was believed to."""


def _judge(course: Course) -> None:
    """Raise what has ended a course."""
    match course.end:
        case None:
            return
        case Passed():
            raise _PassedBy
        case Full(reason):
            raise StreamFull(f"the server has no room for more messages: {reason}")
        case Refused(reason):
            raise StreamRefused(f"the server refuses a message: {reason}")
