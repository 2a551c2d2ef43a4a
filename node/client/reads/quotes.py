"""What securities are worth by their terms."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What terms are worth: a price per hundred, and what belongs to it. None: not of this kind."""

    price: Decimal
    yield_percent: Decimal | None = None
    """Of a bill or a bond."""
    discount_percent: Decimal | None = None
    """Of a bill."""
    coupon_equivalent_percent: Decimal | None = None
    """Of a bill between two days."""
    discount_margin_percent: Decimal | None = None
    """Of a floater."""
    accrued: Decimal | None = None
    full_price: Decimal | None = None
    days: int | None = None
    """Of a bill, to its maturity."""
    days_to_next_coupon: int | None = None
    days_in_period: int | None = None
    next_payment: date | None = None
    next_payment_per_hundred: Decimal | None = None
    face: Decimal | None = None
    """As given; None: what follows was not asked for."""
    cost: Decimal | None = None
    accrued_interest: Decimal | None = None
    payable: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestByDayCount:
    """What accrues by a day count."""

    day_count: str
    share: str
    """Of a year, exactly: a fraction."""
    decimal: Decimal
    interest: Decimal
    """On the face, half up to the hundredth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestQuote:
    """What accrues on a face between two days."""

    rate_percent: Decimal
    days: int
    face: Decimal
    day_counts: tuple[InterestByDayCount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchQuote:
    """What a face of an old line comes to in a new one."""

    face: Decimal
    worth: Decimal
    """Of it, with the interest accrued."""
    given: Decimal
    """Face of the new line."""
    given_worth: Decimal
    cash: Decimal
    """What is left."""
