"""Which snapshots a node keeps, and that none outlives its time."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from node.ledger.commitment import plant
from node.log import silent_log
from node.metrics import Metrics
from node.snapshots import Leaves, Pins, Snapshot, SnapshotGone, source
from node.storage import KeyValueStore, MemoryStore, StorageThread, open_leveldb
from tests.chain.town import Town, make_record, make_town


@pytest.fixture(params=["memory", "leveldb"])
async def town(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Town]:
    store: KeyValueStore = (
        MemoryStore() if request.param == "memory" else open_leveldb(tmp_path / "db", create=True)
    )
    yield make_town(store)
    store.close()


def pins_of(town: Town, interval: int = 3, *, thread: StorageThread | None = None) -> Pins:
    return Pins(
        town.chain,
        town.store,
        interval=interval,
        thread=thread,
        metrics=Metrics(),
        log=silent_log(),
    )


async def grow(town: Town, height: int) -> None:
    while town.chain.head.height < height:
        await town.decide()


async def test_newest_two_at_multiples_of_the_interval_are_kept(town: Town) -> None:
    pins = pins_of(town)
    seen = []
    for height in range(1, 11):
        await grow(town, height)
        seen.append(pins.heights)

    assert seen == [(), (), (3,), (3,), (3,), (3, 6), (3, 6), (3, 6), (6, 9), (6, 9)]
    assert [height for height, _ in pins.points()] == [6, 9]
    pins.close()
    assert pins.heights == ()


async def test_start_is_pinned_too_if_there_is_a_block(town: Town) -> None:
    await grow(town, 4)

    pins = pins_of(town)
    first = pins.heights
    await grow(town, 6)

    assert (first, pins.heights) == ((4,), (4, 6))
    pins.close()


async def test_run_of_copied_blocks_ends_where_a_snapshot_is_pinned(town: Town) -> None:
    pins = pins_of(town)
    roots = {}
    for _ in range(7):
        candidate = town.build()
        await town.chain.commit(candidate, town.certify(candidate), durable=False)
        roots[candidate.height] = candidate.header.state_root
    await town.chain.make_durable()

    assert pins.heights == (3, 6)
    for height in pins.heights:
        snapshot = pins.of(height)
        assert snapshot is not None
        assert snapshot.point.header.state_root == roots[height]
        assert hash_of_state(snapshot) == roots[height]
    pins.close()


def hash_of_state(snapshot: Snapshot) -> bytes:
    """Return the root of what a snapshot holds."""
    chunk = snapshot.chunk(b"")
    assert isinstance(chunk, Leaves)
    return plant(b"", zip(chunk.keys, chunk.values, strict=True)).slot


async def test_interval_of_zero_serves_none(town: Town) -> None:
    await grow(town, 3)

    assert pins_of(town, 0).heights == ()


async def test_snapshot_stays_at_its_height_while_the_chain_goes_on(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "CHUNK_RECORDS_MAX", 4)
    await town.settle(3)
    pins = pins_of(town, interval=1_000)
    (height,) = pins.heights
    snapshot = pins.of(height)
    assert snapshot is not None
    before = list(snapshot.chunks())

    await town.decide(town.transfer("a0", "a1", 1_000_000), town.transfer("a1", "a2", 7))

    assert list(snapshot.chunks()) == before
    assert town.chain.head.state_root != snapshot.point.header.state_root
    pins.close()


async def test_reader_of_a_snapshot_that_is_let_go_is_told(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "STEP_RECORDS", 1)
    await grow(town, 3)
    pins = pins_of(town)
    snapshot = pins.of(3)
    assert snapshot is not None
    steps = snapshot.chunk_steps(b"")
    assert next(steps) is None

    await grow(town, 9)

    assert pins.of(3) is None
    for read in (lambda: next(steps), lambda: snapshot.handovers(0), lambda: snapshot.ids(3)):
        with pytest.raises(SnapshotGone, match="height 3"):
            read()
    pins.close()


async def test_view_is_closed_on_the_thread_that_reads(town: Town) -> None:
    async with StorageThread() as thread:
        await grow(town, 3)
        pins = pins_of(town, thread=thread)
        snapshot = pins.of(3)
        assert isinstance(snapshot, Snapshot)
        pins.close()
        await thread.drain()

        with pytest.raises(SnapshotGone):
            snapshot.chunk(b"")


async def test_snapshot_without_the_ids_of_its_window_is_not_served() -> None:
    """A node that has just joined has no blocks of before; it serves none until it has."""
    town = make_town(record=make_record(window_ms=3_000), keep_blocks=4)
    await grow(town, 12)
    earliest = town.chain.history.earliest
    assert earliest > 1
    snapshot = source.pin(town.store.view(), town.chain.head, town.genesis)
    assert snapshot is not None
    assert snapshot.has_all_ids(), "pruning leaves the window"

    for height in range(earliest, 12):
        town.store.write([(b"B" + height.to_bytes(8), None)], sync=True)
    again = source.pin(town.store.view(), town.chain.head, town.genesis)

    assert again is not None
    assert not again.has_all_ids()
