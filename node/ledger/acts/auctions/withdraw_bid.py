"""Withdraw a sealed bid while bids still come in. What it said, nobody learns.

An envelope that its bidder withdraws so is not lodged again in this auction, whatever mandate
stands: its office still has the paper.
"""

from typing import Final

from node.codec import Record
from node.ledger.acting import ActContext, define_act
from node.ledger.auctioning.announced import auction_of, check_time
from node.ledger.auctioning.sealed import sealed_bid_of, withdraw
from node.ledger.auctions.records import BidNumber
from node.ledger.identifiers import Address, Name
from node.ledger.policies import AccountClass
from node.ledger.protocol import DEBT_DESK


class WithdrawBid(Record, tag=82):
    """Withdraw the sealed bid of this number, which `account` handed in."""

    account: Address
    auction: Name
    number: BidNumber


class BidWithdrawn(Record, tag=82):
    """A sealed bid is gone."""

    auction: Name
    number: BidNumber
    account: Address


def _apply(context: ActContext, operation: WithdrawBid) -> None:
    state, account, auction = context.state, operation.account, operation.auction
    number = operation.number
    context.authority.account(account, AccountClass.TRANSFER)
    record = auction_of(state, auction)
    check_time(
        ACT.name,
        auction,
        now_ms=context.block.time_ms,
        earliest_ms=record.terms.opens_ms,
        before_ms=record.terms.closes_ms,
    )
    bid = sealed_bid_of(state, auction, number, account)

    withdraw(state, auction, record, number, bid, by_bidder=True)
    context.events.append(BidWithdrawn(auction=auction, number=number, account=account))


ACT: Final = define_act("withdraw_bid", WithdrawBid, _apply, since=DEBT_DESK)
