"""An asset's terms as an ACTUS contract, for whoever has to tell them to another system.

Texts under the names of the ACTUS data dictionary, version 1.4, as a holder has it (`RPA`):

| asset | contract type |
|---|---|
| cash | CSH |
| bill, strip | PAM without interest; what it is sold below face is in `premiumDiscountAtIED` |
| bond or sukuk at one rate, at one that floats, or at none, its face repaid at maturity | PAM |
| the same, repaid in equal parts with its last payments | LAM |
| with steps of its rate, or parts that differ | LAX |

ACTUS has no ACT/ACT ICMA, no ACT/ACT AFB and no 30/360. Where one of those that it has gives the
same amount for every payment (30E/360 of half coupons), the contract names that one; interest that
accrues within a period may then differ by a day. Where none does there is no contract. Its cycles
step forwards from an anchor, ours from either end. The anchor is the first payment; where that is
at the end of a shorter month it is the day of issue, on which nothing is paid yet. What cannot be
told so is refused as well, and so is what its issuer may call.

What floats is told with its first rate, which is fixed by then, and resets by the reference of the
terms; what markets quote under that code is for whoever reads the contract to know.

Its calendars are `NC` and `MF`. One with holidays goes by its name on the ledger, under which
whoever reads the contract has to know its days.

Pure: nothing that is hashed depends on it. `tests/actus` computes the cash flows of what comes out
by an engine of its own and holds them against the ledger's schedule.
"""

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias, assert_never

from node.codec import replace
from node.ledger.dates import (
    SATURDAY_SUNDAY,
    Calendar,
    Order,
    Roll,
    Stub,
    add_months,
    date_of,
    roll,
)
from node.ledger.instruments import Payment, schedule_of
from node.ledger.pricing import DayCount, year_fraction
from node.ledger.terms import (
    PPM,
    AssetTerms,
    BillTerms,
    BondTerms,
    CashTerms,
    FloatingRate,
    PaymentPlan,
    RateStep,
    ServicedBillTerms,
    ServicedTerms,
    StripTerms,
    SukukTerms,
)
from node.ledger.units import Day

Attributes: TypeAlias = Mapping[str, str | list[str]]

DICTIONARY: Final = "1.4"
"""The version of the ACTUS data dictionary whose names these are."""
_PPM_DECIMALS: Final = 6
_DAY_COUNTS: Final = {
    DayCount.ACT_365F: "A365",
    DayCount.ACT_360: "A360",
    DayCount.ACT_ACT_ISDA: "AA",
    DayCount.THIRTY_E_360: "30E360",
    DayCount.THIRTY_E_360_ISDA: "30E360ISDA",
}
_ROLLS: Final = {
    Roll.FOLLOWING: "F",
    Roll.MODIFIED_FOLLOWING: "MF",
    Roll.PRECEDING: "P",
}
_ORDERS: Final = {Order.SHIFT_THEN_CALCULATE: "SC", Order.CALCULATE_THEN_SHIFT: "CS"}


class MappingError(ValueError):
    """Terms that no ACTUS contract says; the sentence names what it has no words for."""


def contract_of(
    terms: AssetTerms,
    calendar: Calendar | None,
    *,
    asset: str,
    currency: str,
    face: int,
    decimals: int,
    today: Day,
    discount: int = 0,
    first_rate_ppm: int | None = None,
) -> Attributes:
    """Return the contract of a holder of so many minor units of an asset.

    It is told as it is agreed: its status is that of the day before the issue; that of cash, today.

    Args:
        calendar: of serviced terms.
        currency: of cash, by ISO 4217; other terms say theirs.
        discount: what was paid less than the face at issue, in minor units.
        first_rate_ppm: of what floats, the rate of its first period; None: not fixed yet.

    Raises:
        MappingError: no contract type, day count or cycle says what these terms say.
        DatesError: no schedule follows from the terms; of defined assets it does.
    """
    common: dict[str, str | list[str]] = {
        "contractID": asset,
        "contractRole": "RPA",
        "currency": currency if isinstance(terms, CashTerms) else terms.face_currency,
        "notionalPrincipal": _decimal(face, decimals),
    }
    match terms:
        case CashTerms():
            return {"contractType": "CSH", **common, "statusDate": _date(today)}
        case BillTerms():
            return {
                "contractType": "PAM",
                **common,
                **_life(terms.issue_day, terms.maturity_day),
                "premiumDiscountAtIED": _decimal(-discount, decimals),
            }
        case BondTerms() | SukukTerms() | ServicedBillTerms() | StripTerms():
            if calendar is None:
                raise MappingError(f"the calendar of {asset} was expected: {terms.plan.calendar}")
            return {
                **common,
                **_life(terms.plan.issue_day, terms.plan.maturity_day),
                "premiumDiscountAtIED": _decimal(-discount, decimals),
                **_serviced(terms, calendar, face, decimals, first_rate_ppm),
            }
        case _ as unreachable:
            assert_never(unreachable)


def _life(issue_day: Day, maturity_day: Day) -> dict[str, str | list[str]]:
    return {
        "statusDate": _date(issue_day - 1),
        "contractDealDate": _date(issue_day - 1),
        "initialExchangeDate": _date(issue_day),
        "maturityDate": _date(maturity_day),
    }


def _serviced(
    terms: ServicedTerms,
    calendar: Calendar,
    face: int,
    decimals: int,
    first_rate_ppm: int | None,
) -> dict[str, str | list[str]]:
    plan = terms.plan
    if plan.call is not None:
        raise MappingError(
            "it may be called by its issuer at prices of its terms, and no contract type here says"
            " at which"
        )
    payments = schedule_of(terms, calendar)
    told = _days_of_business(plan, calendar)
    if plan.months == 0:
        return {"contractType": "PAM", **told}
    days = [payment.nominal_day for payment in payments]
    first, cycle = _anchored(plan, calendar, days)
    told["endOfMonthConvention"] = "EOM" if plan.end_of_month else "SD"
    rates = _rates(plan, payments, first_rate_ppm)
    if rates:
        told["nominalInterestRate"] = _rate(rates[0])
        told["dayCountConvention"] = _day_count(terms, calendar, payments)
    if len(set(rates)) > 1 or not _repaid_in_equal_parts(plan, days):
        told |= {
            "contractType": "LAX",
            "arrayCycleAnchorDateOfInterestPayment": [first],
            "arrayCycleOfInterestPayment": [cycle],
        }
        if plan.floating is not None:
            told |= _resets(plan.floating) | {
                "arrayCycleAnchorDateOfRateReset": [first],
                "arrayCycleOfRateReset": [cycle],
                "arrayRate": [_rate(plan.floating.margin_ppm)],
                "arrayFixedVariable": ["VAR"],
            }
        return told | _arrays(plan, payments, rates, face, decimals)
    if plan.floating is not None:
        told |= _resets(plan.floating) | {
            "cycleAnchorDateOfRateReset": first,
            "cycleOfRateReset": cycle,
            "rateSpread": _rate(plan.floating.margin_ppm),
        }
    if rates:
        told |= {"cycleAnchorDateOfInterestPayment": first, "cycleOfInterestPayment": cycle}
    if not plan.instalments:
        return {"contractType": "PAM", **told}
    instalment = plan.instalments[0]
    return {
        "contractType": "LAM",
        **told,
        "cycleAnchorDateOfPrincipalRedemption": _date(days[instalment.payment - 1]),
        "cycleOfPrincipalRedemption": cycle,
        "nextPrincipalRedemptionPayment": _part(instalment.share_ppm, face, decimals),
    }


def _resets(floating: FloatingRate) -> dict[str, str | list[str]]:
    """Return by what a rate is reset, and within what."""
    return {
        "marketObjectCodeOfRateReset": floating.reference,
        "rateMultiplier": "1",
        "fixingDays": f"P{floating.fixing_days}D",
        "lifeFloor": _rate(floating.floor_ppm),
        "lifeCap": _rate(floating.cap_ppm),
    }


def _arrays(
    plan: PaymentPlan,
    payments: Sequence[Payment],
    rates: Sequence[int],
    face: int,
    decimals: int,
) -> dict[str, str | list[str]]:
    """Return the steps of the rate and the parts that are repaid, each by its day."""
    told: dict[str, str | list[str]] = {}
    steps = [
        (before.nominal_day, rate)
        for before, earlier, rate in zip(payments, rates, rates[1:], strict=False)
        if rate != earlier
    ]
    if steps:
        told["arrayCycleAnchorDateOfRateReset"] = [_date(day) for day, _ in steps]
        told["arrayRate"] = [_rate(rate) for _, rate in steps]
        told["arrayFixedVariable"] = ["FIX"] * len(steps)
    if plan.instalments:
        told["arrayCycleAnchorDateOfPrincipalRedemption"] = [
            _date(payments[each.payment - 1].nominal_day) for each in plan.instalments
        ]
        told["arrayNextPrincipalRedemptionPayment"] = [
            _part(each.share_ppm, face, decimals) for each in plan.instalments
        ]
        told["arrayIncreaseDecrease"] = ["DEC"] * len(plan.instalments)
    return told


def _repaid_in_equal_parts(plan: PaymentPlan, days: Sequence[Day]) -> bool:
    """Return whether each payment from the first instalment on repays the same, but the last."""
    if not plan.instalments:
        return True
    numbers = [instalment.payment for instalment in plan.instalments]
    shares = {instalment.share_ppm for instalment in plan.instalments}
    return (
        len(shares) == 1
        and numbers == list(range(numbers[0], len(days)))
        and _cycle(plan, days[numbers[0] - 1 :]) is not None
    )


def _days_of_business(plan: PaymentPlan, calendar: Calendar) -> dict[str, str | list[str]]:
    told: dict[str, str | list[str]] = {"calendar": plan.calendar}
    if not calendar.holidays and calendar.weekend in {0, SATURDAY_SUNDAY}:
        told["calendar"] = "MF" if calendar.weekend else "NC"
    if plan.roll is not Roll.NONE:
        told["businessDayConvention"] = _ORDERS[plan.order] + _ROLLS[plan.roll]
    return told


def _anchored(plan: PaymentPlan, calendar: Calendar, days: Sequence[Day]) -> tuple[str, str]:
    """Return an anchor, and the cycle that steps from it over all payments.

    Raises:
        MappingError: none does.
    """
    cycle = _cycle(plan, days)
    if cycle is not None:
        return _date(days[0]), cycle
    # What a contract pays on its first day is nothing, unless interest counts to where that day
    # rolls; and what floats would be reset on it.
    counts_from_issue = (
        plan.order is Order.CALCULATE_THEN_SHIFT
        or roll(calendar, plan.issue_day, plan.roll) == plan.issue_day
    )
    if plan.floating is None and counts_from_issue:
        cycle = _cycle(plan, [plan.issue_day, *days])
    if cycle is None:
        raise MappingError(
            f"its payments are no cycle of {plan.months} months from the first one,"
            f" {_date(days[0])}: they step back from maturity over the end of a month"
        )
    return _date(plan.issue_day), cycle


def _cycle(plan: PaymentPlan, days: Sequence[Day]) -> str | None:
    """Return the cycle that steps over these days, of payments by the terms; None if none does.

    The anchor is the first of them, so that a first period of another length needs no words.
    """
    is_long = plan.stub is Stub.LONG_BACK
    stepped: list[Day] = []
    following = days[0]
    while following < plan.maturity_day:
        stepped.append(following)
        following = add_months(days[0], plan.months * len(stepped), plan.end_of_month)
    if is_long and following != plan.maturity_day and len(stepped) > 1:
        stepped.pop()
    is_stepped = [*stepped, plan.maturity_day] == list(days)
    return f"P{plan.months}ML{0 if is_long else 1}" if is_stepped else None


def _day_count(terms: ServicedTerms, calendar: Calendar, payments: Sequence[Payment]) -> str:
    """Return the day count that gives each period its length."""
    plan = terms.plan
    named = _DAY_COUNTS.get(plan.day_count)
    if named is not None:
        return named
    whole = replace(
        terms,
        plan=replace(
            plan,
            rates=(RateStep(from_day=plan.issue_day, rate_ppm=PPM),),
            floating=None,
            instalments=(),
        ),
    )
    lengths = [payment.interest for payment in schedule_of(whole, calendar)]
    for convention, name in _DAY_COUNTS.items():
        found = [
            year_fraction(
                convention,
                date_of(payment.start),
                date_of(payment.end),
                termination=date_of(plan.maturity_day),
            )
            for payment in payments
        ]
        if found == lengths:
            return name
    raise MappingError(
        f"{plan.day_count.value} is no day count of ACTUS, and none of"
        f" {', '.join(_DAY_COUNTS.values())} gives the same payments"
    )


def _rates(plan: PaymentPlan, payments: Sequence[Payment], first_rate_ppm: int | None) -> list[int]:
    """Return the rate of each period: the one that holds on the day, by the terms, it begins.

    Of what floats the first alone: the others are not known when it is agreed.
    """
    if plan.floating is not None:
        if first_rate_ppm is None:
            raise MappingError(
                f"its rate floats by {plan.floating.reference}, and a contract names its first"
                " rate, which is not fixed yet"
            )
        return [first_rate_ppm]
    if not plan.rates:
        return []
    begins = [plan.issue_day, *(payment.nominal_day for payment in payments[:-1])]
    return [
        next(step.rate_ppm for step in reversed(plan.rates) if step.from_day <= day)
        for day in begins
    ]


def _date(day: Day) -> str:
    return f"{date_of(day).isoformat()}T00:00:00"


def _rate(rate_ppm: int) -> str:
    return _decimal(rate_ppm, _PPM_DECIMALS)


def _part(share_ppm: int, face: int, decimals: int) -> str:
    return _decimal(share_ppm * face, decimals + _PPM_DECIMALS)


def _decimal(scaled: int, decimals: int) -> str:
    """Return a number that was scaled by a power of ten, exactly, without zeros at its end."""
    digits = str(abs(scaled)).rjust(decimals + 1, "0")
    whole, rest = digits[: len(digits) - decimals], digits[len(digits) - decimals :].rstrip("0")
    return f"{'-' if scaled < 0 else ''}{whole}{'.' if rest else ''}{rest}"
