"""The pool: first come first served, each id once, bounded, and never in the way of a block."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from node.clock import ManualClock
from node.ledger.acts.assets.transfer import Transfer
from node.ledger.transactions import TransactionBody
from node.mempool import (
    RETRY_AFTER_MAX_MS,
    RETRY_AFTER_MIN_MS,
    Added,
    AdmittedTransaction,
    Full,
    Known,
    Mempool,
)
from tests.chain.town import make_record, make_town


def make_transaction(
    number: int, *, size_bytes: int = 100, valid_until_ms: int = 10_000
) -> AdmittedTransaction:
    body = TransactionBody(
        version=1,
        network=bytes(8),
        valid_until_ms=valid_until_ms,
        salt=bytes(8),
        signers=(bytes(32),),
        operations=(Transfer(account=bytes(20), to=bytes(20), asset="PKR", amount=1),),
        memo="",
    )
    return AdmittedTransaction(
        id=number.to_bytes(32), raw=bytes(size_bytes), body=body, size_bytes=size_bytes
    )


def make_pool(count_max: int = 10, size_bytes_max: int = 10_000) -> Mempool:
    return Mempool(ManualClock(), count_max=count_max, size_bytes_max=size_bytes_max)


def numbers(transactions: list[AdmittedTransaction]) -> list[int]:
    return [int.from_bytes(each.id) for each in transactions]


def take_all(pool: Mempool) -> list[int]:
    return numbers(pool.take(count_max=1_000, size_bytes_max=1 << 30))


def test_first_come_is_first_served() -> None:
    pool = make_pool()
    for number in (3, 1, 2):
        assert pool.add(make_transaction(number)) == Added()

    assert take_all(pool) == [3, 1, 2]
    assert make_transaction(3).id in pool
    assert make_transaction(4).id not in pool
    assert pool.count_max == 10
    assert pool.ids() == tuple(number.to_bytes(32) for number in (3, 1, 2))


def test_what_was_taken_here_is_counted_until_it_is_gone_whatever_the_way() -> None:
    """Were it counted for longer, clients would be turned away for what waits no more."""
    pool = make_pool()
    for number, valid_until_ms in enumerate((10_000, 10_000, 50)):
        pool.add(make_transaction(number, valid_until_ms=valid_until_ms), ours=True)
    pool.add(make_transaction(3))
    assert pool.ours == 3

    pool.remove([make_transaction(0).id, make_transaction(3).id])
    assert pool.ours == 2
    pool.expire(now_ms=50)
    assert pool.ours == 1
    pool.add(make_transaction(3), ours=True)
    pool.remove(pool.ids())
    assert pool.ours == 0


def test_taken_transactions_go_on_waiting_until_they_are_removed() -> None:
    pool = make_pool()
    for number in range(4):
        pool.add(make_transaction(number))

    assert take_all(pool) == take_all(pool) == [0, 1, 2, 3]
    assert pool.remove([make_transaction(1).id, b"unknown"]) == 1

    assert take_all(pool) == [0, 2, 3]
    assert (len(pool), pool.size_bytes) == (3, 300)


@pytest.mark.adversarial(57)
def test_id_waits_once_whatever_bytes_it_comes_in() -> None:
    pool = make_pool()
    first = make_transaction(1)
    pool.add(first)

    assert pool.add(make_transaction(1, size_bytes=999)) == Known(first.id)

    assert pool.get(first.id) is first
    assert (len(pool), pool.size_bytes) == (1, 100)


def test_full_by_count_says_when_to_come_again() -> None:
    pool = make_pool(count_max=2)
    pool.add(make_transaction(1))
    pool.add(make_transaction(2))

    answer = pool.add(make_transaction(3))

    assert isinstance(answer, Full)
    assert RETRY_AFTER_MIN_MS <= answer.retry_after_ms <= RETRY_AFTER_MAX_MS
    assert take_all(pool) == [1, 2]
    assert pool.add(make_transaction(1)) == Known(make_transaction(1).id)
    pool.remove([make_transaction(1).id])
    assert pool.add(make_transaction(3)) == Added()


def test_full_by_size_says_so_too() -> None:
    pool = make_pool(size_bytes_max=250)
    pool.add(make_transaction(1))
    pool.add(make_transaction(2))

    assert isinstance(pool.add(make_transaction(3)), Full)
    assert pool.add(make_transaction(3, size_bytes=50)) == Added()
    assert pool.size_bytes == 250


class Draining:
    """A pool by a clock that a test moves, and what leaves it."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.pool = Mempool(self.clock, count_max=10_000)
        self._number = 0

    def wait(self, count: int) -> None:
        """Let so many more wait."""
        for _ in range(count):
            self._number += 1
            self.pool.add(make_transaction(self._number, valid_until_ms=10**12))

    def leave(self, count: int, *, after_ms: int) -> int:
        """Let the oldest leave after this time; return how many are likely to in a second."""
        self.clock.advance(after_ms)
        self.pool.remove(
            [each.id for each in self.pool.take(count_max=count, size_bytes_max=10**9)]
        )
        return self.pool.leaving_within(1_000)


def test_steady_blocks_are_told_as_their_rate() -> None:
    draining = Draining()
    draining.wait(100)
    found = 0
    for _ in range(50):
        draining.wait(200)
        found = draining.leave(200, after_ms=100)

    assert found == pytest.approx(2_000, rel=0.1)


def test_a_time_in_which_nothing_waits_says_nothing_of_how_fast_the_pool_drains() -> None:
    draining, before = Draining(), 0
    for _ in range(50):
        draining.wait(200)
        before = draining.leave(200, after_ms=100)
        assert not len(draining.pool)
    draining.clock.advance(60_000)

    assert draining.pool.leaving_within(1_000) == before
    draining.wait(200)
    assert draining.leave(200, after_ms=100) == pytest.approx(before, rel=0.05)


def test_a_time_in_which_nothing_leaves_does() -> None:
    draining = Draining()
    draining.wait(5_000)
    before = [draining.leave(200, after_ms=100) for _ in range(20)][-1]

    draining.clock.advance(2_000)

    assert draining.pool.leaving_within(1_000) < before / 2
    assert draining.leave(200, after_ms=8_000) < 200


def test_since_when_something_waits_is_told_until_nothing_does() -> None:
    draining = Draining()
    pool, clock = draining.pool, draining.clock
    assert pool.waiting_since_s is None
    draining.wait(2)
    began_s = clock.monotonic()

    draining.leave(1, after_ms=1_000)
    draining.wait(1)
    assert pool.waiting_since_s == began_s

    draining.leave(2, after_ms=1_000)
    assert pool.waiting_since_s is None
    draining.wait(1)
    assert pool.waiting_since_s == clock.monotonic()


def test_two_blocks_at_once_are_no_faster_than_they_are_together() -> None:
    draining = Draining()
    draining.wait(9_000)
    for _ in range(20):
        draining.leave(100, after_ms=100)
    draining.leave(1_000, after_ms=100)

    assert draining.leave(1_000, after_ms=0) < 3_000
    assert draining.leave(100, after_ms=1) < 3_000


def test_one_block_after_a_pause_does_not_show_what_many_would() -> None:
    draining = Draining()
    draining.wait(1_000)

    assert draining.leave(1_000, after_ms=1) <= 4_000


def test_what_expires_was_not_settled() -> None:
    draining = Draining()
    draining.wait(1_000)
    draining.clock.advance(100)

    draining.pool.expire(10**12)

    assert len(draining.pool) == 0
    assert draining.pool.leaving_within(1_000) == 0


@pytest.mark.parametrize(
    ("drained", "every_ms", "expected_ms"),
    [
        (1_000, 1_000, 1_000),
        (1_000, 2_000, 2_000),
        (5_000, 100, RETRY_AFTER_MIN_MS),
        (1, 60_000, RETRY_AFTER_MAX_MS),
    ],
)
def test_retry_time_follows_how_fast_the_pool_drains(
    drained: int, every_ms: int, expected_ms: int
) -> None:
    """A tenth of ten thousand places is worth coming back for."""
    draining = Draining()
    for _ in range(30):
        draining.wait(drained + 1 - len(draining.pool))
        draining.leave(drained, after_ms=every_ms)
    # Between two blocks: right after one the estimate is above the mean, before the next below.
    draining.clock.advance(every_ms // 2)

    assert draining.pool.retry_after_ms() == pytest.approx(expected_ms, rel=0.1)


def test_everything_is_offered_to_the_builder() -> None:
    pool = make_pool()
    for number in range(10):
        pool.add(make_transaction(number))

    assert numbers(list(pool.waiting())) == list(range(10))


def test_taking_stops_at_what_does_not_fit() -> None:
    """Else a large one could wait for ever while small ones pass."""
    pool = make_pool()
    for number, size_bytes in enumerate((100, 5_000, 100)):
        pool.add(make_transaction(number, size_bytes=size_bytes))

    assert numbers(pool.take(count_max=10, size_bytes_max=1_000)) == [0]
    assert numbers(pool.take(count_max=2, size_bytes_max=10_000)) == [0, 1]
    assert pool.take(count_max=0, size_bytes_max=10_000) == []


def test_what_no_later_block_can_hold_expires() -> None:
    pool = make_pool()
    for number, until_ms in enumerate((1_000, 3_000, 2_000)):
        pool.add(make_transaction(number, valid_until_ms=until_ms))

    assert pool.expire(999) == ()
    assert pool.expire(2_000) == (make_transaction(0).id, make_transaction(2).id)
    assert take_all(pool) == [1]
    assert pool.expire(2_999) == ()
    assert pool.expire(3_000) == (make_transaction(1).id,)
    assert pool.expire(10**12) == ()
    assert (len(pool), pool.size_bytes) == (0, 0)


@pytest.mark.adversarial(38)
async def test_full_pool_never_stands_beside_empty_blocks() -> None:
    """Whatever fills the pool, each block takes from it or clears it of what it cannot hold."""
    town = make_town(record=make_record(transactions_max=10), count_max=30)
    await town.settle(3)
    stale = town.admit(*(town.transfer("a0", "a1") for _ in range(20)))
    expiring = town.admit(
        *(town.transfer("a0", "a2", valid_until_ms=town.clock.now_ms() + 500) for _ in range(10))
    )
    for batch in (stale[:10], stale[10:]):
        candidate = town.build(batch)
        await town.chain.commit(candidate, town.certify(candidate))
    for transaction in (*stale, *expiring):
        town.pool.add(transaction)
    good = town.admission.verify_batch([town.transfer("a0", "a1")])
    assert isinstance(good[0], Full)

    # Everything that waits was applied already or has expired; one block later it is gone.
    candidate = town.build(town.pool.waiting())
    town.pool.remove(candidate.dropped)
    assert len(town.pool) == 0

    for _ in range(3):
        while not isinstance(
            (result := town.admission.verify_batch([town.transfer("a0", "a1")]))[0], Full
        ):
            assert isinstance(result[0], AdmittedTransaction)
            town.pool.add(result[0])
        candidate = town.build(town.pool.waiting())
        assert len(candidate.transaction_ids) == 10
        await town.chain.commit(candidate, town.certify(candidate))
        town.pool.remove(candidate.transaction_ids)


@pytest.mark.adversarial(38)
async def test_good_transaction_behind_a_blockful_of_stale_ones_is_in_the_next_block() -> None:
    town = make_town(record=make_record(transactions_max=10))
    await town.settle(3)
    stale = town.admit(*(town.transfer("a0", "a1") for _ in range(10)))
    candidate = town.build(stale)
    await town.chain.commit(candidate, town.certify(candidate))
    for transaction in stale:
        town.pool.add(transaction)
    (good,) = town.wait(town.transfer("a0", "a2"))

    assert town.build(town.pool.waiting()).transaction_ids == (good.id,)


@pytest.mark.adversarial(59)
async def test_ten_thousand_of_one_sender_wait_for_nobody() -> None:
    town = make_town(record=make_record(transactions_max=5_000, size_bytes_max=8 << 20))
    await town.settle(2, amount=9_999)
    raws = [town.transfer("a0", "a1", 10**6 if number == 4 else 1) for number in range(10_000)]
    town.wait(*raws)

    applied = 0
    while len(town.pool):
        candidate = town.build(town.pool.waiting())
        await town.chain.commit(candidate, town.certify(candidate))
        town.pool.remove(candidate.transaction_ids)
        applied += sum(receipt.outcome == 0 for receipt in candidate.receipts)

    assert applied == 9_999


class PoolMachine(RuleBasedStateMachine):
    """The pool against a list."""

    @initialize()
    def begin(self) -> None:
        self.pool = make_pool(count_max=8, size_bytes_max=1_000)
        self.model: list[AdmittedTransaction] = []

    @rule(number=st.integers(0, 15), size_bytes=st.integers(1, 400), until_ms=st.integers(0, 20))
    def add(self, number: int, size_bytes: int, until_ms: int) -> None:
        transaction = make_transaction(number, size_bytes=size_bytes, valid_until_ms=until_ms)
        known = any(each.id == transaction.id for each in self.model)
        full = (
            len(self.model) == 8 or sum(each.size_bytes for each in self.model) + size_bytes > 1_000
        )
        answer = self.pool.add(transaction)
        assert isinstance(answer, Known if known else Full if full else Added)
        if isinstance(answer, Added):
            self.model.append(transaction)

    @rule(
        drawn=st.lists(
            st.tuples(st.integers(0, 15), st.integers(1, 200), st.integers(0, 20)), max_size=6
        ),
        ours=st.booleans(),
    )
    def add_each(self, drawn: list[tuple[int, int, int]], ours: bool) -> None:
        transactions = [
            make_transaction(number, size_bytes=size_bytes, valid_until_ms=until_ms)
            for number, size_bytes, until_ms in drawn
        ]
        one_by_one = make_pool(count_max=8, size_bytes_max=1_000)
        for each in self.model:
            one_by_one.add(each)
        expected = [one_by_one.add(each) for each in transactions]
        ours_before = self.pool.ours

        answers = self.pool.add_each(transactions, ours=ours)

        assert [type(each) for each in answers] == [type(each) for each in expected]
        added = sum(isinstance(each, Added) for each in answers)
        assert self.pool.ours == ours_before + (added if ours else 0)
        self.model = list(one_by_one.waiting())

    @rule(chosen=st.sets(st.integers(0, 15)))
    def remove(self, chosen: set[int]) -> None:
        self.pool.remove([number.to_bytes(32) for number in sorted(chosen)])
        self.model = [each for each in self.model if int.from_bytes(each.id) not in chosen]

    @rule(now_ms=st.integers(0, 20))
    def expire(self, now_ms: int) -> None:
        gone = [each.id for each in self.model if each.body.valid_until_ms <= now_ms]
        assert self.pool.expire(now_ms) == tuple(gone)
        self.model = [each for each in self.model if each.body.valid_until_ms > now_ms]

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "pool"):
            return
        assert self.pool.take(count_max=100, size_bytes_max=10_000) == self.model
        assert self.pool.size_bytes == sum(each.size_bytes for each in self.model)
        assert len(self.pool) == len(self.model)


TestPoolMachine = PoolMachine.TestCase
TestPoolMachine.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
