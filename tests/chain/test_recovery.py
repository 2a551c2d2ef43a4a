"""Power cuts: at every write of a chain's life, before it and after it, the next start goes on."""

import itertools

import pytest

from node.chain import Chain
from node.ledger.outcomes import Outcome
from node.storage import MemoryStore, StorageFailed
from tests.chain.stores import FailingStore, contents
from tests.chain.town import START_MS, Town, make_town

BLOCKS = 6


async def live(town: Town, blocks: int = BLOCKS) -> None:
    """Bring the town to this height: always the same blocks, wherever it begins."""
    while town.chain.head.height < blocks:
        height = town.chain.head.height + 1
        town.salts = itertools.count(height * 1_000)
        town.clock.advance(START_MS + height * 10_000 - town.clock.now_ms())
        await town.decide(*transactions_of(town, height))


def transactions_of(town: Town, height: int) -> list[bytes]:
    """What stands in the block of this height."""
    if height <= 2:
        *_, raws = itertools.islice(town.settle_blocks(4), height)
        return raws
    if height == 4:
        return [town.remove_validator("crypto-council")]
    return [town.transfer("a0", f"a{each}", height) for each in (1, 2, 3)]


async def undisturbed() -> dict[bytes, bytes]:
    store = MemoryStore()
    await live(make_town(store))
    return contents(store)


@pytest.mark.adversarial(70)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("fails_at", range(BLOCKS + 1))
async def test_power_cut_at_any_write_costs_at_most_one_block(
    fails_at: int, *, after: bool
) -> None:
    inner = MemoryStore()
    store = FailingStore(inner, fails_at=fails_at, after=after)
    with pytest.raises(StorageFailed):
        await live(make_town(store))
    written = store.writes - 1 + after

    again = make_town(inner)

    assert again.chain.head.height == max(written - 1, 0)
    await live(again)
    assert contents(inner) == await undisturbed()


async def test_chain_whose_write_failed_commits_nothing_more() -> None:
    """It is not known what reached the disk: only opening it anew tells."""
    inner = MemoryStore()
    town = make_town(FailingStore(inner, fails_at=2, after=True))
    with pytest.raises(StorageFailed):
        await live(town)
    candidate = town.chain.build(round=0, time_ms=0, transactions=())

    with pytest.raises(AssertionError):
        await town.chain.commit(candidate, town.certify(candidate))

    assert Chain.open(inner, town.genesis).head.height == town.chain.head.height + 1


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_chain_whose_write_failed_is_never_settled_again(*, after: bool) -> None:
    """A backup would be of another height than the head, and nobody could restore it."""
    town = make_town(FailingStore(MemoryStore(), fails_at=3, after=after))
    await live(town, 2)
    await town.chain.settled()
    with pytest.raises(StorageFailed):
        await live(town, 3)

    for _ in range(2):
        with pytest.raises(StorageFailed):
            await town.chain.settled()


@pytest.mark.adversarial(57)
async def test_transaction_of_the_block_that_was_cut_off_is_applied_once() -> None:
    inner = MemoryStore()
    store = FailingStore(inner, fails_at=3, after=True)
    town = make_town(store)
    await live(town, 2)
    raw = town.transfer("a0", "a1", 5)
    (transaction,) = town.admit(raw)
    with pytest.raises(StorageFailed):
        await town.decide(raw)

    again = make_town(inner)

    assert again.chain.seen(transaction.id)
    (refusal,) = again.admission.verify_batch([raw])
    assert getattr(refusal, "outcome", None) is Outcome.DUPLICATE
