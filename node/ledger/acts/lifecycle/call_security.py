"""Call a security: the issuer repays it early, on a day and at a price of its terms."""

from typing import Annotated, Final

import msgspec

from node.codec import Record
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.holdings import asset_of
from node.ledger.identifiers import Address, AssetCode
from node.ledger.instruments import SCHEDULE_WORK, payments_at_most
from node.ledger.outcomes import Outcome, Reject
from node.ledger.protocol import DEBT_DESK
from node.ledger.servicing import call
from node.ledger.terms import PPM, is_serviced, kind_of
from node.ledger.units import Day


class CallSecurity(Record, tag=71):
    """Repay `asset` on `day`. The issuer stands behind it; nothing takes a call back."""

    account: Address
    approvers: Approvers
    asset: AssetCode
    day: Day
    share_ppm: Annotated[int, msgspec.Meta(ge=1, le=PPM - 1)] | None
    """Of the face that was issued, with a payment of the schedule; None: all that is left."""


def _apply(context: ActContext, operation: CallSecurity) -> None:
    state, asset = context.state, operation.asset
    participants = context.authority.participants(operation.account, operation.approvers)
    record = asset_of(state, asset)
    terms = record.terms
    context.authority.power(ACT.name, kind_of(terms), participants, issuer=(asset, record.issuer))
    if not is_serviced(terms):
        raise Reject(Outcome.ASSET_NOT_CALLABLE, asset=asset)
    if terms.plan.call is not None:  # computed as it is, and as it would be
        context.spend(2 * SCHEDULE_WORK * payments_at_most(terms.plan))
    called = call(
        state,
        asset,
        terms,
        day=operation.day,
        share_ppm=operation.share_ppm,
        time_ms=context.block.time_ms,
    )
    context.events.append(called)


ACT: Final = define_act("call_security", CallSecurity, _apply, since=DEBT_DESK)
