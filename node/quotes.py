"""Quotes: price, yield and accrued interest of a bill, a bond or a floating bond, as text; what
accrues between two days, and what a switch gives.

The same figures for the command line and the interface: exact rationals in, decimals on a named
grid out. A quote hangs on its terms alone; it is of no asset and needs no ledger.
"""

import re
from datetime import date
from fractions import Fraction
from typing import Final, TypeAlias

from node.ledger.auctions import AuctionError, due_for, exchange
from node.ledger.auctions.records import Accrual
from node.ledger.pricing import (
    Bond,
    DayCount,
    FirstPeriod,
    Floater,
    PricingError,
    add_months,
    bill_discount_rate,
    bill_price_from_discount,
    bill_price_from_yield,
    bill_yield,
    bond_price,
    bond_yield,
    floater_margin,
    floater_price,
    floater_share,
    half_up,
    investment_rate,
    position,
    text,
    year_fraction,
)

Facts: TypeAlias = dict[str, str | int]
InterestFacts: TypeAlias = dict[str, str | int | list[dict[str, str]]]

PRICE_DECIMALS: Final = 4
YIELD_DECIMALS: Final = 4
RATE_MAX: Final = 100
"""Per cent a year: what the ledger lets a security pay at most."""
YEARS_MAX: Final = 100
ACCRUED_MAX: Final = 1_000
"""Per hundred of face, either way."""
_MONTHS: Final = 12
_YEAR_FIRST: Final = 1_700
"""Before it there is no debt, and no year to count back to."""
_YEAR_LAST: Final = 9_000
_SHARE_DECIMALS: Final = 10
_SHOWN_DECIMALS: Final = 12
_FIGURE: Final = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,12})?")
_SHOWN_MAX: Final = 40


class QuoteError(PricingError):
    """What was asked for has no quote. Names of parameters stand in backquotes, for whoever reads
    them as options to spell them so."""

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice


# Figures.


def figure_of(written: str) -> Fraction:
    """Return the number as it is written: never a float.

    Raises:
        QuoteError: it is none, or has more than twelve digits before or after the point.
    """
    if _FIGURE.fullmatch(written) is None:
        raise QuoteError(f"{written[:_SHOWN_MAX]!r} is no figure: such as 98.3815")
    return Fraction(written)


def one_of(**given: Fraction | None) -> str:
    """Return the name of the one figure that is given.

    Raises:
        QuoteError: none is, or several are.
    """
    named = [name for name, value in given.items() if value is not None]
    if len(named) != 1:
        wanted = " or ".join(f"`{name}`" for name in given)
        found = "none" if not named else " and ".join(f"`{name}`" for name in named)
        raise QuoteError(f"found {found}, expected {wanted}")
    return named[0]


def in_percent(value: Fraction) -> Fraction:
    """Return the share of one that a figure in per cent is."""
    return Fraction(value, 100)


def percent_of(value: Fraction, name: str) -> Fraction:
    """Return the share of one that a coupon or rate in per cent is.

    Raises:
        QuoteError: it is below 0 or above 100.
    """
    if not 0 <= value <= RATE_MAX:
        raise QuoteError(f"`{name}` is {plain(value)} %; expected from 0 to {RATE_MAX}")
    return in_percent(value)


def face_of(value: Fraction) -> Fraction:
    """Return a face value.

    Raises:
        QuoteError: it is not above 0.
    """
    if value <= 0:
        raise QuoteError(
            f"`face` is {plain(value)}; expected above 0",
            advice="Whoever sells has the same figures as whoever buys.",
        )
    return value


def price_of(value: Fraction) -> Fraction:
    """Return a price per hundred.

    Raises:
        QuoteError: it is not above 0.
    """
    if value <= 0:
        raise QuoteError(f"`price` is {plain(value)} per hundred of face; expected above 0")
    return value


def on_grid(value: Fraction, decimals: int) -> Fraction:
    """Return the value rounded half up to so many decimals."""
    return Fraction(half_up(value, decimals), 10**decimals)


def plain(value: Fraction) -> str:
    """Return a figure as it was written, without zeros at its end."""
    shown = text(half_up(value, _SHOWN_DECIMALS), _SHOWN_DECIMALS).rstrip("0")
    return shown.removesuffix(".") or "0"


def amount(face: Fraction, price: Fraction) -> str:
    """Return what a face value costs at a price per hundred, to the hundredth, half up."""
    return text(half_up(face * price * Fraction(1, 100), 2), 2)


def _on(value: Fraction, name: str, decimals: int) -> int:
    """Return a figure in its last decimal.

    Raises:
        QuoteError: it has more decimals.
    """
    scaled: Fraction = value * Fraction(10) ** decimals
    if scaled.denominator != 1:
        raise QuoteError(f"`{name}` is {plain(value)}; expected at most {decimals} decimals")
    return scaled.numerator


# Quotes.


def interest_quote(
    *,
    rate: Fraction,
    begins: date,
    ends: date,
    face: Fraction = Fraction(100),
    day_count: DayCount | None = None,
    period: tuple[date, date] | None = None,
    frequency: int = 2,
    end_of_month: bool = False,
    matures: date | None = None,
) -> InterestFacts:
    """Return what accrues on a face between two days, by one day count or by all of them.

    Args:
        rate: in per cent a year.
        day_count: None: all, but for ACT/ACT ICMA where there is no period.
        period: the regular one beside which the days lie; of ACT/ACT ICMA.
        matures: the end of the security; of 30E/360 ISDA.

    Raises:
        PricingError: no day counts, too many do, or a day count lacks what it goes by.
    """
    if ends <= begins:
        raise QuoteError(f"from {begins} to {ends} no day counts; expected `to` after `from`")
    if (
        (ends - begins).days > YEARS_MAX * 366
        or begins.year < _YEAR_FIRST
        or ends.year > _YEAR_LAST
    ):
        raise QuoteError(
            f"from {begins} to {ends}; expected at most {YEARS_MAX} years, none before"
            f" {_YEAR_FIRST} and none after {_YEAR_LAST}"
        )
    counts = [each for each in DayCount if period or each is not DayCount.ACT_ACT_ICMA]
    in_share, on = percent_of(rate, "rate"), face_of(face)
    shares = [
        (
            count.value,
            year_fraction(
                count,
                begins,
                ends,
                reference=period,
                frequency=frequency,
                end_of_month=end_of_month,
                termination=matures,
            ),
        )
        for count in (counts if day_count is None else [day_count])
    ]
    return {
        "rate_percent": plain(100 * in_share),
        "from": begins.isoformat(),
        "to": ends.isoformat(),
        "days": (ends - begins).days,
        "face": plain(on),
        "day_counts": [
            {
                "day_count": name,
                "share": str(share),
                "decimal": text(half_up(share, _SHARE_DECIMALS), _SHARE_DECIMALS),
                "interest": amount(on, share * rate),
            }
            for name, share in shares
        ],
    }


def switch_quote(
    *,
    face: Fraction,
    price: Fraction,
    for_price: Fraction,
    accrued: Fraction = Fraction(0),
    for_accrued: Fraction = Fraction(0),
    multiple: Fraction = Fraction(5_000),
) -> Facts:
    """Return what a face of an old line comes to in a new one, and what is left in cash.

    Args:
        price, accrued: of the old line, per hundred.
        for_price, for_accrued: of the new one.
        multiple: of the new line's face.

    Raises:
        QuoteError: a figure is out of range, or the new line is worth nothing.
    """
    old_e4 = _on(price_of(price), "price", PRICE_DECIMALS)
    new_e4 = _on(price_of(for_price), "for_price", PRICE_DECIMALS)
    minor, step = _on(face_of(face), "face", 2), _on(face_of(multiple), "multiple", 2)
    worth = due_for(minor, old_e4, _accrual(accrued, "accrued"))
    try:
        given = exchange(worth, new_e4, _accrual(for_accrued, "for_accrued"), step)
    except AuctionError as error:
        raise QuoteError(str(error)) from None
    return {
        "face": text(minor, 2),
        "worth": text(worth, 2),
        "given": text(given.face, 2),
        "given_worth": text(worth - given.remainder, 2),
        "cash": text(given.remainder, 2),
    }


def _accrual(per_hundred: Fraction, name: str) -> Accrual:
    """Return what accrued on a unit of face.

    Raises:
        QuoteError: it is more than any period pays.
    """
    if abs(per_hundred) > ACCRUED_MAX:
        raise QuoteError(
            f"`{name}` is {plain(per_hundred)}; expected from -{ACCRUED_MAX} to {ACCRUED_MAX}"
        )
    share = per_hundred / 100
    return Accrual(day=0, numerator=share.numerator, denominator=share.denominator)


def bill_quote(
    *,
    days: int | None = None,
    settlement: date | None = None,
    maturity: date | None = None,
    price: Fraction | None = None,
    yield_: Fraction | None = None,
    discount: Fraction | None = None,
    face: Fraction | None = None,
    year: int = 365,
    decimals: int = PRICE_DECIMALS,
) -> Facts:
    """Return price, yield and discount rate of a bill, of which one is given.

    Raises:
        PricingError: what is given contradicts itself, or has no such price.
    """
    left = _days(days, settlement, maturity)
    one_of(**{"price": price, "yield": yield_, "discount": discount})
    face = None if face is None else face_of(face)
    price = None if price is None else price_of(price)
    if yield_ is not None:
        price = on_grid(bill_price_from_yield(in_percent(yield_), left, year=year), decimals)
        _check_worth(price, decimals)
    elif discount is not None:
        price = on_grid(bill_price_from_discount(in_percent(discount), left), decimals)
        if price <= 0:
            raise QuoteError(
                f"a discount rate of {plain(discount)} % over {left} days takes the whole face"
            )
    assert price is not None  # One of the three is given.
    facts: Facts = {
        "days": left,
        "price": _printed(price, decimals),
        "yield_percent": (
            _rate(bill_yield(price, left, year=year)) if yield_ is None else _given(yield_)
        ),
        "discount_percent": (
            _rate(bill_discount_rate(price, left)) if discount is None else _given(discount)
        ),
    }
    if settlement is not None:
        facts["coupon_equivalent_percent"] = _coupon_equivalent(price, left, settlement)
    if face is not None:
        facts |= {"face": plain(face), "cost": amount(face, price)}
    return facts


def bond_quote(
    bond: Bond,
    settlement: date,
    *,
    price: Fraction | None = None,
    yield_: Fraction | None = None,
    face: Fraction | None = None,
    decimals: int = PRICE_DECIMALS,
) -> Facts:
    """Return the clean price and the yield of a bond, of which one is given, and what accrued.

    Raises:
        PricingError: what is given contradicts itself, or has no such price or yield.
    """
    one_of(**{"price": price, "yield": yield_})
    face = None if face is None else face_of(face)
    price = None if price is None else price_of(price)
    if price is None:
        assert yield_ is not None  # One of the two is given.
        units = bond_price(bond, settlement, in_percent(yield_), decimals=decimals)
        price = Fraction(units, 10**decimals)
        _check_worth(price, decimals)
        rate = _given(yield_)
    else:
        units = bond_yield(bond, settlement, price, decimals=YIELD_DECIMALS)
        rate = text(units, YIELD_DECIMALS)
    place = position(bond, settlement)
    full = price + place.accrued
    facts: Facts = {
        "price": _printed(price, decimals),
        "yield_percent": rate,
        "accrued": text(half_up(place.accrued, decimals), decimals),
        "full_price": text(half_up(full, decimals), decimals),
        "days_to_next_coupon": place.days_left,
        "days_in_period": place.days_in_period,
    }
    return facts | _cost(face, price, place.accrued)


def bond_of(
    *,
    coupon: Fraction,
    dated: date,
    maturity: date,
    frequency: int = 2,
    end_of_month: bool = False,
    first_payment: date | None = None,
    accrual: str = DayCount.ACT_ACT_ICMA.value,
    pricing: str = DayCount.ACT_ACT_ICMA.value,
    first_period: str = FirstPeriod.STREET.value,
) -> Bond:
    """Return the terms of a bond whose coupon is in per cent a year.

    Raises:
        PricingError: they contradict each other.
    """
    return Bond(
        dated=dated,
        maturity=maturity,
        coupon=percent_of(coupon, "coupon"),
        frequency=frequency,
        end_of_month=end_of_month,
        first_payment=first_payment,
        accrual=DayCount(accrual),
        pricing=DayCount(pricing),
        first_period=FirstPeriod(first_period),
    )


def floater_quote(
    *,
    maturity: date,
    settlement: date,
    reference: Fraction,
    spread: Fraction = Fraction(0),
    fixed: Fraction | None = None,
    price: Fraction | None = None,
    discount_margin: Fraction | None = None,
    face: Fraction | None = None,
    frequency: int = 2,
    day_count: str = DayCount.ACT_ACT_ICMA.value,
    decimals: int = PRICE_DECIMALS,
) -> Facts:
    """Return the clean price and the discount margin of a floating bond, of which one is given.

    Raises:
        PricingError: what is given contradicts itself, or has no such price or margin.
    """
    one_of(price=price, discount_margin=discount_margin)
    face = None if face is None else face_of(face)
    price = None if price is None else price_of(price)
    on = percent_of(reference, "reference")
    rate = max(Fraction(0), on + in_percent(spread))
    rate = rate if fixed is None else percent_of(fixed, "fixed")
    note = _note(on, in_percent(spread), maturity, settlement, frequency, day_count)
    assert note.begins is not None, "a note is made with it"
    accrued = 100 * rate * floater_share(note, note.begins, settlement)
    first = 100 * rate * floater_share(note, note.begins, note.payments[0])
    if price is None:
        assert discount_margin is not None, "one of the two"
        units = floater_price(
            note,
            settlement,
            in_percent(discount_margin),
            accrued=accrued,
            first=first,
            decimals=decimals,
        )
        price = Fraction(units, 10**decimals)
        _check_worth(price, decimals)
        margin = _given(discount_margin)
    else:
        units = floater_margin(
            note, settlement, price, accrued=accrued, first=first, decimals=YIELD_DECIMALS
        )
        margin = text(units, YIELD_DECIMALS)
    facts: Facts = {
        "price": _printed(price, decimals),
        "discount_margin_percent": margin,
        "accrued": text(half_up(accrued, decimals), decimals),
        "full_price": text(half_up(price + accrued, decimals), decimals),
        "next_payment": note.payments[0].isoformat(),
        "next_payment_per_hundred": text(half_up(first, decimals), decimals),
    }
    return facts | _cost(face, price, accrued)


# Private.


def _cost(face: Fraction | None, price: Fraction, accrued: Fraction) -> Facts:
    if face is None:
        return {}
    return {
        "face": plain(face),
        "cost": amount(face, price),
        "accrued_interest": amount(face, accrued),
        "payable": amount(face, price + accrued),
    }


def _check_worth(price: Fraction, decimals: int) -> None:
    """Refuse what is worth nothing at the yield that was asked for.

    Raises:
        QuoteError: the price is not above 0.
    """
    if price <= 0:
        raise QuoteError(
            f"it comes to a price of {text(half_up(price, decimals), decimals)} per hundred of"
            " face; expected above 0",
            advice="Ask for a lower yield: at this one what is left to pay is worth nothing,"
            " or less than the interest that has accrued.",
        )


def _printed(price: Fraction, decimals: int) -> str:
    """Return a price with so many decimals; with more, where it was given with more."""
    if (price * 10**decimals).denominator != 1:
        return plain(price)
    return text(half_up(price, decimals), decimals)


def _given(percent: Fraction) -> str:
    """Return a yield, rate or margin as it was asked for, with four decimals at least.

    That of the price which it comes to is another by what was rounded off: a day before the end a
    price to four decimals says little about a yield.
    """
    return _printed(percent, YIELD_DECIMALS)


def _rate(share: Fraction) -> str:
    """Return how a yield is printed: in per cent, with four decimals."""
    return text(half_up(100 * share, YIELD_DECIMALS), YIELD_DECIMALS)


def _coupon_equivalent(price: Fraction, left: int, settlement: date) -> str:
    """Return the yield of a bond that would be worth as much, in per cent.

    Raises:
        QuoteError: the year after the settlement is not in the calendar.
    """
    if settlement.year >= date.max.year:
        raise QuoteError(
            f"settlement on {settlement}: there is no year after it to count the coupon-equivalent"
            f" yield by; expected before {date.max.year}-01-01, or `days`"
        )
    year = (add_months(settlement, _MONTHS, to_end=False) - settlement).days
    return text(investment_rate(price, left, year=year, decimals=YIELD_DECIMALS), YIELD_DECIMALS)


def _days(days: int | None, settlement: date | None, maturity: date | None) -> int:
    if days is not None and settlement is None and maturity is None:
        return days
    if days is None and settlement is not None and maturity is not None:
        return (maturity - settlement).days
    raise QuoteError("expected `days`, or `settlement` and `maturity`; found neither, or both")


def _note(
    reference: Fraction,
    spread: Fraction,
    maturity: date,
    settlement: date,
    frequency: int,
    day_count: str,
) -> Floater:
    """Return what is left of a bond, its payments counted back from its maturity.

    Raises:
        PricingError: it has matured, or lives for too long.
    """
    if settlement >= maturity:
        raise PricingError(f"settlement on {settlement}: expected before {maturity}")
    if maturity.year - settlement.year > YEARS_MAX or settlement.year < _YEAR_FIRST:
        raise PricingError(f"from {settlement} to {maturity} are more than {YEARS_MAX} years")
    days = [maturity]
    while days[-1] > settlement:
        days.append(add_months(maturity, -_MONTHS // frequency * len(days), to_end=False))
    begins, *payments = reversed(days)
    return Floater(
        reference=reference,
        spread=spread,
        payments=tuple(payments),
        day_count=DayCount(day_count),
        begins=begins,
        frequency=frequency,
    )
