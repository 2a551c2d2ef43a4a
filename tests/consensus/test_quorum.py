from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.quorum import faults_survived, quorum, skip
from consensus.types import FaultModel

BYZANTINE, CRASH = FaultModel.BYZANTINE, FaultModel.CRASH

TABLE = [
    # n, byzantine: survived, quorum, skip; crash: survived, quorum, skip
    (1, (0, 1, 1), (0, 1, 1)),
    (2, (0, 2, 1), (0, 2, 1)),
    (3, (0, 3, 1), (1, 2, 1)),
    (4, (1, 3, 2), (1, 3, 1)),
    (5, (1, 4, 2), (2, 3, 1)),
    (6, (1, 5, 2), (2, 4, 1)),
    (7, (2, 5, 3), (3, 4, 1)),
    (8, (2, 6, 3), (3, 5, 1)),
    (9, (2, 7, 3), (4, 5, 1)),
    (10, (3, 7, 4), (4, 6, 1)),
]


@pytest.mark.adversarial(13)
@pytest.mark.parametrize(("n", "byzantine", "crash"), TABLE)
def test_thresholds_of_one_to_ten_validators_are_as_in_the_readme(
    n: int, byzantine: tuple[int, int, int], crash: tuple[int, int, int]
) -> None:
    for model, expected in ((BYZANTINE, byzantine), (CRASH, crash)):
        assert (faults_survived(model, n), quorum(model, n), skip(model, n)) == expected


def test_the_readme_shows_the_table() -> None:
    readme = Path(__file__).resolve().parents[2] / "consensus" / "README.md"
    lines = readme.read_text(encoding="utf-8").splitlines()

    for n, byzantine, crash in TABLE:
        assert "| " + " | ".join(str(cell) for cell in (n, *byzantine, *crash)) + " |" in lines


@pytest.mark.adversarial(12)
def test_exactly_two_thirds_or_one_half_is_no_quorum() -> None:
    assert quorum(BYZANTINE, 6) == 4 + 1
    assert quorum(CRASH, 4) == 2 + 1


@given(n=st.integers(1, 1000))
def test_quorum_agrees_with_its_twin_in_fractions(n: int) -> None:
    def fewest_above(share: Fraction) -> int:
        return next(votes for votes in range(n + 1) if Fraction(votes, n) > share)

    assert quorum(BYZANTINE, n) == fewest_above(Fraction(2, 3))
    assert quorum(CRASH, n) == fewest_above(Fraction(1, 2))


@pytest.mark.adversarial(13)
@given(n=st.integers(1, 1000))
def test_two_quorums_share_more_than_can_lie(n: int) -> None:
    shared_byzantine = 2 * quorum(BYZANTINE, n) - n
    shared_crash = 2 * quorum(CRASH, n) - n

    assert shared_byzantine > faults_survived(BYZANTINE, n)
    assert shared_crash >= 1


@given(n=st.integers(1, 1000))
def test_those_who_are_not_faulty_make_a_quorum_and_pull_a_late_one_along(n: int) -> None:
    for model in FaultModel:
        honest = n - faults_survived(model, n)
        assert honest >= quorum(model, n)
        if n > 1:
            assert honest - 1 >= skip(model, n)


@given(n=st.integers(1, 1000))
def test_as_many_as_lie_never_move_a_validator(n: int) -> None:
    assert skip(BYZANTINE, n) > faults_survived(BYZANTINE, n)
