"""Fund a payment: an account pays what is unpaid on a security, the oldest first.

So a late paying agent cures at once, without waiting for the next day; and anybody else may, in its
stead. Holders are paid from the next block on.
"""

from typing import Final

from node.codec import Record
from node.ledger.acting import ActContext, define_act
from node.ledger.holdings import asset_of
from node.ledger.identifiers import Address, AssetCode
from node.ledger.outcomes import Outcome, Reject
from node.ledger.policies import AccountClass
from node.ledger.protocol import DEBT_DESK
from node.ledger.servicing import fund_now
from node.ledger.terms import is_serviced, kind_of


class FundPayment(Record, tag=60):
    """Pay the oldest payment of `asset` whose day has come and that is unpaid, whole."""

    account: Address
    asset: AssetCode


def _apply(context: ActContext, operation: FundPayment) -> None:
    state, asset = context.state, operation.asset
    context.authority.account(operation.account, AccountClass.TRANSFER)
    terms = asset_of(state, asset).terms
    if not is_serviced(terms):
        raise Reject(Outcome.ASSET_NOT_SERVICED, asset=asset, kind=kind_of(terms).value)
    funded = fund_now(state, asset, operation.account, context.block.time_ms)
    context.events.append(funded)


ACT: Final = define_act("fund_payment", FundPayment, _apply, since=DEBT_DESK)
