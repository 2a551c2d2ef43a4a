"""What a run says: one line an event, and a digest of all of them.

Columns: seconds of virtual time, machine (or `sim`, `client-N`), event, then `key=value` details.
Bytes are shown as the first eight hex digits.
"""

import hashlib
from collections import deque
from collections.abc import Callable
from typing import Final

KEPT_MAX: Final = 3_000
"""Lines that are kept for whoever asks after a failure."""


class Trace:
    """Takes lines; keeps the last ones, and the digest of all."""

    def __init__(self, now_s: Callable[[], float], show: Callable[[str], None] | None) -> None:
        """Begin empty.

        Args:
            show: is given each line at once.
        """
        self._now_s = now_s
        self._show = show
        self._digest = hashlib.sha256()
        self.lines: deque[str] = deque(maxlen=KEPT_MAX)
        self.count = 0

    def add(self, machine: str, event: str, /, **details: object) -> None:
        """Note an event of this moment."""
        shown = " ".join(f"{key}={_render(value)}" for key, value in details.items())
        line = f"{self._now_s():10.4f} {machine:<24} {event} {shown}".rstrip()
        self._digest.update(line.encode() + b"\n")
        self.lines.append(line)
        self.count += 1
        if self._show is not None:
            self._show(line)

    @property
    def digest(self) -> str:
        """The SHA-256 of all lines so far."""
        return self._digest.hexdigest()


def _render(value: object) -> str:
    if isinstance(value, bytes):
        return value[:4].hex()
    if isinstance(value, float):
        return f"{value:.4f}"
    text = str(value)
    return repr(text) if " " in text or not text else text
