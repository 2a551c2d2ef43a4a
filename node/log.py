"""How the shells write their log: structlog, one logger an object, nothing configured globally.

The event comes first, then `key=value`; bytes are shown as lower-case hex. `json` gives one object
a line. The pure rooms do not log: what they return has a one-line `str()` that the shell logs.

Logging never fails: what cannot be written, as on a full disk, is dropped and counted, and told of
once there is room again. A node does not stop for its log, nor fail in saying why it stops.
"""

import logging
import math
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any, Final, Literal, TextIO, TypeAlias

import structlog
from structlog.typing import FilteringBoundLogger

Logger: TypeAlias = FilteringBoundLogger
"""What the shells take as an argument. Bind a part's own name: `log.bind(part="sync")`."""

_Event: TypeAlias = MutableMapping[str, Any]

_LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


def open_log(
    stream: TextIO,
    *,
    now_ms: Callable[[], int],
    level: Literal["debug", "info", "warning", "error"] = "info",
    form: Literal["console", "json"] = "console",
    **bound: object,
) -> Logger:
    """Return a logger that writes to this stream.

    Args:
        now_ms: where the time comes from; milliseconds since 1970-01-01 UTC.
        bound: what every line carries, such as the node's name.
    """

    def stamp(_logger: object, _method: str, event: _Event) -> _Event:
        moment = datetime.fromtimestamp(now_ms() / 1000, tz=UTC)
        event["timestamp"] = moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now_ms() % 1000:03d}Z"
        return event

    last: Any = (
        structlog.processors.JSONRenderer(sort_keys=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0, sort_keys=False)
    )
    logger = structlog.wrap_logger(
        _Lines(stream),
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        context_class=dict,
        cache_logger_on_first_use=True,
        processors=[
            structlog.processors.add_log_level,
            stamp,
            _hexadecimal,
            structlog.processors.format_exc_info,
            last,
        ],
    )
    bound_logger: Logger = logger.bind(**bound)
    return bound_logger


def silent_log() -> Logger:
    """Return a logger that writes nothing: for tests and offline commands."""
    logger: Logger = structlog.wrap_logger(
        structlog.ReturnLogger(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        processors=[],
    ).bind()
    return logger


class Sparing:
    """Lines that strangers can cause as often as they like: some at once, then one every while.

    What is left out is counted, and the next line that is written says it as `left_out`.
    """

    def __init__(self, log: Logger, *, at_once: int = 10, every_s: float = 6.0) -> None:
        self._log = log
        self._at_once = at_once
        self._every_s = every_s
        self._paid_until_s = -math.inf
        self._left_out = 0

    def info(self, now_s: float, event: str, **words: object) -> None:
        """Write a line, or count it.

        Args:
            now_s: seconds since an arbitrary start, which no clock that is set right moves.
        """
        self._write(self._log.info, now_s, event, words)

    def warning(self, now_s: float, event: str, **words: object) -> None:
        """Do the same with a warning."""
        self._write(self._log.warning, now_s, event, words)

    def _write(
        self,
        write: Callable[..., object],
        now_s: float,
        event: str,
        words: dict[str, object],
    ) -> None:
        paid_until_s = max(self._paid_until_s, now_s)
        if paid_until_s - now_s > self._every_s * (self._at_once - 1):
            self._left_out += 1
            return
        self._paid_until_s = paid_until_s + self._every_s
        if self._left_out:
            words["left_out"] = self._left_out
            self._left_out = 0
        write(event, **words)


class _Lines:
    """Where finished lines go: structlog calls the method that is named like the level."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lost = 0

    def msg(self, line: str) -> None:
        try:
            if self._lost:
                self._stream.write(f"{self._lost} lines of the log could not be written\n")
                self._stream.flush()
                self._lost = 0
            self._stream.write(line + "\n")
            self._stream.flush()
        except OSError:
            self._lost += 1

    debug = info = warning = error = critical = msg


def _hexadecimal(_logger: object, _method: str, event: _Event) -> _Event:
    for key, value in event.items():
        if isinstance(value, bytes):
            event[key] = value.hex()
    return event
