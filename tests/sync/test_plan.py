"""Which heights are asked of whom."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.sync import Range, plan, unserved_height


def planned(
    *,
    head: int = 10,
    claims: dict[str, int],
    earliest: dict[str, int] | None = None,
    have: set[int] | None = None,
    asked: list[Range] | None = None,
    length_max: int = 4,
    window: int = 16,
) -> dict[str, Range]:
    return plan(
        head=head,
        claims=claims,
        earliest=earliest or {},
        free=list(claims),
        have=have or set(),
        asked=asked or [],
        length_max=length_max,
        window=window,
    )


def test_each_free_peer_gets_the_lowest_range_that_nobody_has_been_asked_for() -> None:
    assert planned(claims={"a": 30, "b": 30, "c": 30}) == {
        "a": Range(11, 4),
        "b": Range(15, 4),
        "c": Range(19, 4),
    }


def test_a_peer_is_asked_for_what_it_claims_and_no_more() -> None:
    assert planned(claims={"a": 12, "b": 11, "c": 10}) == {"a": Range(11, 2)}


def test_what_is_here_or_under_way_is_passed_over() -> None:
    assert planned(claims={"a": 30}, have={11, 12}, asked=[Range(13, 2)]) == {"a": Range(15, 4)}
    assert planned(claims={"a": 30}, have={13}) == {"a": Range(11, 2)}


def test_a_peer_is_asked_for_nothing_that_it_has_pruned() -> None:
    claims = {"a": 30, "b": 30}
    assert planned(claims=claims, earliest={"a": 13, "b": 1}) == {
        "a": Range(13, 4),
        "b": Range(11, 2),
    }
    assert planned(claims={"a": 30}, earliest={"a": 31}) == {}


@pytest.mark.parametrize(
    ("claims", "earliest", "unserved"),
    [
        ({}, {}, None),
        ({"a": 10}, {"a": 9}, None),
        ({"a": 30}, {"a": 11}, None),
        ({"a": 30}, {"a": 12}, 11),
        ({"a": 30, "b": 40}, {"a": 12, "b": 11}, None),
        ({"a": 30, "b": 10}, {"a": 12, "b": 1}, 11),
    ],
)
def test_a_height_that_all_who_are_ahead_have_pruned_is_named(
    claims: dict[str, int], earliest: dict[str, int], unserved: int | None
) -> None:
    assert unserved_height(10, claims, earliest) == unserved


def test_nothing_above_the_window_is_asked_for() -> None:
    assert planned(claims={"a": 10**9}, window=3) == {"a": Range(11, 3)}
    assert planned(claims={"a": 10**9}, window=3, have={11, 12, 13}) == {}


@pytest.mark.adversarial(49)
def test_a_claim_of_any_height_costs_no_more_than_the_window() -> None:
    assert planned(claims={"a": 2**63 - 1}) == {"a": Range(11, 4)}


@given(
    head=st.integers(0, 50),
    claims=st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 120)),
    have=st.sets(st.integers(0, 120)),
    length_max=st.integers(1, 8),
    window=st.integers(1, 40),
)
def test_no_height_is_asked_for_twice_or_without_need(
    head: int, claims: dict[str, int], have: set[int], length_max: int, window: int
) -> None:
    result = planned(head=head, claims=claims, have=have, length_max=length_max, window=window)

    heights = [
        (peer, height)
        for peer, (start, length) in result.items()
        for height in range(start, start + length)
    ]
    assert len({height for _, height in heights}) == len(heights)
    for peer, height in heights:
        assert head < height <= min(claims[peer], head + window)
        assert height not in have
    for length in (length for _, length in result.values()):
        assert 1 <= length <= length_max
    wanted = set(range(head + 1, min(max(claims.values(), default=0), head + window) + 1)) - have
    assert bool(result) == bool(wanted)
