"""What the charts are made of: counted from commits, by minutes of block time, bounded."""

from node.explorer.hour import MINUTE_MS, Hour
from node.explorer.limits import (
    FINALITY_FRESH_MS,
    MINUTES_MAX,
    RECENT_BLOCKS_MAX,
    ROUNDS_COUNTED_MAX,
)
from tests.chain.town import Town, make_record, make_town


def watched(town: Town) -> Hour:
    """An hour that hears of the town's blocks."""
    hour = Hour(town.clock, town.chain.validators_at)
    town.chain.listeners.append(hour.note)
    return hour


async def decide(town: Town, *, round_: int = 0, late_ms: int = 0) -> None:
    """Commit an empty block of this round, so long after it was proposed."""
    candidate = town.build(round_=round_)
    town.clock.advance(late_ms)
    await town.chain.commit(candidate, town.certify(candidate))


async def test_a_block_is_counted_in_its_minute() -> None:
    town = make_town()
    hour = watched(town)

    await town.settle(2)
    await town.decide(town.transfer("a0", "a1"), town.transfer("a1", "a0", 10**15))

    now = hour.minutes(town.clock.now_ms())[-1]
    assert (now.blocks, now.transactions, now.refused) == (3, 4, 1)
    head = town.chain.head
    block = hour.block(head.height)
    assert block is not None
    assert (block.block_id, block.transactions, block.refused) == (head.block_id, 2, 1)
    assert hour.height_of(head.block_id) == head.height
    assert hour.block(head.height + 1) is None
    assert hour.block(0) is None


async def test_finality_is_from_the_proposers_clock_to_the_commit_here() -> None:
    town = make_town()
    hour = watched(town)

    await decide(town, late_ms=40)
    await decide(town, late_ms=61)

    minute = hour.minutes(town.clock.now_ms())[-1]
    assert minute.mean_finality_ms == 50
    assert [block.finality_ms for block in hour.lately(MINUTE_MS)] == [61, 40]


async def test_a_block_that_was_caught_up_with_is_not_timed() -> None:
    town = make_town()
    hour = watched(town)

    await decide(town, late_ms=FINALITY_FRESH_MS + 1)

    (block,) = hour.lately(MINUTE_MS)
    assert block.finality_ms is None
    minutes = hour.minutes(town.clock.now_ms())
    assert sum(minute.blocks for minute in minutes) == 1
    assert [minute.mean_finality_ms for minute in minutes] == [None] * MINUTES_MAX


async def test_proposers_of_rounds_that_decided_nothing_have_missed() -> None:
    town = make_town()
    hour = watched(town)
    validators = town.chain.validators

    await decide(town, round_=2)

    missed = hour.minutes(town.clock.now_ms())[-1].missed
    assert missed == {validators.proposer(1, round_).id: 1 for round_ in (0, 1)}  # type: ignore[arg-type]
    assert hour.last_proposed(validators.proposer(1, 2).id) == 1  # type: ignore[arg-type]


async def test_rounds_of_one_height_are_counted_up_to_a_bound() -> None:
    town = make_town()
    hour = watched(town)

    await decide(town, round_=ROUNDS_COUNTED_MAX + 50)

    assert hour.minutes(town.clock.now_ms())[-1].missed.total() == ROUNDS_COUNTED_MAX


async def test_signers_are_those_of_the_certificate() -> None:
    town = make_town()
    hour = watched(town)

    await decide(town)
    await decide(town)

    names = [validator.id for validator in town.chain.validators]
    signed = hour.minutes(town.clock.now_ms())[-1].signed
    assert signed == dict.fromkeys(names[:3], 2)
    assert [hour.last_signed(name) for name in names] == [2, 2, 2, None]


async def test_votes_are_counted_against_all_that_there_could_be() -> None:
    """Also over a change of who decides."""
    town = make_town()
    hour = watched(town)
    await decide(town)
    assert hour.minutes(town.clock.now_ms())[-1].votes_share == 75
    assert hour.minutes(town.clock.now_ms())[0].votes_share is None

    await town.decide(town.remove_validator("central-bank"))
    await decide(town)

    minute = hour.minutes(town.clock.now_ms())[-1]
    assert (minute.seats, minute.signed.total()) == (4 + 4 + 3, 9)
    assert minute.votes_share == 81


async def test_a_validator_that_left_is_forgotten() -> None:
    town = make_town()
    hour = watched(town)
    await town.decide(town.remove_validator("central-bank"))

    assert hour.last_signed("central-bank") is None
    assert hour.last_signed("crypto-council") == 1


async def test_an_hour_is_kept_and_no_more() -> None:
    town = make_town()
    hour = watched(town)
    for _ in range(MINUTES_MAX + 5):
        await decide(town, late_ms=MINUTE_MS)

    minutes = hour.minutes(town.clock.now_ms())

    assert len(minutes) == len(hour._minutes) == MINUTES_MAX
    assert [minute.minute for minute in minutes] == sorted(minute.minute for minute in minutes)


async def test_blocks_remembered_are_bounded() -> None:
    town = make_town(record=make_record(validators=1))
    hour = watched(town)
    await decide(town)
    (first,) = hour._recent
    for height in range(2, RECENT_BLOCKS_MAX + 10):
        hour._remember(
            type(first)(
                height=height,
                block_id=height.to_bytes(32),
                time_ms=first.time_ms + height,
                proposer=first.proposer,
                round=0,
                transactions=0,
                refused=0,
                finality_ms=None,
            )
        )

    assert len(hour._recent) == len(hour._heights) == RECENT_BLOCKS_MAX
    assert hour.block(1) is None
    assert hour.height_of(first.block_id) is None
    assert hour.block(RECENT_BLOCKS_MAX) is not None
