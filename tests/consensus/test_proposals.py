import pytest

from consensus import Equivocation, Round
from consensus.proposals import ProposalKeeper, Stored, Verdict
from tests.consensus.builders import A, B, C, polka, proposal


@pytest.mark.adversarial(1)
def test_of_two_proposals_the_first_counts_and_both_are_evidence_once() -> None:
    keeper = ProposalKeeper()
    first, second, third = proposal(A), proposal(B), proposal(C)

    added = [keeper.add(signed) for signed in (first, second, second, third, first)]

    assert added[:2] == [Stored.NEW, Equivocation(first=first, second=second)]
    assert added[2:] == [Stored.KNOWN] * 3
    assert keeper.get(Round(0)) == first
    assert keeper.get(Round(1)) is None


def test_a_proposal_that_brings_its_prevotes_later_takes_the_place_of_the_first() -> None:
    keeper = ProposalKeeper()
    bare = proposal(A, round_=1, valid_round=0)
    shown = proposal(A, round_=1, valid_round=0, shown=polka(A))

    assert [keeper.add(p) for p in (bare, bare, shown, shown, bare)] == [
        Stored.NEW,
        Stored.KNOWN,
        Stored.NEW,
        Stored.KNOWN,
        Stored.KNOWN,
    ]
    assert keeper.get(Round(1)) == shown


def test_a_block_is_asked_for_once_and_once_more_without_the_clock() -> None:
    keeper = ProposalKeeper()

    assert keeper.verdict(A) is Verdict.NOT_ASKED
    assert keeper.ask(A, ignore_clock=False)
    assert keeper.verdict(A) is Verdict.ASKED
    assert not keeper.ask(A, ignore_clock=False)
    assert keeper.ask(A, ignore_clock=True)
    assert keeper.verdict(A) is Verdict.ASKED_IGNORING_CLOCK
    assert not keeper.ask(A, ignore_clock=True)
    assert not keeper.ask(A, ignore_clock=False)


ANSWERS = [
    # What is known, the answer (valid, ignoring the clock), what is known then.
    (Verdict.NOT_ASKED, (True, False), Verdict.NOT_ASKED),
    (Verdict.NOT_ASKED, (False, True), Verdict.NOT_ASKED),
    (Verdict.ASKED, (True, False), Verdict.VALID),
    (Verdict.ASKED, (False, False), Verdict.REFUSED),
    (Verdict.ASKED, (False, True), Verdict.INVALID),
    (Verdict.ASKED_IGNORING_CLOCK, (True, True), Verdict.VALID),
    # The answer to the first question is good news for the second too, but not bad news.
    (Verdict.ASKED_IGNORING_CLOCK, (True, False), Verdict.VALID),
    (Verdict.ASKED_IGNORING_CLOCK, (False, False), Verdict.ASKED_IGNORING_CLOCK),
    (Verdict.ASKED_IGNORING_CLOCK, (False, True), Verdict.INVALID),
    (Verdict.REFUSED, (True, False), Verdict.VALID),
    (Verdict.REFUSED, (False, False), Verdict.REFUSED),
    (Verdict.REFUSED, (False, True), Verdict.REFUSED),
    (Verdict.VALID, (False, True), Verdict.VALID),
    (Verdict.VALID, (True, True), Verdict.VALID),
    (Verdict.INVALID, (True, True), Verdict.INVALID),
    (Verdict.INVALID, (False, False), Verdict.INVALID),
]


def keeper_with(verdict: Verdict) -> ProposalKeeper:
    keeper = ProposalKeeper()
    if verdict is Verdict.VALID:
        keeper.mark_valid(A)
    elif verdict is not Verdict.NOT_ASKED:
        keeper.ask(A, ignore_clock=verdict is Verdict.ASKED_IGNORING_CLOCK)
    if verdict in (Verdict.REFUSED, Verdict.INVALID):
        keeper.answer(A, valid=False, ignore_clock=verdict is Verdict.INVALID)
    assert keeper.verdict(A) is verdict
    return keeper


@pytest.mark.parametrize(("known", "answer", "then"), ANSWERS)
def test_a_final_verdict_stays(known: Verdict, answer: tuple[bool, bool], then: Verdict) -> None:
    keeper = keeper_with(known)

    news = keeper.answer(A, valid=answer[0], ignore_clock=answer[1])

    assert keeper.verdict(A) is then
    assert news == (then is not known)


def test_a_refused_block_is_asked_for_again_only_without_the_clock() -> None:
    keeper = keeper_with(Verdict.REFUSED)

    assert not keeper.ask(A, ignore_clock=False)
    assert keeper.ask(A, ignore_clock=True)


@pytest.mark.parametrize("verdict", [Verdict.VALID, Verdict.INVALID])
def test_a_block_with_a_final_verdict_is_not_asked_for_again(verdict: Verdict) -> None:
    assert not keeper_with(verdict).ask(A, ignore_clock=True)


def test_what_is_neither_recent_nor_in_use_is_forgotten() -> None:
    keeper = ProposalKeeper()
    for signed in (proposal(A), proposal(B), proposal(B, round_=1), proposal(C, round_=2)):
        keeper.add(signed)
        keeper.add(proposal(A, round_=signed.proposal.round))
    for block_id in (A, B, C):
        keeper.mark_valid(block_id)

    keeper.forget(before=Round(2), keep={B, None})

    assert [keeper.get(Round(r)) is not None for r in (0, 1, 2)] == [False, False, True]
    assert keeper.add(proposal(A, round_=2)) is Stored.KNOWN
    assert len(keeper._reported) == 1
    assert keeper.verdict(A) is Verdict.NOT_ASKED
    assert keeper.verdict(B) is keeper.verdict(C) is Verdict.VALID
