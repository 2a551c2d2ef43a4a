"""What a state owes, summed up: maturity ladder, debt-service calendar, cost of debt.

Lines come from the interface (`khz_debt`); everything here is arithmetic on them, the same for the
command line, the pages and the reports. Amounts of different currencies are never added.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final, TypeAlias

import msgspec

from node.ledger.auctions import average_yield_e4
from node.ledger.pricing import (
    Bond,
    DayCount,
    PricingError,
    add_months,
    bill_yield,
    bond_yield,
    half_up,
    text,
)

RATE_DECIMALS: Final = 4
_FINE_DECIMALS: Final = 8
"""Of each bid's yield in an average: what is left out shows in no last digit that is printed."""
SHARE_DECIMALS: Final = 2
YEARS_DECIMALS: Final = 2
DAYS_OF_YEAR: Final = 365
MONTHS_OF_YEAR: Final = 12
SHORT_DAYS: Final = 4 * 366
"""A wall that ends sooner is by quarters."""
_ZERO_FREQUENCY: Final = 2
"""By which the yield of a bond without coupons is compounded, as that of those with them."""
KINDS: Final = ("bill", "bond", "sukuk")
"""In the order in which tables and charts show them."""
AT_PAR: Final = frozenset({"margin", "rate"})
"""Forms of auctions in which a term of the line is bid for, and no price."""
CURVES: Final = (("bill", "bond"), ("sukuk",))
"""Kinds whose yields are one curve: what pays rental is another market."""
LADDER_MONTHS: Final = (1, 3, 6, 12, 24, 36, 60, 120)
"""Where a step of the ladder ends, in months from today; what lies beyond is the last step."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderStep:
    """The face that falls due within a span of time."""

    currency: str
    months_from: int | None
    """From so many months from today on; None: it was due today or before, and is not paid."""
    months_to: int | None
    """Before so many months from today; None: no end."""
    by_kind: Mapping[str, Decimal]
    total: Decimal
    share: str
    """Of everything outstanding in the currency, in per cent with two decimals."""

    @property
    def name(self) -> str:
        """What people call it."""
        if self.months_from is None:
            return "due"
        if self.months_to is None:
            return f"over {_span(self.months_from)}"
        if self.months_from == 0:
            return f"up to {_span(self.months_to)}"
        return f"{_span(self.months_from)} to {_span(self.months_to)}"


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


class Span(StrEnum):
    """By what a calendar of payments adds up."""

    DAY = "day"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePeriod:
    """What is to be paid within a span of the calendar."""

    period: str
    """2027-02-11, 2027-02, 2027-Q1 or 2027."""
    currency: str
    interest: Decimal
    by_kind: Mapping[str, Decimal]
    """Principal."""
    principal: Decimal
    total: Decimal
    payments: int


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


def percent(rate: Fraction) -> str:
    """Return a rate in per cent as it is printed, with four decimals, half up."""
    return text(half_up(rate, RATE_DECIMALS), RATE_DECIMALS)


def read_lines(values: object) -> tuple[DebtLine, ...]:
    """Return the lines of an answer of `khz_debt`, as JSON or as the node's own values."""
    return msgspec.convert(values, tuple[DebtLine, ...], from_attributes=True)


def ladder(lines: Sequence[DebtLine], today: date) -> tuple[LadderStep, ...]:
    """Return what falls due by time that remains, every step of a currency that has any debt."""
    ends = [_months_after(today, months) for months in LADDER_MONTHS]
    spans = [(None, 0), *zip((0, *LADDER_MONTHS), (*LADDER_MONTHS, None), strict=True)]
    steps: list[LadderStep] = []
    for currency in _currencies(lines):
        zero = _zero(lines, currency)
        sums = [dict.fromkeys(KINDS, zero) for _ in spans]
        for line in lines:
            if line.currency != currency:
                continue
            for payment in line.payments:
                day = payment.payment_day
                place = 0 if day <= today else 1 + sum(end <= day for end in ends)
                sums[place][line.kind] += payment.principal
        whole = sum((sum(each.values(), zero) for each in sums), zero)
        for (begins, ends_at), by_kind in zip(spans, sums, strict=True):
            total = sum(by_kind.values(), zero)
            steps.append(
                LadderStep(
                    currency=currency,
                    months_from=begins,
                    months_to=ends_at,
                    by_kind=by_kind,
                    total=total,
                    share=_share(total, whole),
                )
            )
    return tuple(steps)


def service(lines: Sequence[DebtLine], span: Span) -> tuple[ServicePeriod, ...]:
    """Return what is to be paid, period by period, those in which nothing is left out."""
    found: dict[tuple[str, str], list[tuple[str, DebtPayment]]] = {}
    for line in lines:
        for payment in line.payments:
            key = _period(payment.payment_day, span), line.currency
            found.setdefault(key, []).append((line.kind, payment))
    periods = []
    for (period, currency), payments in sorted(found.items(), key=lambda each: each[0]):
        by_kind = dict.fromkeys(KINDS, _zero(lines, currency))
        for kind, payment in payments:
            by_kind[kind] += payment.principal
        interest = sum((payment.interest for _, payment in payments), Decimal(0))
        principal = sum(by_kind.values(), Decimal(0))
        if interest or principal:
            periods.append(
                ServicePeriod(
                    period=period,
                    currency=currency,
                    interest=interest,
                    by_kind=by_kind,
                    principal=principal,
                    total=interest + principal,
                    payments=len(payments),
                )
            )
    return tuple(periods)


def maturing(lines: Sequence[DebtLine]) -> dict[tuple[str, date], Decimal]:
    """Return the principal that falls due on each day, by currency and day.

    On the face that is held now: what an auction that settles on the day replaces.
    """
    due: dict[tuple[str, date], Decimal] = {}
    for line in lines:
        for payment in line.payments:
            if payment.principal:
                key = line.currency, payment.payment_day
                due[key] = due.get(key, Decimal(0)) + payment.principal
    return due


def wall(lines: Sequence[DebtLine], today: date, *, columns_max: int) -> tuple[ServicePeriod, ...]:
    """Return what is to be paid by year, or by quarter where all ends soon and began not long ago.

    Every period of a currency from its first to its last is there; what lies beyond `columns_max`
    of them is one more, whose name ends with a plus sign.
    """
    days = [payment.payment_day for line in lines for payment in line.payments]
    # From what is due and was not claimed: quarters of years that are over would leave no room.
    soon = bool(days) and (max(days) - min(today, *days)).days < SHORT_DAYS
    periods = service(lines, Span.QUARTER if soon else Span.YEAR)
    columns: list[ServicePeriod] = []
    for currency in _currencies(lines):
        found = {each.period: each for each in periods if each.currency == currency}
        if not found:
            continue
        names = _between(min(found), max(found))
        groups = [[name] for name in names[:columns_max]]
        if len(names) > columns_max:
            groups.append(names[columns_max:])
        zero = _zero(lines, currency)
        for group in groups:
            there = [found[name] for name in group if name in found]
            columns.append(
                ServicePeriod(
                    period=group[0] + ("+" if len(group) > 1 else ""),
                    currency=currency,
                    interest=sum((each.interest for each in there), zero),
                    by_kind={
                        kind: sum((each.by_kind[kind] for each in there), zero) for kind in KINDS
                    },
                    principal=sum((each.principal for each in there), zero),
                    total=sum((each.total for each in there), zero),
                    payments=sum(each.payments for each in there),
                )
            )
    return tuple(columns)


def cost(
    lines: Sequence[DebtLine], today: date, yields: Mapping[str, Fraction]
) -> tuple[Cost, ...]:
    """Return what debt costs by kind, and all of a currency together.

    Args:
        yields: per cent at which a security was auctioned, by its code; as far as it is known.
    """
    costs = []
    for currency in _currencies(lines):
        owed = [line for line in lines if line.currency == currency]
        for kind in (*KINDS, "all"):
            chosen = owed if kind == "all" else [line for line in owed if line.kind == kind]
            if chosen:
                costs.append(_cost(currency, kind, chosen, today, yields))
    return tuple(costs)


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
    street = _street_terms(plan)
    return None if street is None else _street_yield(*street, settlement, price)


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
    street = _street_terms(terms["plan"])
    if street is None:
        return None

    def yield_of(price: Fraction) -> Fraction:
        units = bond_yield(_street_bond(*street), settlement, price, decimals=_FINE_DECIMALS)
        return Fraction(units, 100 * 10**_FINE_DECIMALS)

    try:
        units = average_yield_e4(allotted, yield_of)
    except PricingError:
        return None
    return Decimal(text(units, RATE_DECIMALS))


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


# Private.


class _Result(msgspec.Struct):
    average_price: Decimal
    average_yield: Decimal | None
    settlement_day: date


_PAR: Final = Decimal(100)
_TAKING: Final = frozenset({"buyback", "switch"})


class _Auction(msgspec.Struct):
    """What an auction says of the cost of its security."""

    auction: str
    asset: str
    form: str
    settled: Decimal
    result: _Result | None


_StreetTerms: TypeAlias = tuple[date, date, Decimal, int, tuple[str, str]]
"""Dated, maturity, coupon in per cent, payments a year; day counts by which interest accrues and a
broken period is discounted."""


def _street_terms(plan: Mapping[str, Any]) -> _StreetTerms | None:
    """Return what a plan is priced by; None: it is not plain."""
    if len(plan["rates"]) > 1 or plan["instalments"] or plan["floating"] is not None:
        return None
    rate = plan["rates"][0]["rate_ppm"] if plan["rates"] else 0
    return (
        date.fromisoformat(plan["issue_day"]),
        date.fromisoformat(plan["maturity_day"]),
        Decimal(rate) / 10_000,
        12 // plan["months"] if plan["months"] else _ZERO_FREQUENCY,
        (plan["day_count"], plan["pricing_day_count"]),
    )


def _yield_of(line: DebtLine, result: _Result) -> Decimal | None:
    if result.average_yield is not None or not line.plain:
        return result.average_yield
    return _street_yield(
        line.issue_day,
        line.maturity_day,
        line.rate or Decimal(0),
        line.payments_a_year or _ZERO_FREQUENCY,
        (line.day_count, line.pricing_day_count),
        result.settlement_day,
        result.average_price,
    )


@lru_cache(maxsize=2_048)
def _street_yield(
    dated: date,
    maturity: date,
    coupon: Decimal,
    frequency: int,
    counts: tuple[str, str],
    settlement: date,
    price: Decimal,
) -> Decimal | None:
    """Return the yield of a bond by the convention of the street; None where it has none.

    Its terms say by which day counts interest accrues and a broken period is discounted.

    A result never changes, and finding a yield takes a millisecond on a day of a coupon and tens of
    them between two: hence remembered.
    """
    try:
        bond = _street_bond(dated, maturity, coupon, frequency, counts)
        units = bond_yield(bond, settlement, Fraction(price), decimals=RATE_DECIMALS)
    except PricingError:
        return None
    return Decimal(text(units, RATE_DECIMALS))


def _street_bond(
    dated: date, maturity: date, coupon: Decimal, frequency: int, counts: tuple[str, str]
) -> Bond:
    return Bond(
        dated=dated,
        maturity=maturity,
        coupon=Fraction(coupon) / 100,
        frequency=frequency,
        accrual=DayCount(counts[0]),
        pricing=DayCount(counts[1]),
    )


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
        coupon=_average(coupons, RATE_DECIMALS),
        coupon_share=_share(sum((face for face, _ in coupons), Decimal(0)), whole),
        auction_yield=_average(auctioned, RATE_DECIMALS),
        yield_share=_share(sum((face for face, _ in auctioned), Decimal(0)), whole),
        years=_average(times, YEARS_DECIMALS) or text(0, YEARS_DECIMALS),
    )


def _average(weighted: Sequence[tuple[Decimal, Fraction]], decimals: int) -> str | None:
    """Return the weighted average, half up; None where nothing has weight."""
    weight = sum((Fraction(each) for each, _ in weighted), Fraction(0))
    if not weight:
        return None
    total = sum((Fraction(each) * value for each, value in weighted), Fraction(0))
    return text(half_up(total / weight, decimals), decimals)


def _share(part: Decimal, whole: Decimal) -> str:
    share = Fraction(part) / Fraction(whole) * 100 if whole else Fraction(0)
    return text(half_up(share, SHARE_DECIMALS), SHARE_DECIMALS)


def _currencies(lines: Sequence[DebtLine]) -> list[str]:
    return sorted({line.currency for line in lines})


def _zero(lines: Sequence[DebtLine], currency: str) -> Decimal:
    """Return nothing, with as many decimals as amounts in the currency have."""
    return Decimal(0) * sum(line.outstanding for line in lines if line.currency == currency)


def _months_after(day: date, months: int) -> date:
    return add_months(day, months, to_end=False)


def _period(day: date, span: Span) -> str:
    match span:
        case Span.DAY:
            return day.isoformat()
        case Span.MONTH:
            return f"{day:%Y-%m}"
        case Span.QUARTER:
            return f"{day.year:04}-Q{(day.month + 2) // 3}"
        case Span.YEAR:
            return f"{day.year:04}"


def _between(first: str, last: str) -> list[str]:
    """Return the names of all quarters or years from one to another."""
    if "-Q" not in first:
        return [f"{year:04}" for year in range(int(first), int(last) + 1)]
    places = [int(name[:4]) * 4 + int(name[-1]) - 1 for name in (first, last)]
    return [f"{place // 4:04}-Q{place % 4 + 1}" for place in range(places[0], places[1] + 1)]


def _span(months: int) -> str:
    if months < 12:
        return f"{months} month" + ("s" if months > 1 else "")
    return f"{months // 12} year" + ("s" if months > 12 else "")
