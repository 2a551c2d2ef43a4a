"""The life of a chain: founded, built on, committed in one batch, opened again where it was."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from typing_extensions import override

from node.chain import Chain, ChainDamaged, Committed
from node.chain.history import History
from node.chain.receipts import encode_block_receipts
from node.codec import RECORD_SIZE_MAX, encode, replace
from node.genesis import genesis_of
from node.ledger.acts.registry.set_account_policy import SetAccountPolicy
from node.ledger.commitment import hash_of_key, state_root
from node.ledger.outcomes import Outcome
from node.ledger.parameters import DEFAULTS
from node.ledger.plain import PlainTransfers
from node.ledger.policies import single_signer
from node.ledger.tables import ACCOUNTS, HOLDINGS, PARTICIPANTS, holding_key, name_key
from node.proofs import render_proof, verify_proof_file
from node.storage import (
    Batch,
    KeyValueStore,
    MemoryStore,
    StorageError,
    StorageFailed,
    StorageThread,
    layout,
    open_leveldb,
)
from node.storage.nodes import StoredNodes
from tests.chain.stores import contents
from tests.chain.town import BANK, CASH, Town, address_of, key, make_record, make_town


@pytest.fixture(params=["memory", "leveldb"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KeyValueStore]:
    opened: KeyValueStore = (
        MemoryStore() if request.param == "memory" else open_leveldb(tmp_path / "db", create=True)
    )
    yield opened
    opened.close()


@pytest.fixture
async def thread() -> AsyncIterator[StorageThread]:
    async with StorageThread() as running:
        yield running


def holding(town: Town, name: str) -> int:
    record = town.chain.record(HOLDINGS, holding_key(address_of(BANK, name), CASH))
    return 0 if record is None else record.available


def test_empty_store_is_founded_from_the_genesis(store: KeyValueStore) -> None:
    genesis = genesis_of(make_record())

    chain = Chain.open(store, genesis)

    assert (chain.head.height, chain.head.block_id) == (0, genesis.hash)
    assert chain.head.time_ms == genesis.time_ms
    assert chain.head.state_root == state_root(StoredNodes(store))
    assert chain.head.header is None
    assert chain.validators == genesis.validators
    assert chain.parameters == DEFAULTS
    assert chain.record(PARTICIPANTS, name_key("central-bank")) is not None
    assert store.writes_synced == 1


def test_founding_twice_gives_the_same_bytes() -> None:
    first, second = MemoryStore(), MemoryStore()
    Chain.open(first, genesis_of(make_record()))
    Chain.open(second, genesis_of(make_record()))

    assert contents(first) == contents(second)


async def test_committed_block_is_everywhere(store: KeyValueStore, thread: StorageThread) -> None:
    town = make_town(store, thread=thread)
    await town.settle(3)
    raw = town.transfer("a0", "a1", 250)
    heard: list[Committed] = []
    town.chain.listeners.append(heard.append)

    committed = await town.decide(raw)

    chain, candidate = town.chain, committed.candidate
    (transaction_id,) = candidate.transaction_ids
    assert heard == [committed]
    assert chain.head.height == candidate.height == 3
    assert chain.head.block_id == candidate.block_id
    assert chain.head.header == candidate.header
    assert chain.block(3) == candidate.block
    assert chain.certificate(3) == committed.certificate
    assert chain.transaction(transaction_id) == (3, 0)
    assert chain.seen(transaction_id)
    assert chain.head.state_root == state_root(StoredNodes(store))
    receipts = chain.receipts(3)
    assert receipts is not None
    assert receipts.decoded() == candidate.receipts == (receipts.receipt(0),)
    assert receipts.block_events() == ()
    assert (holding(town, "a0"), holding(town, "a1")) == (999_750, 1_000_250)


async def test_proof_over_a_lost_handover_names_it() -> None:
    """The handovers are kept apart from the blocks, which may be pruned."""
    town = make_town()
    await town.decide(town.remove_validator("crypto-council"))
    await town.decide()
    place = layout.handover_key(2)
    value = town.store.get(place)
    for damage, named in ((None, "missing"), (b"\xc1", "unreadable")):
        town.store.write([(place, damage)], sync=True)
        with pytest.raises(ChainDamaged, match=f"handover to height 2 is {named}"):
            town.chain.prove(PARTICIPANTS, name_key("central-bank"))
    town.store.write([(place, value), (layout.block_key(1), None)], sync=True)

    verify_proof_file(
        render_proof(town.chain.prove(PARTICIPANTS, name_key("central-bank"))), town.genesis
    )


async def test_every_record_is_found_by_the_hash_of_its_key() -> None:
    """The index goes with the records, whether they come, change or go."""
    town = make_town()
    await town.settle(3)
    await town.decide(town.transfer("a0", "a1", 1_000_000), town.transfer("a1", "a2", 5))
    assert holding(town, "a0") == 0
    stored = contents(town.store)

    keys = {pair[1:] for pair in stored if pair.startswith(b"S")}

    assert {pair: value for pair, value in stored.items() if pair.startswith(b"K")} == {
        layout.hash_key(hash_of_key(key)): key for key in keys
    }


async def test_what_is_not_there_is_none(store: KeyValueStore) -> None:
    chain = make_town(store).chain

    assert chain.block(1) is None
    assert chain.certificate(1) is None
    assert chain.receipts(1) is None
    assert chain.transaction(bytes(32)) is None
    assert not chain.seen(bytes(32))
    assert chain.record(ACCOUNTS, bytes(20)) is None


async def test_one_block_is_one_synced_batch(store: KeyValueStore, thread: StorageThread) -> None:
    town = make_town(store, thread=thread)
    await town.settle(10)
    writes: list[bool] = []
    write = store.write

    def counting(batch: object, *, sync: bool) -> None:
        writes.append(sync)
        write(batch, sync=sync)  # type: ignore[arg-type]

    store.write = counting  # type: ignore[method-assign]
    before = store.writes_synced

    for number in range(3):
        await town.decide(*(town.transfer(f"a{each}", "a9") for each in range(number)))

    assert writes == [True, True, True]
    assert store.writes_synced - before == 3


async def test_opened_again_it_stands_where_it_was(tmp_path: Path, thread: StorageThread) -> None:
    store = open_leveldb(tmp_path / "db", create=True)
    town = make_town(store, thread=thread)
    await town.settle(5)
    await town.decide(town.transfer("a0", "a1", 10))
    head, validators = town.chain.head, town.chain.validators
    await town.chain.close()
    store.close()

    store = open_leveldb(tmp_path / "db", create=False)
    again = make_town(store, thread=thread)

    assert again.chain.head == head
    assert again.chain.validators == validators
    assert holding(again, "a1") == 1_000_010
    await again.decide(again.transfer("a1", "a0", 10))
    assert holding(again, "a1") == 1_000_000
    await again.chain.close()
    store.close()


async def test_cache_and_disk_agree_after_every_block() -> None:
    town = make_town()
    await town.settle(8)
    for number in range(6):
        await town.decide(
            *(town.transfer(f"a{each}", f"a{(each + number) % 7 + 1}", 5) for each in range(4))
        )
        fresh = Chain.open(town.store, town.genesis)
        for each in range(8):
            place = holding_key(address_of(BANK, f"a{each}"), CASH)
            assert town.chain.record(HOLDINGS, place) == fresh.record(HOLDINGS, place)
        assert town.chain.scan(HOLDINGS, b"", 100) == fresh.scan(HOLDINGS, b"", 100)


async def test_same_blocks_give_the_same_bytes_on_both_stores(tmp_path: Path) -> None:
    stores: list[KeyValueStore] = [MemoryStore(), open_leveldb(tmp_path / "db", create=True)]
    for each in stores:
        town = make_town(each)
        await town.settle(5)
        await town.decide(town.transfer("a0", "a1"), town.transfer("a1", "a2"))

    assert contents(stores[0]) == contents(stores[1])
    stores[1].close()


async def test_candidate_that_is_not_decided_leaves_no_trace() -> None:
    town = make_town()
    await town.settle(3)
    before = contents(town.store)

    first = town.build(town.admit(town.transfer("a0", "a1", 7)))
    second = town.build(town.admit(town.transfer("a0", "a2", 9)), round_=1)

    assert contents(town.store) == before
    assert (holding(town, "a0"), holding(town, "a1")) == (1_000_000, 1_000_000)
    assert first.block_id != second.block_id
    await town.chain.commit(second, town.certify(second))
    assert (holding(town, "a1"), holding(town, "a2")) == (1_000_000, 1_000_009)
    assert town.chain.candidate(first.block_id) is None


async def test_candidates_are_bounded() -> None:
    town = make_town()
    built = [town.build(round_=round_) for round_ in range(6)]

    kept = [each for each in built if town.chain.candidate(each.block_id) is not None]

    assert kept == built[2:]


async def test_time_passes_even_when_the_clock_does_not() -> None:
    town = make_town()
    times = []
    for _ in range(3):
        candidate = town.chain.build(round=0, time_ms=0, transactions=())
        await town.chain.commit(candidate, town.certify(candidate))
        times.append(town.chain.head.time_ms)

    assert times == [town.genesis.time_ms + each for each in (1, 2, 3)]


async def test_empty_block_does_not_change_the_state_root() -> None:
    town = make_town()
    await town.settle(2)
    root = town.chain.head.state_root

    await town.decide()

    assert town.chain.head.state_root == root


UNSIGNED = Outcome.SIGNATURES_MISSING


def give_away(town: Town, name: str) -> bytes:
    """Let another key sign for this account from now on."""
    policy = single_signer(key("another").public_key)
    operation = SetAccountPolicy(account=address_of(BANK, name), policy=policy)
    return town.transaction([operation], [name])


async def test_what_is_known_of_accounts_is_of_the_committed_state() -> None:
    town = make_town()
    await town.settle(2)
    await town.decide(town.transfer("a0", "a1", 1))  # Both are known by now.
    (pay,) = town.admit(town.transfer("a0", "a1", 2))
    raw = give_away(town, "a0")

    town.build(town.admit(raw))  # Nobody decides it.
    assert town.chain.simulate(pay.body, now_ms=0).outcome is Outcome.APPLIED
    together = town.build([*town.admit(raw), pay], round_=1)
    assert [each.outcome for each in together.receipts] == [Outcome.APPLIED, UNSIGNED]

    await town.decide(raw)
    assert [town.chain.simulate(pay.body, now_ms=0).outcome] == [UNSIGNED]
    committed = await town.decide(pay.raw)
    assert [each.outcome for each in committed.candidate.receipts] == [UNSIGNED]


async def test_accounts_are_looked_at_once_until_something_changes_one() -> None:
    town = make_town()
    await town.settle(3)
    looked: list[bytes] = []
    signers_of = PlainTransfers._signers_of

    def look(plain: PlainTransfers, address: bytes) -> tuple[bytes, ...] | None:
        looked.append(address)
        return signers_of(plain, address)

    with mock.patch.object(PlainTransfers, "_signers_of", look):
        for amount in (1, 2, 3):
            (pay,) = town.admit(town.transfer("a0", "a1", amount))
            town.chain.simulate(pay.body, now_ms=0)
            await town.decide(pay.raw)
        assert looked == [address_of(BANK, "a0"), address_of(BANK, "a1")]
        await town.decide(give_away(town, "a1"))
        await town.decide(town.transfer("a0", "a2", 1))
        assert looked[2:] == [address_of(BANK, "a0"), address_of(BANK, "a2")]


async def test_simulation_tells_and_changes_nothing() -> None:
    town = make_town()
    await town.settle(2)
    before = contents(town.store)
    (good,) = town.admit(town.transfer("a0", "a1", 1))
    (poor,) = town.admit(town.transfer("a0", "a1", 10**9))

    told = [town.chain.simulate(each.body, now_ms=0).outcome for each in (good, poor)]

    assert told == [Outcome.APPLIED, Outcome.HOLDING_INSUFFICIENT]
    assert contents(town.store) == before
    assert holding(town, "a0") == 1_000_000


async def test_validator_change_rules_from_the_next_height() -> None:
    town = make_town()
    everybody = town.chain.validators

    committed = await town.decide(town.remove_validator("crypto-council"))

    header = committed.candidate.header
    assert committed.validators_changed
    assert header.next_validators_hash != header.validators_hash
    assert len(town.chain.validators) == 3
    assert town.chain.validators_at(1) == everybody
    assert town.chain.validators_at(2) == town.chain.validators
    assert {record.name for record in town.chain.validator_records} == {
        "central-bank",
        "finance-ministry",
        "virtual-asset-regulator",
    }
    following = await town.decide()
    assert not following.validators_changed
    assert following.candidate.header.validators_hash == header.next_validators_hash
    assert Chain.open(town.store, town.genesis).validators == town.chain.validators
    assert town.chain.history.validator_changes(town.chain.head.height) == (1, 2)
    assert town.chain.history.validator_changes(town.chain.head.height, latest=1) == (2,)


async def damaged(town: Town, damage: dict[bytes, bytes | None]) -> str:
    await town.settle(2)
    town.store.write(list(damage.items()), sync=True)
    with pytest.raises(ChainDamaged) as caught:
        Chain.open(town.store, town.genesis)
    return caught.value.detail


@pytest.mark.adversarial(69, 70)
@pytest.mark.parametrize(
    ("lost", "named"),
    [
        (layout.Meta.FORMAT.value, "format version none"),
        (layout.Meta.GENESIS.value, "belongs to genesis none"),
        (layout.Meta.HEAD.value, "head is missing"),
        (layout.block_key(2), "block of the head"),
        (layout.certificate_key(2), "commit certificate"),
        (layout.state_key(b"G" + bytes(7) + b"\1"), "no validator set"),
        (layout.node_key(b""), "state root of the tree"),
    ],
)
async def test_head_whose_batch_is_incomplete_is_refused(lost: bytes, named: str) -> None:
    assert named in await damaged(make_town(), {lost: None})


@pytest.mark.adversarial(69)
async def test_validators_who_cannot_be_are_refused() -> None:
    town = make_town()
    key = layout.state_key(b"G" + bytes(7) + b"\1")
    record = town.store.get(key)
    assert record is not None

    named = await damaged(town, {key: record.replace(b"central-bank", b"Central-bank")})

    assert named.startswith("the validator set of height 2: id: found 'Central-bank'")


@pytest.mark.adversarial(69, 70)
async def test_pieces_that_contradict_each_other_are_refused() -> None:
    other = make_town()
    await other.settle(1)
    town = make_town()
    pieces = {
        "id of the head's block": layout.block_key(2),
        "certificate of height 2": layout.certificate_key(2),
        "state root of the tree": layout.node_key(b""),
    }
    await town.settle(2)
    good = contents(town.store)
    for named, place in pieces.items():
        town.store.write([(place, other.store.get(place))], sync=True)
        with pytest.raises(ChainDamaged, match=named):
            Chain.open(town.store, town.genesis)
        town.store.write([(place, good[place])], sync=True)

    assert Chain.open(town.store, town.genesis).head == town.chain.head


@pytest.mark.adversarial(70)
@pytest.mark.parametrize("prefix", [b"B", b"C", b"M", b"SG", b"SV"])
async def test_unreadable_pieces_are_refused(prefix: bytes) -> None:
    town = make_town()
    await town.settle(1)
    start, stop = layout.range_of(prefix)
    last = [pair for pair, _ in town.store.scan(start, stop)][-1]

    town.store.write([(last, b"\xc1")], sync=True)

    with pytest.raises(ChainDamaged):
        Chain.open(town.store, town.genesis)


async def test_bad_signature_in_the_stored_certificate_is_found() -> None:
    town = make_town()
    await town.decide()
    value = town.store.get(layout.certificate_key(1))
    assert value is not None
    forged = value[:-1] + bytes([value[-1] ^ 1])

    town.store.write([(layout.certificate_key(1), forged)], sync=True)

    with pytest.raises(ChainDamaged, match="does not hold"):
        Chain.open(town.store, town.genesis)


@pytest.mark.adversarial(58)
async def test_database_of_another_network_is_refused() -> None:
    town = make_town()
    record = make_record()
    other = genesis_of(replace(record, time_ms=record.time_ms + 1))

    with pytest.raises(ChainDamaged, match=other.hash.hex()):
        Chain.open(town.store, other)


def test_database_of_a_later_format_is_refused() -> None:
    town = make_town()
    later = layout.encode_number(layout.FORMAT_VERSION + 1)
    town.store.write([(layout.Meta.FORMAT.value, later)], sync=True)

    with pytest.raises(ChainDamaged, match=f"expected {layout.FORMAT_VERSION}"):
        Chain.open(town.store, town.genesis)


def test_damaged_record_is_named_when_it_is_read() -> None:
    town = make_town()
    place = ACCOUNTS.prefix + address_of("central-bank", "central-bank")
    town.store.write([(layout.state_key(place), encode((1, 2)))], sync=True)
    fresh = Chain.open(town.store, town.genesis)

    with pytest.raises(ChainDamaged, match="accounts"):
        fresh.record(ACCOUNTS, place[1:])


@pytest.mark.adversarial(69)
async def test_missing_branches_of_the_commitment_stop_the_block() -> None:
    town = make_town()
    await town.settle(40)
    start, stop = layout.range_of(b"N")
    below_the_root = [path for path, _ in town.store.scan(start, stop) if path != b"N"]
    town.store.write([(path, None) for path in below_the_root], sync=True)
    again = make_town(town.store)
    transfers = [again.transfer(f"a{each}", f"a{each + 1}") for each in range(39)]

    with pytest.raises(ChainDamaged, match="commitment"):
        again.build(again.admit(*transfers))


async def test_readers_can_wait_until_store_and_head_agree(thread: StorageThread) -> None:
    """While a block is written the store is ahead of the head; a proof then would not hold."""
    town = make_town(SlowStore(), thread=thread)
    store = town.store
    assert isinstance(store, SlowStore)
    store.released.set()
    await town.settle(3)
    candidate = town.build(town.admit(town.transfer("a0", "a1", 7)))
    store.released.clear()
    place = holding_key(address_of(BANK, "a0"), CASH)

    async def read() -> tuple[int, str]:
        await town.chain.settled()
        proof = town.chain.prove(HOLDINGS, place)
        verify_proof_file(render_proof(proof), town.genesis)
        return town.chain.head.height, proof.statement

    async with asyncio.TaskGroup() as group:
        commit = group.create_task(town.chain.commit(candidate, town.certify(candidate)))
        await asyncio.sleep(0)
        reader = group.create_task(read())
        await asyncio.sleep(0)
        assert not reader.done()
        store.released.set()

    assert commit.result().candidate is candidate
    assert reader.result()[0] == 3
    assert "9,999.93" in reader.result()[1]


@pytest.mark.parametrize("fails", [False, True])
async def test_closing_waits_for_the_block_whose_commit_was_given_up(
    thread: StorageThread, *, fails: bool
) -> None:
    """As at a stop: the write goes on, and whoever opens the store again finds the block; or it is
    said why not.
    """
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, each: complaints.append(each))
    store = SlowStore()
    town = make_town(store, thread=thread)
    await town.settle(3)
    before = town.chain.head.block_id
    candidate = town.build(town.admit(town.transfer("a0", "a1", 7)))
    store.released.clear()
    store.fails = fails
    async with asyncio.TaskGroup() as group:
        commit = group.create_task(town.chain.commit(candidate, town.certify(candidate)))
        await asyncio.sleep(0)
        commit.cancel()
        await asyncio.wait([commit])
        closing = group.create_task(ended_of(town.chain))
        for _ in range(5):
            await asyncio.sleep(0)
        assert not closing.done()
        store.released.set()

    assert commit.cancelled()
    assert isinstance(closing.result(), StorageFailed if fails else type(None))
    store.fails = False
    assert make_town(store).chain.head.block_id == (before if fails else candidate.block_id)
    del town, commit
    gc.collect()
    assert complaints == []


async def ended_of(chain: Chain) -> StorageError | None:
    try:
        await chain.close()
    except StorageError as failure:
        return failure
    return None


class SlowStore(MemoryStore):
    """A store whose writes wait until they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()
        self.released.set()
        self.fails = False

    @override
    def write(self, batch: Batch, *, sync: bool) -> None:
        assert self.released.wait(90)
        if self.fails:
            raise StorageFailed(Path("db"), "it is made to")
        super().write(batch, sync=sync)


def test_receipts_of_the_largest_block_are_read_back() -> None:
    """Refusals can be four times their transactions, and so more than a record elsewhere may be."""
    receipt = bytes(RECORD_SIZE_MAX // 8)
    store = MemoryStore()
    stored = encode_block_receipts([receipt] * 20, encode(()))
    store.write([(layout.receipts_key(7), stored)], sync=True)

    receipts = History(store, genesis_of(make_record())).receipts(7)

    assert receipts is not None
    assert len(stored) > 2 * RECORD_SIZE_MAX
    assert receipts.receipts == (receipt,) * 20
    assert receipts.block_events() == ()
