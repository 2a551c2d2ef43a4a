"""A run of blocks is made durable by its last one: what a power cut leaves, and who hears when."""

import pytest

from node.chain import BlockFault, InvalidBlock
from node.storage import MemoryStore
from tests.chain.stores import LossyStore, contents
from tests.chain.test_recovery import live, transactions_of
from tests.chain.town import Town, make_town

BLOCKS = 6


async def run_to(town: Town, top: int, *, durable_from: int) -> None:
    """Copy the blocks of `live` up to this height; those below `durable_from` without a sync."""
    original = make_town()
    await live(original, top)
    for height in range(town.chain.head.height + 1, top + 1):
        block, certificate = original.chain.block(height), original.chain.certificate(height)
        assert block is not None
        assert certificate is not None
        transactions = await town.admission.verify_block(block.transactions)
        candidate = town.chain.check(block.header, transactions, now_ms=None, certified=True)
        await town.chain.commit(candidate, certificate, durable=height >= durable_from)


async def test_last_block_of_a_run_makes_the_whole_of_it_durable_with_one_sync() -> None:
    store = MemoryStore()
    town = make_town(store)
    heard: list[tuple[int, int]] = []
    town.chain.listeners.append(
        lambda committed: heard.append((committed.candidate.height, town.chain.head.height))
    )
    before = store.writes_synced

    await run_to(town, BLOCKS, durable_from=BLOCKS)

    assert store.writes_synced == before + 1
    assert town.chain.is_durable
    assert heard == [(height, BLOCKS) for height in range(1, BLOCKS + 1)]


async def test_nobody_hears_of_a_block_before_it_is_durable() -> None:
    store = MemoryStore()
    town = make_town(store)
    heard: list[int] = []
    town.chain.listeners.append(lambda committed: heard.append(committed.candidate.height))

    await run_to(town, 3, durable_from=BLOCKS)
    assert (town.chain.head.height, town.chain.is_durable, heard) == (3, False, [])

    synced = store.writes_synced
    await town.chain.make_durable()
    await town.chain.make_durable()
    assert (town.chain.is_durable, heard) == (True, [1, 2, 3])
    assert store.writes_synced == synced + 1


async def test_run_ends_where_somebody_must_find_the_store_as_a_block_left_it() -> None:
    town = make_town()
    town.chain.durable_every = 2
    heard: list[tuple[int, int]] = []
    town.chain.listeners.append(
        lambda committed: heard.append((committed.candidate.height, town.chain.head.height))
    )

    await run_to(town, BLOCKS, durable_from=BLOCKS)

    assert heard == [(1, 2), (2, 2), (3, 4), (4, 4), (5, 6), (6, 6)]


@pytest.mark.adversarial(70)
@pytest.mark.parametrize("kept", range(BLOCKS))
async def test_power_cut_in_a_run_leaves_whole_blocks_and_the_rest_is_copied_again(
    kept: int,
) -> None:
    store = LossyStore()
    town = make_town(store)
    await run_to(town, BLOCKS, durable_from=BLOCKS + 1)
    assert not town.chain.is_durable

    inner = store.after_power_cut(kept)
    again = make_town(inner)

    assert again.chain.head.height == kept
    await run_to(again, BLOCKS, durable_from=BLOCKS)
    expected = MemoryStore()
    await live(make_town(expected), BLOCKS)
    assert contents(inner) == contents(expected)


async def test_what_was_made_durable_outlives_every_power_cut() -> None:
    store = LossyStore()
    town = make_town(store)
    await run_to(town, 4, durable_from=4)
    await run_to(town, 5, durable_from=BLOCKS)

    assert make_town(store.after_power_cut(0)).chain.head.height == 4


async def test_contents_that_are_not_the_headers_are_known_without_applying_them() -> None:
    town = make_town()
    await live(town, 2)
    raws = transactions_of(town, 3)
    candidate = town.build(town.admit(*raws))
    other = town.admit(*raws[1:])

    town.chain.check_contents(candidate.header, town.admit(*raws), ())
    with pytest.raises(InvalidBlock) as refused:
        town.chain.check_contents(candidate.header, other, ())

    assert refused.value.fault is BlockFault.WRONG_TRANSACTIONS
