"""What goes into a block: less in late rounds; and accusations, until a block shows them."""

import pytest

from consensus.evidence import Equivocation
from node.blocks import BLOCK_EVIDENCE_MAX, encode_evidence
from node.log import silent_log
from node.metrics import Metrics
from node.replica.bodies import Bodies
from node.replica.workshop import Workshop
from tests.chain.town import Town, make_record, make_town

CULPRIT = "crypto-council"
ONE, OTHER, THIRD = b"A" * 32, b"B" * 32, b"C" * 32


def workshop_in(town: Town) -> Workshop:
    return Workshop(
        chain=town.chain,
        mempool=town.pool,
        bodies=Bodies(),
        clock=town.clock,
        metrics=Metrics(),
        log=silent_log(),
    )


def double_vote(town: Town, round_: int, *blocks: bytes) -> Equivocation:
    first, second = (town.vote(CULPRIT, 1, block, round_=round_) for block in blocks)
    return Equivocation(first=first, second=second)


@pytest.mark.adversarial(1, 43)
async def test_a_liar_who_tells_each_another_pair_leaves_room_for_the_next_accusation() -> None:
    """Others show their pairs of his places; those of this validator then count for nothing."""
    town = make_town()
    workshop = workshop_in(town)
    shown = []
    for round_ in range(BLOCK_EVIDENCE_MAX):
        workshop.keep_evidence(double_vote(town, round_, ONE, OTHER))
        shown.append(encode_evidence(double_vote(town, round_, ONE, THIRD)))
    committed = await town.decide(evidence=shown)
    assert len(committed.candidate.evidence_ids) == BLOCK_EVIDENCE_MAX

    workshop.end_height(committed.candidate)
    news = double_vote(town, BLOCK_EVIDENCE_MAX, ONE, OTHER)
    workshop.keep_evidence(news)

    built = town.chain.candidate(workshop.build(0))
    assert built is not None
    assert built.block.evidence == (encode_evidence(news),)


@pytest.mark.adversarial(43)
async def test_the_longer_a_height_lasts_the_smaller_are_its_blocks() -> None:
    """The log keeps the block of each round, and large ones may be why it lasts."""
    town = make_town(record=make_record(transactions_max=16))
    await town.settle(accounts=2)
    town.wait(*(town.transfer("a0", "a1", amount) for amount in range(1, 21)))
    workshop = workshop_in(town)

    def count_in(round_: int) -> int:
        built = town.chain.candidate(workshop.build(round_))
        assert built is not None
        return len(built.transaction_ids)

    assert [count_in(round_) for round_ in (0, 7, 8, 9, 10, 11, 12, 1_000_000)] == [
        *(16, 16, 8, 4, 2, 1, 0, 0)
    ]
    assert len(town.pool) == 20, "what is left out goes on waiting"


@pytest.mark.adversarial(38, 43)
async def test_what_no_new_block_can_hold_leaves_the_pool_while_a_height_lasts() -> None:
    town = make_town()
    await town.settle(accounts=2)
    town.wait(town.transfer("a0", "a1", 1))
    (waiting,) = town.pool.waiting()
    workshop = workshop_in(town)
    last_ms = waiting.body.valid_until_ms + town.chain.genesis.blocks.clock_behind_max_ms

    town.clock.advance(last_ms - 1 - town.clock.now_ms())
    workshop.expire()
    assert len(town.pool) == 1, "a block of a validator whose clock is behind may hold it"
    town.clock.advance(1)
    workshop.expire()
    assert len(town.pool) == 0
