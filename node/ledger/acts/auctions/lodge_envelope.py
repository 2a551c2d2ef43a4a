"""Lodge an envelope: an office hands in the hash of a bid that it was given on paper.

It is a sealed bid of the account, within the same limits. What is in it, the office cannot know:
the bidder has written hash and all, and the hash says nothing before the envelope is opened.
"""

from typing import Final

from node.codec import Record
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.auctioning.announced import auction_of, check_time
from node.ledger.auctioning.bidders import check_bidder, competes
from node.ledger.auctioning.mandates import under_mandate
from node.ledger.auctioning.sealed import seal
from node.ledger.auctions.records import BidNumber
from node.ledger.authority import receiving_account
from node.ledger.holdings import asset_of
from node.ledger.identifiers import Address, Hash, Name
from node.ledger.protocol import DEBT_DESK
from node.ledger.terms import kind_of


class LodgeEnvelope(Record, tag=112):
    """Hand in a sealed bid of the account `bidding`, which has given the office a mandate."""

    account: Address
    approvers: Approvers
    bidding: Address
    auction: Name
    commitment: Hash
    """`auctions.sealing.commitment_of` what is in the envelope, as it stands on it."""


class EnvelopeLodged(Record, tag=112):
    """A sealed bid came in on paper."""

    auction: Name
    number: BidNumber
    account: Address
    """That bids."""
    office: Name


def _apply(context: ActContext, operation: LodgeEnvelope) -> None:
    state, account, auction = context.state, operation.bidding, operation.auction
    participants = context.authority.participants(operation.account, operation.approvers)
    bidder = receiving_account(state, account).owner
    record = auction_of(state, auction)
    terms, now_ms = record.terms, context.block.time_ms
    context.authority.power(ACT.name, kind_of(asset_of(state, terms.asset).terms), participants)
    # Nobody may bid both with a price and without one, so the bidder says which envelope it is.
    priced = competes(state, terms, bidder, time_ms=now_ms)
    envelope = under_mandate(state, account, participants, priced=priced)
    check_time(
        ACT.name,
        auction,
        now_ms=now_ms,
        earliest_ms=terms.opens_ms,
        before_ms=terms.closes_ms,
    )
    check_bidder(state, ACT.name, auction, terms, bidder, time_ms=now_ms, priced=priced)

    number = seal(
        state,
        auction,
        record,
        account=account,
        bidder=bidder,
        commitment=operation.commitment,
        envelope=envelope,
    )
    context.events.append(
        EnvelopeLodged(auction=auction, number=number, account=account, office=envelope.office)
    )


ACT: Final = define_act("lodge_envelope", LodgeEnvelope, _apply, since=DEBT_DESK)
