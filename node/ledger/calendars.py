"""Calendars on the ledger, and appointments: what happens on a business day, wherever it moves.

An appointment is made for a day of the terms, with the rule by which it moves off holidays; it
stands in the queue of what is due at the moment that this comes to by the calendar as it is. When
the calendar is amended, its appointments are looked at one after the other, so many a block, and
those that are affected move and say so. One whose time comes before it was looked at is measured
again before it happens: nothing happens on a holiday that was known the day before.

What has happened stays. A calendar is only amended for days to come, and not for those that an
appointment which has happened already relied on; so the days by which something was calculated
never change afterwards. The only writer of `APPOINTMENTS`.
"""

from typing import Final

from node.codec import Record, replace
from node.ledger.dates import (
    Calendar,
    Roll,
    add_business_days,
    moment_ms,
    roll,
)
from node.ledger.identifiers import Name
from node.ledger.outcomes import Outcome, Reject
from node.ledger.parameters import parameter
from node.ledger.state import LedgerState, Table
from node.ledger.tables import (
    APPOINTMENTS,
    BUSINESS_DAYS_MAX,
    CALENDARS,
    DUE,
    RECORDS_DUE,
    SUBJECT_MAX,
    AppointmentRecord,
    CalendarRecord,
    DueKind,
    DueRecord,
    appointment_key,
    due_key,
    name_key,
)
from node.ledger.units import DAY_MAX, Day, local_day

MOVED_PER_BLOCK_MAX: Final = 250
"""Appointments of one calendar that one block looks at after an amendment; 5 ms of work."""
_FOLLOWED_BY: Final = {DueKind.RECORD_DAY: DueKind.PAYMENT_DAY}
"""What prepares something that has no appointment yet, and what that is. A holiday on the day of a
payment moves the payment alone: its record counts back over the holiday."""
_ID_SIZE: Final = 32


class AppointmentMoved(Record, tag=102):
    """By a new version of its calendar, something will happen on another day."""

    calendar: Name
    version: int
    """Of the calendar."""
    subject: str
    """What it is about: the code of an asset, the name of an auction."""
    kind: DueKind
    """What will happen."""
    nominal: Day
    """The day of the terms."""
    before: Day
    after: Day


# --- calendars -----------------------------------------------------------------------------------


def calendar_record(state: LedgerState, name: str) -> CalendarRecord:
    """Return a calendar with what the ledger keeps about it.

    Raises:
        Reject: CALENDAR_UNKNOWN.
    """
    record = state.get(CALENDARS, name_key(name))
    if record is None:
        raise Reject(Outcome.CALENDAR_UNKNOWN, calendar=name)
    return record


def calendar_of(state: LedgerState, name: str) -> Calendar:
    """Return the ruling version of a calendar.

    Raises:
        Reject: CALENDAR_UNKNOWN.
    """
    return calendar_record(state, name).calendar


def today(state: LedgerState, time_ms: int) -> Day:
    """Return what day it is, in the ledger's local time, in a block of this time."""
    return local_day(time_ms, parameter(state, "utc-offset-minutes"))


def replace_calendar(state: LedgerState, name: str, calendar: Calendar, time_ms: int) -> None:
    """Let another version rule, and have the appointments looked at from the next block on."""
    record = calendar_record(state, name)
    if record.moving_since_ms is not None:
        state.delete(DUE, mover_key(name, record.moving_since_ms))
    state.put(
        CALENDARS, name_key(name), replace(record, calendar=calendar, moving_since_ms=time_ms)
    )
    _put_mover(state, name, time_ms, start=appointment_key(name, b""))


# --- appointments --------------------------------------------------------------------------------


def appoint(
    state: LedgerState,
    calendar: str,
    appointment_id: bytes,
    *,
    kind: DueKind,
    target: bytes,
    subject: str,
    nominal: Day,
    convention: Roll,
    business_days: int = 0,
    minute: int = 0,
) -> Day:
    """Let something happen on a business day, and return the day as it is known now.

    Args:
        appointment_id: 32 bytes; no other appointment of this calendar has the same.
        kind: what happens, with the key of the record that it happens to.
        nominal: the day of the terms.
        business_days: counted from where the nominal day moves to; negative for what comes before.
            At 0 it is the thing itself: once it has happened, no amendment concerns its days.
        minute: of the local day.

    Raises:
        Reject: CALENDAR_UNKNOWN.
    """
    assert len(appointment_id) == _ID_SIZE
    assert 0 < len(subject) <= SUBJECT_MAX, subject
    assert abs(business_days) <= BUSINESS_DAYS_MAX, business_days
    moved, day = _days(calendar_of(state, calendar), nominal, convention, business_days)
    due_ms = _moment_ms(state, day, minute)
    key = appointment_key(calendar, appointment_id)
    assert state.get(APPOINTMENTS, key) is None, "an appointment is made once"
    record = AppointmentRecord(
        kind=kind,
        target=target,
        subject=subject,
        nominal=nominal,
        convention=convention,
        business_days=business_days,
        minute=minute,
        moved=moved,
        day=day,
        due_ms=due_ms,
    )
    _enter(state, key, record)
    return day


def cancel_appointment(state: LedgerState, calendar: str, appointment_id: bytes) -> None:
    """Let it not happen. It was made and has not happened yet."""
    key = appointment_key(calendar, appointment_id)
    record = state.get(APPOINTMENTS, key)
    assert record is not None, "only what was made is cancelled"
    _leave(state, key, record)


def meet(
    state: LedgerState, key: bytes, time_ms: int
) -> tuple[list[AppointmentMoved], AppointmentRecord | None]:
    """Take an appointment whose time has come out of the queue.

    Returns:
        what moved, by an amendment that it was not looked at for; and what happens now, unless it
        moved to later.
    """
    record = state.get(APPOINTMENTS, key)
    assert record is not None  # cancelling one removes its entry
    name, _ = _split(key)
    held = calendar_record(state, name)
    moved = _measure(state, key, record, name, held.calendar, time_ms)
    present = state.get(APPOINTMENTS, key)
    assert present is not None
    if present.due_ms > time_ms:
        return moved, None
    _leave(state, key, present)
    relied = _relied_until(held.calendar, present)
    if present.business_days == 0 and relied > held.used_until:
        state.put(CALENDARS, name_key(name), replace(held, used_until=relied))
    return moved, present


def move_some(
    state: LedgerState, due: DueRecord, time_ms: int
) -> tuple[list[AppointmentMoved], int]:
    """Look at the next appointments after an amendment; put itself back while there are more.

    Returns:
        which moved, and how many were read: those of other calendars, behind the last one, too.
    """
    name, _ = _split(due.target)
    held = calendar_record(state, name)
    assert held.moving_since_ms is not None
    entries = state.scan(APPOINTMENTS, due.target, MOVED_PER_BLOCK_MAX + 1)
    own = [(key, record) for key, record in entries if _split(key)[0] == name]
    taken = own[:MOVED_PER_BLOCK_MAX]
    events = []
    for key, record in taken:
        events += _measure(state, key, record, name, held.calendar, time_ms)
    state.delete(DUE, mover_key(name, held.moving_since_ms))
    if len(own) > len(taken):
        # Under the same key: this block is past it, and the next one begins with it.
        _put_mover(state, name, held.moving_since_ms, start=own[-1][0])
    else:
        state.put(CALENDARS, name_key(name), replace(held, moving_since_ms=None))
    return events, len(entries)


def _measure(
    state: LedgerState,
    key: bytes,
    record: AppointmentRecord,
    name: str,
    calendar: Calendar,
    time_ms: int,
) -> list[AppointmentMoved]:
    """Put an appointment where it belongs by this calendar; return what has another day.

    What an amendment moves to a day that is over, because the day after it turned out to be a
    holiday, happens on the next day of business; what only prepares happens at once.
    """
    moved, day = _days(calendar, record.nominal, record.convention, record.business_days)
    now = today(state, time_ms)
    if day < now and day != record.day and record.business_days == 0:
        day = roll(calendar, now, Roll.FOLLOWING)
    due_ms = _moment_ms(state, day, record.minute)
    if due_ms == record.due_ms and moved == record.moved:
        return []
    _leave(state, key, record)
    _enter(state, key, replace(record, moved=moved, day=day, due_ms=due_ms))
    # Where the day is the same, midnight may be elsewhere: the distance from UTC was set anew.
    days = [(record.kind, record.day, day)]
    if record.kind in _FOLLOWED_BY:
        days.append((_FOLLOWED_BY[record.kind], record.moved, moved))
    return [
        AppointmentMoved(
            calendar=name,
            version=calendar.version,
            subject=record.subject,
            kind=kind,
            nominal=record.nominal,
            before=before,
            after=after,
        )
        for kind, before, after in days
        if before != after
    ]


def _days(
    calendar: Calendar, nominal: Day, convention: Roll, business_days: int
) -> tuple[Day, Day]:
    """Return where a day moves to, and the day that lies so many business days from there."""
    moved = roll(calendar, nominal, convention)
    day = add_business_days(calendar, moved, business_days) if business_days else moved
    # What a record can hold, whatever was asked for.
    return min(max(moved, 0), DAY_MAX), min(max(day, 0), DAY_MAX)


def _moment_ms(state: LedgerState, day: Day, minute: int) -> int:
    return max(moment_ms(day, minute, parameter(state, "utc-offset-minutes")), 0)


def _relied_until(calendar: Calendar, record: AppointmentRecord) -> Day:
    """Return the last day that was looked at to find where this one moves."""
    if record.convention is Roll.MODIFIED_FOLLOWING:
        return roll(calendar, record.nominal, Roll.FOLLOWING)
    return max(record.nominal, record.day)


def queue_of(record: AppointmentRecord) -> Table[DueRecord]:
    """Return the queue in which an appointment stands: records come before all else."""
    return RECORDS_DUE if record.kind is DueKind.RECORD_DAY else DUE


def _enter(state: LedgerState, key: bytes, record: AppointmentRecord) -> None:
    state.put(APPOINTMENTS, key, record)
    due = DueRecord(kind=DueKind.APPOINTMENT, target=key)
    state.put(queue_of(record), due_key(record.due_ms, _split(key)[1]), due)


def _leave(state: LedgerState, key: bytes, record: AppointmentRecord) -> None:
    state.delete(APPOINTMENTS, key)
    state.delete(queue_of(record), due_key(record.due_ms, _split(key)[1]))


def _put_mover(state: LedgerState, name: str, since_ms: int, *, start: bytes) -> None:
    due = DueRecord(kind=DueKind.CALENDAR_AMENDED, target=start)
    state.put(DUE, mover_key(name, since_ms), due)


def mover_key(name: str, since_ms: int) -> bytes:
    """Return where the work after an amendment stands: under the calendar's own name."""
    return due_key(since_ms, name_key(name).ljust(_ID_SIZE, b"\0"))


def _split(key: bytes) -> tuple[str, bytes]:
    name, _, appointment_id = key.partition(b"/")
    return name.decode(), appointment_id
