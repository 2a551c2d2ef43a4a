"""Registering the strips of a line: what may be stripped, and what its strips are.

What a payment pays must follow from the terms alone, or a strip of it would promise what the line
does not: so nothing is stripped that floats, may be called, or pays for days that a calendar moves.
"""

from dataclasses import dataclass
from math import gcd, lcm
from typing import Final

from node.codec import replace
from node.ledger.calendars import calendar_of, today
from node.ledger.dates import Calendar, Order, Roll, Stub, date_of
from node.ledger.identifiers import AssetCode, is_asset_code
from node.ledger.instruments import Payment, schedule_of
from node.ledger.outcomes import Outcome, Reject
from node.ledger.phrases import Reason, StripFault, StrippingFault
from node.ledger.positions import check_register, service_of
from node.ledger.pricing.daycounts import DayCount
from node.ledger.securities import COUPON_STRIPS_MAX, STRIPPINGS, CouponStrip, StrippingRecord
from node.ledger.servicing import begin_service, check_begins
from node.ledger.state import LedgerState
from node.ledger.tables import ASSETS, AssetIdentifiers, AssetRecord, name_key
from node.ledger.terms import BondTerms, PaymentPlan, StripTerms, kind_of
from node.ledger.units import AMOUNT_MAX, Day

SERIES_MAX: Final = 23
"""Characters of a series: a hyphen and the day follow in the codes of its coupons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """The strips of a line, and which of them are new."""

    record: StrippingRecord
    defined: tuple[AssetCode, ...]


def register_strips(
    state: LedgerState,
    line: str,
    asset: AssetRecord,
    *,
    series: str,
    term_sheet_hash: bytes,
    time_ms: int,
) -> Registration:
    """Define the strips of a line, from the payment on whose record comes next.

    Raises:
        Reject: NAME_NOT_ACCEPTED, REGISTER_CLOSED, RECORDS_PENDING, ASSET_NOT_STRIPPABLE,
            STRIPS_EXIST, STRIP_DIFFERS; NOTHING_LEFT_TO_PAY, where a calendar is being amended.
    """
    if not (is_asset_code(series) and len(series) <= SERIES_MAX):
        raise Reject(Outcome.NAME_NOT_ACCEPTED, field="series", found=series)
    principal = f"{line}-P"
    if not is_asset_code(principal):
        raise Reject(Outcome.NAME_NOT_ACCEPTED, field="asset", found=principal)
    terms = asset.terms
    if not isinstance(terms, BondTerms):
        raise _not_strippable(line, StrippingFault.IS_NO_BOND.of(kind=kind_of(terms).value))
    service = check_register(state, line)
    known = state.get(STRIPPINGS, name_key(line))
    fault = _fault_of(terms)
    calendar = calendar_of(state, terms.plan.calendar)
    left = schedule_of(terms, calendar)[service.recorded :] if fault is None else ()
    fault = fault or _fault_of_payments(left)
    if fault is None and service.waits:
        fault = StrippingFault.RECORD_OVERDUE.of(payment=service.recorded + 1)
    multiple = _multiple_of(asset, left, terms.plan.face_unit)
    if fault is None and multiple > asset.ceiling:
        fault = StrippingFault.LEAST_ABOVE_CEILING.of(least=multiple, ceiling=asset.ceiling)
    if fault is not None:
        raise _not_strippable(line, fault)
    if known is not None:
        raise Reject(Outcome.STRIPS_EXIST, asset=line, found=known.principal)

    now = today(state, time_ms)
    wanted = [
        *((code_of_coupon(series, each.nominal_day), None, each.nominal_day) for each in left),
        (principal, line, left[-1].nominal_day),
    ]
    strips = {
        code: _strip_of(asset, terms, of_line, day, issue_day=now, sheet=term_sheet_hash)
        for code, of_line, day in wanted
    }
    for code, strip in strips.items():
        there = state.get(ASSETS, name_key(code))
        difference = None if there is None else _difference(state, code, there, strip)
        if difference is not None:
            raise Reject(Outcome.STRIP_DIFFERS, asset=line, found=code, reason=difference)
    defined = tuple(code for code in strips if state.get(ASSETS, name_key(code)) is None)
    payments = {code: _payments_of(strips[code], calendar) for code in defined}
    for code in defined:
        check_begins(state, code, payments[code], time_ms)
    for code in defined:
        terms_of_strip = strips[code].terms
        assert isinstance(terms_of_strip, StripTerms)
        state.put(ASSETS, name_key(code), strips[code])
        begin_service(state, code, terms_of_strip, payments[code], time_ms)
    record = StrippingRecord(
        multiple=multiple,
        first=left[0].number,
        coupons=tuple(
            _coupon(code, payment)
            for (code, _, _), payment in zip(wanted, left, strict=False)  # and then the face
        ),
        principal=principal,
    )
    state.put(STRIPPINGS, name_key(line), record)
    return Registration(record=record, defined=defined)


def code_of_coupon(series: str, day: Day) -> str:
    """Return the code of the coupons of a series that are paid on a day of the terms."""
    return f"{series}-{date_of(day):%Y%m%d}"


def _fault_of(terms: BondTerms) -> Reason | None:
    """Return why a bond of these terms cannot be stripped; None: its payments say whether."""
    plan = terms.plan
    if plan.floating is not None:
        return StrippingFault.RATE_FLOATS.of()
    if plan.call is not None:
        return StrippingFault.MAY_BE_CALLED.of()
    if plan.instalments:
        return StrippingFault.REPAYS_IN_INSTALMENTS.of()
    if not plan.months:
        return StrippingFault.PAYS_ONLY_FACE.of()
    if plan.order is Order.SHIFT_THEN_CALCULATE and plan.roll is not Roll.NONE:
        return StrippingFault.CALENDAR_DECIDES.of()
    return None


def _fault_of_payments(left: tuple[Payment, ...]) -> Reason | None:
    if len(left) > COUPON_STRIPS_MAX:
        return StrippingFault.TOO_MANY_LEFT.of(left=len(left), most=COUPON_STRIPS_MAX)
    unpaid = next((each.number for each in left if not each.interest), None)
    return None if unpaid is None else StrippingFault.PAYS_NO_INTEREST.of(payment=unpaid)


def _multiple_of(asset: AssetRecord, left: tuple[Payment, ...], face_unit: int) -> int:
    """Return of what face every payment that is left is a whole number of units of a strip."""
    interests = [each.interest for each in left if each.interest]
    return lcm(
        asset.multiple,
        *(each.denominator * (face_unit // gcd(face_unit, each.numerator)) for each in interests),
    )


def _strip_of(
    asset: AssetRecord,
    terms: BondTerms,
    line: str | None,
    day: Day,
    *,
    issue_day: Day,
    sheet: bytes,
) -> AssetRecord:
    plan = terms.plan
    written = date_of(day).isoformat()
    name = f"Coupons of {written}" if line is None else f"Face of {line}, {written}"
    zero: PaymentPlan = replace(
        plan,
        issue_day=issue_day,
        maturity_day=day,
        months=0,
        rates=(),
        day_count=DayCount.ACT_365F,
        order=Order.CALCULATE_THEN_SHIFT,
        end_of_month=False,
        stub=Stub.NONE,
    )
    return AssetRecord(
        name=name,
        issuer=asset.issuer,
        identifiers=AssetIdentifiers(isin=None, currency=None, dti=None),
        terms=StripTerms(face_currency=terms.face_currency, plan=zero, line=line),
        term_sheet_hash=sheet,
        decimals=asset.decimals,
        multiple=plan.face_unit,
        # What lines there will be of a series nobody knows; each is bounded by its own.
        ceiling=AMOUNT_MAX // 2 if line is None else asset.ceiling,
        supply=0,
        forced_transfer_allowed=asset.forced_transfer_allowed,
    )


def _difference(
    state: LedgerState, code: str, there: AssetRecord, strip: AssetRecord
) -> Reason | None:
    """Return in what an asset that is there differs from the strip of its code, if it matters."""
    if not isinstance(there.terms, StripTerms):
        return StripFault.STRIP_OF_OTHER_KIND.of(kind=kind_of(there.terms).value)
    if service_of(state, code).closed:
        return StripFault.STRIP_RECORD_TAKEN.of()
    assert isinstance(strip.terms, StripTerms)
    since = there.terms.plan.issue_day
    terms = replace(strip.terms, plan=replace(strip.terms.plan, issue_day=since))
    for what, found, expected in (
        (StripFault.OTHER_ISSUER, there.issuer, strip.issuer),
        (StripFault.OTHER_DECIMALS, there.decimals, strip.decimals),
        (StripFault.OTHER_TERMS, there.terms, terms),
        (
            StripFault.OTHER_RULE_OF_FORCE,
            there.forced_transfer_allowed,
            strip.forced_transfer_allowed,
        ),
    ):
        if found != expected:
            return what.of()
    return None


def _payments_of(strip: AssetRecord, calendar: Calendar) -> tuple[Payment, ...]:
    assert isinstance(strip.terms, StripTerms)
    return schedule_of(strip.terms, calendar)


def _coupon(code: str, payment: Payment) -> CouponStrip:
    assert payment.interest is not None  # it does not float
    return CouponStrip(
        asset=code,
        numerator=payment.interest.numerator,
        denominator=payment.interest.denominator,
    )


def _not_strippable(line: str, reason: Reason) -> Reject:
    return Reject(Outcome.ASSET_NOT_STRIPPABLE, asset=line, reason=reason)
