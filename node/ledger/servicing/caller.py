"""Calling: the issuer repays early, within the terms, all that is left or a share of it.

A call is of the payment in whose period its day lies. Of all that is left, that payment comes on
the day, with the interest until then, and is the last one. Of a share, it is the payment's own day:
it repays so much of everybody's face besides. Records, funding and paying are as ever; what
rounding leaves goes to the residue account.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Annotated

import msgspec

from node.codec import Record
from node.ledger.calendars import calendar_of, cancel_appointment, today
from node.ledger.courses import calls_of
from node.ledger.dates import Calendar, is_business_day
from node.ledger.identifiers import AssetCode
from node.ledger.instruments import Call, Calls, Payment, last_called, payment_of, schedule_of
from node.ledger.outcomes import Outcome, Reject
from node.ledger.phrases import CallFault, Reason
from node.ledger.positions import service_of
from node.ledger.securities import (
    CALLS,
    SERVICES,
    CalledRecord,
    CallsRecord,
    Number,
    ServiceRecord,
)
from node.ledger.servicing.records import appointment_id, plan_next
from node.ledger.state import LedgerState
from node.ledger.tables import DueKind, name_key
from node.ledger.terms import PPM, CallRight, PriceE4, ServicedTerms
from node.ledger.units import Day


class SecurityCalled(Record, tag=71):
    """The issuer repays early."""

    asset: AssetCode
    payment: Number
    """With which payment."""
    day: Day
    share_ppm: Annotated[int, msgspec.Meta(ge=1, le=PPM - 1)] | None
    """Of the face that was issued; None: all that is left."""
    price_e4: PriceE4


def call(
    state: LedgerState,
    asset: str,
    terms: ServicedTerms,
    *,
    day: Day,
    share_ppm: int | None,
    time_ms: int,
) -> SecurityCalled:
    """Call a security on a day.

    Raises:
        Reject: ASSET_NOT_CALLABLE, ALREADY_CALLED, CALL_NOT_WITHIN_TERMS.
    """
    right = terms.plan.call
    if right is None:
        raise Reject(Outcome.ASSET_NOT_CALLABLE, asset=asset)
    calls = calls_of(state, asset, terms)
    calendar = calendar_of(state, terms.plan.calendar)
    agreed = schedule_of(terms, calendar, calls=calls)
    number = next((each.number for each in agreed if day <= each.nominal_day), len(agreed))
    if last_called(calls) is not None or number in calls:
        raise Reject(Outcome.ALREADY_CALLED, asset=asset, payment=number)
    latest = max(calls, default=number)
    if share_ppm is None and latest > number:
        # Its share would have no payment any more, and a call is never taken back.
        raise Reject(Outcome.ALREADY_CALLED, asset=asset, payment=latest)
    now = today(state, time_ms)
    fault = _fault_of_day(right, day, now)
    with_payment = day == agreed[number - 1].nominal_day  # and so made where that rolls to
    if fault is None and not with_payment and not is_business_day(calendar, day):
        fault = CallFault.NO_BUSINESS.of()
    if fault is None and share_ppm is not None:
        fault = _fault_of_share(right, agreed, number, day, share_ppm)
    if fault is not None:
        raise _not_within(asset, day, fault)
    price_e4 = next(each.price_e4 for each in right.windows if day <= each.to_day)
    called = {**calls, number: Call(day=day, share_ppm=share_ppm, price_e4=price_e4)}
    payment = schedule_of(terms, calendar, calls=called)[number - 1]
    service = service_of(state, asset)
    fault = _fault_of_record(terms, agreed, payment, now)
    if number <= records_begun(service):
        fault = CallFault.RECORD_TAKEN.of(payment=number)
    if fault is not None:
        raise _not_within(asset, day, fault)
    _enter(state, asset, called, now)
    if service.next is not None and number == service.recorded + 1:
        planned = appointment_id(asset, number, DueKind.RECORD_DAY)
        cancel_appointment(state, terms.plan.calendar, planned)
        state.put(SERVICES, name_key(asset), plan_next(state, asset, terms, service))
    return SecurityCalled(
        asset=asset, payment=number, day=day, share_ppm=share_ppm, price_e4=price_e4
    )


def records_begun(service: ServiceRecord) -> int:
    """Return up to which payment no call is taken any more: its record is taken, or waits."""
    return service.recorded + service.waits


def earliest_day(
    terms: ServicedTerms,
    calendar: Calendar,
    agreed: Sequence[Payment],
    calls: Calls,
    *,
    begun: int,
    now: Day,
) -> Day | None:
    """Return the first day that a call made now may be of, whole or in part; None: there is none.

    Args:
        agreed: all payments, by these calls.
        begun: as by `records_begun`.
        now: the ledger's day.
    """
    right = terms.plan.call
    if right is None or last_called(calls) is not None:
        return None
    for window in right.windows:
        low = max(window.from_day, now + right.notice_days)
        for payment in agreed[bisect_left(agreed, low, key=lambda each: each.nominal_day) :]:
            if low > window.to_day:
                break
            high = min(window.to_day, payment.nominal_day)
            if payment.number > begun and payment.number not in calls:
                for day in range(low, high + 1):
                    if _may_be_called(terms, calendar, agreed, calls, payment, day, now):
                        return day
            low = high + 1
    return None


def _may_be_called(
    terms: ServicedTerms,
    calendar: Calendar,
    agreed: Sequence[Payment],
    calls: Calls,
    payment: Payment,
    day: Day,
    now: Day,
) -> bool:
    """Return whether a day in a window, and in the period of this payment, may be called now."""
    number = payment.number
    if number < max(calls, default=0):
        # No longer the whole; a share with the payment, where anything would be left.
        if day != payment.nominal_day:
            return False
        repaid = sum(each.principal_ppm for each in agreed[:-1])
        if repaid + 1 >= PPM:
            return False
    if day != payment.nominal_day:
        if not is_business_day(calendar, day):
            return False
        whole = Call(day=day, share_ppm=None, price_e4=payment.price_e4)
        payment = payment_of(terms, calendar, number, calls={**calls, number: whole})
    return _fault_of_record(terms, agreed, payment, now) is None


def _not_within(asset: str, day: Day, reason: Reason) -> Reject:
    return Reject(Outcome.CALL_NOT_WITHIN_TERMS, asset=asset, found=day, reason=reason)


def _fault_of_day(right: CallRight, day: Day, now: Day) -> Reason | None:
    if not any(window.from_day <= day <= window.to_day for window in right.windows):
        return CallFault.IN_NO_WINDOW.of()
    if day - now < right.notice_days:
        return CallFault.NOTICE_TOO_SHORT.of(today=now, notice=right.notice_days)
    return None


def _fault_of_share(
    right: CallRight, agreed: tuple[Payment, ...], number: int, day: Day, share_ppm: int
) -> Reason | None:
    """Return why a share cannot be repaid, or None."""
    if not right.in_part:
        return CallFault.ONLY_WHOLE.of()
    own = agreed[number - 1].nominal_day
    if day != own:
        return CallFault.SHARE_BESIDE_PAYMENT.of(falls=own)
    repaid = sum(each.principal_ppm for each in agreed[:-1])
    if share_ppm + repaid >= PPM:
        return CallFault.SHARE_LEAVES_NOTHING.of(repaid=repaid)
    return None


def _fault_of_record(
    terms: ServicedTerms, agreed: Sequence[Payment], payment: Payment, now: Day
) -> Reason | None:
    """Return why the record of a payment as it was called cannot be taken, or None."""
    if payment.record_day < now:
        return CallFault.RECORD_IS_OVER.of(record=payment.record_day)
    if payment.number == 1:
        earliest = terms.plan.issue_day
    else:
        earliest = agreed[payment.number - 2].payment_day + 1
    if payment.record_day < earliest:
        return CallFault.RECORD_TOO_EARLY.of(record=payment.record_day, earliest=earliest)
    return None


def _enter(state: LedgerState, asset: str, calls: Calls, now: Day) -> None:
    held = state.get(CALLS, name_key(asset))
    before = {} if held is None else {each.payment: each for each in held.calls}
    record = CallsRecord(
        calls=tuple(
            before.get(number)
            or CalledRecord(
                payment=number,
                day=each.day,
                share_ppm=each.share_ppm,
                price_e4=each.price_e4,
                called_day=now,
            )
            for number, each in sorted(calls.items())
        )
    )
    state.put(CALLS, name_key(asset), record)
