"""How long a proposer is waited for: short only while it is away, and never for long."""

import pytest

from consensus.types import Round, ValidatorId
from node.replica.patience import GRACE_MS, Patience

A, B = ValidatorId("a"), ValidatorId("b")
WHOLE_MS = 1_000


def make_patience() -> Patience:
    """Of validator a, which has a link to b."""
    patience = Patience(A)
    patience.linked(B)
    return patience


def wait_ms(patience: Patience, proposer: ValidatorId = B, round_: int = 0) -> int:
    return patience.wait_ms(proposer, Round(round_), validators=4, timeout_ms=WHOLE_MS)


def test_a_proposer_with_a_link_is_waited_for() -> None:
    assert wait_ms(make_patience()) == WHOLE_MS


def test_one_without_a_link_gets_a_grace() -> None:
    assert wait_ms(Patience(A)) == GRACE_MS


def test_a_link_that_is_up_again_does_not_say_that_its_node_keeps_up() -> None:
    patience = make_patience()
    patience.lost(B)
    patience.linked(B)
    assert wait_ms(patience) == GRACE_MS

    assert patience.heard(B)

    assert wait_ms(patience) == WHOLE_MS
    assert not patience.heard(B)


def test_words_without_a_link_are_no_link() -> None:
    patience = make_patience()
    patience.lost(B)

    patience.heard(B)

    assert wait_ms(patience) == GRACE_MS


def test_who_missed_its_turn_is_away_until_it_is_heard() -> None:
    patience = make_patience()
    patience.missed(B)
    assert wait_ms(patience) == GRACE_MS

    patience.heard(B)

    assert wait_ms(patience) == WHOLE_MS


@pytest.mark.parametrize(("round_", "expected"), [(0, GRACE_MS), (3, GRACE_MS), (4, WHOLE_MS)])
def test_after_one_turn_of_each_every_timeout_is_whole(round_: int, expected: int) -> None:
    assert wait_ms(Patience(A), round_=round_) == expected


def test_a_timeout_that_is_shorter_than_the_grace_stays_as_it_is() -> None:
    assert Patience(A).wait_ms(B, Round(0), validators=4, timeout_ms=GRACE_MS - 1) == GRACE_MS - 1


def test_nobody_is_away_from_itself() -> None:
    patience = make_patience()
    patience.missed(A)

    assert wait_ms(patience, A) == WHOLE_MS


def test_who_is_no_validator_any_more_is_forgotten() -> None:
    patience = make_patience()
    patience.lost(B)

    patience.keep({A})

    patience.linked(B)
    assert wait_ms(patience) == WHOLE_MS
