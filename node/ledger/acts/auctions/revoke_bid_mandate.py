"""Take back a mandate for paper bids, by the account that bids or the one that pays.

What was lodged under it stays a bid: `withdraw_bid` takes it back before the close.
"""

from typing import Final

from node.codec import Record
from node.ledger.acting import ActContext, define_act
from node.ledger.auctioning.mandates import mandate_of
from node.ledger.identifiers import Address, Name
from node.ledger.outcomes import Outcome, Reject
from node.ledger.policies import AccountClass
from node.ledger.protocol import DEBT_DESK
from node.ledger.tables import MANDATES


class RevokeBidMandate(Record, tag=111):
    """Let no office hand in bids of the account `bidding` on paper any more."""

    account: Address
    """The one that bids, or the one that would pay."""
    bidding: Address


class BidMandateRevoked(Record, tag=111):
    """No office may hand in bids of an account on paper any more."""

    account: Address
    """That bids."""
    office: Name
    """That might have."""


def _apply(context: ActContext, operation: RevokeBidMandate) -> None:
    state, account, bidding = context.state, operation.account, operation.bidding
    context.authority.account(account, AccountClass.ADMINISTER)
    mandate = mandate_of(state, bidding)
    if mandate is None or account not in (bidding, mandate.cash_account):
        raise Reject(Outcome.BID_MANDATE_UNKNOWN, account=bidding)

    state.delete(MANDATES, bidding)
    context.events.append(BidMandateRevoked(account=bidding, office=mandate.office))


ACT: Final = define_act("revoke_bid_mandate", RevokeBidMandate, _apply, since=DEBT_DESK)
