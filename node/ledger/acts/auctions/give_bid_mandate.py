"""Give a mandate for paper bids: an office may hand in sealed envelopes for an account.

Both accounts stand behind it as behind a change of their policies: the one to which the face goes
and the one that pays. A later mandate takes the place of an earlier one.
"""

from typing import Final

from node.codec import Record
from node.ledger.acting import ActContext, define_act
from node.ledger.auctioning.mandates import mandate_of
from node.ledger.auctions.records import MandateRecord
from node.ledger.identifiers import Address, Name
from node.ledger.outcomes import Outcome, Reject
from node.ledger.policies import AccountClass
from node.ledger.protocol import DEBT_DESK
from node.ledger.tables import MANDATES, OFFICES, name_key


class GiveBidMandate(Record, tag=110):
    """Let `office` hand in bids of `account` on paper, paid from `cash_account`."""

    account: Address
    """To which the face would go; its owner is the bidder."""
    cash_account: Address
    """May be the same, or an intermediary's; it stands behind this as well."""
    office: Name


class BidMandateGiven(Record, tag=110):
    """An office may hand in bids of an account on paper."""

    account: Address
    cash_account: Address
    office: Name


def _apply(context: ActContext, operation: GiveBidMandate) -> None:
    state, account, office = context.state, operation.account, operation.office
    context.authority.account(account, AccountClass.ADMINISTER)
    context.authority.account(operation.cash_account, AccountClass.ADMINISTER)
    if state.get(OFFICES, name_key(office)) is None:
        raise Reject(Outcome.OFFICE_VACANT, office=office)
    mandate = MandateRecord(cash_account=operation.cash_account, office=office)
    if mandate_of(state, account) == mandate:
        raise Reject(Outcome.BID_MANDATE_UNCHANGED, account=account, office=office)

    state.put(MANDATES, account, mandate)
    context.events.append(
        BidMandateGiven(account=account, cash_account=operation.cash_account, office=office)
    )


ACT: Final = define_act("give_bid_mandate", GiveBidMandate, _apply, since=DEBT_DESK)
