"""A calendar for Pakistan to begin with: what a development network defines, and what others may.

Weekend: Saturday and Sunday, the week of banks since 2011.

Fixed days, confirmed: the public holidays that the Cabinet Division lists every year. Iqbal Day is
one again since 2022, Youm-e-Takbeer was added in 2024.

Days by the moon, provisional: those of the Cabinet Division's lists for 2025 and 2026 as the press
reported them, and for 2027 by the tabular Islamic calendar (civil epoch, leap years 2, 5, 7, 10,
13, 16, 18, 21, 24, 26 and 29). The Ruet-e-Hilal Committee says when each month has begun, one
evening before; until the central bank confirms or corrects a day here, it is an expectation.

Left out: 1 January, 1 July and 1 Ramazan, on which banks are closed to the public. Whether they
settle among themselves then is not verified.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from node.ledger.acts.calendars.define_calendar import DefineCalendar
from node.ledger.dates import SATURDAY_SUNDAY, Holiday, from_date

PAKISTAN: Final = "pakistan"
"""The name of the calendar."""

_YEARS: Final = (2025, 2026, 2027)
_FIXED: Final = (
    (2, 5),  # Kashmir Solidarity Day
    (3, 23),  # Pakistan Day
    (5, 1),  # Labour Day
    (5, 28),  # Youm-e-Takbeer
    (8, 14),  # Independence Day
    (11, 9),  # Iqbal Day
    (12, 25),  # Quaid-e-Azam Day
)
_BY_THE_MOON: Final = (
    # First day, and how many.
    (date(2025, 3, 31), 3),  # Eid-ul-Fitr, 1 to 3 Shawwal 1446
    (date(2025, 6, 7), 3),  # Eid-ul-Azha, 10 to 12 Zilhaj 1446
    (date(2025, 7, 5), 2),  # Ashura, 9 and 10 Muharram 1447
    (date(2025, 9, 6), 1),  # Eid Milad-un-Nabi, 12 Rabi-ul-Awwal 1447
    (date(2026, 3, 21), 3),
    (date(2026, 5, 27), 3),
    (date(2026, 6, 25), 2),
    (date(2026, 8, 26), 1),
    (date(2027, 3, 10), 3),
    (date(2027, 5, 17), 3),
    (date(2027, 6, 14), 2),
    (date(2027, 8, 15), 1),
)


def pakistan_holidays() -> tuple[Holiday, ...]:
    """Return the holidays of 2025 to 2027; a fixed one on which the moon falls is confirmed."""
    found = {day: Holiday(day=day, provisional=True) for day in _expected()}
    for year in _YEARS:
        for month, number in _FIXED:
            day = from_date(date(year, month, number))
            found[day] = Holiday(day=day, provisional=False)
    return tuple(found[day] for day in sorted(found))


def define_pakistan(*, central_bank: bytes) -> DefineCalendar:
    """Return the definition of the calendar.

    Args:
        central_bank: its account.
    """
    return DefineCalendar(
        account=central_bank,
        approvers=(),
        calendar=PAKISTAN,
        title="Business days in Pakistan",
        weekend=SATURDAY_SUNDAY,
        holidays=pakistan_holidays(),
    )


def _expected() -> Iterator[int]:
    for first, count in _BY_THE_MOON:
        for step in range(count):
            yield from_date(first + timedelta(days=step))
