"""The records of auctions: what the ledger keeps of each, of its bids, and of its bidders."""

from enum import IntEnum
from typing import Annotated, Final

import msgspec

from node.codec import Record
from node.ledger.auctions.terms import (
    BIDS_PER_BIDDER_MAX,
    AuctionTerms,
    BidE4,
    PriceE4,
)
from node.ledger.identifiers import Address, AssetCode, Hash, Name
from node.ledger.units import Day, Milliseconds

ROWS_PER_PIECE_MAX: Final = 250
"""Of a ladder; what one block settles of one auction."""

BIDS_NUMBERED_MAX: Final = (1 << 32) - 1
PART_MAX: Final = (1 << 63) - 1

BidNumber = Annotated[int, msgspec.Meta(ge=1, le=BIDS_NUMBERED_MAX)]
"""In the order in which bids came in; a withdrawn one's is not given again."""
Count = Annotated[int, msgspec.Meta(ge=0, le=BIDS_NUMBERED_MAX)]
YieldE4 = Annotated[int, msgspec.Meta(ge=-(1 << 53), le=1 << 53)]
"""Per cent a year in units of 0.0001: 7.1485 % is 71,485."""


class AuctionStage(IntEnum):
    """How far an auction has come."""

    ANNOUNCED = 1
    OPEN = 2
    """Bids come in."""
    REVEALING = 3
    """Sealed bids are opened."""
    DECIDING = 4
    """The book is complete; the ministry decides."""
    DECIDED = 5
    """Allotted; the settlement has not come or is going on."""
    REJECTED = 6
    """All bids, by the ministry or because nobody decided."""
    SETTLED = 7
    """Every allotment was delivered against payment, or has failed."""


class AuctionResult(Record):
    """What the ministry's decision came to."""

    asset: AssetCode
    cut_off_e4: BidE4
    """The last price, rate or margin accepted."""
    average_price_e4: BidE4
    """Weighted by face, of what competitive bids were allotted, rounded half up."""
    average_yield_e4: YieldE4 | None
    """Weighted by face as well; of bills."""
    noncompetitive_price_e4: BidE4
    competitive: int
    """Face allotted to them, in minor units, as all here."""
    noncompetitive: int
    settlement_day: Day
    """As the calendar was when it was decided; the yield counts its days from there."""
    decided_ms: Milliseconds


class AuctionRecord(Record):
    """An auction: its rule, how far it has come, and what came of it. Never deleted."""

    terms: AuctionTerms
    stage: AuctionStage
    next_ms: Milliseconds | None
    """When the ledger takes its next step; None: it has taken the last one."""
    numbered: Count
    """The number of the last bid."""
    sealed: Count
    """Sealed bids of those who name a price, opened or not, without those withdrawn."""
    noncompetitive: Count
    """Bids without a price, and envelopes of those who name none; those that are void too."""
    competitive_pieces: Count
    noncompetitive_pieces: Count
    """Of its ladder; 0 until the book is complete."""
    unrevealed: Count
    """Sealed bids that were never opened: void."""
    result: AuctionResult | None
    pieces_settled: Count
    """Of the ladder; where something is re-allotted, those with a price once more behind them."""
    settled: int
    """Face that was delivered against payment, re-allotted or not."""
    paid: int
    """For it, in minor units of cash, with the interest accrued; in a switch only what was left."""
    failed: int
    """Face that was allotted and not paid for: but for what was re-allotted, it is not issued."""
    unpaid: int
    """Of it, by the fault of bidders."""
    reallotted: int
    """Of that, delivered to others."""
    issued: int
    """Face of the destination, in a switch; 0 in any other form."""


class OpenBid(Record):
    """What a bid says, once it can be seen."""

    price_e4: BidE4 | None
    """None: without a price."""
    face: int
    cash_account: Address
    """From which it is paid."""


class BidRecord(Record):
    """A bid, until the auction is over."""

    account: Address
    """The securities account that bids; its owner is the bidder."""
    bidder: Name
    commitment: Hash | None
    """None: without a price."""
    bid: OpenBid | None
    """None: sealed."""
    void: bool


class MandateRecord(Record):
    """Who may hand in an account's bids on paper, until it is taken back."""

    cash_account: Address
    """From which they are paid; it stands behind the mandate too."""
    office: Name


class EnvelopeRecord(Record):
    """That a sealed bid was handed in on paper, until the auction is over."""

    office: Name
    """That of the mandate: it stands behind the entry as well."""
    lodged_by: Name
    """Who held the office: what is not entered counts against it."""
    cash_account: Address
    """As the mandate named it; what becomes of the mandate since changes nothing."""
    priced: bool
    """Whether its bidder is of those who name a price, or of those who do not."""


class BidderRecord(Record):
    """What one participant has in an auction, until it is over."""

    sealed: Annotated[tuple[BidNumber, ...], msgspec.Meta(max_length=BIDS_PER_BIDDER_MAX)]
    """Numbers of its sealed bids, opened or not: competitive ones, and envelopes."""
    face: int
    """Of those opened."""
    noncompetitive: BidNumber | None
    """Of its bid without a price, electronic or entered from paper; void if it made two."""
    withdrawn: Annotated[tuple[Hash, ...], msgspec.Meta(max_length=BIDS_PER_BIDDER_MAX)]
    """Hashes of envelopes that it took back itself: no office lodges one of them again."""
    failed: bool
    """Whether it did not pay for something that it was allotted."""


class StandingRecord(Record):
    """What a bidder has failed to do, ever. Who never did has no record."""

    unrevealed: Count
    """Sealed bids that it did not open."""
    failed: Count
    """Allotments that it did not pay."""
    excluded_until_ms: Milliseconds
    """Before this it may not bid."""
    unentered: Count
    """Envelopes of others that it lodged as an office and did not enter."""


class RowState(IntEnum):
    """What became of a row of a ladder."""

    OPEN = 1
    SETTLED = 2
    FAILED = 3


class LadderRow(Record):
    """A bid without its bidder."""

    number: BidNumber
    price_e4: BidE4 | None
    face: int
    allotted: int
    state: RowState
    reallotted: int
    """Face that was delivered besides, of what others did not pay for."""


def delivered_of(row: LadderRow) -> int:
    """Return the face that a row which is settled was delivered."""
    return sum(deliveries_of(row))


def deliveries_of(row: LadderRow) -> tuple[int, ...]:
    """Return the faces of its deliveries: each is paid for, and rounded, by itself."""
    return tuple(face for face in (row.allotted, row.reallotted) if face)


class Accrual(Record):
    """What had accrued on a unit of face when a piece of a ladder was settled: a fraction."""

    day: Day
    """On which it was settled."""
    numerator: Annotated[int, msgspec.Meta(ge=-PART_MAX, le=PART_MAX)]
    """Below zero where the interest of the period stays with whoever held before."""
    denominator: Annotated[int, msgspec.Meta(ge=1, le=PART_MAX)]


class LadderRecord(Record):
    """A piece of a ladder, in the order in which bids are served.

    Bids with a price stand first; those without one follow, in pieces of their own.
    """

    rows: Annotated[tuple[LadderRow, ...], msgspec.Meta(max_length=ROWS_PER_PIECE_MAX)]
    accrual: Accrual | None
    """None until it is settled, and where nothing accrues: of bills."""
    destination_accrual: Accrual | None
    """On the destination of a switch; None in any other form as well."""


class ReferenceRecord(Record):
    """The weighted average of the last auction under a name: what floating coupons refer to."""

    auction: Name
    day: Day
    """On which its book closed."""
    settlement_day: Day
    average_price_e4: PriceE4
    average_yield_e4: YieldE4
