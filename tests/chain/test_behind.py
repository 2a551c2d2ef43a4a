"""The branches of a block may be written after it: no power cut, and no reader, may notice."""

import asyncio
import gc
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from node.chain import Chain, ChainDamaged
from node.chain.ahead import Ahead
from node.chain.behind import BehindRecord
from node.clock import ManualClock
from node.codec import decode, encode
from node.genesis import Genesis
from node.ledger.commitment import state_root, updating
from node.ledger.securities import PAYMENTS, PaymentStatus, payment_key
from node.ledger.tables import HOLDINGS, holding_key
from node.ledger.units import MS_PER_DAY
from node.proofs import render_proof, verify_proof_file
from node.storage import (
    Batch,
    MemoryStore,
    StorageFailed,
    StorageThread,
    StoredNodes,
    layout,
    open_leveldb,
)
from node.upkeep import back_up_running, back_up_stopped, check_home, restore
from tests.bench.catching_up import node_of
from tests.bench.coupons import BOND, plant_into
from tests.bench.joining import certify, make_network
from tests.chain.stores import FailingStore, contents
from tests.chain.test_ahead import (
    HOLDERS,
    few_a_block,  # noqa: F401  # for every test here, as there
    pay_all,
    planted,
)
from tests.chain.test_recovery import BLOCKS, live, undisturbed
from tests.chain.town import BANK, CASH, Town, address_of, make_town

WRITES = 1 + 2 * BLOCKS
"""The founding, then each block and its branches."""


@pytest.fixture(autouse=True)
def always_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.chain.behind.BRANCHES_WITH_BLOCK_MAX", 0)


def is_behind(store: MemoryStore) -> bool:
    return store.get(layout.Meta.BEHIND.value) is not None


async def left_behind(at: int = BLOCKS) -> tuple[MemoryStore, Genesis]:
    """A store in which the branches of this block are missing, as after a power cut."""
    inner = MemoryStore()
    town = make_town(FailingStore(inner, fails_at=2 * at, after=False))
    with pytest.raises(StorageFailed):
        await live(town)
    assert is_behind(inner)
    return inner, town.genesis


@pytest.mark.adversarial(70)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("fails_at", range(WRITES))
async def test_power_cut_at_any_write_costs_at_most_one_block(
    fails_at: int, *, after: bool
) -> None:
    inner = MemoryStore()
    store = FailingStore(inner, fails_at=fails_at, after=after)
    with pytest.raises(StorageFailed):
        await live(make_town(store))
    written = store.writes - 1 + after

    again = make_town(inner)

    assert again.chain.head.height == written // 2
    assert not is_behind(inner)
    assert state_root(StoredNodes(inner)) == again.chain.head.state_root


@pytest.mark.parametrize("at", [1, 3, BLOCKS])
async def test_life_goes_on_after_a_power_cut_as_if_there_had_been_none(at: int) -> None:
    store, _ = await left_behind(at)
    await live(make_town(store))
    assert contents(store) == await undisturbed()


async def test_store_is_the_same_as_with_the_branches_in_the_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    behind, whole = MemoryStore(), MemoryStore()
    await live(make_town(behind))
    monkeypatch.setattr("node.chain.behind.BRANCHES_WITH_BLOCK_MAX", 1 << 20)
    await live(make_town(whole))

    assert contents(behind) == contents(whole)
    assert (behind.writes_synced, whole.writes_synced) == (WRITES, 1 + BLOCKS)


class HeldStore(MemoryStore):
    """Holds back the batches of branches until they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()
        self.released.set()
        self.fails = False

    @override
    def write(self, batch: Batch, *, sync: bool) -> None:
        if (layout.Meta.BEHIND.value, None) in batch:
            assert self.released.wait(90)
            if self.fails:
                raise StorageFailed(Path("memory"), "for the test")
        super().write(batch, sync=sync)


async def held(store: HeldStore, thread: StorageThread) -> Town:
    """A town whose last block's branches are not written yet."""
    town = make_town(store, thread=thread)
    await town.settle(20)
    await thread.drain()
    store.released.clear()
    await town.decide(*(town.transfer(f"a{each}", f"a{each + 1}") for each in range(9)))
    return town


async def test_meanwhile_everything_is_answered_as_of_the_head() -> None:
    store = HeldStore()
    async with StorageThread() as thread:
        town = await held(store, thread)
        chain = town.chain

        assert is_behind(store)
        assert state_root(StoredNodes(store)) != chain.head.state_root
        for name in ("a0", "a5", "a19"):
            proof = chain.prove(HOLDINGS, holding_key(address_of(BANK, name), CASH))
            verify_proof_file(render_proof(proof), town.genesis)
        # The next block, judged by a node that has all of it.
        transfers = [town.transfer(f"a{each}", "a19") for each in range(5, 15)]
        candidate = town.build(town.admit(*transfers))
        store.released.set()
        await thread.drain()
        whole = make_town(store).chain.check(
            candidate.header, town.admit(*transfers), now_ms=None, certified=True
        )
        assert whole.nodes == candidate.nodes


@pytest.mark.parametrize("reader_first", [True, False])
async def test_next_block_and_readers_of_the_store_wait_for_the_branches(
    *, reader_first: bool
) -> None:
    store = HeldStore()
    async with StorageThread() as thread:
        town = await held(store, thread)
        height = town.chain.head.height
        candidate = town.build(town.admit(town.transfer("a0", "a1")))

        async def read() -> None:
            await town.chain.settled()
            # As a backup does, before the loop is given up.
            view = store.view()
            found = MemoryStore()
            found.write(list(view.scan(b"", b"\xff")), sync=True)
            assert state_root(StoredNodes(found)) == town.chain.head.state_root

        steps = [read(), town.chain.commit(candidate, town.certify(candidate))]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in steps[:: 1 if reader_first else -1]]
            for _ in range(5):
                await asyncio.sleep(0)
            assert not any(task.done() for task in tasks)
            assert store.get(layout.block_key(height + 1)) is None
            store.released.set()
        await town.chain.settled()
        assert not is_behind(store)
        assert state_root(StoredNodes(store)) == town.chain.head.state_root


async def test_branches_that_cannot_be_written_stop_the_node_at_its_next_block() -> None:
    store = HeldStore()
    async with StorageThread() as thread:
        town = await held(store, thread)
        head = town.chain.head
        store.fails = True
        store.released.set()
        with pytest.raises(StorageFailed):
            await town.chain.settled()
        candidate = town.build(town.admit(town.transfer("a0", "a1")))

        with pytest.raises(StorageFailed):
            await town.chain.commit(candidate, town.certify(candidate))

    store.fails = False
    assert make_town(store).chain.head == head
    assert state_root(StoredNodes(store)) == head.state_root


@pytest.mark.parametrize("next_is_given_up", [False, True])
async def test_closing_waits_for_the_branches(*, next_is_given_up: bool) -> None:
    store = HeldStore()
    async with StorageThread() as thread:
        town = await held(store, thread)
        head = town.chain.head
        async with asyncio.TaskGroup() as group:
            if next_is_given_up:
                # As at a stop: the next block waits for the branches, and is cancelled.
                candidate = town.build(town.admit(town.transfer("a0", "a1")))
                waiting = group.create_task(
                    town.chain.commit(candidate, town.certify(candidate)), name="commit"
                )
                await asyncio.sleep(0)
                waiting.cancel()
                await asyncio.wait([waiting])
                assert waiting.cancelled()
            closing = group.create_task(town.chain.close(), name="close")
            for _ in range(5):
                await asyncio.sleep(0)
            assert not closing.done()
            assert is_behind(store)
            store.released.set()

        closing.result()
        assert not is_behind(store)
        assert state_root(StoredNodes(store)) == head.state_root
        # Nobody writes any more, so that whoever owns the store may close it.
        assert thread.pending == 0
    assert make_town(store).chain.head == head


async def test_closing_says_what_could_not_be_written_and_leaves_no_error_to_nobody() -> None:
    store = HeldStore()
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, each: complaints.append(each))
    async with StorageThread() as thread:
        town = await held(store, thread)
        store.fails = True
        store.released.set()
        with pytest.raises(StorageFailed):
            await town.chain.close()
    head = town.chain.head
    del town
    gc.collect()

    assert complaints == []
    store.fails = False
    assert make_town(store).chain.head == head


@pytest.mark.parametrize("fails", [False, True])
async def test_a_node_that_ends_has_written_the_branches_or_says_why_not(*, fails: bool) -> None:
    store = HeldStore()
    town = make_town()
    waiting = town.admit(*next(iter(town.settle_blocks(4))))
    block = town.build(waiting)
    async with StorageThread() as thread:
        with pytest.raises(StorageFailed) if fails else nullcontext():
            async with node_of(town.genesis, "observer", store, thread=thread) as node:
                store.fails = fails
                store.released.clear()
                checked = node.chain.check(block.header, waiting, now_ms=None, certified=True)
                await node.chain.commit(checked, town.certify(block))
                assert is_behind(store)
                # Nobody is left then who would hear of it from the store.
                (watching,) = (
                    task for task in asyncio.all_tasks() if task.get_name() == "observer-disk"
                )
                watching.add_done_callback(lambda _: store.released.set())

        assert is_behind(store) == fails
    store.fails = False
    assert make_town(store).chain.head.block_id == block.block_id


async def test_nobody_backs_up_what_may_not_have_been_written(tmp_path: Path) -> None:
    """Until the node stops, its store is of another height than its head: nothing to restore."""
    store = HeldStore()
    async with StorageThread() as thread:
        town = await held(store, thread)
        store.fails = True
        store.released.set()

        with pytest.raises(StorageFailed):
            await back_up_running(
                town.chain,
                store,
                thread,
                ManualClock(),
                tmp_path / "backup",
                blocks=False,
                software="test",
            )

    assert not (tmp_path / "backup").exists()


async def test_nothing_is_rehearsed_on_branches_that_could_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a node makes of its head until it stops is the same as after its next start."""
    # Few holders lie as close together in the tree as many do.
    monkeypatch.setattr(updating, "_AHEAD_BYTES", 1)
    monkeypatch.setattr(updating, "_CLOSE", 1)
    genesis = make_network(tmp_path).genesis
    store = HeldStore()
    plant_into(store, genesis, HOLDERS, 1)
    async with StorageThread() as thread:
        chain = Chain.open(store, genesis, thread=thread)
        time_ms = chain.head.time_ms
        while (
            payment := chain.record(PAYMENTS, payment_key(BOND, 1))
        ) is None or payment.status is not PaymentStatus.PAYING:
            time_ms += MS_PER_DAY
            candidate = chain.build(round=0, time_ms=time_ms, transactions=())
            await chain.commit(candidate, certify(candidate, genesis))
        for store.fails in (False, True):
            time_ms += 1_000
            candidate = chain.build(round=0, time_ms=time_ms, transactions=())
            await chain.commit(candidate, certify(candidate, genesis))
            await thread.drain()
        time_ms += 1_000
        candidate = chain.build(round=0, time_ms=time_ms, transactions=())
        with pytest.raises(StorageFailed):
            await chain.commit(candidate, certify(candidate, genesis))
    store.fails = False

    again = Chain.open(store, genesis).build(round=0, time_ms=time_ms, transactions=())
    assert candidate.header == again.header


async def test_whoever_must_find_the_store_whole_finds_the_branches_too() -> None:
    store = MemoryStore()
    town = make_town(store)
    town.chain.durable_every = 2
    found: list[tuple[int, bool]] = []
    town.chain.listeners.append(
        lambda committed: found.append(
            (
                committed.candidate.height,
                state_root(StoredNodes(store)) == town.chain.head.state_root,
            )
        )
    )

    await live(town)

    assert [is_whole for height, is_whole in found if height % 2 == 0] == [True] * (BLOCKS // 2)


@pytest.mark.parametrize("too_many", [0, 1])
@pytest.mark.parametrize("limit", ["BRANCHES_WITH_BLOCK_MAX", "BRANCHES_OF_DUE_MAX"])
async def test_one_branch_too_many_and_they_are_behind(
    monkeypatch: pytest.MonkeyPatch, limit: str, too_many: int
) -> None:
    """Of all branches of a block, and of those that its transactions are too few for."""
    store = MemoryStore()
    town = make_town(store)
    await town.settle(5)
    candidate = town.build(town.admit(town.transfer("a0", "a1")))
    most = len(candidate.nodes) - too_many
    monkeypatch.setattr("node.chain.behind.BRANCHES_OF_TRANSACTION", 0)
    monkeypatch.setattr("node.chain.behind.BRANCHES_WITH_BLOCK_MAX", 1 << 20)
    monkeypatch.setattr("node.chain.behind.BRANCHES_OF_DUE_MAX", 1 << 20)
    monkeypatch.setattr(f"node.chain.behind.{limit}", most)
    synced = store.writes_synced

    await town.chain.commit(candidate, town.certify(candidate))

    assert store.writes_synced == synced + 1 + too_many
    assert state_root(StoredNodes(store)) == town.chain.head.state_root


async def test_blocks_without_a_sync_have_their_branches_with_them() -> None:
    """What follows them in the log could be lost without them, but never they without it."""
    store = MemoryStore()
    town = make_town(store)
    await town.settle(5)
    candidate = town.build(town.admit(town.transfer("a0", "a1")))
    await town.chain.commit(candidate, town.certify(candidate), durable=False)

    assert not is_behind(store)
    assert state_root(StoredNodes(store)) == town.chain.head.state_root


async def test_payments_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what is read ahead and rehearsed in the same thread, behind the branches."""
    genesis = make_network(tmp_path).genesis
    store = planted(genesis)
    async with StorageThread() as thread:
        roots, _ = await pay_all(store, Chain.open(store, genesis, thread=thread))
        await thread.drain()
    assert not is_behind(store)
    monkeypatch.setattr(Ahead, "plan", lambda *_: None)
    monkeypatch.setattr("node.chain.behind.BRANCHES_WITH_BLOCK_MAX", 1 << 20)
    plain = planted(genesis)

    assert (await pay_all(plain, Chain.open(plain, genesis)))[0] == roots
    assert contents(plain) == contents(store)


@pytest.mark.adversarial(69)
async def test_tree_that_cannot_be_caught_up_with_is_damage() -> None:
    store, genesis = await left_behind()
    root = layout.node_key(b"")
    original = store.get(root)
    for altered in (b"\xff\xff", None):
        store.write([(root, altered)], sync=True)
        with pytest.raises(ChainDamaged):
            Chain.open(store, genesis)
    assert original is not None
    store.write([(root, original), (layout.Meta.BEHIND.value, b"\xc1")], sync=True)
    with pytest.raises(ChainDamaged, match="cannot be made"):
        Chain.open(store, genesis)
    # Fewer keys than were changed: another root than the head's.
    store.write([(layout.Meta.BEHIND.value, encode(((b"",),)))], sync=True)
    with pytest.raises(ChainDamaged, match="state root of the tree"):
        Chain.open(store, genesis)


async def test_check_and_backup_of_a_stopped_node_catch_up_in_their_shadow(tmp_path: Path) -> None:
    store, genesis = await left_behind()
    database = open_leveldb(tmp_path / "chain", create=True)
    database.write(list(contents(store).items()), sync=True)
    database.close()
    chain = tmp_path / "chain"

    report = check_home(chain=chain, log=tmp_path / "log", genesis=genesis, name="a")
    back_up_stopped(chain, genesis, tmp_path / "backup", blocks=True, software="test")
    restored = restore(tmp_path / "backup", tmp_path / "restored", genesis)

    assert report.faults == ()
    assert restored.about.height == BLOCKS
    kept = open_leveldb(chain, create=False)
    assert contents(kept) == contents(store)
    kept.close()


@pytest.mark.adversarial(69)
async def test_check_says_what_is_damaged_where_branches_cannot_be_caught_up_with(
    tmp_path: Path,
) -> None:
    store, genesis = await left_behind()
    behind = store.get(layout.Meta.BEHIND.value)
    assert behind is not None
    changed = layout.state_key(decode(behind, BehindRecord).keys[-1])
    record = store.get(changed)
    assert record is not None
    chain = tmp_path / "chain"
    database = open_leveldb(chain, create=True)
    database.write(list(contents(store).items()), sync=True)
    database.close()
    open_leveldb(chain, create=False).close()  # What was in its log goes into a table.
    (table,) = chain.glob("*.ldb")
    data = table.read_bytes()
    assert record in data
    table.write_bytes(data.replace(record, record[:-1] + bytes((record[-1] ^ 1,))))

    report = check_home(chain=chain, log=tmp_path / "log", genesis=genesis, name="a")

    assert (report.height, report.blocks) == (BLOCKS, BLOCKS)
    assert not report.state_is_whole
    assert not report.database_is_whole
