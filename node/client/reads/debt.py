"""Securities: their payments, strips and averages, and what is withheld from interest."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMade:
    """How far a payment has come whose record is taken."""

    status: str
    face: Decimal
    interest_due: Decimal
    principal_due: Decimal
    payer: str | None
    holders: int
    paid: Decimal
    withheld: Decimal
    residue: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixing:
    """By what a rate that floats is fixed; without a reference it is awaited from the offices."""

    reference: Decimal | None
    """Per cent a year, without the margin."""
    auction: str | None
    source: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedDay:
    """A day without business that a payment moved over."""

    day: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A row of a security's schedule; days are YYYY-MM-DD."""

    number: int
    start: str
    end: str
    record_day: str | None
    """None, as the day of its funding is: the ledger does not pay it, holders bring it back."""
    funding_day: str | None
    nominal_day: str
    """By the terms, before any roll."""
    payment_day: str
    """Of what is brought back: from when on."""
    passed: tuple[PassedDay, ...]
    """From the day of the terms on; empty: it did not move."""
    provisional: tuple[str, ...]
    """Holidays to be confirmed, by which its days were counted."""
    fixing_day: str | None
    """None: it does not float."""
    fixing: Fixing | None
    """None until the fixing day has come."""
    rate: Decimal | None
    """Per cent a year; None, as interest is: not fixed yet."""
    interest: str | None
    """Of a unit of face, exactly: a fraction."""
    interest_per_hundred: Decimal | None
    principal_per_hundred: Decimal
    """Face that is repaid, of a hundred that was issued."""
    price: Decimal
    """Paid for a hundred of that face: par, unless it was called."""
    called: bool
    final: bool
    made: PaymentMade | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """A strip of a bond."""

    asset: str
    payment: int
    """With which payment of the bond it is paid."""
    payment_day: str
    per_hundred: Decimal
    """What a hundred of the bond's face is stripped into."""
    share: str
    """Of a unit of the bond's face, exactly: a fraction."""
    supply: Decimal
    open: bool
    """Whether its record is still to come."""
    held: Decimal | None
    """What the account has available; None where none was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strips:
    """The strips of a bond."""

    asset: str
    multiple: Decimal
    """What is stripped and put together is a multiple of this face."""
    supply: Decimal
    """Of the bond: what is not stripped."""
    stripped: Decimal
    coupons: tuple[Strip, ...]
    principal: Strip
    held: Decimal | None
    """Of the bond, what the account has available."""
    reconstitutable: Decimal | None
    """The face that the account has all open strips of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A holding of an asset as other systems know it."""

    asset: str
    dictionary: str
    """The version of the ACTUS data dictionary whose names these are."""
    contract: Mapping[str, str | list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WithholdingRate:
    """A rate from a day on."""

    from_day: date
    rate: Decimal
    """Per cent of the interest."""
    source: str
    rules: bool
    """Whether it rules today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withholding:
    """What is withheld from the interest that a kind of security pays a class of taxpayer."""

    taxpayer: str
    kind: str
    collector: str
    """Address of the account that receives it."""
    rates: tuple[WithholdingRate, ...]
    """In order of day; before the first nothing is withheld."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The weighted average of the last auction under a name."""

    reference: str
    auction: str
    day: date
    settlement_day: date
    average_price: Decimal
    average_yield: Decimal
