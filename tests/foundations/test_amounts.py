"""Amounts between text and minor units: exact, or refused."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.amounts import AmountError, parse_amount, render_amount


@pytest.mark.parametrize(
    ("text", "decimals", "minor"),
    [
        ("0", 2, 0),
        ("1", 0, 1),
        ("100.5", 2, 10050),
        ("100.50", 2, 10050),
        ("0.01", 2, 1),
        ("1.000", 2, 100),
        ("0.00000001", 8, 1),
        ("18446744073709551615", 0, (1 << 64) - 1),
        ("184467440737.09551615", 8, (1 << 64) - 1),
        (7, 2, 700),
        (Decimal("12.30"), 2, 1230),
        (Decimal("1E+3"), 2, 100_000),
    ],
)
def test_amount_reads_as_minor_units(text: str | int | Decimal, decimals: int, minor: int) -> None:
    assert parse_amount(text, decimals=decimals) == minor


@pytest.mark.adversarial(60)
@pytest.mark.parametrize(
    "text",
    [
        "",
        "-1",
        "+1",
        "1.",
        ".5",
        "01",
        "00",
        "1e3",
        "1,000",
        "1 000",
        " 1",
        "1\n",
        "NaN",
        "inf",
        "0x10",
        "١",
        "1.123456789",
        "1" * 21,
        "18446744073709551616",
        Decimal("NaN"),
        Decimal("-1"),
        Decimal("Infinity"),
        True,
        -1,
    ],
)
def test_what_is_not_exactly_an_amount_is_refused(text: str | int | Decimal) -> None:
    with pytest.raises(AmountError):
        parse_amount(text, decimals=0)


def test_more_decimals_than_the_asset_has_are_not_rounded() -> None:
    with pytest.raises(AmountError, match="nothing is rounded"):
        parse_amount("1.005", decimals=2)


def test_float_is_refused() -> None:
    with pytest.raises(AmountError, match="not exact"):
        parse_amount(0.1, decimals=2)  # type: ignore[arg-type]


@given(st.integers(0, (1 << 64) - 1), st.integers(0, 8))
def test_text_of_an_amount_reads_back_as_the_same(minor: int, decimals: int) -> None:
    assert parse_amount(render_amount(minor, decimals=decimals), decimals=decimals) == minor
