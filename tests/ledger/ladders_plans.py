"""The table of the plans of auctions."""

from typing import Any, Final

from node.codec import replace
from node.ledger.auctions import Form
from node.ledger.auctions.plans import PlannedAuction, PlanRecord
from node.ledger.operations import PublishPlan
from node.ledger.outcomes import Outcome
from node.ledger.tables import PLANS, name_key
from tests.ledger.ladder import Ladder, Row, acting_rows, putting, surplus_row
from tests.ledger.world import BILL, CB, FM, NOW_MS, PKR, TODAY, address

PLAN: Final = "2024-q4"
PLANNED: Final = PlannedAuction(
    day=TODAY + 7,
    settlement_day=TODAY + 8,
    kind="bill",
    tenor_months=3,
    form=Form.PRICE,
    line=None,
    asset=PKR,
    target=100_000_000,
    provisional=False,
)
LATER: Final = replace(PLANNED, day=TODAY + 21, settlement_day=TODAY + 22, line=BILL)
RULING: Final = PlanRecord(version=2, published_ms=NOW_MS - 1, auctions=(PLANNED,))


def planning(**changes: Any) -> dict[str, object]:
    """Return the change to a plan whose one auction is different so."""
    return {"auctions": (replace(PLANNED, **changes),)}


INVALID: Final[dict[str, dict[str, object]]] = {
    "of no kind": planning(kind="cash"),
    "it settles before it is held": planning(settlement_day=TODAY + 6),
    "it settles in two months": planning(settlement_day=TODAY + 67),
    "a target of nothing": planning(target=0),
    "a target beyond an amount": planning(target=1 << 63),
    "out of order": {"auctions": (LATER, PLANNED)},
    "one twice": {"auctions": (PLANNED, PLANNED)},
    "all of it is over": planning(day=TODAY - 1, settlement_day=TODAY),
    "two years": {
        "auctions": (PLANNED, replace(LATER, day=TODAY + 700, settlement_day=TODAY + 700))
    },
    "in no cash": planning(asset=BILL),
    "a line that is cash": planning(line=PKR),
    "a bill as a bond": planning(line=BILL, kind="bond"),
    "nothing to withdraw": {"auctions": ()},
}

PUBLISH_PLAN: Final = Ladder(
    act="publish_plan",
    good=PublishPlan(
        account=address(FM), approvers=(), plan=PLAN, version=0, auctions=(PLANNED, LATER)
    ),
    by=(FM,),
    rows=(
        *acting_rows(),
        Row(
            why="no such cash",
            outcome=Outcome.ASSET_UNKNOWN,
            change=planning(asset="NOPE"),
        ),
        Row(
            why="no such line",
            outcome=Outcome.ASSET_UNKNOWN,
            change=planning(line="NOPE"),
        ),
        Row(
            why="the bank has no say in it",
            outcome=Outcome.OFFICES_MISSING,
            change={"account": address(CB)},
            by=(CB,),
        ),
        Row(
            why="not a name",
            outcome=Outcome.NAME_NOT_ACCEPTED,
            change={"plan": "2024 Q4"},
            alone=True,
        ),
        Row(
            why="another version rules",
            outcome=Outcome.PLAN_VERSION_PASSED,
            prepare=putting(PLANS, name_key(PLAN), RULING),
        ),
        Row(
            why="none rules yet",
            outcome=Outcome.PLAN_VERSION_PASSED,
            change={"version": 1},
        ),
        *(
            Row(why=why, outcome=Outcome.PLAN_NOT_VALID, change=change, alone=True)
            for why, change in INVALID.items()
        ),
        surplus_row(FM),
    ),
)
