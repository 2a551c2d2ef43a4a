"""What goes into a block: less in late rounds."""

import pytest

from node.log import silent_log
from node.metrics import Metrics
from node.replica.bodies import Bodies
from node.replica.workshop import Workshop
from tests.chain.town import Town, make_record, make_town


def workshop_in(town: Town) -> Workshop:
    return Workshop(
        chain=town.chain,
        mempool=town.pool,
        bodies=Bodies(),
        clock=town.clock,
        metrics=Metrics(),
        log=silent_log(),
    )


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
