"""When the next height begins, and when its block is built: the cadence, as arithmetic on a time.

A height begins when transactions wait, when a validator speaks of it, or when the heartbeat is due
after the last block. Until then nothing is scheduled, so an idle chain stays in no round at all
(adversarial 37). The proposer builds at once when the chain was idle; under load it gathers, so
that blocks come at least `gather_ms` apart and fill. There are no other fixed waits.

A block costs every validator some ten milliseconds of processor however little it holds: frames,
wake-ups, syncs, signatures. So the more transactions come in a second, the longer it is gathered:
in proportion, from `EASY_RATE` on, up to `GATHER_FACTOR_MAX` times as long, and never for more than
`GATHERED_MAX` of them. It is the time from one block to the next that grows so, not one that is
waited on top of what agreement takes; and where as much waits as would come in that time, there is
nothing to wait for.

That is for machines with nothing to spare. Where there is, blocks are agreed on in a fraction of
that time, and what waits for them waits for nothing. So they come `AGREED_TIMES` as far apart as
agreement takes, as this node has seen of late, where that is less; but no closer than the share of
the time by the rate that the rate has in `FULL_RATE`. For small blocks are agreed on quickly where
little is to spare, too, and from that rate on what they cost is what transactions need.

Times are seconds of a monotonic clock.
"""

import math
from typing import Final

QUIET_S: Final = 0.2
"""After a start, and after a block that came from a peer's store, this node begins no height by
itself for so long: the next block is probably decided already and on its way."""
EASY_RATE: Final = 700.0
"""Transactions a second up to which blocks come as often as they may: what a block costs beside
them is little then, for they take half as much processor as four validators on two have."""
FULL_RATE: Final = 5_000.0
"""Transactions a second from which on no less is gathered for being agreed on quickly: with what
these take, four validators on two processors have little left."""
AGREED_TIMES: Final = 2.5
"""Blocks are so many times as far apart as agreement takes, at least: what it takes by the clock is
the more, the more else wants the processors, and then there is none to spare."""
AGREED_WEIGHT: Final = 1 / 8
"""Of the last block in what agreement takes: one that was held up says little."""
GATHER_FACTOR_MAX: Final = 8
GATHER_SHARE_MAX: Final = 0.4
"""Of the timeout of a proposal, which runs meanwhile, however long would be gathered."""
GATHERED_MAX: Final = 1_800
"""Transactions, or half of what a block can hold: among so many the cost of a block is lost, and to
apply more at once would keep votes waiting."""
RATE_FADES_S: Final = 1.0
"""What came in so long ago counts for a third in the rate."""
RESOLUTION_S: Final = 0.001
"""Less is now: a timer for the rest of a rounding error would fire at the same reading again."""


class Pace:
    """The cadence of one node."""

    def __init__(
        self,
        *,
        gather_ms: int,
        heartbeat_ms: int,
        timeout_ms: int,
        transactions_max: int,
        now_s: float,
        idle_ms: int = 0,
    ) -> None:
        """Begin to count.

        Args:
            timeout_ms: of a proposal in round 0.
            transactions_max: that a block can hold.
            idle_ms: how long ago the head was committed, as far as is known; at least 0.
        """
        self._gather_s = gather_ms / 1000
        self._busy_s = gathered_ms_max(gather_ms=gather_ms, timeout_ms=timeout_ms) / 1000
        self._gathered_max = min(GATHERED_MAX, transactions_max / 2)
        self._heartbeat_s = heartbeat_ms / 1000
        self._last_s = now_s - min(idle_ms / 1000, self._heartbeat_s)
        self._quiet_until_s = now_s + QUIET_S
        self._decided = False
        self._taken = 0.0
        self._taken_in_s = RATE_FADES_S
        self._at_hand_s: float | None = None
        self._agreed_s = 0.0

    def at_hand(self, now_s: float) -> None:
        """Note that there is a block to agree on: built here, or proposed by another.

        Of a height the first counts; what follows it is part of what agreement takes.
        """
        if self._at_hand_s is None:
            self._at_hand_s = now_s

    def committed(self, now_s: float, *, synced: bool, count: int) -> None:
        """Note that a block was committed: decided here, or taken from a peer's store.

        Args:
            count: transactions in it.
        """
        if not synced:
            # A sum over a sum, both fading: two blocks that come close together show no rush. What
            # a block holds came in since the one before, and has faded by now as that time has.
            elapsed_s = now_s - self._last_s
            kept = math.exp(-elapsed_s / RATE_FADES_S)
            counts_s = RATE_FADES_S * (1 - kept)
            self._taken = self._taken * kept + count * (counts_s / elapsed_s if elapsed_s else 1.0)
            self._taken_in_s = self._taken_in_s * kept + counts_s
            if self._at_hand_s is not None:
                took_s = now_s - self._at_hand_s
                self._agreed_s += (took_s - self._agreed_s) * AGREED_WEIGHT
        self._at_hand_s = None
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

    def build_delay_s(self, now_s: float, *, waiting: int) -> float:
        """Return after how many seconds a proposer in round 0 builds; 0 is at once.

        Args:
            waiting: transactions in the pool.
        """
        if not self._decided:
            return 0.0
        least_s = self._last_s + self._gather_s - now_s
        rate = self._taken / self._taken_in_s
        busy_s = self._interval_s(rate)
        if busy_s <= self._gather_s:
            return _rounded(least_s)
        lacking_s = busy_s - waiting / rate
        return _rounded(max(least_s, min(lacking_s, self._last_s + busy_s - now_s)))

    def _interval_s(self, rate: float) -> float:
        """Return how far apart blocks are to be at this rate; 0 is as often as they may."""
        if rate <= EASY_RATE:
            return 0.0
        by_rate_s = self._gather_s * rate / EASY_RATE
        most_s = min(self._busy_s, by_rate_s, self._gathered_max / rate)
        return min(most_s, max(most_s * rate / FULL_RATE, AGREED_TIMES * self._agreed_s))


def gathered_ms_max(*, gather_ms: int, timeout_ms: int) -> int:
    """Return how long a block is gathered at most, however many come in.

    Args:
        timeout_ms: of a proposal in round 0.
    """
    return int(min(GATHER_FACTOR_MAX * gather_ms, GATHER_SHARE_MAX * timeout_ms))


def _rounded(delay_s: float) -> float:
    return 0.0 if delay_s < RESOLUTION_S else delay_s
