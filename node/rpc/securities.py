"""What the interface tells of the payments of securities: schedules, before issue and after."""

from typing import Annotated, Any, Final, TypeAlias

import msgspec

from node.amounts import render_amount
from node.codec import CodecError, decode
from node.ledger.auctions.averages import PRICE_DECIMALS, YIELD_DECIMALS
from node.ledger.calendars import calendar_of, today
from node.ledger.courses import calls_of, rates_of
from node.ledger.dates import Calendar, is_business_day
from node.ledger.instruments import (
    NOT_CALLED,
    Payment,
    Redemption,
    check_schedule,
    redemption_of,
    schedule_of,
)
from node.ledger.outcomes import Reject
from node.ledger.positions import service_of
from node.ledger.pricing import DayCount
from node.ledger.pricing.grid import HUNDRED, half_up, text
from node.ledger.securities import (
    FIXINGS,
    PAYMENTS,
    FixingRecord,
    PaymentRecord,
    payment_key,
    register_prefix,
    split_payment_key,
)
from node.ledger.servicing.caller import earliest_day, records_begun
from node.ledger.state import LedgerState, R, Table
from node.ledger.tables import ASSETS, name_key
from node.ledger.terms import (
    PPM,
    AssetTerms,
    BillTerms,
    CallRight,
    CashTerms,
    ServicedTerms,
    check_terms,
    kind_of,
)
from node.rpc.calendars import sort_of_day
from node.rpc.errors import InvalidParams, NotFound
from node.rpc.jsonrpc import method
from node.rpc.params import AssetCode, Params
from node.rpc.reading import found
from node.rpc.rendering import render_day
from node.rpc.results import Address, Amount, Result, at_head
from node.rpc.services import RpcServices
from node.rpc.views import Views
from node.telling import tell_reject

TERMS_SIZE_MAX: Final = 32_768
PAYMENTS_PAGE: Final = 4_096
QUOTED_DECIMALS: Final = 10
"""Of what is paid for a hundred of face."""

Day: TypeAlias = Annotated[str, msgspec.Meta(description="YYYY-MM-DD, in the ledger's local time")]


TermsText: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        min_length=2,
        max_length=2 * TERMS_SIZE_MAX,
        description="instead of an asset: the canonical bytes of terms, in hexadecimal",
    ),
]


class ScheduleParams(Params, frozen=True, kw_only=True):
    """`khz_schedule`."""

    asset: AssetCode | None = None
    terms: TermsText | None = None


class MadeView(msgspec.Struct, frozen=True, kw_only=True):
    """How far a payment has come whose record is taken."""

    status: str
    face: Amount
    """Held by everybody together when the record was taken."""
    interest_due: Amount
    principal_due: Amount
    payer: Address | None
    """The account that was debited."""
    holders: int
    """How many have been paid."""
    paid: Amount
    withheld: Amount
    residue: Amount


class FixingView(msgspec.Struct, frozen=True, kw_only=True):
    """By what a rate that floats is fixed; without a reference it is awaited from the offices."""

    reference: str | None
    """Per cent a year, without the margin."""
    auction: str | None
    """Whose weighted average it is."""
    source: str | None
    """Where the offices have it from, in place of an auction."""


class PassedDayView(msgspec.Struct, frozen=True, kw_only=True):
    """A day on which no business is done."""

    day: Day
    why: str
    """`weekend`, `holiday` or `provisional holiday`; a holiday at a weekend is a holiday."""


class PaymentView(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a schedule."""

    number: int
    start: Day
    """Interest accrues from this day on, up to `end`, itself left out."""
    end: Day
    record_day: Day | None
    """Whoever holds at the end of this day is paid. None, as the day of its funding is: the ledger
    does not pay it, holders bring it back."""
    funding_day: Day | None
    nominal_day: Day
    """When it is paid by the terms, before any roll."""
    payment_day: Day
    """Of what is brought back: from when on."""
    passed: list[PassedDayView]
    """Days without business that it moved over, from the day of the terms on; empty: it did not
    move. Past days stay as they are: what was paid was paid by these."""
    provisional: list[Day]
    """Holidays to come that are not confirmed, from its record to its payment: if one is put on
    another day, these move."""
    fixing_day: Day | None
    """On which its rate is fixed; None: it does not float."""
    fixing: FixingView | None
    """None until the fixing day has come."""
    rate: str | None
    """Per cent a year; None: not fixed yet."""
    interest: str | None
    """Of a unit of face, exactly: a fraction. None: not fixed yet."""
    interest_per_hundred: str | None
    """The same for a hundred of face, half up."""
    principal_per_hundred: str
    """Face that is repaid, of a hundred that was issued."""
    price: str
    """Paid for a hundred of that face: par, unless it was called."""
    called: bool
    """Whether it is an early repayment, whole or in part, that the issuer has called."""
    final: bool
    """Whether the face is gone with it."""
    made: MadeView | None
    """None while its record has not been taken by this ledger."""


class CallWindowView(msgspec.Struct, frozen=True, kw_only=True):
    """Days on which the issuer may repay early."""

    from_day: Day
    to_day: Day
    """Itself as well."""
    price: str
    """For a hundred of the face; interest is paid besides."""


class CallRightView(msgspec.Struct, frozen=True, kw_only=True):
    """The issuer's right to repay before maturity."""

    windows: list[CallWindowView]
    notice_days: int
    """From the call to the repayment, at least."""
    earliest_day: Day | None
    """The first on which it could be repaid, whole or in part, if it were called today. None: on no
    day any more, as all that is left is called or the windows are over."""
    in_part: bool
    """Whether a share may be repaid too, with a payment."""


class ScheduleResult(Result, frozen=True, kw_only=True):
    """All payments of a security, in order."""

    asset: str | None
    kind: str
    brought_back: bool
    """Whether the ledger pays nothing of it: from its day on holders bring it back to its issuer,
    which redeems it. Its one row is of that."""
    currency: str
    """ISO 4217 code of what the face is in."""
    cash: str | None
    """What is paid. None, as calendar and roll are: it is brought back."""
    day_count: str
    """How interest accrues."""
    pricing_day_count: str
    """How what is left of a period is discounted where a price is quoted."""
    calendar: str | None
    calendar_version: int | None
    """By which the days were computed."""
    roll: str | None
    """Where a day moves that is none of business: `following`, `modified-following`, `preceding`
    or `none`."""
    call: CallRightView | None
    """None: the issuer may not repay early."""
    payments: list[PaymentView]


class SecurityMethods:
    """The handlers, on one node."""

    def __init__(self, services: RpcServices, views: Views) -> None:
        self._chain = services.chain
        self._views = views

    @method("khz_schedule", NotFound)
    def schedule(self, params: ScheduleParams) -> ScheduleResult:
        """List what a security pays and when, by the calendar as it is; of an asset that is
        defined, or of terms that could be. Of a bill that the ledger does not pay: from when on its
        holders bring it back."""
        if (params.asset is None) is (params.terms is None):
            raise InvalidParams("one of asset and terms was expected")
        state = LedgerState(self._chain)
        if params.asset is not None:
            record = found(self._chain, ASSETS, name_key(params.asset), f"asset {params.asset!r}")
            terms, decimals = _security(record.terms), record.decimals
        else:
            assert params.terms is not None  # one of the two is there
            terms, decimals = parse_terms(params.terms), 0
        if isinstance(terms, BillTerms):
            return self._brought_back(params.asset, terms)
        calls = NOT_CALLED if params.asset is None else calls_of(state, params.asset, terms)
        try:
            calendar = calendar_of(state, terms.plan.calendar)
            payments = (
                check_schedule(terms, calendar)
                if params.asset is None
                else schedule_of(terms, calendar, rates_of(state, params.asset, terms), calls)
            )
        except Reject as reject:
            raise InvalidParams(tell_reject(reject)) from None
        made = {} if params.asset is None else self._of_asset(PAYMENTS, params.asset)
        fixings = {} if params.asset is None else self._of_asset(FIXINGS, params.asset)
        begun = 0 if params.asset is None else records_begun(service_of(state, params.asset))
        local_day = today(state, self._chain.head.time_ms)
        return ScheduleResult(
            **at_head(self._chain.head),
            asset=params.asset,
            kind=kind_of(terms).value,
            brought_back=False,
            currency=terms.face_currency,
            cash=terms.plan.cash,
            day_count=terms.plan.day_count.value,
            pricing_day_count=terms.plan.pricing_day_count.value,
            calendar=terms.plan.calendar,
            calendar_version=calendar.version,
            roll=terms.plan.roll.value,
            call=_call_right(
                terms.plan.call,
                earliest_day(terms, calendar, payments, calls, begun=begun, now=local_day),
            ),
            payments=[
                self._payment(
                    payment,
                    calendar,
                    made.get(payment.number),
                    fixings.get(payment.number),
                    decimals,
                    after=local_day,
                    called=payment.number in calls,
                )
                for payment in payments
            ],
        )

    def _brought_back(self, asset: str | None, terms: BillTerms) -> ScheduleResult:
        """Return the schedule of a bill without a paying agent; it is quoted by ACT/365F."""
        return ScheduleResult(
            **at_head(self._chain.head),
            asset=asset,
            kind=kind_of(terms).value,
            brought_back=True,
            currency=terms.face_currency,
            cash=None,
            day_count=DayCount.ACT_365F.value,
            pricing_day_count=DayCount.ACT_365F.value,
            calendar=None,
            calendar_version=None,
            roll=None,
            call=None,
            payments=[_redemption_view(redemption_of(terms))],
        )

    def _of_asset(self, table: Table[R], asset: str) -> dict[int, R]:
        """Return what a table has of an asset, by number of payment."""
        prefix = register_prefix(asset)
        rows = self._chain.scan(table, payment_key(asset, 0), PAYMENTS_PAGE, prefix=prefix)
        return {split_payment_key(key)[1]: record for key, record in rows}

    def _payment(
        self,
        payment: Payment,
        calendar: Calendar,
        record: PaymentRecord | None,
        fixing: FixingRecord | None,
        decimals: int,
        *,
        after: int,
        called: bool,
    ) -> PaymentView:
        days: dict[str, Any] = {
            "record_day": render_day(payment.record_day),
            "payment_day": render_day(payment.payment_day),
            "nominal_day": render_day(payment.nominal_day),
            "passed": _passed(calendar, payment),
            "provisional": _provisional(calendar, payment, after=after),
        }
        if record is not None:
            # What has happened stays, whatever the calendar says now.
            days["record_day"] = render_day(record.record_day)
        fixing_day = payment.fixing_day if fixing is None else fixing.day
        interest = payment.interest
        return PaymentView(
            number=payment.number,
            start=render_day(payment.start),
            end=render_day(payment.end),
            funding_day=render_day(payment.funding_day),
            fixing_day=None if fixing_day is None else render_day(fixing_day),
            fixing=None if fixing is None else _fixing_view(fixing),
            rate=None if payment.rate_ppm is None else text(payment.rate_ppm, YIELD_DECIMALS),
            interest=None if interest is None else f"{interest.numerator}/{interest.denominator}",
            interest_per_hundred=(
                None
                if interest is None
                else text(half_up(interest * HUNDRED, QUOTED_DECIMALS), QUOTED_DECIMALS)
            ),
            principal_per_hundred=_principal(payment.principal_ppm),
            price=text(payment.price_e4, PRICE_DECIMALS),
            called=called,
            final=payment.final,
            made=None if record is None else self._made_view(record, decimals),
            **days,
        )

    def _made_view(self, record: PaymentRecord, decimals: int) -> MadeView:
        def amount(minor: int) -> str:
            return render_amount(minor, decimals=decimals)

        return MadeView(
            status=record.status.name.lower(),
            face=amount(record.face),
            interest_due=amount(record.interest_due),
            principal_due=amount(record.principal_due),
            payer=None if record.payer is None else self._views.renderer.address(record.payer),
            holders=record.holders,
            paid=amount(record.paid),
            withheld=amount(record.withheld),
            residue=amount(record.residue),
        )


def _call_right(right: CallRight | None, earliest: int | None) -> CallRightView | None:
    """Return the right to repay early, and from which day on it can be used now."""
    if right is None:
        return None
    return CallRightView(
        windows=[
            CallWindowView(
                from_day=render_day(each.from_day),
                to_day=render_day(each.to_day),
                price=text(each.price_e4, PRICE_DECIMALS),
            )
            for each in right.windows
        ],
        notice_days=right.notice_days,
        earliest_day=None if earliest is None else render_day(earliest),
        in_part=right.in_part,
    )


def _redemption_view(redemption: Redemption) -> PaymentView:
    first_day = render_day(redemption.first_day)
    return PaymentView(
        number=1,
        start=render_day(redemption.issue_day),
        end=first_day,
        record_day=None,
        funding_day=None,
        nominal_day=first_day,
        payment_day=first_day,
        passed=[],
        provisional=[],
        fixing_day=None,
        fixing=None,
        rate=text(0, YIELD_DECIMALS),
        interest="0/1",
        interest_per_hundred=text(0, QUOTED_DECIMALS),
        principal_per_hundred=_principal(redemption.principal_ppm),
        price=text(redemption.price_e4, PRICE_DECIMALS),
        called=False,
        final=True,
        made=None,
    )


def _principal(share_ppm: int) -> str:
    """Return a share of face per hundred of it."""
    return text(share_ppm * HUNDRED, len(str(PPM)) - 1)


def _passed(calendar: Calendar, payment: Payment) -> list[PassedDayView]:
    """Return the days without business between a payment's day by the terms and the day it is."""
    step = 1 if payment.payment_day >= payment.nominal_day else -1
    return [
        PassedDayView(day=render_day(day), why=sort_of_day(calendar, day))
        for day in range(payment.nominal_day, payment.payment_day, step)
        if not is_business_day(calendar, day)
    ]


def _provisional(calendar: Calendar, payment: Payment, *, after: int) -> list[str]:
    """Return the holidays after a day that are to be confirmed, by which its days were counted."""
    first = max(after + 1, min(payment.record_day, payment.nominal_day))
    last = max(payment.nominal_day, payment.payment_day)
    return [
        render_day(holiday.day)
        for holiday in calendar.holidays
        if holiday.provisional and first <= holiday.day <= last
    ]


def _fixing_view(fixing: FixingRecord) -> FixingView:
    reference_ppm = fixing.reference_ppm
    return FixingView(
        reference=None if reference_ppm is None else text(reference_ppm, YIELD_DECIMALS),
        auction=fixing.auction,
        source=fixing.source,
    )


def _security(terms: AssetTerms) -> ServicedTerms | BillTerms:
    if isinstance(terms, CashTerms):
        raise InvalidParams("cash pays nothing: a bill, a bond, a sukuk or a strip was expected")
    return terms


def parse_terms(encoded: str) -> ServicedTerms | BillTerms:
    """Return the terms that these hexadecimal digits are the canonical bytes of.

    Raises:
        InvalidParams: they are none, of cash, or contradict themselves.
    """
    try:
        data = bytes.fromhex(encoded)
        if data.hex() != encoded:
            raise ValueError(encoded)  # spaces, capitals: another spelling
        terms = _security(decode(data, AssetTerms, size_max=TERMS_SIZE_MAX))  # type: ignore[arg-type]  # a union
        check_terms(terms)
    except ValueError:
        raise InvalidParams("terms: expected lower-case hexadecimal digits") from None
    except CodecError as error:
        raise InvalidParams(f"terms: {error}") from None
    except Reject as reject:
        raise InvalidParams(tell_reject(reject)) from None
    return terms
