"""What a state owes, summed up: maturity ladder, debt-service calendar, cost of debt.

Lines come from the interface (`khz_debt`); everything here is arithmetic on them, the same for the
command line, the pages and the reports. Amounts of different currencies are never added.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final

import msgspec

from node.ledger.pricing import add_months, half_up, text

RATE_DECIMALS: Final = 4
SHARE_DECIMALS: Final = 2
YEARS_DECIMALS: Final = 2
DAYS_OF_YEAR: Final = 365
KINDS: Final = ("bill", "bond", "sukuk")
"""In the order in which tables and charts show them."""
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
    """Face that has not been repaid."""
    rate: Decimal | None
    """Per cent a year; None where only the face is paid."""
    payments_a_year: int
    payments: tuple[DebtPayment, ...]
    """Those not settled, in order."""


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


def auction_yields(auctions: Sequence[Mapping[str, object]]) -> dict[str, Fraction]:
    """Return at what yield each security was auctioned, in per cent, weighted by face delivered.

    Args:
        auctions: as `khz_auctions` lists them.
    """
    sold: dict[str, list[tuple[Fraction, Fraction]]] = {}
    for auction in msgspec.convert(auctions, list[_Sale]):
        if auction.result and auction.result.average_yield is not None and auction.settled:
            pair = Fraction(auction.settled), Fraction(auction.result.average_yield)
            sold.setdefault(auction.asset, []).append(pair)
    return {
        asset: sum((face * rate for face, rate in sales), Fraction(0))
        / sum((face for face, _ in sales), Fraction(0))
        for asset, sales in sold.items()
    }


# Private.


class _SaleResult(msgspec.Struct):
    average_yield: Decimal | None


class _Sale(msgspec.Struct):
    """What an auction says of the cost of its security."""

    asset: str
    settled: Decimal
    result: _SaleResult | None


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


def _span(months: int) -> str:
    if months < 12:
        return f"{months} month" + ("s" if months > 1 else "")
    return f"{months // 12} year" + ("s" if months > 12 else "")
