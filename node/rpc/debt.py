"""What the state owes, line by line: from the securities' own records, never from their holders.

A line costs its asset, its service, the payments that are open (eight at most) and its schedule.
A page ends where it has looked at `limit` assets or computed
`PAYMENTS_COMPUTED_MAX` payments, whichever comes first, so that no answer holds up the loop.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Final

import msgspec

from node.amounts import render_amount
from node.chain import Chain
from node.codec import replace
from node.ledger.calendars import calendar_of, today
from node.ledger.courses import calls_of, rates_of
from node.ledger.dates import Calendar
from node.ledger.instruments import PAYMENTS_MAX, Payment, Rates, schedule_of
from node.ledger.pricing.daycounts import DayCount
from node.ledger.pricing.grid import text
from node.ledger.securities import (
    PAYMENTS,
    SERVICES,
    STRIPPINGS,
    PaymentRecord,
    ServiceRecord,
    payment_key,
)
from node.ledger.state import LedgerState
from node.ledger.tables import ASSETS, AssetRecord, name_key
from node.ledger.terms import (
    PAR_E4,
    PPM,
    AssetKind,
    BillTerms,
    BondTerms,
    CashTerms,
    PaymentPlan,
    ServicedTerms,
    StripTerms,
    kind_of,
)
from node.ledger.units import Day
from node.rpc.jsonrpc import method
from node.rpc.params import Limit, NameText, Params
from node.rpc.reading import named_page
from node.rpc.rendering import render_day
from node.rpc.results import Amount, Result, at_head
from node.rpc.securities import Day as DayText

PAYMENTS_COMPUTED_MAX: Final = 250
"""In one answer, but for the line that comes to it: one has at most 400."""
_PERCENT_DECIMALS: Final = 4
"""A millionth is 0.0001 per cent."""


class DebtParams(Params, frozen=True, kw_only=True):
    """`khz_debt`."""

    after: Annotated[NameText | None, msgspec.Meta(description="`next` of the page before")] = None
    limit: Limit = 100


class DebtPaymentView(msgspec.Struct, frozen=True, kw_only=True):
    """What is still to be paid on one day."""

    number: int
    payment_day: DayText
    interest: Amount
    principal: Amount
    status: str
    """`planned` until its record is taken, or `estimated` where its rate floats and is not fixed:
    at the rate last fixed, without interest where none is; then as in `khz_schedule`. Of a bill:
    `planned`, and `due` from its maturity on, until the issuer redeems it."""


class DebtLineView(msgspec.Struct, frozen=True, kw_only=True):
    """A security of which something is held by somebody."""

    asset: str
    kind: str
    """Of a coupon strip: `bond`, whose interest it is."""
    name: str
    issuer: str
    currency: str
    """ISO 4217."""
    issue_day: DayText
    maturity_day: DayText
    outstanding: Amount
    """Face that has not been repaid, stripped or not."""
    stripped: Amount
    """Of it, what is in the hands of those who have its strips."""
    rate: str | None
    """Per cent a year, of the period that runs; of what floats, as last fixed. Null where only the
    face is paid, or nothing is fixed yet."""
    payments_a_year: int
    plain: bool
    """Whether one rate is paid to the end, and the face at once."""
    day_count: str
    """How interest accrues."""
    pricing_day_count: str
    """How what is left of a period is discounted where a price is quoted."""
    brought_back: bool
    """Whether the ledger pays nothing on it: holders bring it back, its issuer redeems it."""
    payments: list[DebtPaymentView]
    """Those not settled, in order; each but those whose record is taken on the face of today."""


class DebtResult(Result, frozen=True, kw_only=True):
    """A page of what is owed, by asset; pages may hold no line and yet be followed by others."""

    today: DayText
    lines: list[DebtLineView]
    next: str | None


class DebtMethods:
    """The handler, on the chain of one node."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    @method("khz_debt")
    def debt(self, params: DebtParams) -> DebtResult:
        """List the bills, bonds and sukuk that are held, and what is still to be paid on each.

        What is stripped of a bond counts with the bond. A coupon strip is a line of its own, with
        interest and no face, while its record is taken and it is not paid.

        Read from the records of the securities: what it costs does not grow with their holders.
        """
        page, following = named_page(self._chain, ASSETS, params.after, params.limit)
        state = LedgerState(self._chain)
        day = today(state, self._chain.head.time_ms)
        calendars: dict[str, Calendar] = {}
        lines: list[DebtLineView] = []
        computed = 0
        for place, (asset, record) in enumerate(page):
            terms = record.terms
            if isinstance(terms, CashTerms):
                continue
            if isinstance(terms, StripTerms):
                if terms.line is None and record.supply:
                    lines.extend(self._coupons(asset, record, terms))
                continue
            face = self._face_of(asset, record)
            if not record.supply and face is None:
                continue
            if isinstance(terms, BillTerms):  # one that its holders bring back
                lines.append(_bill(asset, record, terms, day))
            else:
                name = terms.plan.calendar
                if name not in calendars:
                    calendars[name] = calendar_of(state, name)
                rates = rates_of(state, asset, terms)
                calls = calls_of(state, asset, terms)
                payments = schedule_of(terms, calendars[name], _expected(rates), calls)
                computed += len(payments)
                lines.append(self._serviced(asset, record, terms, payments, rates, face))
            if computed >= PAYMENTS_COMPUTED_MAX and place + 1 < len(page):
                following = asset
                break
        return DebtResult(
            **at_head(self._chain.head), today=render_day(day), lines=lines, next=following
        )

    def _serviced(
        self,
        asset: str,
        record: AssetRecord,
        terms: ServicedTerms,
        schedule: tuple[Payment, ...],
        rates: Rates,
        face: "_Face | None",
    ) -> DebtLineView:
        service = self._chain.record(SERVICES, name_key(asset))
        assert service is not None, "a serviced asset without its service"
        plan = terms.plan
        # Its own face may be repaid before what is stripped of it, on the same day.
        payments = schedule[service.settled :] or schedule[-1:]
        repaid = sum(each.principal_ppm for each in schedule[: service.settled])
        return DebtLineView(
            **_facts(asset, record),
            currency=terms.face_currency,
            issue_day=render_day(plan.issue_day),
            maturity_day=render_day(plan.maturity_day),
            outstanding=_amount(  # floor; of what is stripped nothing is repaid in parts
                record, record.supply * (PPM - repaid) // PPM + _stripped(face)
            ),
            stripped=_amount(record, _stripped(face)),
            rate=_rate(plan, payments[0]),
            payments_a_year=12 // plan.months if plan.months else 0,
            day_count=plan.day_count.value,
            pricing_day_count=plan.pricing_day_count.value,
            plain=len(plan.rates) <= 1 and not plan.instalments and plan.floating is None,
            brought_back=False,
            payments=[
                self._payment(
                    asset,
                    record,
                    service,
                    each,
                    face,
                    estimated=plan.floating is not None and each.number not in rates,
                )
                for each in payments
            ],
        )

    def _payment(
        self,
        asset: str,
        record: AssetRecord,
        service: ServiceRecord,
        payment: Payment,
        face: "_Face | None",
        *,
        estimated: bool,
    ) -> DebtPaymentView:
        if payment.number <= service.recorded:
            made = self._chain.record(PAYMENTS, payment_key(asset, payment.number))
            assert made is not None, "a record that was counted"
            of_strip = None if face is None or not payment.final else face.made
            principal = 0 if of_strip is None else of_strip.principal_due
            if payment.number > service.settled:
                principal += made.principal_due
            elif of_strip is not None:
                made = replace(of_strip, interest_due=0)
            return DebtPaymentView(
                number=payment.number,
                payment_day=render_day(made.payment_day),
                interest=_amount(record, made.interest_due),
                principal=_amount(record, principal),
                status=made.status.name.lower(),
            )
        owed = record.supply + _stripped(face)
        interest = (payment.interest or Fraction(0)) * owed
        return DebtPaymentView(
            number=payment.number,
            payment_day=render_day(payment.payment_day),
            interest=_amount(record, interest.numerator // interest.denominator),  # floor
            principal=_amount(  # floor
                record, owed * payment.principal_ppm * payment.price_e4 // (PPM * PAR_E4)
            ),
            status="estimated" if estimated else "planned",
        )

    def _face_of(self, asset: str, record: AssetRecord) -> "_Face | None":
        """Return what is stripped of a line; None: nothing is."""
        if not isinstance(record.terms, BondTerms):
            return None
        stripping = self._chain.record(STRIPPINGS, name_key(asset))
        strip = (
            None if stripping is None else self._chain.record(ASSETS, name_key(stripping.principal))
        )
        if stripping is None or strip is None or not strip.supply:
            return None
        made = self._chain.record(PAYMENTS, payment_key(stripping.principal, 1))
        return _Face(stripped=strip.supply, made=made)

    def _coupons(
        self, asset: str, record: AssetRecord, terms: StripTerms
    ) -> Iterator[DebtLineView]:
        """Yield the line of a coupon strip whose record is taken: no bond has it any more."""
        made = self._chain.record(PAYMENTS, payment_key(asset, 1))
        if made is None:
            return
        yield DebtLineView(
            **{**_facts(asset, record), "kind": AssetKind.BOND.value},
            currency=terms.face_currency,
            issue_day=render_day(terms.plan.issue_day),
            maturity_day=render_day(terms.plan.maturity_day),
            outstanding=_amount(record, 0),
            stripped=_amount(record, 0),
            rate=None,
            payments_a_year=0,
            day_count=terms.plan.day_count.value,
            pricing_day_count=terms.plan.pricing_day_count.value,
            plain=False,
            brought_back=False,
            payments=[
                DebtPaymentView(
                    number=1,
                    payment_day=render_day(made.payment_day),
                    interest=_amount(record, made.principal_due),
                    principal=_amount(record, 0),
                    status=made.status.name.lower(),
                )
            ],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Face:
    """What is stripped of a line."""

    stripped: int
    made: PaymentRecord | None
    """The payment of its strip, once its record is taken; it is not settled while there is any."""


def _stripped(face: _Face | None) -> int:
    return 0 if face is None else face.stripped


def _expected(rates: Rates) -> Rates:
    """Return a rate for every payment: the one last fixed for those that are not, if any is."""
    if not rates:
        return rates
    return {**dict.fromkeys(range(1, PAYMENTS_MAX + 1), rates[max(rates)]), **rates}


def _bill(asset: str, record: AssetRecord, terms: BillTerms, day: Day) -> DebtLineView:
    maturity = render_day(terms.maturity_day)
    return DebtLineView(
        **_facts(asset, record),
        currency=terms.face_currency,
        issue_day=render_day(terms.issue_day),
        maturity_day=maturity,
        outstanding=_amount(record, record.supply),
        stripped=_amount(record, 0),
        rate=None,
        payments_a_year=0,
        day_count=DayCount.ACT_365F.value,
        pricing_day_count=DayCount.ACT_365F.value,
        plain=True,
        brought_back=True,
        payments=[
            DebtPaymentView(
                number=1,
                payment_day=maturity,
                interest=_amount(record, 0),
                principal=_amount(record, record.supply),
                status="planned" if day < terms.maturity_day else "due",
            )
        ],
    )


def _facts(asset: str, record: AssetRecord) -> dict[str, str]:
    return {
        "asset": asset,
        "kind": kind_of(record.terms).value,
        "name": record.name,
        "issuer": record.issuer,
    }


def _rate(plan: PaymentPlan, oldest: Payment) -> str | None:
    """Return the rate of the oldest period that is not paid; there is one while there is face."""
    if oldest.rate_ppm is None or not (plan.rates or plan.floating):
        return None
    return text(oldest.rate_ppm, _PERCENT_DECIMALS)


def _amount(record: AssetRecord, minor: int) -> str:
    return render_amount(minor, decimals=record.decimals)
