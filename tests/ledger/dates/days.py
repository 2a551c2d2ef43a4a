"""Days as people write them, and calendars to draw, for the tests of this folder."""

from datetime import date
from typing import Final

from hypothesis import strategies as st

from node.ledger.dates import SATURDAY_SUNDAY, Calendar, Holiday, from_date

DAYS: Final = st.dates(min_value=date(1971, 1, 1), max_value=date(2150, 12, 31)).map(from_date)


def d(text: str) -> int:
    """Return the day that is written 2026-11-26."""
    return from_date(date.fromisoformat(text))


def calendar_of(*holidays: str, weekend: int = SATURDAY_SUNDAY) -> Calendar:
    return Calendar(
        version=1,
        weekend=weekend,
        holidays=tuple(Holiday(day=day, provisional=False) for day in sorted(map(d, holidays))),
    )


@st.composite
def calendars(draw: st.DrawFn, *, around: int) -> Calendar:
    """Draw a calendar with holidays in the ten years after a day, some of them in a row."""
    starts = draw(st.lists(st.integers(around - 400, around + 3_650), max_size=40))
    length = draw(st.integers(1, 9))
    days = sorted({start + step for start in starts for step in range(length) if start + step >= 0})
    return Calendar(
        version=draw(st.integers(1, 9)),
        weekend=draw(st.sampled_from([0, SATURDAY_SUNDAY, 1 << 4, 1 << 4 | 1 << 5, 0b0111111])),
        holidays=tuple(Holiday(day=day, provisional=bool(day % 2)) for day in days),
    )
