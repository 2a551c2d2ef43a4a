"""What clients ask of calendars: defining them, moons seen late, amendments that come too late."""

import random
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from node.codec import Record
from node.ledger.acts.calendars.amend_calendar import AmendCalendar
from node.ledger.acts.calendars.define_calendar import DefineCalendar
from node.ledger.dates import SATURDAY_SUNDAY, Calendar, Holiday, Roll, holiday_on
from node.ledger.tables import APPOINTMENTS, CALENDARS
from node.ledger.units import MS_PER_DAY
from tests.sim.model import Model

DAYS_AHEAD: int = 40
EARLY_DAYS: int = 6
"""So much before its day a payment may be made, in a run."""
NAMES: tuple[str, ...] = ("karachi", "lahore", "multan")
"""Few, so that one is often defined twice and amended."""


class Governed(Protocol):
    """How the load gets the offices behind an operation."""

    def __call__(
        self, make: Callable[..., Record], act: str, concerned: str, /, **fields: Any
    ) -> Record: ...


class CalendarLoad:
    """Draws operations of the desk of calendars."""

    def __init__(self, model: Model, now_ms: Callable[[], int], governed: Governed) -> None:
        self._model = model
        self._now_ms = now_ms
        self._governed = governed

    def define(self, chance: random.Random) -> Sequence[Record]:
        name = chance.choice(NAMES)
        days = sorted(chance.sample(range(-5, DAYS_AHEAD), chance.randrange(0, 9)))
        return [
            self._governed(
                DefineCalendar,
                "define_calendar",
                name,
                calendar=name,
                title="Banks",
                weekend=chance.choice((SATURDAY_SUNDAY, SATURDAY_SUNDAY, 0, 1 << 4 | 1 << 5)),
                holidays=tuple(
                    Holiday(day=self._today() + day, provisional=chance.random() < 0.5)
                    for day in days
                ),
            )
        ]

    def amend(self, chance: random.Random) -> Sequence[Record]:
        """Amend one that there is, or define the first."""
        calendars = self._model.rows(CALENDARS)
        if not calendars:
            return self.define(chance)
        key = chance.choice(list(calendars))
        withdrawn, holidays = self._change(chance, calendars[key].calendar)
        return self._amended(key, withdrawn, holidays)

    def correct(self, chance: random.Random) -> Sequence[Record]:
        """Change a day whose payment came before it, as it was none of business; or a near one."""
        calendars = self._model.rows(CALENDARS)
        if not calendars:
            return self.define(chance)
        today = self._today()
        ahead = [key for key, held in calendars.items() if held.used_until > today]
        early = [
            (key.partition(b"/")[0], each.nominal)
            for key, each in self._model.rows(APPOINTMENTS).items()
            if each.convention is Roll.PRECEDING
            and each.business_days == 0
            and today + 1 < each.nominal <= today + EARLY_DAYS
        ]
        if not ahead and early:
            # It is paid tomorrow, if no business is done from then on to its day: for as long as
            # that is, a correction can concern the past of it.
            key, last = chance.choice(early)
            idle = (Holiday(day=day, provisional=False) for day in range(today + 2, last + 1))
            return self._amended(key, (), tuple(idle))
        if not ahead:
            # Most of what is appointed is near.
            near = Holiday(day=today + chance.randrange(5), provisional=False)
            return self._amended(chance.choice(list(calendars)), (), (near,))
        key = chance.choice(ahead)
        used = calendars[key].used_until
        if holiday_on(calendars[key].calendar, used) is not None:
            return self._amended(key, (used,), ())
        return self._amended(key, (), (Holiday(day=used, provisional=False),))

    def _amended(
        self, key: bytes, withdrawn: tuple[int, ...], holidays: tuple[Holiday, ...]
    ) -> Sequence[Record]:
        name = key.decode()
        return [
            self._governed(
                AmendCalendar,
                "amend_calendar",
                name,
                calendar=name,
                version=self._model.rows(CALENDARS)[key].calendar.version,
                withdrawn=withdrawn,
                holidays=holidays,
            )
        ]

    def _change(
        self, chance: random.Random, calendar: Calendar
    ) -> tuple[tuple[int, ...], tuple[Holiday, ...]]:
        expected = [holiday.day for holiday in calendar.holidays if holiday.provisional]
        if not expected or chance.random() < 0.4:
            day = self._today() + chance.randrange(0, DAYS_AHEAD)
            return (), (Holiday(day=day, provisional=chance.random() < 0.5),)
        day = chance.choice(expected)
        if chance.random() < 0.5:
            return (), (Holiday(day=day, provisional=False),)
        return (day,), (Holiday(day=day + 1, provisional=False),)

    def _today(self) -> int:
        return self._now_ms() // MS_PER_DAY
