"""Who gets how much: by hand, against a slow twin, and what holds whatever the book is."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.codec import replace
from node.ledger.auctions import (
    AuctionError,
    Method,
    NoncompetitivePrice,
    Oversubscription,
    allot,
    average_price_e4,
    competitive_ladder,
    consideration,
    noncompetitive_ladder,
    pieces_of,
)
from node.ledger.auctions.allotment import _pro_rata
from node.ledger.auctions.records import ROWS_PER_PIECE_MAX, LadderRow
from tests.ledger.auctions.books import MILLION, priced, shared_out, terms, unpriced

STEP = 500_000


def allotted(rows: Sequence[LadderRow]) -> list[int]:
    return [row.allotted for row in rows]


# --- by hand -------------------------------------------------------------------------------------


def test_highest_price_comes_first_and_among_equals_the_earlier_bid() -> None:
    rows = priced((980_000, 1), (990_000, 2), (980_000, 3), (995_000, 4))

    assert [row.number for row in competitive_ladder([*rows, *unpriced(5)])] == [4, 2, 1, 3]
    assert [row.number for row in noncompetitive_ladder([*unpriced(6, 5), *rows])] == [1001, 1002]


def test_all_above_the_cut_off_are_filled_and_those_below_get_nothing() -> None:
    book = priced((990_000, 300 * MILLION), (985_000, 300 * MILLION), (980_000, 300 * MILLION))

    found = allot(terms(), book, [], 985_000)

    assert allotted(found.competitive) == [300 * MILLION, 300 * MILLION, 0]
    assert found.competitive_face == 600 * MILLION


def test_what_published_rows_claim_counts_for_nothing() -> None:
    """Below the cut-off as at the margin: who recomputes brings rows as somebody published them."""
    book = competitive_ladder(priced((99, 2 * STEP), (98, STEP), (98, 2 * STEP), (97, STEP)))
    rule = terms(target=4 * STEP)
    claimed = [replace(row, allotted=row.face) for row in book]

    assert allot(rule, claimed, [], 98) == allot(rule, book, [], 98)
    assert allotted(allot(rule, claimed, [], 99).competitive) == [2 * STEP, 0, 0, 0]


def test_margin_is_shared_pro_rata_and_the_rest_goes_to_who_lost_most() -> None:
    book = priced(
        (990_000, 900 * MILLION),
        (985_000, 20 * STEP),
        (985_000, 30 * STEP),
        (985_000, 50 * STEP),
    )

    found = allot(terms(target=900 * MILLION + 33 * STEP), book, [], 985_000)

    # Shares of 6.6, 9.9 and 16.5 steps: whole ones 6, 9, 16; the two left go to .9 and .6.
    assert allotted(found.competitive)[1:] == [7 * STEP, 10 * STEP, 16 * STEP]


def test_equal_losses_go_to_the_earlier_bid() -> None:
    book = priced((985_000, 10 * STEP), (985_000, 10 * STEP), (985_000, 10 * STEP))

    found = allot(terms(target=16 * STEP), book, [], 985_000)

    assert allotted(found.competitive) == [6 * STEP, 5 * STEP, 5 * STEP]


def test_small_bids_at_the_margin_are_filled_before_the_others_share() -> None:
    """The circular of 2007: up to Rs 50 million in full, the others in steps of Rs 50 million."""
    step = 50 * MILLION
    rule = terms(target=1_000 * MILLION, prorata_step=step, filled_whole=step)
    book = priced(
        (985_000, 50 * MILLION),
        (985_000, 30 * MILLION),
        (985_000, 800 * MILLION),
        (985_000, 600 * MILLION),
    )

    found = allot(rule, book, [], 985_000)

    # 920 is left for 1,400: 525.7 and 394.3, down to 500 and 350; 50 to the second, 20 to the
    # first.
    assert allotted(found.competitive) == [
        50 * MILLION,
        30 * MILLION,
        520 * MILLION,
        400 * MILLION,
    ]


def test_small_bids_that_take_all_there_is_are_filled_and_leave_nothing() -> None:
    rule = terms(target=8 * STEP, filled_whole=4 * STEP)
    book = priced((985_000, 4 * STEP), (985_000, 4 * STEP), (985_000, 8 * STEP))

    assert allotted(allot(rule, book, [], 985_000).competitive) == [4 * STEP, 4 * STEP, 0]


def test_small_bids_share_like_the_others_where_they_cannot_all_be_filled() -> None:
    rule = terms(target=5 * STEP, filled_whole=4 * STEP)
    book = priced((985_000, 4 * STEP), (985_000, 4 * STEP), (985_000, 8 * STEP))

    assert allotted(allot(rule, book, [], 985_000).competitive) == [STEP, STEP, 3 * STEP]


def test_bids_without_a_price_come_first_and_pay_the_average() -> None:
    book = priced((990_000, 500 * MILLION), (980_000, 500 * MILLION))
    without = unpriced(5 * MILLION, 3 * MILLION)

    found = allot(terms(), book, without, 980_000)

    assert allotted(found.noncompetitive) == [5 * MILLION, 3 * MILLION]
    assert allotted(found.competitive) == [500 * MILLION, 492 * MILLION]
    # (500 x 99 + 492 x 98) / 992 = 98.50403…
    assert found.average_price_e4 == found.noncompetitive_price_e4 == 985_040


def test_average_is_rounded_to_the_quantum_for_bids_without_a_price() -> None:
    book = priced((978_900, 2 * MILLION), (978_800, MILLION))

    found = allot(terms(quantum_e4=100), book, unpriced(STEP), 978_800)

    assert found.average_price_e4 == 978_867
    assert found.noncompetitive_price_e4 == 978_900


def test_cut_off_is_what_they_pay_where_it_is_announced_so() -> None:
    rule = terms(noncompetitive_price=NoncompetitivePrice.CUT_OFF)
    book = priced((990_000, 2 * MILLION), (978_800, MILLION))

    assert allot(rule, book, unpriced(STEP), 978_800).noncompetitive_price_e4 == 978_800


def test_everybody_pays_the_cut_off_where_the_price_is_uniform() -> None:
    book = priced((990_000, 2 * MILLION), (978_800, MILLION))

    found = allot(terms(method=Method.UNIFORM_PRICE), book, unpriced(STEP), 978_800)

    assert found.average_price_e4 == found.noncompetitive_price_e4 == 978_800


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        # Asked for 24 steps, 10 there are: 5, 4.1666…, 0.8333…; the step left to the last.
        (Oversubscription.PRO_RATA, [5, 4, 1]),
        (Oversubscription.SMALLEST_FIRST, [0, 8, 2]),
    ],
)
def test_too_many_bids_without_a_price_share_by_the_announced_rule(
    rule: Oversubscription, expected: list[int]
) -> None:
    book = priced((990_000, 200 * STEP))
    announced = terms(target=100 * STEP, oversubscription=rule)

    found = allot(announced, book, unpriced(12 * STEP, 10 * STEP, 2 * STEP), 990_000)

    assert allotted(found.noncompetitive) == [
        amount * STEP for amount in (expected if rule is Oversubscription.PRO_RATA else [0, 8, 2])
    ]
    assert allotted(found.competitive) == [90 * STEP]


def test_cut_off_is_the_price_of_a_bid() -> None:
    with pytest.raises(AuctionError, match="no bid has this price"):
        allot(terms(), priced((990_000, MILLION)), [], 990_001)


def test_cut_off_does_not_lie_below_what_can_be_filled() -> None:
    book = priced((990_000, 1_000 * MILLION), (980_000, MILLION))

    with pytest.raises(AuctionError, match="is left for bids with a price"):
        allot(terms(), book, [], 980_000)


def test_half_a_paisa_is_a_paisa() -> None:
    assert consideration(500_000, 983_879) == 491_940  # 491,939.5
    assert consideration(500_000, 983_878) == 491_939


def test_ladder_is_cut_into_pieces() -> None:
    rows = priced(*[(990_000, STEP)] * (2 * ROWS_PER_PIECE_MAX + 1))

    assert [len(piece.rows) for piece in pieces_of(rows)] == [
        ROWS_PER_PIECE_MAX,
        ROWS_PER_PIECE_MAX,
        1,
    ]
    assert pieces_of([]) == []


# --- whatever the book is ------------------------------------------------------------------------

faces = st.lists(st.integers(1, 40), min_size=1, max_size=12)


@given(faces, st.integers(0, 300), st.integers(1, 7), st.integers(0, 10))
def test_shares_are_those_of_the_slow_twin(
    asked: list[int], there_is: int, step: int, filled_whole: int
) -> None:
    found = _pro_rata(asked, there_is, step=step, filled_whole=filled_whole)

    assert found == shared_out(asked, there_is, step, filled_whole)
    assert sum(found) == min(sum(asked), there_is)
    assert all(0 <= given <= face for given, face in zip(found, asked, strict=True))


@given(
    st.lists(st.tuples(st.integers(970_000, 970_010), st.integers(1, 50)), min_size=1, max_size=15),
    st.lists(st.integers(1, 20), max_size=8),
    st.integers(1, 400),
    st.sampled_from(Method),
    st.sampled_from(Oversubscription),
    st.integers(0, 5_000),
)
def test_never_more_is_allotted_than_offered_or_bid_for(
    bids: list[tuple[int, int]],
    without: list[int],
    target: int,
    method: Method,
    oversubscription: Oversubscription,
    share_bps: int,
) -> None:
    rule = terms(
        target=target * STEP,
        method=method,
        oversubscription=oversubscription,
        noncompetitive_share_bps=share_bps,
    )
    book = competitive_ladder(priced(*[(price, face * STEP) for price, face in bids]))
    served = 0
    for cut_off in sorted({price for price, _ in bids}, reverse=True):
        try:
            found = allot(rule, book, unpriced(*[face * STEP for face in without]), cut_off)
        except AuctionError:
            continue
        served += 1
        rows = [*found.competitive, *found.noncompetitive]
        assert sum(allotted(rows)) <= rule.target
        assert found.noncompetitive_face <= rule.target * share_bps // 10_000
        for row in rows:
            assert 0 <= row.allotted <= row.face
            assert row.allotted % STEP == 0
        for row in found.competitive:
            assert row.price_e4 is not None
            assert (row.allotted == row.face) or row.price_e4 <= cut_off
            assert row.allotted == 0 or row.price_e4 >= cut_off
        assert cut_off <= found.average_price_e4 <= max(price for price, _ in bids)
    assert served  # the highest price can always be the cut-off


@given(st.lists(st.tuples(st.integers(1, 10**12), st.integers(1, 2 * 10**6)), min_size=1))
def test_average_lies_between_the_prices(allotment: list[tuple[int, int]]) -> None:
    prices = [price for _, price in allotment]

    assert min(prices) <= average_price_e4(allotment) <= max(prices)
