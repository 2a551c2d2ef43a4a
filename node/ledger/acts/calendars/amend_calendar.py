"""Amend a calendar: add holidays, confirm provisional ones, withdraw what is none.

One act for all of it, because a moon that was seen a day later withdraws one day and adds another:
between two acts the calendar would have both or neither, and every schedule would move twice.
"""

from typing import Annotated, Final

import msgspec

from node.codec import Record, replace
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.calendars import calendar_record, replace_calendar, today
from node.ledger.dates import (
    HOLIDAYS_MAX,
    DatesFault,
    Holiday,
    check_ascending,
    check_calendar,
)
from node.ledger.identifiers import Address, Name
from node.ledger.outcomes import Outcome, Reject
from node.ledger.phrases import CalendarFault
from node.ledger.protocol import DEBT_DESK
from node.ledger.tables import CalendarRecord
from node.ledger.units import Day


class AmendCalendar(Record, tag=101):
    """Let the next version of a calendar rule."""

    account: Address
    approvers: Approvers
    calendar: Name
    version: Annotated[int, msgspec.Meta(ge=1)]
    """The one that is amended: what the offices have looked at."""
    withdrawn: Annotated[tuple[Day, ...], msgspec.Meta(max_length=HOLIDAYS_MAX)]
    """Days that are no holidays after all. Ascending."""
    holidays: Annotated[tuple[Holiday, ...], msgspec.Meta(max_length=HOLIDAYS_MAX)]
    """New ones; or such as it has, with another word on whether they are provisional. Ascending."""


class CalendarAmended(Record, tag=101):
    """Another version of a calendar rules; what hangs on it moves in the blocks that follow."""

    calendar: Name
    version: int
    """The new one."""
    withdrawn: tuple[Day, ...]
    added: tuple[Holiday, ...]
    confirmed: tuple[Day, ...]
    """Holidays that are no longer provisional."""
    doubted: tuple[Day, ...]
    """Holidays that are provisional again."""


def _apply(context: ActContext, operation: AmendCalendar) -> None:
    state, name = context.state, operation.calendar
    participants = context.authority.participants(operation.account, operation.approvers)
    context.authority.power(ACT.name, name, participants)
    record = calendar_record(state, name)
    calendar = record.calendar
    if operation.version != calendar.version:
        raise Reject(
            Outcome.CALENDAR_VERSION_PASSED,
            calendar=name,
            found=operation.version,
            expected=calendar.version,
        )
    _check_lists(operation)
    holidays = {holiday.day: holiday for holiday in calendar.holidays}
    for day in operation.withdrawn:
        if holidays.pop(day, None) is None:
            raise Reject(Outcome.HOLIDAY_UNKNOWN, calendar=name, day=day)
    added = [holiday for holiday in operation.holidays if holiday.day not in holidays]
    turned = [
        holiday
        for holiday in operation.holidays
        if holiday.day in holidays and holidays[holiday.day] != holiday
    ]
    if not (operation.withdrawn or added or turned):
        raise Reject(Outcome.CALENDAR_UNCHANGED, calendar=name, version=calendar.version)
    holidays |= {holiday.day: holiday for holiday in operation.holidays}
    amended = replace(
        calendar,
        version=calendar.version + 1,
        holidays=tuple(holidays[day] for day in sorted(holidays)),
    )
    try:
        check_calendar(amended)
    except DatesFault as error:
        raise Reject(Outcome.CALENDAR_NOT_VALID, calendar=name, reason=error.reason) from None
    _check_days(record, operation, added, today(state, context.block.time_ms))

    replace_calendar(state, name, amended, context.block.time_ms)
    context.events.append(
        CalendarAmended(
            calendar=name,
            version=amended.version,
            withdrawn=operation.withdrawn,
            added=tuple(added),
            confirmed=tuple(holiday.day for holiday in turned if not holiday.provisional),
            doubted=tuple(holiday.day for holiday in turned if holiday.provisional),
        )
    )


def _check_lists(operation: AmendCalendar) -> None:
    """Refuse lists out of order, and a day in both.

    Raises:
        Reject: CALENDAR_NOT_VALID.
    """
    listed = [holiday.day for holiday in operation.holidays]
    try:
        check_ascending(operation.withdrawn)
        check_ascending(listed)
    except DatesFault as error:
        reason = error.reason
    else:
        both = sorted(set(operation.withdrawn) & set(listed))
        if not both:
            return
        reason = CalendarFault.WITHDRAWN_AND_HOLIDAY.of(both=both[0])
    raise Reject(Outcome.CALENDAR_NOT_VALID, calendar=operation.calendar, reason=reason)


def _check_days(
    record: CalendarRecord, operation: AmendCalendar, added: list[Holiday], now: Day
) -> None:
    """Refuse to change whether business is done on a day that is past, or that was relied on.

    Whether a holiday is provisional may change at any time: nothing moves by it.

    Raises:
        Reject: CALENDAR_DAY_PAST, CALENDAR_DAY_USED.
    """
    changed = sorted((*operation.withdrawn, *(holiday.day for holiday in added)))
    if not changed:
        return
    first, name = changed[0], operation.calendar
    if first <= now:
        raise Reject(Outcome.CALENDAR_DAY_PAST, calendar=name, found=first, today=now)
    if first <= record.used_until:
        raise Reject(
            Outcome.CALENDAR_DAY_USED, calendar=name, found=first, expected=record.used_until
        )


ACT: Final = define_act("amend_calendar", AmendCalendar, _apply, since=DEBT_DESK)
