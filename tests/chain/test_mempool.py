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


def test_a_pause_says_nothing_of_how_fast_the_pool_drains() -> None:
    clock = ManualClock()
    pool = Mempool(clock)
    batch = [make_transaction(number) for number in range(100)]

    def drain(after_ms: int) -> int:
        clock.advance(after_ms)
        for transaction in batch:
            pool.add(transaction)
        pool.remove(transaction.id for transaction in batch)
        return pool.leaving_within(1_000)

    assert [drain(after_ms) for after_ms in (0, 100)] == [0, 1_000]
    assert drain(60_000) == 1_000
    assert drain(50) == 2_000
    assert drain(100) == pytest.approx(1_800, abs=1)


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
    clock = ManualClock()
    pool = Mempool(clock, count_max=10_000)
    batch = [make_transaction(number) for number in range(drained)]
    for _ in range(30):
        clock.advance(every_ms)
        for each in batch:
            pool.add(each)
        pool.remove([each.id for each in batch])

    assert pool.retry_after_ms() == pytest.approx(expected_ms, rel=0.02)


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
