"""What auctions sold of what is still owed, and the curve of their yields."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec

from node.debt.figures import DAYS_OF_YEAR, MONTHS_OF_YEAR
from node.debt.lines import DebtLine
from node.debt.yields import AT_PAR, ZERO_FREQUENCY, StreetTerms, street_yield
from node.ledger.pricing import DayCount

CURVES: Final = (("bill", "bond"), ("sukuk",))
"""Kinds whose yields are one curve: what pays rental is another market."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """What an auction sold of a security that is still owed."""

    auction: str
    asset: str
    kind: str
    settlement_day: date
    days: int
    """From the settlement to the maturity."""
    face: Decimal
    """That was delivered against payment."""
    average_price: Decimal
    rate: Decimal | None
    """The average yield in per cent a year; None where it cannot be told."""

    @property
    def months(self) -> int:
        """The tenor in months, the nearest whole number."""
        return (self.days * MONTHS_OF_YEAR * 2 + DAYS_OF_YEAR) // (DAYS_OF_YEAR * 2)


class _Result(msgspec.Struct):
    average_price: Decimal
    average_yield: Decimal | None
    settlement_day: date


class _Auction(msgspec.Struct):
    """What an auction says of the cost of its security."""

    auction: str
    asset: str
    form: str
    settled: Decimal
    result: _Result | None


_PAR: Final = Decimal(100)
_TAKING: Final = frozenset({"buyback", "switch"})


def read_sales(auctions: object, lines: Sequence[DebtLine]) -> tuple[Sale, ...]:
    """Return the auctions that sold what is still owed, at the yield where there is one.

    What was bought back or switched is no sale; what was sold by rate or margin was sold at par.

    Bills have the yield that their auction published. A bond's is that of its average price, where
    it pays one rate to the end and its face at once.

    Args:
        auctions: as `khz_auctions` lists them.
    """
    owed = {line.asset: line for line in lines}
    sales = []
    for auction in msgspec.convert(auctions, list[_Auction], from_attributes=True):
        line, result = owed.get(auction.asset), auction.result
        if line is None or result is None or auction.form in _TAKING:
            continue
        if auction.form in AT_PAR:  # what was bid is a term of the line
            result = msgspec.structs.replace(result, average_price=_PAR)
        sales.append(
            Sale(
                auction=auction.auction,
                asset=line.asset,
                kind=line.kind,
                settlement_day=result.settlement_day,
                days=(line.maturity_day - result.settlement_day).days,
                face=auction.settled,
                average_price=result.average_price,
                rate=_yield_of(line, result),
            )
        )
    return tuple(sales)


def auction_yields(sales: Sequence[Sale]) -> dict[str, Fraction]:
    """Return at what yield each security was sold, in per cent, weighted by face delivered."""
    sold: dict[str, list[tuple[Fraction, Fraction]]] = {}
    for sale in sales:
        if sale.rate is not None and sale.face:
            sold.setdefault(sale.asset, []).append((Fraction(sale.face), Fraction(sale.rate)))
    return {
        asset: sum((face * rate for face, rate in pairs), Fraction(0))
        / sum((face for face, _ in pairs), Fraction(0))
        for asset, pairs in sold.items()
    }


def curve(sales: Sequence[Sale]) -> tuple[Sale, ...]:
    """Return the last sale of each kind and tenor that has a yield, the shortest first.

    Tenors are the same if they are as many months, the remainder rounded.
    """
    last: dict[tuple[int, str], Sale] = {}
    for sale in sorted(sales, key=lambda each: (each.settlement_day, each.auction)):
        if sale.rate is not None and sale.days > 0:
            last[sale.months, sale.kind] = sale
    return tuple(sorted(last.values(), key=lambda each: (each.days, each.kind)))


def _yield_of(line: DebtLine, result: _Result) -> Decimal | None:
    if result.average_yield is not None or not line.plain:
        return result.average_yield
    terms = StreetTerms(
        dated=line.issue_day,
        maturity=line.maturity_day,
        coupon=line.rate or Decimal(0),
        frequency=line.payments_a_year or ZERO_FREQUENCY,
        accrual=DayCount(line.day_count),
        pricing=DayCount(line.pricing_day_count),
    )
    return street_yield(terms, result.settlement_day, result.average_price)
