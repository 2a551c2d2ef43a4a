"""Which bonds are stripped, and which codes their strips have."""

from typing import Any

import pytest

from node.codec import encode, replace
from node.ledger.dates import Order, Stub
from node.ledger.events import StripsDefined
from node.ledger.operations import Propose
from node.ledger.outcomes import Outcome
from node.ledger.pricing.daycounts import DayCount
from node.ledger.securities import STRIPPINGS
from node.ledger.stripping import SERIES_MAX
from node.ledger.tables import AssetIdentifiers
from node.ledger.terms import RateStep, StripTerms
from tests.ledger.debt import (
    BOND,
    ISSUED,
    amortising,
    callable_bond,
    define_bond,
    define_strips,
    floating,
    issue,
    make_debt,
    reconstitute,
    strip,
    zero_coupon,
)
from tests.ledger.stripped import FACE, FACES, OTHER, asset, coupons, debt, rows
from tests.ledger.world import CB, FM, address, with_check_digit


def test_strips_of_a_bond_are_its_payments_and_its_face() -> None:
    world = make_debt(define_bond())

    (defined,) = world.do(define_strips(), by=(CB, FM))

    codes = coupons(world)
    assert defined == StripsDefined(
        asset=BOND,
        multiple=200,
        first=1,
        principal=FACES,
        coupons=tuple(codes),
        defined=(*codes, FACES),
    )
    for code, row in zip([*codes, FACES], [*rows(world), rows(world)[-1]], strict=True):
        strip_of = asset(world, code)
        assert isinstance(strip_of.terms, StripTerms)
        assert strip_of.terms.line == (BOND if code == FACES else None)
        (zero,) = rows(world, code)
        assert (zero.payment_day, zero.record_day, zero.funding_day) == (
            row.payment_day,
            row.record_day,
            row.funding_day,
        )
        assert zero.interest == 0
        assert zero.principal_ppm == 1_000_000
        assert (strip_of.supply, strip_of.decimals, strip_of.issuer) == (0, 2, FM)
    world.check()


def test_lines_of_a_series_share_the_coupons_of_a_day() -> None:
    world = debt(define_bond(OTHER, maturity_day=rows_of_a_year()[-1], months=12))

    (defined,) = world.do(define_strips(OTHER), by=(CB, FM))

    assert isinstance(defined, StripsDefined)
    assert defined.coupons == (coupons(world)[1],), "the second half year of the first"
    assert defined.defined == (f"{OTHER}-P",)
    world.do(issue(FACE, to="amina", asset=OTHER), by=(CB, FM))
    world.do(strip("amina", 1_000, OTHER), strip("amina", 2_000), by=("amina",))
    assert asset(world, coupons(world)[1]).supply == 70 + 70
    world.check()
    # Coupons are fungible: what came of one line serves the other.
    world.do(reconstitute("amina", 1_000, OTHER), by=("amina",))
    world.do(reconstitute("amina", 2_000), by=("amina",))
    assert asset(world, coupons(world)[1]).supply == 0
    world.check()


def rows_of_a_year() -> list[int]:
    """Return the days of the terms of the bond's first year."""
    world = make_debt(define_bond())
    return [row.nominal_day for row in rows(world)[:2]]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (floating(), "its rate floats"),
        (callable_bond(), "it may be called"),
        (amortising(), "it repays its face in instalments"),
        (zero_coupon(), "it pays nothing but its face"),
        (
            {"order": Order.SHIFT_THEN_CALCULATE},
            "its calendar, which can change, decides for how many days it pays interest",
        ),
        (
            {"rates": (RateStep(from_day=ISSUED, rate_ppm=0),)},
            "payment 1 pays no interest",
        ),
        (
            {"months": 1, "maturity_day": ISSUED + 2_100, "stub": Stub.LONG_FRONT},
            "69 payments are left, more than 64",
        ),
        (
            {
                "day_count": DayCount.ACT_ACT_ISDA,
                "rates": (RateStep(from_day=ISSUED, rate_ppm=71_237),),
            },
            "the least that could be is 133590000000 minor units, more than its ceiling,"
            " 1000000000",
        ),
    ],
    ids=["floats", "call", "instalments", "zero", "calendar", "nothing", "many", "multiple"],
)
def test_bond_that_cannot_be_stripped_says_why(changes: dict[str, Any], reason: str) -> None:
    world = make_debt(replace(define_bond(**changes), ceiling=10**9))
    world.block()  # what floats is fixed, or awaited

    receipt = world.submit(define_strips(), by=(CB, FM))

    assert receipt.outcome is Outcome.ASSET_NOT_STRIPPABLE
    assert dict(receipt.details)["reason"] == reason


def test_series_is_refused_where_its_coupons_would_be_others() -> None:
    world = debt(define_bond(OTHER, grace_days=9))

    receipt = world.submit(define_strips(OTHER), by=(CB, FM))

    assert receipt.outcome is Outcome.STRIP_DIFFERS
    assert dict(receipt.details) == {
        "asset": OTHER,
        "found": coupons(world)[0],
        "reason": "it has other terms",
    }
    world.do(define_strips(OTHER, series="PKT"), by=(CB, FM))
    world.check()


def test_code_that_is_another_asset_is_no_strip() -> None:
    world = make_debt(define_bond(), define_bond(FACES))

    receipt = world.submit(define_strips(), by=(CB, FM))

    assert receipt.outcome is Outcome.STRIP_DIFFERS
    assert dict(receipt.details)["reason"] == "the code is that of a bond"


def test_codes_of_strips_are_codes() -> None:
    long, longest = "P" * 30, "P" * 31
    other = AssetIdentifiers(isin=with_check_digit("PK0000000XX"), currency="PKR", dti=None)
    world = make_debt(define_bond(long), replace(define_bond(longest), identifiers=other))

    for wrong in (
        define_strips(long, series="S" * (SERIES_MAX + 1)),
        define_strips(long, series="pks"),
        define_strips(longest),
    ):
        assert world.submit(wrong, by=(CB, FM)).outcome is Outcome.NAME_NOT_ACCEPTED
    (defined,) = world.do(define_strips(long, series="S" * SERIES_MAX), by=(CB, FM))

    assert isinstance(defined, StripsDefined)
    assert {len(code) for code in defined.defined} == {32}


def test_strips_can_be_proposed() -> None:
    world = make_debt(define_bond())
    proposed = Propose(
        account=address(FM),
        operations=encode((replace(define_strips(), approvers=()),)),
        expires_ms=world.time_ms + 10_000,
    )

    world.do(proposed, by=(FM,))

    assert world.get(STRIPPINGS, BOND.encode()) is None, "one office alone"
