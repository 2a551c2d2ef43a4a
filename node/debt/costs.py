"""What debt costs, by kind and all of it together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from node.debt.figures import DAYS_OF_YEAR, RATE_DECIMALS, YEARS_DECIMALS, average, share_of
from node.debt.lines import KINDS, DebtLine, currencies
from node.ledger.pricing import text


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a kind of debt costs, weighted by the face that is outstanding."""

    currency: str
    kind: str
    """Or `all`."""
    lines: int
    outstanding: Decimal
    coupon: str | None
    """Per cent a year, of lines that pay interest; None: there is none."""
    coupon_share: str
    """Of the outstanding face, whose coupon that is; per cent."""
    auction_yield: str | None
    """Per cent a year at which it was auctioned, where that is known."""
    yield_share: str
    """Of the outstanding face, whose yield is known; per cent."""
    years: str
    """To maturity on average, each repayment weighted by its face; what is due counts as 0."""


def cost(
    lines: Sequence[DebtLine], today: date, yields: Mapping[str, Fraction]
) -> tuple[Cost, ...]:
    """Return what debt costs by kind, and all of a currency together.

    Args:
        yields: per cent at which a security was auctioned, by its code; as far as it is known.
    """
    costs = []
    for currency in currencies(lines):
        owed = [line for line in lines if line.currency == currency]
        for kind in (*KINDS, "all"):
            chosen = owed if kind == "all" else [line for line in owed if line.kind == kind]
            if chosen:
                costs.append(_cost(currency, kind, chosen, today, yields))
    return tuple(costs)


def _cost(
    currency: str,
    kind: str,
    lines: Sequence[DebtLine],
    today: date,
    yields: Mapping[str, Fraction],
) -> Cost:
    whole = sum((line.outstanding for line in lines), Decimal(0))
    coupons = [(line.outstanding, Fraction(line.rate)) for line in lines if line.rate is not None]
    auctioned = [(line.outstanding, yields[line.asset]) for line in lines if line.asset in yields]
    times = [
        (payment.principal, Fraction(max(0, (payment.payment_day - today).days), DAYS_OF_YEAR))
        for line in lines
        for payment in line.payments
    ]
    return Cost(
        currency=currency,
        kind=kind,
        lines=len(lines),
        outstanding=whole,
        coupon=average(coupons, RATE_DECIMALS),
        coupon_share=share_of(sum((face for face, _ in coupons), Decimal(0)), whole),
        auction_yield=average(auctioned, RATE_DECIMALS),
        yield_share=share_of(sum((face for face, _ in auctioned), Decimal(0)), whole),
        years=average(times, YEARS_DECIMALS) or text(0, YEARS_DECIMALS),
    )
