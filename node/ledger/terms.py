"""What is promised by an asset of each kind: a closed union, one record a kind.

A new kind is a new member with the next tag, a name in `AssetKind` and a case in each `match` that
the type checker then asks for; what is stored under the older tags stays as it is. Reserved: 5
commodity, 6 stablecoin.

Bonds and sukuk are serviced: the ledger pays what their plan says to whoever holds them. One plan
has all forms: a fixed rate is one step, a step-up several, a zero coupon none; what floats has no
steps and a reference; what amortises has instalments before the last one. A bill that is serviced
has none of these, nor has a strip, which pays a single amount.
"""

from enum import StrEnum
from typing import Annotated, Final, TypeAlias, TypeGuard, assert_never

import msgspec

from node.codec import Record
from node.ledger.dates import Order, Roll, Stub
from node.ledger.identifiers import Address, AssetCode, Hash, Name, is_currency, is_name
from node.ledger.outcomes import Outcome, Reject
from node.ledger.phrases import Reason, TermsFault
from node.ledger.pricing.daycounts import DayCount
from node.ledger.units import DAY_MAX, DECIMALS_MAX, Day, is_text

PPM: Final = 1_000_000
"""Rates and shares are counted in millionths: a coupon of 11.5 per cent is 115,000."""
RATE_STEPS_MAX: Final = 32
INSTALMENTS_MAX: Final = 128
POOL_MAX: Final = 32
POOL_NAME_MAX: Final = 140
MONTHS: Final = frozenset({1, 2, 3, 4, 6, 12})
RECORD_DAYS_MIN: Final = 2
"""The record is taken before the paying agent's funding is looked at, a business day before."""
RECORD_DAYS_MAX: Final = 30
GRACE_DAYS_MAX: Final = 365
FIXING_DAYS_MAX: Final = 30
STALE_DAYS_MAX: Final = 366
WINDOWS_MAX: Final = 32
NOTICE_DAYS_MAX: Final = 366
PAR_E4: Final = 1_000_000
"""A hundred per hundred of face, in units of 0.0001."""
PRICE_E4_MAX: Final = 100 * PAR_E4

FACE_UNIT_MAX: Final = 10**DECIMALS_MAX
"""One of a currency with the most decimals that there are."""

PriceE4 = Annotated[int, msgspec.Meta(ge=1, le=PRICE_E4_MAX)]
"""Per hundred of face, in units of 0.0001."""
LIFE_DAYS_MAX: Final = 100 * 366
MATURITY_DAY_MAX: Final = DAY_MAX - 400
"""Some way before the last day that there is: it may roll, and a period may reach beyond it."""


class AssetKind(StrEnum):
    """The kinds of asset; the text is the subject of their rows in the powers matrix."""

    CASH = "cash"
    BILL = "bill"
    BOND = "bond"
    SUKUK = "sukuk"
    STRIP = "strip"


class CashTerms(Record, tag=1):
    """Money of its issuer, at par with the currency it is denominated in, at any time."""


class BillTerms(Record, tag=2):
    """A promise to pay the face value on one day, sold at a discount. Not redeemable early.

    Its holders bring it back (`redeem`); `ServicedBillTerms` are of one that pays by itself.
    """

    issue_day: Day
    """Days since 1970-01-01, in the ledger's local time, as all days."""
    maturity_day: Day
    """From this day on the issuer redeems. Later than the issue."""
    face_currency: str
    """ISO 4217 code of the currency that the face value is in; the asset's minor units are its."""


class RateStep(Record):
    """What is paid for a year from a day on."""

    from_day: Day
    rate_ppm: Annotated[int, msgspec.Meta(ge=0, le=PPM)]
    """Of the face that has not been repaid; of the periods that begin on this day or later."""


class FloatingRate(Record):
    """What is paid for a year: fixed for each period anew, by the ledger's own last auction.

    Pakistan's floating bonds refer to the weighted average yield of the last bill auction of a
    tenor; its fallback, the mean of five days' PKRV, is another source: the offices bring the mean
    with where it is from (`fix_rate`), and the ledger does not work it out.
    """

    reference: Name
    """Under which name auctions keep their weighted average, such as mtb-6m."""
    margin_ppm: Annotated[int, msgspec.Meta(ge=-PPM, le=PPM)]
    """Added to the reference."""
    floor_ppm: Annotated[int, msgspec.Meta(ge=0, le=PPM)]
    """What is paid at least; nothing is ever taken from a holder."""
    cap_ppm: Annotated[int, msgspec.Meta(ge=0, le=PPM)]
    """What is paid at most; `PPM` where the terms have no cap."""
    fixing_days: Annotated[int, msgspec.Meta(ge=0, le=FIXING_DAYS_MAX)]
    """Business days from the fixing to the day on which the period begins. What was decided before
    the fixing day counts."""
    stale_days: Annotated[int, msgspec.Meta(ge=1, le=STALE_DAYS_MAX)]
    """How many days before the fixing the auction may have been held."""


class CallWindow(Record):
    """Days on which the issuer may repay early, at a price."""

    from_day: Day
    to_day: Day
    """Itself as well: a single day is a window from it to it."""
    price_e4: PriceE4
    """Per hundred of what is repaid; interest is paid besides."""


class CallRight(Record):
    """The issuer's right to repay before maturity."""

    windows: Annotated[tuple[CallWindow, ...], msgspec.Meta(min_length=1, max_length=WINDOWS_MAX)]
    """Ascending, none over another."""
    notice_days: Annotated[int, msgspec.Meta(ge=1, le=NOTICE_DAYS_MAX)]
    """Days from the call to the repayment, at least."""
    in_part: bool
    """Whether a share may be repaid, of everybody's face alike, with a payment of the schedule."""


class Instalment(Record):
    """Face that is repaid before the last payment."""

    payment: Annotated[int, msgspec.Meta(ge=1, le=4_096)]
    """With which payment of the schedule."""
    share_ppm: Annotated[int, msgspec.Meta(ge=1, le=PPM)]
    """Of the face that was issued."""


class PaymentPlan(Record):
    """What is paid on a security, when, by whom."""

    issue_day: Day
    """From when interest accrues."""
    maturity_day: Day
    """When the rest of the face is repaid, before any roll."""
    months: Annotated[int, msgspec.Meta(ge=0, le=12)]
    """From one payment to the next; 0 where only the face is paid, at maturity."""
    rates: Annotated[tuple[RateStep, ...], msgspec.Meta(max_length=RATE_STEPS_MAX)]
    """Ascending; the first from the day of issue on. None where nothing but the face is paid, or
    what is paid floats."""
    floating: FloatingRate | None
    """In place of `rates`."""
    call: CallRight | None
    instalments: Annotated[tuple[Instalment, ...], msgspec.Meta(max_length=INSTALMENTS_MAX)]
    """Ascending; the last payment repays what they leave."""
    day_count: DayCount
    """How interest accrues."""
    pricing_day_count: DayCount
    """How what is left of a period is discounted where a price and a yield are told from each
    other: on the street by ACT/ACT ICMA. Of a bill ACT/365F: its yield is simple."""
    calendar: Name
    """Whose business days count."""
    roll: Roll
    order: Order
    end_of_month: bool
    stub: Stub
    record_days: Annotated[int, msgspec.Meta(ge=RECORD_DAYS_MIN, le=RECORD_DAYS_MAX)]
    """Business days from the record day to the payment: who holds at the record day's end is paid.
    """
    grace_days: Annotated[int, msgspec.Meta(ge=0, le=GRACE_DAYS_MAX)]
    """Days after the payment day until what is unpaid is in default."""
    cash: AssetCode
    """What is paid: cash in the face's currency, with as many decimals."""
    face_unit: Annotated[int, msgspec.Meta(ge=1, le=FACE_UNIT_MAX)]
    """In minor units: what anybody has of the security, and whatever moves, is a multiple of it;
    100 is a rupee. It divides the legal denomination, which binds issues and bids alone."""
    paying_agent: Address
    """The account that the ledger debits; its owner stands behind the definition."""
    residue_account: Address
    """Receives what rounding leaves of a payment."""


class BondTerms(Record, tag=3):
    """A promise to pay the face and, where it has rates, coupons."""

    face_currency: str
    """ISO 4217 code of the currency that the face value is in; the asset's minor units are its."""
    plan: PaymentPlan


class ServicedBillTerms(Record, tag=7):
    """A bill that the ledger redeems: it pays the face at maturity, to whoever is on record."""

    face_currency: str
    """ISO 4217 code of the currency that the face value is in; the asset's minor units are its."""
    plan: PaymentPlan
    """Of one payment, without rates or instalments."""


class PoolAsset(Record):
    """Something whose use is let: what a sukuk's rentals are paid for."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=POOL_NAME_MAX)]
    document_hash: Hash
    """SHA-256 of the title or valuation."""


class SukukTerms(Record, tag=4):
    """A share in a pool of assets that are let: rentals, and the face at the end."""

    face_currency: str
    plan: PaymentPlan
    """Its rates are rentals."""
    pool: Annotated[tuple[PoolAsset, ...], msgspec.Meta(min_length=1, max_length=POOL_MAX)]


class StripTerms(Record, tag=8):
    """One payment of a bond by itself: a coupon of any line of its series, or the face of one line.

    It comes into being where a bond is stripped, and goes where the bond is put together again.
    """

    face_currency: str
    """ISO 4217 code of the currency that the face value is in; the asset's minor units are its."""
    plan: PaymentPlan
    """Of one payment, on the day on which the bond makes it."""
    line: AssetCode | None
    """Whose face it is. None: a coupon."""


ServicedTerms: TypeAlias = BondTerms | SukukTerms | ServicedBillTerms | StripTerms
AssetTerms: TypeAlias = (
    CashTerms | BillTerms | BondTerms | SukukTerms | ServicedBillTerms | StripTerms
)

SERVICED: Final[frozenset[type[Record]]] = frozenset(
    {BondTerms, SukukTerms, ServicedBillTerms, StripTerms}
)
"""The types of terms whose holders the ledger pays."""


def is_serviced(terms: AssetTerms) -> TypeGuard[ServicedTerms]:
    """Return whether the ledger pays the holders of an asset with these terms."""
    return terms.__class__ in SERVICED


def kind_of(terms: AssetTerms) -> AssetKind:
    """Return the kind of asset that has terms of this type."""
    match terms:
        case CashTerms():
            return AssetKind.CASH
        case BillTerms() | ServicedBillTerms():
            return AssetKind.BILL
        case BondTerms():
            return AssetKind.BOND
        case SukukTerms():
            return AssetKind.SUKUK
        case StripTerms():
            return AssetKind.STRIP
        case _ as unreachable:
            assert_never(unreachable)


def check_terms(terms: AssetTerms) -> None:
    """Refuse terms that contradict themselves.

    Raises:
        Reject: TERMS_NOT_VALID, IDENTIFIER_NOT_VALID.
    """
    if isinstance(terms, CashTerms):
        return
    if isinstance(terms, StripTerms):
        raise Reject(Outcome.TERMS_NOT_VALID, reason=TermsFault.DEFINED_AS_STRIP.of())
    if not is_currency(terms.face_currency):
        raise Reject(
            Outcome.IDENTIFIER_NOT_VALID,
            scheme="ISO 4217 currency",
            found=terms.face_currency,
        )
    fault = _bill_fault(terms) if isinstance(terms, BillTerms) else _serviced_fault(terms)
    if fault is not None:
        raise Reject(Outcome.TERMS_NOT_VALID, reason=fault)


def first_redemption_day(terms: AssetTerms) -> int | None:
    """Return the first day on which the asset may be redeemed, or None if that is any day."""
    match terms:
        case CashTerms():
            return None
        case BillTerms():
            return terms.maturity_day
        case BondTerms() | SukukTerms() | ServicedBillTerms() | StripTerms():
            return terms.plan.maturity_day
        case _ as unreachable:
            assert_never(unreachable)


def bill_maturity_day(terms: AssetTerms) -> Day | None:
    """Return when a bill matures, whoever redeems it; None: it is no bill."""
    return first_redemption_day(terms) if kind_of(terms) is AssetKind.BILL else None


def _bill_fault(terms: BillTerms) -> Reason | None:
    if terms.issue_day >= terms.maturity_day:
        return TermsFault.MATURES_BEFORE_ISSUE.of(
            maturity=terms.maturity_day, issue=terms.issue_day
        )
    return None


def _serviced_fault(terms: ServicedTerms) -> Reason | None:
    if isinstance(terms, SukukTerms):
        for asset in terms.pool:
            if not is_text(asset.name, POOL_NAME_MAX):
                return TermsFault.POOL_NAME_NOT_TEXT.of()
        if len({asset.document_hash for asset in terms.pool}) != len(terms.pool):
            return TermsFault.POOL_NAMES_TWICE.of()
    if isinstance(terms, ServicedBillTerms):
        if terms.plan.months:
            return TermsFault.BILL_WITH_MONTHS.of(months=terms.plan.months)
        if terms.plan.call is not None:
            return TermsFault.BILL_WITH_CALL.of()
        if terms.plan.pricing_day_count is not DayCount.ACT_365F:
            return TermsFault.BILL_PRICED_OTHERWISE.of(day_count=terms.plan.pricing_day_count.value)
    return _plan_fault(terms.plan)


def _plan_fault(plan: PaymentPlan) -> Reason | None:
    """Return why a plan cannot be carried out, as far as it says so itself; or None."""
    if plan.issue_day >= plan.maturity_day:
        return TermsFault.MATURES_BEFORE_ISSUE.of(maturity=plan.maturity_day, issue=plan.issue_day)
    if plan.maturity_day - plan.issue_day > LIFE_DAYS_MAX:
        return TermsFault.LIVES_TOO_LONG.of(
            days=plan.maturity_day - plan.issue_day, most=LIFE_DAYS_MAX
        )
    if plan.maturity_day > MATURITY_DAY_MAX:
        return TermsFault.MATURES_TOO_LATE.of(maturity=plan.maturity_day, latest=MATURITY_DAY_MAX)
    if plan.months == 0 and (plan.rates or plan.floating or plan.instalments):
        return TermsFault.PAYS_WITHOUT_MONTHS.of()
    if plan.months and plan.months not in MONTHS:
        return TermsFault.MONTHS_DO_NOT_DIVIDE.of(months=plan.months)
    if plan.months and not (plan.rates or plan.floating or plan.instalments):
        return TermsFault.MONTHS_WITHOUT_PAY.of(months=plan.months)
    if plan.rates and plan.rates[0].from_day != plan.issue_day:
        return TermsFault.FIRST_RATE_ELSEWHERE.of(
            first=plan.rates[0].from_day, issue=plan.issue_day
        )
    days = [step.from_day for step in plan.rates]
    if days != sorted(set(days)) or (days and days[-1] >= plan.maturity_day):
        return TermsFault.RATES_OUT_OF_ORDER.of()
    payments = [instalment.payment for instalment in plan.instalments]
    if payments != sorted(set(payments)):
        return TermsFault.INSTALMENTS_OUT_OF_ORDER.of()
    repaid = sum(instalment.share_ppm for instalment in plan.instalments)
    if repaid >= PPM:
        return TermsFault.INSTALMENTS_REPAY_ALL.of(repaid=repaid)
    fault = None if plan.floating is None else _floating_fault(plan.floating, plan)
    return fault or (None if plan.call is None else _call_fault(plan.call, plan))


def _call_fault(call: CallRight, plan: PaymentPlan) -> Reason | None:
    before = plan.issue_day
    for window in call.windows:
        if not before < window.from_day <= window.to_day < plan.maturity_day:
            return TermsFault.CALL_WINDOW_OUT_OF_PLACE.of(
                first=window.from_day,
                last=window.to_day,
                after=before,
                maturity=plan.maturity_day,
            )
        before = window.to_day
    if call.in_part and plan.instalments:
        return TermsFault.CALL_BESIDE_INSTALMENTS.of()
    if call.in_part and plan.months == 0:
        return TermsFault.CALL_WITHOUT_PAYMENTS.of()
    return None


def _floating_fault(floating: FloatingRate, plan: PaymentPlan) -> Reason | None:
    if plan.rates:
        return TermsFault.RATES_AND_REFERENCE.of()
    if not is_name(floating.reference):
        return TermsFault.REFERENCE_NO_NAME.of(found=floating.reference)
    if floating.floor_ppm > floating.cap_ppm:
        return TermsFault.FLOOR_ABOVE_CAP.of(floor=floating.floor_ppm, cap=floating.cap_ppm)
    return None
