"""`khazana quote`: what it prints for published bids, and for nonsense."""

import json
from fractions import Fraction
from typing import Any

import pytest
from click.testing import CliRunner

from node.cli.application import application
from node.cli.exits import CommandError, Exit
from node.ledger.pricing import DayCount

BILL = ("quote", "bill", "--days", "84")
BOND = (
    "quote", "bond", "--coupon", "7", "--dated", "2020-08-20", "--maturity", "2023-08-20",
    "--settlement", "2021-03-04",
)  # fmt: skip


FLOATER = (
    "quote", "floater", "--maturity", "2029-02-11", "--reference", "11.25", "--spread", "0.5",
)  # fmt: skip


def test_floater_is_worth_par_at_its_own_spread_on_a_day_of_payment() -> None:
    for count in ("ACT/ACT ICMA", "ACT/365F", "ACT/360"):
        terms = (*FLOATER, "--settlement", "2027-02-11", "--day-count", count)
        found = run(*terms, "--discount-margin", "0.5")
        assert (found["price"], found["accrued"]) == ("100.0000", "0.0000")
        assert run(*terms, "--price", "100")["discount_margin_percent"] == "0.5000"


def test_floater_by_hand() -> None:
    """Two half years left, 31 of 181 days into the first, whose rate was fixed at 12 per cent."""
    terms = (
        "quote", "floater", "--maturity", "2028-02-11", "--settlement", "2027-03-14",
        "--reference", "10", "--spread", "1", "--fixed", "12",
    )  # fmt: skip
    found = run(*terms, "--discount-margin", "2", "--face", "1000000", "--decimals", "8")
    left = Fraction(150, 181) / 2
    second = Fraction(12, 100) / 2 + 1
    value = (6 + (Fraction(11, 2) + 100) / second) / (1 + Fraction(12, 100) * left)
    accrued = 6 * Fraction(31, 181)
    assert Fraction(str(found["price"])) == Fraction(round((value - accrued) * 10**8), 10**8)
    assert found["next_payment"] == "2027-08-11"
    assert found["accrued_interest"] == f"{float(accrued * 10_000):.2f}"
    back = run(*terms, "--price", str(found["price"]))
    assert back["discount_margin_percent"] == "2.0000"
    cheap = run(*terms, "--price", "85")
    assert Fraction(str(cheap["discount_margin_percent"])) > 15


def test_floater_of_nonsense_is_refused() -> None:
    for words, said in (
        (("--settlement", "2029-02-11", "--price", "100"), "expected before 2029-02-11"),
        (("--settlement", "2027-02-11", "--price", "0"), "expected above 0"),
        (("--settlement", "2027-02-11", "--discount-margin", "-300"), "leaves nothing"),
        (("--settlement", "2027-02-11"), "found none"),
        (("--settlement", "2027-02-11", "--price", "1000000000"), "no discount margin"),
        (("--settlement", "2027-02-11", "--price", "0.0001"), "no discount margin"),
        (("--settlement", "1928-02-10", "--price", "100"), "more than 100 years"),
    ):
        with pytest.raises(CommandError, match=said):
            run(*FLOATER, *words)


INTEREST = ("quote", "interest", "--rate", "7", "--from", "2020-08-20")


def run(*words: str) -> dict[str, object]:
    result = CliRunner().invoke(application, [*words, "--json"], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    found: dict[str, object] = json.loads(result.output)
    return found


def test_bid_for_a_bill() -> None:
    """State Bank of Pakistan, 9 September 2020: 25,000 million at 98.3815."""
    found = run(*BILL, "--price", "98.3815", "--face", "25000000000")
    assert found["yield_percent"] == "7.1485"
    assert found["cost"] == "24595375000.00"


def test_price_of_a_bill_is_rounded_as_it_is_bid() -> None:
    assert run(*BILL, "--yield", "7.1485")["price"] == "98.3815"
    assert run(*BILL, "--yield", "7.1485", "--decimals", "2")["price"] == "98.38"
    days = ("--settlement", "2020-09-10", "--maturity", "2020-12-03")
    dated = run("quote", "bill", *days, "--yield", "7.1485")
    assert (dated["days"], dated["price"]) == (84, "98.3815")
    assert run(*BILL, "--discount", "6.9364")["yield_percent"] == "7.1485"


def test_switch_is_worth_what_it_is_worth() -> None:
    found = run(
        "quote", "switch", "--face", "1000000", "--price", "98.5", "--accrued", "1.25",
        "--for-price", "102", "--for-accrued", "-0.5",
    )  # fmt: skip
    assert found == {
        "face": "1000000.00",
        "worth": "997500.00",
        "given": "980000.00",
        "given_worth": "994700.00",
        "cash": "2800.00",
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--face", "0"), "--face is 0"),
        (("--face", "1.001"), "at most 2 decimals"),
        (("--price", "98.12345"), "at most 4 decimals"),
        (("--for-price", "-1"), "expected above 0"),
        (("--multiple", "0.001"), "at most 2 decimals"),
        (("--accrued", "1001"), "from -1000 to 1000"),
        (("--for-accrued", "-102"), "worth nothing"),
    ],
)
def test_switch_of_nonsense_is_refused(words: tuple[str, ...], said: str) -> None:
    good = {"--face": "1000000", "--price": "98.5", "--for-price": "102"}
    options = [word for pair in (good | {words[0]: words[1]}).items() for word in pair]
    with pytest.raises(CommandError, match=said):
        run("quote", "switch", *options)


def test_bid_for_a_bond() -> None:
    """State Bank of Pakistan, 3 March 2021: 250 million at 95.0711."""
    found = run(*BOND, "--price", "95.0711", "--face", "250000000")
    assert (found["yield_percent"], found["accrued"]) == ("9.2790", "0.2320")
    assert (found["cost"], found["accrued_interest"]) == ("237677750.00", "580110.50")
    assert found["payable"] == "238257860.50"
    assert run(*BOND, "--yield", "9.2790")["price"] == "95.0711"


def test_at_a_yield_of_nothing_a_bond_is_worth_all_that_is_still_to_be_paid() -> None:
    """Five coupons of 3.5 and the face, less what of the first has accrued."""
    found = run(*BOND, "--yield", "0")
    assert (found["price"], found["accrued"]) == ("117.2680", "0.2320")
    assert (found["full_price"], found["yield_percent"]) == ("117.5000", "0.0000")
    assert run(*BOND, "--yield", "-3")["price"] == "125.8072"


def test_what_was_given_is_printed_as_it_was() -> None:
    """A day before the end four decimals of a price say little about a yield."""
    last = (*BOND[:-1], "2023-08-19")
    for given, printed in (("0", "0.0000"), ("7", "7.0000"), ("9.27901", "9.27901")):
        assert run(*last, "--yield", given)["yield_percent"] == printed
    assert run(*last, "--price", "100.0193")["yield_percent"] == "0.0129"
    assert run(*BOND, "--price", "95.07")["price"] == "95.0700"
    assert run(*BOND, "--price", "95.071123")["price"] == "95.071123"
    assert run(*BILL, "--yield", "7.1")["yield_percent"] == "7.1000"
    assert run(*BILL, "--discount", "6.93641")["discount_percent"] == "6.93641"


def test_coupon_equivalent_yield_is_that_of_the_law() -> None:
    """The example of 31 CFR 356 appendix B VI.D, above a half-year; below it simple interest."""
    days = ("--settlement", "1990-06-07", "--maturity", "1991-06-06")
    assert run("quote", "bill", *days, "--price", "92.265000", "--year", "360")[
        "coupon_equivalent_percent"
    ] == ("8.2373")
    short = ("--settlement", "1990-06-07", "--maturity", "1990-09-06")
    assert run("quote", "bill", *short, "--price", "98")["coupon_equivalent_percent"] == "8.1857"
    assert "coupon_equivalent_percent" not in run(*BILL, "--price", "98")


def test_interest_by_every_day_count() -> None:
    words = (*INTEREST, "--to", "2021-03-04", "--face", "250000000")

    def counts(*more: str) -> dict[str, dict[str, str]]:
        listed: Any = run(*words, *more)["day_counts"]
        return {each["day_count"]: each for each in listed}

    found = counts("--period-from", "2021-02-20", "--period-to", "2021-08-20")
    assert list(found) == [each.value for each in DayCount]
    assert found["ACT/365F"]["share"] == "196/365"
    assert found["ACT/365F"]["interest"] == "9397260.27"
    assert found["30/360"]["share"] == "97/180"
    # Half a year, and the twelve days of 181 that the auction sheet of test_bid_for_a_bond has.
    assert found["ACT/ACT ICMA"]["interest"] == "9330110.50"
    assert len(counts()) == len(DayCount) - 1
    assert counts("--day-count", "ACT/360")["ACT/360"]["share"] == "49/90"


@pytest.mark.parametrize(
    "words",
    [
        (*BILL, "--price", "98.5"),
        (*BOND, "--price", "98.5"),
        (*FLOATER, "--settlement", "2027-03-11", "--price", "98.5"),
    ],
)
def test_a_quote_is_a_row_of_a_spreadsheet_too(words: tuple[str, ...]) -> None:
    told = run(*words)
    result = CliRunner().invoke(application, [*words, "--csv"])
    assert result.exit_code == Exit.OK
    head, row = result.output.splitlines()
    assert dict(zip(head.split(","), row.split(","), strict=True)) == {
        name: str(value) for name, value in told.items()
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (BILL, "found none, expected --price or --yield or --discount"),
        ((*BILL, "--price", "98", "--yield", "7"), "found --price and --yield"),
        (("quote", "bill", "--price", "98"), "expected --days, or --settlement"),
        ((*BILL, "--price", "0"), "--price is 0 per hundred of face"),
        ((*BOND, "--price", "98", "--first-payment", "2021-03-01"), "no date of the schedule"),
        (
            (*BOND, "--yield", "-200"),
            "a yield of -200 %: expected above -200 % and at most 10000 %",
        ),
        ((*BOND, "--yield", "10000"), "it comes to a price of -0.1412 per hundred of face"),
        ((*BILL, "--yield", "999999999999"), "it comes to a price of 0.0000 per hundred"),
        (
            (*BOND[:-1], "2023-08-20", "--yield", "7"),
            "expected from 2020-08-20 to before 2023-08-20, the day on which the bond is repaid",
        ),
        ((*BOND[:-1], "2023-08-21", "--price", "99"), "settlement on 2023-08-21"),
        ((*BOND[:-1], "2020-08-19", "--price", "99"), "settlement on 2020-08-19"),
        ((*BOND, "--yield", "-250"), "expected above -200 %"),
        ((*BOND, "--price", "0"), "--price is 0 per hundred of face; expected above 0"),
        ((*BOND, "--price", "98", "--face", "-5"), "--face is -5; expected above 0"),
        ((*BILL, "--price", "98", "--face", "0"), "--face is 0; expected above 0"),
        (
            (*BILL, "--discount", "500"),
            "a discount rate of 500 % over 84 days takes the whole face",
        ),
        (
            ("quote", "bond", "--coupon", "101", *BOND[4:], "--price", "98"),
            "--coupon is 101 %; expected from 0 to 100",
        ),
        ((*INTEREST, "--to", "2020-08-20"), "no day counts"),
        ((*INTEREST, "--to", "2121-08-20"), "at most 100 years"),
        ((*INTEREST, "--to", "2021-03-04", "--period-to", "2021-02-20"), "has two ends"),
        (
            (*INTEREST, "--to", "2021-03-04", "--day-count", "ACT/ACT ICMA"),
            "needs a regular period",
        ),
        ((*INTEREST, "--to", "2021-03-04", "--json", "--csv"), "one of them at most"),
    ],
)
def test_nonsense_is_refused(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(CommandError, match=said) as caught:
        run(*words)
    assert caught.value.code is Exit.USAGE


@pytest.mark.parametrize("figure", ["1e3", "NaN", "98,5", "", "9" * 13, "0x10"])
def test_no_figure_is_guessed(figure: str) -> None:
    """A figure is taken as it is written, or not at all."""
    result = CliRunner().invoke(application, [*BILL, "--price", figure])
    assert result.exit_code == Exit.USAGE
    assert "is no figure" in result.output
