"""How much may wait here before clients are told to come back: two marks, a high one and a low one.

A network that can take what it is offered has its hiccups, and what has piled up is done soon
after: nobody is refused for it as long as it stays below the high mark. One that is offered more
than it can take stays at whichever mark there is, and whoever is let in waits as long as the mark
says. So once a client has been turned away the low mark holds, until none has been for a while.

A hiccup is not an overload, and blocks tell which it is. While a slow disk or a round whose
proposer is away holds them up, more piles up than the network is offered too much; where they come
as ever, what piles up is too much. So the high mark is no more than that takes, and rises by the
time for which a block is overdue. It keeps that as long as what piled up waits: from block to
block no more of it counts than is still there. A flood finds no block overdue, and those who come
with it wait little longer than those after them.

Nor has a flood to fill all that before it is known for one. What blocks can take comes in about as
fast as it leaves, however long they are held up; what comes in many times as fast, for longer than
a moment, cannot be taken, and is not let in to find that out. So the high mark is reached only with
time: twice as fast as blocks take, from what one left behind, and beyond that by as much as the low
mark is at most, for whoever brings much or was kept from bringing it. That is a bucket, which
blocks do not fill anew. It goes for a network that has shown what it can; of another nobody knows.

The low mark is for those who bring many times what can be taken: nearly all are turned away, and
the next block is always at hand. Where most are let in, it costs what blocks could have taken,
and a network that was crowded once would turn some away for as long as they come, with processors
idle. So it is the higher, the more of those who ask are let in.

What waits is counted twice over. The pool holds what everyone took, as far as this node has come to
look at it. What was taken *here* waits longer than the pool alone tells, because the others have to
look at it first: so it has a bound of its own, by how fast what was taken here becomes final. As
many as wait, divided by how many become final a second, is how long each waits.

What waits goes up and down with the blocks: each takes all there is, and until the next as much
comes in again. So it is what a block leaves behind that is held against a mark, and what may wait
grows from there as fast as blocks take it: for as long as one is gathered at most, where nobody is
turned away. The more a block holds, the higher it rises before the next, and nobody is told to come
back for that; and those who bring too much are let in evenly, not all at once after each block.

What leaves a second says what a network can do only while nobody is held back, and blocks are. A
low mark that went by it would fall with every block, wherever one is longer under way than the mark
is: the next is smaller, less leaves, less may wait. On a machine that others use as well, a network
that was crowded once was soon at the minimum, a quarter of what it had done, and stayed there
(2026-11-26, in virtual time). So the low mark goes by the most that has left a second since clients
were turned away first, and grows until the next block comes, however late. It is never above the
high mark by what leaves now: if a network can do less for good, nobody waits longer than before it
was crowded. And while nobody is turned away, what leaves counts as of the last block, if it is more
than since: a block that is overdue takes nothing from the mark that rises for it.
"""

from collections.abc import Callable
from typing import Final

from node.clock import Clock
from node.mempool import Mempool

WAIT_MS: Final = 1_500
"""The high mark: as much as is likely to leave the pool in this time."""
LATE_MS_MAX: Final = 1_500
"""So much more at most, as blocks were overdue: a round that goes by without its proposer, and the
large block that follows it."""
CROWDED_WAIT_MS: Final = 200
"""The low mark: what is at hand for the next block when one has come. Two thirds of the time that a
block is under way: the rest comes in meanwhile."""
EASED_WAIT_MS: Final = 500
"""So much more, as far as clients are let in: all of it where nearly nobody is turned away."""
SUDDEN_TIMES: Final = 2
"""So many times as fast as blocks take may come in for long, beyond what may at once."""
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
        self._late_ms = 0
        self._let_in = 0.0
        self._turned_away = 0.0
        self._pool = _Leaving(mempool.leaving_within)
        self._ours = _Leaving(mempool.ours_leaving_within)

    def waiting_max(self) -> int:
        """Return how much may wait in the pool now."""
        return self._allowed(self._pool, WAITING_MIN)

    def ours_max(self) -> int:
        """Return how much of what was taken here may wait now."""
        return self._allowed(self._ours, WAITING_MIN // self._doors())

    def let_in(self) -> None:
        """Take note that what a client brings is taken in."""
        self._let_in += 1

    def turned_away(self) -> None:
        """Take note that a client has been told to come back."""
        self._turned_away += 1
        self._calm_from_s = self._clock.monotonic() + CALM_AFTER_S

    def committed(self, *, taken: int, ours: int) -> None:
        """Take note that a block has taken what it could hold, and the pool has let go of it.

        Args:
            taken: how many it holds.
            ours: how many of them were taken from clients here.
        """
        left, ours_left = len(self._mempool), self._mempool.ours
        late_ms, gathered_ms = self._late_ms + self._overdue_ms(), self._gathering_ms()
        self._block_s = self._clock.monotonic()
        is_crowded = self._block_s < self._calm_from_s
        self._pool.note(left, taken=taken, gathered_ms=gathered_ms, is_crowded=is_crowded)
        self._ours.note(ours_left, taken=ours, gathered_ms=gathered_ms, is_crowded=is_crowded)
        left_ms = max(self._pool.time_for_ms(left), self._ours.time_for_ms(ours_left))
        self._late_ms = max(0, min(late_ms, LATE_MS_MAX, left_ms - CROWDED_WAIT_MS))
        # Of what was asked before each block half counts, as the next comes.
        self._let_in /= 2
        self._turned_away /= 2

    def _allowed(self, leaving: "_Leaving", least: int) -> int:
        gathering_ms = self._gathering_ms()
        high_ms = WAIT_MS + min(gathering_ms, self._gathered_ms_max)
        if self._clock.monotonic() >= self._calm_from_s:
            late_ms = min(self._late_ms + self._overdue_ms(), LATE_MS_MAX)
            high = leaving.at_best_within(high_ms + late_ms)
            if leaving.at_best_within(WAIT_MS) < least:
                return max(least, high)
            return max(int(CROWDED_SHARE * least), min(high, leaving.known_within(gathering_ms)))
        asked = self._let_in + self._turned_away
        share = self._let_in / asked if asked else 1.0
        low_ms = CROWDED_WAIT_MS + int(share * EASED_WAIT_MS) + min(gathering_ms, WAIT_MS)
        low = min(leaving.at_best_within(low_ms), leaving.within(high_ms))
        return max(1, int(CROWDED_SHARE * least), low)

    def _overdue_ms(self) -> int:
        """Return by how much the next block is late. While nothing waits none is due."""
        return max(0, self._gathering_ms() - self._gathered_ms_max)

    def _gathering_ms(self) -> int:
        """Return for how long something has waited for the next block."""
        waiting_since_s = self._mempool.waiting_since_s
        if waiting_since_s is None:
            return 0
        return int((self._clock.monotonic() - max(self._block_s, waiting_since_s)) * 1000)


class _Leaving:
    """How much is likely to leave: as things are, and as they were at best since a moment."""

    def __init__(self, within: Callable[[int], int]) -> None:
        self.within = within
        """Takes milliseconds."""
        self._best_per_s = 0
        self._left = 0
        """What the last block left behind."""
        self._sudden = 0
        """What came up to then beyond `SUDDEN_TIMES` what leaves."""

    def note(self, left: int, *, taken: int, gathered_ms: int, is_crowded: bool) -> None:
        """Take note that a block has taken what it could; the best counts while it is crowded.

        Args:
            left: what it left behind.
            taken: what it holds.
            gathered_ms: for how long something has waited for it.
        """
        per_s = self.within(1_000)
        self._best_per_s = max(self._best_per_s, per_s) if is_crowded else per_s
        came = left + taken - self._left
        usual = self.at_best_within(SUDDEN_TIMES * gathered_ms)
        self._sudden = max(0, self._sudden + came - usual) if left else 0
        self._left = left

    def known_within(self, ms: int) -> int:
        """Return how much may wait so long after the last block before it is known for a flood."""
        sudden = self.at_best_within(CROWDED_WAIT_MS + EASED_WAIT_MS) - self._sudden
        return self._left + max(0, sudden) + self.at_best_within(SUDDEN_TIMES * ms)

    def at_best_within(self, ms: int) -> int:
        """Return how much would leave in this time if it went as well as it did."""
        return max(self._best_per_s * ms // 1_000, self.within(ms))

    def time_for_ms(self, count: int) -> int:
        """Return in what time so many would leave if it went as well as it did."""
        return count * 1_000 // max(1, self._best_per_s)
