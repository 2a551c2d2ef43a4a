"""The engine across heights: what it takes, holds, refuses and repeats."""

import pytest

from consensus import (
    Broadcast,
    BuildBlock,
    CertificateReceived,
    Decide,
    Effect,
    Engine,
    EngineMisuse,
    FaultModel,
    Height,
    Input,
    InvariantViolation,
    Persist,
    ReportEvidence,
    Round,
    SignProposal,
    SignVote,
    Step,
    ValidateBlock,
    Validator,
    ValidatorId,
    ValidatorSet,
)
from consensus.errors import ConflictingQuorums, DecidedBlockInvalid
from consensus.types import HEIGHT_MAX, ROUND_MAX
from tests.consensus.builders import (
    LETTERS,
    NETWORK,
    A,
    B,
    Bench,
    C,
    block,
    built,
    certificate,
    decided_by,
    elapsed,
    make_engine,
    make_validators,
    only,
    polka,
    precommit,
    prevote,
    proposal,
    receive,
    signed,
    start,
    validated,
)


def effects_of(engine: Engine, *inputs: Input) -> list[Effect]:
    return [effect for given in inputs for effect in engine.step(given)]


# Before the first height, and from one to the next.


def test_nothing_happens_before_the_first_height() -> None:
    engine = make_engine()

    assert engine.height == 0
    assert engine.step(receive(prevote("b", A))) == ()
    assert engine.resend() == ()
    assert engine.blocks == frozenset()
    with pytest.raises(EngineMisuse):
        _ = engine.state
    with pytest.raises(EngineMisuse):
        engine.replay(())


def test_it_says_in_whose_name_it_acts() -> None:
    engine = make_engine("a")

    assert (engine.validator_id, engine.network) == ("a", NETWORK)
    assert engine.params.fault_model is FaultModel.BYZANTINE
    assert make_engine(None).validator_id is None


@pytest.mark.parametrize("height", [1, 2])
def test_a_height_that_is_not_above_the_present_one_is_a_bug_of_the_shell(height: int) -> None:
    engine = make_engine()
    engine.step(start(2))

    with pytest.raises(EngineMisuse):
        engine.step(start(height))


def test_a_height_may_be_left_undecided_after_catching_up() -> None:
    bench = Bench().start().feed(proposal(A), validated(A), prevote("b", A), prevote("c", A))
    assert bench.engine.locked_round == 0

    bench.start(HEIGHT_MAX)

    assert bench.engine.height == HEIGHT_MAX
    assert bench.engine.locked_round is None


@pytest.mark.adversarial(16)
def test_a_vote_for_another_height_is_held_if_it_is_the_next_and_ignored_otherwise() -> None:
    engine = make_engine()
    engine.step(start(2))

    for height in (1, 4, 1_000_000, HEIGHT_MAX):
        assert engine.step(receive(prevote("b", A, height=height))) == ()
    for name in "bcd":
        assert engine.step(receive(precommit(name, A, height=3))) == ()

    effects = engine.step(start(3))
    assert [effect.block_id for effect in only(ValidateBlock, effects)] == [A]


@pytest.mark.adversarial(15, 16)
def test_what_is_held_for_the_next_height_is_bounded_for_each_validator() -> None:
    engine = make_engine(early_messages_max=3)
    engine.step(start())

    for round_ in range(1000):
        engine.step(receive(prevote("d", A, round_=round_, height=2)))
        engine.step(receive(proposal(A, round_=round_, height=2)))
        engine.step(receive(prevote("d", A, height=2)))  # Again and again: held once.
    for name in ("stranger", "e"):
        engine.step(receive(prevote(name, A, height=2)))

    held = {name: len(messages) for name, messages in engine._early.items()}
    assert set(held) == {"a", "b", "c", "d"}
    assert max(held.values()) == 3


def test_what_was_held_for_a_height_that_is_skipped_is_forgotten() -> None:
    engine = make_engine()
    engine.step(start())
    for name in "bcd":
        engine.step(receive(precommit(name, A, height=2)))

    assert only(ValidateBlock, engine.step(start(3))) == []


@pytest.mark.adversarial(16)
def test_inputs_of_the_shell_for_another_height_are_ignored() -> None:
    engine = make_engine("b")
    engine.step(start(5))

    for height in (4, 6):
        for given in (
            built(A, height=height),
            validated(A, height=height),
            elapsed(Step.PROPOSE, height=height),
            decided_by(A, height=height),
        ):
            assert engine.step(given) == ()


# Who is in the set, and who is not.


@pytest.mark.parametrize("validator", [None, "x"])
def test_who_is_not_in_the_set_follows_without_a_signature_a_block_or_a_log(
    validator: str | None,
) -> None:
    bench = Bench(validator).start()
    seen = list(bench.effects)
    for given in (
        proposal(A),
        validated(A),
        *(prevote(name, A) for name in "bcd"),
        *(precommit(name, None) for name in "bcd"),
        elapsed(Step.PRECOMMIT),
        elapsed(Step.PROPOSE, 1),
        *(precommit(name, A, round_=5) for name in "acd"),
    ):
        bench.feed(given)  # type: ignore[arg-type]
        seen += bench.effects

    assert only(Decide, seen)[0].block_id == A
    for kind in (SignVote, SignProposal, BuildBlock, Persist, Broadcast):
        assert only(kind, seen) == []


@pytest.mark.adversarial(23)
def test_a_set_rules_its_height_on_both_sides_of_a_change() -> None:
    engine = make_engine("a")
    four, changed = make_validators(4), make_validators(4, first=1)  # abcd, then bcde.
    engine.step(start(1, four))

    # e counts at height 2 and not at height 1; a the other way round.
    assert effects_of(engine, decided_by(A, "abe"), decided_by(A, "abc")) != []
    engine.step(validated(A, ignore_clock=True))
    engine.step(start(2, changed))
    assert effects_of(engine, decided_by(A, "abc", height=2)) == []
    assert effects_of(engine, decided_by(A, "bce", height=2)) != []


@pytest.mark.adversarial(24)
def test_the_set_shrinks_to_one_and_grows_again_but_never_to_nobody() -> None:
    bench = Bench("d")
    for height, members in enumerate(("abcd", "bcd", "cd", "d", "cd", "abcd"), start=1):
        everybody = make_validators(4)
        validators = ValidatorSet(tuple(v for v in everybody if v.id in members))
        bench.start(height, validators)
        if members == "d":
            bench.feed(built(A, height=height))
        else:
            bench.feed(decided_by(A, members, height=height))
            bench.feed(validated(A, height=height, ignore_clock=True))

        assert [decide.height for decide in bench.did(Decide)] == [height]
    with pytest.raises(ValueError, match="validators"):
        ValidatorSet(())


def test_one_validator_alone_decides_by_itself() -> None:
    bench = Bench("a").start(1, make_validators(1)).feed(built(A))

    (decide,) = bench.did(Decide)
    assert decide.certificate == certificate(A, "a")


# Proposals.


@pytest.mark.adversarial(1)
def test_a_proposal_of_somebody_else_is_ignored() -> None:
    bench = Bench().start()

    for author in ("a", "c", "d", "stranger"):
        assert bench.feed(proposal(B, by=author), validated(B)).effects == []


def test_a_proposal_far_ahead_or_long_past_is_ignored() -> None:
    bench = Bench(rounds_ahead_max=2, rounds_kept_max=1).start()
    bench.feed(*(prevote(name, None, round_=2) for name in "bc"))
    assert bench.engine.round == 2
    driver = bench.engine._driver
    assert driver is not None

    bench.feed(*(proposal(A, round_=round_) for round_ in range(7)))

    kept = [round_ for round_ in range(7) if driver._proposals.get(Round(round_))]
    assert kept == [1, 2, 3, 4]


def test_a_proposal_that_came_before_its_round_is_judged_when_the_round_begins() -> None:
    bench = Bench().start().feed(proposal(A, round_=1))
    assert bench.did(ValidateBlock) == []

    bench.feed(*(precommit(name, None) for name in "bcd"), elapsed(Step.PRECOMMIT))

    assert [(ask.round, ask.block_id) for ask in bench.did(ValidateBlock)] == [(1, A)]


@pytest.mark.adversarial(4, 20)
@pytest.mark.parametrize("names", ["ab", "abe"])
def test_a_proposal_with_a_certificate_that_proves_nothing_is_ignored(names: str) -> None:
    bench = Bench().start().feed(*(prevote(name, None, round_=1) for name in "bc"))
    assert bench.engine.round == 1

    bench.feed(proposal(A, round_=1, valid_round=0, shown=polka(A, names)))

    assert bench.effects == []


@pytest.mark.adversarial(6)
def test_a_proposal_whose_prevotes_are_shown_later_is_prevoted_then() -> None:
    bench = Bench().start().feed(*(prevote(name, None, round_=1) for name in "bc"))
    bench.feed(proposal(A, round_=1, valid_round=0), validated(A, ignore_clock=True))
    assert bench.prevoted(1) == []

    bench.feed(proposal(A, round_=1, valid_round=0, shown=polka(A)))

    assert bench.prevoted(1) == [A]


def test_prevotes_that_a_proposal_shows_for_a_round_ahead_bring_us_there() -> None:
    bench = Bench().start()

    bench.feed(proposal(A, round_=3, valid_round=2, shown=polka(A, round_=2)))

    assert bench.engine.round == 2


@pytest.mark.adversarial(2)
def test_prevotes_that_a_proposal_shows_are_evidence_if_they_contradict() -> None:
    bench = Bench().start().feed(prevote("b", None))
    bench.feed(*(precommit(name, None) for name in "bcd"), elapsed(Step.PRECOMMIT))

    bench.feed(proposal(A, round_=1, valid_round=0, shown=polka(A)))

    assert [effect.equivocation.validator for effect in bench.did(ReportEvidence)] == ["b"]


@pytest.mark.adversarial(1)
def test_our_own_twin_is_reported_and_our_votes_go_on() -> None:
    """Somebody runs with our key: his word came first, ours contradicts it."""
    bench = Bench("b").start().feed(proposal(B), prevote("b", B), validated(B))
    assert [e.equivocation.validator for e in bench.did(ReportEvidence)] == []

    engine = make_engine("b")
    engine.step(start())
    engine.step(receive(proposal(B)))
    (request,) = only(SignProposal, engine.step(built(A)))
    reported = only(ReportEvidence, engine.step(signed(request)))
    assert [effect.equivocation.validator for effect in reported] == ["b"]

    engine = make_engine("a")
    effects_of(engine, start(), receive(prevote("a", B)))
    (asked,) = only(SignVote, engine.step(elapsed(Step.PROPOSE)))
    reported = only(ReportEvidence, engine.step(signed(asked)))
    assert [effect.equivocation.validator for effect in reported] == ["a"]


# Blocks.


def test_an_answer_that_was_not_asked_for_is_ignored() -> None:
    bench = Bench().start()

    assert bench.feed(validated(A), validated(B, False)).effects == []
    assert bench.feed(proposal(A)).did(ValidateBlock) != []


def test_a_block_that_never_comes_costs_the_round_and_no_more() -> None:
    bench = Bench().start().feed(proposal(A), elapsed(Step.PROPOSE))

    assert bench.prevoted() == [None]
    assert bench.feed(validated(A)).effects == []
    assert bench.feed(*(prevote(name, A) for name in "bcd")).engine.locked_block_id == A


@pytest.mark.adversarial(31)
def test_a_block_refused_by_the_clock_is_asked_for_again_when_it_is_proposed_again() -> None:
    bench = Bench().start().feed(proposal(A), validated(A, False))
    assert bench.prevoted() == [None]
    bench.feed(*(precommit(name, None) for name in "bcd"), elapsed(Step.PRECOMMIT))

    bench.feed(proposal(A, round_=1, valid_round=0, shown=polka(A, "bcd")))
    assert [ask.ignore_clock for ask in bench.did(ValidateBlock)] == [True]
    bench.feed(validated(A, ignore_clock=True))

    assert bench.prevoted(1) == [A]


def test_a_quorum_of_prevotes_does_not_lock_what_we_refuse() -> None:
    bench = Bench().start().feed(proposal(A), validated(A, False))

    bench.feed(*(prevote(name, A) for name in "bcd"), elapsed(Step.PREVOTE))

    assert bench.precommitted() == [None]
    assert bench.engine.valid_round is None


@pytest.mark.adversarial(66)
def test_a_decided_block_that_is_invalid_here_stops_the_node() -> None:
    bench = Bench().start().feed(*(precommit(name, A) for name in "bcd"))

    with pytest.raises(DecidedBlockInvalid) as stopped:
        bench.feed(validated(A, False, ignore_clock=True))

    assert isinstance(stopped.value, InvariantViolation)
    assert (stopped.value.height, stopped.value.block_id) == (1, A)
    assert A.hex() in str(stopped.value)


@pytest.mark.adversarial(22)
def test_two_quorums_of_precommits_stop_the_node() -> None:
    bench = Bench().start().feed(*(precommit(name, A) for name in "bcd"))

    with pytest.raises(ConflictingQuorums) as stopped:
        bench.feed(decided_by(B, "bcd", round_=1))

    assert (stopped.value.height, stopped.value.first, stopped.value.second) == (1, A, B)


def test_a_second_quorum_for_the_same_block_is_no_news() -> None:
    bench = Bench().start().feed(*(precommit(name, A) for name in "bcd"))

    assert bench.feed(decided_by(A, "bcd", round_=1)).effects == []


# Certificates.


@pytest.mark.adversarial(9)
def test_a_certificate_decides_when_the_block_has_come() -> None:
    bench = Bench().start().feed(decided_by(A, "abc", round_=7))

    (ask,) = bench.did(ValidateBlock)
    assert (ask.round, ask.block_id, ask.ignore_clock) == (7, A, True)
    bench.feed(validated(A, ignore_clock=True))
    assert bench.did(Decide)[0].certificate == certificate(A, "abc", round_=7)


@pytest.mark.adversarial(20)
@pytest.mark.parametrize(
    "given",
    [
        decided_by(A, "ab"),
        decided_by(A, "abe"),
        CertificateReceived(certificate=polka(A)),
    ],
    ids=["too few", "a stranger", "prevotes"],
)
def test_a_certificate_that_proves_nothing_is_ignored(given: CertificateReceived) -> None:
    assert Bench().start().feed(given).effects == []


# Memory.


@pytest.mark.adversarial(15)
def test_a_hostile_validator_cannot_fill_memory_or_log() -> None:
    engine = make_engine(rounds_ahead_max=3, rounds_kept_max=2)
    engine.step(start())
    persisted = 0
    for number in range(3000):
        for given in (
            receive(prevote("d", block("ABC"[number % 3]), round_=number)),
            receive(precommit("d", None, round_=ROUND_MAX - number)),
            receive(prevote("d", A, round_=number, height=2)),
            receive(proposal(block("ABC"[number % 3]), round_=2)),
            decided_by(A, "dxy"),
        ):
            persisted += sum(len(e.entries) for e in engine.step(given) if isinstance(e, Persist))
    driver = engine._driver
    assert driver is not None

    assert engine.round == 0
    assert len(driver._unpersisted) + persisted < 20
    assert sum(1 for _ in driver._votes.parked) == 1
    assert len(driver._votes._rounds) <= 4


def test_rounds_may_go_on_for_ever() -> None:
    bench = Bench(rounds_kept_max=2).start()
    for round_ in range(300):
        bench.feed(proposal(block(LETTERS[round_ % 26]), round_=round_))
        bench.feed(elapsed(Step.PROPOSE, round_))
        bench.feed(*(prevote(name, None, round_=round_) for name in "bc"))
        bench.feed(*(precommit(name, None, round_=round_) for name in "bc"))
        bench.feed(elapsed(Step.PRECOMMIT, round_))
    driver = bench.engine._driver
    assert driver is not None

    assert bench.engine.round == 300
    assert len(driver._votes._rounds) <= 3
    assert len(driver._proposals._proposals) <= 3
    assert bench.engine.blocks == {block(LETTERS[round_ % 26]) for round_ in (298, 299)}
    assert len(driver._unsigned) == 0


def test_what_is_locked_valid_or_decided_is_known_however_many_rounds_go_by() -> None:
    """The shell keeps the contents of these blocks alone, and a lock may be why nothing else can be
    decided."""
    bench = Bench(rounds_kept_max=2).start()
    bench.feed(proposal(A), validated(A), *(prevote(name, A) for name in "bc"))
    bench.feed(*(precommit(name, None) for name in "bc"), elapsed(Step.PRECOMMIT))
    # Of the next round the quorum is complete only once it is too late to precommit.
    bench.feed(proposal(B, round_=1), validated(B))
    bench.feed(*(prevote(name, B, round_=1) for name in "bc"), elapsed(Step.PREVOTE, 1))
    bench.feed(prevote("d", B, round_=1))
    assert (bench.engine.locked_block_id, bench.engine.valid_block_id) == (A, B)

    def pass_rounds(first: int, stop: int) -> None:
        for round_ in range(first, stop):
            assert bench.engine.round == round_
            assert bench.engine.blocks == known
            bench.feed(elapsed(Step.PROPOSE, round_))
            bench.feed(*(precommit(name, None, round_=round_) for name in "bcd"))
            bench.feed(elapsed(Step.PRECOMMIT, round_))

    known = {A, B}
    pass_rounds(1, 12)
    bench.feed(decided_by(C, "bcd", round_=11))
    assert [ask.block_id for ask in bench.did(ValidateBlock)] == [C]
    known = {A, B, C}
    pass_rounds(12, 24)

    bench.feed(validated(C, ignore_clock=True))
    assert [decision.block_id for decision in bench.did(Decide)] == [C]


def test_the_last_round_is_never_left() -> None:
    bench = Bench().start()
    bench.feed(*(prevote(name, None, round_=ROUND_MAX) for name in "bcd"))
    assert bench.engine.round == ROUND_MAX

    bench.feed(elapsed(Step.PROPOSE, ROUND_MAX))
    bench.feed(*(prevote(name, None, round_=ROUND_MAX) for name in "bcd"))
    bench.feed(*(precommit(name, None, round_=ROUND_MAX) for name in "bcd"))

    assert (bench.engine.round, bench.engine.round_step) == (ROUND_MAX, Step.PRECOMMIT)


def test_our_own_block_may_be_decided_before_we_have_built_it() -> None:
    """We proposed it in an earlier life, of which nothing is left."""
    bench = Bench("b").start().feed(*(precommit(name, A) for name in "acd"))

    bench.feed(built(A))

    assert [decide.block_id for decide in bench.did(Decide)] == [A]
    assert bench.did(SignProposal) == []


def test_validators_may_take_turns_by_another_rule() -> None:
    """Published traces do."""

    def first(validators: ValidatorSet, _height: Height, _round: Round) -> Validator:
        return validators.validators[0]

    engine = Engine(ValidatorId("a"), NETWORK, make_engine().params, proposer=first)

    assert only(BuildBlock, engine.step(start())) != []
