"""The lines that are owed, as `khz_debt` lists them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

import msgspec

from node.ledger.pricing import DayCount

KINDS: Final = ("bill", "bond", "sukuk")
"""In the order in which tables and charts show them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DebtPayment:
    """What is still to be paid on a security on one day."""

    number: int
    payment_day: date
    interest: Decimal
    principal: Decimal
    status: str
    """`planned` until its record is taken, `estimated` where its rate is not fixed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DebtLine:
    """A security of which something is held by somebody."""

    asset: str
    kind: str
    name: str
    issuer: str
    currency: str
    issue_day: date
    maturity_day: date
    outstanding: Decimal
    """Face that has not been repaid, stripped or not."""
    stripped: Decimal
    """Of it, what is in the hands of those who have its strips."""
    rate: Decimal | None
    """Per cent a year; None where only the face is paid."""
    payments_a_year: int
    plain: bool
    """Whether one rate is paid to the end, and the face at once: what a price is quoted for."""
    payments: tuple[DebtPayment, ...]
    """Those not settled, in order."""
    brought_back: bool = False
    """Whether the ledger does not pay it: its holders bring it back, and its issuer redeems it. An
    older node does not say."""
    day_count: str = DayCount.ACT_ACT_ICMA.value
    """How interest accrues. Neither does an older node say this, nor what follows."""
    pricing_day_count: str = DayCount.ACT_ACT_ICMA.value
    """How what is left of a period is discounted."""


def read_lines(values: object) -> tuple[DebtLine, ...]:
    """Return the lines of an answer of `khz_debt`, as JSON or as the node's own values."""
    return msgspec.convert(values, tuple[DebtLine, ...], from_attributes=True)


def currencies(lines: Sequence[DebtLine]) -> list[str]:
    return sorted({line.currency for line in lines})


def zero_of(lines: Sequence[DebtLine], currency: str) -> Decimal:
    """Return nothing, with as many decimals as amounts in the currency have."""
    return Decimal(0) * sum(line.outstanding for line in lines if line.currency == currency)
