"""The engine against figures of published cases, and against contracts that it cannot compute.

The figures are those of the ACTUS test cases (github.com/actusfrf/actus-tests, acfaab8), restated;
all of them, row by row, are in `test_cases.py` where the files are at hand.
"""

from fractions import Fraction
from typing import Any, Final

import pytest

from tests.actus.cases import TOLERANCE
from tests.actus.contracts import Contract
from tests.actus.engine import Happened, Series, cash_flows
from tests.actus.timelines import EventType, Observation
from tests.actus.times import ActusError, parse_moment

LOAN: Final[dict[str, Any]] = {
    "contractType": "PAM",
    "contractRole": "RPA",
    "statusDate": "2012-12-30T00:00:00",
    "initialExchangeDate": "2013-01-01T00:00:00",
    "maturityDate": "2014-01-01T00:00:00",
    "notionalPrincipal": "3000",
    "nominalInterestRate": "0.1",
    "dayCountConvention": "A365",
    "cycleAnchorDateOfInterestPayment": "2013-02-01T00:00:00",
    "cycleOfInterestPayment": "P1ML1",
}
AMORTISING: Final[dict[str, Any]] = {
    **LOAN,
    "contractType": "LAM",
    "notionalPrincipal": " 5000",
    "nominalInterestRate": " 0.08",
    "cycleAnchorDateOfPrincipalRedemption": "2013-02-01T00:00:00",
    "cycleOfPrincipalRedemption": "P1ML0",
    "nextPrincipalRedemptionPayment": " 500",
}


def flows(
    terms: dict[str, Any], *observations: tuple[str, str], until: str = "", **market: Series
) -> list[Happened]:
    return cash_flows(
        Contract({name: value for name, value in terms.items() if value is not None}),
        market=market,
        observations=tuple(
            Observation(kind=EventType(kind), moment=parse_moment(moment))
            for kind, moment in observations
        ),
        until=parse_moment(until) if until else None,
    )


def quoted(*quotes: tuple[str, str]) -> Series:
    return [(parse_moment(moment), Fraction(value)) for moment, value in quotes]


def paid(rows: list[Happened], kind: EventType) -> list[Fraction]:
    return [row.payoff for row in rows if row.kind is kind]


def near(found: Fraction, expected: str) -> bool:
    return abs(found - Fraction(expected)) <= TOLERANCE


def test_interest_by_actual_days_and_the_principal_at_maturity() -> None:
    """Source: pam01."""
    rows = flows(LOAN)

    assert [row.payoff for row in rows[:1] + rows[-1:]] == [-3000, 3000]
    assert near(paid(rows, EventType.IP)[0], "25.4794520547945")
    assert near(paid(rows, EventType.IP)[1], "23.013698630137")
    assert len(paid(rows, EventType.IP)) == 12


def test_end_of_a_day_counts_as_the_next_one_and_makes_a_long_stub() -> None:
    """Source: pam25."""
    rows = flows(LOAN | {"maturityDate": "2013-12-31T23:59:59", "cycleOfInterestPayment": "P1ML0"})

    assert near(paid(rows, EventType.IP)[-1], "50.1369863013699")


@pytest.mark.parametrize(
    ("convention", "calendar", "march"),
    [
        (None, "MF", "27.5"),
        ("SCF", "MF", "27.5"),
        ("SCMF", "MF", "25.8333333333333"),
        ("SCP", "MF", "25.8333333333333"),
        ("SCF", "NC", "26.6666666666667"),
        ("CSF", "MF", "26.6666666666667"),
    ],
)
def test_interest_moves_with_its_day_where_the_convention_shifts_first(
    convention: str | None, calendar: str, march: str
) -> None:
    """31 March 2013 was a Sunday. Source of those that shift: pam07, pam09."""
    rows = flows(
        LOAN
        | {
            "initialExchangeDate": "2013-01-31T00:00:00",
            "cycleAnchorDateOfInterestPayment": "2013-01-31T00:00:00",
            "endOfMonthConvention": "EOM",
            "dayCountConvention": "30E360",
            "calendar": calendar,
            "businessDayConvention": convention,
        }
    )

    found = paid(rows, EventType.IP)[2]

    assert near(found, march if convention else "26.6666666666667")


def test_rate_is_reset_by_what_was_quoted() -> None:
    """Source: pam21."""
    terms = LOAN | {
        "dayCountConvention": "30E360",
        "cycleAnchorDateOfRateReset": "2013-02-01T00:00:00",
        "cycleOfRateReset": "P3ML1",
        "rateSpread": "0.02",
        "marketObjectCodeOfRateReset": "SWAP",
    }

    rows = flows(terms, SWAP=quoted(("2013-02-01T00:00:00", "0.0098271604945178")))

    assert near(paid(rows, EventType.IP)[1], "7.45679012362945")


@pytest.mark.parametrize(
    ("bound", "rate"),
    [
        ({"lifeCap": "0.08"}, "0.08"),
        ({"lifeFloor": "0.12"}, "0.12"),
        ({"periodFloor": "-0.01"}, "0.09"),
        ({"rateMultiplier": "20", "periodCap": "0.005"}, "0.105"),
    ],
)
def test_caps_and_floors_bound_a_rate_and_its_change(bound: dict[str, str], rate: str) -> None:
    terms = LOAN | {
        "cycleAnchorDateOfRateReset": "2013-02-01T00:00:00",
        "marketObjectCodeOfRateReset": "SWAP",
        "rateSpread": "0.08",
        **bound,
    }
    if bound.keys() & {"lifeCap"}:
        terms["rateSpread"] = "0.09"

    rows = flows(terms, SWAP=quoted(("2013-01-01T00:00:00", "0.005")))

    assert rows[-1].rate == Fraction(rate)


def test_linear_amortizer_ends_when_it_is_repaid() -> None:
    """Source: lam01, without its resets; lam05 has the count of redemptions."""
    rows = flows(AMORTISING | {"maturityDate": None})

    assert [row.notional for row in rows if row.kind is EventType.PR][-1] == 500
    assert rows[-1].kind is EventType.MD
    assert rows[-1].payoff == 500
    assert rows[-1].moment == parse_moment("2013-11-01T00:00:00")
    assert near(paid(rows, EventType.IP)[1], "27.6164383561644")


def test_index_scales_interest_by_its_ratio() -> None:
    """Source: lam25."""
    terms = AMORTISING | {
        "scalingEffect": "IOO",
        "marketObjectCodeOfScalingIndex": "CPI",
        "scalingIndexAtContractDealDate": "100",
        "cycleAnchorDateOfScalingIndex": "2013-05-01T00:00:00",
        "cycleOfScalingIndex": "P2ML0",
        "nominalInterestRate": "0.110567901234568",
    }

    rows = flows(terms, CPI=quoted(("2013-05-01T00:00:00", "300")))

    assert near(paid(rows, EventType.IP)[4], "84.5162861491629")


def test_annuity_pays_the_same_until_nothing_is_left() -> None:
    """Source: ann01 and ann07, of which one states the payment that the other computes."""
    rows = flows(AMORTISING | {"contractType": "ANN", "nextPrincipalRedemptionPayment": None})

    first, last = rows[2], rows[-1]

    assert (rows[1].kind, first.kind) == (EventType.PRF, EventType.PR)
    assert near(first.payoff + first.accrued, "434.866594118346")
    assert near(last.payoff, "431.931824461729")


def test_negative_amortizer_grows_where_interest_is_more_than_its_payment() -> None:
    """Source: nam17."""
    rows = flows(
        AMORTISING
        | {
            "contractType": "NAM",
            "nextPrincipalRedemptionPayment": "20",
            "nominalInterestRate": "0.2",
        }
    )

    assert rows[1].payoff < 0
    assert rows[1].notional > 5000


def test_called_money_is_paid_back_after_its_notice() -> None:
    """Source: clm07, without its resets; clm13 has a notice of no days."""
    terms = LOAN | {
        "contractType": "CLM",
        "maturityDate": None,
        "cycleAnchorDateOfInterestPayment": None,
        "cycleOfInterestPayment": "P5DL1",
        "xDayNotice": "P31D",
    }

    rows = flows(terms, ("XD", "2013-01-08T00:00:00"))

    assert [row.kind for row in rows] == ["IED", "IPCI", "XD", "IP", "STD"]
    assert rows[-1].moment == parse_moment("2013-02-08T00:00:00")
    assert rows[3].payoff == rows[2].accrued == rows[1].notional * Fraction(1, 10) * 2 / 365


def test_arrays_step_the_rate_and_the_redemptions() -> None:
    """Source: lax17."""
    terms = {
        **LOAN,
        "contractType": "LAX",
        "notionalPrincipal": "120",
        "nominalInterestRate": "0.05",
        "dayCountConvention": "30E360",
        "maturityDate": None,
        "cycleAnchorDateOfInterestPayment": None,
        "cycleOfInterestPayment": None,
        "arrayCycleAnchorDateOfInterestPayment": "2014-01-01T00:00:00",
        "arrayCycleOfInterestPayment": "P1YL1",
        "arrayCycleAnchorDateOfPrincipalRedemption": ["2014-01-01T00:00:00", "2016-01-01T00:00:00"],
        "arrayCycleOfPrincipalRedemption": ["P1YL1", "P3ML1"],
        "arrayNextPrincipalRedemptionPayment": [20, 80],
        "arrayIncreaseDecrease": ["INC", "DEC"],
        "arrayCycleAnchorDateOfRateReset": "2015-01-01T00:00:00",
        "arrayRate": "0.06",
        "arrayFixedVariable": "FIX",
    }

    rows = flows(terms)

    assert [row.notional for row in rows if row.kind in {EventType.PI, EventType.PR}] == [
        140,
        160,
        80,
    ]
    assert paid(rows, EventType.IP) == [6, 7, Fraction("9.6"), Fraction("1.2")]
    assert rows[-1].moment == parse_moment("2016-04-01T00:00:00")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"contractType": "SWAPS"}, "contractType 'SWAPS'"),
        ({"contractRole": "BUY"}, "contractRole 'BUY'"),
        ({"calendar": "pk-karachi"}, "calendar 'pk-karachi'"),
        ({"dayCountConvention": "28E336"}, "dayCountConvention '28E336'"),
        ({"businessDayConvention": "SCX"}, "businessDayConvention 'SCX'"),
        ({"feeRate": "0.1"}, "does not compute feeRate"),
        ({"statusDate": None}, "statusDate is missing"),
        ({"notionalPrincipal": None}, "notionalPrincipal is missing"),
        ({"notionalPrincipal": "a lot"}, "'a lot' is no number"),
        ({"maturityDate": "2014-01-01T12:00:00"}, "no date with 00:00 or 23:59:59"),
        ({"maturityDate": "2014-02-30T00:00:00"}, "'2014-02-30T00:00:00' is no date"),
        ({"cycleOfInterestPayment": "monthly"}, "no cycle such as P3ML1"),
        ({"cycleOfInterestPayment": "P0ML1"}, "no cycle such as P3ML1"),
        ({"cycleOfInterestPayment": "P0DL1"}, "more than"),
        (
            {
                "cycleAnchorDateOfRateReset": "2013-02-01T00:00:00",
                "marketObjectCodeOfRateReset": "X",
            },
            "nothing was observed of 'X' by 2013-02-01",
        ),
        (
            AMORTISING | {"maturityDate": None, "cycleOfPrincipalRedemption": None},
            "neither a maturity",
        ),
        (
            AMORTISING
            | {
                "contractType": "NAM",
                "maturityDate": None,
                "nextPrincipalRedemptionPayment": "1",
            },
            "never repay it",
        ),
    ],
)
def test_contract_that_cannot_be_computed_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ActusError, match=reason):
        flows(LOAN | changes)
