"""`khazana quote`: what it prints for published bids, and for nonsense."""

import json

import pytest
from click.testing import CliRunner

from node.cli.application import application
from node.cli.exits import CommandError, Exit

BILL = ("quote", "bill", "--days", "84")
BOND = (
    "quote", "bond", "--coupon", "7", "--dated", "2020-08-20", "--maturity", "2023-08-20",
    "--settlement", "2021-03-04",
)  # fmt: skip


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


def test_bid_for_a_bond() -> None:
    """State Bank of Pakistan, 3 March 2021: 250 million at 95.0711."""
    found = run(*BOND, "--price", "95.0711", "--face", "250000000")
    assert (found["yield_percent"], found["accrued"]) == ("9.2790", "0.2320")
    assert (found["cost"], found["accrued_interest"]) == ("237677750.00", "580110.50")
    assert found["payable"] == "238257860.50"
    assert run(*BOND, "--yield", "9.2790")["price"] == "95.0711"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (BILL, "found none, expected --price or --yield or --discount"),
        ((*BILL, "--price", "98", "--yield", "7"), "found --price and --yield"),
        (("quote", "bill", "--price", "98"), "expected --days, or --settlement"),
        ((*BILL, "--price", "0"), "must be above 0"),
        ((*BOND, "--price", "98", "--first-payment", "2021-03-01"), "no date of the schedule"),
        ((*BOND, "--yield", "-200"), "a yield of -2"),
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
