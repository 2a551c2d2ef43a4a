"""Bonds with coupons: where a settlement stands in the schedule, price, yield, accrued interest.

With f coupons a year, y the yield, v = 1/(1 + y/f) and w the periods from settlement to the next
date of the regular schedule, which are f times the share of a year by the day count that prices,
the full price is

    P + A = D · sum of CF_k · v^k            k = 0 at the next date, 1 at the one after it, …

where the broken first period is discounted as the market does it (`FirstPeriod`):

    STREET   D = v^w                  Pakistan, and most others
    SIMPLE   D = 1 / (1 + w·(y/f))    United States, 31 CFR 356 appendix B II

By ACT/ACT ICMA w is r/s: the days that are left of the period over its days, as on the street. By
which day count interest accrues is another term: it says what of P + A is A.

Rates are shares of one (0.07), prices per hundred of face value. Results are on a grid, half up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import Final

from node.ledger.pricing.daycounts import DayCount, year_fraction
from node.ledger.pricing.grid import HUNDRED, half_up, ten_to, told
from node.ledger.pricing.periods import MONTHS_OF_YEAR, add_months, is_end_of_month
from node.ledger.pricing.problems import PricingError
from node.ledger.pricing.radicals import Radical

YEAR_MIN: Final = 1900
LIFE_MAX_YEARS: Final = 100
_FREQUENCIES: Final = frozenset({1, 2, 4, 12})
_YIELD_MAX: Final = 100
"""10,000 per cent: above it, the price of a bond says nothing."""


class FirstPeriod(Enum):
    """How the part of a period before the next coupon is discounted."""

    STREET = "street"
    SIMPLE = "simple"


@dataclass(frozen=True, slots=True)
class Bond:
    """The terms that price it."""

    dated: date
    """From when interest accrues."""
    maturity: date
    coupon: Fraction
    """Of a year, a share of one; 0 for a zero-coupon bond."""
    frequency: int = 2
    end_of_month: bool = False
    """Whether a schedule from the last day of a month keeps to the last days."""
    first_payment: date | None = None
    """Where it is later than the first regular date: a long first period."""
    accrual: DayCount = DayCount.ACT_ACT_ICMA
    """By which interest accrues between coupons."""
    pricing: DayCount = DayCount.ACT_ACT_ICMA
    """By which what is left of the period is discounted."""
    first_period: FirstPeriod = FirstPeriod.STREET
    accrued_decimals: int | None = None
    """Where the market rounds accrued interest, per hundred, before it takes it off the price."""

    def __post_init__(self) -> None:
        """Refuse terms that contradict each other."""
        if self.maturity <= self.dated:
            raise PricingError(f"a bond from {self.dated} to {self.maturity}: the end comes first")
        if self.dated.year < YEAR_MIN or self.maturity.year > self.dated.year + LIFE_MAX_YEARS:
            raise PricingError(
                f"a bond from {self.dated} to {self.maturity}: expected from {YEAR_MIN} on, and at"
                f" most {LIFE_MAX_YEARS} years"
            )
        if self.frequency not in _FREQUENCIES:
            expected = ", ".join(map(str, sorted(_FREQUENCIES)))
            raise PricingError(f"{self.frequency} coupons a year: {expected} were expected")
        if self.coupon < 0:
            raise PricingError(f"a coupon of {self.coupon}: it cannot be below 0")
        if self.first_period is FirstPeriod.SIMPLE and self.pricing is not DayCount.ACT_ACT_ICMA:
            raise PricingError(
                f"a simple first period priced by {self.pricing.value}: it is that of the United"
                f" States, whose bonds are priced by {DayCount.ACT_ACT_ICMA.value}"
            )
        if self.first_payment is not None and self.first_payment not in _dates(self)[1:]:
            raise PricingError(
                f"a first payment on {self.first_payment}: no date of the schedule that ends on"
                f" {self.maturity}"
            )


@dataclass(frozen=True, slots=True)
class Position:
    """Where a settlement stands in the schedule."""

    days_left: int
    """From settlement to the next regular date: r."""
    days_in_period: int
    """Of the regular period that holds the settlement: s."""
    periods_left: tuple[Fraction, ...]
    """From settlement to the next regular date by the day count that prices, in parts: w."""
    flows: tuple[Fraction, ...]
    """Per hundred, at the next regular date and those after it; the last one redeems."""
    accrued: Fraction
    """Per hundred, not rounded."""


def position(bond: Bond, settlement: date) -> Position:
    """Return where a settlement stands.

    Raises:
        PricingError: it is before the bond is dated, or not before it matures.
    """
    if not bond.dated <= settlement < bond.maturity:
        raise PricingError(
            f"settlement on {settlement}: expected from {bond.dated} to before {bond.maturity}, the"
            " day on which the bond is repaid"
        )
    dates = _dates(bond)
    at = max(index for index, day in enumerate(dates) if day <= settlement)
    paid = _payments(bond, dates)
    flows = [paid[index] for index in range(at + 1, len(dates))]
    flows[-1] += HUNDRED
    return Position(
        days_left=(dates[at + 1] - settlement).days,
        days_in_period=(dates[at + 1] - dates[at]).days,
        periods_left=_periods_left(bond, settlement, dates[at], dates[at + 1]),
        flows=tuple(flows),
        accrued=_accrued(bond, dates, paid, at, settlement),
    )


def accrued_interest(bond: Bond, settlement: date, *, decimals: int) -> int:
    """Return what has accrued per hundred, on a grid.

    Raises:
        PricingError: the settlement is outside of the bond's life.
    """
    return half_up(position(bond, settlement).accrued, decimals)


def bond_price(bond: Bond, settlement: date, yield_: Fraction, *, decimals: int) -> int:
    """Return the clean price per hundred at a yield, on a grid.

    Raises:
        PricingError: the settlement is outside of the bond's life, or the yield is not between
            -f and 100 (a loss of everything in one period, and 10,000 per cent).
    """
    if not -bond.frequency < yield_ <= _YIELD_MAX:
        raise PricingError(
            f"a yield of {told(HUNDRED * yield_)} %: expected above"
            f" -{HUNDRED * bond.frequency} % and at most"
            f" {HUNDRED * _YIELD_MAX} %"
        )
    place = position(bond, settlement)
    value = _Value.at(bond, place, yield_)
    return value.half_up(_accrued_for_price(bond, place), decimals)


def bond_yield(bond: Bond, settlement: date, price: Fraction, *, decimals: int) -> int:
    """Return the yield in per cent at a clean price per hundred, on a grid.

    The price falls as the yield rises, so the figure printed is the largest n of which n - 1/2 is
    still priced at no less; whether it is, is decided exactly.

    Raises:
        PricingError: the settlement is outside of the bond's life, or the price belongs to no
            yield between -f and 100.
    """
    place = position(bond, settlement)
    full = price + _accrued_for_price(bond, place)
    step = 2 * HUNDRED * ten_to(decimals)

    def is_reached(units: int) -> bool:
        """Return whether the yield is at least (units - 1/2) on the grid."""
        return _Value.at(bond, place, Fraction(2 * units - 1, step)).reaches(full)

    low, high = (
        -bond.frequency * HUNDRED * ten_to(decimals) + 1,
        _YIELD_MAX * HUNDRED * ten_to(decimals),
    )
    if full <= 0 or not is_reached(low) or is_reached(high):
        raise PricingError(
            f"a price of {told(price)} belongs to no yield above -{HUNDRED * bond.frequency} %"
            f" and below {HUNDRED * _YIELD_MAX} %"
        )
    while high - low > 1:
        middle = (low + high) // 2  # floor: any point in between will do
        low, high = (middle, high) if is_reached(middle) else (low, middle)
    return low


# Private.


@dataclass(frozen=True, slots=True)
class _Value:
    """D · S: what the flows are worth at a yield."""

    rational: Fraction
    """S, and D too where it is rational."""
    radicals: tuple[Radical, ...]
    """D where it is not: their product."""

    @staticmethod
    def at(bond: Bond, place: Position, yield_: Fraction) -> "_Value":
        each = Fraction(yield_, bond.frequency)
        discount = Fraction(1, 1 + each)
        total = _polynomial(place.flows, discount)
        left = sum(place.periods_left, Fraction(0))
        if bond.first_period is FirstPeriod.SIMPLE:
            return _Value(Fraction(total, 1 + left * each), ())
        if left.denominator == 1:
            return _Value(total * discount**left.numerator, ())
        parts = place.periods_left
        return _Value(
            total, tuple(Radical(discount, part.numerator, part.denominator) for part in parts)
        )

    def reaches(self, amount: Fraction) -> bool:
        """Return whether it is at least this amount, exactly."""
        if not self.radicals:
            return self.rational >= amount
        low, high = self._bracket()
        if self.rational * low >= amount:
            return True
        if self.rational * high < amount:
            return False
        power = sum((Fraction(each.power, each.root) for each in self.radicals), Fraction(0))
        whole = Radical(self.radicals[0].base, power.numerator, power.denominator)
        return whole.reaches(Fraction(amount, self.rational))

    def half_up(self, less: Fraction, decimals: int) -> int:
        """Return it less an amount, on a grid."""
        if not self.radicals:
            return half_up(self.rational - less, decimals)
        low, high = (half_up(self.rational * each - less, decimals) for each in self._bracket())
        if low == high:
            return low
        middle = less + Fraction(2 * high - 1, 2 * ten_to(decimals))
        return high if self.reaches(middle) else low

    def _bracket(self) -> tuple[Fraction, Fraction]:
        """Return a value not above D and one not below it."""
        low = high = Fraction(1)
        for each in self.radicals:
            below, above = each.bracket()
            low, high = low * below, high * above
        return low, high


def _polynomial(flows: Sequence[Fraction], at: Fraction) -> Fraction:
    """Return the sum of flows[k] · at^k; Horner over whole numbers, reduced once."""
    unit = lcm(*(flow.denominator for flow in flows))
    total, power = 0, 1
    for flow in reversed(flows):
        total = total * at.numerator + int(flow * unit) * power
        power *= at.denominator
    return Fraction(total, unit * power // at.denominator)


def _dates(bond: Bond) -> tuple[date, ...]:
    """Return the regular dates back from maturity: the first is not after the bond is dated."""
    months = MONTHS_OF_YEAR // bond.frequency
    to_end = bond.end_of_month and is_end_of_month(bond.maturity)
    found = [bond.maturity]
    while found[-1] > bond.dated:
        found.append(add_months(bond.maturity, -months * len(found), to_end=to_end))
    return tuple(reversed(found))


def _payments(bond: Bond, dates: Sequence[date]) -> list[Fraction]:
    """Return the coupon per hundred at each date; none at the first, where the bond begins."""
    each = bond.coupon * HUNDRED * Fraction(1, bond.frequency)
    first = 1 if bond.first_payment is None else dates.index(bond.first_payment)
    share = _share(dates, bond.dated, dates[first])
    return [
        Fraction(0) if index < first else each * share if index == first else each
        for index in range(len(dates))
    ]


def _share(dates: Sequence[date], start: date, end: date) -> Fraction:
    """Return how many regular periods lie between two days, by the days of each period."""
    total = Fraction(0)
    for begins, ends in pairwise(dates):
        inside = (min(end, ends) - max(start, begins)).days
        if inside > 0:
            total += Fraction(inside, (ends - begins).days)
    return total


def _periods_left(bond: Bond, settlement: date, begins: date, ends: date) -> tuple[Fraction, ...]:
    """Return the periods from settlement to the end of the one it is in, by what prices.

    ISDA counts each calendar year by its own days. Their common denominator is 133,590, a root that
    would take seconds, hence a part for each year; the period is in two at most.
    """
    days = [settlement, ends]
    new_year = date(ends.year, 1, 1)
    if bond.pricing is DayCount.ACT_ACT_ISDA and settlement < new_year < ends:
        days.insert(1, new_year)
    shares = (_years(bond, bond.pricing, *pair, (begins, ends)) for pair in pairwise(days))
    return tuple(bond.frequency * share for share in shares)


def _years(
    bond: Bond, count: DayCount, start: date, end: date, period: tuple[date, date]
) -> Fraction:
    return year_fraction(
        count,
        start,
        end,
        reference=period,
        frequency=bond.frequency,
        end_of_month=bond.end_of_month and is_end_of_month(bond.maturity),
        termination=bond.maturity,
    )


def _accrued(
    bond: Bond, dates: Sequence[date], paid: Sequence[Fraction], at: int, settlement: date
) -> Fraction:
    last = dates[at] if paid[at] else bond.dated
    if last == settlement:  # by 30E/360 ISDA, from the last of February to itself may be -1 day
        return Fraction(0)
    if bond.accrual is DayCount.ACT_ACT_ICMA:
        return bond.coupon * HUNDRED * _share(dates, last, settlement) * Fraction(1, bond.frequency)
    period = dates[at], dates[at + 1]
    return bond.coupon * HUNDRED * _years(bond, bond.accrual, last, settlement, period)


def _accrued_for_price(bond: Bond, place: Position) -> Fraction:
    if bond.accrued_decimals is None:
        return place.accrued
    return Fraction(half_up(place.accrued, bond.accrued_decimals), ten_to(bond.accrued_decimals))
