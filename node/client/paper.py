"""What the client answers about bids on paper: mandates, and the envelopes of an auction."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BidMandate:
    """Who may hand in an account's bids on paper, and from which account they are paid."""

    office: str
    cash_account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A bid that was handed in on paper."""

    number: int
    account: str
    bidder: str
    office: str
    lodged_by: str
    """Who held that office: if it is not entered, it counts against this participant."""
    cash_account: str
    competitive: bool
    """Whether its bidder names a price."""
    commitment: str
    price: Decimal | None
    """None: not entered, or without a price."""
    face: Decimal | None
    """None: not entered."""
    void: bool
