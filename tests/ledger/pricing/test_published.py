"""Every row of the published auctions, to its last printed digit, where the tables are at hand.

They stand outside the repository, in `../shared/data`, each folder with a README. Without them the
figures that `test_pricing.py` restates remain.
"""

import csv
import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import pytest

from node.ledger.instruments import floating_rate
from node.ledger.pricing import (
    Bond,
    DayCount,
    FirstPeriod,
    Floater,
    accrued_interest,
    add_months,
    bill_discount_rate,
    bill_price_from_discount,
    bill_yield,
    bond_price,
    bond_yield,
    floater_price,
    half_up,
    investment_rate,
    position,
    text,
    year_fraction,
)
from node.ledger.pricing.daycounts import days_30_360
from node.ledger.terms import PPM, FloatingRate

DATA: Final = Path(__file__).resolve().parents[4] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the tables of ../shared/data are absent")

NAMES: Final = {"30/360 Bond Basis": "30/360", "30E/360 Eurobond": "30E/360"}
BY_SCHEDULE: Final = "ACT/ACT ICMA-schedule"


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(newline="") as file:
        return list(csv.DictReader(file))


def examples(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((DATA / name).read_text())
    return found


def day(value: str) -> date:
    return date.fromisoformat(value)


def printed(value: str, decimals: int) -> int:
    return half_up(Fraction(value), decimals)


def test_every_bill_of_the_united_states() -> None:
    bills = [row for row in rows("us_treasury_auctions/auctions_2008_2022.csv") if is_(row, "Bill")]
    for row in bills:
        issue = day(row["issueDate"])
        days = (day(row["maturityDate"]) - issue).days
        rate = Fraction(row["highDiscountRate"]) / 100
        assert half_up(bill_price_from_discount(rate, days), 6) == printed(row["pricePer100"], 6)
        year = (add_months(issue, 12, to_end=False) - issue).days
        found = investment_rate(Fraction(row["pricePer100"]), days, year=year, decimals=3)
        assert found == printed(row["highInvestmentRate"], 3), row["case"]
    assert len(bills) == 408


def is_(row: Mapping[str, str], *kinds: str) -> bool:
    return row["type"] in kinds


def test_every_note_and_bond_of_the_united_states() -> None:
    """The inflation-linked by their real yield, before the index."""
    table = rows("us_treasury_auctions/auctions_2008_2022.csv")
    notes = [row for row in table if is_(row, "Note", "Bond", "TIPS")]
    for row in notes:
        bond = Bond(
            dated=day(row["datedDate"]),
            maturity=day(row["maturityDate"]),
            coupon=Fraction(row["interestRate"]) / 100,
            end_of_month=True,
            first_payment=day(row["firstInterestPaymentDate"]),
            first_period=FirstPeriod.SIMPLE,
            accrued_decimals=6,
        )
        settlement, rate = day(row["issueDate"]), Fraction(row["highYield"]) / 100
        wanted = row["unadjustedPrice"] or row["pricePer100"]
        price = bond_price(bond, settlement, rate, decimals=6)
        assert price == printed(wanted, 6), row["case"]
        ratio = Fraction(row["indexRatioOnIssueDate"] or 1)
        if row["adjustedPrice"]:
            adjusted = half_up(Fraction(price, 10**6) * ratio, 6)
            assert adjusted == printed(row["adjustedPrice"], 6), row["case"]
        if row["standardInterestPaymentPer1000"]:
            half = half_up(bond.coupon * 500, 6)
            assert half == printed(row["standardInterestPaymentPer1000"], 6), row["case"]
        per_1000 = half_up(10 * position(bond, settlement).accrued, 5)
        unadjusted = row["unadjustedAccruedInterestPer1000"] or row["accruedInterestPer1000"]
        if unadjusted:
            assert per_1000 == printed(unadjusted, 5), row["case"]
        if row["adjustedAccruedInterestPer1000"]:
            adjusted = half_up(Fraction(per_1000, 10**5) * ratio, 5)
            assert adjusted == printed(row["adjustedAccruedInterestPer1000"], 5), row["case"]
    assert len(notes) == 406


@pytest.mark.parametrize("row", range(59))
def test_every_day_count(row: int) -> None:
    case = examples("daycount_vectors/daycount.json")[row]
    start, end = day(case["start"]), day(case["end"])
    name = NAMES.get(case["convention"], case["convention"])
    if "days" in case:
        last = day(case["termination"]) if case.get("termination") else None
        assert days_30_360(DayCount(name), start, end, termination=last) == case["days"]
    elif name.startswith(BY_SCHEDULE):
        # From 30 November to 29 February 91 days, from there to 29 May 90.
        assert case["year_fraction"] == "91/364+61/360"
        found = year_fraction(
            DayCount.ACT_ACT_ICMA,
            start,
            end,
            reference=(date(1999, 11, 30), date(2000, 2, 29)),
            frequency=4,
        )
        assert found == Fraction(91, 364) + Fraction(61, 360)
    else:
        reference, frequency = None, None
        if case["ref_start"]:
            reference = (day(case["ref_start"]), day(case["ref_end"]))
            frequency = 12 // round((reference[1] - reference[0]).days * 12 / 365)
        found = year_fraction(DayCount(name), start, end, reference=reference, frequency=frequency)
        digits = len(case["year_fraction"].partition(".")[2])
        assert abs(found - Fraction(case["year_fraction"])) < Fraction(1, 10 ** min(digits, 10))


def test_bids_of_the_state_bank_of_pakistan() -> None:
    for row in rows("sbp_auctions/mtb_3m_2020-09-09_bids.csv"):
        price = Fraction(row["price_per_100"])
        assert half_up(100 * bill_yield(price, 84), 4) == printed(row["yield_pct"], 4)
    bond = Bond(date(2020, 8, 20), date(2023, 8, 20), Fraction(7, 100))
    settlement = date(2021, 3, 4)
    for row in rows("sbp_auctions/pib_3y_2021-03-03_bids.csv"):
        price = Fraction(row["clean_price_per_100"])
        assert bond_yield(bond, settlement, price, decimals=4) == printed(row["yield_pct"], 4)
        face = Fraction(row["face_pkr_mn"])
        accrued = Fraction(accrued_interest(bond, settlement, decimals=12), 10**12)
        assert half_up(face * accrued / 100, 3) == printed(row["accrued_pkr_mn"], 3)


def test_cut_off_yields_of_the_state_bank_of_pakistan() -> None:
    for row in rows("sbp_auctions/mtb_cutoff_yields.csv"):
        price = Fraction(row["price_per_100_derived"])
        found = half_up(100 * bill_yield(price, int(row["days"])), 4)
        assert found == printed(row["cutoff_yield_pct_published"], 4), row["case"]


def test_yields_of_the_reserve_bank_of_india() -> None:
    for row in rows("rbi_tbill_auctions/price_yield.csv"):
        found = half_up(100 * bill_yield(Fraction(row["price_per_100"]), int(row["days"])), 4)
        assert text(found, 4) == row["yield_pct"], row["case"]


def test_accrued_interest_of_earlier_bonds_of_pakistan_counts_days_of_365() -> None:
    """The totals of 2012 to 2015; their printed yields count the days of the period."""
    table = {row["case"]: row for row in rows("sbp_auctions/auction_summaries.csv")}
    days = {"12": 70, "14": 70, "16": 70, "18": 26, "20": 112, "22": 112}
    assert {case for case, row in table.items() if row["accrued_pkr_mn"]} == days.keys()
    dated = date(2012, 7, 19)
    for case, since in days.items():
        row = table[case]
        coupon = Fraction(row["coupon_pct"].split()[0]) / 100
        bond = Bond(dated, date(2017, 7, 19), coupon, accrual=DayCount.ACT_365F)
        accrued = position(bond, dated + timedelta(days=since)).accrued
        found = half_up(Fraction(row["face_pkr_mn"]) * accrued / 100, 3)
        assert found == printed(row["accrued_pkr_mn"], 3), case
        paid = printed(row["realised_pkr_mn"], 3) + printed(row["accrued_pkr_mn"], 3)
        # Of the sum of two rounded figures, the last digit of one total was printed otherwise.
        assert paid - printed(row["total_realised_pkr_mn"], 3) == (case == "12"), case
    row = table["12"]
    bond = Bond(dated, date(2017, 7, 19), Fraction(row["coupon_pct"]) / 100)
    average = Fraction(row["realised_pkr_mn"]) * 100 / Fraction(row["face_pkr_mn"])
    for price, wanted in (
        (Fraction(row["cutoff_price"]), row["cutoff_yield_pct"]),
        (average, row["weighted_avg_yield_pct"]),
    ):
        assert bond_yield(bond, date(2012, 9, 27), price, decimals=4) == printed(wanted, 4)


def test_totals_of_bills_of_pakistan_yield_what_was_printed() -> None:
    """Face and what was paid for it make the average; of 2013 and 2015 its yield was printed."""
    table = {row["case"]: row for row in rows("sbp_auctions/auction_summaries.csv")}
    for case, cut_off in (("2", "97.88"), ("6", "98.55")):
        row = table[case]
        average = Fraction(row["realised_pkr_mn"]) * 100 / Fraction(row["face_pkr_mn"])
        for price, wanted in (
            (average, row["weighted_avg_yield_pct"]),
            (Fraction(cut_off), row["cutoff_yield_pct"]),
        ):
            assert half_up(100 * bill_yield(price, 84), 4) == printed(wanted, 4), case
    # Of what was only received, two amounts were printed and nothing that follows from them.
    others = {case for case, row in table.items() if row["instrument"] == "MTB"} - {"2", "6"}
    assert others == {"0", "4", "8", "10"}  # 4: `auctions/test_published.py`


def test_rentals_of_pakistans_sukuk_are_reference_and_margin() -> None:
    """Six rows have one figure each, a rental or a price, from which nothing follows."""
    table = [row for row in rows("sbp_auctions/gis_results.csv") if row["reference_rate_pct"]]
    for row in table:
        terms = FloatingRate(
            reference="mtb-6m",
            margin_ppm=printed(row["margin_pct"], 4),
            floor_ppm=0,
            cap_ppm=PPM,
            fixing_days=1,
            stale_days=30,
        )
        found = floating_rate(terms, printed(row["reference_rate_pct"], 4))
        assert found == printed(row["rental_rate_pct"], 4), row["case"]
    assert len(table) == 3


def test_first_bonds_of_pakistan_have_a_price_that_yields_what_was_printed() -> None:
    """No price was printed: on the grid of bids there is one, and it gives the yield back."""
    table = rows("sbp_auctions/pib_profile_2000_2001.csv")
    for row in table:
        settlement = day(row["settlement_date"])
        maturity = settlement.replace(year=settlement.year + int(row["tenor"].rstrip("Y")))
        bond = Bond(settlement, maturity, Fraction(row["coupon_pct"]) / 100)
        wanted = printed(row["weighted_avg_yield_pct"], 4)
        units = bond_price(bond, settlement, Fraction(wanted, 1_000_000), decimals=4)
        price = Fraction(units, 10_000)
        assert bond_yield(bond, settlement, price, decimals=4) == wanted, row
        assert (price < 100) is (Fraction(wanted, 10_000) > Fraction(row["coupon_pct"])), row
    assert len(table) == 16


def test_results_of_the_reserve_bank_of_india_fit_its_yields() -> None:
    """Their books were not published: what follows from the rows is the yield of each price."""
    yields = {
        (row["auction_date"], row["days"], row["price_per_100"]): row["yield_pct"]
        for row in rows("rbi_tbill_auctions/price_yield.csv")
    }
    results = rows("rbi_tbill_auctions/auction_results.csv")
    found = 0
    for row in results:
        assert Fraction(row["weighted_avg_price"]) >= Fraction(row["cutoff_price"])
        for price in (row["cutoff_price"], row["weighted_avg_price"]):
            wanted = yields.get((row["auction_date"], row["days"], price))
            if wanted is not None:
                rate = half_up(100 * bill_yield(Fraction(price), int(row["days"])), 4)
                assert text(rate, 4) == wanted
                found += 1
    assert (len(results), found) == (5, 7)


CFR: Final = "treasury_formula_examples/cfr31_356_appendix_b.json"


def example(identifier: str) -> tuple[dict[str, Any], dict[str, Any]]:
    case = next(each for each in examples(CFR) if each["id"] == identifier)
    return case["terms"], case["expect"]


@pytest.mark.parametrize("identifier", ["II.A", "II.C", "II.E", "II.G", "III.B"])
def test_bonds_of_the_regulation(identifier: str) -> None:
    terms, expect = example(identifier)
    bond = Bond(
        dated=day(terms["issue"]),
        maturity=day(terms["maturity"]),
        coupon=Fraction(terms["coupon"]) / 100,
        first_payment=day(terms["first_interest"]) if "first_interest" in terms else None,
        first_period=FirstPeriod.SIMPLE,
        accrued_decimals=6,
    )
    settlement = day(terms.get("reopened", terms["issue"]))
    rate = Fraction(terms.get("yield") or terms["real_yield"]) / 100
    assert bond_price(bond, settlement, rate, decimals=6) == printed(expect["price"], 6)
    if "accrued" in expect:
        found = accrued_interest(bond, settlement, decimals=6)
        assert found == printed(expect["accrued"], 6)


def test_bills_of_the_regulation() -> None:
    terms, expect = example("VI.A")
    days = (day(terms["maturity"]) - day(terms["issue"])).days
    price = bill_price_from_discount(Fraction(terms["discount_rate_pct"]) / 100, days)
    assert half_up(price, 6) == printed(expect["price"], 6)
    terms, expect = example("VI.C")
    days = (day(terms["maturity"]) - day(terms["issue"])).days
    found = half_up(100 * bill_discount_rate(Fraction(terms["price"]), days), 3)
    assert found == printed(expect["discount_rate_pct"], 3)
    terms, expect = example("VI.D2")
    found = investment_rate(Fraction(terms["price"]), 364, year=expect["y"], decimals=3)
    assert found == printed(expect["rate_pct"], 3)


def test_coupons_of_the_regulation_by_the_daily_decimal() -> None:
    """Per thousand, or per hundred of a floater, nine decimals a day; then times the days."""
    for identifier, yearly, each in (("I.A.3", "8.375", 1_000), ("I.D.ex1", "6.75", 1_000)):
        _, expect = example(identifier)
        half = Fraction(yearly) / 200 * each
        days = expect.get("accrual_days") or expect["days"]
        daily = half_up(half / expect["half_year_days"], 9)
        assert daily == printed(expect["daily_decimal_per_1000"], 9)
        if "payment_per_1000" in expect:
            assert daily * days == printed(expect["payment_per_1000"], 9)
            paid = Fraction(daily * days * 20, 10**9)
            assert half_up(paid, 2) == printed(expect["payment_20000"], 2)
    bond = Bond(date(2000, 5, 15), date(2005, 5, 15), Fraction("0.0675"))
    _, expect = example("I.D.ex1")
    found = accrued_interest(bond, date(2000, 8, 15), decimals=6)
    assert found * 10 == printed(expect["accrued_per_1000"], 6)
    assert half_up(Fraction(found * 1_500, 10**6), 2) == printed(expect["accrued_150000"], 2)
    terms, expect = example("IV.D2")
    rate = Fraction(terms["index_rate_pct"]) + Fraction(terms["spread_pct"])
    assert half_up(rate / 360, 9) * terms["days"] == printed(expect["coupon_per_100"], 9)


def test_index_of_the_regulation() -> None:
    """Prices of what follows an index are those of `III.B`, times its ratio."""
    terms, expect = example("III.B")
    ratio = Fraction(terms["ref_cpi_date"]) / Fraction(terms["ref_cpi_issue"])
    cut = Fraction(int(ratio * 10**6), 10**6)
    assert half_up(cut, 5) == printed(expect["index_ratio"], 5)
    adjusted = 0
    for name in ("price", "accrued"):
        units = half_up(Fraction(expect[name]) * Fraction(expect["index_ratio"]), 6)
        assert units == printed(expect[f"{name}_adjusted"], 6)
        adjusted += units
    assert adjusted == printed(expect["settlement"], 6)
    _, expect = example("I.B.3")
    fallen = Fraction("154.40") + Fraction(14, 30) * (Fraction("154.90") - Fraction("154.40"))
    assert half_up(Fraction(int(fallen * 10**6), 10**6), 5) == printed(expect["ref_cpi"], 5)


def test_every_example_of_the_regulation_has_its_test() -> None:
    bonds = {"II.A", "II.C", "II.E", "II.G", "III.B"}
    others = {"I.A.3", "I.B.3", "I.D.ex1", "IV.A", "IV.C", "IV.D2", "VI.A", "VI.C", "VI.D2"}
    assert {each["id"] for each in examples(CFR)} == bonds | others


@pytest.mark.parametrize("identifier", ["IV.A", "IV.C"])
def test_floaters_of_the_regulation(identifier: str) -> None:
    terms, expect = example(identifier)
    settlement = day(terms.get("reopened", terms["issue"]))
    found = floater_price(
        Floater(
            reference=Fraction(terms["index_rate_pct"]) / 100,
            spread=Fraction(terms["spread_pct"]) / 100,
            payments=quarters(day(terms["maturity"]), after=settlement),
        ),
        settlement,
        Fraction(terms["margin_pct"]) / 100,
        accrued=Fraction(terms.get("accrued", 0)),
        decimals=6,
    )
    assert found == printed(expect["price"], 6)


def quarters(maturity: date, *, after: date) -> tuple[date, ...]:
    found = [maturity]
    while (before := add_months(maturity, -3 * len(found), to_end=True)) > after:
        found.append(before)
    return tuple(reversed(found))


def index(high_rate: str, days: int = 91) -> Fraction:
    """The high rate of an auction of 13-week bills as the yield of a money market, nine decimals.

    Source: 31 CFR 356 appendix D II. The bills of a Thursday that is a holiday have other days.
    """
    rate = Fraction(high_rate) / 100
    return Fraction(half_up(100 * rate / (1 - rate * days / 360), 9), 10**11)


def daily(reference: Fraction, spread: str) -> Fraction:
    """What a hundred earn in a day, nine decimals."""
    rate = max(Fraction(0), reference + Fraction(spread) / 100)
    return Fraction(half_up(100 * rate / 360, 9), 10**9)


Week = tuple[str, int, int]
"""The high rate in per cent, the days of the bills, the days a floater earned by it."""


def accrued_by_day(weeks: Sequence[Week], spread: str) -> Fraction:
    return sum((daily(index(rate, bill), spread) * days for rate, bill, days in weeks), Fraction(0))


def test_index_of_the_regulation_changes_with_every_auction() -> None:
    """31 CFR 356 appendix B IV.C and IV.D, example 2.

    On the dated day the index is still the one the note was auctioned by: the auction of the day
    before it fell into the lock-out of two business days. The bills of 23 August have 92 days.
    """
    weeks = [("0.095", 91, 1), ("0.110", 91, 6), ("0.100", 91, 7), ("0.110", 91, 7)]
    weeks += [("0.105", 92, 7), ("0.105", 91, 3)]
    terms, _ = example("IV.C")
    accrued = accrued_by_day(weeks, terms["spread_pct"])
    assert half_up(accrued, 9) == printed(terms["accrued"], 9)
    assert half_up(100 * index("0.105"), 9) == printed(terms["index_rate_pct"], 9)
    each = daily(index("0.105"), terms["spread_pct"])
    assert half_up(accrued + 61 * each, 9) == printed("0.057562689", 9)
    assert half_up(92 * each, 9) == printed("0.057507084", 9)


def test_floater_of_the_regulation_that_is_issued_after_it_is_dated() -> None:
    """31 CFR 356 appendix B IV.E."""
    settlement, rate = date(2012, 1, 3), Fraction("0.025001580") / 100
    note = Floater(rate, Fraction("0.01"), quarters(date(2013, 12, 31), after=settlement))
    accrued = 3 * daily(rate, "1.000")
    assert half_up(accrued, 9) == printed("0.008541681", 9)
    price = floater_price(note, settlement, Fraction("0.01"), accrued=accrued, decimals=6)
    assert price == printed("99.999979", 6)


def floaters(*, reopened: bool) -> list[dict[str, str]]:
    table = rows("us_treasury_auctions/auctions_2008_2022.csv")
    wanted = "Yes" if reopened else "No"
    return [row for row in table if is_(row, "FRN") and row["reopening"] == wanted]


def is_priced(row: Mapping[str, str], accrued: Fraction) -> bool:
    """Return whether a floater with what it has accrued has the price that was printed."""
    settlement = day(row["issueDate"])
    note = Floater(
        reference=index(row["frnIndexDeterminationRate"]),
        spread=Fraction(row["spread"]) / 100,
        payments=quarters(day(row["maturityDate"]), after=settlement),
    )
    margin = Fraction(row["highDiscountMargin"]) / 100
    price = floater_price(note, settlement, margin, accrued=accrued, decimals=6)
    return price == printed(row["pricePer100"], 6)


def test_new_floaters_of_the_united_states() -> None:
    new = floaters(reopened=False)
    for row in new:
        days = (day(row["issueDate"]) - day(row["datedDate"])).days
        weeks = [(row["frnIndexDeterminationRate"], 91, days)]
        assert is_priced(row, accrued_by_day(weeks, row["spread"])), row["case"]
    assert len(new) == 12


AUCTIONS: Final[Mapping[str, tuple[str, int, str]]] = {
    "2017-01-23": ("0.505", 91, "99.872347"),  # and the next: Treasury Bulletin, table PDO-1
    "2017-01-30": ("0.515", 91, "99.869819"),
    "2017-02-06": ("0.530", 91, "99.866028"),  # and two more: Associated Press, 21 February 2017
    "2017-02-13": ("0.540", 91, "99.863500"),
    "2017-02-21": ("0.535", 91, "99.864764"),
    "2017-02-27": ("0.515", 91, "99.869819"),  # the price alone
    "2017-03-06": ("0.745", 91, "99.811681"),  # and two more: Associated Press, 20 March 2017
    "2017-03-13": ("0.780", 91, "99.802833"),
    "2017-03-20": ("0.760", 91, "99.807889"),
    "2017-03-27": ("0.780", 91, "99.802833"),  # the table
    "2018-07-23": ("1.970", 91, "99.502028"),  # the table
    "2018-07-30": ("2.000", 91, "99.494444"),  # Reuters, 30 July 2018
    "2018-08-06": ("2.010", 91, "99.491917"),  # and the next: Associated Press, 13 August 2018
    "2018-08-13": ("2.030", 91, "99.486861"),
    "2018-08-20": ("2.035", 92, "99.479944"),  # the price alone
    "2018-08-27": ("2.080", 91, "99.474222"),  # the table
    "2018-10-22": ("2.300", 91, "99.418611"),  # the daily index of 31 October 2018, 2.313
    "2018-10-29": ("2.305", 91, "99.417347"),  # and the next: the price alone
    "2018-11-05": ("2.320", 91, "99.413556"),
    "2018-11-13": ("2.340", 91, "99.408500"),  # Reuters, 13 November 2018
    "2018-11-19": ("2.345", 90, "99.413750"),  # the price alone
    "2018-11-26": ("2.370", 91, "99.400917"),  # the table
}
"""Of auctions of 13-week bills the high rate in per cent, the days of the bills, the price per 100.

Beside each rate stands where it was found. The prices are those of TreasuryDirect's auction query,
as stored in js5810/TreasuryAuction on GitHub (commit ce343f0, `data/Securities (23).csv`, `(24)`
and `(28)`), which has no rates. Works of the United States government, public domain.
"""
REOPENED: Final[Mapping[str, Mapping[str, int]]] = {
    "622": {
        "2017-01-23": 1,
        "2017-01-30": 6,
        "2017-02-06": 7,
        "2017-02-13": 8,
        "2017-02-21": 6,
        "2017-02-27": 7,
        "2017-03-06": 7,
        "2017-03-13": 7,
        "2017-03-20": 7,
        "2017-03-27": 3,
    },
    "728": {
        "2018-07-23": 1,
        "2018-07-30": 6,
        "2018-08-06": 7,
        "2018-08-13": 7,
        "2018-08-20": 7,
        "2018-08-27": 3,
    },
    "736": {
        "2018-10-22": 1,
        "2018-10-29": 5,
        "2018-11-05": 8,
        "2018-11-13": 6,
        "2018-11-19": 7,
        "2018-11-26": 3,
    },
}
"""The days that three notes earned by each auction from their dated day to their reopening."""


def test_high_rates_that_reopened_floaters_earn_have_the_price_of_their_bills() -> None:
    """A step on the grid of bids moves the price by 0.00125 or more: no other rate has it."""
    for auction, (rate, days, price) in AUCTIONS.items():
        found = bill_price_from_discount(Fraction(rate) / 100, days)
        assert half_up(found, 6) == printed(price, 6), auction


@pytest.mark.parametrize("case", REOPENED)
def test_reopened_floaters_of_the_united_states(case: str) -> None:
    """Each carries interest of past auctions, of which the table has only the last."""
    (row,) = [row for row in floaters(reopened=True) if row["case"] == case]
    weeks = [(*AUCTIONS[auction][:2], days) for auction, days in REOPENED[case].items()]
    whole = (day(row["issueDate"]) - day(row["datedDate"])).days
    assert sum(days for _, _, days in weeks) == whole
    assert max(REOPENED[case]) == row["frnIndexDeterminationDate"]
    assert Fraction(weeks[-1][0]) == Fraction(row["frnIndexDeterminationRate"])
    assert is_priced(row, accrued_by_day(weeks, row["spread"]))


def test_every_reopened_floater_has_its_auctions() -> None:
    assert {row["case"] for row in floaters(reopened=True)} == REOPENED.keys()
