"""Reading ahead of a block that pays changes nothing but when it is read."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from typing_extensions import override

from node.chain import Chain
from node.chain.ahead import Ahead
from node.genesis import Genesis
from node.ledger import servicing
from node.ledger.securities import PAYMENTS, PaymentStatus, payment_key
from node.ledger.units import MS_PER_DAY
from node.storage import MemoryStore, StorageFailed, StorageThread
from tests.bench.coupons import BOND, plant_into
from tests.bench.joining import certify, make_network

HOLDERS = 700
PER_BLOCK = 150


class CountingStore(MemoryStore):
    """Counts the cash of holders that is looked for."""

    looked_for = 0
    fails = False

    @override
    def seek_each(self, keys: Sequence[bytes]) -> list[bytes | None]:
        if self.fails:
            raise StorageFailed(Path("/nowhere"), "for the test")
        self.looked_for += len(keys)
        return super().seek_each(keys)


@pytest.fixture(autouse=True)
def few_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servicing, "HOLDERS_PER_BLOCK_MAX", PER_BLOCK)
    monkeypatch.setattr(servicing, "HOLDERS_AT_FIRST_MAX", 20)


@pytest.fixture
def genesis(tmp_path: Path) -> Genesis:
    return make_network(tmp_path).genesis


def planted(genesis: Genesis) -> CountingStore:
    store = CountingStore()
    plant_into(store, genesis, HOLDERS, 1)
    return store


async def pay_all(
    store: CountingStore, chain: Chain, between: Callable[[int], object] = lambda _: None
) -> tuple[list[bytes], list[int]]:
    """Let the coupon pass; return the root of each block, and what each that pays looked for."""
    roots, looked_for = [], []
    time_ms = chain.head.time_ms
    while (
        payment := chain.record(PAYMENTS, payment_key(BOND, 1))
    ) is None or payment.status is not PaymentStatus.SETTLED:
        is_paid = payment is not None and payment.status is PaymentStatus.PAYING
        time_ms += 1_000 if is_paid else MS_PER_DAY
        between(chain.head.height)
        before = store.looked_for
        candidate = chain.build(round=0, time_ms=time_ms, transactions=())
        if is_paid:
            looked_for.append(store.looked_for - before)
        await chain.commit(candidate, certify(candidate, chain.genesis))
        roots.append(chain.head.state_root)
    assert payment.holders == HOLDERS
    return roots, looked_for


async def test_blocks_are_the_same_and_read_nothing_themselves(
    genesis: Genesis, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = planted(genesis)
    roots, looked_for = await pay_all(store, Chain.open(store, genesis))
    monkeypatch.setattr(Ahead, "plan", lambda *_: None)
    plain = planted(genesis)

    plain_roots, plainly = await pay_all(plain, Chain.open(plain, genesis))
    assert plain_roots == roots
    assert len(looked_for) == 1 + (HOLDERS - 20) // PER_BLOCK
    assert not any(looked_for)
    assert sum(plainly) == HOLDERS - 20


async def test_block_that_comes_early_reads_the_rest_itself(genesis: Genesis) -> None:
    store = planted(genesis)
    roots, _ = await pay_all(store, Chain.open(store, genesis))
    hurried = planted(genesis)
    async with StorageThread() as thread:
        chain = Chain.open(hurried, genesis, thread=thread)

        assert (await pay_all(hurried, chain))[0] == roots


async def test_nothing_is_read_ahead_once_the_block_has_come(genesis: Genesis) -> None:
    store = planted(genesis)
    chain = Chain.open(store, genesis)
    planned: list[int] = []

    def look(_: int) -> None:
        work = chain._ahead.plan(chain.head.time_ms)
        chain._ahead.stop()
        before = store.looked_for
        if work is not None:
            work()
            planned.append(store.looked_for - before)

    await pay_all(store, chain, look)

    assert len(planned) > 3
    assert not any(planned)


async def test_failure_to_read_ahead_is_met_by_the_block_alone(genesis: Genesis) -> None:
    store = planted(genesis)
    chain = Chain.open(store, genesis)

    def break_down(_: int) -> None:
        store.fails = chain._ahead.plan(chain.head.time_ms) is not None

    with pytest.raises(StorageFailed):
        await pay_all(store, chain, break_down)
