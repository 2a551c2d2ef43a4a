"""Commit to a bid: hand it in under seal. What it says, nobody can know before it is opened."""

from typing import Final

from node.codec import Record
from node.ledger.acting import ActContext, define_act
from node.ledger.auctioning.announced import auction_of, check_time
from node.ledger.auctioning.bidders import check_bidder
from node.ledger.auctioning.sealed import seal
from node.ledger.auctions.records import BidNumber
from node.ledger.identifiers import Address, Hash, Name
from node.ledger.policies import AccountClass
from node.ledger.protocol import DEBT_DESK


class CommitBid(Record, tag=81):
    """Bid under seal; the face would go to `account`, whose owner is the bidder."""

    account: Address
    auction: Name
    commitment: Hash
    """`auctions.sealing.commitment_of` the bid."""


class BidCommitted(Record, tag=81):
    """A sealed bid came in."""

    auction: Name
    number: BidNumber
    account: Address


def _apply(context: ActContext, operation: CommitBid) -> None:
    state, account, auction = context.state, operation.account, operation.auction
    bidder = context.authority.account(account, AccountClass.TRANSFER).owner
    record = auction_of(state, auction)
    now_ms = context.block.time_ms
    check_time(
        ACT.name,
        auction,
        now_ms=now_ms,
        earliest_ms=record.terms.opens_ms,
        before_ms=record.terms.closes_ms,
    )
    check_bidder(state, ACT.name, auction, record.terms, bidder, time_ms=now_ms, priced=True)

    number = seal(
        state,
        auction,
        record,
        account=account,
        bidder=bidder,
        commitment=operation.commitment,
    )
    context.events.append(BidCommitted(auction=auction, number=number, account=account))


ACT: Final = define_act("commit_bid", CommitBid, _apply, since=DEBT_DESK)
