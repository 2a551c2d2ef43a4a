"""Publish a plan of auctions to come, or another version of one."""

from typing import Final

from node.codec import Record
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.auctions.plans import (
    PlannedAuction,
    PlannedAuctions,
    PlanRecord,
    PlanVersion,
    plan_fault_of,
)
from node.ledger.calendars import today
from node.ledger.checks import check_name
from node.ledger.holdings import asset_of
from node.ledger.identifiers import Address, Name
from node.ledger.outcomes import Outcome, Reject
from node.ledger.phrases import AuctionPlanFault, CashFault, Reason
from node.ledger.protocol import DEBT_DESK
from node.ledger.tables import PLANS, AssetRecord, name_key
from node.ledger.terms import CashTerms, kind_of


class PublishPlan(Record, tag=116):
    """Publish a plan under a name, such as 2027-q1. The subject of the powers matrix is the name.

    Without auctions the plan is withdrawn.
    """

    account: Address
    approvers: Approvers
    plan: Name
    version: PlanVersion
    """The one that is replaced: what the offices have looked at. 0: there is none."""
    auctions: PlannedAuctions


class PlanPublished(Record, tag=116):
    """Another version of a plan of auctions rules."""

    plan: Name
    version: PlanVersion
    auctions: int
    """How many."""


def _apply(context: ActContext, operation: PublishPlan) -> None:
    state, plan = context.state, operation.plan
    participants = context.authority.participants(operation.account, operation.approvers)
    assets = [
        (asset_of(state, each.asset), None if each.line is None else asset_of(state, each.line))
        for each in operation.auctions
    ]
    context.authority.power(ACT.name, plan, participants)
    check_name("plan", plan)
    ruling = state.get(PLANS, name_key(plan))
    version = 0 if ruling is None else ruling.version
    if operation.version != version:
        raise Reject(
            Outcome.PLAN_VERSION_PASSED, plan=plan, found=operation.version, expected=version
        )
    day = today(state, context.block.time_ms)
    fault = plan_fault_of(operation.auctions, today=day)
    for each, (cash, line) in zip(operation.auctions, assets, strict=True):
        fault = fault or _fault_of_assets(each, cash, line)
    if fault is None and ruling is None and not operation.auctions:
        fault = AuctionPlanFault.NOTHING_TO_WITHDRAW.of()
    if fault is not None:
        raise Reject(Outcome.PLAN_NOT_VALID, plan=plan, reason=fault)

    state.put(
        PLANS,
        name_key(plan),
        PlanRecord(
            version=version + 1,
            published_ms=context.block.time_ms,
            auctions=operation.auctions,
        ),
    )
    context.events.append(
        PlanPublished(plan=plan, version=version + 1, auctions=len(operation.auctions))
    )


def _fault_of_assets(
    planned: PlannedAuction, cash: AssetRecord, line: AssetRecord | None
) -> Reason | None:
    """Return why a planned auction cannot be one of its assets; None: it can."""
    if not isinstance(cash.terms, CashTerms):
        return CashFault.CASH_IS_NONE.of(cash=planned.asset)
    if line is None or planned.line is None:
        return None
    if isinstance(line.terms, CashTerms):
        return CashFault.CASH_AUCTIONED.of(asset=planned.line)
    if kind_of(line.terms).value != planned.kind:
        return AuctionPlanFault.PLANNED_OTHER_KIND.of(
            asset=planned.line, kind=kind_of(line.terms).value, planned=planned.kind
        )
    same = cash.identifiers.currency == line.terms.face_currency
    if not same or cash.decimals != line.decimals:
        return CashFault.CASH_DIFFERS.of(
            cash=planned.asset,
            currency=cash.identifiers.currency or "",
            decimals=cash.decimals,
            asset=planned.line,
            face_currency=line.terms.face_currency,
            face_decimals=line.decimals,
        )
    return None


ACT: Final = define_act("publish_plan", PublishPlan, _apply, since=DEBT_DESK)
