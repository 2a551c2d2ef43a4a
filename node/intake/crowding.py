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
"""

from collections.abc import Callable
from typing import Final

from node.clock import Clock
from node.mempool import Mempool

WAIT_MS: Final = 1_000
"""The high mark: as much as is likely to leave the pool in this time."""
WAITING_MIN: Final = 2_000
"""The same at least, however little leaves: a network that was idle has not shown what it can."""
CROWDED_SHARE: Final = 0.5
"""Of the high mark is the low one."""
CALM_AFTER_S: Final = 5.0
"""So long after a client was turned away last the high mark holds again."""


class Crowding:
    """Whether clients are turned away."""

    def __init__(self, mempool: Mempool, clock: Clock, *, doors: Callable[[], int]) -> None:
        """Store what is given.

        Args:
            doors: how many nodes share what clients bring, if all are used alike.
        """
        self._mempool = mempool
        self._clock = clock
        self._doors = doors
        self._calm_from_s = 0.0

    def waiting_max(self) -> int:
        """Return how much may wait in the pool now."""
        return self._marked(max(WAITING_MIN, self._mempool.leaving_within(WAIT_MS)))

    def ours_max(self) -> int:
        """Return how much of what was taken here may wait now."""
        least = WAITING_MIN // self._doors()
        return self._marked(max(least, self._mempool.ours_leaving_within(WAIT_MS)))

    def turned_away(self) -> None:
        """Take note that a client has been told to come back."""
        self._calm_from_s = self._clock.monotonic() + CALM_AFTER_S

    def _marked(self, high: int) -> int:
        is_calm = self._clock.monotonic() >= self._calm_from_s
        return high if is_calm else int(CROWDED_SHARE * high)
