"""When the next height begins, and when its block is built: the cadence, as arithmetic on a time.

A height begins when transactions wait, when a validator speaks of it, or when the heartbeat is due
after the last block. Until then nothing is scheduled, so an idle chain stays in no round at all
(adversarial 37). The proposer builds at once when the chain was idle; under load it gathers, so
that blocks come at least `gather_ms` apart and fill. There are no other fixed waits.

Times are seconds of a monotonic clock.
"""

from typing import Final

QUIET_S: Final = 0.2
"""After a start, and after a block that came from a peer's store, this node begins no height by
itself for so long: the next block is probably decided already and on its way."""
RESOLUTION_S: Final = 0.001
"""Less is now: a timer for the rest of a rounding error would fire at the same reading again."""


class Pace:
    """The cadence of one node."""

    def __init__(
        self, *, gather_ms: int, heartbeat_ms: int, now_s: float, idle_ms: int = 0
    ) -> None:
        """Begin to count.

        Args:
            idle_ms: how long ago the head was committed, as far as is known; at least 0.
        """
        self._gather_s = gather_ms / 1000
        self._heartbeat_s = heartbeat_ms / 1000
        self._last_s = now_s - min(idle_ms / 1000, self._heartbeat_s)
        self._quiet_until_s = now_s + QUIET_S
        self._decided = False

    def committed(self, now_s: float, *, synced: bool) -> None:
        """Note that a block was committed: decided here, or taken from a peer's store."""
        self._last_s = now_s
        self._decided = not synced
        if synced:
            self._quiet_until_s = now_s + QUIET_S

    def beat(self, now_s: float) -> None:
        """Let the heartbeat be due now, whenever the last block was."""
        self._last_s = min(self._last_s, now_s - self._heartbeat_s)

    def start_delay_s(self, now_s: float, *, waiting: bool, called: bool) -> float:
        """Return after how many seconds the next height begins, as things stand; 0 is now.

        Args:
            waiting: transactions wait in the pool.
            called: a validator has spoken of the height, or the log holds some of it.
        """
        if called:
            return 0.0
        quiet_s = self._quiet_until_s - now_s
        if waiting:
            return _rounded(quiet_s)
        return _rounded(max(quiet_s, self._last_s + self._heartbeat_s - now_s))

    def build_delay_s(self, now_s: float) -> float:
        """Return after how many seconds a proposer in round 0 builds; 0 is at once."""
        if not self._decided:
            return 0.0
        return _rounded(self._last_s + self._gather_s - now_s)


def _rounded(delay_s: float) -> float:
    return 0.0 if delay_s < RESOLUTION_S else delay_s
