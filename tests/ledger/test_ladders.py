"""Every act's table of refusals: each row alone, and each together with all rows below it."""

import pytest

from node.ledger.acting import GovernedOperation
from node.ledger.catalogue import ACTS
from node.ledger.explaining import explain
from node.ledger.outcomes import ENVELOPE_OUTCOMES, SETTLEMENT_OUTCOMES, Outcome
from tests.ledger import (
    ladders_assets,
    ladders_auctions,
    ladders_calendars,
    ladders_governance,
    ladders_lifecycle,
    ladders_paper,
    ladders_plans,
    ladders_registry,
)
from tests.ledger.ladder import Ladder, Row, spoil
from tests.ledger.world import World, make_market

LADDERS = (
    *ladders_registry.LADDERS,
    *ladders_assets.LADDERS,
    *ladders_governance.LADDERS,
    *ladders_calendars.LADDERS,
    *ladders_auctions.LADDERS,
    ladders_plans.PUBLISH_PLAN,
    *ladders_lifecycle.LADDERS,
    *ladders_paper.LADDERS,
    *ladders_registry.OF_PERSONS,
)
STEPS = [(ladder, index) for ladder in LADDERS for index in range(len(ladder.rows))]
COMBINED = [(ladder, index) for ladder, index in STEPS if not ladder.rows[index].alone]


def _names(steps: list[tuple[Ladder, int]]) -> list[str]:
    return [f"{ladder.act}: {ladder.rows[index].why}" for ladder, index in steps]


@pytest.fixture(scope="module")
def market() -> World:
    return make_market()


@pytest.mark.parametrize("ladder", LADDERS, ids=[ladder.act for ladder in LADDERS])
def test_operation_of_the_table_applies(market: World, ladder: Ladder) -> None:
    receipt = spoil(market, ladder, ())

    assert receipt.outcome is Outcome.APPLIED, explain(receipt.outcome, receipt.details)
    assert receipt.events


@pytest.mark.adversarial(60, 61, 62)
@pytest.mark.parametrize(("ladder", "index"), STEPS, ids=_names(STEPS))
def test_operation_is_refused_for_its_fault(market: World, ladder: Ladder, index: int) -> None:
    row = ladder.rows[index]

    receipt = spoil(market, ladder, (row,))

    assert receipt.outcome is row.outcome
    whole = row.outcome is Outcome.SIGNATURE_NOT_NEEDED
    assert receipt.operation == (None if whole else 0)
    assert "…" not in explain(receipt.outcome, receipt.details)


@pytest.mark.parametrize(("ladder", "index"), COMBINED, ids=_names(COMBINED))
def test_operation_is_refused_for_the_first_of_its_faults(
    market: World, ladder: Ladder, index: int
) -> None:
    rows: list[Row] = [row for row in ladder.rows[index:] if not row.alone]

    assert spoil(market, ladder, rows).outcome is rows[0].outcome


@pytest.mark.parametrize("ladder", LADDERS, ids=[ladder.act for ladder in LADDERS])
def test_table_is_in_order_of_precedence(ladder: Ladder) -> None:
    order = list(Outcome)
    outcomes = [order.index(row.outcome) for row in ladder.rows]
    if ladder.rows[-1].outcome is Outcome.SIGNATURE_NOT_NEEDED:
        outcomes.pop()  # looked at when every operation has been applied

    # The account that acts is looked at before an approver's.
    acting = order.index(Outcome.SIGNATURES_MISSING)
    others = [outcome for outcome in outcomes if outcome > acting]
    assert others == sorted(others)


def test_every_act_has_a_table() -> None:
    assert {ladder.act for ladder in LADDERS} == {act.name for act in ACTS}


def test_every_outcome_stands_in_a_table_or_belongs_to_the_envelope() -> None:
    in_tables = {row.outcome for ladder in LADDERS for row in ladder.rows}

    # What is settled by time, and what others did in the block (`test_stripping.py`,
    # `test_crowds.py`).
    by_time = {*SETTLEMENT_OUTCOMES, Outcome.STRIPPING_CROWDED, Outcome.BLOCK_CROWDED}
    assert in_tables | by_time | {*ENVELOPE_OUTCOMES, Outcome.APPLIED} == set(Outcome)
    assert not in_tables & by_time


def test_governed_operations_name_approvers() -> None:
    for ladder in LADDERS:
        governed = isinstance(ladder.good, GovernedOperation)
        assert governed == hasattr(ladder.good, "approvers")
