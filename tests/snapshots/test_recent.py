"""The ids that may still come again: all of them, and none that is not one."""

import pytest

from node.blocks import block_id
from node.codec import encode, replace
from node.snapshots import BadPart, BlockIds, RecentIds, Snapshot, decode_block_ids
from node.snapshots.recent import Walked
from node.snapshots.source import pin
from tests.chain.town import Town, make_record, make_town

WINDOW_MS = 4_000
"""Blocks of a town are a second apart: four of them."""


async def busy_town(blocks: int = 12) -> Town:
    """A town with a window of four blocks, each of which holds some transfers."""
    town = make_town(record=make_record(window_ms=WINDOW_MS))
    await town.settle(2)
    while town.chain.head.height < blocks:
        transfers = [town.transfer("a0", "a1", 1 + each) for each in range(3)]
        await town.decide(*transfers)
    return town


def snapshot_of(town: Town) -> Snapshot:
    snapshot = pin(town.store.view(), town.chain.head, town.genesis)
    assert snapshot is not None
    return snapshot


def walk_of(town: Town, snapshot: Snapshot, *, walked: Walked | None = None) -> RecentIds:
    return RecentIds(snapshot.point, genesis=town.genesis, window_ms=WINDOW_MS, walked=walked)


def blocks_of(snapshot: Snapshot, below: int) -> tuple[BlockIds, ...]:
    return tuple(decode_block_ids(item) for item in snapshot.ids(below))


@pytest.mark.adversarial(56)
async def test_ids_reach_down_to_the_block_before_the_window() -> None:
    town = await busy_town()
    snapshot = snapshot_of(town)
    walk = walk_of(town, snapshot)
    assert (walk.below, walk.is_complete) == (13, False)

    taken = walk.accept(blocks_of(snapshot, walk.below))

    assert walk.is_complete
    assert walk.walked is not None
    edge_ms = town.chain.head.time_ms - WINDOW_MS
    times = {h: b.header.time_ms for h in range(1, 13) if (b := town.chain.block(h)) is not None}
    assert walk.walked.bottom == max(h for h, time_ms in times.items() if time_ms <= edge_ms)
    assert {height for _, height, _ in taken} == set(range(walk.walked.bottom, 13))
    for identifier, height, index in taken:
        assert town.chain.transaction(identifier) == (height, index)


async def test_young_chain_is_shown_whole() -> None:
    town = await busy_town(3)
    snapshot = snapshot_of(town)
    walk = walk_of(town, snapshot)

    walk.accept(blocks_of(snapshot, walk.below))

    assert walk.walked is not None
    assert (walk.walked.bottom, walk.is_complete) == (1, True)


async def test_pages_follow_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.snapshots.source.PAGE_SIZE_TARGET", 1)
    town = await busy_town()
    snapshot = snapshot_of(town)
    walk = walk_of(town, snapshot)
    pages = 0

    while not walk.is_complete:
        assert len(walk.accept(blocks_of(snapshot, walk.below))) == 3
        pages += 1

    assert pages == 5


@pytest.mark.adversarial(53, 56)
async def test_forged_lists_of_ids_are_refused_and_change_nothing() -> None:
    town = await busy_town()
    snapshot = snapshot_of(town)
    good = blocks_of(snapshot, 13)
    first, second, *_ = good
    forged: list[tuple[tuple[BlockIds, ...], str]] = [
        ((), "no block"),
        ((second,), "expected"),
        ((first, good[2]), "expected"),
        ((replace(first, ids=first.ids[:-1]), second), "ids make"),
        ((replace(first, ids=(*first.ids, bytes(32))), second), "ids make"),
        ((replace(first, ids=first.ids[::-1]),), "ids make"),
        ((first, replace(second, ids=())), "ids make"),
        ((replace(first, header=replace(first.header, time_ms=1)),), "expected"),
        ((first, replace(second, header=replace(second.header, time_ms=1))), "expected"),
    ]
    for blocks, named in forged:
        walk = walk_of(town, snapshot)
        with pytest.raises(BadPart, match=named):
            walk.accept(blocks)
        assert (walk.walked, walk.below) == (None, 13)
        walk.accept(good)
        assert walk.is_complete


@pytest.mark.adversarial(56)
async def test_list_that_ends_before_the_window_is_not_complete() -> None:
    town = await busy_town()
    snapshot = snapshot_of(town)
    walk = walk_of(town, snapshot)

    walk.accept(blocks_of(snapshot, 13)[:-1])

    assert not walk.is_complete
    with pytest.raises(BadPart, match="edge of the window not reached"):
        walk.accept(())


async def test_first_block_stands_on_the_genesis() -> None:
    town, other = await busy_town(3), make_town()
    snapshot = snapshot_of(town)
    walk = RecentIds(snapshot.point, genesis=other.genesis, window_ms=WINDOW_MS)

    with pytest.raises(BadPart, match="does not stand on the genesis"):
        walk.accept(blocks_of(snapshot, 4))


async def test_walk_from_a_newer_snapshot_goes_on_where_the_former_ended() -> None:
    town = await busy_town(10)
    older = snapshot_of(town)
    former = walk_of(town, older)
    former.accept(blocks_of(older, former.below)[:2])
    for _ in range(2):
        await town.decide(town.transfer("a0", "a1", 1))
    newer = snapshot_of(town)

    walk = walk_of(town, newer, walked=former.walked)
    taken = walk.accept(blocks_of(newer, walk.below))

    assert {height for _, height, _ in taken} == {11, 12}, "the rest is known"
    assert walk.below == 9
    walk.accept(blocks_of(newer, walk.below))
    assert walk.is_complete


async def test_former_walk_of_the_same_snapshot_is_gone_on_with() -> None:
    town = await busy_town()
    snapshot = snapshot_of(town)
    former = walk_of(town, snapshot)
    former.accept(blocks_of(snapshot, 13)[:2])

    walk = walk_of(town, snapshot, walked=former.walked)

    assert walk.below == 11
    assert walk.walked == former.walked


async def test_former_walk_of_another_chain_is_not_met() -> None:
    town = await busy_town()
    snapshot = snapshot_of(town)
    walked = Walked(top=12, top_id=bytes(32), bottom=9, parent=bytes(32), time_ms=1)

    walk = walk_of(town, snapshot, walked=walked)
    walk.accept(blocks_of(snapshot, 13))

    assert walk.walked is not None
    assert walk.walked.top_id == block_id(snapshot.point.header)
    assert walk.walked.bottom < 9


def test_bytes_that_are_no_ids_are_refused() -> None:
    for data in (b"", b"\xc1", encode((1, ())), encode((1, 2))):
        with pytest.raises(BadPart):
            decode_block_ids(data)
