"""Moments as people write them on the command line: in the network's local time, or from another.

`2027-02-10T11:30` is local time, as the ledger counts its days; with `Z` or an offset it is what it
says; `+90m`, `+2h`, `+1d` are counted from what comes before. What the interface says in UTC is
printed as local time too, with its weekday.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

from node.cli.exits import CommandError, Exit

if TYPE_CHECKING:
    from node.client import Client
    from node.client.reads import Parameter

OFFSET: Final = "utc-offset-minutes"
_SPAN: Final = re.compile(r"\+([0-9]{1,6})([dhm])")
_UNITS: Final = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
_SHOWN_MAX: Final = 40


def zone_of(parameters: "Sequence[Parameter]") -> timezone:
    """Return the network's local time."""
    return timezone(timedelta(minutes=next(p.value for p in parameters if p.name == OFFSET)))


async def zone_at(client: "Client") -> timezone:
    """Return the local time of the network that a client asks."""
    return zone_of((await client.parameters()).value)


def moment_of(
    text: str, option: str, *, zone: timezone, after: datetime, also: str = ""
) -> datetime:
    """Return the moment that a text says, in UTC.

    Args:
        option: of which it is the value, for the refusal.
        zone: in which it is, where it names none.
        after: from which a span is counted.
        also: what else this option takes, for the refusal.

    Raises:
        CommandError: it says none.
    """
    span = _SPAN.fullmatch(text)
    try:
        if span is not None:
            return after + int(span[1]) * _UNITS[span[2]]
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise CommandError(
            Exit.USAGE,
            f"{option} is {text[:_SHOWN_MAX]!r}; expected a moment such as 2027-02-10T11:30, which"
            f" is local time, 2027-02-10T06:30Z, or +90m, +2h, +1d after what comes before{also}",
            advice=f"Write {option} 2027-02-10T11:30, or +1d.",
        ) from None


def written(moment: datetime) -> str:
    """Return a moment as the interface has it: RFC 3339 in UTC."""
    utc = moment.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def told(text: str, zone: timezone) -> str:
    """Return a moment of the interface as a person reads it: the weekday, and local time."""
    return f"{datetime.fromisoformat(text).astimezone(zone):%a %Y-%m-%d %H:%M}"


def day_told(text: str) -> str:
    """Return a day of the interface as a person reads it, with its weekday."""
    return f"{date.fromisoformat(text):%a %Y-%m-%d}"
