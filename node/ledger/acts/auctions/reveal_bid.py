"""Reveal a bid: open what was sealed, after the close, and name the account that pays for it."""

from typing import Final

from node.codec import Record
from node.ledger.acting import ActContext, define_act
from node.ledger.auctioning.announced import auction_of, check_asset, check_face, check_time
from node.ledger.auctioning.sealed import check_opening, check_part, open_bid, sealed_bid_of
from node.ledger.auctions.records import BidNumber, OpenBid
from node.ledger.auctions.sealing import SealedBid, commitment_of
from node.ledger.auctions.terms import BidE4
from node.ledger.identifiers import Address, AssetCode, Hash, Name
from node.ledger.policies import AccountClass
from node.ledger.protocol import DEBT_DESK


class RevealBid(Record, tag=83):
    """Open the sealed bid of this number. What is allotted is paid from `cash_account`."""

    account: Address
    cash_account: Address
    """May be the same; it stands behind this as well."""
    auction: Name
    number: BidNumber
    asset: AssetCode
    price_e4: BidE4
    face: int
    salt: Hash


class BidRevealed(Record, tag=83):
    """A bid is open."""

    auction: Name
    number: BidNumber
    account: Address
    asset: AssetCode
    price_e4: BidE4
    face: int


def _apply(context: ActContext, operation: RevealBid) -> None:
    state, account, auction = context.state, operation.account, operation.auction
    number, price_e4, face = operation.number, operation.price_e4, operation.face
    context.authority.account(account, AccountClass.TRANSFER)
    context.authority.account(operation.cash_account, AccountClass.TRANSFER)
    terms = auction_of(state, auction).terms
    check_asset(auction, terms, operation.asset)
    check_time(
        ACT.name,
        auction,
        now_ms=context.block.time_ms,
        earliest_ms=terms.closes_ms,
        before_ms=terms.reveals_until_ms,
    )
    check_part(state, ACT.name, auction, number, priced=True)
    sealed = sealed_bid_of(state, auction, number, account)
    commitment = commitment_of(
        SealedBid(
            auction=auction, account=account, price_e4=price_e4, face=face, salt=operation.salt
        )
    )
    check_opening(auction, terms, number, sealed, price_e4, commitment)
    check_face(auction, terms, face)

    bid = OpenBid(price_e4=price_e4, face=face, cash_account=operation.cash_account)
    open_bid(state, auction, terms, number, sealed, bid)
    context.events.append(
        BidRevealed(
            auction=auction,
            number=number,
            account=account,
            asset=operation.asset,
            price_e4=price_e4,
            face=face,
        )
    )


ACT: Final = define_act("reveal_bid", RevealBid, _apply, since=DEBT_DESK)
