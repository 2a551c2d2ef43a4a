"""A WebSocket whose messages can be taken in the turn of the loop in which they arrive.

aiohttp queues each message and wakes a task, which fetches it in a later turn: that costs as much
as answering a small call. Here a function is asked first; what it does not take is queued as ever.
Frames are still taken apart by aiohttp: masks, fragments, sizes and violations are its business.

This reaches below aiohttp's public door, at one place: `_post_start`, which is where it makes queue
and parser of a connection. `tests/rpc/test_inbox.py` says so where a release has changed that.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from aiohttp import WSMsgType, web
from aiohttp._websocket.reader import WebSocketDataQueue
from aiohttp.http import WebSocketReader, WebSocketWriter, WSMessage
from aiohttp.http_websocket import WSMessageTextBytes
from typing_extensions import override

QUEUED_BYTES: Final = 1 << 16
"""Of messages that wait; at twice as many the connection is not read."""
HEARD_SECONDS: Final = 1.0
"""That the other end is there is noted once in so long."""

Message: TypeAlias = WSMessage | WSMessageTextBytes
Take: TypeAlias = Callable[[Message], bool]


class Inbox(WebSocketDataQueue):
    """aiohttp's queue of messages, before which a function is asked."""

    def __init__(self, protocol: web.RequestHandler, *, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(protocol, QUEUED_BYTES, loop=loop)
        self.take: Take | None = None
        """Returns whether it has taken a message; None: nobody does."""
        self.fed = 0
        """How many messages were queued in all."""
        self.pending_bytes = 0
        """Of a message that is not here whole."""
        self.piece_bytes = 0
        """Of what was received last."""

    @override
    def feed_data(self, data: Message, size: int) -> None:
        # What the frame of a message of this size begins with: a client's has a mask.
        self.pending_bytes -= size + (6 if size < 126 else 8 if size < 1 << 16 else 14)
        if data.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            # It may have come in fragments, each with a head of its own; behind it is no more than
            # was received with its end.
            self.pending_bytes = min(self.pending_bytes, self.piece_bytes)
        if self.take is None or not self.take(data):
            self.fed += 1
            super().feed_data(data, size)


class _Parser:
    """aiohttp's parser of frames, and what is to be done after each piece of them."""

    def __init__(self, reader: WebSocketReader, inbox: Inbox) -> None:
        self._reader = reader
        self._inbox = inbox
        self.begin: Callable[[], None] | None = None
        self.end: Callable[[int], None] | None = None

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        inbox = self._inbox
        inbox.piece_bytes = len(data)
        inbox.pending_bytes += len(data)
        if self.begin is None or self.end is None:
            return self._reader.feed_data(data)
        self.begin()
        try:
            return self._reader.feed_data(data)
        finally:
            # Less than none where a client writes frames shorter than they are ever written.
            inbox.pending_bytes = max(0, inbox.pending_bytes)
            self.end(inbox.pending_bytes)

    def feed_eof(self) -> None:
        self._reader.feed_eof()


class CallSocket(web.WebSocketResponse):
    """A WebSocket of the interface. `take_by` once it is prepared."""

    _inbox: Inbox
    _frames: _Parser
    _heard_s: float = 0.0

    @property
    def queued(self) -> int:
        """How many messages were queued, in all, for `receive`."""
        return self._inbox.fed

    def take_by(self, take: Take, begin: Callable[[], None], end: Callable[[int], None]) -> None:
        """Have each message that comes taken by a function.

        Args:
            take: returns whether it has; if not, `receive` returns the message.
            begin: called before the messages of one piece of what was received.
            end: called after them, with how much there is of a message that is not here whole.
        """
        self._frames.begin, self._frames.end = begin, end
        self._inbox.take = take

    @override
    def _post_start(
        self, request: web.BaseRequest, protocol: str | None, writer: WebSocketWriter
    ) -> None:
        loop = asyncio.get_running_loop()
        self._ws_protocol, self._writer = protocol, writer
        self._reset_heartbeat()
        self._reader = self._inbox = Inbox(request.protocol, loop=loop)
        self._parser = WebSocketReader(
            self._inbox, self._max_msg_size, compress=False, decode_text=True
        )
        self._frames = _Parser(self._parser, self._inbox)
        parser: Any = self._frames
        request.protocol.set_parser(parser, data_received_cb=self._heard)
        request.protocol.keep_alive(False)

    def _heard(self) -> None:
        """Put off the next ping; a pong that is waited for is noted at once."""
        assert self._loop is not None
        now_s = self._loop.time()
        if now_s >= self._heard_s + HEARD_SECONDS or self._pong_response_cb is not None:
            self._heard_s = now_s
            self._on_data_received()
