"""Algorithm 1 of arXiv:1807.04938, line by line: the name of a test says which lines it holds.

All are told by validator a of four; the proposers of rounds 0 to 3 of height 1 are b, c, d, a.
"""

import re

import pytest

from consensus import (
    Broadcast,
    BuildBlock,
    CertificateReceived,
    Decide,
    FaultModel,
    ScheduleTimeout,
    Step,
    ValidateBlock,
)
from tests.consensus.builders import (
    A,
    B,
    Bench,
    built,
    certificate,
    elapsed,
    make_validators,
    polka,
    precommit,
    prevote,
    proposal,
    validated,
)

PROPOSE, PREVOTE, PRECOMMIT = Step.PROPOSE, Step.PREVOTE, Step.PRECOMMIT


def at_prevote(validator: str = "a") -> Bench:
    """Round 0, A proposed and prevoted."""
    return Bench(validator).start().feed(proposal(A), validated(A))


def locked_on_a() -> Bench:
    """Round 0 has locked us on A, and we are in round 1, without a proposal."""
    bench = at_prevote().feed(prevote("b", A), prevote("c", A))
    assert bench.engine.locked_round == 0
    return bench.feed(*(precommit(name, None) for name in "bcd"), elapsed(PRECOMMIT))


def timers(bench: Bench) -> list[Step]:
    return [effect.timeout.step for effect in bench.did(ScheduleTimeout)]


def test_l01_l09_nothing_is_locked_valid_or_decided_in_the_beginning() -> None:
    engine = Bench().start().engine

    assert (engine.height, engine.round, engine.round_step) == (1, 0, PROPOSE)
    assert (engine.locked_block_id, engine.locked_round) == (None, None)
    assert (engine.valid_block_id, engine.valid_round) == (None, None)


def test_l10_starting_starts_round_0() -> None:
    bench = Bench().start()

    (timer,) = bench.did(ScheduleTimeout)
    assert (timer.timeout.height, timer.timeout.round, timer.timeout.step) == (1, 0, PROPOSE)


def test_l11_l13_a_new_round_begins_at_step_propose() -> None:
    bench = at_prevote().feed(*(precommit(name, None) for name in "bcd"), elapsed(PRECOMMIT))

    assert (bench.engine.round, bench.engine.round_step) == (1, PROPOSE)


def test_l14_l17_l18_l19_the_proposer_proposes_a_new_value_when_it_knows_no_valid_one() -> None:
    bench = Bench("b").start()
    assert [(e.height, e.round) for e in bench.did(BuildBlock)] == [(1, 0)]

    bench.feed(built(A))

    (made,) = bench.proposals
    assert (made.height, made.round, made.block_id, made.valid_round) == (1, 0, A, None)
    assert proposal(A) in [effect.message for effect in bench.did(Broadcast)]


def test_l15_l16_the_proposer_proposes_its_valid_value_with_its_round() -> None:
    bench = Bench("c").start().feed(proposal(A), validated(A))
    bench.feed(prevote("a", A), prevote("b", A))  # c locks in round 0, and proposes in round 1.

    bench.feed(*(precommit(name, None) for name in "abd"), elapsed(PRECOMMIT))

    assert bench.did(BuildBlock) == []
    (made,) = bench.proposals
    assert (made.round, made.block_id, made.valid_round) == (1, A, 0)
    shown = proposal(A, round_=1, valid_round=0, shown=polka(A))
    assert shown in [effect.message for effect in bench.did(Broadcast)]


def test_l20_l21_everybody_else_waits_for_the_proposal() -> None:
    bench = Bench().start()

    assert timers(bench) == [PROPOSE]
    assert bench.did(BuildBlock) == []


def test_l22_l23_l24_a_valid_proposal_is_prevoted() -> None:
    bench = Bench().start().feed(proposal(A))
    assert bench.votes == []  # Not before the application has judged it.

    bench.feed(validated(A))

    assert bench.prevoted() == [A]


def test_l22_only_the_proposer_of_the_round_is_heard() -> None:
    bench = Bench().start().feed(proposal(A, by="c"), validated(A))

    assert bench.did(ValidateBlock) == []
    assert bench.votes == []


def test_l23_the_locked_value_is_prevoted_again() -> None:
    bench = locked_on_a().feed(proposal(A, round_=1))

    assert bench.prevoted(1) == [A]


def test_l25_l26_an_invalid_proposal_is_answered_with_nil() -> None:
    bench = Bench().start().feed(proposal(A), validated(A, False))

    assert bench.prevoted() == [None]


def test_l25_l26_another_value_than_the_locked_one_is_answered_with_nil() -> None:
    bench = locked_on_a().feed(proposal(B, round_=1), validated(B))

    assert bench.prevoted(1) == [None]


def test_l27_after_that_we_are_at_step_prevote() -> None:
    assert at_prevote().engine.round_step is PREVOTE


def test_l28_l29_l30_a_repeated_proposal_is_prevoted_once_its_prevotes_have_come() -> None:
    bench = Bench().start().feed(*(precommit(name, None) for name in "bcd"), elapsed(PRECOMMIT))
    bench.feed(proposal(A, round_=1, valid_round=0), validated(A, ignore_clock=True))
    assert bench.votes == []

    bench.feed(prevote("b", A), prevote("c", A), prevote("d", A))

    assert bench.prevoted(1) == [A]


def test_l29_a_later_quorum_frees_from_the_lock() -> None:
    bench = locked_on_a()  # In round 0.
    bench.feed(*(precommit(name, None, round_=1) for name in "bcd"), elapsed(PRECOMMIT, 1))

    bench.feed(
        proposal(B, round_=2, valid_round=1, shown=polka(B, "bcd", round_=1)),
        validated(B, ignore_clock=True),
    )

    assert bench.prevoted(2) == [B]


def test_l29_the_locked_value_is_prevoted_whatever_its_valid_round() -> None:
    bench = locked_on_a().feed(proposal(A, round_=1), prevote("b", A, round_=1))
    bench.feed(prevote("c", A, round_=1))  # Locked on A anew, in round 1.
    bench.feed(*(precommit(name, None, round_=1) for name in "bcd"), elapsed(PRECOMMIT, 1))

    bench.feed(proposal(A, round_=2, valid_round=0, shown=polka(A)))

    assert bench.prevoted(2) == [A]


@pytest.mark.adversarial(4)
def test_l31_l32_an_earlier_quorum_does_not_free_from_the_lock() -> None:
    bench = Bench().start().feed(*(precommit(n, None) for n in "bcd"), elapsed(PRECOMMIT))
    bench.feed(proposal(A, round_=1), validated(A))
    bench.feed(prevote("b", A, round_=1), prevote("c", A, round_=1))  # Locked in round 1.
    bench.feed(*(precommit(n, None, round_=1) for n in "bcd"), elapsed(PRECOMMIT, 1))

    bench.feed(
        proposal(B, round_=2, valid_round=0, shown=polka(B, "bcd")),
        validated(B, ignore_clock=True),
    )

    assert bench.prevoted(2) == [None]


def test_l31_l32_an_invalid_value_is_not_prevoted_whoever_did() -> None:
    bench = Bench().start().feed(*(precommit(name, None) for name in "bcd"), elapsed(PRECOMMIT))

    bench.feed(proposal(A, round_=1, valid_round=0, shown=polka(A, "bcd")))
    bench.feed(validated(A, False, ignore_clock=True))

    assert bench.prevoted(1) == [None]


def test_l33_after_that_we_are_at_step_prevote() -> None:
    bench = locked_on_a().feed(proposal(A, round_=1, valid_round=0, shown=polka(A)))

    assert bench.prevoted(1) == [A]
    assert bench.engine.round_step is PREVOTE


def test_l34_l35_a_quorum_of_prevotes_starts_their_timer_once() -> None:
    bench = at_prevote().feed(prevote("b", B))
    assert timers(bench) == []

    bench.feed(prevote("c", None))
    assert timers(bench) == [PREVOTE]

    bench.feed(prevote("d", None))
    assert timers(bench) == []


def test_l34_not_before_we_have_prevoted_ourselves() -> None:
    bench = Bench().start().feed(prevote("b", A), prevote("c", B), prevote("d", None))
    assert timers(bench) == []

    bench.feed(elapsed(PROPOSE))

    assert timers(bench) == [PREVOTE]


def test_l36_l37_l40_l41_a_quorum_of_prevotes_for_the_proposal_is_precommitted() -> None:
    bench = at_prevote().feed(prevote("b", A))
    assert bench.precommitted() == []

    bench.feed(prevote("c", A))

    assert bench.precommitted() == [A]
    assert bench.engine.round_step is PRECOMMIT


def test_l36_needs_the_proposal_and_its_validity() -> None:
    bench = Bench().start().feed(elapsed(PROPOSE), *(prevote(name, A) for name in "bcd"))
    assert bench.precommitted() == []

    bench.feed(proposal(A))
    assert bench.precommitted() == []

    bench.feed(validated(A))
    assert bench.precommitted() == [A]


def test_l38_l39_whoever_precommits_is_locked() -> None:
    engine = at_prevote().feed(prevote("b", A), prevote("c", A)).engine

    assert (engine.locked_block_id, engine.locked_round) == (A, 0)


@pytest.mark.adversarial(7)
def test_l42_l43_the_value_is_valid_even_when_we_precommitted_nil() -> None:
    bench = at_prevote().feed(prevote("b", A), prevote("d", None), elapsed(PREVOTE))
    assert bench.precommitted() == [None]

    engine = bench.feed(prevote("c", A)).engine

    assert bench.precommitted() == [None]
    assert (engine.valid_block_id, engine.valid_round) == (A, 0)
    assert (engine.locked_block_id, engine.locked_round) == (None, None)


def test_l44_l45_l46_a_quorum_of_prevotes_for_nil_is_precommitted() -> None:
    bench = at_prevote().feed(*(prevote(name, None) for name in "bcd"))

    assert bench.precommitted() == [None]
    assert bench.engine.round_step is PRECOMMIT


def test_l47_l48_a_quorum_of_precommits_starts_their_timer_once_at_any_step() -> None:
    bench = Bench().start().feed(precommit("b", A), precommit("c", None))
    assert timers(bench) == []

    bench.feed(precommit("d", None))
    assert timers(bench) == [PRECOMMIT]

    bench.feed(proposal(A), validated(A), elapsed(PROPOSE))
    assert timers(bench) == []


@pytest.mark.parametrize("first", ["prevotes", "precommits"])
def test_l47_l48_l65_l66_l67_a_round_in_which_nothing_was_proposed_is_not_waited_out(
    first: str,
) -> None:
    """Deviation: no lock, no valid value and no decision can come of this round any more."""
    prevotes = [prevote(name, None) for name in "bcd"]
    precommits = [precommit(name, None) for name in "bcd"]
    before, after = (prevotes, precommits) if first == "prevotes" else (precommits, prevotes)
    bench = Bench().start().feed(elapsed(PROPOSE), *before)
    assert bench.engine.round == 0

    bench.feed(*after)

    assert (bench.engine.round, bench.engine.round_step) == (1, PROPOSE)
    assert bench.precommitted() == [None]  # It had its say.
    assert timers(bench)[-1] is PROPOSE
    assert timers(bench)[:-1] == []


def test_l47_l48_the_wait_stays_where_something_was_proposed() -> None:
    nil = [vote(name, None) for vote in (prevote, precommit) for name in "bcd"]
    bench = Bench().start().feed(proposal(A), validated(A, False), *nil)

    assert bench.engine.round == 0
    assert timers(bench) == [PRECOMMIT]


def test_l47_l48_the_wait_stays_where_a_block_may_be_prevoted() -> None:
    """Whoever saw a quorum for it is locked, and the next proposer should hear of it in time."""
    some = [prevote("b", A), prevote("c", None), prevote("d", None)]
    bench = Bench().start().feed(*some, *(precommit(name, None) for name in "bcd"))

    assert bench.engine.round == 0
    assert timers(bench) == [PRECOMMIT]


def test_l49_l50_l51_a_quorum_of_precommits_for_a_valid_value_decides_it() -> None:
    bench = at_prevote().feed(precommit("b", A), precommit("c", A))
    assert bench.did(Decide) == []

    bench.feed(precommit("d", A))

    (decide,) = bench.did(Decide)
    assert (decide.height, decide.block_id) == (1, A)
    assert decide.certificate == certificate(A, "bcd")


@pytest.mark.adversarial(8)
def test_l49_the_quorum_may_be_of_any_round() -> None:
    bench = at_prevote().feed(*(precommit(name, None, round_=1) for name in "bc"))
    assert bench.engine.round == 1

    bench.feed(*(precommit(name, A) for name in "bcd"))

    assert [decide.block_id for decide in bench.did(Decide)] == [A]


def test_l49_a_certificate_stands_for_the_quorum() -> None:
    bench = at_prevote()

    bench.feed(CertificateReceived(certificate=certificate(A, "bcd", round_=5)))

    assert [decide.certificate.round for decide in bench.did(Decide)] == [5]


@pytest.mark.adversarial(9)
def test_l50_what_is_not_known_to_be_valid_is_not_decided() -> None:
    bench = Bench().start().feed(*(precommit(name, A) for name in "bcd"))
    assert bench.did(Decide) == []
    assert [effect.block_id for effect in bench.did(ValidateBlock)] == [A]

    bench.feed(validated(A, ignore_clock=True))

    assert [decide.block_id for decide in bench.did(Decide)] == [A]


def test_l52_l53_l54_the_next_height_starts_afresh() -> None:
    bench = at_prevote().feed(prevote("b", A), prevote("c", A))
    bench.feed(*(precommit(name, A) for name in "bcd"))

    engine = bench.start(2).engine

    assert (engine.height, engine.round, engine.round_step) == (2, 0, PROPOSE)
    assert (engine.locked_round, engine.valid_round) == (None, None)
    assert engine.resend() == ()


@pytest.mark.adversarial(14)
def test_l55_l56_the_honest_threshold_in_a_higher_round_starts_it() -> None:
    bench = Bench().start().feed(prevote("b", A, round_=3), prevote("b", None, round_=2))
    assert bench.engine.round == 0

    bench.feed(precommit("c", None, round_=3))

    assert bench.engine.round == 3
    assert bench.engine.round_step is PROPOSE


def test_l55_one_who_cannot_lie_is_enough_in_the_crash_model() -> None:
    bench = Bench(model=FaultModel.CRASH).start(validators=make_validators(3))

    bench.feed(prevote("b", None, round_=4))

    assert bench.engine.round == 4


def test_l57_l58_l59_l60_no_proposal_in_time_is_answered_with_nil() -> None:
    bench = Bench().start().feed(elapsed(PROPOSE))

    assert bench.prevoted() == [None]
    assert bench.engine.round_step is PREVOTE
    assert bench.feed(elapsed(PROPOSE)).did(Broadcast) == []


def test_l58_l62_l66_a_timer_of_another_height_or_round_does_nothing() -> None:
    bench = Bench().start()

    bench.feed(*(elapsed(step, 1) for step in (PROPOSE, PREVOTE, PRECOMMIT)))
    bench.feed(*(elapsed(step, height=2) for step in (PROPOSE, PREVOTE, PRECOMMIT)))

    assert (bench.engine.round, bench.engine.round_step, bench.votes) == (0, PROPOSE, [])


def test_l61_l62_l63_l64_no_agreement_of_prevotes_in_time_is_answered_with_nil() -> None:
    bench = at_prevote().feed(prevote("b", None), prevote("c", A), elapsed(PREVOTE))

    assert bench.precommitted() == [None]
    assert bench.engine.round_step is PRECOMMIT
    assert bench.engine.locked_round is None


def test_l65_l66_l67_no_agreement_of_precommits_in_time_starts_the_next_round() -> None:
    bench = at_prevote().feed(precommit("b", A), precommit("c", None), precommit("d", None))

    bench.feed(elapsed(PRECOMMIT))

    assert (bench.engine.round, bench.engine.round_step) == (1, PROPOSE)
    assert timers(bench) == [PROPOSE]


def test_no_line_of_the_paper_is_without_a_test() -> None:
    held: set[int] = set()
    for name in globals():
        lines = [int(line) for line in re.findall(r"_l(\d\d)(?=_)", name)]
        if name == "test_l01_l09_nothing_is_locked_valid_or_decided_in_the_beginning":
            lines = list(range(1, 10))
        if name == "test_l11_l13_a_new_round_begins_at_step_propose":
            lines = [11, 12, 13]
        held.update(lines)

    assert sorted(set(range(1, 68)) - held) == []
