"""The slow twin of `generate`: all periods at once, each end held against those before it."""

from itertools import pairwise

from node.ledger.dates import (
    PERIODS_MAX,
    Calendar,
    DatesError,
    Order,
    Period,
    Roll,
    Stub,
    add_months,
)
from node.ledger.dates import roll as moved_by
from node.ledger.units import Day


def all_periods(
    start: Day,
    end: Day,
    months: int,
    *,
    end_of_month: bool,
    stub: Stub,
    roll: Roll,
    order: Order,
    calendar: Calendar,
) -> tuple[Period, ...]:
    """Return what `generate` returns, from all steps and all moves."""
    if end <= start:
        raise DatesError(f"from day {start} to day {end}: the end must come after the start")
    if months < 0:
        raise DatesError(f"steps of {months} months: at least 0 were expected")
    if months == 0:
        nominal = [(start, end)]
        ends = [end]
    else:
        bounds, regular = _steps(start, end, months, end_of_month=end_of_month, stub=stub)
        ends = bounds[1:]
        nominal = [regular.get(pair, pair) for pair in pairwise(bounds)]
    payments = _rolled(start, ends, roll, calendar)
    accrual = payments if order is Order.SHIFT_THEN_CALCULATE else ends
    return tuple(
        Period(
            start=begins,
            end=finishes,
            nominal_start=nominal_start,
            nominal_end=nominal_end,
            payment=payment,
        )
        for (begins, finishes), (nominal_start, nominal_end), payment in zip(
            pairwise([start, *accrual]), nominal, payments, strict=True
        )
    )


def _steps(
    start: Day, end: Day, months: int, *, end_of_month: bool, stub: Stub
) -> tuple[list[Day], dict[tuple[Day, Day], tuple[Day, Day]]]:
    """Return the days of the terms, first and last included, and the regular period of the stub.

    Each is counted from the anchor, not from its neighbour: 31 January is not lost in February.
    """
    backwards = stub in {Stub.NONE, Stub.SHORT_FRONT, Stub.LONG_FRONT}
    anchor, limit, sign = (end, start, -1) if backwards else (start, end, 1)
    steps = [anchor]
    while (limit - steps[-1]) * sign > 0:
        if len(steps) > PERIODS_MAX:
            raise DatesError(
                f"from day {start} to day {end} in steps of {months} months: more than"
                f" {PERIODS_MAX} periods"
            )
        steps.append(add_months(anchor, sign * months * len(steps), end_of_month))
    regular: dict[tuple[Day, Day], tuple[Day, Day]] = {}
    if steps[-1] != limit:
        if stub is Stub.NONE:
            raise DatesError(
                f"from day {start} to day {end} is no whole number of steps of {months} months,"
                " and the terms have no stub"
            )
        inner, outer = steps[-2], steps[-1]
        if stub in {Stub.LONG_FRONT, Stub.LONG_BACK} and len(steps) > 2:
            inner, outer = steps[-3], steps[-2]
            del steps[-2]
        steps[-1] = limit
        if backwards:
            regular[limit, inner] = outer, inner
        else:
            regular[inner, limit] = inner, outer
    return (steps[::-1] if backwards else steps), regular


def _rolled(start: Day, ends: list[Day], convention: Roll, calendar: Calendar) -> list[Day]:
    """Return where the ends move to; none before the start, none before the one before it."""
    rolled: list[Day] = []
    latest = start
    for end in ends:
        moved = moved_by(calendar, end, convention)
        if moved < start:
            moved = moved_by(calendar, start, Roll.FOLLOWING)
        latest = max(latest, moved)
        rolled.append(latest)
    return rolled
