"""Fixing what floats: by the last auction before the fixing day, or by offices with a source.

Each fixing is an appointment, and appoints the one after it. At the start of its day it looks at
the weighted average that auctions have left under the name of the terms. It counts if it was
decided before that day, and if its auction was held not too long before. If not, the rate is
awaited: the offices bring the reference from elsewhere, and say where they have it from. While it
is awaited at the end of the record day, the record waits, and takes the holders of the day on which
it is fixed.

A line whose margin is bid for can be fixed before it has one: the reference stays, and what it
comes to follows the margin.
"""

from typing import Annotated, Final

import msgspec

from node.codec import Record, replace
from node.ledger.calendars import appoint, calendar_of, today
from node.ledger.courses import calls_of, fixing_of, payment_now
from node.ledger.dates import Calendar
from node.ledger.identifiers import AssetCode, Name
from node.ledger.instruments import fixing_nominal, floating_rate, periods_of
from node.ledger.outcomes import Outcome, Reject
from node.ledger.positions import service_of
from node.ledger.securities import (
    FIXINGS,
    SERVICES,
    FixingRecord,
    Number,
    ReferencePpm,
    payment_key,
)
from node.ledger.servicing.records import appointment_id, row_of, security_of, wake
from node.ledger.state import LedgerState
from node.ledger.tables import ASSETS, AUCTIONS, REFERENCES, DueKind, name_key
from node.ledger.terms import PPM, FloatingRate, ServicedTerms
from node.ledger.units import Day

NONE_YET: Final = "none"
STALE: Final = "stale"
TOO_YOUNG: Final = "decided-later"
"""Why no auction gave the reference: there was none, it was held too long before, or only one that
was decided since is known, where the security is defined after its fixing day."""


class RateFixed(Record, tag=69):
    """What a security pays for a year in a period is known."""

    asset: AssetCode
    payment: Number
    day: Day
    """The fixing day by its terms."""
    reference: Name
    reference_ppm: ReferencePpm
    margin_ppm: Annotated[int, msgspec.Meta(ge=-PPM, le=PPM)]
    rate_ppm: Annotated[int, msgspec.Meta(ge=0, le=PPM)]
    """With the margin, within floor and cap."""
    auction: Name | None
    """Whose weighted average the reference is; None: the offices brought it."""
    source: str | None
    """From where."""


class RateAwaited(Record, tag=70):
    """No auction gives the reference: the offices are to bring it."""

    asset: AssetCode
    payment: Number
    day: Day
    reference: Name
    reason: Name
    """`none`, `stale` or `decided-later`."""


def begin_fixings(state: LedgerState, asset: str, terms: ServicedTerms, number: int) -> None:
    """Appoint the first fixing of a security that is defined now: that of this payment."""
    if terms.plan.floating is not None:
        _appoint(state, asset, terms, calendar_of(state, terms.plan.calendar), number)


def meet_fixing(
    state: LedgerState, asset: str, number: int, time_ms: int
) -> RateFixed | RateAwaited | None:
    """Fix a rate on its day, by the last auction if that counts, and appoint the next fixing.

    Returns:
        what happened; None: the security was called, and no such payment comes any more.
    """
    _, terms = security_of(state, asset)
    calendar = calendar_of(state, terms.plan.calendar)
    count = len(periods_of(terms.plan, calendar, calls_of(state, asset, terms)))
    if number > count:
        return None
    if number < count:
        _appoint(state, asset, terms, calendar, number + 1)
    floating = _floating(terms)
    day = payment_now(state, asset, terms, calendar, number).fixing_day
    assert day is not None  # it floats
    last = state.get(REFERENCES, name_key(floating.reference))
    if last is None:
        reason = NONE_YET
    elif today(state, _decided_ms(state, last.auction)) >= day:
        reason = TOO_YOUNG
    elif day - last.day > floating.stale_days:
        reason = STALE
    else:
        fixing = FixingRecord(
            day=day,
            reference_ppm=last.average_yield_e4,
            rate_ppm=floating_rate(floating, last.average_yield_e4),
            auction=last.auction,
            source=None,
        )
        return _fix(state, asset, terms, number, fixing, time_ms)
    awaited = FixingRecord(day=day, reference_ppm=None, rate_ppm=None, auction=None, source=None)
    state.put(FIXINGS, payment_key(asset, number), awaited)
    return RateAwaited(
        asset=asset, payment=number, day=day, reference=floating.reference, reason=reason
    )


def fix_by_source(
    state: LedgerState,
    asset: str,
    terms: ServicedTerms,
    number: int,
    *,
    reference_ppm: int,
    source: str,
    time_ms: int,
) -> RateFixed:
    """Fix a rate that is awaited, by a reference from elsewhere.

    Raises:
        Reject: FIXING_NOT_AWAITED, RATE_ALREADY_FIXED.
    """
    fixing = fixing_of(state, asset, number)
    if fixing is None:
        raise Reject(Outcome.FIXING_NOT_AWAITED, asset=asset, payment=number)
    if fixing.rate_ppm is not None:
        raise Reject(
            Outcome.RATE_ALREADY_FIXED,
            asset=asset,
            payment=number,
            found=fixing.rate_ppm,
            source=fixing.auction or fixing.source or "",
        )
    fixing = replace(
        fixing,
        reference_ppm=reference_ppm,
        rate_ppm=floating_rate(_floating(terms), reference_ppm),
        source=source,
    )
    return _fix(state, asset, terms, number, fixing, time_ms)


def set_margin(state: LedgerState, asset: str, margin_ppm: int, time_ms: int) -> list[RateFixed]:
    """Give a line its margin, of which no record was taken; rates that are fixed follow it.

    Returns:
        the rates that were fixed before, as they are now: their references stay.
    """
    record, terms = security_of(state, asset)
    floating = replace(_floating(terms), margin_ppm=margin_ppm)
    terms = replace(terms, plan=replace(terms.plan, floating=floating))
    state.put(ASSETS, name_key(asset), replace(record, terms=terms))
    state.put(SERVICES, name_key(asset), replace(service_of(state, asset), decided=True))
    found: list[RateFixed] = []
    number = 1
    # Fixings come in order, at most a period or two ahead of the first record.
    while (fixing := fixing_of(state, asset, number)) is not None:
        if fixing.reference_ppm is not None:
            rate_ppm = floating_rate(floating, fixing.reference_ppm)
            after = replace(fixing, rate_ppm=rate_ppm)
            found.append(_fix(state, asset, terms, number, after, time_ms))
        number += 1
    return found


def _fix(
    state: LedgerState,
    asset: str,
    terms: ServicedTerms,
    number: int,
    fixing: FixingRecord,
    time_ms: int,
) -> RateFixed:
    """Enter a rate, also where the row that it is for is planned already."""
    assert fixing.reference_ppm is not None
    assert fixing.rate_ppm is not None
    state.put(FIXINGS, payment_key(asset, number), fixing)
    service = service_of(state, asset)
    if service.next is not None and service.recorded + 1 == number:
        calendar = calendar_of(state, terms.plan.calendar)
        row = row_of(payment_now(state, asset, terms, calendar, number))
        service = replace(service, next=row, calendar_version=calendar.version)
        if service.waits:
            wake(state, asset, service, time_ms + 1)
        else:
            state.put(SERVICES, name_key(asset), service)
    floating = _floating(terms)
    return RateFixed(
        asset=asset,
        payment=number,
        day=fixing.day,
        reference=floating.reference,
        reference_ppm=fixing.reference_ppm,
        margin_ppm=floating.margin_ppm,
        rate_ppm=fixing.rate_ppm,
        auction=fixing.auction,
        source=fixing.source,
    )


def _floating(terms: ServicedTerms) -> FloatingRate:
    floating = terms.plan.floating
    assert floating is not None  # only what floats has fixings
    return floating


def _decided_ms(state: LedgerState, auction: str) -> int:
    record = state.get(AUCTIONS, name_key(auction))
    assert record is not None  # auctions are never deleted
    assert record.result is not None  # its average is kept when it is decided
    return record.result.decided_ms


def _appoint(
    state: LedgerState, asset: str, terms: ServicedTerms, calendar: Calendar, number: int
) -> None:
    plan = terms.plan
    key = payment_key(asset, number)
    appoint(
        state,
        plan.calendar,
        appointment_id(asset, number, DueKind.FIXING_DAY),
        kind=DueKind.FIXING_DAY,
        target=key,
        subject=asset,
        nominal=fixing_nominal(plan, periods_of(plan, calendar), number),
        convention=plan.roll,
        business_days=-_floating(terms).fixing_days,
    )
