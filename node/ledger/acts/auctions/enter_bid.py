"""Enter a bid from paper: two offices say what an envelope holds, after the close.

One of them is the office that it was handed to. The hash on the ledger is older than the opening,
and covers a salt that the bidder has written: neither office, nor both, can enter anything else.
Then it is a bid like any other, with a price or without one.
"""

from typing import Final

from node.codec import Record
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.auctioning.announced import auction_of, check_asset, check_face, check_time
from node.ledger.auctioning.mandates import check_keeper
from node.ledger.auctioning.sealed import (
    bid_on_paper,
    check_opening,
    check_part,
    open_bid,
    open_unpriced,
)
from node.ledger.auctioning.unpriced import BidsVoided, check_noncompetitive
from node.ledger.auctions.records import BidNumber, OpenBid
from node.ledger.auctions.sealing import SealedBid, commitment_of
from node.ledger.auctions.terms import BidE4
from node.ledger.holdings import asset_of
from node.ledger.identifiers import Address, AssetCode, Hash, Name
from node.ledger.protocol import DEBT_DESK
from node.ledger.terms import kind_of


class EnterBid(Record, tag=114):
    """Open the envelope of this number."""

    account: Address
    approvers: Approvers
    auction: Name
    number: BidNumber
    asset: AssetCode
    price_e4: BidE4 | None
    """None: without a price."""
    face: int
    salt: Hash
    """As the bidder has written it."""


class BidEntered(Record, tag=114):
    """What was handed in on paper is open."""

    auction: Name
    number: BidNumber
    account: Address
    """That bids."""
    office: Name
    """That it was handed to."""
    asset: AssetCode
    price_e4: BidE4 | None
    face: int


def _apply(context: ActContext, operation: EnterBid) -> None:
    state, auction, number = context.state, operation.auction, operation.number
    price_e4, face = operation.price_e4, operation.face
    participants = context.authority.participants(operation.account, operation.approvers)
    terms = auction_of(state, auction).terms
    context.authority.power(ACT.name, kind_of(asset_of(state, terms.asset).terms), participants)
    check_keeper(state, auction, number, participants)
    check_asset(auction, terms, operation.asset)
    check_time(
        ACT.name,
        auction,
        now_ms=context.block.time_ms,
        earliest_ms=terms.closes_ms,
        before_ms=terms.reveals_until_ms,
    )
    check_part(state, ACT.name, auction, number, priced=price_e4 is not None)
    envelope, sealed = bid_on_paper(state, auction, number)
    content = SealedBid(
        auction=auction,
        account=sealed.account,
        price_e4=price_e4,
        face=face,
        salt=operation.salt,
    )
    check_opening(auction, terms, number, sealed, price_e4, commitment_of(content))
    check_face(auction, terms, face)

    bid = OpenBid(price_e4=price_e4, face=face, cash_account=envelope.cash_account)
    first = None
    if price_e4 is None:
        check_noncompetitive(auction, terms, face)
        first = open_unpriced(state, auction, number, sealed, bid)
    else:
        open_bid(state, auction, terms, number, sealed, bid)
    context.events.append(
        BidEntered(
            auction=auction,
            number=number,
            account=sealed.account,
            office=envelope.office,
            asset=operation.asset,
            price_e4=price_e4,
            face=face,
        )
    )
    if first is not None:
        context.events.append(BidsVoided(auction=auction, number=first, bidder=sealed.bidder))


ACT: Final = define_act("enter_bid", EnterBid, _apply, since=DEBT_DESK)
