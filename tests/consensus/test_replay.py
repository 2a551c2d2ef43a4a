"""After a crash at any input: the same state as when the log was written, the same signatures."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consensus import (
    BuildBlock,
    CertificateReceived,
    Decide,
    Effect,
    Engine,
    EngineMisuse,
    FaultModel,
    Input,
    InvariantViolation,
    Persist,
    Proposal,
    ReportEvidence,
    RoundState,
    ScheduleTimeout,
    SignProposal,
    SignVote,
    Step,
    Timeout,
    TimeoutElapsed,
    ValidateBlock,
    Vote,
    VoteType,
)
from tests.consensus.builders import (
    A,
    B,
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
    vote,
)
from tests.consensus.builders import built as block_built

ROUNDS = 12
"""Two rounds ahead are counted, so most of these are far ahead at first."""


def replayed(engine: Engine, log: list[Input]) -> tuple[Effect, ...]:
    """Start the height and replay."""
    engine.step(start())
    return engine.replay(log)


class Disk:
    """Steps an engine as the shell does: what is persisted, and what was asked to be signed."""

    def __init__(self, validator: str, model: FaultModel = FaultModel.BYZANTINE) -> None:
        self.validator = validator
        self.model = model
        self.log: list[Input] = []
        self.stood: RoundState | None = None
        self.requests: dict[tuple[int, int], Vote | Proposal] = {}
        self.unsigned: list[SignVote | SignProposal] = []
        self.timers: list[Timeout] = []
        self.engine = self._make()
        self.do(self.engine.step(start()))

    def do(self, effects: tuple[Effect, ...]) -> None:
        """Persist, and remember what is asked for; the same position never asks for two things."""
        for effect in effects:
            if isinstance(effect, Persist):
                self.log += effect.entries
                self.stood = self.engine.state
            elif isinstance(effect, ScheduleTimeout):
                self.timers.append(effect.timeout)
            elif isinstance(effect, SignVote | SignProposal):
                asked = effect.vote if isinstance(effect, SignVote) else effect.proposal
                kind = int(asked.kind) if isinstance(asked, Vote) else 0
                assert self.requests.setdefault((asked.round, kind), asked) == asked
                self.unsigned.append(effect)

    def crash(self) -> None:
        """Lose everything but the disk."""
        self.engine, self.unsigned, self.timers = self._make(), [], []
        self.do(replayed(self.engine, self.log))
        if self.stood is not None:
            assert self.engine.state == self.stood

    def _make(self) -> Engine:
        return make_engine(self.validator, model=self.model, rounds_ahead_max=2, rounds_kept_max=2)


rounds = st.integers(0, ROUNDS)
blocks = st.sampled_from([A, B])
peers_votes = st.builds(
    lambda kind, author, block_id, round_: receive(vote(kind, author, block_id, round_=round_)),
    st.sampled_from(VoteType),
    st.sampled_from("bcd"),
    st.sampled_from([A, A, B, None]),
    rounds | st.integers(0, 2),
)
proposals = st.builds(
    lambda block_id, round_: receive(proposal(block_id, round_=round_)), blocks, rounds
)
repeated_proposals = st.builds(
    lambda block_id, round_, valid_round, shown: receive(
        proposal(
            block_id,
            round_=max(round_, valid_round + 1),
            valid_round=valid_round,
            shown=polka(block_id, "bcd", round_=valid_round) if shown else None,
        )
    ),
    blocks,
    rounds,
    st.integers(0, 3),
    st.booleans(),
)
inputs = st.one_of(
    peers_votes,
    peers_votes,
    proposals,
    repeated_proposals,
    st.builds(
        lambda block_id, valid, ignore: validated(block_id, valid, ignore_clock=ignore),
        blocks,
        st.just(True) | st.booleans(),
        st.booleans(),
    ),
    st.builds(block_built, blocks, rounds),
    st.builds(lambda round_: decided_by(A, "bcd", round_=round_), rounds),
)


@settings(max_examples=1_000)
@given(
    validator=st.sampled_from("ab"),
    model=st.sampled_from(FaultModel),
    events=st.lists(
        inputs | st.sampled_from(["sign", "sign", "timer", "timer", "crash"]), max_size=80
    ),
)
def test_a_crash_anywhere_gives_the_same_lock_and_the_same_signatures(
    validator: str, model: FaultModel, events: list[Input | str]
) -> None:
    disk = Disk(validator, model)
    try:
        for event in events:
            if event == "crash":
                disk.crash()
            elif event == "sign":
                if disk.unsigned:
                    disk.do(disk.engine.step(signed(disk.unsigned.pop(0))))
            elif event == "timer":
                if disk.timers:
                    timeout = disk.timers.pop()
                    disk.do(disk.engine.step(TimeoutElapsed(timeout=timeout)))
            else:
                assert not isinstance(event, str)
                disk.do(disk.engine.step(event))
        disk.crash()
    except InvariantViolation:
        # More quorums than honest validators make: the node stops, which is what it must do.
        return


@pytest.mark.adversarial(15)
def test_votes_far_ahead_are_logged_only_when_they_move_us() -> None:
    disk = Disk("a")
    for given_ in (
        receive(prevote("b", A, round_=9)),
        receive(prevote("b", A, round_=10)),
        receive(prevote("c", A, round_=8)),
        elapsed(Step.PROPOSE, 8),
    ):
        disk.do(disk.engine.step(given_))

    logged = [str(entry) for entry in disk.log]
    assert logged[:2] == [
        "received prevote 1/10 41414141 by b",
        "received prevote 1/8 41414141 by c",
    ]
    disk.crash()
    assert disk.engine.round == 8


def waiting(effects: tuple[Effect, ...]) -> list[str]:
    return [str(effect) for effect in effects]


def test_an_empty_log_asks_for_what_the_start_asked_for() -> None:
    for validator in "ab":
        fresh = make_engine(validator)
        expected = fresh.step(start())

        assert replayed(make_engine(validator), []) == expected


def test_a_validation_that_was_not_answered_is_asked_for_again_as_it_was() -> None:
    log: list[Input] = [receive(proposal(A))]
    assert waiting(replayed(make_engine(), log))[0] == "validate 1/0 41414141"

    log = [CertificateReceived(certificate=certificate(A, "bcd", round_=3))]
    assert waiting(replayed(make_engine(), log))[0] == "validate 1/3 41414141 ignoring the clock"


def test_a_block_found_invalid_is_not_asked_for_again() -> None:
    log: list[Input] = [receive(proposal(A)), validated(A, False)]

    assert only(ValidateBlock, replayed(make_engine(), log)) == []


def test_every_block_that_counts_is_asked_for_again() -> None:
    """Locked on A since round 0; B became valid in round 1 after we had precommitted nil."""
    log: list[Input] = [
        receive(proposal(A)),
        validated(A),
        *(receive(prevote(name, A)) for name in "bcd"),
        *(receive(precommit(name, None)) for name in "bcd"),
        elapsed(Step.PRECOMMIT),
        receive(proposal(B, round_=1)),
        validated(B),
        receive(prevote("a", None, round_=1)),
        receive(prevote("b", B, round_=1)),
        receive(prevote("c", B, round_=1)),
        elapsed(Step.PREVOTE, 1),
        receive(prevote("d", B, round_=1)),
    ]
    asked = [(B, 1), (A, 0)]

    engine = make_engine()
    asks = only(ValidateBlock, replayed(engine, log))
    assert (engine.locked_block_id, engine.valid_block_id) == (A, B)
    assert [(ask.block_id, ask.round) for ask in asks] == asked
    assert all(ask.ignore_clock for ask in asks)

    log += [*(receive(precommit(name, None, round_=1)) for name in "bcd")]
    log += [elapsed(Step.PRECOMMIT, 1)]
    asks = only(ValidateBlock, replayed(make_engine(), log))
    assert [(ask.block_id, ask.round) for ask in asks] == asked


def test_our_own_block_that_was_not_proposed_yet_is_asked_for_again() -> None:
    effects = replayed(make_engine("b"), [block_built(A)])

    assert [ask.block_id for ask in only(ValidateBlock, effects)] == [A]
    assert waiting(effects)[-1] == "sign proposal 1/0 41414141 by b"


def test_the_verdict_before_the_crash_stands_whatever_the_application_says_now() -> None:
    engine = make_engine()
    replayed(engine, [receive(proposal(A)), validated(A)])

    assert engine.step(validated(A, False, ignore_clock=True)) == ()
    assert engine.step(validated(A, ignore_clock=True)) == ()


def test_timers_that_ran_run_again() -> None:
    def timers(log: list[Input]) -> list[str]:
        return [str(t.timeout) for t in only(ScheduleTimeout, replayed(make_engine(), log))]

    prevoted: list[Input] = [elapsed(Step.PROPOSE)]
    assert timers([]) == ["propose 1/0"]
    assert timers(prevoted) == []
    prevoted += [receive(prevote("b", A)), receive(prevote("c", None)), receive(prevote("d", B))]
    assert timers(prevoted) == ["prevote 1/0"]
    prevoted += [receive(precommit(name, None)) for name in "bcd"]
    assert timers(prevoted) == ["prevote 1/0", "precommit 1/0"]


def test_a_block_that_was_being_built_is_built_again() -> None:
    assert only(BuildBlock, replayed(make_engine("b"), [])) != []
    assert only(BuildBlock, replayed(make_engine("b"), [elapsed(Step.PROPOSE)])) == []
    next_round: list[Input] = [*(receive(precommit(name, None)) for name in "acd")]
    next_round.append(elapsed(Step.PRECOMMIT))
    assert only(BuildBlock, replayed(make_engine("b"), next_round)) == []


def test_only_signatures_of_the_present_round_are_asked_for_again() -> None:
    log: list[Input] = [
        elapsed(Step.PROPOSE),
        *(receive(precommit(name, None)) for name in "bcd"),
        elapsed(Step.PRECOMMIT),
        elapsed(Step.PROPOSE, 1),
    ]

    effects = replayed(make_engine(), log)

    assert [str(e) for e in only(SignVote, effects)] == ["sign prevote 1/1 nil by a"]


def test_evidence_is_reported_again() -> None:
    log: list[Input] = [receive(prevote("d", A)), receive(prevote("d", B))]

    effects = replayed(make_engine(), log)

    assert [e.equivocation.validator for e in only(ReportEvidence, effects)] == ["d"]


def test_a_decision_in_the_log_is_returned_again() -> None:
    log: list[Input] = [
        receive(proposal(A)),
        validated(A),
        *(receive(precommit(name, A)) for name in "bcd"),
    ]

    effects = replayed(make_engine(), log)

    assert [effect.block_id for effect in only(Decide, effects)] == [A]
    assert len(effects) == 1


def test_a_proposal_with_a_valid_round_shows_its_prevotes_again() -> None:
    log: list[Input] = [
        receive(proposal(A)),
        validated(A),
        *(receive(prevote(name, A)) for name in "abd"),
        *(receive(precommit(name, None)) for name in "abd"),
        elapsed(Step.PRECOMMIT),
    ]

    effects = replayed(make_engine("c"), log)

    (request,) = only(SignProposal, effects)
    assert request.polka == polka(A, "abd")


def test_nothing_is_persisted_twice() -> None:
    engine = make_engine()
    replayed(engine, [receive(proposal(A)), validated(A), receive(precommit("d", A))])

    effects = [e for name in "bc" for e in engine.step(receive(prevote(name, A)))]
    effects += engine.step(receive(prevote("d", A)))

    (persist,) = only(Persist, effects)
    assert len(persist.entries) == 3


@pytest.mark.parametrize(
    "log",
    [[start()], [receive(prevote("b", A, height=2))], [elapsed(Step.PROPOSE, height=7)]],
    ids=["a start", "the next height", "another height"],
)
def test_a_log_of_another_height_is_refused(log: list[Input]) -> None:
    engine = make_engine()
    engine.step(start())

    with pytest.raises(EngineMisuse, match="the log of height 1 holds"):
        engine.replay(log)


def test_a_log_is_replayed_once_and_first() -> None:
    engine = make_engine()
    engine.step(start())
    engine.step(receive(prevote("b", A)))
    with pytest.raises(EngineMisuse):
        engine.replay([])

    engine = make_engine()
    engine.step(start(1, make_validators(4)))
    engine.replay([])
    with pytest.raises(EngineMisuse):
        engine.replay([])

    engine = make_engine()
    engine.step(start())
    engine.step(receive(prevote("b", A, height=2)))
    engine.step(start(2))
    with pytest.raises(EngineMisuse):
        engine.replay([])
