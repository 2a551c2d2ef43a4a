"""At what yield a security is priced, by the convention of the street; None where it has none."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final, NamedTuple

from node.debt.figures import RATE_DECIMALS
from node.ledger.auctions import average_yield_e4
from node.ledger.pricing import Bond, DayCount, PricingError, bill_yield, bond_yield, half_up, text

ZERO_FREQUENCY: Final = 2
"""By which the yield of a bond without coupons is compounded, as that of those with them."""
_FINE_DECIMALS: Final = 8
"""Of each bid's yield in an average: what is left out shows in no last digit that is printed."""
AT_PAR: Final = frozenset({"margin", "rate"})
"""Forms of auctions in which a term of the line is bid for, and no price."""


class StreetTerms(NamedTuple):
    """What a security is priced by that pays one rate to the end, and its face at once."""

    dated: date
    maturity: date
    coupon: Decimal
    """Per cent a year."""
    frequency: int
    """Payments a year."""
    accrual: DayCount
    """By which interest accrues."""
    pricing: DayCount
    """By which a broken period is discounted."""

    def bond(self) -> Bond:
        """Return it as it is priced.

        Raises:
            PricingError: there is no such bond.
        """
        return Bond(
            dated=self.dated,
            maturity=self.maturity,
            coupon=Fraction(self.coupon) / 100,
            frequency=self.frequency,
            accrual=self.accrual,
            pricing=self.pricing,
        )


def yield_at(
    kind: str, terms: Mapping[str, Any], settlement: date, price: Decimal
) -> Decimal | None:
    """Return the yield in per cent at a clean price, of a bill or of a security that is plain.

    None: it is neither, or has no yield at such a price.

    Args:
        kind: of the security, and its terms, as the interface shows them: these name no type.
    """
    plan = terms.get("plan", terms)
    if kind == "bill":
        matures = date.fromisoformat(plan["maturity_day"])
        try:
            share = bill_yield(Fraction(price), (matures - settlement).days)
        except PricingError:
            return None
        return Decimal(text(half_up(100 * share, RATE_DECIMALS), RATE_DECIMALS))
    street = street_terms(plan)
    return None if street is None else street_yield(street, settlement, price)


def cut_off_yield(
    form: str, kind: str, terms: Mapping[str, Any], *, cut_off: str, settlement_day: str
) -> Decimal | None:
    """Return the yield in per cent at the price that an auction decided.

    None: what was bid is a rate or a margin, or the line is neither a bill nor plain.

    Args:
        form: of the auction.
        kind: of the security, and its terms, as `yield_at` takes them.
        cut_off: what was decided, as the interface shows it, with the settlement day.
    """
    if form in AT_PAR:
        return None
    return yield_at(kind, terms, date.fromisoformat(settlement_day), Decimal(cut_off))


def average_yield_at(
    terms: Mapping[str, Any], settlement: date, allotted: Iterable[tuple[int, int]]
) -> Decimal | None:
    """Return the yield in per cent of a bond or sukuk that is plain, weighted by face.

    None: it is not plain, or has no yield at one of the prices. Of bills the ledger says it.

    Args:
        allotted: face, and clean price in units of 0.0001, of each; together more than nothing.
    """
    street = street_terms(terms["plan"])
    if street is None:
        return None

    def yield_of(price: Fraction) -> Fraction:
        units = bond_yield(street.bond(), settlement, price, decimals=_FINE_DECIMALS)
        return Fraction(units, 100 * 10**_FINE_DECIMALS)

    try:
        units = average_yield_e4(allotted, yield_of)
    except PricingError:
        return None
    return Decimal(text(units, RATE_DECIMALS))


def street_terms(plan: Mapping[str, Any]) -> StreetTerms | None:
    """Return what a plan is priced by; None: it is not plain."""
    if len(plan["rates"]) > 1 or plan["instalments"] or plan["floating"] is not None:
        return None
    rate = plan["rates"][0]["rate_ppm"] if plan["rates"] else 0
    return StreetTerms(
        dated=date.fromisoformat(plan["issue_day"]),
        maturity=date.fromisoformat(plan["maturity_day"]),
        coupon=Decimal(rate) / 10_000,
        frequency=12 // plan["months"] if plan["months"] else ZERO_FREQUENCY,
        accrual=DayCount(plan["day_count"]),
        pricing=DayCount(plan["pricing_day_count"]),
    )


@lru_cache(maxsize=2_048)
def street_yield(terms: StreetTerms, settlement: date, price: Decimal) -> Decimal | None:
    """Return the yield of a bond by the convention of the street; None where it has none.

    A result never changes, and finding a yield takes a millisecond on a day of a coupon and tens of
    them between two: hence remembered.
    """
    try:
        units = bond_yield(terms.bond(), settlement, Fraction(price), decimals=RATE_DECIMALS)
    except PricingError:
        return None
    return Decimal(text(units, RATE_DECIMALS))
