"""The methods about calendars: which there are, what they say, and what they make of a day."""

from datetime import date
from typing import Any, Final

from node.chain import Chain
from node.ledger.calendars import today
from node.ledger.dates import (
    DAYS_OF_WEEK,
    Calendar,
    Roll,
    add_business_days,
    from_date,
    holiday_on,
    is_business_day,
    is_weekend,
    roll,
)
from node.ledger.state import LedgerState
from node.ledger.tables import CALENDARS, CalendarRecord, name_key
from node.rpc import ledger_results, params, results
from node.rpc.errors import InvalidParams, NotFound
from node.rpc.jsonrpc import method
from node.rpc.reading import found, named_page
from node.rpc.rendering import render_day

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
assert len(WEEKDAYS) == DAYS_OF_WEEK


class CalendarMethods:
    """The handlers, on the chain of one node."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def _at(self) -> dict[str, Any]:
        return results.at_head(self._chain.head)

    @method("khz_calendars")
    def calendars(self, params: params.CalendarsParams) -> ledger_results.CalendarsResult:
        """List the calendars of business days, by name, without their holidays."""
        page, following = named_page(self._chain, CALENDARS, params.after, params.limit)
        return ledger_results.CalendarsResult(
            **self._at(),
            calendars=[
                ledger_results.CalendarSummary(
                    calendar=name,
                    title=record.title,
                    version=record.calendar.version,
                    holidays=len(record.calendar.holidays),
                )
                for name, record in page
            ],
            next=following,
        )

    @method("khz_calendar", NotFound)
    def calendar(self, params: params.CalendarParams) -> ledger_results.CalendarResult:
        """Show a calendar: its weekend, its holidays, and which of them are provisional."""
        record = self._found(params.calendar)
        return ledger_results.CalendarResult(
            **self._at(), today=self._today(), calendar=_view(params.calendar, record)
        )

    @method("khz_businessDay", NotFound)
    def business_day(self, params: params.BusinessDayParams) -> ledger_results.BusinessDayResult:
        """Say whether business is done on a day, and where the conventions move it.

        Without a day: today, in the ledger's local time, by the time of the last block.
        `business_days` counts from it, backwards if negative: a settlement cycle.
        """
        calendar = self._found(params.calendar).calendar
        text = self._today() if params.day is None else params.day
        try:
            day = from_date(date.fromisoformat(text))
        except ValueError as error:
            raise InvalidParams(f"day: {error}") from None
        if day < 0:
            raise InvalidParams("day: before 1970-01-01, where the ledger's days begin")
        counted = add_business_days(calendar, day, params.business_days)
        moved = {convention: roll(calendar, day, convention) for convention in Roll}
        return ledger_results.BusinessDayResult(
            **self._at(),
            calendar=params.calendar,
            version=calendar.version,
            day=render_day(day),
            business=is_business_day(calendar, day),
            why=sort_of_day(calendar, day),
            following=_shown(moved[Roll.FOLLOWING]),
            modified_following=_shown(moved[Roll.MODIFIED_FOLLOWING]),
            preceding=_shown(moved[Roll.PRECEDING]),
            business_days=params.business_days,
            counted=_shown(counted),
        )

    def _found(self, name: str) -> CalendarRecord:
        return found(self._chain, CALENDARS, name_key(name), f"calendar {name!r}")

    def _today(self) -> str:
        return render_day(today(LedgerState(self._chain), self._chain.head.time_ms))


def sort_of_day(calendar: Calendar, day: int) -> str:
    """Return what sort of day it is; a holiday at a weekend is a holiday."""
    holiday = holiday_on(calendar, day)
    if holiday is not None:
        return "provisional holiday" if holiday.provisional else "holiday"
    return "weekend" if is_weekend(calendar, day) else "business day"


def _view(name: str, record: CalendarRecord) -> ledger_results.CalendarView:
    calendar = record.calendar
    return ledger_results.CalendarView(
        calendar=name,
        title=record.title,
        version=calendar.version,
        weekend=_weekend(calendar.weekend),
        holidays=[
            ledger_results.HolidayView(day=render_day(holiday.day), provisional=holiday.provisional)
            for holiday in calendar.holidays
        ],
        used_until=render_day(record.used_until) if record.used_until else None,
        moving=record.moving_since_ms is not None,
    )


def _weekend(mask: int) -> list[str]:
    return [name for number, name in enumerate(WEEKDAYS) if mask >> number & 1]


def _shown(day: int) -> str | None:
    """Return the day, or None where the calendar of years ends before it."""
    try:
        return render_day(day)
    except OverflowError:
        return None
