"""Taking records: who is owed what is fixed in constant work, however many hold.

A record is an appointment at the midnight that ends its day, the first of the block and before its
transactions. Records stand in a queue of their own, before everything else that is due: whatever
waits for a later block, a record does not wait behind it. The row that it fixes was computed
before, and is computed again only if the calendar has been amended since.
"""

from fractions import Fraction
from typing import Final

from node.codec import Record, replace
from node.hashing import Domain, tagged_hash
from node.ledger.calendars import appoint, calendar_of, today
from node.ledger.courses import fixed_rate, payment_now
from node.ledger.dates import MINUTES_OF_DAY, add_business_days, moment_ms
from node.ledger.identifiers import AssetCode, Name
from node.ledger.instruments import Payment, as_noted
from node.ledger.outcomes import Outcome, Reject
from node.ledger.parameters import parameter
from node.ledger.positions import service_of
from node.ledger.securities import (
    OPEN_PAYMENTS_MAX,
    PAYMENTS,
    SERVICES,
    TIES,
    WITHHOLDINGS,
    Number,
    PaymentRecord,
    PaymentRow,
    PaymentStatus,
    ServiceRecord,
    Tie,
    TieRecord,
    Withheld,
    payment_key,
    principal_of,
    tie_key,
    withholding_key,
)
from node.ledger.state import LedgerState
from node.ledger.tables import (
    ASSETS,
    DUE,
    AssetRecord,
    DueKind,
    DueRecord,
    due_key,
    name_key,
)
from node.ledger.taxpayers import CLASSES, active_class, begin_day
from node.ledger.terms import ServicedTerms, is_serviced, kind_of
from node.ledger.units import Day

UNPAID: Final = "unpaid"
UNFIXED: Final = "unfixed"


class RecordTaken(Record, tag=62):
    """Who is owed a payment is fixed: whoever holds now."""

    asset: AssetCode
    payment: Number
    payment_day: Day
    face: int
    interest_due: int
    principal_due: int


class RecordWaits(Record, tag=68):
    """A record is not taken on its day: too many payments are unpaid, or its rate is not fixed."""

    asset: AssetCode
    payment: Number
    reason: Name
    """`unpaid`: until one is settled; `unfixed`: until the rate is."""


def security_of(state: LedgerState, asset: str) -> tuple[AssetRecord, ServicedTerms]:
    """Return an asset that has a service, and its terms."""
    record = state.get(ASSETS, name_key(asset))
    assert record is not None  # a service has its asset
    assert is_serviced(record.terms)
    return record, record.terms


def check_begins(
    state: LedgerState, asset: str, payments: tuple[Payment, ...], time_ms: int
) -> None:
    """Refuse a security of which no record is left to take.

    Raises:
        Reject: NOTHING_LEFT_TO_PAY.
    """
    if _count_past(state, payments, time_ms) == len(payments):
        raise Reject(Outcome.NOTHING_LEFT_TO_PAY, asset=asset, found=payments[-1].record_day)


def begin_service(
    state: LedgerState,
    asset: str,
    terms: ServicedTerms,
    payments: tuple[Payment, ...],
    time_ms: int,
) -> int:
    """Begin to serve a security that is defined now. Records that lie in the past are not taken.

    Returns:
        the number of its first payment whose record is taken.
    """
    past = _count_past(state, payments, time_ms)
    service = ServiceRecord(
        next=None,
        calendar_version=0,
        waits=False,
        recorded=past,
        settled=past,
        cursor=None,
        closed=False,
        decided=False,
        due_ms=None,
    )
    state.put(SERVICES, name_key(asset), plan_next(state, asset, terms, service))
    residue_account = terms.plan.residue_account
    tie = TieRecord(tie=Tie.RESIDUE)
    state.put(TIES, tie_key(residue_account, Tie.RESIDUE, asset.encode()), tie)
    return past + 1


def plan_next(
    state: LedgerState, asset: str, terms: ServicedTerms, service: ServiceRecord
) -> ServiceRecord:
    """Compute the row whose record is taken next, and appoint its record."""
    calendar = calendar_of(state, terms.plan.calendar)
    number = service.recorded + 1
    row = row_of(payment_now(state, asset, terms, calendar, number))
    _appoint(state, asset, terms, number, row, DueKind.RECORD_DAY)
    return replace(service, next=row, calendar_version=calendar.version)


def take_record(
    state: LedgerState, asset: str, number: int, time_ms: int
) -> RecordTaken | RecordWaits:
    """Fix who is owed a payment: whoever holds now. Its day is over."""
    record, terms = security_of(state, asset)
    service = service_of(state, asset)
    row = service.next
    assert row is not None  # planning appoints
    assert service.recorded + 1 == number
    reason = why_to_wait(state, asset, terms, service)
    if reason is not None:
        # Unpaid: the service is looked at every day. Unfixed: it is woken by the fixing.
        state.put(SERVICES, name_key(asset), replace(service, waits=True))
        return RecordWaits(asset=asset, payment=number, reason=reason)
    calendar = calendar_of(state, terms.plan.calendar)
    if calendar.version != service.calendar_version:
        row = row_of(payment_now(state, asset, terms, calendar, number))
    face = record.supply
    interest = Fraction(row.interest_numerator, row.interest_denominator) * face
    _appoint(state, asset, terms, number, row, DueKind.FUNDING_DAY)
    payment_day = _appoint(state, asset, terms, number, row, DueKind.PAYMENT_DAY)
    record_day = add_business_days(calendar, payment_day, -terms.plan.record_days)
    payment = PaymentRecord(
        row=row,
        record_day=today(state, time_ms) if service.waits else record_day,
        payment_day=payment_day,
        taken_day=begin_day(state, today(state, time_ms)),
        face=face,
        withholding=_withholding(state, terms, payment_day),
        interest_due=interest.numerator // interest.denominator,  # floor, as for each holder
        principal_due=principal_of(row, face),
        status=PaymentStatus.RECORDED,
        payer=None,
        holders=0,
        paid=0,
        withheld=0,
        residue=0,
    )
    state.put(PAYMENTS, payment_key(asset, number), payment)
    service = replace(service, next=None, waits=False, recorded=number, closed=row.final)
    if not row.final:
        # At once: to be looked at for it later would be a third more to write for each record.
        service = plan_next(state, asset, terms, service)
    state.put(SERVICES, name_key(asset), service)
    return RecordTaken(
        asset=asset,
        payment=number,
        payment_day=payment.payment_day,
        face=face,
        interest_due=payment.interest_due,
        principal_due=payment.principal_due,
    )


def why_to_wait(
    state: LedgerState, asset: str, terms: ServicedTerms, service: ServiceRecord
) -> str | None:
    """Return why the next record cannot be taken now, or None."""
    if service.recorded - service.settled >= OPEN_PAYMENTS_MAX:
        return UNPAID
    is_fixed = (
        terms.plan.floating is None
        or fixed_rate(state, asset, terms, service.recorded + 1) is not None
    )
    return None if is_fixed else UNFIXED


def wake(state: LedgerState, asset: str, service: ServiceRecord, due_ms: int | None) -> None:
    """Write the service, which is looked at again at this time; None: by appointment only."""
    if service.due_ms != due_ms:
        if service.due_ms is not None:
            state.delete(DUE, service_due_key(service.due_ms, asset))
        if due_ms is not None:
            due = DueRecord(kind=DueKind.SERVICE, target=name_key(asset))
            state.put(DUE, service_due_key(due_ms, asset), due)
    state.put(SERVICES, name_key(asset), replace(service, due_ms=due_ms))


def service_due_key(due_ms: int, asset: str) -> bytes:
    """Return where a service stands in the queue."""
    return due_key(due_ms, tagged_hash(Domain.SERVICE, asset.encode()))


def row_of(payment: Payment) -> PaymentRow:
    """Return what a payment of a schedule pays for a unit of face, as it is noted.

    Interest that is not fixed yet is entered with its fixing.
    """
    interest = as_noted(payment.interest or Fraction(0))
    return PaymentRow(
        nominal_day=payment.nominal_day,
        interest_numerator=interest.numerator,
        interest_denominator=interest.denominator,
        principal_ppm=payment.principal_ppm,
        price_e4=payment.price_e4,
        final=payment.final,
    )


def _count_past(state: LedgerState, payments: tuple[Payment, ...], time_ms: int) -> int:
    offset = parameter(state, "utc-offset-minutes")
    return sum(
        moment_ms(payment.record_day, MINUTES_OF_DAY, offset) <= time_ms for payment in payments
    )


def _appoint(
    state: LedgerState,
    asset: str,
    terms: ServicedTerms,
    number: int,
    row: PaymentRow,
    kind: DueKind,
) -> Day:
    """Appoint a day of a payment: of its record, of the look at the funding, or the day itself."""
    plan = terms.plan
    days = {DueKind.RECORD_DAY: -plan.record_days, DueKind.FUNDING_DAY: -1}
    key = payment_key(asset, number)
    return appoint(
        state,
        plan.calendar,
        appointment_id(asset, number, kind),
        kind=kind,
        target=key,
        subject=asset,
        nominal=row.nominal_day,
        convention=plan.roll,
        business_days=days.get(kind, 0),
        minute=MINUTES_OF_DAY if kind is DueKind.RECORD_DAY else 0,
    )


def appointment_id(asset: str, number: int, kind: DueKind) -> bytes:
    """Return the id of the appointment of a day of a payment."""
    return tagged_hash(Domain.SERVICE, payment_key(asset, number), bytes((kind,)))


def _withholding(state: LedgerState, terms: ServicedTerms, day: Day) -> tuple[Withheld, ...]:
    """Return the rates that rule on a day, by class of taxpayer.

    As long as none of its own rules, one that is inactive has the rate of those that are active.
    """
    kind, found = kind_of(terms).value, []
    ruling: dict[str, int] = {}
    for taxpayer in CLASSES:  # of each kind the active ones come first
        record = state.get(WITHHOLDINGS, withholding_key(taxpayer, kind))
        rows = () if record is None else record.rows
        rates = [row.rate_bps for row in rows if row.from_day <= day]
        rate = rates[-1] if rates else ruling.get(active_class(taxpayer), 0)
        ruling[taxpayer] = rate
        if rate:
            found.append(Withheld(taxpayer=taxpayer, rate_bps=rate))
    return tuple(found)
