"""From where on a key signs whose past is not in its log."""

import pytest

from consensus.quorum import faults_survived, quorum
from consensus.types import FaultModel
from node.network import Memory
from node.replica.join import (
    ROUNDS_BELIEVED_MAX,
    Later,
    Silent,
    Waiting,
    Way,
    way_of_returning,
    witnesses_min,
)

BYZANTINE = FaultModel.BYZANTINE
CRASH = FaultModel.CRASH
OTHERS = ("b", "c", "d")


def stands(height: int = 10, round_: int = 0) -> Memory:
    return Memory(height=height, remembers=True, round=round_, begun=True)


def forgot(height: int = 10, round_: int = 0) -> Memory:
    return Memory(height=height, remembers=False, round=round_, begun=True)


def way(
    memories: dict[str, Memory],
    *,
    head: int = 10,
    others: tuple[str, ...] = OTHERS,
    claims: dict[str, int] | None = None,
    model: FaultModel = BYZANTINE,
) -> Way:
    heights = {name: memory.height for name, memory in memories.items()}
    return way_of_returning(
        others, heights if claims is None else claims, memories, head=head, model=model
    )


def why(found: Way) -> str:
    assert isinstance(found, Waiting)
    return found.why


@pytest.mark.adversarial(29)
def test_a_lost_past_ends_two_heights_above_what_a_quorum_of_witnesses_has() -> None:
    heard = {"b": stands(), "c": stands(), "d": stands(9)}

    assert way(heard) == Silent(floor=12)
    assert way({**heard, "x": stands()}) == Silent(floor=12)


@pytest.mark.adversarial(29)
@pytest.mark.parametrize("heard", ["", "b", "bc", "bx"])
def test_fewer_wait_for_those_who_were_not_heard_by_name(heard: str) -> None:
    """Not even two who remember: the third may come back, and then more liars are survived."""
    missing = ", ".join(name for name in OTHERS if name not in heard)

    assert f"hear from {missing}" in why(way({name: stands() for name in heard}))


def test_nothing_is_known_before_it_has_caught_up_with_everybody() -> None:
    heard = {"b": stands(11), "c": stands(), "d": stands(9)}

    assert "at height 10, others are at 11" in why(way(heard))
    assert way(heard, head=11) == Silent(floor=13)


def test_what_they_said_a_while_ago_is_enough() -> None:
    """They were asked after the loss: what they have decided since adds nothing to it."""
    heard = {"b": stands(), "c": stands(), "d": stands()}
    claims = {"b": 14, "c": 15, "d": 15}

    assert way(heard, claims=claims, head=15) == Silent(floor=12)
    found = way({**heard, "b": forgot()}, claims=claims, head=15)
    assert found == Later(height=11, round=2, witnesses=("c", "d"))


def test_a_height_that_a_peer_could_not_serve_holds_nobody_up() -> None:
    heard = {"b": stands(10**9), "c": stands(), "d": stands()}

    struck = way(heard, claims={"b": 10, "c": 10, "d": 10})

    assert struck == Silent(floor=12)


@pytest.mark.adversarial(29)
def test_two_who_forgot_return_behind_the_two_who_remember() -> None:
    heard = {"b": forgot(), "c": stands(round_=3), "d": stands(round_=5)}

    assert way(heard) == Later(height=11, round=7, witnesses=("c", "d"))


def test_rounds_of_an_earlier_height_do_not_count() -> None:
    heard = {"b": forgot(), "c": stands(round_=3), "d": stands(9, round_=40)}

    assert way(heard) == Later(height=11, round=5, witnesses=("c", "d"))


@pytest.mark.adversarial(15)
def test_a_round_that_nobody_can_have_reached_is_not_believed() -> None:
    liar = stands(round_=ROUNDS_BELIEVED_MAX + 1)

    assert "1 of the 2 witnesses" in why(way({"b": forgot(), "c": liar, "d": stands()}))
    found = way({"b": forgot(round_=ROUNDS_BELIEVED_MAX + 1), "c": stands(), "d": stands()})
    assert isinstance(found, Later)
    assert found.round == 2


def test_three_of_four_who_forgot_are_left_to_their_operators() -> None:
    found = way({"b": forgot(), "c": forgot(), "d": stands()})

    assert "b, c do not remember either" in why(found)
    assert "khazana validator resume" in why(found)


def test_before_the_first_block_those_who_have_begun_are_witnesses() -> None:
    begun = stands(0, round_=2)

    assert way({"b": begun, "c": begun, "d": begun}, head=0) == Silent(floor=2)
    assert way({"b": forgot(0), "c": begun, "d": begun}, head=0) == Later(
        height=1, round=4, witnesses=("c", "d")
    )


def test_three_with_crash_faults_need_both_others() -> None:
    others = ("b", "c")
    heard = {"b": stands(3)}
    assert "hear from c" in why(way(heard, head=3, others=others, model=CRASH))
    heard["c"] = stands(3)
    assert way(heard, head=3, others=others, model=CRASH) == Silent(floor=5)
    heard["c"] = forgot(3)
    assert "1 of the 2" in why(way(heard, head=3, others=others, model=CRASH))


@pytest.mark.parametrize("others", [("b",), ("b", "c")])
def test_where_no_fault_is_survived_one_who_forgot_returns_behind_the_others(
    others: tuple[str, ...],
) -> None:
    """They cannot go on without it: to stay silent would be for ever."""
    heard = {name: stands(3) for name in others}

    assert way(heard, head=3, others=others) == Later(height=4, round=2, witnesses=others)


def test_a_validator_alone_can_contradict_nobody() -> None:
    assert way({}, head=7, others=()) == Silent(floor=7)


@pytest.mark.parametrize("model", [BYZANTINE, CRASH])
@pytest.mark.parametrize("n", range(2, 30))
def test_every_quorum_has_an_honest_member_among_the_fewest_witnesses(
    model: FaultModel, n: int
) -> None:
    least, q = witnesses_min(model, n), quorum(model, n)
    liars = max(0, faults_survived(model, n) - 1) if model is BYZANTINE else 0

    shared_at_least = least + q - n

    assert shared_at_least == liars + 1
    assert least <= n - 1
