"""The one door to time: wall-clock milliseconds and a monotonic count of seconds, as an argument.

Durations are awaited through the event loop (`asyncio.timeout`, `loop.call_later`), which a
simulation replaces whole.
"""

import time
from typing import Protocol


class Clock(Protocol):
    """Where a room reads the time from."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC, as this machine believes."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary start; never goes back."""
        ...

    def cpu_s(self) -> float:
        """Seconds of processor time that the calling thread has used; 0 where time is simulated."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()

    def cpu_s(self) -> float:
        return time.thread_time()


class TravellingClock:
    """A clock that can be set ahead, and never back: how the dates of a development network pass.

    Only the wall clock travels; durations are those of the clock behind it, so no timeout ends by
    it.
    """

    def __init__(self, clock: Clock, *, travelled_ms: int = 0) -> None:
        assert travelled_ms >= 0
        self._clock = clock
        self._travelled_ms = travelled_ms

    @property
    def travelled_ms(self) -> int:
        """How far it is ahead of the clock behind it."""
        return self._travelled_ms

    def now_ms(self) -> int:
        return self._clock.now_ms() + self._travelled_ms

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def cpu_s(self) -> float:
        return self._clock.cpu_s()

    def travel(self, travelled_ms: int) -> None:
        """Be this far ahead; not less than before."""
        assert travelled_ms >= self._travelled_ms
        self._travelled_ms = travelled_ms


class ManualClock:
    """A clock that moves when it is told to: for tests and simulation."""

    def __init__(self, now_ms: int = 1_600_000_000_000) -> None:
        self._now_ms = now_ms
        self._elapsed_ms = 0

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic(self) -> float:
        return self._elapsed_ms / 1000

    def cpu_s(self) -> float:
        return 0.0

    def advance(self, ms: int) -> None:
        """Let this many milliseconds pass; at least 0."""
        assert ms >= 0
        self._now_ms += ms
        self._elapsed_ms += ms
