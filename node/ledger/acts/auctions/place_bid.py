"""Place a bid without a price: who takes what others pay. One a person; two are both void.

The person is the owner of the securities account, through whomever the bid comes and whoever pays.
Both accounts stand behind the bid: nobody can void somebody else's by making a second one for them.
"""

from typing import Final

from node.codec import Record
from node.ledger.acting import ActContext, define_act
from node.ledger.auctioning.announced import auction_of, check_asset, check_face, check_time
from node.ledger.auctioning.bidders import bidder_of, check_bidder
from node.ledger.auctioning.unpriced import (
    BidsVoided,
    check_noncompetitive,
    check_place,
    place,
    void,
)
from node.ledger.auctions.records import BidNumber, OpenBid
from node.ledger.identifiers import Address, AssetCode, Name
from node.ledger.policies import AccountClass
from node.ledger.protocol import DEBT_DESK


class PlaceBid(Record, tag=84):
    """Bid for `face` at whatever the auction makes non-competitive bids pay."""

    account: Address
    """To which the face would go; its owner is the bidder."""
    cash_account: Address
    """From which it is paid; may be the same, or an intermediary's."""
    auction: Name
    asset: AssetCode
    face: int


class BidPlaced(Record, tag=84):
    """A bid without a price came in."""

    auction: Name
    number: BidNumber
    account: Address
    asset: AssetCode
    face: int


def _apply(context: ActContext, operation: PlaceBid) -> None:
    state, account, auction = context.state, operation.account, operation.auction
    face = operation.face
    bidder = context.authority.account(account, AccountClass.TRANSFER).owner
    context.authority.account(operation.cash_account, AccountClass.TRANSFER)
    record = auction_of(state, auction)
    terms = record.terms
    check_asset(auction, terms, operation.asset)
    now_ms = context.block.time_ms
    check_time(
        ACT.name,
        auction,
        now_ms=now_ms,
        earliest_ms=terms.opens_ms,
        before_ms=terms.closes_ms,
    )
    check_bidder(state, ACT.name, auction, terms, bidder, time_ms=now_ms, priced=False)
    first = bidder_of(state, auction, bidder).noncompetitive
    if first is None:
        check_place(auction, record)
    check_face(auction, terms, face)
    check_noncompetitive(auction, terms, face)
    if first is not None:
        void(state, auction, first)
        context.events.append(BidsVoided(auction=auction, number=first, bidder=bidder))
        return

    bid = OpenBid(price_e4=None, face=face, cash_account=operation.cash_account)
    number = place(state, auction, record, account=account, bidder=bidder, bid=bid)
    context.events.append(
        BidPlaced(auction=auction, number=number, account=account, asset=operation.asset, face=face)
    )


ACT: Final = define_act("place_bid", PlaceBid, _apply, since=DEBT_DESK)
