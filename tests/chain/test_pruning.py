"""Pruning: what goes, what stays for ever, and that nothing is applied twice because of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from node.admission import Forgotten, Refusal
from node.chain import Chain, ChainDamaged
from node.chain.pruning import PIECE_BLOCKS_MAX, PIECE_TRANSACTIONS_MAX, WINDOWS_KEPT
from node.ledger.outcomes import Outcome
from node.ledger.tables import ASSETS, name_key
from node.proofs import render_proof, verify_proof_file
from node.storage import (
    KeyValueStore,
    MemoryStore,
    StorageFailed,
    StorageThread,
    layout,
    open_leveldb,
)
from tests.chain.stores import FailingStore
from tests.chain.town import CASH, Town, make_record, make_town

WINDOW_MS = 10_000
RECORD = make_record(window_ms=WINDOW_MS)
KEEP = 5


def town_on(store: KeyValueStore, *, thread: StorageThread | None = None, keep: int = KEEP) -> Town:
    return make_town(store, record=RECORD, thread=thread, keep_blocks=keep)


def heights(town: Town, prefix: bytes) -> list[int]:
    start, stop = layout.range_of(prefix)
    return [layout.decode_number(key[1:]) for key, _ in town.store.scan(start, stop)]


def ids(town: Town) -> int:
    start, stop = layout.range_of(b"T")
    return len(list(town.store.scan(start, stop)))


async def go_on(town: Town) -> None:
    for _ in range(100):
        await town.decide()


@pytest.fixture(params=["memory", "leveldb"])
async def grown(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Town]:
    """A chain of 40 blocks, a second apart, that keeps five: ids hold more for two windows."""
    store: KeyValueStore = (
        MemoryStore() if request.param == "memory" else open_leveldb(tmp_path / "db", create=True)
    )
    async with StorageThread() as thread:
        town = town_on(store, thread=thread)
        await town.settle(3)
        await town.decide(town.remove_validator("crypto-council"))
        while town.chain.head.height < 40:
            await town.decide(town.transfer("a0", "a1"))
        await town.decide()
        await thread.drain()
        yield town
    store.close()


async def test_blocks_receipts_certificates_and_ids_go_together(grown: Town) -> None:
    earliest = grown.chain.history.earliest
    kept = list(range(earliest, 42))

    assert earliest == 41 - WINDOWS_KEPT * WINDOW_MS // 1_000 + 1
    assert heights(grown, b"B") == heights(grown, b"C") == heights(grown, b"R") == kept
    assert ids(grown) == len(kept) - 1  # the last block is empty
    assert grown.chain.history.is_pruned(earliest - 1)
    assert not grown.chain.history.is_pruned(earliest)
    assert not grown.chain.history.is_pruned(0)


async def test_no_block_is_synced_for_it(grown: Town) -> None:
    # One at the founding, one for each block.
    assert grown.store.writes_synced == 1 + 41


async def test_what_was_pruned_stays_so_after_a_restart(grown: Town) -> None:
    earliest = grown.chain.history.earliest

    again = Chain.open(grown.store, grown.genesis)

    assert again.history.earliest == earliest
    assert again.history.block(earliest - 1) is None
    assert again.forgotten_until_ms == grown.chain.forgotten_until_ms
    assert again.head == grown.chain.head


async def test_validator_sets_and_the_trail_of_proofs_stay(grown: Town) -> None:
    proof = grown.chain.prove(ASSETS, name_key(CASH))

    assert grown.chain.history.validator_changes(41) == (1, 4)
    assert len(grown.chain.validators_at(3)) == 4
    assert len(grown.chain.validators_at(4)) == 3
    assert [handover.header.height for handover in proof.handovers] == [3]
    assert verify_proof_file(render_proof(proof), grown.genesis).height == 41


@pytest.mark.adversarial(59)
async def test_an_id_is_forgotten_only_after_its_window() -> None:
    """Handed in again at every moment of its life and after it, it is applied once."""
    town = town_on(MemoryStore())
    await town.settle(2)
    raw = town.transfer("a0", "a1", valid_until_ms=town.chain.head.time_ms + WINDOW_MS)
    (transaction,) = town.admit(raw)
    await town.decide(raw)

    seen = []
    while town.chain.seen(transaction.id):
        candidate = town.build([transaction])
        assert candidate.transaction_ids == ()
        await town.chain.commit(candidate, town.certify(candidate))
        seen.append(town.chain.head.time_ms)
    assert seen[-1] >= transaction.body.valid_until_ms + WINDOW_MS
    candidate = town.build([transaction])
    assert candidate.transaction_ids == ()
    assert transaction.id in candidate.dropped


async def test_an_old_transaction_is_never_said_not_to_have_been_applied() -> None:
    town = town_on(MemoryStore())
    await town.settle(2)
    applied = town.transfer("a0", "a1", valid_until_ms=town.chain.head.time_ms + 5_000)
    await town.decide(applied)
    never = town.transfer("a0", "a1", 2, valid_until_ms=town.chain.head.time_ms + 5_000)
    (before,) = town.admission.verify_batch([applied])
    assert isinstance(before, Refusal)
    assert before.outcome is Outcome.DUPLICATE

    while town.chain.history.earliest < 5:
        await town.decide()

    # Both may stand in what was pruned, as far as this node can tell.
    answers = town.admission.verify_batch([applied, never])
    assert [type(answer) for answer in answers] == [Forgotten, Forgotten]
    # One that could only be in a block that is kept is known not to be there.
    until_ms = town.chain.forgotten_until_ms
    assert until_ms is not None
    later = town.transfer("a0", "a1", 3, valid_until_ms=until_ms + 1)
    (answer,) = town.admission.verify_batch([later])
    assert isinstance(answer, Refusal)
    assert answer.outcome is Outcome.EXPIRED
    at_the_edge = town.transfer("a0", "a1", 3, valid_until_ms=until_ms)
    assert isinstance(town.admission.verify_batch([at_the_edge])[0], Forgotten)


async def test_a_node_that_begins_to_prune_late_does_it_in_bounded_pieces() -> None:
    store = MemoryStore()
    town = town_on(store, keep=0)
    await town.settle(2)
    while town.chain.head.height < 60:
        await town.decide()
    assert town.chain.history.earliest == 1

    again = town_on(store)
    steps = []
    for _ in range(4):
        before = again.chain.history.earliest
        await again.decide()
        steps.append(again.chain.history.earliest - before)

    # The restart took a second.
    assert steps == [PIECE_BLOCKS_MAX, PIECE_BLOCKS_MAX, 64 - 20 - 2 * PIECE_BLOCKS_MAX, 1]


async def test_a_piece_ends_with_the_block_that_has_too_many_transactions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert PIECE_TRANSACTIONS_MAX >= 1_000
    monkeypatch.setattr("node.chain.pruning.PIECE_TRANSACTIONS_MAX", 3)
    store = MemoryStore()
    town = town_on(store, keep=0)
    await town.settle(4)
    for _ in range(4):
        await town.decide(town.transfer("a0", "a1"), town.transfer("a1", "a2"))
    town.clock.advance(10 * WINDOW_MS)

    again = town_on(store)
    again.clock.advance(10 * WINDOW_MS)
    await again.decide()
    assert again.chain.history.earliest == 3  # never below five blocks
    for _ in range(4):
        await again.decide()
    assert again.chain.history.earliest == 7


async def test_keeping_everything_deletes_nothing() -> None:
    town = town_on(MemoryStore(), keep=0)
    for _ in range(50):
        await town.decide()

    assert heights(town, b"B") == list(range(1, 51))
    assert town.chain.forgotten_until_ms is None


async def test_a_missing_block_is_damage_and_not_pruned_over() -> None:
    town = town_on(MemoryStore())
    while town.chain.history.earliest == 1:
        await town.decide()
    town.store.write([(layout.block_key(town.chain.history.earliest), None)], sync=True)

    with pytest.raises(ChainDamaged, match="missing"):
        await go_on(town)


@pytest.mark.adversarial(70)
@pytest.mark.parametrize("after", [False, True])
async def test_power_lost_while_pruning_leaves_a_whole_chain(*, after: bool) -> None:
    # The founding, 21 blocks a second apart, and a piece after the last of them.
    store = FailingStore(MemoryStore(), fails_at=22, after=after)
    town = town_on(store)
    with pytest.raises(StorageFailed, match="power cut"):
        await go_on(town)

    again = town_on(store.inner)

    assert again.chain.head.height == 21
    assert again.chain.history.earliest == (2 if after else 1)
    assert heights(again, b"B") == list(range(again.chain.history.earliest, 22))
    await again.decide()
    assert again.chain.history.earliest == 4  # the restart took a second


async def test_a_failed_piece_stops_the_node_at_the_next_block() -> None:
    store = FailingStore(MemoryStore(), fails_at=22, after=False)
    async with StorageThread() as thread:
        town = town_on(store, thread=thread)
        with pytest.raises(StorageFailed, match="power cut"):
            await go_on(town)
    assert town.chain.head.height == 21
