"""Two real books, bid by bid through the ledger: sealed, opened, decided, paid and delivered.

The sheets of the State Bank of Pakistan stand in `../shared/data/sbp_auctions`, whose README names
the pages; `test_published.py` makes every line of them the cut-off. Here each is one auction, on
days of the ledger with as many days between them as the real ones had.
"""

import csv
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Final

import pytest

from node.codec import replace
from node.ledger.auctions.records import RowState
from node.ledger.auctions.terms import AuctionTerms
from node.ledger.dates import from_date
from node.ledger.pricing import half_up
from node.ledger.tables import REFERENCES, name_key
from node.ledger.terms import BillTerms
from node.recomputing import figures_of
from tests.ledger.auctions.books import MILLION
from tests.ledger.auctions.test_reopening import (
    Bid,
    bid_and_open,
    decide,
    evidence,
    make_reopened,
    pieces,
    record_of,
    rule,
    settle,
)
from tests.ledger.debt import define_bond
from tests.ledger.world import CB, FM, World, define_bill, issue_cash, with_check_digit

DATA: Final = Path(__file__).resolve().parents[4] / "shared" / "data" / "sbp_auctions"
pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the sheets of ../shared/data/sbp_auctions are absent"
)
BILL: Final = "MTB-3M-574R"
BOND: Final = "PIB-3Y-51R"
SETTLED: Final = from_date(date(2026, 3, 4))
"""A bond issued on 20 August 2025 has then run for 12 of 181 days, as that of 2020 had in 2021."""


def sheet(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(newline="") as file:
        return list(csv.DictReader(file))


def book_of(lines: list[dict[str, str]], price: str) -> list[Bid]:
    """Return the bids, of two banks by turns."""
    return [
        (
            ("bank-a", "bank-b")[number % 2],
            half_up(Fraction(line[price]), 4),
            int(Fraction(line["face_pkr_mn"]) * MILLION),
        )
        for number, line in enumerate(lines)
    ]


def held(world: World, terms: AuctionTerms, book: list[Bid], cut_off_e4: int) -> list[int]:
    """Hold the auction; return what each allotment cost, in thousands of rupees as printed."""
    world.do(*(issue_cash(10**13, to=bank) for bank in ("bank-a", "bank-b")), by=(CB,))
    bid_and_open(world, terms, book)
    world.do(decide(cut_off_e4), by=(FM,))
    events = settle(world, terms)
    world.check()
    return [half_up(Fraction(event.consideration, 100_000), 0) for event in events]


def thousands(value: str) -> int:
    return half_up(Fraction(value), 3)


def test_bills_of_september_2020() -> None:
    """The ministry accepts down to 98.3815: eight of nine bids, all in full."""
    lines = sheet("mtb_3m_2020-09-09_bids.csv")
    accepted = lines[:8]
    bill = define_bill(BILL, isin=with_check_digit("PK000000574"))
    terms = BillTerms(issue_day=SETTLED, maturity_day=SETTLED + 84, face_currency="PKR")
    world = make_reopened(SETTLED, replace(bill, terms=terms, ceiling=10**13))
    rules = rule(
        SETTLED,
        BILL,
        target=28_650 * MILLION,
        multiple=500_000,
        prorata_step=500_000,
        noncompetitive_least=500_000,
        noncompetitive_most=500_000,
        reference="mtb-3m",
    )

    paid = held(world, rules, book_of(lines, "price_per_100"), 983_815)

    assert paid == [thousands(line["realised_pkr_mn"]) for line in accepted]
    record = record_of(world)
    assert half_up(Fraction(record.paid, 100_000), 0) == thousands(accepted[-1]["cum_realised"])
    assert record.settled == Fraction(accepted[-1]["cum_face"]) * MILLION
    assert record.result.average_yield_e4 == half_up(
        Fraction(accepted[-1]["cum_weighted_avg_yield_pct"]), 4
    )
    # What floating bonds refer to from now on.
    reference = world.get(REFERENCES, name_key("mtb-3m"))
    assert reference is not None
    assert reference.average_yield_e4 == record.result.average_yield_e4
    # The whole ladder stands there, the bid below the cut-off too, and anybody comes to the same.
    rows = [row for piece in pieces(world) for row in piece.rows]
    assert [row.state for row in rows] == [RowState.SETTLED] * 8 + [RowState.OPEN]
    assert all(each.agrees for each in figures_of(evidence(world, BILL), record.result))


def test_bonds_of_march_2021() -> None:
    """The 3-year bond of 7 per cent, reopened: each winner pays its price and what has accrued."""
    lines = sheet("pib_3y_2021-03-03_bids.csv")
    bond = define_bond(
        BOND,
        issue_day=from_date(date(2025, 8, 20)),
        maturity_day=from_date(date(2028, 8, 20)),
        ceiling=10**13,
    )
    world = make_reopened(SETTLED, bond)
    rules = rule(SETTLED, BOND, target=4_351 * MILLION)

    paid = held(world, rules, book_of(lines, "clean_price_per_100"), 950_062)

    assert paid == [thousands(line["realised_total_pkr_mn"]) for line in lines]
    record = record_of(world)
    assert half_up(Fraction(record.paid, 100_000), 0) == thousands(lines[-1]["cum_realised_total"])
    assert record.settled == Fraction(lines[-1]["cum_face"]) * MILLION
    share = Fraction(35 * 12, 1_000 * 181)
    accrual = pieces(world)[0].accrual
    assert accrual is not None
    assert Fraction(accrual.numerator, accrual.denominator) == share
    assert all(each.agrees for each in figures_of(evidence(world, BOND), record.result))
