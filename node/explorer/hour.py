"""The last hour of the chain, as this node committed it: what the charts and the rates are made of.

Kept in memory from the commits alone, some work for each block and each validator, never read back
from the store: a node that has just started knows nothing of the hour before. Minutes are those of
block time, so that blocks that were caught up with count where they belong.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from consensus.types import Height, Round
from consensus.validators import ValidatorSet
from node.chain import Committed
from node.clock import Clock
from node.explorer.limits import (
    FINALITY_FRESH_MS,
    MINUTES_MAX,
    RECENT_BLOCKS_MAX,
    ROUNDS_COUNTED_MAX,
)
from node.ledger.outcomes import Outcome

MINUTE_MS: Final = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentBlock:
    """A block as it was committed here."""

    height: int
    block_id: bytes
    time_ms: int
    proposer: str
    round: int
    transactions: int
    refused: int
    finality_ms: int | None
    """From the proposer's clock to this node's, when it was committed; None: it was caught up
    with."""


@dataclass(slots=True)
class Minute:
    """A minute of block time."""

    minute: int
    """Since 1970-01-01 UTC."""
    blocks: int = 0
    transactions: int = 0
    refused: int = 0
    finality_ms: int = 0
    """The sum over the blocks that were timed."""
    timed: int = 0
    missed: Counter[str] = field(default_factory=Counter)
    """Proposals that came to nothing, by proposer."""
    signed: Counter[str] = field(default_factory=Counter)
    """Certificates that carry a validator's precommit."""
    seats: int = 0
    """The sum of the validators over the blocks: so many precommits there could have been."""

    @property
    def mean_finality_ms(self) -> int | None:
        """Rounded down; None where no block was timed."""
        return self.finality_ms // self.timed if self.timed else None

    @property
    def votes_share(self) -> int | None:
        """How many per cent of all precommits the certificates carry; None without a block."""
        return self.signed.total() * 100 // self.seats if self.seats else None


class Hour:
    """What was committed lately. `note` is a listener of the chain."""

    def __init__(self, clock: Clock, validators_at: Callable[[int], ValidatorSet]) -> None:
        """Make an empty hour.

        Args:
            validators_at: those who decided a height.
        """
        self._clock = clock
        self._validators_at = validators_at
        self._minutes: OrderedDict[int, Minute] = OrderedDict()
        self._recent: deque[RecentBlock] = deque()
        self._heights: dict[bytes, int] = {}
        self._last_signed: dict[str, int] = {}
        self._last_proposed: dict[str, int] = {}
        self._seats: int | None = None
        """How many validators decide the next block; not looked up again for each."""

    def note(self, committed: Committed) -> None:
        """Remember a block, and forget what is older than an hour."""
        header = committed.candidate.header
        age_ms = self._clock.now_ms() - header.time_ms
        finality_ms = max(0, age_ms) if age_ms <= FINALITY_FRESH_MS else None
        refused = sum(
            count
            for (_, outcome), count in committed.candidate.counts.items()
            if outcome is not Outcome.APPLIED
        )
        self._remember(
            RecentBlock(
                height=header.height,
                block_id=committed.candidate.block_id,
                time_ms=header.time_ms,
                proposer=header.proposer,
                round=header.round,
                transactions=header.transaction_count,
                refused=refused,
                finality_ms=finality_ms,
            )
        )
        minute = self._minute(header.time_ms // MINUTE_MS)
        minute.blocks += 1
        minute.transactions += header.transaction_count
        minute.refused += refused
        if finality_ms is not None:
            minute.finality_ms += finality_ms
            minute.timed += 1
        if header.round:
            validators = self._validators_at(header.height)
            for round in range(min(header.round, ROUNDS_COUNTED_MAX)):
                missed = validators.proposer(Height(header.height), Round(round))
                minute.missed[missed.id] += 1
        if self._seats is None:
            self._seats = len(self._validators_at(header.height))
        minute.seats += self._seats
        names = [validator for validator, _ in committed.certificate.signatures]
        minute.signed.update(names)
        self._last_signed.update(dict.fromkeys(names, header.height))
        self._last_proposed[header.proposer] = header.height
        if committed.validators_changed:
            self._forget_others(header.height + 1)

    def _forget_others(self, height: int) -> None:
        """Keep of the validators only those who decide this height."""
        names = {validator.id for validator in self._validators_at(height)}
        self._seats = len(names)
        for heights in (self._last_signed, self._last_proposed):
            for name in heights.keys() - names:
                del heights[name]

    def _remember(self, block: RecentBlock) -> None:
        self._recent.append(block)
        self._heights[block.block_id] = block.height
        if len(self._recent) > RECENT_BLOCKS_MAX:
            del self._heights[self._recent.popleft().block_id]

    def _minute(self, number: int) -> Minute:
        minute = self._minutes.get(number)
        if minute is None:
            minute = self._minutes[number] = Minute(number)
            while len(self._minutes) > MINUTES_MAX:
                self._minutes.popitem(last=False)
        return minute

    # What is asked of it.

    def minutes(self, now_ms: int) -> Sequence[Minute]:
        """Return the hour that ends with this block time, a minute each, the oldest first."""
        last = now_ms // MINUTE_MS
        return [
            self._minutes.get(number) or Minute(number)
            for number in range(last - MINUTES_MAX + 1, last + 1)
        ]

    def block(self, height: int) -> RecentBlock | None:
        """Return a block that is remembered."""
        if not self._recent:
            return None
        index = height - self._recent[0].height
        return self._recent[index] if 0 <= index < len(self._recent) else None

    def height_of(self, block_id: bytes) -> int | None:
        """Return the height of a block that is remembered, by its id."""
        return self._heights.get(block_id)

    def lately(self, span_ms: int) -> Sequence[RecentBlock]:
        """Return the blocks of the last so many milliseconds of block time, the newest first."""
        found: list[RecentBlock] = []
        for block in reversed(self._recent):
            if block.time_ms <= self._recent[-1].time_ms - span_ms:
                break
            found.append(block)
        return found

    def last_signed(self, validator: str) -> int | None:
        """Return the last height whose certificate carries its precommit."""
        return self._last_signed.get(validator)

    def last_proposed(self, validator: str) -> int | None:
        """Return the last height whose block it proposed."""
        return self._last_proposed.get(validator)
