"""How much may wait here before clients are told to come back: two marks, a high one and a low one.

A network that can take what it is offered has its hiccups: a slow disk, a round whose proposer is
away. What has piled up is done soon after, and nobody is refused for it: that is the high mark. One
that is offered more than it can take stays at whichever mark there is, and whoever is let in waits
as long as the mark says. So once a client has been turned away the low mark holds, until none has
been for a while.

What waits is counted twice over. The pool holds what everyone took, as far as this node has come to
look at it. What was taken *here* waits longer than the pool alone tells, because the others have to
look at it first: so it has a bound of its own, by how fast what was taken here becomes final. As
many as wait, divided by how many become final a second, is how long each waits.

What waits goes up and down with the blocks: each takes all there is, and until the next as much
comes in again. So it is what a block leaves behind that is held against a mark, and what may wait
grows from there as fast as blocks take it: for as long as one is gathered at most, where nobody is
turned away. The more a block holds, the higher it rises before the next, and nobody is told to come
back for that; and those who bring too much are let in evenly, not all at once after each block.

What leaves a second says what a network can do only while nobody is held back. A low mark that went
by it would fall with every block, wherever one is longer under way than the mark is: the next is
smaller, less leaves, less may wait. On a machine that others use as well, a network that was
crowded once was soon at the minimum, a quarter of what it had done, and stayed there (2026-11-26,
in virtual time). So the low mark goes by the most that has left a second since clients were turned
away first, and grows until the next block comes, however late. It is never above the high mark,
which goes by what leaves now: if a network can do less for good, nobody waits longer than before it
was crowded.
"""

from collections.abc import Callable
from typing import Final

from node.clock import Clock
from node.mempool import Mempool

WAIT_MS: Final = 2_500
"""The high mark: as much as is likely to leave the pool in this time. What comes in while a round
goes by without its proposer, and is taken late, stays below it."""
CROWDED_WAIT_MS: Final = 300
"""The low mark: the time that one block is under way, so that the next is always at hand."""
WAITING_MIN: Final = 4_000
"""Of either mark at least, however little leaves: a network that was idle has not shown what it
can."""
CROWDED_SHARE: Final = 0.25
"""Of that minimum counts for the low mark."""
CALM_AFTER_S: Final = 5.0
"""So long after a client was turned away last the high mark holds again."""


class Crowding:
    """Whether clients are turned away."""

    def __init__(
        self,
        mempool: Mempool,
        clock: Clock,
        *,
        doors: Callable[[], int],
        gathered_ms_max: int,
    ) -> None:
        """Store what is given.

        Args:
            doors: how many nodes share what clients bring, if all are used alike.
            gathered_ms_max: how long a block is gathered at most.
        """
        self._mempool = mempool
        self._clock = clock
        self._doors = doors
        self._gathered_ms_max = gathered_ms_max
        self._calm_from_s = 0.0
        self._block_s = clock.monotonic()
        self._pool = _Leaving(mempool.leaving_within)
        self._ours = _Leaving(mempool.ours_leaving_within)

    def waiting_max(self) -> int:
        """Return how much may wait in the pool now."""
        return self._allowed(self._pool, WAITING_MIN)

    def ours_max(self) -> int:
        """Return how much of what was taken here may wait now."""
        return self._allowed(self._ours, WAITING_MIN // self._doors())

    def turned_away(self) -> None:
        """Take note that a client has been told to come back."""
        self._calm_from_s = self._clock.monotonic() + CALM_AFTER_S

    def committed(self) -> None:
        """Take note that a block has taken what it could hold."""
        self._block_s = self._clock.monotonic()
        is_crowded = self._block_s < self._calm_from_s
        self._pool.note(is_crowded=is_crowded)
        self._ours.note(is_crowded=is_crowded)

    def _allowed(self, leaving: "_Leaving", least: int) -> int:
        now_s = self._clock.monotonic()
        since_block_ms = int((now_s - self._block_s) * 1000)
        high = leaving.within(WAIT_MS + min(since_block_ms, self._gathered_ms_max))
        if now_s >= self._calm_from_s:
            return max(least, high)
        low = leaving.at_best_within(CROWDED_WAIT_MS + min(since_block_ms, WAIT_MS))
        return max(1, int(CROWDED_SHARE * least), min(low, high))


class _Leaving:
    """How much is likely to leave: as things are, and as they were at best since a moment."""

    def __init__(self, within: Callable[[int], int]) -> None:
        self.within = within
        """Takes milliseconds."""
        self._best_per_s = 0

    def note(self, *, is_crowded: bool) -> None:
        """Take note that a block has taken what it could; the best counts while it is crowded."""
        per_s = self.within(1_000)
        self._best_per_s = max(self._best_per_s, per_s) if is_crowded else per_s

    def at_best_within(self, ms: int) -> int:
        """Return how much would leave in this time if it went as well as it did."""
        return max(self._best_per_s * ms // 1_000, self.within(ms))
