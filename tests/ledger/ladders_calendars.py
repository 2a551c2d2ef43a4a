"""The tables of the desk of calendars."""

from typing import Final

from node.ledger.dates import HOLIDAYS_MAX, SATURDAY_SUNDAY, Calendar, Holiday
from node.ledger.operations import AmendCalendar, DefineCalendar
from node.ledger.outcomes import Outcome
from node.ledger.powers import PowerRecord
from node.ledger.tables import CALENDARS, POWERS, CalendarRecord, name_key, power_key
from tests.ledger.ladder import Ladder, Row, acting_rows, putting, surplus_row
from tests.ledger.world import CB, FM, TODAY, address

KARACHI: Final = "karachi"
NAME: Final = name_key(KARACHI)


def holiday(day: int, *, provisional: bool = False) -> Holiday:
    return Holiday(day=day, provisional=provisional)


EID: Final = TODAY + 100
"""Expected, not seen yet."""
PAST: Final = holiday(TODAY - 3)
RECORD: Final = CalendarRecord(
    title="Karachi",
    calendar=Calendar(
        version=4,
        weekend=SATURDAY_SUNDAY,
        holidays=(
            PAST,
            holiday(TODAY),
            holiday(TODAY + 10),
            holiday(EID, provisional=True),
            holiday(EID + 1, provisional=True),
        ),
    ),
    used_until=TODAY + 20,
    moving_since_ms=None,
)
FULL: Final = tuple(holiday(TODAY + 500 + 7 * week) for week in range(HOLIDAYS_MAX))

_NO_POWER: Final = Row(
    why="the offices named are not the ones",
    outcome=Outcome.OFFICES_MISSING,
    change={"account": address(FM)},
    by=(FM,),
)

DEFINE_CALENDAR: Final = Ladder(
    act="define_calendar",
    good=DefineCalendar(
        account=address(CB),
        approvers=(),
        calendar=KARACHI,
        title="Banks in Karachi",
        weekend=SATURDAY_SUNDAY,
        holidays=(holiday(TODAY - 3), holiday(EID, provisional=True)),
    ),
    by=(CB,),
    rows=(
        *acting_rows(),
        _NO_POWER,
        Row(why="no title", outcome=Outcome.TEXT_NOT_ACCEPTED, change={"title": ""}),
        Row(
            why="not a name",
            outcome=Outcome.NAME_NOT_ACCEPTED,
            change={"calendar": "Karachi"},
            alone=True,
        ),
        Row(
            why="there is one",
            outcome=Outcome.CALENDAR_EXISTS,
            prepare=putting(CALENDARS, NAME, RECORD),
        ),
        Row(
            why="out of order",
            outcome=Outcome.CALENDAR_NOT_VALID,
            change={"holidays": (holiday(TODAY), holiday(TODAY - 1))},
        ),
        Row(
            why="a day twice",
            outcome=Outcome.CALENDAR_NOT_VALID,
            change={"holidays": (holiday(TODAY), holiday(TODAY, provisional=True))},
        ),
        Row(
            why="closed for more than a month",
            outcome=Outcome.CALENDAR_NOT_VALID,
            change={"holidays": tuple(holiday(TODAY + step) for step in range(32))},
        ),
        surplus_row(CB),
    ),
)


def amending(**changes: object) -> dict[str, object]:
    return {"withdrawn": (), "holidays": (), **changes}


AMEND_CALENDAR: Final = Ladder(
    act="amend_calendar",
    good=AmendCalendar(
        account=address(CB),
        approvers=(),
        calendar=KARACHI,
        version=4,
        withdrawn=(EID,),
        holidays=(holiday(EID + 1), holiday(EID + 2)),
    ),
    by=(CB,),
    prepare=putting(CALENDARS, NAME, RECORD),
    rows=(
        *acting_rows(),
        Row(
            why="nobody has the power",
            outcome=Outcome.POWER_NOT_GRANTED,
            prepare=putting(POWERS, power_key("amend_calendar", "*"), None),  # type: ignore[type-var]
            alone=True,
        ),
        _NO_POWER,
        Row(
            why="another office for this calendar",
            outcome=Outcome.OFFICES_MISSING,
            prepare=putting(
                POWERS,
                power_key("amend_calendar", KARACHI),
                PowerRecord(offices=(FM,), required=1, licences=()),
            ),
            alone=True,
        ),
        Row(
            why="no such calendar",
            outcome=Outcome.CALENDAR_UNKNOWN,
            change={"calendar": "lahore"},
        ),
        Row(
            why="the version before",
            outcome=Outcome.CALENDAR_VERSION_PASSED,
            change={"version": 3},
        ),
        Row(
            why="the version after",
            outcome=Outcome.CALENDAR_VERSION_PASSED,
            change={"version": 5},
        ),
        Row(
            why="holidays out of order",
            outcome=Outcome.CALENDAR_NOT_VALID,
            change=amending(holidays=(holiday(EID + 2), holiday(EID + 1))),
        ),
        Row(
            why="withdrawn twice",
            outcome=Outcome.CALENDAR_NOT_VALID,
            change=amending(withdrawn=(EID, EID)),
        ),
        Row(
            why="withdrawn and put",
            outcome=Outcome.CALENDAR_NOT_VALID,
            change=amending(withdrawn=(EID,), holidays=(holiday(EID),)),
        ),
        Row(
            why="more than there may be",
            outcome=Outcome.CALENDAR_NOT_VALID,
            change=amending(holidays=FULL),
            alone=True,
        ),
        Row(
            why="closed for more than a month",
            outcome=Outcome.CALENDAR_NOT_VALID,
            change=amending(holidays=tuple(holiday(EID + 2 + step) for step in range(31))),
            alone=True,
        ),
        Row(
            why="withdrawn what is no holiday",
            outcome=Outcome.HOLIDAY_UNKNOWN,
            change=amending(withdrawn=(EID, EID + 5)),
        ),
        Row(
            why="nothing to change",
            outcome=Outcome.CALENDAR_UNCHANGED,
            change=amending(holidays=(holiday(EID, provisional=True),)),
        ),
        Row(why="nothing at all", outcome=Outcome.CALENDAR_UNCHANGED, change=amending()),
        Row(
            why="a holiday yesterday",
            outcome=Outcome.CALENDAR_DAY_PAST,
            change=amending(holidays=(holiday(TODAY - 1),)),
        ),
        Row(
            why="yesterday's was none",
            outcome=Outcome.CALENDAR_DAY_PAST,
            change=amending(withdrawn=(PAST.day,)),
        ),
        Row(
            why="today's was none",
            outcome=Outcome.CALENDAR_DAY_PAST,
            change=amending(withdrawn=(TODAY,)),
        ),
        Row(
            why="a holiday among days that were relied on",
            outcome=Outcome.CALENDAR_DAY_USED,
            change=amending(holidays=(holiday(TODAY + 20),)),
        ),
        Row(
            why="none among days that were relied on",
            outcome=Outcome.CALENDAR_DAY_USED,
            change=amending(withdrawn=(TODAY + 10,)),
        ),
        surplus_row(CB),
    ),
)

LADDERS: Final = (DEFINE_CALENDAR, AMEND_CALENDAR)
