"""For each phrase of the vocabulary, something that the ledger refuses with it."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

import msgpack

from node.codec import CodecError, encode, replace
from node.ledger.acts.lifecycle.set_withholding import SetWithholding
from node.ledger.auctions import Form, Method, NoncompetitivePrice, allot
from node.ledger.auctions.ladders import row_of
from node.ledger.auctions.problems import CutOffError
from node.ledger.auctions.records import OpenBid
from node.ledger.auctions.terms import DURATION_MS_MAX, TARGET_MAX, Destination, fault_of
from node.ledger.dates import (
    HOLIDAYS_MAX,
    SATURDAY_SUNDAY,
    Calendar,
    DatesFault,
    Holiday,
    Order,
    Stub,
    check_calendar,
    from_date,
    periods_of_year,
)
from node.ledger.instruments import accrued_share, check_schedule, payment_at
from node.ledger.instruments.schedule import periods_of
from node.ledger.operations import AmendCalendar, DefineAsset
from node.ledger.outcomes import Reject
from node.ledger.phrases import (
    AuctionFault,
    AuctionPlanFault,
    CalendarFault,
    CallFault,
    CashFault,
    CutOffFault,
    EncodingFault,
    LineFault,
    Phrase,
    PolicyFault,
    PowerFault,
    ScheduleFault,
    StripFault,
    StrippingFault,
    TermsFault,
    WithholdingFault,
)
from node.ledger.policies import AccountPolicy, check_policy
from node.ledger.powers import PowerRecord
from node.ledger.powers import fault_of as power_fault_of
from node.ledger.pricing.daycounts import DayCount
from node.ledger.securities import SERVICES, WithholdingRow
from node.ledger.state import LedgerState
from node.ledger.tables import ASSETS, POWERS, name_key, power_key
from node.ledger.terms import (
    LIFE_DAYS_MAX,
    PAR_E4,
    PPM,
    BillTerms,
    CallWindow,
    PoolAsset,
    RateStep,
    ServicedBillTerms,
    StripTerms,
    SukukTerms,
    check_terms,
)
from node.ledger.transactions import (
    TRANSACTION_SIZE_MAX,
    decode_body,
    decode_transaction,
)
from node.ledger.transition import Receipt
from node.ledger.unread import why_unread
from tests.ledger.auctions.test_forms import SUKUK_OF_THE_AUCTION, by_rate
from tests.ledger.auctions.test_margins import FLOATER, MARGINS, REFERENCE_PPM, by_margin
from tests.ledger.auctions.test_plans import publish
from tests.ledger.auctions.test_reopening import (
    LAST_RECORD,
    MIDDLE,
    announce,
    bid_and_open,
    decide,
    issued_later,
    make_reopened,
    rule,
)
from tests.ledger.auctions.test_switches import NEW, make_switch, switching
from tests.ledger.debt import (
    ISSUED,
    KARACHI,
    SUKUK,
    amortising,
    call,
    callable_bond,
    define_bond,
    define_calendar,
    define_strips,
    define_sukuk,
    fix,
    floating,
    issue,
    make_debt,
    plan,
    strip,
    to_day,
    two_years_after,
    zero_coupon,
)
from tests.ledger.ladders_auctions import GOOD, STEP
from tests.ledger.ladders_plans import LATER, PLANNED
from tests.ledger.stripped import FACES, OTHER, coupons
from tests.ledger.stripped import debt as stripped_debt
from tests.ledger.test_calls import MIDDLE as CALLED
from tests.ledger.test_calls import debt as callable_debt
from tests.ledger.test_calls import rows as payments_of
from tests.ledger.test_instruments import WEEKENDS, bond, instalments, steps
from tests.ledger.test_transactions import A, B, make_body
from tests.ledger.world import (
    BILL,
    CB,
    DAY_MS,
    FM,
    NOW_MS,
    PKR,
    TODAY,
    VAR,
    World,
    address,
    define_cash,
    make_market,
)

Case = Callable[[], object]


def text_of(case: Case) -> str:
    """Return the reason with which something is refused, as the ledger writes it."""
    try:
        found = case()
    except Reject as reject:
        return str(dict(reject.details)["reason"])
    except (DatesFault, CutOffError) as error:
        return str(error.reason)
    if isinstance(found, Receipt):
        return str(dict(found.details)["reason"])
    assert found is not None, "nothing was refused"
    return str(found)


def let(world: World, operation: str, subject: str, *, as_for: str) -> None:
    """Let the offices do for a subject what they may for another."""
    state = LedgerState(world.records)
    row = state.get(POWERS, power_key(operation, as_for))
    assert row is not None
    state.put(POWERS, power_key(operation, subject), row)
    world.records.write(state.changes())


# Bytes.


def body_bytes(**changes: Any) -> list[Any]:
    """Return a body as the arrays that it is encoded as, with a field by its place changed."""
    fields: list[Any] = msgpack.unpackb(encode(make_body()))
    for place, value in changes.items():
        fields[int(place[1:])] = value
    return fields


def body(**changes: Any) -> Case:
    return lambda: decode_body(msgpack.packb(body_bytes(**changes)))


def raw(data: bytes) -> Case:
    return lambda: decode_transaction(data)


ENCODING: Final[Mapping[Phrase, Case]] = {
    EncodingFault.TOO_MANY_BYTES: lambda: decode_body(bytes(TRANSACTION_SIZE_MAX + 1)),
    EncodingFault.CUT_OFF: raw(b"\x92"),
    EncodingFault.GOES_ON: raw(msgpack.packb([b"a", [bytes(64)]]) + b"x"),
    EncodingFault.NO_MESSAGEPACK: raw(b"\xc1"),
    EncodingFault.OTHER_SPELLING: raw(b"\x92\xc5\x00\x01a\x91\xc4\x40" + bytes(64)),
    EncodingFault.OTHER_TYPE: raw(msgpack.packb([1, 2])),
    EncodingFault.OUT_OF_BOUNDS: body(_0=300),
    EncodingFault.NO_SUCH_TAG: body(_5=[[9_999, b"a"]]),
    EncodingFault.NOT_READABLE: lambda: why_unread(CodecError("body", "words of a next release")),
    EncodingFault.SIGNERS_OUT_OF_ORDER: lambda: decode_body(encode(make_body(signers=(B, A)))),
    EncodingFault.MEMO_NOT_TEXT: lambda: decode_body(encode(make_body(memo="a\nb"))),
}


# Policies and powers.


def policy(signers: tuple[tuple[bytes, int], ...], least: int = 1) -> Case:
    return lambda: check_policy(AccountPolicy(signers=signers, thresholds=(least, 1, 1)))


def power(offices: tuple[str, ...], required: int) -> Case:
    return lambda: power_fault_of(PowerRecord(offices=offices, required=required, licences=()))


RULES: Final[Mapping[Phrase, Case]] = {
    PolicyFault.COUNT_OF_SIGNERS: policy(()),
    PolicyFault.POLICY_OUT_OF_ORDER: policy(((B, 1), (A, 1))),
    PolicyFault.WEIGHT_OUT_OF_RANGE: policy(((A, 256),)),
    PolicyFault.THRESHOLD_OUT_OF_REACH: policy(((A, 1),), least=2),
    PowerFault.POWER_OUT_OF_ORDER: power(("b", "a"), 1),
    PowerFault.POWER_WITHOUT_NAME: power(("A B",), 1),
    PowerFault.MORE_REQUIRED_THAN_LISTED: power(("a",), 2),
    PowerFault.REQUIRED_OF_NONE: power((), 1),
}


# Terms and their schedules.


def terms(**changes: Any) -> Case:
    return lambda: check_terms(bond(**changes))


def bill(**changes: Any) -> Case:
    simple = {"pricing_day_count": DayCount.ACT_365F, **zero_coupon(), **changes}
    return lambda: check_terms(ServicedBillTerms(face_currency="PKR", plan=plan(**simple)))


def pool(*assets: PoolAsset) -> Case:
    return lambda: check_terms(SukukTerms(face_currency="PKR", plan=plan(), pool=assets))


def window(first: int, last: int) -> dict[str, Any]:
    return callable_bond(windows=(CallWindow(from_day=first, to_day=last, price_e4=PAR_E4),))


STRIP: Final = StripTerms(face_currency="PKR", plan=plan(), line=None)
TERMS_OF_ASSETS: Final[Mapping[Phrase, Case]] = {
    TermsFault.DEFINED_AS_STRIP: lambda: check_terms(STRIP),
    TermsFault.MATURES_BEFORE_ISSUE: lambda: check_terms(
        BillTerms(issue_day=TODAY, maturity_day=TODAY, face_currency="PKR")
    ),
    TermsFault.POOL_NAME_NOT_TEXT: pool(PoolAsset(name="a\nb", document_hash=bytes(32))),
    TermsFault.POOL_NAMES_TWICE: pool(*[PoolAsset(name="M-2", document_hash=bytes(32))] * 2),
    TermsFault.BILL_WITH_MONTHS: bill(months=3, rates=steps(ISSUED)),
    TermsFault.BILL_WITH_CALL: bill(**callable_bond()),
    TermsFault.BILL_PRICED_OTHERWISE: bill(pricing_day_count=DayCount.ACT_ACT_ICMA),
    TermsFault.LIVES_TOO_LONG: terms(maturity_day=ISSUED + LIFE_DAYS_MAX + 1),
    TermsFault.MATURES_TOO_LATE: terms(maturity_day=2_932_896, issue_day=2_932_000),
    TermsFault.PAYS_WITHOUT_MONTHS: terms(months=0),
    TermsFault.MONTHS_DO_NOT_DIVIDE: terms(months=5),
    TermsFault.MONTHS_WITHOUT_PAY: terms(rates=()),
    TermsFault.FIRST_RATE_ELSEWHERE: terms(rates=steps(ISSUED + 1)),
    TermsFault.RATES_OUT_OF_ORDER: terms(rates=steps(ISSUED, ISSUED + 9_999)),
    TermsFault.INSTALMENTS_OUT_OF_ORDER: terms(instalments=instalments((2, 1), (1, 1))),
    TermsFault.INSTALMENTS_REPAY_ALL: terms(instalments=instalments((1, PPM))),
    TermsFault.CALL_WINDOW_OUT_OF_PLACE: terms(**window(ISSUED + 9, ISSUED + 8)),
    TermsFault.CALL_BESIDE_INSTALMENTS: terms(**callable_bond(), **amortising()),
    TermsFault.CALL_WITHOUT_PAYMENTS: terms(**callable_bond(), **zero_coupon()),
    TermsFault.RATES_AND_REFERENCE: terms(**{**floating(), "rates": steps(ISSUED)}),
    TermsFault.REFERENCE_NO_NAME: terms(**floating(reference="MTB's 6M")),
    TermsFault.FLOOR_ABOVE_CAP: terms(**floating(floor_ppm=2, cap_ppm=1)),
}


def schedule(**changes: Any) -> Case:
    return lambda: check_schedule(bond(**changes), WEEKENDS)


def periods(**changes: Any) -> Case:
    return lambda: periods_of(plan(**changes), WEEKENDS)


SCHEDULES: Final[Mapping[Phrase, Case]] = {
    ScheduleFault.ENDS_BEFORE_START: periods(maturity_day=ISSUED),
    ScheduleFault.STEPS_BACKWARDS: periods(months=-1),
    ScheduleFault.TOO_MANY_PERIODS: schedule(
        months=1, maturity_day=ISSUED + LIFE_DAYS_MAX, stub=Stub.SHORT_BACK
    ),
    ScheduleFault.REST_WITHOUT_STUB: schedule(maturity_day=ISSUED + 400),
    ScheduleFault.PERIODS_DO_NOT_DIVIDE: lambda: periods_of_year(5),
    ScheduleFault.SETTLES_OUTSIDE: lambda: payment_at(bond(), WEEKENDS, ISSUED - 1),
    ScheduleFault.RATE_NOT_FIXED: lambda: accrued_share(bond(**floating()), WEEKENDS, ISSUED + 9),
    ScheduleFault.TOO_MANY_PAYMENTS: schedule(
        months=1, maturity_day=from_date(date(2060, 4, 11)), stub=Stub.SHORT_FRONT
    ),
    ScheduleFault.RECORD_BEFORE_ISSUE: schedule(
        maturity_day=ISSUED + 20, stub=Stub.SHORT_FRONT, record_days=30
    ),
    ScheduleFault.RECORD_BEFORE_PAYMENT: schedule(
        months=1, record_days=30, maturity_day=ISSUED + 900, stub=Stub.LONG_FRONT
    ),
    ScheduleFault.INSTALMENT_WITH_LAST: schedule(instalments=instalments((4, 1))),
    ScheduleFault.PAYMENT_TOO_LARGE: lambda: check_schedule(
        bond(), WEEKENDS, ceiling=(1 << 64) - 1
    ),
}
"""But for one, which no terms come to: `test_interest_that_no_record_can_hold_is_refused`."""


# Calendars.


def closed(*days: int) -> Case:
    holidays = tuple(Holiday(day=day, provisional=False) for day in days)
    calendar = Calendar(version=1, weekend=SATURDAY_SUNDAY, holidays=holidays)
    return lambda: check_calendar(calendar)


def withdrawn_and_holiday() -> Receipt:
    world = make_market()
    world.do(define_calendar(), by=(CB,))
    both = AmendCalendar(
        account=address(CB),
        approvers=(),
        calendar=KARACHI,
        version=1,
        withdrawn=(TODAY + 9,),
        holidays=(Holiday(day=TODAY + 9, provisional=False),),
    )
    return world.submit(both, by=(CB,))


CALENDARS: Final[Mapping[Phrase, Case]] = {
    CalendarFault.DAYS_OUT_OF_ORDER: closed(TODAY + 1, TODAY),
    CalendarFault.TOO_MANY_HOLIDAYS: closed(*range(TODAY, TODAY + 9 * HOLIDAYS_MAX + 9, 9)),
    CalendarFault.CLOSED_TOO_LONG: closed(*range(TODAY, TODAY + 40)),
    CalendarFault.WITHDRAWN_AND_HOLIDAY: withdrawn_and_holiday,
}


# Calls.


def called(day: int, share_ppm: int | None = None, *, on: int = ISSUED + 1, **changes: Any) -> Case:
    def case() -> Receipt:
        world = callable_debt(**changes)
        to_day(world, on)
        return world.submit(call(day, share_ppm), by=(CB, FM))

    return case


ALWAYS: Final = callable_bond(
    windows=(CallWindow(from_day=ISSUED + 1, to_day=ISSUED + 700, price_e4=PAR_E4),),
    notice_days=1,
)
FIRST: Final = payments_of(callable_debt())[0]
SECOND: Final = payments_of(callable_debt())[1]


def share_of_all() -> Receipt:
    world = callable_debt()
    second, third = payments_of(world)[1:3]
    world.do(call(second.nominal_day, 600_000), by=(CB, FM))
    return world.submit(call(third.nominal_day, 400_000), by=(CB, FM))


CALLS: Final[Mapping[Phrase, Case]] = {
    CallFault.IN_NO_WINDOW: called(ISSUED + 363),
    CallFault.NOTICE_TOO_SHORT: called(CALLED, on=CALLED - 29),
    CallFault.NO_BUSINESS: called(ISSUED + 422),
    CallFault.ONLY_WHOLE: called(SECOND.nominal_day, 1, **callable_bond(in_part=False)),
    CallFault.SHARE_BESIDE_PAYMENT: called(CALLED, 250_000),
    CallFault.SHARE_LEAVES_NOTHING: share_of_all,
    CallFault.RECORD_IS_OVER: called(ISSUED + 1, on=ISSUED, **ALWAYS),
    CallFault.RECORD_TOO_EARLY: called(FIRST.payment_day + 1, on=FIRST.record_day - 9, **ALWAYS),
    CallFault.RECORD_TAKEN: called(FIRST.payment_day, on=FIRST.record_day + 1, **ALWAYS),
}


# Strips.


def strips(*, ceiling: int = 10**9, **changes: Any) -> Case:
    def case() -> Receipt:
        world = make_debt(replace(define_bond(**changes), ceiling=ceiling))
        world.block()
        return world.submit(define_strips(), by=(CB, FM))

    return case


def strips_of_a_sukuk() -> Receipt:
    world = make_debt(define_sukuk())
    let(world, "define_strips", "sukuk", as_for="bond")
    return world.submit(define_strips(SUKUK), by=(CB, FM))


def strips_while_records_wait() -> Receipt:
    maturity_day = two_years_after(ISSUED)
    world = stripped_debt(cash=1, months=1, maturity_day=maturity_day, grace_days=0)
    for row in payments_of(world)[:9]:
        to_day(world, row.record_day + 1)
    return world.submit(define_strips(series="PKT"), by=(CB, FM))


def not_registered() -> Receipt:
    world = make_debt(define_bond())
    world.do(issue(100), by=(CB, FM))
    return world.submit(strip(FM, 100), by=(FM,))


def alter(world: World, code: str, **changes: Any) -> None:
    """Let an asset be as no operation makes it."""
    state = LedgerState(world.records)
    record = state.get(ASSETS, name_key(code))
    assert record is not None
    state.put(ASSETS, name_key(code), replace(record, **changes))
    world.records.write(state.changes())


def series_of(line: DefineAsset, **changes: Any) -> Case:
    """Let a second line come into a series, of which a coupon is other than it was."""

    def case() -> Receipt:
        world = stripped_debt(line)
        if changes:
            alter(world, coupons(world)[0], **changes)
        return world.submit(define_strips(OTHER), by=(CB, FM))

    return case


def strip_record_taken() -> Receipt:
    world = stripped_debt(define_bond(OTHER))
    to_day(world, payments_of(world)[0].record_day + 1)
    state = LedgerState(world.records)
    record = state.get(SERVICES, name_key(OTHER))
    assert record is not None
    state.put(SERVICES, name_key(OTHER), replace(record, recorded=0))
    world.records.write(state.changes())
    return world.submit(define_strips(OTHER), by=(CB, FM))


def strip_of_other_kind() -> Receipt:
    world = make_debt(define_bond(), define_bond(FACES))
    return world.submit(define_strips(), by=(CB, FM))


STRIPS: Final[Mapping[Phrase, Case]] = {
    StrippingFault.IS_NO_BOND: strips_of_a_sukuk,
    StrippingFault.RATE_FLOATS: strips(**floating()),
    StrippingFault.MAY_BE_CALLED: strips(**callable_bond()),
    StrippingFault.REPAYS_IN_INSTALMENTS: strips(**amortising()),
    StrippingFault.PAYS_ONLY_FACE: strips(**zero_coupon()),
    StrippingFault.CALENDAR_DECIDES: strips(order=Order.SHIFT_THEN_CALCULATE),
    StrippingFault.TOO_MANY_LEFT: strips(
        months=1, maturity_day=ISSUED + 2_100, stub=Stub.LONG_FRONT
    ),
    StrippingFault.PAYS_NO_INTEREST: strips(rates=(RateStep(from_day=ISSUED, rate_ppm=0),)),
    StrippingFault.RECORD_OVERDUE: strips_while_records_wait,
    StrippingFault.LEAST_ABOVE_CEILING: strips(
        day_count=DayCount.ACT_ACT_ISDA, rates=(RateStep(from_day=ISSUED, rate_ppm=71_237),)
    ),
    StrippingFault.NOT_REGISTERED: not_registered,
    StripFault.STRIP_OF_OTHER_KIND: strip_of_other_kind,
    StripFault.STRIP_RECORD_TAKEN: strip_record_taken,
    StripFault.OTHER_ISSUER: series_of(define_bond(OTHER), issuer=CB),
    StripFault.OTHER_DECIMALS: series_of(define_bond(OTHER), decimals=4),
    StripFault.OTHER_TERMS: series_of(define_bond(OTHER, grace_days=9)),
    StripFault.OTHER_RULE_OF_FORCE: series_of(
        replace(define_bond(OTHER), forced_transfer_allowed=False)
    ),
}


# Withholding.


def withholding(*days: int, **changes: Any) -> Case:
    rows = tuple(WithholdingRow(from_day=day, rate_bps=1, source="an act") for day in days)
    fields = {"taxpayer": "person", "kind": "bond", "rows": rows, **changes}
    rates = SetWithholding(
        account=address(FM), approvers=(address(CB),), collector=address(VAR), **fields
    )
    return lambda: make_market().submit(rates, by=(CB, FM))


WITHHOLDINGS: Final[Mapping[Phrase, Case]] = {
    WithholdingFault.NO_KIND_OF_PARTICIPANT: withholding(TODAY, taxpayer="it's"),
    WithholdingFault.NO_KIND_WITH_INTEREST: withholding(TODAY, kind="bill"),
    WithholdingFault.ROWS_OUT_OF_ORDER: withholding(TODAY, TODAY),
}


# Auctions.


def auction(**changes: Any) -> Case:
    return lambda: fault_of(replace(GOOD, **changes), now_ms=NOW_MS)


def announced(**changes: Any) -> Case:
    """Announce an auction of the bill."""
    return lambda: make_market().submit(
        replace(announce(replace(GOOD, **changes)), auction="another"), by=(CB, FM)
    )


def reopened(terms: Any, *definitions: Any, supply: Any = ()) -> Case:
    def case() -> Receipt:
        day = terms.settles_ms // DAY_MS + 1
        world = make_reopened(day, *definitions, supply=supply)
        return world.submit(announce(terms), by=(CB, FM))

    return case


def sold_strip() -> Receipt:
    world = stripped_debt()
    let(world, "announce_auction", "strip", as_for="bond")
    return world.submit(announce(rule(ISSUED + 2, FACES)), by=(CB, FM))


def cash_auctioned() -> Receipt:
    world = make_market()
    state = LedgerState(world.records)
    row = PowerRecord(offices=(CB,), required=1, licences=())
    state.put(POWERS, power_key("announce_auction", "cash"), row)
    world.records.write(state.changes())
    terms = replace(GOOD, asset=PKR, proceeds=address(CB))
    announcement = replace(announce(terms), account=address(CB), approvers=())
    return world.submit(announcement, by=(CB,))


def cash_differs() -> Receipt:
    world = make_market()
    world.do(replace(define_cash("FINE"), decimals=4), by=(CB, FM))
    return world.submit(announce(replace(GOOD, cash="FINE")), by=(CB, FM))


def margin_decided() -> Receipt:
    world = make_reopened(ISSUED + 1, FLOATER)
    bid_and_open(world, by_margin(), [(who, 0, face) for who, _, face in MARGINS])
    world.do(decide(0), by=(FM,))
    return world.submit(replace(announce(by_margin(ISSUED + 9)), auction="other"), by=(CB, FM))


def margin_record_over() -> Receipt:
    world = make_reopened(ISSUED + 1, FLOATER)
    world.do(fix(1, REFERENCE_PPM), by=(CB, FM))
    to_day(world, ISSUED + 189)
    return world.submit(announce(by_margin(ISSUED + 190)), by=(CB, FM))


def rate_held() -> Receipt:
    world = make_reopened(ISSUED + 1, SUKUK_OF_THE_AUCTION)
    world.do(issue(5, to="bank-a", asset=SUKUK), by=(CB, FM))
    return world.submit(announce(by_rate()), by=(CB, FM))


def issuers_differ() -> Receipt:
    world = make_switch()
    alter(world, NEW, issuer=CB)
    return world.submit(announce(switching()), by=(CB, FM))


LINE: Final[Mapping[str, Any]] = {
    "method": Method.UNIFORM_PRICE,
    "noncompetitive_price": NoncompetitivePrice.CUT_OFF,
    "reference": None,
}
HELD: Final = (("bank-a", 5),)
ITSELF: Final = Destination(asset=BILL, price_e4=PAR_E4)
AUCTIONS: Final[Mapping[Phrase, Case]] = {
    AuctionFault.TIMES_OUT_OF_ORDER: auction(opens_ms=NOW_MS),
    AuctionFault.SETTLES_BEFORE_DECISION: auction(settles_ms=GOOD.decides_until_ms - 1),
    AuctionFault.SETTLES_TOO_FAR: auction(settles_ms=NOW_MS + DURATION_MS_MAX + 1),
    AuctionFault.LINE_PAYS_ONE_PRICE: auction(form=Form.RATE),
    AuctionFault.REFERENCE_OF_BUYBACK: auction(form=Form.BUYBACK),
    AuctionFault.DESTINATION_OF_SWITCH: auction(form=Form.SWITCH, reference=None),
    AuctionFault.SWITCHED_FOR_ITSELF: auction(form=Form.SWITCH, reference=None, destination=ITSELF),
    AuctionFault.TARGET_BELOW_MULTIPLE: auction(target=0),
    AuctionFault.TARGET_TOO_LARGE: auction(target=TARGET_MAX + 1),
    AuctionFault.NO_MULTIPLE: auction(prorata_step=STEP + 1),
    AuctionFault.FILLED_WHOLE_OUT_OF_RANGE: auction(filled_whole=-1),
    AuctionFault.NONCOMPETITIVE_BOUNDS: auction(noncompetitive_least=0),
    AuctionFault.SHARE_FOR_NOBODY: auction(noncompetitive_kinds=()),
    AuctionFault.RULE_WITHOUT_SHARE: auction(noncompetitive_share_bps=0),
    AuctionFault.NOBODY_MAY_BID: auction(kinds=()),
    AuctionFault.CLASSES_OUT_OF_ORDER: auction(kinds=("bank", "bank")),
    AuctionFault.BIDS_BOTH_WAYS: auction(kinds=("bank", "person")),
    AuctionFault.NO_SUCH_CLASS: announced(kinds=("bunk",)),
    AuctionFault.ISSUERS_DIFFER: issuers_differ,
    AuctionFault.TARGET_ABOVE_SUPPLY: reopened(
        rule(MIDDLE, form=Form.BUYBACK), supply=(("bank-a", 9),)
    ),
    AuctionFault.REFERENCE_OF_NO_BILL: reopened(rule(MIDDLE, reference="pib-2y")),
    CashFault.CASH_IS_NONE: announced(cash=BILL),
    CashFault.CASH_AUCTIONED: cash_auctioned,
    CashFault.CASH_DIFFERS: cash_differs,
    LineFault.MARGIN_OF_FIXED: reopened(by_margin()),
    LineFault.MARGIN_GIVEN: reopened(by_margin(), define_bond(**floating())),
    LineFault.MARGIN_HELD: reopened(by_margin(), FLOATER, supply=HELD),
    LineFault.MARGIN_DECIDED: margin_decided,
    LineFault.MARGIN_RECORD_OVER: margin_record_over,
    LineFault.RATE_OF_NO_COUPON: announced(**LINE, form=Form.RATE),
    LineFault.RATE_GIVEN: reopened(by_rate(), define_sukuk()),
    LineFault.RATE_HELD: rate_held,
    LineFault.SETTLES_AFTER_MATURITY: announced(settles_ms=NOW_MS + 84 * DAY_MS),
    LineFault.SETTLES_BEFORE_ISSUE: reopened(rule(ISSUED + 4), issued_later(5)),
    LineFault.SETTLES_AFTER_REGISTER: reopened(rule(LAST_RECORD + 1)),
    LineFault.STRIP_NOT_SOLD: sold_strip,
}


# Decisions and plans.


def cut_off(price_e4: int) -> Case:
    rows = [row_of(1, OpenBid(price_e4=990_000, face=GOOD.target, cash_account=address(FM)))]
    rows += [row_of(2, OpenBid(price_e4=980_000, face=STEP, cash_account=address(FM)))]
    return lambda: allot(GOOD, rows, [], price_e4)


def rate_too_high() -> Receipt:
    world = make_reopened(ISSUED + 1, SUKUK_OF_THE_AUCTION)
    bid_and_open(world, by_rate(), [("bank-a", PPM + 1, 3_000)])
    return world.submit(decide(PPM + 1), by=(FM,))


def planned(*auctions: Any) -> Case:
    return lambda: make_market().submit(publish(0, *auctions), by=(FM,))


def plan_of(**changes: Any) -> Case:
    return planned(replace(PLANNED, **changes))


DECISIONS: Final[Mapping[Phrase, Case]] = {
    CutOffFault.NO_BID_AT_PRICE: cut_off(985_000),
    CutOffFault.TARGET_SPENT_BEFORE: cut_off(980_000),
    CutOffFault.RATE_TOO_HIGH: rate_too_high,
    AuctionPlanFault.PLANNED_OF_NO_KIND: plan_of(kind="it's cash"),
    AuctionPlanFault.PLANNED_TO_SETTLE_LATE: plan_of(settlement_day=TODAY + 67),
    AuctionPlanFault.PLANNED_TARGET_OUT_OF_RANGE: plan_of(target=0),
    AuctionPlanFault.PLAN_OUT_OF_ORDER: planned(LATER, PLANNED),
    AuctionPlanFault.PLAN_IS_OVER: plan_of(day=TODAY - 1, settlement_day=TODAY),
    AuctionPlanFault.PLAN_TOO_LONG: planned(
        PLANNED, replace(LATER, day=TODAY + 700, settlement_day=TODAY + 700)
    ),
    AuctionPlanFault.NOTHING_TO_WITHDRAW: planned(),
    AuctionPlanFault.PLANNED_OTHER_KIND: plan_of(line=BILL, kind="bond"),
}

CASES: Final[Mapping[Phrase, Case]] = {
    **ENCODING,
    **RULES,
    **TERMS_OF_ASSETS,
    **SCHEDULES,
    **CALENDARS,
    **CALLS,
    **STRIPS,
    **WITHHOLDINGS,
    **AUCTIONS,
    **DECISIONS,
}
