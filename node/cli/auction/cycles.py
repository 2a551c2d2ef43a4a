"""The settlement cycle of a market, such as T+1: business days from the cut-off time on."""

import re
from collections.abc import Mapping
from datetime import datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

from node.cli.exits import CommandError, Exit
from node.ledger.dates import (
    MINUTES_OF_DAY,
    Calendar,
    DatesError,
    Holiday,
    add_business_days,
    business_day_at,
    date_of,
    from_date,
)

if TYPE_CHECKING:
    from node.client import Client

_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CYCLE: Final = re.compile(r"[Tt]\+([1-9][0-9]?)")


def cycle_of(text: str | None) -> int | None:
    """Return how many business days `T+1` and its like say; None: it is none of them."""
    found = _CYCLE.fullmatch(text or "")
    return None if found is None else int(found[1])


def calendar_name(
    said: str | None, like: Mapping[str, Any] | None, terms: Mapping[str, Any]
) -> str | None:
    """Return by which calendar an auction settles: as said, as the one before, as the line."""
    return said or (like["calendar"] if like else (terms.get("plan") or {}).get("calendar"))


async def read_calendar(client: "Client", name: str | None) -> Calendar:
    """Ask for the business days by which a cycle counts.

    Raises:
        CommandError: no calendar was named.
        NotFound: there is none of this name.
    """
    if name is None:
        raise CommandError(
            Exit.USAGE,
            "--settles counts business days, and no calendar says which these are",
            advice="Say --calendar, such as pakistan; see `khazana calendar list`.",
        )
    shown = (await client.calendar(name)).value
    return Calendar(
        version=shown.version,
        weekend=sum(1 << _WEEKDAYS.index(each) for each in shown.weekend),
        holidays=tuple(
            Holiday(day=from_date(each.day), provisional=each.provisional)
            for each in shown.holidays
        ),
    )


def settlement_of(
    cycle: int, closes: datetime, calendar: Calendar, zone: timezone, option: str
) -> datetime:
    """Return when a cycle ends that begins with the business day to which the cut-off belongs.

    It is the local midnight with which that day begins, as of whatever settles on a day.

    Raises:
        CommandError: that day lies beyond all days that there are.
    """
    offset = zone.utcoffset(None) // timedelta(minutes=1)
    time_ms = int(closes.timestamp() * 1_000)
    try:
        traded = business_day_at(
            calendar, time_ms, cut_off_minute=MINUTES_OF_DAY, utc_offset_minutes=offset
        )
        day = date_of(add_business_days(calendar, traded, cycle))
    except (DatesError, OverflowError, ValueError) as error:
        raise CommandError(
            Exit.USAGE,
            f"{option} is T+{cycle}: {error}",
            advice=f"Name a day that the calendar reaches: {option} 2027-02-11; `khazana calendar"
            " show` says how far it goes.",
        ) from None
    return datetime.combine(day, time(), zone)
