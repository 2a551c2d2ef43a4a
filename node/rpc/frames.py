"""What a server writes on a WebSocket: whole messages of text, in one frame each (RFC 6455, 5.2).

No mask, for it is a server's, and no compression.
"""

from typing import Final

_WHOLE_TEXT: Final = 0x81
_LENGTH_16: Final = 126  # the length follows in 2 bytes
_LENGTH_64: Final = 127  # in 8


def text_frame(text: bytes) -> bytes:
    """Return the frame of a server that holds this whole message."""
    size = len(text)
    if size < _LENGTH_16:
        return bytes((_WHOLE_TEXT, size)) + text
    if size < 1 << 16:
        return bytes((_WHOLE_TEXT, _LENGTH_16)) + size.to_bytes(2) + text
    return bytes((_WHOLE_TEXT, _LENGTH_64)) + size.to_bytes(8) + text
