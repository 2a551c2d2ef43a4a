"""From which height a key signs whose past is not in its log."""

import pytest

from consensus.types import FaultModel
from node.replica.join import floor_of_fresh, floor_of_returning

BYZANTINE = FaultModel.BYZANTINE
CRASH = FaultModel.CRASH
OTHERS = ["b", "c", "d"]


@pytest.mark.adversarial(29)
@pytest.mark.parametrize(
    ("claims", "head", "floor"),
    [
        ({}, 10, None),
        ({"b": 10, "c": 10}, 10, None),  # two of the three others: not a quorum
        ({"b": 10, "c": 10, "d": 9}, 10, 12),
        ({"b": 11, "c": 10, "d": 9}, 10, None),  # not caught up
        ({"b": 11, "c": 10, "d": 9}, 11, 13),
        ({"b": 10, "c": 10, "x": 10}, 10, None),  # an observer is not heard
    ],
)
def test_a_lost_past_ends_two_heights_above_what_a_quorum_of_the_others_has(
    claims: dict[str, int], head: int, floor: int | None
) -> None:
    assert floor_of_returning(OTHERS, claims, head=head, model=BYZANTINE) == floor


def test_before_the_first_block_all_others_must_stand_at_the_genesis() -> None:
    claims = {"b": 0, "c": 0}
    assert floor_of_returning(OTHERS, claims, head=0, model=BYZANTINE) is None
    claims["d"] = 0
    assert floor_of_returning(OTHERS, claims, head=0, model=BYZANTINE) == 0
    claims["d"] = 1
    assert floor_of_returning(OTHERS, claims, head=0, model=BYZANTINE) is None
    assert floor_of_returning(OTHERS, claims, head=1, model=BYZANTINE) == 3


def test_three_with_crash_faults_need_both_others() -> None:
    assert floor_of_returning(["b", "c"], {"b": 3}, head=3, model=CRASH) is None
    assert floor_of_returning(["b", "c"], {"b": 3, "c": 3}, head=3, model=CRASH) == 5


def test_where_no_fault_is_survived_all_others_are_enough() -> None:
    assert floor_of_returning(["b"], {"b": 3}, head=3, model=BYZANTINE) == 5


def test_a_validator_alone_can_contradict_nobody() -> None:
    assert floor_of_returning([], {}, head=7, model=BYZANTINE) == 7
    assert floor_of_fresh([], {}, model=BYZANTINE) == 0


def test_a_new_network_begins_once_a_quorum_with_ourselves_is_there() -> None:
    assert floor_of_fresh(OTHERS, {"b": 0}, model=BYZANTINE) is None
    assert floor_of_fresh(OTHERS, {"b": 0, "c": 0}, model=BYZANTINE) == 0
