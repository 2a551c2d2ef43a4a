"""Define a calendar: its weekend and the holidays known so far. Once for ever; then amended."""

from typing import Annotated, Final

import msgspec

from node.codec import Record
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.checks import check_name, check_text
from node.ledger.dates import (
    HOLIDAYS_MAX,
    WEEKEND_MAX,
    Calendar,
    DatesFault,
    Holiday,
    check_calendar,
)
from node.ledger.identifiers import Address, Name
from node.ledger.outcomes import Outcome, Reject
from node.ledger.protocol import DEBT_DESK
from node.ledger.tables import CALENDARS, CalendarRecord, Text, name_key


class DefineCalendar(Record, tag=100):
    """Define the calendar of this name. The subject of the powers matrix is the name."""

    account: Address
    approvers: Approvers
    calendar: Name
    title: Text
    weekend: Annotated[int, msgspec.Meta(ge=0, le=WEEKEND_MAX)]
    """Mask: bit 0 is Monday, bit 6 Sunday. It never changes."""
    holidays: Annotated[tuple[Holiday, ...], msgspec.Meta(max_length=HOLIDAYS_MAX)]
    """Past ones too, as far as schedules have to reach back. Ascending by day, each day once."""


class CalendarDefined(Record, tag=100):
    """A calendar is in force, in version 1."""

    calendar: Name
    weekend: int
    holidays: int
    """How many."""


def _apply(context: ActContext, operation: DefineCalendar) -> None:
    state, name = context.state, operation.calendar
    participants = context.authority.participants(operation.account, operation.approvers)
    context.authority.power(ACT.name, name, participants)
    check_text("title", operation.title)
    check_name("calendar", name)
    record = state.get(CALENDARS, name_key(name))
    if record is not None:
        raise Reject(Outcome.CALENDAR_EXISTS, calendar=name, version=record.calendar.version)
    calendar = Calendar(version=1, weekend=operation.weekend, holidays=operation.holidays)
    try:
        check_calendar(calendar)
    except DatesFault as error:
        raise Reject(Outcome.CALENDAR_NOT_VALID, calendar=name, reason=error.reason) from None

    state.put(
        CALENDARS,
        name_key(name),
        CalendarRecord(
            title=operation.title, calendar=calendar, used_until=0, moving_since_ms=None
        ),
    )
    context.events.append(
        CalendarDefined(calendar=name, weekend=operation.weekend, holidays=len(operation.holidays))
    )


ACT: Final = define_act("define_calendar", DefineCalendar, _apply, since=DEBT_DESK)
