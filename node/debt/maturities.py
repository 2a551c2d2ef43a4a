"""What falls due, and when: the ladder, the calendar of payments, the wall."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from node.debt.figures import share_of
from node.debt.lines import KINDS, DebtLine, DebtPayment, currencies, zero_of
from node.ledger.pricing import add_months

SHORT_DAYS: Final = 4 * 366
"""A wall that ends sooner is by quarters."""
LADDER_MONTHS: Final = (1, 3, 6, 12, 24, 36, 60, 120)
"""Where a step of the ladder ends, in months from today; what lies beyond is the last step."""


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


def ladder(lines: Sequence[DebtLine], today: date) -> tuple[LadderStep, ...]:
    """Return what falls due by time that remains, every step of a currency that has any debt."""
    ends = [_months_after(today, months) for months in LADDER_MONTHS]
    spans = [(None, 0), *zip((0, *LADDER_MONTHS), (*LADDER_MONTHS, None), strict=True)]
    steps: list[LadderStep] = []
    for currency in currencies(lines):
        zero = zero_of(lines, currency)
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
                    share=share_of(total, whole),
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
        by_kind = dict.fromkeys(KINDS, zero_of(lines, currency))
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
    for currency in currencies(lines):
        found = {each.period: each for each in periods if each.currency == currency}
        if not found:
            continue
        names = _between(min(found), max(found))
        groups = [[name] for name in names[:columns_max]]
        if len(names) > columns_max:
            groups.append(names[columns_max:])
        zero = zero_of(lines, currency)
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
