"""From parts to a chain: whole, at once, after any number of deaths, and only of this network."""

from unittest import mock

import pytest

from node.blocks import encode_evidence
from node.chain import Chain, ChainDamaged
from node.codec import replace
from node.genesis import Genesis, genesis_of
from node.keys import verify
from node.ledger.powers import REFERENCE_OFFICES
from node.ledger.tables import ACCUSATIONS, PARTICIPANTS, name_key
from node.proofs import render_proof, verify_proof_file
from node.snapshots import (
    Installation,
    InstallationError,
    RecentIds,
    Snapshot,
    Trail,
    TrailIncomplete,
    decode_block_ids,
    decode_handover,
    source,
)
from node.snapshots.installation import is_begun
from node.snapshots.source import pin
from node.storage import KeyValueStore, MemoryStore, StorageFailed, layout
from node.upkeep import check_database
from tests.chain.stores import FailingStore, contents
from tests.chain.test_evidence import double_vote
from tests.chain.town import Town, make_record, make_town
from tests.snapshots.states import take_over

COMES = REFERENCE_OFFICES[3]


async def old_town() -> Town:
    """A town with a change of validators, an accusation, accounts and transfers."""
    town = make_town(record=make_record(3))
    await town.settle(12)
    evidence = encode_evidence(double_vote(town, name="finance-ministry", height=1))
    await town.decide(town.add_validator(COMES), evidence=[evidence])
    for each in range(5):
        await town.decide(town.transfer(f"a{each}", f"a{each + 1}", 10 + each))
    return town


def snapshot_of(town: Town) -> Snapshot:
    snapshot = pin(town.store.view(), town.chain.head, town.genesis)
    assert snapshot is not None
    return snapshot


def join(snapshot: Snapshot, store: KeyValueStore, genesis: Genesis) -> None:
    """Take over everything, as `Joining` does without a network."""
    installation = Installation(store, genesis)
    installation.begin()
    trail = Trail(genesis, verify)
    for item in snapshot.handovers(0)[0]:
        trail.extend(decode_handover(item))
    trail.check_point(snapshot.point)
    recent = RecentIds(
        snapshot.point,
        genesis=genesis,
        window_ms=genesis.transactions.window_ms,
        walked=installation.walked(),
    )
    while not recent.is_complete:
        items = snapshot.ids(recent.below)
        ids = recent.accept(tuple(decode_block_ids(item) for item in items))
        assert recent.walked is not None
        installation.note_ids(ids, recent.walked)
    assembly = take_over(snapshot, installation)
    installation.finish(snapshot.point, trail, assembly.crown)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "CHUNK_RECORDS_MAX", 8)
    monkeypatch.setattr(source, "PAGE_SIZE_TARGET", 2_000)


@pytest.mark.adversarial(56)
async def test_joined_chain_goes_on_and_knows_what_it_must() -> None:
    town = await old_town()
    store = MemoryStore()
    join(snapshot_of(town), store, town.genesis)

    chain = Chain.open(store, town.genesis)

    assert chain.head == town.chain.head
    assert chain.validators == town.chain.validators
    assert chain.validator_records == town.chain.validator_records
    assert [chain.validators_at(h) for h in range(1, 9)] == [
        town.chain.validators_at(h) for h in range(1, 9)
    ]
    assert chain.history.accusations() == town.chain.history.accusations() != ()
    assert chain.history.earliest == chain.head.height + 1
    assert chain.block(3) is None
    for height in range(1, town.chain.head.height + 1):
        block = town.chain.block(height)
        assert block is not None
        for raw in block.transactions:
            identifier = town.id_of(raw)
            assert chain.transaction(identifier) == town.chain.transaction(identifier)
    table, key = PARTICIPANTS, name_key("central-bank")
    proof = render_proof(chain.prove(table, key))
    assert proof == render_proof(town.chain.prove(table, key))
    verify_proof_file(proof, town.genesis)
    assert chain.prove(ACCUSATIONS, bytes(32)).entries[0].value is None

    transactions = town.admit(town.transfer("a1", "a2", 3))
    built = town.build(transactions)
    committed = await town.chain.commit(built, town.certify(built))
    candidate = chain.check(built.header, transactions, now_ms=None)
    await chain.commit(candidate, committed.certificate)
    assert chain.head == town.chain.head


async def test_check_of_a_joined_database_finds_nothing() -> None:
    town = await old_town()
    store = MemoryStore()
    join(snapshot_of(town), store, town.genesis)
    at_once = check_database(store.view(), town.genesis)
    chain = Chain.open(store, town.genesis)
    for amount in (1, 2):
        transactions = town.admit(town.transfer("a1", "a2", amount))
        built = town.build(transactions)
        committed = await town.chain.commit(built, town.certify(built))
        candidate = chain.check(built.header, transactions, now_ms=None)
        await chain.commit(candidate, committed.certificate)

    later = check_database(store.view(), town.genesis)

    assert (at_once.faults, later.faults) == ((), ())
    assert (at_once.height, later.height) == (8, 10)
    assert at_once.records == later.records > 50


async def test_joined_database_without_its_point_is_damaged() -> None:
    town = await old_town()
    store = MemoryStore()
    join(snapshot_of(town), store, town.genesis)
    for damage, named in ((None, "block of the head"), (b"\xc1", "point of joining")):
        store.write([(layout.Meta.POINT.value, damage)], sync=True)

        with pytest.raises(ChainDamaged, match=named):
            Chain.open(store, town.genesis)


@pytest.mark.adversarial(56)
async def test_transaction_of_before_the_join_is_refused_in_a_block_after_it() -> None:
    town = await old_town()
    (transaction,) = town.admit(town.transfer("a0", "a1", 1))
    built = town.build([transaction])
    await town.chain.commit(built, town.certify(built))
    store = MemoryStore()
    join(snapshot_of(town), store, town.genesis)
    joined = make_town(store, record=make_record(3))

    candidate = joined.build([transaction])

    assert candidate.transaction_ids == ()
    assert candidate.dropped == (transaction.id,)


@pytest.mark.adversarial(53, 65)
async def test_death_at_every_write_leaves_no_chain_or_the_whole_one() -> None:
    town = await old_town()
    snapshot = snapshot_of(town)
    whole = MemoryStore()
    counted = FailingStore(whole, fails_at=1 << 30, after=False)
    join(snapshot, counted, town.genesis)
    assert counted.writes > 20

    for fails_at in range(counted.writes):
        for after in (False, True):
            store = MemoryStore()
            dying = FailingStore(store, fails_at=fails_at, after=after)
            with pytest.raises(StorageFailed):
                join(snapshot, dying, town.genesis)
            if fails_at == counted.writes - 1 and after:
                assert not is_begun(store)
            else:
                with pytest.raises(ChainDamaged):
                    Chain.open(store, town.genesis) if contents(store) else _damaged()
                join(snapshot, store, town.genesis)
            assert contents(store) == contents(whole)


def _damaged() -> None:
    raise ChainDamaged("nothing is here")


@pytest.mark.adversarial(53)
async def test_joining_goes_on_with_a_newer_snapshot() -> None:
    town = await old_town()
    older = snapshot_of(town)
    expected = MemoryStore()
    store = MemoryStore()
    with pytest.raises(StorageFailed):
        join(older, FailingStore(store, fails_at=15, after=False), town.genesis)
    await town.decide(town.transfer("a1", "a2", 3), town.remove_validator(COMES))
    newer = snapshot_of(town)
    join(newer, expected, town.genesis)

    join(newer, store, town.genesis)

    assert contents(store) == contents(expected)
    assert Chain.open(store, town.genesis).head == town.chain.head


async def test_store_that_holds_a_chain_is_not_overwritten() -> None:
    town = await old_town()
    before = contents(town.store)

    with pytest.raises(InstallationError, match="holds a chain already"):
        Installation(town.store, town.genesis)

    assert contents(town.store) == before


@pytest.mark.adversarial(58)
async def test_what_was_begun_for_another_network_is_refused() -> None:
    town = make_town()
    record = make_record()
    other = genesis_of(replace(record, time_ms=record.time_ms + 1))
    store = MemoryStore()
    Installation(store, other).begin()

    with pytest.raises(InstallationError, match=town.genesis.hash.hex()):
        Installation(store, town.genesis)
    with pytest.raises(ChainDamaged):
        Chain.open(store, other)


@pytest.mark.adversarial(53)
async def test_trail_that_leaves_a_change_out_makes_no_chain() -> None:
    town = make_town(record=make_record(3))
    await town.decide(town.add_validator(COMES))
    await town.decide(town.remove_validator(COMES))
    await town.decide()
    store = MemoryStore()

    with (
        mock.patch.object(Snapshot, "handovers", return_value=((), False)),
        pytest.raises(TrailIncomplete),
    ):
        join(snapshot_of(town), store, town.genesis)

    assert store.get(layout.Meta.HEAD.value) is None
    join(snapshot_of(town), store, town.genesis)
    assert Chain.open(store, town.genesis).head == town.chain.head
