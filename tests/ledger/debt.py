"""A market with securities that pay: a calendar, a bond of two years, and what happens to them."""

from collections.abc import Sequence
from typing import Any, Final

from node.codec import replace
from node.ledger.calendars import calendar_of
from node.ledger.dates import SATURDAY_SUNDAY, Calendar, Order, Roll, Stub, date_of
from node.ledger.events import Event
from node.ledger.operations import (
    CallSecurity,
    DefineAsset,
    DefineCalendar,
    DefineStrips,
    FixRate,
    FundPayment,
    Issue,
    ReconstituteSecurity,
    StripSecurity,
)
from node.ledger.policies import account_address
from node.ledger.positions import place_of
from node.ledger.pricing.daycounts import DayCount
from node.ledger.securities import (
    FIXINGS,
    PAYMENTS,
    POSITIONS,
    SERVICES,
    FixingRecord,
    PaymentRecord,
    PositionRecord,
    ServiceRecord,
    payment_key,
    position_key,
)
from node.ledger.servicing import escrow_address
from node.ledger.state import LedgerState
from node.ledger.tables import DUE, HOLDINGS, RECORDS_DUE, AssetIdentifiers, holding_key
from node.ledger.terms import (
    PAR_E4,
    PPM,
    BondTerms,
    CallRight,
    CallWindow,
    FloatingRate,
    Instalment,
    PaymentPlan,
    PoolAsset,
    RateStep,
    ServicedBillTerms,
    ServicedTerms,
    SukukTerms,
)
from tests.ledger.world import (
    CB,
    COMMITMENT,
    DAY_MS,
    FM,
    PKR,
    SALT,
    TODAY,
    World,
    address,
    make_market,
    open_for,
    policy,
    with_check_digit,
)

KARACHI: Final = "pk-karachi"
BOND: Final = "PIB-2Y-100"
SERVICED_BILL: Final = "MTB-6M-9"
SUKUK: Final = "GIS-2Y-7"
SERIES: Final = "PKS"
"""Of the strips of bonds."""
RESIDUE: Final = "first-bank"
"""Whose account receives what rounding leaves."""
ISSUED: Final = TODAY - TODAY % 7 + 7
"""A Thursday, as 1970-01-01 was."""
REFERENCE: Final = "mtb-6m"
SOURCE: Final = "PKRV 6M, mean of five working days"
FIVE_HOURS_MS: Final = 5 * 3_600_000


def define_calendar() -> DefineCalendar:
    return DefineCalendar(
        account=address(CB),
        approvers=(),
        calendar=KARACHI,
        title="Karachi",
        weekend=SATURDAY_SUNDAY,
        holidays=(),
    )


def plan(**changes: Any) -> PaymentPlan:
    """Return a plan of four half years at 7 per cent, paid by the ministry."""
    whole = PaymentPlan(
        issue_day=ISSUED,
        maturity_day=two_years_after(ISSUED),
        months=6,
        rates=(RateStep(from_day=changes.get("issue_day", ISSUED), rate_ppm=70_000),),
        floating=None,
        call=None,
        instalments=(),
        day_count=DayCount.ACT_ACT_ICMA,
        pricing_day_count=DayCount.ACT_ACT_ICMA,
        calendar=KARACHI,
        roll=Roll.FOLLOWING,
        order=Order.CALCULATE_THEN_SHIFT,
        end_of_month=False,
        stub=Stub.NONE,
        record_days=2,
        grace_days=3,
        cash=PKR,
        face_unit=1,
        paying_agent=address(FM),
        residue_account=address(RESIDUE),
    )
    return replace(whole, **changes)


def two_years_after(day: int) -> int:
    start = date_of(day)
    return day + (start.replace(year=start.year + 2) - start).days


def define_bond(asset: str = BOND, *, ceiling: int = 10**12, **changes: Any) -> DefineAsset:
    """Define a bond in multiples of one paisa, so that rounding bites."""
    terms = BondTerms(face_currency="PKR", plan=plan(**changes))
    return replace(_define(asset, terms), ceiling=ceiling)


def define_sukuk(asset: str = SUKUK, **changes: Any) -> DefineAsset:
    pool = (
        PoolAsset(name="M-2 motorway, Lahore to Islamabad", document_hash=bytes(32)),
        PoolAsset(name="Jinnah terminal", document_hash=bytes([1]) * 32),
    )
    return _define(asset, SukukTerms(face_currency="PKR", plan=plan(**changes), pool=pool))


def define_serviced_bill(asset: str = SERVICED_BILL, **changes: Any) -> DefineAsset:
    """Define a bill of half a year that the ledger redeems."""
    simple = {"maturity_day": ISSUED + 182, "pricing_day_count": DayCount.ACT_365F}
    whole = plan(**{**simple, **zero_coupon(), **changes})
    return _define(asset, ServicedBillTerms(face_currency="PKR", plan=whole))


def zero_coupon(**changes: Any) -> dict[str, Any]:
    """Return what is different in the plan of a bond that pays nothing but its face."""
    return {"months": 0, "rates": (), **changes}


def amortising(**changes: Any) -> dict[str, Any]:
    """Return what is different in the plan of a bond that repays a quarter with each payment."""
    instalments = tuple(Instalment(payment=payment, share_ppm=250_000) for payment in (1, 2, 3))
    return {"instalments": instalments, **changes}


def floating(**changes: Any) -> dict[str, Any]:
    """Return what is different in the plan of a bond that pays the last auction's yield and 1.5."""
    rate = FloatingRate(
        reference=REFERENCE,
        margin_ppm=15_000,
        floor_ppm=0,
        cap_ppm=PPM,
        fixing_days=1,
        stale_days=30,
    )
    return {"rates": (), "floating": replace(rate, **changes)}


def callable_bond(**changes: Any) -> dict[str, Any]:
    """Return what is different in the plan of a bond that may be called in its second year."""
    windows = (
        CallWindow(from_day=ISSUED + 364, to_day=ISSUED + 500, price_e4=1_010_000),
        CallWindow(from_day=ISSUED + 501, to_day=ISSUED + 700, price_e4=PAR_E4),
    )
    right = CallRight(windows=windows, notice_days=30, in_part=True)
    return {"call": replace(right, **changes)}


def call(day: int, share_ppm: int | None = None, **changes: Any) -> CallSecurity:
    """Call the bond by its issuer and the bank."""
    good = CallSecurity(
        account=address(FM), approvers=(address(CB),), asset=BOND, day=day, share_ppm=share_ppm
    )
    return replace(good, **changes)


def fix(payment: int, reference_ppm: int = 112_500, **changes: Any) -> FixRate:
    """Fix a rate by two offices, with a source."""
    good = FixRate(
        account=address(CB),
        approvers=(address(FM),),
        asset=BOND,
        payment=payment,
        reference_ppm=reference_ppm,
        source=SOURCE,
    )
    return replace(good, **changes)


def define_strips(asset: str = BOND, **changes: Any) -> DefineStrips:
    """Register the strips of a bond by its issuer and the bank."""
    good = DefineStrips(
        account=address(FM),
        approvers=(address(CB),),
        asset=asset,
        series=SERIES,
        term_sheet_hash=COMMITMENT,
    )
    return replace(good, **changes)


def strip(by: str, face: int, asset: str = BOND) -> StripSecurity:
    return StripSecurity(account=address(by), asset=asset, face=face)


def reconstitute(by: str, face: int, asset: str = BOND) -> ReconstituteSecurity:
    return ReconstituteSecurity(account=address(by), asset=asset, face=face)


def _define(asset: str, terms: ServicedTerms) -> DefineAsset:
    return DefineAsset(
        account=address(FM),
        approvers=(address(CB),),
        asset=asset,
        name="Pakistan Investment Bond",
        issuer=FM,
        identifiers=AssetIdentifiers(
            isin=with_check_digit(f"PK{asset.encode().hex()[-9:].upper()}"),
            currency="PKR",
            dti=None,
        ),
        terms=terms,
        term_sheet_hash=COMMITMENT,
        decimals=2,
        multiple=1,
        ceiling=10**12,
        forced_transfer_allowed=True,
    )


def issue(amount: int, to: str = FM, asset: str = BOND) -> Issue:
    return Issue(
        account=address(FM), approvers=(address(CB),), asset=asset, amount=amount, to=address(to)
    )


def fund(by: str, asset: str = BOND) -> FundPayment:
    return FundPayment(account=address(by), asset=asset)


def make_debt(*definitions: DefineAsset, holders: Sequence[str] = ()) -> World:
    """Return a market on the day before the issue, with a calendar, these securities and accounts.

    `holders` are opened for Amina besides her own, under keys of these names.
    """
    market = make_market()
    market.time_ms = ISSUED * DAY_MS - FIVE_HOURS_MS
    market.do(define_calendar(), *(definitions or (define_bond(),)), by=(CB, FM))
    if holders:
        market.do(*(open_for_amina(holder) for holder in holders), by=("exchange",))
    return market


def open_for_amina(label: str) -> Any:
    return replace(open_for("amina", by="exchange"), policy=open_for(label).policy)


def holder_address(label: str) -> bytes:
    """Return the address of an account that `open_for_amina` opens."""
    return account_address("amina", policy(label), SALT)


def to_day(world: World, day: int, *, minute: int = 0) -> tuple[Event, ...]:
    """Let the midnight that begins a day pass, block by block as long as something is due."""
    world.time_ms = max(day * DAY_MS - FIVE_HOURS_MS + minute * 60_000, world.time_ms + 1)
    found: list[Event] = []
    while True:
        found.extend(world.block().events)
        heads = [
            key for queue in (DUE, RECORDS_DUE) for key, _ in world.records.scan(queue, b"", 1)
        ]
        if not heads or int.from_bytes(min(heads)[:8], "big") > world.time_ms + 1:
            return tuple(found)
        world.time_ms += 1


def calendar(world: World) -> Calendar:
    return calendar_of(LedgerState(world.records), KARACHI)


def service(world: World, asset: str = BOND) -> ServiceRecord:
    record = world.get(SERVICES, asset.encode())
    assert record is not None
    return record


def payment(world: World, number: int, asset: str = BOND) -> PaymentRecord:
    record = world.get(PAYMENTS, payment_key(asset, number))
    assert record is not None
    return record


def fixing(world: World, number: int, asset: str = BOND) -> FixingRecord | None:
    return world.get(FIXINGS, payment_key(asset, number))


def position(world: World, account: bytes, asset: str = BOND) -> PositionRecord | None:
    return world.get(POSITIONS, position_key(asset, place_of(account, PKR)))


def in_escrow(world: World, asset: str = BOND) -> int:
    record = world.get(HOLDINGS, holding_key(escrow_address(asset), PKR))
    return 0 if record is None else record.available + record.held
