"""Which days of an auction are none of business: said before its terms are signed."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

from node.cli.auction.cycles import read_calendar
from node.ledger.dates import (
    Calendar,
    Roll,
    date_of,
    from_date,
    holiday_on,
    is_business_day,
    roll,
)
from node.ledger.units import DAY_MAX

if TYPE_CHECKING:
    from node.client import Client

_STAGES: Final = {
    "opens": "opens",
    "closes": "closes",
    "reveals_until": "opened until",
    "decides_until": "decided until",
    "settles": "settles",
}
"""In order, as the summary names them."""
_ENDS: Final = frozenset({"closes", "reveals_until", "decides_until"})
"""Moments before which something happens: a midnight ends the day before it."""
_MOMENT: Final = timedelta(milliseconds=1)
_UNTOLD: Final = "the auction has no calendar, so this is not moved"


async def days_off(client: "Client", terms: Mapping[str, Any], zone: timezone) -> dict[str, str]:
    """Return what a summary says of days on which no business is done; nothing where all are.

    By the calendar of the auction; where it has none by the only one that there is, if it is one.
    """
    from node.client import NotFound

    name = terms["calendar"]
    if name is None:
        there = (await client.calendars()).value
        if len(there) != 1:
            return {}
        name = there[0].calendar
    with suppress(NotFound):  # the ledger refuses the auction by its own words
        told = tell_days_off(terms, await read_calendar(client, name), zone)
        return {"no business": f"{told}, by calendar {name}"} if told else {}
    return {}


def tell_days_off(terms: Mapping[str, Any], calendar: Calendar, zone: timezone) -> str:
    """Return the days of an auction that are none of business, with what is on them."""
    found: dict[int, list[str]] = {}
    for stage, word in _STAGES.items():
        moment = datetime.fromisoformat(terms[stage]) - (_MOMENT if stage in _ENDS else timedelta())
        day = from_date(moment.astimezone(zone).date())
        if not is_business_day(calendar, day):
            moved = f", {_moved(terms, calendar, day)}" if stage == "settles" else ""
            found.setdefault(day, []).append(word + moved)
    return "; ".join(
        f"{_told(day)} ({_why(calendar, day)}): {', '.join(words)}" for day, words in found.items()
    )


def _moved(terms: Mapping[str, Any], calendar: Calendar, day: int) -> str:
    """Return where the ledger moves a settlement."""
    if terms["calendar"] is None:
        return _UNTOLD
    moved = roll(calendar, day, Roll.FOLLOWING)
    return (
        "which has no day left to move to" if moved > DAY_MAX else f"which moves to {_told(moved)}"
    )


def _why(calendar: Calendar, day: int) -> str:
    holiday = holiday_on(calendar, day)
    if holiday is None:
        return "weekend"
    return "provisional holiday" if holiday.provisional else "holiday"


def _told(day: int) -> str:
    return f"{date_of(day):%a %Y-%m-%d}"
