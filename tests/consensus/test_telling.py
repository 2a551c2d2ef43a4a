"""What an engine says again, and tells those who watch."""

from consensus import ProposalReceived, ScheduleTimeout, SignProposal, SignVote, Step, VoteReceived
from consensus.types import VoteType
from tests.consensus.builders import (
    A,
    Bench,
    built,
    decided_by,
    elapsed,
    make_engine,
    polka,
    precommit,
    prevote,
    proposal,
    signed,
    start,
    validated,
)


def test_an_engine_says_whether_it_waits_for_a_proposal() -> None:
    bench = Bench()
    assert not bench.engine.awaits_proposal

    assert bench.start().engine.awaits_proposal
    assert not bench.feed(proposal(A)).engine.awaits_proposal
    bench.feed(*(prevote(name, None, round_=1) for name in "bc"))
    assert bench.engine.awaits_proposal
    assert not bench.feed(elapsed(Step.PROPOSE, 1)).engine.awaits_proposal


# Repeating.


def test_a_validator_repeats_its_words_of_the_round_and_how_it_came_there() -> None:
    bench = Bench("c").start().feed(proposal(A), validated(A))
    bench.feed(prevote("a", A), prevote("b", A))
    assert bench.engine.resend() == (prevote("c", A), precommit("c", A))
    bench.feed(*(precommit(name, None) for name in "abd"), elapsed(Step.PRECOMMIT))

    assert set(bench.engine.resend()) == {
        proposal(A, round_=1, valid_round=0, shown=polka(A)),
        prevote("c", A, round_=1),
        precommit("c", A),
        precommit("a", None),
        precommit("b", None),
        precommit("d", None),
    }


def test_an_observer_passes_on_what_led_to_its_round() -> None:
    bench = Bench(None).start().feed(proposal(A), prevote("b", A))
    assert bench.engine.resend() == ()

    bench.feed(*(precommit(name, None) for name in "bcd"), elapsed(Step.PRECOMMIT))

    assert bench.engine.resend() == tuple(precommit(name, None) for name in "bcd")


def test_once_a_quorum_of_precommits_is_known_it_is_repeated() -> None:
    bench = Bench("b").start().feed(built(A), *(precommit(name, A) for name in "acd"))
    assert bench.engine.round_step is Step.DECIDED
    assert bench.engine.resend() == (proposal(A), *(precommit(name, A) for name in "acd"))

    waiting = Bench("a").start().feed(*(precommit(name, A) for name in "bcd"))
    assert waiting.engine.round_step is Step.PROPOSE
    assert waiting.engine.resend() == tuple(precommit(name, A) for name in "bcd")


def test_what_one_repeats_brings_a_late_one_into_its_round() -> None:
    ahead = Bench("a").start()
    ahead.feed(*(prevote(name, None, round_=30) for name in "bc"))
    ahead.feed(*(precommit(name, None, round_=30) for name in "bcd"), elapsed(Step.PRECOMMIT, 30))
    assert ahead.engine.round == 31
    late = Bench("d").start()

    for message in ahead.engine.resend():
        late.feed(message)

    assert late.engine.round == 30
    assert [timer.timeout.step for timer in late.did(ScheduleTimeout)] == []
    late.feed(*ahead.engine.resend())
    assert [timer.timeout.step for timer in late.did(ScheduleTimeout)] == [Step.PRECOMMIT]


# Words.


def test_inputs_and_effects_read_as_one_line() -> None:
    assert str(start(12)) == "start height 12 of a,b,c,d"
    assert str(decided_by(A)) == "received precommit certificate 1/0 41414141 of a,b,c"
    assert str(ProposalReceived(signed=proposal(A))) == "received proposal 1/0 41414141 by b"
    assert str(VoteReceived(signed=prevote("a", A))) == "received prevote 1/0 41414141 by a"
    assert str(elapsed(Step.PROPOSE, 2, 7)) == "elapsed propose 7/2"
    assert str(built(A)) == "built 1/0 41414141"
    assert str(validated(A)) == "validated 1 41414141 valid"
    assert str(validated(A, False, ignore_clock=True)) == (
        "validated 1 41414141 invalid ignoring the clock"
    )
    assert str(signed(SignVote(vote=prevote("a", None).vote))) == "signed prevote 1/0 nil by a"
    request = SignProposal(proposal=proposal(A).proposal, polka=None)
    assert str(signed(request)) == "signed proposal 1/0 41414141 by b"


def test_votes_of_the_round_are_told_to_whoever_watches() -> None:
    assert make_engine().votes(VoteType.PREVOTE) == {}
    bench = Bench().start()

    bench.feed(prevote("c", A), prevote("d", None), precommit("c", A), prevote("b", A, round_=1))

    assert bench.engine.votes(VoteType.PREVOTE) == {"c": A, "d": None}
    assert bench.engine.votes(VoteType.PRECOMMIT) == {"c": A}
