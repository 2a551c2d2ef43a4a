"""How much may wait, over a model of the network: blocks that come and take, clients that bring."""

from dataclasses import dataclass, field

import pytest

from node.clock import ManualClock
from node.intake.crowding import (
    CALM_AFTER_S,
    CROWDED_WAIT_MS,
    EASED_WAIT_MS,
    LATE_MS_MAX,
    SUDDEN_TIMES,
    WAIT_MS,
    WAITING_MIN,
    Crowding,
)
from node.ledger.transactions import TRANSACTION_VERSION, TransactionBody
from node.mempool import AdmittedTransaction, Mempool

DOORS = 4
TICK_MS = 25
"""So often each door is brought a list."""
GATHERED_MS_MAX = 400
BODY = TransactionBody(
    version=TRANSACTION_VERSION,
    network=bytes(8),
    valid_until_ms=2_000_000_000_000,
    salt=bytes(16),
    signers=(bytes(32),),
    operations=(),
    memo="",
)


@dataclass
class Model:
    """One of four doors that are used alike; what is let in at one is let in at all."""

    capacity: int
    """Transactions a second that blocks take at most."""
    interval_ms: int
    """From one block to the next."""
    agreement_ms: int = 150
    """From the moment at which a block is put together until it is committed."""
    refused: list[int] = field(default_factory=list)
    """When, in milliseconds since the start."""
    blocks: list[int] = field(default_factory=list)
    """How many transactions each holds."""
    waiting: list[int] = field(default_factory=list)
    """How many there are at each tick."""
    committed_ms: int = 0
    """When the last block was."""
    now_ms: int = 0

    def __post_init__(self) -> None:
        self.clock = ManualClock()
        self.pool = Mempool(self.clock)
        self.crowding = Crowding(
            self.pool, self.clock, doors=lambda: DOORS, gathered_ms_max=GATHERED_MS_MAX
        )
        self._next_block_ms = self.interval_ms
        self._under_way: list[AdmittedTransaction] = []
        self._number = 0
        self._ours: set[bytes] = set()

    def run(self, seconds: float, *, offered: int, stalled: bool = False) -> None:
        """Let clients bring so many a second; while it is stalled no block comes."""
        ended_ms = self.now_ms + int(seconds * 1000)
        while self.now_ms < ended_ms:
            self._bring(offered * TICK_MS // 1000 // DOORS)
            self.waiting.append(len(self.pool))
            self.clock.advance(TICK_MS)
            self.now_ms += TICK_MS
            if stalled:
                self._next_block_ms = max(self._next_block_ms, self.now_ms + self.agreement_ms)
                continue
            if not self._under_way and self.now_ms >= self._next_block_ms - self.agreement_ms:
                count_max = self.capacity * self.interval_ms // 1000
                self._under_way = self.pool.take(count_max=count_max, size_bytes_max=1 << 30)
            if self.now_ms >= self._next_block_ms:
                self._commit()

    def stop(self, seconds: float, *, offered: int) -> None:
        """Let nothing happen for so long, and then come at once what was due meanwhile."""
        stopped_ms = int(seconds * 1000)
        self.clock.advance(stopped_ms)
        self.now_ms += stopped_ms
        self._next_block_ms += stopped_ms
        for _ in range(stopped_ms // TICK_MS):
            self._bring(offered * TICK_MS // 1000 // DOORS)

    def _bring(self, count: int) -> None:
        crowding = self.crowding
        if self.pool.ours >= crowding.ours_max() or len(self.pool) >= crowding.waiting_max():
            crowding.turned_away()
            self.refused.append(self.now_ms)
            return
        crowding.let_in()
        for door in range(DOORS):
            for _ in range(count):
                self._number += 1
                transaction = AdmittedTransaction(
                    id=self._number.to_bytes(32), raw=b"", body=BODY, size_bytes=0
                )
                self.pool.add(transaction, ours=door == 0)
                if door == 0:
                    self._ours.add(transaction.id)

    def _commit(self) -> None:
        taken = len(self._under_way)
        ours = sum(each.id in self._ours for each in self._under_way)
        self.pool.remove([transaction.id for transaction in self._under_way])
        self.crowding.committed(taken=taken, ours=ours)
        self.committed_ms = self.now_ms
        self.blocks.append(len(self._under_way))
        self._under_way = []
        self._next_block_ms += self.interval_ms


SPACED = pytest.mark.parametrize(
    ("capacity", "interval_ms"), [(1_000, 75), (2_500, 175), (4_000, 300), (5_000, 400)]
)
"""The more a second, the wider apart."""


@SPACED
def test_nobody_is_refused_what_blocks_can_take(capacity: int, interval_ms: int) -> None:
    model = Model(capacity=capacity, interval_ms=interval_ms)

    model.run(20, offered=capacity * 95 // 100)

    assert model.refused == []


@SPACED
def test_a_round_without_its_proposer_is_made_up_for_without_a_refusal(
    capacity: int, interval_ms: int
) -> None:
    model = Model(capacity=capacity, interval_ms=interval_ms)
    offered = capacity * 88 // 100
    model.run(5, offered=offered)

    model.run(1.25, offered=offered, stalled=True)
    model.run(20, offered=offered)

    assert model.refused == []
    assert model.waiting[-1] < capacity


@pytest.mark.parametrize("all_stops", [False, True], ids=["no-block", "all-stops"])
@pytest.mark.parametrize(("capacity", "interval_ms"), [(2_500, 175), (7_000, 275)])
def test_a_hiccup_just_below_what_blocks_can_take_refuses_nobody(
    capacity: int, interval_ms: int, all_stops: bool
) -> None:
    """For 300 ms no block comes; or nothing at all does, and then at once what was due."""
    model = Model(capacity=capacity, interval_ms=interval_ms)
    offered = capacity * 98 // 100
    model.run(8, offered=offered)

    for _ in range(2):
        if all_stops:
            model.stop(0.3, offered=offered)
        else:
            model.run(0.3, offered=offered, stalled=True)
        model.run(8, offered=offered)

    assert model.refused == []


@SPACED
def test_a_flood_makes_nobody_wait_as_long_as_a_late_block_may(
    capacity: int, interval_ms: int
) -> None:
    """Blocks come as ever, so what piles up is too much: also after a time of no block at all."""
    model = Model(capacity=capacity, interval_ms=interval_ms)
    model.run(10, offered=capacity)
    model.run(3, offered=0)
    ticks = len(model.waiting)

    model.run(5, offered=10 * capacity)

    list_size = 10 * capacity * TICK_MS // 1000
    assert max(model.waiting[ticks:]) < list_size + max(2.1 * capacity, WAITING_MIN)


@pytest.mark.parametrize("idle_s", [0, 3])
@pytest.mark.parametrize(("capacity", "interval_ms"), [(4_000, 300), (5_000, 400)])
def test_a_flood_is_known_before_it_has_filled_the_high_mark(
    capacity: int, interval_ms: int, idle_s: int
) -> None:
    model = Model(capacity=capacity, interval_ms=interval_ms)
    model.run(10, offered=capacity * 9 // 10)
    model.run(1, offered=0)
    model.run(idle_s, offered=0, stalled=True)  # There is nothing to make a block of.
    waited, ticks = len(model.pool), len(model.waiting)

    model.run(5, offered=10 * capacity)

    list_size = 10 * capacity * TICK_MS // 1000
    sudden_ms = (CROWDED_WAIT_MS + EASED_WAIT_MS) * 10 // (10 - SUDDEN_TIMES)
    sudden = sudden_ms * capacity // 1000
    assert max(model.waiting[ticks:]) < waited + list_size + 1.1 * sudden


@pytest.mark.parametrize(("capacity", "interval_ms"), [(4_000, 300), (5_000, 400)])
def test_nobody_is_refused_for_bringing_at_once_what_he_was_kept_from_bringing(
    capacity: int, interval_ms: int
) -> None:
    model = Model(capacity=capacity, interval_ms=interval_ms)
    offered = capacity * 7 // 10
    model.run(10, offered=offered)

    for _ in range(5):
        model.run(0.4, offered=0)
        model.run(TICK_MS / 1000, offered=offered * (400 + TICK_MS) // TICK_MS)
        model.run(2, offered=offered)

    assert model.refused == []


def test_the_high_mark_rises_while_a_block_is_overdue_and_falls_as_what_piled_up_is_taken() -> None:
    model = Model(capacity=5_000, interval_ms=300)
    model.run(20, offered=4_500)
    crowding = model.crowding

    def mark_ms() -> int:
        """Of what leaves a second, as of the last block."""
        return crowding.waiting_max() * 1000 // leaving

    leaving = model.pool.leaving_within(1_000)
    assert mark_ms() < WAIT_MS + GATHERED_MS_MAX + 100
    for stalled_s, offered in ((1, 4_500), (3, 100)):
        model.run(stalled_s, offered=offered, stalled=True)
        overdue_ms = model.now_ms - model.committed_ms - GATHERED_MS_MAX
        expected_ms = WAIT_MS + GATHERED_MS_MAX + min(overdue_ms, LATE_MS_MAX)
        assert mark_ms() == pytest.approx(expected_ms, rel=0.1)

    model.run(20, offered=2_500)
    leaving = model.pool.leaving_within(1_000)
    assert mark_ms() < WAIT_MS + GATHERED_MS_MAX + 100


def test_no_block_is_overdue_while_nothing_waits() -> None:
    model = Model(capacity=5_000, interval_ms=300)
    model.run(20, offered=4_500)
    model.run(3, offered=0)
    assert len(model.pool) == 0

    model.clock.advance(GATHERED_MS_MAX)
    at_rest = model.crowding.waiting_max()
    model.clock.advance(60_000)

    assert model.crowding.waiting_max() == at_rest


@pytest.mark.parametrize("share", [0.8, 0.9, 0.95])
@pytest.mark.parametrize(("capacity", "interval_ms"), [(3_000, 400), (4_000, 300), (5_000, 400)])
def test_who_was_crowded_once_takes_all_again_of_what_it_can_take(
    capacity: int, interval_ms: int, share: float
) -> None:
    """Where agreement takes nearly all the time between two blocks, the low mark is too low for
    what blocks can take: held for as long as anyone is turned away, it would be so for ever."""
    model = Model(capacity=capacity, interval_ms=interval_ms, agreement_ms=interval_ms - 50)
    model.run(5, offered=1_000)

    model.crowding.turned_away()
    model.run(20, offered=int(capacity * share))
    refused = len(model.refused)
    model.run(20, offered=int(capacity * share))

    assert len(model.refused) == refused


@SPACED
def test_those_refused_after_a_long_stop_are_soon_the_last(capacity: int, interval_ms: int) -> None:
    """A mark below what waits before each block would turn clients away for ever."""
    model = Model(capacity=capacity, interval_ms=interval_ms)
    offered = capacity * 88 // 100
    model.run(5, offered=offered)

    model.run(5, offered=offered, stalled=True)
    stopped_ms = model.now_ms
    assert model.refused
    model.run(20, offered=offered)

    assert model.refused[-1] < stopped_ms + 1_000 * 2 * CALM_AFTER_S


@SPACED
def test_ten_times_as_much_fills_every_block_and_waits_no_longer_than_for_two(
    capacity: int, interval_ms: int
) -> None:
    model = Model(capacity=capacity, interval_ms=interval_ms)
    model.run(5, offered=capacity)

    model.run(5, offered=10 * capacity)
    blocks, ticks = len(model.blocks), len(model.waiting)
    model.run(10, offered=10 * capacity)

    full = capacity * interval_ms // 1000
    assert min(model.blocks[blocks:]) == full
    # As many as wait on average, by how many leave a second, is how long each of them does. One
    # list more than may is let in, and the rate is known to within a tenth.
    waiting = model.waiting[ticks:]
    list_size = 10 * capacity * TICK_MS // 1000
    mean_s = (sum(waiting) / len(waiting) - list_size) / capacity
    assert mean_s < 1.1 * max(
        (CROWDED_WAIT_MS + interval_ms / 2) / 1000, WAITING_MIN / 2 / capacity
    )


def test_what_may_wait_grows_from_a_block_on_until_the_next_comes() -> None:
    model = Model(capacity=6_000, interval_ms=100)
    model.run(20, offered=6_000)
    crowding, clock = model.crowding, model.clock
    for _ in range(2_000):  # Nearly all are.
        crowding.turned_away()
    crowding.committed(taken=0, ours=0)
    model.pool.remove(model.pool.ids()[1:])

    found = []
    for _ in range(6):
        found.append(crowding.waiting_max())
        clock.advance(GATHERED_MS_MAX // 4)

    rate = found[0] * 1000 / CROWDED_WAIT_MS
    grown = (0, 100, 200, 300, 400, 500)
    assert found == pytest.approx([rate * (CROWDED_WAIT_MS + ms) / 1000 for ms in grown], rel=0.03)


@pytest.mark.parametrize("agreement_ms", [350, 700])
@pytest.mark.parametrize("times", [1.1, 2, 10])
def test_where_blocks_are_long_under_way_a_crowded_network_goes_on_doing_what_it_did(
    agreement_ms: int, times: float
) -> None:
    """A mark that goes by what leaves while clients are held back would fall with every block."""
    interval_ms = agreement_ms + 50
    model = Model(capacity=3_000, interval_ms=interval_ms, agreement_ms=agreement_ms)
    model.run(5, offered=2_000)
    model.run(40, offered=int(3_000 * times))
    assert model.refused

    shares = []
    for _ in range(2):
        before = len(model.blocks)
        model.run(20, offered=int(3_000 * times))
        found = model.blocks[before:]
        shares.append(sum(found) / len(found) / (3_000 * interval_ms / 1000))

    assert min(shares) > 0.5
    assert shares[1] > 0.9 * shares[0]


def test_a_crowded_network_that_can_do_less_for_good_makes_nobody_wait_longer_than_before() -> None:
    model = Model(capacity=4_000, interval_ms=300)
    model.run(10, offered=8_000)

    model.capacity = 500
    model.run(20, offered=8_000)
    ticks = len(model.waiting)
    model.run(20, offered=8_000)

    waiting_s = (sum(model.waiting[ticks:]) / len(model.waiting[ticks:]) - 200) / 500
    assert waiting_s < (WAIT_MS + GATHERED_MS_MAX) / 1000
