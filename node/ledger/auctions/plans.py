"""The plan of auctions to come, as a debt office publishes one each quarter.

A plan promises nothing: an auction is held by its announcement alone, which names a line, a rule
and the moments. Until then what stands here may be put differently, as a new version of the plan.
"""

from itertools import pairwise
from typing import Annotated, Final

import msgspec

from node.codec import Record
from node.ledger.auctions.terms import TARGET_MAX, Form
from node.ledger.identifiers import AssetCode, Name
from node.ledger.phrases import AuctionPlanFault, Reason
from node.ledger.units import Day, Milliseconds

PLANNED_MAX: Final = 64
"""Auctions of one plan. A quarter of Pakistan's has some 7 of bills and 3 of bonds."""
TENOR_MONTHS_MAX: Final = 1_200
SPAN_DAYS_MAX: Final = 366
"""From the first auction of a plan to the last."""
SETTLING_DAYS_MAX: Final = 31
"""From an auction to its settlement."""
VERSION_MAX: Final = (1 << 32) - 1
PLANNED_KINDS: Final = ("bill", "bond", "sukuk")

PlanVersion = Annotated[int, msgspec.Meta(ge=0, le=VERSION_MAX)]


class PlannedAuction(Record):
    """An auction that is to be announced."""

    day: Day
    """On which bids are to come in."""
    settlement_day: Day
    kind: Name
    """`bill`, `bond` or `sukuk`."""
    tenor_months: Annotated[int, msgspec.Meta(ge=1, le=TENOR_MONTHS_MAX)]
    form: Form
    line: AssetCode | None
    """Which is to be reopened, bought back or switched; None: a new one, or not yet chosen."""
    asset: AssetCode
    """The cash that it is to be paid in; the target is counted in its minor units."""
    target: int
    """The face to be offered, or taken."""
    provisional: bool
    """Whether its day hangs on something that is not certain, such as a moon."""


PlannedAuctions = Annotated[tuple[PlannedAuction, ...], msgspec.Meta(max_length=PLANNED_MAX)]
"""In ascending order of day, kind, tenor, line and form, each once."""


class PlanRecord(Record):
    """The ruling version of a plan. Never deleted."""

    version: PlanVersion
    published_ms: Milliseconds
    auctions: PlannedAuctions
    """None: it was withdrawn."""


def plan_fault_of(auctions: tuple[PlannedAuction, ...], *, today: Day) -> Reason | None:
    """Return what contradicts itself in a plan published today, or None."""
    for each in auctions:
        if each.kind not in PLANNED_KINDS:
            return AuctionPlanFault.PLANNED_OF_NO_KIND.of(
                day=each.day, found=each.kind, known=", ".join(PLANNED_KINDS)
            )
        if not each.day <= each.settlement_day <= each.day + SETTLING_DAYS_MAX:
            return AuctionPlanFault.PLANNED_TO_SETTLE_LATE.of(
                day=each.day, settles=each.settlement_day, most=SETTLING_DAYS_MAX
            )
        if not 0 < each.target <= TARGET_MAX:
            return AuctionPlanFault.PLANNED_TARGET_OUT_OF_RANGE.of(
                day=each.day, asset=each.asset, target=each.target, most=TARGET_MAX
            )
    if any(_order(left) >= _order(right) for left, right in pairwise(auctions)):
        return AuctionPlanFault.PLAN_OUT_OF_ORDER.of()
    if auctions and auctions[-1].day < today:
        return AuctionPlanFault.PLAN_IS_OVER.of(last=auctions[-1].day, today=today)
    if auctions and auctions[-1].day - auctions[0].day > SPAN_DAYS_MAX:
        return AuctionPlanFault.PLAN_TOO_LONG.of(
            days=auctions[-1].day - auctions[0].day, most=SPAN_DAYS_MAX
        )
    return None


def _order(each: PlannedAuction) -> tuple[int, str, int, str, int]:
    return each.day, each.kind, each.tenor_months, each.line or "", each.form
