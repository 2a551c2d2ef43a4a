"""How far the other validators' clocks are from this node's, by the times in their proposals.

A proposal carries its proposer's clock and arrives later than that: what is found is the offset
less the way. The least delayed of the last few is therefore the best, and it is the largest. How
far that moves in an hour is the drift. Nothing is decided by either: they are for the operator.
"""

from collections import deque
from collections.abc import Container
from dataclasses import dataclass
from typing import Final

READINGS_KEPT: Final = 8
"""Of each proposer; with four validators the last half minute of an idle chain, and more."""
DRIFT_WINDOW_S: Final = 3_600.0
DRIFT_AFTER_S: Final = 600.0
"""Less than this says nothing: some milliseconds of the way would be taken for a drift."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """What is known of one validator's clock."""

    ahead_ms: int
    """Of this node's clock; below 0: behind it."""
    drift_ms_per_hour: float | None
    """How much further ahead it is an hour later; None: not watched for long enough."""


class _Watched:
    def __init__(self) -> None:
        self.readings: deque[int] = deque(maxlen=READINGS_KEPT)
        self.first: tuple[float, int] | None = None
        """When the drift began to be watched, and the offset then."""
        self.drift_ms_per_hour: float | None = None


class Skew:
    """Readings of the validators' clocks; as many as there are validators."""

    def __init__(self) -> None:
        self._watched: dict[str, _Watched] = {}

    def heard(self, proposer: str, *, time_ms: int, now_ms: int, now_s: float) -> int:
        """Take the time of a proposal that has just come; return how far its clock is ahead.

        Args:
            now_ms: this node's clock.
            now_s: seconds since an arbitrary start, which no clock that is set right moves.
        """
        watched = self._watched.setdefault(proposer, _Watched())
        watched.readings.append(time_ms - now_ms)
        ahead_ms = max(watched.readings)
        if watched.first is None:
            if len(watched.readings) == READINGS_KEPT:
                watched.first = now_s, ahead_ms
            return ahead_ms
        since_s, first_ms = watched.first
        elapsed_s = now_s - since_s
        if elapsed_s >= DRIFT_AFTER_S:
            watched.drift_ms_per_hour = (ahead_ms - first_ms) * 3_600 / elapsed_s
        if elapsed_s >= DRIFT_WINDOW_S:
            # A clock that was set right long ago does not drift for ever.
            watched.first = now_s, ahead_ms
        return ahead_ms

    def keep(self, names: Container[str]) -> None:
        """Forget all but these: nobody else proposes."""
        self._watched = {name: each for name, each in self._watched.items() if name in names}

    def offsets(self) -> dict[str, Offset]:
        """Return what is known, by name."""
        return {
            name: Offset(
                ahead_ms=max(watched.readings), drift_ms_per_hour=watched.drift_ms_per_hour
            )
            for name, watched in sorted(self._watched.items())
        }
