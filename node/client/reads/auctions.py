"""Auctions: plans, terms and results, ladders, what they come to, and how bidders stand."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from node.recomputing import Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class AuctionResult:
    """What the ministry's decision came to. Prices are per hundred, yields in per cent."""

    cut_off: Decimal
    average_price: Decimal
    average_yield: Decimal | None
    noncompetitive_price: Decimal
    competitive: Decimal
    noncompetitive: Decimal
    settlement_day: date
    decided: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AuctionSummary:
    """An auction, in short."""

    auction: str
    asset: str
    form: str
    """`price`, `rate`, `margin`, `buyback` or `switch`."""
    destination: str | None
    """The line that is given in a switch."""
    stage: str
    target: Decimal
    opens: datetime
    closes: datetime
    settles: datetime
    settlement_day: date
    """By the calendar as it is; once it is decided, as it was then."""
    currency: str | None
    result: AuctionResult | None
    settled: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Auction:
    """An auction."""

    auction: str
    stage: str
    terms: Mapping[str, Any]
    decimals: int
    sealed: int
    noncompetitive_bids: int
    unrevealed: int
    settlement_day: date
    """For which yields count; before the decision as the calendar has it."""
    result: AuctionResult | None
    settled: Decimal
    paid: Decimal
    """In a switch only what was left of the worth."""
    failed: Decimal
    reallotted: Decimal
    """Of what failed, delivered to others."""
    issued: Decimal | None
    """In a switch: the face of the destination that was given."""
    destination: str | None
    destination_price: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuctionVerification:
    """What the result of an auction comes to."""

    auction: str
    proven: bool
    """Whether each record was proven against a genesis; False: a node was believed."""
    figures: "tuple[Figure, ...]"
    """Everything that was worked out, in the order of `node.recomputing.FIGURES`."""

    @property
    def differing(self) -> "tuple[Figure, ...]":
        """The figures that come out otherwise than they were published."""
        return tuple(figure for figure in self.figures if not figure.agrees)

    @property
    def verified(self) -> bool:
        """Whether every figure comes out as it was published."""
        return not self.differing


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderRow:
    """A bid without its bidder."""

    price: Decimal | None
    """None: without a price."""
    face: Decimal
    allotted: Decimal
    state: str
    reallotted: Decimal
    """Delivered besides, of what others did not pay for."""
    paid: Decimal | None
    """With the interest accrued; None: nothing was delivered."""
    accrued: Decimal | None
    """None where nothing accrues."""
    issued: Decimal | None
    """What was given for it of the destination of a switch."""
    issued_accrued: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a bidder has failed to do, in all auctions."""

    unrevealed: int
    failed: int
    excluded_until: datetime | None
    unentered: int
    """Envelopes of others that it lodged as an office and did not enter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bid:
    """A bid of one bidder."""

    number: int
    account: str
    commitment: str | None
    """None: without a price."""
    price: Decimal | None
    """None: sealed, or without a price."""
    face: Decimal | None
    """None: sealed."""
    cash_account: str | None
    void: bool
    office: str | None
    """That handed it in on paper."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bidder:
    """How a bidder stands, and its bids in an auction."""

    participant: str
    standing: Standing
    bids: tuple[Bid, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAuction:
    """An auction that is to be announced."""

    day: date
    settlement_day: date
    kind: str
    tenor_months: int
    form: str
    line: str | None
    """None: a new one, or not yet chosen."""
    asset: str
    """The cash that it is to be paid in."""
    currency: str | None
    target: Decimal
    provisional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AuctionPlan:
    """The ruling version of a plan of auctions to come."""

    plan: str
    version: int
    published: datetime
    auctions: tuple[PlannedAuction, ...]
    """In order of day; none: it was withdrawn."""
