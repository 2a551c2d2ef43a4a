import pytest

from consensus import Equivocation, InvalidValue, SignedMessage
from consensus.evidence import conflict
from tests.consensus.builders import A, B, polka, precommit, prevote, proposal

CONFLICTS = {
    "two blocks prevoted": (prevote("a", A), prevote("a", B)),
    "a block and nil": (prevote("a", A), prevote("a", None)),
    "two blocks precommitted": (precommit("a", None, round_=3), precommit("a", B, round_=3)),
    "two blocks proposed": (proposal(A), proposal(B)),
    "one block, two valid rounds": (
        proposal(A, round_=3, valid_round=0),
        proposal(A, round_=3, valid_round=1),
    ),
}
HONEST = {
    "the same": (prevote("a", A), prevote("a", A)),
    "two validators": (prevote("a", A), prevote("b", B)),
    "two kinds": (prevote("a", A), precommit("a", B)),
    "two rounds": (prevote("a", A), prevote("a", B, round_=1)),
    "two heights": (prevote("a", A), prevote("a", B, height=2)),
    "proposals of two rounds": (proposal(A, by="b"), proposal(B, round_=1, by="b")),
    "proposals of two heights": (proposal(A, by="b"), proposal(B, height=2, by="b")),
    "proposals of two validators": (proposal(A, by="b"), proposal(B, by="c")),
    "one proposal, with the prevotes and without": (
        proposal(A, round_=1, valid_round=0),
        proposal(A, round_=1, valid_round=0, shown=polka(A)),
    ),
    "a proposal and a vote": (proposal(A, by="a"), prevote("a", B)),
    "a vote and a proposal": (prevote("a", B), proposal(A, by="a")),
}


@pytest.mark.parametrize(("first", "second"), CONFLICTS.values(), ids=CONFLICTS)
def test_evidence_is_two_messages_of_which_one_may_be_made(
    first: SignedMessage, second: SignedMessage
) -> None:
    assert conflict(first, second)
    assert conflict(second, first)
    assert str(Equivocation(first=first, second=second)) == f"{first}, {second}"


@pytest.mark.parametrize(("first", "second"), HONEST.values(), ids=HONEST)
def test_what_an_honest_validator_may_say_is_no_evidence(
    first: SignedMessage, second: SignedMessage
) -> None:
    assert not conflict(first, second)
    with pytest.raises(InvalidValue):
        Equivocation(first=first, second=second)


def test_evidence_names_author_and_position() -> None:
    votes = Equivocation(
        first=prevote("c", A, round_=2, height=9), second=prevote("c", B, round_=2, height=9)
    )
    proposals = Equivocation(first=proposal(A, round_=1), second=proposal(B, round_=1))

    assert (votes.validator, votes.height, votes.round) == ("c", 9, 2)
    assert (proposals.validator, proposals.height, proposals.round) == ("c", 1, 1)
