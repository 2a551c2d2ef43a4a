"""Real auctions run through the allotment come to what was published, to the last printed digit.

The figures restated here are facts of the State Bank of Pakistan's sheets; the sheets themselves
stand outside the repository, in `../shared/data/sbp_auctions`, whose README names the pages.
"""

import csv
from collections.abc import Callable, Sequence
from datetime import date
from fractions import Fraction
from functools import cache, partial
from pathlib import Path
from typing import Final

import pytest

from node.ledger.auctions import allot, average_price_e4, average_yield_e4, consideration
from node.ledger.auctions.records import LadderRow
from node.ledger.pricing import Bond, bill_yield, bond_yield, half_up, percent
from tests.ledger.auctions.books import MILLION, priced, terms, unpriced

DATA: Final = Path(__file__).resolve().parents[4] / "shared" / "data" / "sbp_auctions"
SHEETS: Final = pytest.mark.skipif(
    not DATA.is_dir(), reason="the sheets of ../shared/data/sbp_auctions are absent"
)

BILL_DAYS: Final = 84
PIB_3Y: Final = Bond(
    dated=date(2020, 8, 20), maturity=date(2023, 8, 20), coupon=Fraction(7, 100), frequency=2
)
PIB_SETTLEMENT: Final = date(2021, 3, 4)

BIDS_2020: Final = (
    # face in Rs million, price per hundred in units of 0.0001
    (100, 983_879),
    (500, 983_857),
    (500, 983_847),
    (1_000, 983_837),
    (500, 983_827),
    (500, 983_817),
    (25_000, 983_815),
    (300, 983_815),
    (250, 983_735),
)
"""574th auction of 3-month bills, 9 September 2020: the first nine bids."""


def of_bill(price: Fraction) -> Fraction:
    return bill_yield(price, BILL_DAYS)


@cache
def of_pib(price: Fraction) -> Fraction:
    """The yield of the 3-year bond, finer than the sheet prints it."""
    return percent(bond_yield(PIB_3Y, PIB_SETTLEMENT, price, decimals=6), 6)


def paid_at(book: Sequence[LadderRow], cut_off_e4: int, left_out: int) -> list[tuple[int, int]]:
    """Return face and price of what is allotted when all but the last bids are accepted."""
    accepted = book[: len(book) - left_out]
    target = sum(row.face for row in accepted)
    found = allot(
        terms(target=target, noncompetitive_share_bps=0, prorata_step=MILLION),
        accepted,
        [],
        cut_off_e4,
    )
    assert found.competitive_face == target
    return [(row.allotted, row.price_e4 or 0) for row in found.competitive]


def in_thousands(paise: int) -> int:
    """Return thousands of rupees, as the sheets print millions with three decimals."""
    return half_up(Fraction(paise, 100 * 1_000), 0)


def test_bills_of_september_2020_pay_and_yield_what_was_printed() -> None:
    book = priced(*((price, millions * MILLION) for millions, price in BIDS_2020))

    accepted = paid_at(book, 983_815, left_out=1)

    assert sum(face for face, _ in accepted) == 28_400 * MILLION
    assert in_thousands(sum(consideration(*each) for each in accepted)) == 27_940_418
    assert average_yield_e4(accepted, of_bill) == 71_473


def test_bills_of_march_2013_give_bids_without_a_price_the_rounded_average() -> None:
    """Accepted 115,197 for 112,763.222; 11,050.39 without a price paid 10,817.227: at 97.89."""
    exact = Fraction(112_763_222 * 100, 115_197_000)
    average_e4 = average_price_e4([(115_197 * MILLION, half_up(exact, 4))], quantum_e4=100)

    assert average_e4 == 978_900
    assert in_thousands(consideration(11_050_390_000 * 100, average_e4)) == 10_817_227


def test_margin_of_september_2020_is_shared_as_the_circular_says() -> None:
    """A target of Rs 28 billion, had it ended at 98.3815: bids up to 50 in full, others by 50s."""
    step = 50 * MILLION
    book = priced(*((price, millions * MILLION) for millions, price in BIDS_2020[:8]))
    rule = terms(
        target=28_000 * MILLION,
        noncompetitive_share_bps=0,
        prorata_step=step,
        filled_whole=step,
    )

    found = allot(rule, book, [], 983_815)

    # 24,900 for 25,300: exactly 24,604.7 and 295.3; down to 24,600 and 250, and 50 to the second.
    assert [row.allotted // MILLION for row in found.competitive[6:]] == [24_600, 300]


@SHEETS
@pytest.mark.parametrize(
    ("sheet", "price_column", "paid_column", "yield_of"),
    [
        ("mtb_3m_2020-09-09_bids.csv", "price_per_100", "cum_realised", of_bill),
        ("pib_3y_2021-03-03_bids.csv", "clean_price_per_100", "cum_realised_clean", of_pib),
    ],
)
def test_every_line_of_a_sheet_as_the_cut_off(
    sheet: str, price_column: str, paid_column: str, yield_of: Callable[[Fraction], Fraction]
) -> None:
    with (DATA / sheet).open(newline="") as file:
        lines = list(csv.DictReader(file))
    prices = [half_up(Fraction(line[price_column]), 4) for line in lines]
    faces = [int(Fraction(line["face_pkr_mn"]) * MILLION) for line in lines]
    book = priced(*zip(prices, faces, strict=True))

    for index, line in enumerate(lines):
        accepted = paid_at(book, prices[index], left_out=len(lines) - 1 - index)

        assert sum(face for face, _ in accepted) == Fraction(line["cum_face"]) * MILLION
        assert Fraction(average_yield_e4(accepted, yield_of), 10_000) == Fraction(
            line["cum_weighted_avg_yield_pct"]
        )
        paid = sum(consideration(*each) for each in accepted)
        assert Fraction(in_thousands(paid), 1_000) == Fraction(line[paid_column])


@SHEETS
def test_summary_of_march_2013_is_what_the_restated_figures_say() -> None:
    with (DATA / "auction_summaries.csv").open(newline="") as file:
        lines = {int(line["case"]): line for line in csv.DictReader(file)}

    assert lines[2]["face_pkr_mn"] == "115197.000"
    assert lines[2]["realised_pkr_mn"] == "112763.222"
    assert lines[4]["face_pkr_mn"] == "11050.390"
    assert lines[4]["realised_pkr_mn"] == "10817.227"


@SHEETS
def test_cut_off_yields_are_those_of_a_price_on_the_grid() -> None:
    with (DATA / "mtb_cutoff_yields.csv").open(newline="") as file:
        for line in csv.DictReader(file):
            days, price = int(line["days"]), half_up(Fraction(line["price_per_100_derived"]), 4)
            book = priced((price, 100 * MILLION), (price, 300 * MILLION))

            found = allot(terms(target=200 * MILLION), book, unpriced(MILLION), price)

            assert found.average_price_e4 == found.noncompetitive_price_e4 == price
            shared = [(row.allotted, price) for row in found.competitive]
            mean = average_yield_e4(shared, partial(bill_yield, days=days))
            assert Fraction(mean, 10_000) == Fraction(line["cutoff_yield_pct_published"])
