"""A validator that has forgotten a height: it enters in a later round, and prevotes behind those
who remember.
"""

import itertools

import pytest

from consensus import (
    BlockId,
    Effect,
    Height,
    Persist,
    Round,
    RoundCalled,
    ScheduleTimeout,
    SignVote,
    Step,
    ValidatorId,
)
from tests.consensus.builders import (
    A,
    B,
    Bench,
    elapsed,
    make_engine,
    only,
    polka,
    precommit,
    prevote,
    proposal,
    receive,
    start,
    validated,
)

ROUND = 4  # at height 1 it is the turn of "b"


def returned() -> Bench:
    return Bench().feed(start(round_=ROUND, witnesses="cd"))


def test_it_stands_in_the_later_round_at_once() -> None:
    bench = returned()

    assert bench.engine.round == ROUND
    [timer] = bench.did(ScheduleTimeout)
    assert (timer.timeout.round, timer.timeout.step) == (ROUND, Step.PROPOSE)
    assert (
        str(start(round_=ROUND, witnesses="dc")) == "start height 1 of a,b,c,d in round 4 after c,d"
    )


@pytest.mark.adversarial(4, 29)
def test_it_prevotes_a_block_only_after_every_witness() -> None:
    bench = returned()

    bench.feed(proposal(A, round_=ROUND), validated(A), prevote("b", A, round_=ROUND))
    assert bench.prevoted(ROUND) == []
    bench.feed(prevote("c", A, round_=ROUND))
    assert bench.prevoted(ROUND) == []
    bench.feed(prevote("d", A, round_=ROUND))

    assert bench.prevoted(ROUND) == [A]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_the_order_in_which_it_hears_them_does_not_matter(order: tuple[int, ...]) -> None:
    said = (
        proposal(A, round_=ROUND),
        prevote("c", A, round_=ROUND),
        prevote("d", A, round_=ROUND),
        validated(A),
    )
    bench = returned()

    bench.feed(*(said[place] for place in order))
    bench.feed(validated(A))

    assert bench.prevoted(ROUND) == [A]


@pytest.mark.adversarial(4, 29)
@pytest.mark.parametrize("other", [None, B])
def test_it_prevotes_nil_in_time_when_a_witness_does_not_follow(other: BlockId | None) -> None:
    """The witness may be locked on what a quorum has decided; this validator was part of it."""
    bench = returned()
    bench.feed(proposal(A, round_=ROUND), validated(A))
    bench.feed(prevote("c", A, round_=ROUND), prevote("d", other, round_=ROUND))

    bench.feed(elapsed(Step.PROPOSE, ROUND))

    assert bench.prevoted(ROUND) == [None]


def test_witnesses_count_for_a_block_that_is_proposed_again_too() -> None:
    bench = returned()
    shown = polka(A, "bcd", round_=1)

    bench.feed(proposal(A, round_=ROUND, valid_round=1, shown=shown), validated(A))
    assert bench.prevoted(ROUND) == []
    bench.feed(prevote("d", A, round_=ROUND), prevote("c", A, round_=ROUND))

    assert bench.prevoted(ROUND) == [A]


def test_prevotes_of_another_round_are_no_witness() -> None:
    bench = returned()

    bench.feed(proposal(A, round_=ROUND), validated(A))
    bench.feed(*(prevote(name, A, round_=ROUND - 1) for name in "cd"))

    assert bench.prevoted(ROUND) == []


def test_an_invalid_block_is_prevoted_nil_without_waiting() -> None:
    bench = returned().feed(proposal(A, round_=ROUND), validated(A, valid=False))

    assert bench.prevoted(ROUND) == [None]


def test_it_precommits_and_decides_as_everybody_does() -> None:
    bench = returned().feed(proposal(A, round_=ROUND), validated(A))

    bench.feed(*(prevote(name, A, round_=ROUND) for name in "cd"))
    assert bench.precommitted(ROUND) == [A]
    bench.feed(*(precommit(name, A, round_=ROUND) for name in "cd"))

    assert bench.engine.round_step is Step.DECIDED


def call(round_: int = 3, by: str = "c") -> RoundCalled:
    return RoundCalled(height=Height(1), round=Round(round_), validator=ValidatorId(by))


def test_a_call_is_durable_at_once_and_its_callers_first_vote_there_draws() -> None:
    bench = Bench().start()

    bench.feed(call())
    assert [effect.entries for effect in bench.did(Persist)] == [(call(),)]
    assert (bench.engine.round, bench.engine.called_round) == (0, 3)
    bench.feed(prevote("d", None, round_=3))
    assert bench.engine.round == 0
    bench.feed(precommit("c", None, round_=3))

    assert bench.engine.round == 3
    assert str(call()) == "called 1/3 by c"


def test_who_followed_a_call_repeats_the_vote_that_drew_for_those_who_have_not_heard_it() -> None:
    """Seed 412234125077: the caller's links led to one of the others only."""
    follower, other = Bench().start(), Bench().start()
    for bench in (follower, other):
        bench.feed(call())
    follower.feed(prevote("c", None, round_=3))
    assert (follower.engine.round, other.engine.round) == (3, 0)

    repeated = follower.engine.resend()
    assert prevote("c", None, round_=3) in repeated
    other.feed(*repeated)

    assert other.engine.round == 3


def test_a_vote_that_came_before_the_call_draws_when_it_comes() -> None:
    bench = Bench().start().feed(precommit("c", None, round_=3))
    assert bench.engine.round == 0

    bench.feed(call())

    assert bench.engine.round == 3


def test_a_lower_call_one_of_a_stranger_and_one_after_the_decision_change_nothing() -> None:
    bench = Bench().start().feed(call(5))

    for late in (call(5), call(4), call(9, by="x")):
        bench.feed(late)
        assert bench.effects == []
    bench.feed(proposal(A), validated(A), *(precommit(name, A) for name in "bcd"))
    assert bench.engine.round_step is Step.DECIDED
    bench.feed(call(8))

    assert bench.effects == []
    assert bench.engine.called_round == 5


def test_a_call_is_replayed() -> None:
    engine = make_engine()
    engine.step(start())

    engine.replay([call(), receive(prevote("c", None, round_=3))])

    assert (engine.round, engine.called_round) == (3, 3)


def test_a_replay_from_the_same_start_waits_for_the_same_witnesses() -> None:
    bench = returned()
    bench.feed(proposal(A, round_=ROUND), validated(A), prevote("c", A, round_=ROUND))
    bench.feed(elapsed(Step.PROPOSE, ROUND))
    log = [entry for effect in bench.did(Persist) for entry in effect.entries]
    assert bench.prevoted(ROUND) == [None]

    engine = make_engine()
    engine.step(start(round_=ROUND, witnesses="cd"))
    effects: tuple[Effect, ...] = engine.replay(log)

    assert engine.round == ROUND
    assert [effect.vote.block_id for effect in only(SignVote, effects)] == [None]
