"""Calendars on the ledger, and what is appointed for a business day by one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.codec import encode
from node.ledger.calendars import (
    MOVED_PER_BLOCK_MAX,
    AppointmentMoved,
    appoint,
    calendar_of,
    cancel_appointment,
)
from node.ledger.dates import (
    SATURDAY_SUNDAY,
    Calendar,
    Holiday,
    Roll,
    is_business_day,
    roll,
)
from node.ledger.due import APPOINTMENT_WORK, DUE_PER_BLOCK_MAX, HoldExpired
from node.ledger.events import CalendarAmended, CalendarDefined, HoldPlaced, ProposalApplied
from node.ledger.operations import AmendCalendar, DefineCalendar, Propose, SetPowers
from node.ledger.outcomes import Outcome, Reject
from node.ledger.powers import PowerRecord
from node.ledger.state import LedgerState
from node.ledger.tables import APPOINTMENTS, DUE, DueKind, appointment_key, hold_key
from tests.ledger.ladders_calendars import KARACHI, holiday
from tests.ledger.ladders_governance import ALL
from tests.ledger.ladders_registry import JOINT
from tests.ledger.world import (
    CB,
    DAY_MS,
    NOW_MS,
    TODAY,
    VAR,
    World,
    address,
    make_market,
    make_world,
    place_hold,
)

MARKET = make_market()
FRIDAY = TODAY + 7  # TODAY is one, 4 October 2024
MIDNIGHT_MS = 5 * 3_600_000
"""That much earlier than in Greenwich a day begins."""


def define(*holidays: Holiday, calendar: str = KARACHI) -> DefineCalendar:
    return DefineCalendar(
        account=address(CB),
        approvers=(),
        calendar=calendar,
        title="Banks",
        weekend=SATURDAY_SUNDAY,
        holidays=holidays,
    )


def amend(
    *holidays: Holiday, version: int = 1, withdrawn: tuple[int, ...] = (), calendar: str = KARACHI
) -> AmendCalendar:
    return AmendCalendar(
        account=address(CB),
        approvers=(),
        calendar=calendar,
        version=version,
        withdrawn=withdrawn,
        holidays=holidays,
    )


def calendar(world: World, name: str = KARACHI) -> Calendar:
    return calendar_of(LedgerState(world.records), name)


def starts(day: int) -> int:
    """Return the time at which the local day begins."""
    return day * DAY_MS - MIDNIGHT_MS


def hold_until(
    world: World,
    nominal: int,
    convention: Roll = Roll.FOLLOWING,
    *,
    business_days: int = 0,
    minute: int = 0,
) -> bytes:
    """Let a hold end on a business day; return its id, which is the appointment's too."""
    [hold] = holds_until(world, 1, nominal, convention, business_days=business_days, minute=minute)
    return hold


def holds_until(
    world: World,
    count: int,
    nominal: int,
    convention: Roll = Roll.FOLLOWING,
    *,
    business_days: int = 0,
    minute: int = 0,
) -> list[bytes]:
    """Let so many holds end on a business day; return their ids."""
    holds = []
    for start in range(0, count, 100):
        placed = world.do(*[place_hold("amina", 1)] * min(100, count - start), by=(VAR,))
        holds += [event.hold for event in placed if isinstance(event, HoldPlaced)]
    state = LedgerState(world.records)
    for hold in holds:
        appoint(
            state,
            KARACHI,
            hold,
            kind=DueKind.HOLD_EXPIRES,
            target=hold_key(address("amina"), hold),
            subject="HOLD",
            nominal=nominal,
            convention=convention,
            business_days=business_days,
            minute=minute,
        )
    world.records.write(state.changes())
    return holds


def ended(world: World, hold: bytes) -> bool:
    return world.get(APPOINTMENTS, appointment_key(KARACHI, hold)) is None


@pytest.fixture
def market() -> World:
    return MARKET.copy()


# --- calendars -----------------------------------------------------------------------------------


def test_calendar_is_defined_and_amended_version_by_version(market: World) -> None:
    eid = TODAY + 40
    assert market.do(define(holiday(eid, provisional=True)), by=(CB,)) == (
        CalendarDefined(calendar=KARACHI, weekend=SATURDAY_SUNDAY, holidays=1),
    )

    seen = market.do(amend(holiday(eid + 1), withdrawn=(eid,)), by=(CB,))
    market.do(amend(holiday(eid + 2, provisional=True), version=2), by=(CB,))
    confirmed = market.do(amend(holiday(eid + 2), version=3), by=(CB,))
    doubted = market.do(amend(holiday(eid + 2, provisional=True), version=4), by=(CB,))

    assert seen == (
        CalendarAmended(
            calendar=KARACHI,
            version=2,
            withdrawn=(eid,),
            added=(holiday(eid + 1),),
            confirmed=(),
            doubted=(),
        ),
    )
    assert [event.confirmed for event in confirmed if isinstance(event, CalendarAmended)] == [
        (eid + 2,)
    ]
    assert [event.doubted for event in doubted if isinstance(event, CalendarAmended)] == [
        (eid + 2,)
    ]
    assert calendar(market) == Calendar(
        version=5,
        weekend=SATURDAY_SUNDAY,
        holidays=(holiday(eid + 1), holiday(eid + 2, provisional=True)),
    )
    market.check()


def test_holiday_of_the_past_can_still_be_confirmed(market: World) -> None:
    market.do(define(holiday(TODAY - 5, provisional=True)), by=(CB,))

    market.do(amend(holiday(TODAY - 5)), by=(CB,))

    assert calendar(market).holidays == (holiday(TODAY - 5),)


def test_day_that_begins_is_today_in_local_time(market: World) -> None:
    market.do(define(), by=(CB,))
    market.time_ms = starts(TODAY + 1) - 1
    assert market.submit(amend(holiday(TODAY + 1)), by=(CB,)).outcome is Outcome.APPLIED

    market.time_ms = starts(TODAY + 2)
    market.block()
    refused = market.submit(amend(holiday(TODAY + 2), version=2), by=(CB,))

    assert refused.outcome is Outcome.CALENDAR_DAY_PAST
    assert dict(refused.details)["today"] == TODAY + 2


def test_calendars_can_be_proposed(market: World) -> None:
    events = market.do(
        Propose(account=address(CB), operations=encode((define(),)), expires_ms=NOW_MS + DAY_MS),
        by=(CB,),
    )

    assert [event for event in events if isinstance(event, ProposalApplied)]
    assert calendar(market).version == 1


def test_calendars_are_independent(market: World) -> None:
    market.do(define(), define(calendar="lahore"), by=(CB,))

    market.do(amend(holiday(TODAY + 1)), by=(CB,))

    assert (calendar(market).version, calendar(market, "lahore").version) == (2, 1)


# --- versions ------------------------------------------------------------------------------------


def test_version_2_knows_no_power_over_calendars() -> None:
    """As a release says that does not know them: the matrix is the same at both."""
    power = PowerRecord(offices=(CB,), required=1, licences=())
    operation = SetPowers(
        account=address(CB),
        approvers=JOINT,
        operation="amend_calendar",
        subject="karachi",
        power=power,
    )

    older, newer = make_world(version=2), make_world(version=3)

    assert older.submit(operation, by=ALL).outcome is Outcome.OPERATION_UNKNOWN
    assert newer.submit(operation, by=ALL).outcome is Outcome.APPLIED


# --- appointments --------------------------------------------------------------------------------


def test_appointment_is_kept_on_the_business_day_by_the_local_minute(market: World) -> None:
    market.do(define(holiday(FRIDAY)), by=(CB,))
    hold = hold_until(market, FRIDAY, minute=90)

    market.time_ms = starts(FRIDAY + 3) + 90 * 60_000 - 1
    assert market.block().events == ()
    market.time_ms += 1
    events = market.block().events

    assert [event.hold for event in events if isinstance(event, HoldExpired)] == [hold]
    assert ended(market, hold)
    market.check()


def test_correction_moves_what_is_affected_and_says_so(market: World) -> None:
    market.do(define(holiday(FRIDAY, provisional=True)), by=(CB,))
    moving = hold_until(market, FRIDAY)
    standing = hold_until(market, FRIDAY - 2)
    market.do(amend(holiday(FRIDAY - 1), withdrawn=(FRIDAY,)), by=(CB,))

    events = market.block().events

    assert events == (
        AppointmentMoved(
            calendar=KARACHI,
            version=2,
            subject="HOLD",
            kind=DueKind.HOLD_EXPIRES,
            nominal=FRIDAY,
            before=FRIDAY + 3,
            after=FRIDAY,
        ),
    )
    market.check()
    assert market.block().events == ()
    market.time_ms = starts(FRIDAY - 2)
    assert [e.hold for e in market.block().events if isinstance(e, HoldExpired)] == [standing]
    market.time_ms = starts(FRIDAY)
    assert [e.hold for e in market.block().events if isinstance(e, HoldExpired)] == [moving]


def test_appointment_before_another_day_is_counted_back_in_business_days(market: World) -> None:
    market.do(define(holiday(FRIDAY)), by=(CB,))
    hold = hold_until(market, FRIDAY, business_days=-2)  # Monday, less Friday, less the weekend

    market.time_ms = starts(FRIDAY - 2)
    assert [e.hold for e in market.block().events if isinstance(e, HoldExpired)] == [hold]


def test_appointment_that_is_cancelled_leaves_nothing(market: World) -> None:
    market.do(define(), by=(CB,))
    hold = hold_until(market, FRIDAY)
    state = LedgerState(market.records)

    cancel_appointment(state, KARACHI, hold)

    assert state.scan(APPOINTMENTS, b"", 10) == []
    assert state.scan(DUE, b"", 10) == []


@pytest.mark.parametrize("convention", [Roll.PRECEDING, Roll.MODIFIED_FOLLOWING])
def test_what_was_paid_early_keeps_its_days_from_being_corrected(
    market: World, convention: Roll
) -> None:
    nominal = TODAY + 57  # Saturday, the last day of a month
    market.do(define(holiday(nominal + 2), holiday(nominal + 30)), by=(CB,))
    held = hold_until(market, nominal, convention)
    market.time_ms = starts(nominal - 1)
    market.block()
    assert ended(market, held)

    refused = market.submit(amend(holiday(nominal)), by=(CB,))
    market.do(amend(withdrawn=(nominal + 30,)), by=(CB,))

    assert refused.outcome is Outcome.CALENDAR_DAY_USED


def test_what_was_paid_early_keeps_the_days_beyond_its_own_from_being_corrected(
    market: World,
) -> None:
    thursday = TODAY + 55  # the month ends on Saturday
    market.do(define(holiday(thursday), holiday(thursday + 1), holiday(thursday + 30)), by=(CB,))
    held = hold_until(market, thursday, Roll.MODIFIED_FOLLOWING)
    market.time_ms = starts(thursday - 1)
    market.block()
    assert ended(market, held)

    refused = market.submit(amend(withdrawn=(thursday + 1,)), by=(CB,))

    assert refused.outcome is Outcome.CALENDAR_DAY_USED, "by it, it would have been on that day"


def test_preparation_leaves_the_days_open_to_correction(market: World) -> None:
    """The record date was two days ago, and the moon is seen tonight: the payment moves."""
    market.do(define(holiday(FRIDAY, provisional=True)), by=(CB,))
    hold_until(market, FRIDAY, Roll.PRECEDING, business_days=-2)
    market.time_ms = starts(FRIDAY - 3)
    assert [e for e in market.block().events if isinstance(e, HoldExpired)]

    assert market.submit(amend(withdrawn=(FRIDAY,)), by=(CB,)).outcome is Outcome.APPLIED


def test_appointment_is_measured_again_when_its_time_comes_first(market: World) -> None:
    """Amended in the last block of the day before, with more appointments than a block looks at."""
    market.do(define(), by=(CB,))
    holds = holds_until(market, MOVED_PER_BLOCK_MAX + 5, FRIDAY)
    market.time_ms = starts(FRIDAY) - 1
    market.do(amend(holiday(FRIDAY)), by=(CB,))
    market.time_ms = starts(FRIDAY)

    events = market.block().events

    assert len(events) == len(holds)
    assert {type(event) for event in events} == {AppointmentMoved}
    market.check()
    while market.block().events:
        market.check()
    assert not any(ended(market, hold) for hold in holds)
    market.time_ms = starts(FRIDAY + 3)
    assert sum(counts_of_blocks(market)) == len(holds)
    assert all(ended(market, hold) for hold in holds)


def test_amendment_is_worked_off_a_bounded_number_a_block(market: World) -> None:
    market.do(define(), by=(CB,))
    state = LedgerState(market.records)
    for number in range(2 * MOVED_PER_BLOCK_MAX + 7):
        appoint(
            state,
            KARACHI,
            number.to_bytes(32, "big"),
            kind=DueKind.HOLD_EXPIRES,
            target=b"",  # never comes to it
            subject="HOLD",
            nominal=FRIDAY,
            convention=Roll.FOLLOWING,
        )
    market.records.write(state.changes())
    market.do(define(calendar="lahore"), by=(CB,))
    market.do(amend(holiday(FRIDAY)), by=(CB,))

    moved = [len(market.block().events) for _ in range(4)]

    assert moved == [MOVED_PER_BLOCK_MAX, MOVED_PER_BLOCK_MAX, 7, 0]
    assert MOVED_PER_BLOCK_MAX < DUE_PER_BLOCK_MAX
    market.check()


def test_second_amendment_begins_anew_and_leaves_one_piece_of_work(market: World) -> None:
    market.do(define(), by=(CB,))
    holds_until(market, MOVED_PER_BLOCK_MAX + 3, FRIDAY)
    market.do(amend(holiday(FRIDAY)), by=(CB,))
    market.time_ms += 1
    market.do(amend(withdrawn=(FRIDAY,), version=2), by=(CB,))
    market.check()

    moved = [len(market.block().events) for _ in range(3)]

    assert moved == [MOVED_PER_BLOCK_MAX, 0, 0]  # those that had moved come back; three never did
    market.check()
    market.time_ms = starts(FRIDAY)
    # Each is measured by its calendar once more, and counts for that as well.
    assert counts_of_blocks(market)[0] == -(-DUE_PER_BLOCK_MAX // (APPOINTMENT_WORK + 1))
    assert market.records.scan(APPOINTMENTS, b"", 1) == []


def counts_of_blocks(market: World) -> list[int]:
    """Return how many events each block had until one has none."""
    counts = [len(market.block().events)]
    while counts[-1]:
        counts.append(len(market.block().events))
    return counts


def test_amendment_looks_at_the_appointments_of_its_own_calendar(market: World) -> None:
    """Those of the next calendar by name follow in the same table."""
    market.do(define(), define(calendar="abbottabad"), by=(CB,))
    hold = hold_until(market, FRIDAY)

    market.do(amend(holiday(FRIDAY), calendar="abbottabad"), by=(CB,))

    assert market.block().events == ()
    market.time_ms = starts(FRIDAY)
    market.block()
    assert ended(market, hold)


def test_appointment_by_no_calendar_is_refused(market: World) -> None:
    with pytest.raises(Reject) as refused:
        hold_until(market, FRIDAY)

    assert refused.value.outcome is Outcome.CALENDAR_UNKNOWN


def test_payment_that_should_have_been_yesterday_is_on_the_next_business_day(
    market: World,
) -> None:
    """On Saturday it turns out that Monday is a holiday: the business day before it is over."""
    market.do(define(), by=(CB,))
    monday = FRIDAY + 3
    paid = hold_until(market, monday, Roll.PRECEDING)
    prepared = hold_until(market, monday, Roll.PRECEDING, business_days=-1)
    market.time_ms = starts(FRIDAY)
    assert [e.hold for e in market.block().events if isinstance(e, HoldExpired)] == [prepared]
    late = hold_until(market, monday + 1, Roll.PRECEDING, business_days=-1)
    market.time_ms = starts(FRIDAY + 1)
    market.do(amend(holiday(monday), holiday(monday + 1)), by=(CB,))

    events = market.block().events

    assert [e.after for e in events if isinstance(e, AppointmentMoved) and e.nominal == monday] == [
        monday + 2
    ]
    market.check()
    assert [e.hold for e in market.block().events if isinstance(e, HoldExpired)] == [late]
    market.time_ms = starts(monday + 2)
    assert [e.hold for e in market.block().events if isinstance(e, HoldExpired)] == [paid]
    market.check()


@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=4, max_size=12),
    st.lists(
        st.tuples(st.integers(4, 24), st.sampled_from(Roll)), min_size=1, max_size=6, unique=True
    ),
)
def test_whatever_is_amended_things_happen_on_their_day_and_the_past_stays(
    amendments: list[tuple[int, bool]], wanted: list[tuple[int, Roll]]
) -> None:
    world = MARKET.copy()
    world.do(define(), by=(CB,))
    nominal = {
        hold_until(world, TODAY + after, convention): (TODAY + after, convention)
        for after, convention in wanted
    }
    happened: dict[bytes, int] = {}
    """Where the calendar of the day put what happened."""

    def block(day: int) -> None:
        for event in world.block().events:
            if isinstance(event, HoldExpired):
                assert event.hold not in happened
                found = calendar(world)
                happened[event.hold] = roll(found, *nominal[event.hold])
                late = nominal[event.hold][1] in {Roll.PRECEDING, Roll.MODIFIED_FOLLOWING}
                assert happened[event.hold] <= day if late else happened[event.hold] == day
                assert nominal[event.hold][1] is Roll.NONE or is_business_day(found, day)

    for day in range(TODAY + 1, TODAY + 40):
        world.time_ms = starts(day)
        block(day)
        if amendments and day % 2:
            after, withdraw = amendments.pop()
            version = calendar(world).version
            operation = (
                amend(version=version, withdrawn=(day + after,))
                if withdraw
                else amend(holiday(day + after), version=version)
            )
            world.block(world.body(operation, by=(CB,)))
            for _ in range(2):  # it moves in one block, and if it is today, it happens in the next
                world.time_ms += 1_000
                block(day)
            world.check()
        for hold, on in happened.items():
            assert roll(calendar(world), *nominal[hold]) == on

    assert happened.keys() == nominal.keys()
