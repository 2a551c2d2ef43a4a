"""The restated figures of the auction: that they are the sheet's, and how the sheet rounds."""

from fractions import Fraction

import pytest

from node.cli.demo.auction import (
    BIDS,
    FACE_TOTAL_RUPEES,
    ISIN,
    PAISA,
    TENOR_DAYS,
    THOUSAND,
    Bid,
    as_printed,
    discount_paisa,
    in_millions,
    realised_paisa,
)

# Printed yields and running face-weighted yields, per cent with four decimals.
YIELDS = ["7.1197", "7.1296", "7.1341", "7.1386", "7.1431", "7.1476", "7.1485", "7.1485", "7.1844"]
AVERAGES = [
    "7.1197",
    "7.1280",
    "7.1308",
    "7.1345",
    "7.1361",
    "7.1380",
    "7.1473",
    "7.1473",
    "7.1476",
]


def yield_percent(bid: Bid) -> Fraction:
    """Simple yield over the actual days of a year of 365."""
    price = Fraction(bid.price_e4, 10_000)
    return (100 / price - 1) * 365 / TENOR_DAYS * 100


@pytest.mark.parametrize("bid", BIDS, ids=lambda bid: f"bid-{bid.number}")
def test_bid_settles_for_what_the_sheet_prints(bid: Bid) -> None:
    assert as_printed(realised_paisa(bid)) == bid.printed_realised
    assert as_printed(discount_paisa(bid)) == bid.printed_discount


def test_running_totals_of_exact_amounts_are_what_the_sheet_prints() -> None:
    face = realised = discount = 0
    for bid in BIDS:
        face += bid.face_rupees
        realised += realised_paisa(bid)
        discount += discount_paisa(bid)

        assert face == bid.printed_cumulative_face * THOUSAND
        assert as_printed(realised) == bid.printed_cumulative_realised
        assert as_printed(discount) == bid.printed_cumulative_discount

    assert face == FACE_TOTAL_RUPEES == 28_650_000_000


def test_running_totals_of_printed_amounts_would_be_wrong() -> None:
    """Why the module insists on unrounded sums: rounding each line first misses the sheet."""
    of_printed = sum(bid.printed_realised for bid in BIDS)

    assert of_printed != BIDS[-1].printed_cumulative_realised


def test_prices_are_those_of_the_printed_yields() -> None:
    """An independent column of the sheet, so a mistyped price cannot pass."""
    found = [f"{float(round(yield_percent(bid), 4)):.4f}" for bid in BIDS]

    assert found == YIELDS


def test_weighted_average_yield_is_weighted_by_face() -> None:
    weighted, face = Fraction(0), 0
    for bid, printed in zip(BIDS, AVERAGES, strict=True):
        weighted += bid.face_rupees * yield_percent(bid)
        face += bid.face_rupees

        assert f"{float(round(weighted / face, 4)):.4f}" == printed


def test_amount_with_a_fraction_of_a_paisa_does_not_settle() -> None:
    bid = Bid(
        number=1,
        face_rupees=5_000,
        price_e4=983_879,
        printed_realised=0,
        printed_discount=0,
        printed_cumulative_face=0,
        printed_cumulative_realised=0,
        printed_cumulative_discount=0,
    )

    with pytest.raises(ValueError, match="fraction of a paisa"):
        realised_paisa(bid)


def test_security_code_has_a_valid_check_digit() -> None:
    digits = "".join(str(int(character, 36)) for character in ISIN)
    doubled = [
        int(d) * (2 if place % 2 else 1) for place, d in enumerate(reversed(digits), start=0)
    ]

    assert sum(n // 10 + n % 10 for n in doubled) % 10 == 0


def test_figures_read_as_in_the_sheet() -> None:
    assert BIDS[0].price == "98.3879"
    assert in_millions(BIDS[6].printed_realised) == "24595.375"
    assert in_millions(as_printed(4 * THOUSAND * PAISA)) == "0.004"
