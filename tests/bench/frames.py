"""WebSocket frames as far as cheap clients need them: a node's taken apart, its pings answered.

A client library takes three times as much for a message, on processors that the node needs.
"""

import asyncio
from collections.abc import Iterator
from typing import Final

HANDSHAKE: Final = (
    b"GET /ws HTTP/1.1\r\nHost: %b\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
PING: Final = 9
PONG: Final = 10
TEXT: Final = 1

_LENGTH_16: Final = 126
_LENGTH_64: Final = 127
_MASK_OF_ZEROS: Final = bytes(4)
"""A client has to mask; a mask of zeros leaves the text as it is."""


def masked(payload: bytes, opcode: int = TEXT) -> bytes:
    """Return a whole frame of a client."""
    size = len(payload)
    if size < _LENGTH_16:
        head = bytes((0x80 | opcode, 0x80 | size))
    else:
        head = bytes((0x80 | opcode, 0x80 | _LENGTH_16)) + size.to_bytes(2)
    return head + _MASK_OF_ZEROS + payload


class Frames:
    """Takes the frames of a node apart."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._buffer = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield opcode and payload of each frame that is whole now; pings are answered."""
        buffer = self._buffer + data if self._buffer else data
        start = 0
        while len(buffer) - start >= 2:
            size, begin = buffer[start + 1], start + 2
            if size >= _LENGTH_16:
                width = 2 if size < _LENGTH_64 else 8
                if len(buffer) < begin + width:
                    break
                size, begin = int.from_bytes(buffer[begin : begin + width]), begin + width
            if len(buffer) < begin + size:
                break
            opcode, payload = buffer[start] & 15, buffer[begin : begin + size]
            start = begin + size
            if opcode == PING:
                self._transport.write(masked(payload, PONG))
            else:
                yield opcode, payload
        self._buffer = buffer[start:]
