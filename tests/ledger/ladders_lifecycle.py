"""The tables of the life of securities: defining what pays, funding it, what is withheld."""

from typing import Final

from node.codec import replace
from node.ledger.holdings import credit
from node.ledger.operations import CloseAccount, DefineAsset, SetTaxStatus, SetWithholding
from node.ledger.outcomes import Outcome
from node.ledger.powers import PowerRecord
from node.ledger.securities import (
    CALLS,
    FIXINGS,
    PAYMENTS,
    SERVICES,
    STRIPPINGS,
    TAX_DAY_KEY,
    TAX_DAYS,
    TAXPAYERS,
    TIES,
    CalledRecord,
    CallsRecord,
    CouponStrip,
    FixingRecord,
    PaymentRecord,
    PaymentRow,
    PaymentStatus,
    ServiceRecord,
    StrippingRecord,
    TaxDayRecord,
    TaxpayerRecord,
    TaxStanding,
    TaxStatus,
    Tie,
    TieRecord,
    WithholdingRow,
    payment_key,
    tie_key,
)
from node.ledger.state import LedgerState
from node.ledger.stripping import code_of_coupon, parts_of, register_strips
from node.ledger.stripping import strip as take_apart
from node.ledger.tables import (
    ASSETS,
    BACKLOG,
    BACKLOG_KEY,
    CALENDARS,
    POWERS,
    AssetRecord,
    BacklogRecord,
    CalendarRecord,
    name_key,
    power_key,
)
from node.ledger.terms import PAR_E4, BondTerms
from tests.ledger.debt import (
    BOND,
    ISSUED,
    KARACHI,
    SERIES,
    call,
    callable_bond,
    define_bond,
    define_calendar,
    define_serviced_bill,
    define_strips,
    define_sukuk,
    fix,
    floating,
    fund,
    issue,
    plan,
    reconstitute,
    strip,
    two_years_after,
)
from tests.ledger.ladder import Ladder, Row, acting_rows, putting, surplus_row
from tests.ledger.ladders_calendars import RECORD as CALENDAR
from tests.ledger.world import CB, FM, NOW_MS, PKR, TODAY, VAR, address

SERVICE: Final = ServiceRecord(
    next=None,
    calendar_version=1,
    waits=False,
    recorded=1,
    settled=0,
    cursor=None,
    closed=False,
    decided=False,
    due_ms=None,
)
LATE: Final = PaymentRecord(
    row=PaymentRow(
        nominal_day=TODAY,
        interest_numerator=1,
        interest_denominator=10,
        principal_ppm=0,
        price_e4=PAR_E4,
        final=False,
    ),
    record_day=TODAY - 2,
    payment_day=TODAY,
    taken_day=TODAY,
    face=1_000,
    withholding=(),
    interest_due=100,
    principal_due=0,
    status=PaymentStatus.LATE,
    payer=None,
    holders=0,
    paid=0,
    withheld=0,
    residue=0,
)
CALLED: Final = CallsRecord(
    calls=(
        CalledRecord(
            payment=3, day=ISSUED + 380, share_ppm=None, price_e4=PAR_E4, called_day=ISSUED
        ),
    )
)
COUPON: Final = code_of_coupon(SERIES, two_years_after(ISSUED))
STRIPPING: Final = StrippingRecord(
    multiple=200,
    first=4,
    coupons=(CouponStrip(asset=COUPON, numerator=7, denominator=200),),
    principal=f"{BOND}-P",
)
AWAITED: Final = FixingRecord(
    day=TODAY, reference_ppm=None, rate_ppm=None, auction=None, source=None
)


def put_calendar(state: LedgerState) -> None:
    """Put the calendar that the securities go by, without a holiday."""
    calendar = replace(CALENDAR.calendar, version=1, weekend=define_calendar().weekend, holidays=())
    record = CalendarRecord(title="Karachi", calendar=calendar, used_until=0, moving_since_ms=None)
    state.put(CALENDARS, name_key(KARACHI), record)


def put_bond(state: LedgerState) -> None:
    """Put a bond whose first payment is late."""
    put_security(state, define_bond())
    state.put(PAYMENTS, payment_key(BOND, 1), LATE)


def put_floater(state: LedgerState) -> None:
    """Put a bond that floats, and whose first rate is awaited."""
    put_security(state, define_bond(**floating()))
    state.put(FIXINGS, payment_key(BOND, 1), AWAITED)


def put_callable(state: LedgerState) -> None:
    """Put a bond that may be called in its second year."""
    put_security(state, define_bond(**callable_bond()))


def put_security(state: LedgerState, good: DefineAsset, code: str = BOND) -> None:
    """Put what this would define, and its service."""
    put_calendar(state)
    state.put(
        ASSETS,
        name_key(code),
        AssetRecord(
            name=good.name,
            issuer=good.issuer,
            identifiers=good.identifiers,
            terms=good.terms,
            term_sheet_hash=good.term_sheet_hash,
            decimals=good.decimals,
            multiple=good.multiple,
            ceiling=good.ceiling,
            supply=0,
            forced_transfer_allowed=True,
        ),
    )
    state.put(SERVICES, name_key(code), SERVICE)


def put_strippable(state: LedgerState) -> None:
    """Put a bond with strips, of which Amina has some."""
    put_bond(state)
    asset = state.get(ASSETS, name_key(BOND))
    assert asset is not None
    register_strips(
        state, BOND, asset, series=SERIES, term_sheet_hash=asset.term_sheet_hash, time_ms=NOW_MS
    )
    state.put(ASSETS, name_key(BOND), replace(asset, supply=1_000_000))
    credit(state, address("amina"), BOND, 1_000_000, asset.terms)


def put_stripped(state: LedgerState) -> None:
    """Put a bond of which Amina has stripped some."""
    put_strippable(state)
    take_apart(state, address("amina"), parts_of(state, BOND, 2_000, left=5))


def grow(state: LedgerState, code: str) -> None:
    """Let there be as much of an asset as there may be."""
    asset = state.get(ASSETS, name_key(code))
    assert asset is not None
    state.put(ASSETS, name_key(code), replace(asset, supply=asset.ceiling))


def terms(**changes: object) -> BondTerms:
    return BondTerms(face_currency="PKR", plan=plan(**changes))


DEFINE_BOND: Final = Ladder(
    act="define_asset",
    good=define_bond(),
    by=(CB, FM),
    prepare=put_calendar,
    rows=(
        Row(
            why="the residue account does not exist",
            outcome=Outcome.OTHER_ACCOUNT_UNKNOWN,
            change={"terms": terms(residue_account=bytes(20))},
        ),
        Row(
            why="the paying agent's account is closed",
            outcome=Outcome.OTHER_ACCOUNT_CLOSED,
            change={"terms": terms(paying_agent=address("closed"))},
        ),
        Row(
            why="what it pays in is not defined",
            outcome=Outcome.ASSET_UNKNOWN,
            change={"terms": terms(cash="USD")},
        ),
        Row(
            why="it matures before its issue",
            outcome=Outcome.TERMS_NOT_VALID,
            change={"terms": terms(maturity_day=ISSUED)},
        ),
        Row(
            why="its denomination of a paisa is no whole unit of its face",
            outcome=Outcome.FACE_NOT_IN_UNITS,
            change={"terms": terms(face_unit=2)},
        ),
        Row(
            why="its calendar is not defined",
            outcome=Outcome.CALENDAR_UNKNOWN,
            change={"terms": terms(calendar="moon")},
        ),
        Row(
            why="the paying agent does not stand behind it",
            outcome=Outcome.PAYING_AGENT_ABSENT,
            change={"terms": terms(paying_agent=address("first-bank"))},
        ),
        Row(
            why="its face has other decimals than what it pays in",
            outcome=Outcome.PAYMENT_CASH_NOT_VALID,
            change={"decimals": 3},
        ),
        Row(
            why="it has a rest of a period, and no stub",
            outcome=Outcome.SCHEDULE_NOT_VALID,
            change={"terms": terms(maturity_day=ISSUED + 400)},
        ),
        Row(
            why="its last record would have been taken",
            outcome=Outcome.NOTHING_LEFT_TO_PAY,
            change={"terms": terms(issue_day=TODAY - 400, maturity_day=TODAY, months=0, rates=())},
        ),
        surplus_row(CB, FM),
    ),
)

DEFINE_SUKUK: Final = Ladder(
    act="define_asset",
    good=define_sukuk(),
    by=(CB, FM),
    prepare=put_calendar,
    rows=(surplus_row(CB, FM),),
)

DEFINE_SERVICED_BILL: Final = Ladder(
    act="define_asset",
    good=define_serviced_bill(),
    by=(CB, FM),
    prepare=put_calendar,
    rows=(surplus_row(CB, FM),),
)

ISSUE_BOND: Final = Ladder(
    act="issue",
    good=issue(5_000),
    by=(CB, FM),
    prepare=put_bond,
    rows=(
        Row(
            why="its last record is taken",
            outcome=Outcome.REGISTER_CLOSED,
            prepare=putting(SERVICES, name_key(BOND), replace(SERVICE, closed=True)),
        ),
        Row(
            why="records that are due are not all taken",
            outcome=Outcome.RECORDS_PENDING,
            prepare=putting(BACKLOG, BACKLOG_KEY, BacklogRecord(time_ms=NOW_MS)),
        ),
        surplus_row(CB, FM),
    ),
)

ISSUE_STRIP: Final = Ladder(
    act="issue",
    good=issue(5_000),
    by=(CB, FM),
    prepare=put_strippable,
    rows=(
        Row(
            why="it is a strip",
            outcome=Outcome.STRIP_NOT_ISSUED,
            change={"asset": STRIPPING.principal},
            prepare=putting(
                POWERS,
                power_key("issue", "strip"),
                PowerRecord(offices=(CB, FM), required=2, licences=()),
            ),
        ),
        surplus_row(CB, FM),
    ),
)

FUND_PAYMENT: Final = Ladder(
    act="fund_payment",
    good=fund("amina"),
    by=("amina",),
    prepare=put_bond,
    rows=(
        *acting_rows(),
        Row(
            why="there is no such asset",
            outcome=Outcome.ASSET_UNKNOWN,
            change={"asset": "PIB-NONE"},
        ),
        Row(
            why="the account has not got what is due",
            outcome=Outcome.HOLDING_INSUFFICIENT,
            prepare=putting(PAYMENTS, payment_key(BOND, 1), replace(LATE, interest_due=500_001)),
            alone=True,
        ),
        Row(
            why="it is cash, which pays nothing",
            outcome=Outcome.ASSET_NOT_SERVICED,
            change={"asset": PKR},
        ),
        Row(
            why="its day has not come",
            outcome=Outcome.PAYMENT_NOT_DUE,
            prepare=putting(
                PAYMENTS, payment_key(BOND, 1), replace(LATE, status=PaymentStatus.ANNOUNCED)
            ),
        ),
        surplus_row("amina"),
    ),
)

INACTIVE: Final = TaxStanding(
    status=TaxStatus.INACTIVE, from_day=TODAY + 1, source="Active taxpayers list of 1 March 2025"
)
CHANGING: Final = TaxpayerRecord(ruling=None, change=INACTIVE)

SET_WITHHOLDING: Final = Ladder(
    act="set_withholding",
    good=SetWithholding(
        account=address(FM),
        approvers=(address(CB),),
        taxpayer="person",
        kind="bond",
        collector=address(VAR),
        rows=(
            WithholdingRow(from_day=TODAY - 400, rate_bps=1_000, source="Finance Act 2024"),
            WithholdingRow(from_day=TODAY, rate_bps=1_500, source="Finance Act 2025"),
        ),
    ),
    by=(CB, FM),
    rows=(
        *acting_rows(),
        Row(
            why="the collector does not exist",
            outcome=Outcome.OTHER_ACCOUNT_UNKNOWN,
            change={"collector": bytes(20)},
        ),
        Row(
            why="the collector is closed",
            outcome=Outcome.OTHER_ACCOUNT_CLOSED,
            change={"collector": address("closed")},
        ),
        Row(
            why="the collector's owner is suspended",
            outcome=Outcome.OTHER_PARTICIPANT_SUSPENDED,
            change={"collector": address("suspended")},
        ),
        Row(
            why="one office alone",
            outcome=Outcome.OFFICES_MISSING,
            change={"approvers": ()},
            by=(FM,),
        ),
        Row(
            why="a source that is no plain text",
            outcome=Outcome.TEXT_NOT_ACCEPTED,
            change={"rows": (WithholdingRow(from_day=0, rate_bps=1, source="SRO\n1"),)},
        ),
        Row(
            why="nobody is of this kind",
            outcome=Outcome.WITHHOLDING_NOT_VALID,
            change={"taxpayer": "ghost"},
        ),
        Row(
            why="cash pays no interest",
            outcome=Outcome.WITHHOLDING_NOT_VALID,
            change={"kind": "cash"},
        ),
        Row(
            why="the same day twice",
            outcome=Outcome.WITHHOLDING_NOT_VALID,
            change={"rows": (WithholdingRow(from_day=9, rate_bps=1, source="?"),) * 2},
        ),
        surplus_row(CB, FM),
    ),
)

SET_TAX_STATUS: Final = Ladder(
    act="set_tax_status",
    good=SetTaxStatus(
        account=address(FM),
        approvers=(),
        participant="amina",
        status=TaxStatus.INACTIVE,
        from_day=TODAY + 1,
        source="Active taxpayers list of 1 March 2025",
    ),
    by=(FM,),
    rows=(
        *acting_rows(),
        Row(
            why="nobody is registered so",
            outcome=Outcome.PARTICIPANT_UNKNOWN,
            change={"participant": "ghost"},
        ),
        Row(
            why="the bank has no say in it",
            outcome=Outcome.OFFICES_MISSING,
            change={"account": address(CB)},
            by=(CB,),
        ),
        Row(
            why="a source that is no plain text",
            outcome=Outcome.TEXT_NOT_ACCEPTED,
            change={"source": "ATL\n2025"},
        ),
        Row(
            why="the day has begun",
            outcome=Outcome.TAX_STATUS_DAY_PAST,
            change={"from_day": TODAY},
        ),
        Row(
            why="the day of the change before has come",
            outcome=Outcome.TAX_STATUS_CHANGING,
            prepare=putting(
                TAXPAYERS,
                b"amina",
                replace(CHANGING, change=replace(INACTIVE, from_day=TODAY)),
            ),
        ),
        Row(
            why="it is told already",
            outcome=Outcome.TAX_STATUS_UNCHANGED,
            prepare=putting(TAXPAYERS, b"amina", CHANGING),
            alone=True,
        ),
        Row(
            why="everybody is active without being told",
            outcome=Outcome.TAX_STATUS_UNCHANGED,
            change={"status": TaxStatus.ACTIVE},
            alone=True,
        ),
        Row(
            why="a record was taken on the day, before the clock was set back",
            outcome=Outcome.TAX_STATUS_DAY_USED,
            prepare=putting(
                TAX_DAYS,
                TAX_DAY_KEY,
                TaxDayRecord(day=TODAY + 1, next_change=b"", next_position=b""),
            ),
        ),
        surplus_row(FM),
    ),
)

FIX_RATE: Final = Ladder(
    act="fix_rate",
    good=fix(1),
    by=(CB, FM),
    prepare=put_floater,
    rows=(
        *acting_rows(),
        Row(
            why="there is no such asset",
            outcome=Outcome.ASSET_UNKNOWN,
            change={"asset": "PIB-NONE"},
        ),
        Row(
            why="one office alone",
            outcome=Outcome.OFFICES_MISSING,
            change={"approvers": ()},
            by=(CB,),
        ),
        Row(
            why="its source is no plain text",
            outcome=Outcome.TEXT_NOT_ACCEPTED,
            change={"source": "PKRV\n6M"},
            alone=True,
        ),
        Row(
            why="its rate does not float",
            outcome=Outcome.ASSET_NOT_FLOATING,
            prepare=put_bond,
            alone=True,
        ),
        Row(
            why="it comes without a source",
            outcome=Outcome.FIXING_WITHOUT_SOURCE,
            change={"source": " "},
        ),
        Row(
            why="its fixing day has not come",
            outcome=Outcome.FIXING_NOT_AWAITED,
            change={"payment": 2},
        ),
        Row(
            why="an auction has fixed it",
            outcome=Outcome.RATE_ALREADY_FIXED,
            prepare=putting(
                FIXINGS,
                payment_key(BOND, 1),
                replace(AWAITED, reference_ppm=1, rate_ppm=15_001, auction="mtb-6m-1"),
            ),
        ),
        surplus_row(CB, FM),
    ),
)

CALL_SECURITY: Final = Ladder(
    act="call_security",
    good=call(ISSUED + 400),
    by=(CB, FM),
    prepare=put_callable,
    rows=(
        *acting_rows(),
        Row(
            why="there is no such asset",
            outcome=Outcome.ASSET_UNKNOWN,
            change={"asset": "PIB-NONE"},
        ),
        Row(
            why="one office alone",
            outcome=Outcome.OFFICES_MISSING,
            change={"approvers": ()},
            by=(FM,),
        ),
        Row(
            why="its terms know no call",
            outcome=Outcome.ASSET_NOT_CALLABLE,
            prepare=put_bond,
            alone=True,
        ),
        Row(
            why="it is called already",
            outcome=Outcome.ALREADY_CALLED,
            prepare=putting(CALLS, name_key(BOND), CALLED),
        ),
        Row(
            why="the day lies in no window",
            outcome=Outcome.CALL_NOT_WITHIN_TERMS,
            change={"day": ISSUED + 10},
        ),
        surplus_row(CB, FM),
    ),
)

DEFINE_STRIPS: Final = Ladder(
    act="define_strips",
    good=define_strips(),
    by=(CB, FM),
    prepare=put_bond,
    rows=(
        *acting_rows(),
        Row(
            why="there is no such asset",
            outcome=Outcome.ASSET_UNKNOWN,
            change={"asset": "PIB-NONE"},
        ),
        Row(
            why="one office alone",
            outcome=Outcome.OFFICES_MISSING,
            change={"approvers": ()},
            by=(FM,),
        ),
        Row(
            why="its series is no code",
            outcome=Outcome.NAME_NOT_ACCEPTED,
            change={"series": "pib strips"},
        ),
        Row(
            why="its last record is taken",
            outcome=Outcome.REGISTER_CLOSED,
            prepare=putting(SERVICES, name_key(BOND), replace(SERVICE, closed=True)),
        ),
        Row(
            why="records that are due are not all taken",
            outcome=Outcome.RECORDS_PENDING,
            prepare=putting(BACKLOG, BACKLOG_KEY, BacklogRecord(time_ms=NOW_MS)),
        ),
        Row(
            why="its rate floats",
            outcome=Outcome.ASSET_NOT_STRIPPABLE,
            prepare=put_floater,
            alone=True,
        ),
        Row(
            why="its strips are registered",
            outcome=Outcome.STRIPS_EXIST,
            prepare=putting(STRIPPINGS, name_key(BOND), STRIPPING),
        ),
        Row(
            why="the code of its face is another asset's",
            outcome=Outcome.STRIP_DIFFERS,
            prepare=lambda state: put_security(state, define_bond(), code=STRIPPING.principal),
            alone=True,
        ),
        surplus_row(CB, FM),
    ),
)

STRIP_SECURITY: Final = Ladder(
    act="strip_security",
    good=strip("amina", 2_000),
    by=("amina",),
    prepare=put_strippable,
    rows=(
        *acting_rows(),
        Row(
            why="there is no such asset",
            outcome=Outcome.ASSET_UNKNOWN,
            change={"asset": "PIB-NONE"},
        ),
        Row(why="nothing", outcome=Outcome.AMOUNT_OUT_OF_RANGE, change={"face": 0}),
        Row(
            why="a coupon would be above its ceiling",
            outcome=Outcome.CEILING_EXCEEDED,
            prepare=lambda state: grow(state, COUPON),
            alone=True,
        ),
        Row(
            why="the account has less",
            outcome=Outcome.HOLDING_INSUFFICIENT,
            change={"face": 1_000_000_000_001},
        ),
        Row(
            why="its last record is taken",
            outcome=Outcome.REGISTER_CLOSED,
            prepare=putting(SERVICES, name_key(BOND), replace(SERVICE, closed=True)),
        ),
        Row(
            why="records that are due are not all taken",
            outcome=Outcome.RECORDS_PENDING,
            prepare=putting(BACKLOG, BACKLOG_KEY, BacklogRecord(time_ms=NOW_MS)),
        ),
        Row(
            why="no strips are registered",
            outcome=Outcome.ASSET_NOT_STRIPPABLE,
            change={"asset": PKR, "face": 1},
            alone=True,
        ),
        Row(
            why="no multiple",
            outcome=Outcome.STRIP_NOT_A_MULTIPLE,
            change={"face": 1_999},
        ),
        Row(
            why="its record waits",
            outcome=Outcome.STRIP_RECORD_DIFFERS,
            prepare=putting(SERVICES, name_key(BOND), replace(SERVICE, waits=True)),
        ),
        surplus_row("amina"),
    ),
)

RECONSTITUTE_SECURITY: Final = Ladder(
    act="reconstitute_security",
    good=reconstitute("amina", 2_000),
    by=("amina",),
    prepare=put_stripped,
    rows=(
        *acting_rows(),
        Row(
            why="there is no such asset",
            outcome=Outcome.ASSET_UNKNOWN,
            change={"asset": "PIB-NONE"},
        ),
        Row(why="nothing", outcome=Outcome.AMOUNT_OUT_OF_RANGE, change={"face": 0}),
        Row(
            why="a strip is missing",
            outcome=Outcome.HOLDING_INSUFFICIENT,
            change={"face": 4_000},
            alone=True,
        ),
        Row(
            why="its last record is taken",
            outcome=Outcome.REGISTER_CLOSED,
            prepare=putting(SERVICES, name_key(BOND), replace(SERVICE, closed=True)),
        ),
        Row(
            why="records that are due are not all taken",
            outcome=Outcome.RECORDS_PENDING,
            prepare=putting(BACKLOG, BACKLOG_KEY, BacklogRecord(time_ms=NOW_MS)),
        ),
        Row(
            why="no strips are registered",
            outcome=Outcome.ASSET_NOT_STRIPPABLE,
            change={"asset": PKR, "face": 1},
            alone=True,
        ),
        Row(
            why="no multiple",
            outcome=Outcome.STRIP_NOT_A_MULTIPLE,
            change={"face": 1_999},
        ),
        Row(
            why="its record waits",
            outcome=Outcome.STRIP_RECORD_DIFFERS,
            prepare=putting(SERVICES, name_key(BOND), replace(SERVICE, waits=True)),
        ),
        surplus_row("amina"),
    ),
)

CLOSE_TIED: Final = Ladder(
    act="close_account",
    good=CloseAccount(account=address("exchange")),
    by=("exchange",),
    rows=(
        Row(
            why="residues are still to come to it",
            outcome=Outcome.ACCOUNT_TIED,
            prepare=putting(
                TIES,
                tie_key(address("exchange"), Tie.RESIDUE, name_key(BOND)),
                TieRecord(tie=Tie.RESIDUE),
            ),
        ),
        surplus_row("exchange"),
    ),
)

LADDERS: Final = (
    DEFINE_BOND,
    DEFINE_SUKUK,
    ISSUE_BOND,
    FUND_PAYMENT,
    SET_WITHHOLDING,
    SET_TAX_STATUS,
    FIX_RATE,
    CALL_SECURITY,
    CLOSE_TIED,
    DEFINE_SERVICED_BILL,
    DEFINE_STRIPS,
    STRIP_SECURITY,
    RECONSTITUTE_SECURITY,
    ISSUE_STRIP,
)
