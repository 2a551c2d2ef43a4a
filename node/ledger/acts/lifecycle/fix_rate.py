"""Fix a rate that no auction gives: two offices bring the reference, and say where it is from.

Only what is awaited is fixed so, once: whoever could replace a fixing could change what is owed.
"""

from typing import Annotated, Final

import msgspec

from node.codec import Record
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.checks import check_text
from node.ledger.holdings import asset_of
from node.ledger.identifiers import Address, AssetCode
from node.ledger.outcomes import Outcome, Reject
from node.ledger.protocol import DEBT_DESK
from node.ledger.securities import Number
from node.ledger.servicing import fix_by_source
from node.ledger.tables import Text
from node.ledger.terms import PPM, is_serviced, kind_of

FIXING_WORK: Final = 5
"""In units of `ActContext.spend`: where the record is next, its payment is worked out anew."""


class FixRate(Record, tag=69):
    """Let the rate of `payment` of `asset` follow from a reference of `source`."""

    account: Address
    approvers: Approvers
    asset: AssetCode
    payment: Number
    reference_ppm: Annotated[int, msgspec.Meta(ge=-PPM, le=PPM)]
    """In millionths a year, without the margin: 11.25 per cent is 112,500."""
    source: Text
    """Publication and day, such as: PKRV 6M, mean of 2026-11-16 to 2026-11-20."""


def _apply(context: ActContext, operation: FixRate) -> None:
    state, asset = context.state, operation.asset
    participants = context.authority.participants(operation.account, operation.approvers)
    terms = asset_of(state, asset).terms
    context.authority.power(ACT.name, kind_of(terms), participants)
    if not is_serviced(terms) or terms.plan.floating is None:
        raise Reject(Outcome.ASSET_NOT_FLOATING, asset=asset, kind=kind_of(terms).value)
    if not operation.source.strip():
        raise Reject(Outcome.FIXING_WITHOUT_SOURCE, asset=asset, payment=operation.payment)
    check_text("source", operation.source)
    context.spend(FIXING_WORK)
    fixed = fix_by_source(
        state,
        asset,
        terms,
        operation.payment,
        reference_ppm=operation.reference_ppm,
        source=operation.source,
        time_ms=context.block.time_ms,
    )
    context.events.append(fixed)


ACT: Final = define_act("fix_rate", FixRate, _apply, since=DEBT_DESK)
