"""Reading ahead of a block that pays changes nothing but when it is read."""

import gc
import weakref
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from typing_extensions import override

from node.chain import Chain
from node.chain.ahead import Ahead
from node.chain.rehearsal import BlockRehearsal
from node.codec import encode
from node.genesis import Genesis
from node.ledger import due, servicing
from node.ledger.commitment import updating
from node.ledger.events import TaxStatusRules
from node.ledger.operations import Transfer
from node.ledger.securities import PAYMENTS, POSITIONS, PaymentStatus, payment_key
from node.ledger.servicing import LAST_WORTH, RecordTaken, agenda, payer
from node.ledger.tables import BACKLOG, BACKLOG_KEY
from node.ledger.transactions import SignedTransaction, TransactionBody, transaction_id
from node.ledger.units import MS_PER_DAY
from node.mempool import AdmittedTransaction
from node.provision.acts import RUPEE
from node.storage import MemoryStore, StorageFailed, StorageThread
from tests.bench.coupons import BOND, FACE, Kind, plant_into
from tests.bench.joining import certify, make_network
from tests.bench.population import address, owner_signer

HOLDERS = 700
PER_BLOCK = 150
AT_FIRST = 20


class CountingStore(MemoryStore):
    """Counts the cash of holders that is looked for."""

    looked_for = 0
    got = 0
    """How many times one entry was asked for."""
    fails = False
    comes_after: int | None = None
    """So many reads after which the block comes, if it has not."""
    come: Callable[[], object] = staticmethod(lambda: None)

    @override
    def seek_each(self, keys: Sequence[bytes]) -> list[bytes | None]:
        if self.fails:
            raise StorageFailed(Path("/nowhere"), "for the test")
        self.looked_for += len(keys)
        self._count()
        return super().seek_each(keys)

    @override
    def get(self, key: bytes) -> bytes | None:
        self.got += 1
        self._count()
        return super().get(key)

    def _count(self) -> None:
        if self.comes_after is not None:
            self.comes_after -= 1
            if self.comes_after < 0:
                self.come()


@pytest.fixture(autouse=True)
def few_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servicing, "HOLDERS_PER_BLOCK_MAX", PER_BLOCK)
    monkeypatch.setattr(servicing, "HOLDERS_AT_FIRST_MAX", AT_FIRST)


@pytest.fixture(params=["scattered", "close"])
def closeness(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the few holders of a test count as lying close together in the tree."""
    if request.param == "close":
        monkeypatch.setattr(updating, "_AHEAD_BYTES", 1)
        monkeypatch.setattr(updating, "_CLOSE", 1)


@pytest.fixture
def genesis(tmp_path: Path) -> Genesis:
    return make_network(tmp_path).genesis


def planted(genesis: Genesis, *, last: bool = False) -> CountingStore:
    store = CountingStore()
    plant_into(store, genesis, HOLDERS, 1, Kind(last=last))
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


@pytest.mark.usefixtures("closeness")
async def test_blocks_are_the_same_and_read_nothing_themselves(
    genesis: Genesis, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = planted(genesis)
    chain = Chain.open(store, genesis)
    rehearsed: list[int] = []
    roots, looked_for = await pay_all(
        store,
        chain,
        lambda _: rehearsed.append(
            sum(len(each.hashes) for each in chain._ahead.stop().tree.subtrees.values())
        ),
    )
    assert max(rehearsed) > PER_BLOCK  # their cash, and what stands for the payment itself
    # On another tree nothing of it would be true.
    assert not chain._ahead.stop().tree.subtrees, "kept after the block that it was of"
    monkeypatch.setattr(Ahead, "plan", lambda *_: None)
    plain = planted(genesis)

    plain_roots, plainly = await pay_all(plain, Chain.open(plain, genesis))
    assert plain_roots == roots
    assert len(looked_for) == 1 + (HOLDERS - 20) // PER_BLOCK
    assert not any(looked_for)
    assert sum(plainly) == HOLDERS - 20


async def test_records_that_had_to_wait_are_rehearsed(
    genesis: Genesis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The block that takes them reads nothing itself."""
    monkeypatch.setattr(due, "RECORDS_AT_FIRST_MAX", 1)
    monkeypatch.setattr(due, "RECORDS_PER_BLOCK_MAX", 2)

    async def take_all() -> tuple[list[bytes], list[tuple[int, int]]]:
        """Return the root of each block, and how many records those that had to wait read."""
        store = CountingStore()
        plant_into(store, genesis, HOLDERS, 126)  # Six of one day.
        chain = Chain.open(store, genesis)
        roots, waited = [], []
        time_ms = chain.head.time_ms
        while chain.record(PAYMENTS, payment_key(BOND, 1)) is None:
            is_late = chain.record(BACKLOG, BACKLOG_KEY) is not None
            time_ms += 1_000 if is_late else MS_PER_DAY
            before = store.got
            candidate = chain.build(round=0, time_ms=time_ms, transactions=())
            taken = sum(isinstance(event, RecordTaken) for event in candidate.events)
            if is_late:
                waited.append((taken, store.got - before))
            await chain.commit(candidate, certify(candidate, genesis))
            roots.append(chain.head.state_root)
        return roots, waited

    roots, waited = await take_all()
    monkeypatch.setattr(Ahead, "plan", lambda *_: None)
    plain_roots, plainly = await take_all()

    assert roots == plain_roots
    assert len(waited) > 25
    assert {reads for _, reads in waited} == {0}
    assert all(reads > 0 for _, reads in plainly)


@pytest.mark.parametrize("kind", [Kind(marked=True), Kind(listed=True)])
async def test_marking_that_goes_on_is_rehearsed(
    genesis: Genesis, monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    """The block that marks reads no position itself, be they of one taxpayer or of as many."""
    monkeypatch.setattr(due, "MARKED_PER_BLOCK_MAX", 150)

    async def mark_all() -> tuple[list[bytes], list[int]]:
        """Return the root of each block, and how many records each read."""
        store = CountingStore()
        plant_into(store, genesis, HOLDERS, 1, kind)
        chain = Chain.open(store, genesis)
        roots, read, ended = [], [], 0
        time_ms = chain.head.time_ms + MS_PER_DAY
        while ended < (HOLDERS if kind.listed else 1):
            time_ms += 1_000
            before = store.got
            candidate = chain.build(round=0, time_ms=time_ms, transactions=())
            read.append(store.got - before)
            ended += sum(isinstance(event, TaxStatusRules) for event in candidate.events)
            await chain.commit(candidate, certify(candidate, genesis))
            roots.append(chain.head.state_root)
        marked = [each for _, each in chain.scan(POSITIONS, b"", HOLDERS)]
        assert {each.taxpayer for each in marked} == {"company-inactive"}
        assert len(marked) == HOLDERS
        return roots, read

    roots, (first, *later) = await mark_all()
    monkeypatch.setattr(Ahead, "plan", lambda *_: None)
    plain_roots, plainly = await mark_all()

    assert roots == plain_roots
    assert len(roots) == -(-HOLDERS // 150)
    assert first >= 150  # nobody could foresee it
    assert not any(later)
    assert min(plainly) >= 100


@pytest.mark.usefixtures("closeness")
async def test_redemption_reads_nothing_itself_either(genesis: Genesis) -> None:
    store, plain_store = planted(genesis, last=True), planted(genesis, last=True)
    roots, looked_for = await pay_all(store, Chain.open(store, genesis))
    plain = Chain.open(plain_store, genesis)
    plain._ahead = NothingAhead(plain._records, plain._nodes)

    plain_roots, plainly = await pay_all(plain_store, plain)
    assert plain_roots == roots
    left = HOLDERS - AT_FIRST // LAST_WORTH
    assert len(looked_for) == -(-left // (PER_BLOCK // LAST_WORTH))
    assert not any(looked_for)
    # The cash of each, the security that goes, and the account: its owner files the position.
    assert sum(plainly) == 3 * left


async def test_block_that_comes_early_reads_the_rest_itself(genesis: Genesis) -> None:
    store = planted(genesis)
    roots, _ = await pay_all(store, Chain.open(store, genesis))
    hurried = planted(genesis)
    async with StorageThread() as thread:
        chain = Chain.open(hurried, genesis, thread=thread)

        assert (await pay_all(hurried, chain))[0] == roots


@pytest.mark.parametrize("closeness", ["close"], indirect=True)
@pytest.mark.usefixtures("closeness")
@pytest.mark.parametrize(("seed", "last"), [(0, False), (1, False), (2, True)])
async def test_blocks_are_the_same_whatever_comes_in_between(
    genesis: Genesis, seed: int, *, last: bool
) -> None:
    """Other transactions than were foreseen, other rounds, and blocks before all was rehearsed."""
    random = Random(seed)
    store, plain_store = planted(genesis, last=last), planted(genesis, last=last)
    chain, plain = Chain.open(store, genesis), Chain.open(plain_store, genesis)
    plain._ahead = NothingAhead(plain._records, plain._nodes)
    store.come = chain._ahead.stop
    numbers = count()
    time_ms = chain.head.time_ms
    taken = paying_blocks = 0
    while (
        payment := chain.record(PAYMENTS, payment_key(BOND, 1))
    ) is None or payment.status is not PaymentStatus.SETTLED:
        is_paid = payment is not None and payment.status is PaymentStatus.PAYING
        paying_blocks += is_paid
        time_ms += random.choice((1, 1_000, MS_PER_DAY // 2)) if is_paid else MS_PER_DAY
        is_known = bool(chain._ahead.stop().tree.subtrees) and is_paid
        rounds = random.choice((1, 2, 3)) if is_paid else 1
        candidate, twin = None, None
        for round_ in range(rounds):
            moves = [
                _move(random, next(numbers), time_ms, genesis)
                for _ in range(random.choice((0, 1, 20)) if is_paid else 0)
            ]
            candidate, twin = (
                each.build(round=round_, time_ms=time_ms + round_, transactions=moves)
                for each in (chain, plain)
            )
            assert candidate.header == twin.header
            assert candidate.nodes == twin.nodes
        assert candidate is not None
        assert twin is not None
        taken += is_known
        time_ms = candidate.header.time_ms
        store.comes_after = random.choice((None, None, 0, 5, 30, 100, 300))
        await chain.commit(candidate, certify(candidate, genesis))
        store.comes_after = None
        await plain.commit(twin, certify(twin, genesis))
    assert paying_blocks >= taken > 1


class NothingAhead(Ahead):
    """The slow twin: a block does all by itself."""

    @override
    def plan(self, time_ms: int) -> None:
        return None


def _move(random: Random, number: int, time_ms: int, genesis: Genesis) -> AdmittedTransaction:
    """Return a transfer of cash, or of what pays, between two that are being paid."""
    sender, receiver = random.sample(range(HOLDERS), 2)
    body = TransactionBody(
        version=1,
        network=genesis.network,
        valid_until_ms=time_ms + 10_000,
        salt=number.to_bytes(8),
        signers=(owner_signer().public_key,),
        operations=(
            Transfer(
                account=address(sender),
                to=address(receiver),
                asset=random.choice((RUPEE, RUPEE, BOND)),
                amount=random.choice((1, FACE)),
            ),
        ),
        memo="",
    )
    encoded = encode(body)
    id_ = transaction_id(genesis.hash, encoded)
    raw = encode(SignedTransaction(body=encoded, signatures=(owner_signer().sign(id_),)))
    return AdmittedTransaction(id=id_, raw=raw, body=body, size_bytes=len(raw))


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
            planned.append(store.looked_for - before + len(chain._ahead.stop().tree.subtrees))

    await pay_all(store, chain, look)

    assert len(planned) > 3
    assert not any(planned)


async def test_nothing_is_read_ahead_of_a_block_that_a_closed_chain_will_not_make(
    genesis: Genesis,
) -> None:
    store = planted(genesis)
    chain = Chain.open(store, genesis)
    time_ms = chain.head.time_ms
    while (work := chain._ahead.plan(chain.head.time_ms)) is None:
        time_ms += MS_PER_DAY
        candidate = chain.build(round=0, time_ms=time_ms, transactions=())
        await chain.commit(candidate, certify(candidate, genesis))
    before = store.looked_for

    await chain.close()
    work()

    assert store.looked_for == before
    assert not chain._ahead.stop().tree.subtrees


async def test_failure_to_read_ahead_is_met_by_the_block_alone(genesis: Genesis) -> None:
    store = planted(genesis)
    chain = Chain.open(store, genesis)

    def break_down(_: int) -> None:
        store.fails = chain._ahead.plan(chain.head.time_ms) is not None

    with pytest.raises(StorageFailed):
        await pay_all(store, chain, break_down)


async def test_who_was_paid_in_the_rehearsal_is_not_paid_again_by_the_block(
    genesis: Genesis, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = planted(genesis)
    chain = Chain.open(store, genesis)
    by_blocks = 0
    plainly = payer.pay

    def counted(*arguments: Any) -> Any:
        nonlocal by_blocks
        # A rehearsal reads through what ends it; a block reads the committed records.
        by_blocks += arguments[0]._source is chain._records
        return plainly(*arguments)

    monkeypatch.setattr(agenda, "pay", counted)
    _, looked_for = await pay_all(store, chain)

    assert len(looked_for) > 3
    assert by_blocks == 1  # The first one, of which nobody knew whether it would be funded.


async def test_rehearsals_go_without_the_garbage_collector(genesis: Genesis) -> None:
    """Else it finds some ten thousand objects a block, and stops one for it."""
    store = planted(genesis)
    chain = Chain.open(store, genesis)
    rehearsals: list[weakref.ref[BlockRehearsal]] = []
    gc.disable()
    try:
        await pay_all(store, chain, lambda _: rehearsals.append(weakref.ref(chain._ahead.stop())))
        assert len(rehearsals) > 5
        assert [each() for each in rehearsals] == [None] * len(rehearsals)
    finally:
        gc.enable()
