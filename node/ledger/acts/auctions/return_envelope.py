"""Return an envelope unopened before the close: its bidder asks for it, or the hash was mistyped.

Everybody sees that it was returned, and by whom.
"""

from typing import Final

from node.codec import Record
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.auctioning.announced import auction_of, check_time
from node.ledger.auctioning.mandates import check_keeper
from node.ledger.auctioning.sealed import bid_on_paper, withdraw
from node.ledger.auctions.records import BidNumber
from node.ledger.holdings import asset_of
from node.ledger.identifiers import Address, Name
from node.ledger.protocol import DEBT_DESK
from node.ledger.terms import kind_of


class ReturnEnvelope(Record, tag=113):
    """Give the envelope of this number back; the office that lodged it acts, or stands behind."""

    account: Address
    approvers: Approvers
    auction: Name
    number: BidNumber


class EnvelopeReturned(Record, tag=113):
    """An envelope is no bid any more."""

    auction: Name
    number: BidNumber
    account: Address
    """That would have bid."""


def _apply(context: ActContext, operation: ReturnEnvelope) -> None:
    state, auction, number = context.state, operation.auction, operation.number
    participants = context.authority.participants(operation.account, operation.approvers)
    record = auction_of(state, auction)
    kind = kind_of(asset_of(state, record.terms.asset).terms)
    context.authority.power(ACT.name, kind, participants)
    check_keeper(state, auction, number, participants)
    check_time(
        ACT.name,
        auction,
        now_ms=context.block.time_ms,
        earliest_ms=record.terms.opens_ms,
        before_ms=record.terms.closes_ms,
    )
    _, bid = bid_on_paper(state, auction, number)

    withdraw(state, auction, record, number, bid, by_bidder=False)
    context.events.append(EnvelopeReturned(auction=auction, number=number, account=bid.account))


ACT: Final = define_act("return_envelope", ReturnEnvelope, _apply, since=DEBT_DESK)
