"""The round machine, step by step: every pair of step and input, listed or proven to do nothing."""

from dataclasses import replace
from itertools import product

import pytest

from consensus import BlockId, Height, Round, RoundState, Step, VoteType
from consensus.round import (
    BlockReady,
    CastVote,
    DecideBlock,
    Elapsed,
    FreshProposal,
    GetBlock,
    GoToRound,
    HigherRound,
    NothingProposed,
    PrecommitsForAny,
    PrecommitsForBlock,
    PrevotesForAny,
    PrevotesForBlock,
    PrevotesForNil,
    Propose,
    RepeatedProposal,
    RoundInput,
    RoundOutput,
    StartRound,
    Wait,
    apply,
)
from consensus.types import ROUND_MAX
from tests.consensus.builders import A, B


def state(step: Step = Step.PROPOSE, round_: int = 2, **fields: object) -> RoundState:
    """Height 1, round 2."""
    base = RoundState(height=Height(1), round=Round(round_), step=step)
    return replace(base, **fields)  # type: ignore[arg-type]


def locked(block_id: BlockId, round_: int, step: Step = Step.PROPOSE) -> RoundState:
    """Locked on the block since the round, which is then the valid one too."""
    return state(
        step,
        locked_block_id=block_id,
        locked_round=Round(round_),
        valid_block_id=block_id,
        valid_round=Round(round_),
    )


def prevote(block_id: BlockId | None) -> CastVote:
    return CastVote(kind=VoteType.PREVOTE, block_id=block_id)


def precommit(block_id: BlockId | None) -> CastVote:
    return CastVote(kind=VoteType.PRECOMMIT, block_id=block_id)


def fresh(block_id: BlockId, valid: bool = True) -> FreshProposal:
    return FreshProposal(block_id=block_id, valid=valid)


def repeated(block_id: BlockId, valid_round: int, valid: bool = True) -> RepeatedProposal:
    return RepeatedProposal(block_id=block_id, valid_round=Round(valid_round), valid=valid)


def elapsed(step: Step, round_: int = 2) -> Elapsed:
    return Elapsed(round=Round(round_), step=step)


PROPOSE, PREVOTE, PRECOMMIT, DECIDED = Step.PROPOSE, Step.PREVOTE, Step.PRECOMMIT, Step.DECIDED
START = StartRound(round=Round(3), proposes=False)
START_PROPOSING = StartRound(round=Round(3), proposes=True)
DECISION = PrecommitsForBlock(round=Round(0), block_id=A)

TABLE: list[tuple[str, RoundState, RoundInput, RoundState, tuple[RoundOutput, ...]]] = [
    (
        "a round of another's begins with waiting",
        state(PRECOMMIT, prevote_timer=True, precommit_timer=True),
        START,
        state(PROPOSE, 3),
        (Wait(step=PROPOSE),),
    ),
    (
        "a round of ours begins with asking for a block",
        state(PRECOMMIT),
        START_PROPOSING,
        state(PROPOSE, 3),
        (Wait(step=PROPOSE), GetBlock()),
    ),
    (
        "whoever knows a valid block proposes that",
        locked(A, 1, PRECOMMIT),
        START_PROPOSING,
        replace(locked(A, 1), round=Round(3)),
        (Wait(step=PROPOSE), Propose(block_id=A, valid_round=Round(1))),
    ),
    (
        "the block has come",
        state(),
        BlockReady(block_id=A),
        state(),
        (Propose(block_id=A, valid_round=None),),
    ),
    ("a valid proposal, no lock", state(), fresh(A), state(PREVOTE), (prevote(A),)),
    ("an invalid proposal", state(), fresh(A, False), state(PREVOTE), (prevote(None),)),
    (
        "a valid proposal of what we are locked on",
        locked(A, 1),
        fresh(A),
        locked(A, 1, PREVOTE),
        (prevote(A),),
    ),
    (
        "a valid proposal of something else than our lock",
        locked(A, 1),
        fresh(B),
        locked(A, 1, PREVOTE),
        (prevote(None),),
    ),
    ("a proposal repeated, no lock", state(), repeated(A, 1), state(PREVOTE), (prevote(A),)),
    (
        "an invalid proposal repeated",
        state(),
        repeated(A, 1, False),
        state(PREVOTE),
        (prevote(None),),
    ),
    (
        "another block than our lock, prevoted in a later round",
        locked(A, 0),
        repeated(B, 1),
        locked(A, 0, PREVOTE),
        (prevote(B),),
    ),
    (
        "another block than our lock, prevoted in the same round",
        locked(A, 1),
        repeated(B, 1),
        locked(A, 1, PREVOTE),
        (prevote(B),),
    ),
    (
        "another block than our lock, prevoted in an earlier round",
        locked(A, 1),
        repeated(B, 0),
        locked(A, 1, PREVOTE),
        (prevote(None),),
    ),
    (
        "the block of our lock, prevoted in an earlier round",
        locked(A, 1),
        repeated(A, 0),
        locked(A, 1, PREVOTE),
        (prevote(A),),
    ),
    (
        "a quorum of prevotes starts the timer",
        state(PREVOTE),
        PrevotesForAny(),
        state(PREVOTE, prevote_timer=True),
        (Wait(step=PREVOTE),),
    ),
    (
        "a quorum of prevotes for the proposal locks",
        state(PREVOTE),
        PrevotesForBlock(block_id=A),
        locked(A, 2, PRECOMMIT),
        (precommit(A),),
    ),
    (
        "it moves the lock",
        locked(A, 1, PREVOTE),
        PrevotesForBlock(block_id=B),
        locked(B, 2, PRECOMMIT),
        (precommit(B),),
    ),
    (
        "after the precommit it is valid only",
        locked(A, 1, PRECOMMIT),
        PrevotesForBlock(block_id=B),
        replace(locked(A, 1, PRECOMMIT), valid_block_id=B, valid_round=Round(2)),
        (),
    ),
    (
        "a quorum of prevotes for nil",
        locked(A, 1, PREVOTE),
        PrevotesForNil(),
        locked(A, 1, PRECOMMIT),
        (precommit(None),),
    ),
    *(
        (
            f"a quorum of precommits starts the timer at {step.name}",
            state(step),
            PrecommitsForAny(),
            state(step, precommit_timer=True),
            (Wait(step=PRECOMMIT),),
        )
        for step in (PROPOSE, PREVOTE, PRECOMMIT)
    ),
    *(
        (
            f"a round in which nothing was proposed ends at {step.name}, its timer running or not",
            state(step, precommit_timer=step is PRECOMMIT),
            NothingProposed(),
            state(step, precommit_timer=step is PRECOMMIT),
            (GoToRound(round=Round(3)),),
        )
        for step in (PROPOSE, PREVOTE, PRECOMMIT)
    ),
    *(
        (
            f"a quorum of precommits for a block decides at {step.name}, whatever the lock",
            locked(B, 1, step),
            DECISION,
            locked(B, 1, DECIDED),
            (DecideBlock(round=Round(0), block_id=A),),
        )
        for step in (PROPOSE, PREVOTE, PRECOMMIT)
    ),
    *(
        (
            f"a higher round draws us from {step.name}",
            state(step),
            HigherRound(round=Round(5)),
            state(step),
            (GoToRound(round=Round(5)),),
        )
        for step in (PROPOSE, PREVOTE, PRECOMMIT)
    ),
    (
        "no proposal in time",
        locked(A, 1),
        elapsed(PROPOSE),
        locked(A, 1, PREVOTE),
        (prevote(None),),
    ),
    (
        "no agreement of prevotes in time",
        locked(A, 1, PREVOTE),
        elapsed(PREVOTE),
        locked(A, 1, PRECOMMIT),
        (precommit(None),),
    ),
    *(
        (
            f"no agreement of precommits in time at {step.name}",
            state(step),
            elapsed(PRECOMMIT),
            state(step),
            (GoToRound(round=Round(3)),),
        )
        for step in (PROPOSE, PREVOTE, PRECOMMIT)
    ),
]


@pytest.mark.parametrize(
    ("before", "given", "after", "outputs"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
def test_step(
    before: RoundState, given: RoundInput, after: RoundState, outputs: tuple[RoundOutput, ...]
) -> None:
    transition = apply(before, given)

    assert transition.state == after
    assert transition.outputs == outputs


INPUTS: dict[str, RoundInput] = {
    "BlockReady": BlockReady(block_id=A),
    "FreshProposal": fresh(A),
    "RepeatedProposal": repeated(A, 1),
    "PrevotesForAny": PrevotesForAny(),
    "PrevotesForBlock": PrevotesForBlock(block_id=A),
    "PrevotesForNil": PrevotesForNil(),
    "PrecommitsForAny": PrecommitsForAny(),
    "NothingProposed": NothingProposed(),
    "PrecommitsForBlock": DECISION,
    "HigherRound": HigherRound(round=Round(5)),
    "StartRound": START,
    "StartRound proposing": START_PROPOSING,
    "Elapsed propose": elapsed(PROPOSE),
    "Elapsed prevote": elapsed(PREVOTE),
    "Elapsed precommit": elapsed(PRECOMMIT),
}
"""One of each input that could do something in round 2."""

ACTS = {
    PROPOSE: {
        "BlockReady",
        "FreshProposal",
        "RepeatedProposal",
        "PrecommitsForAny",
        "NothingProposed",
        "PrecommitsForBlock",
        "HigherRound",
        "StartRound",
        "StartRound proposing",
        "Elapsed propose",
        "Elapsed precommit",
    },
    PREVOTE: {
        "PrevotesForAny",
        "PrevotesForBlock",
        "PrevotesForNil",
        "PrecommitsForAny",
        "NothingProposed",
        "PrecommitsForBlock",
        "HigherRound",
        "StartRound",
        "StartRound proposing",
        "Elapsed prevote",
        "Elapsed precommit",
    },
    PRECOMMIT: {
        "PrevotesForBlock",
        "PrecommitsForAny",
        "NothingProposed",
        "PrecommitsForBlock",
        "HigherRound",
        "StartRound",
        "StartRound proposing",
        "Elapsed precommit",
    },
    DECIDED: set(),
}
"""The state table of the README: which input does something at which step."""


@pytest.mark.parametrize(("step", "name"), list(product(Step, INPUTS)))
def test_each_input_acts_at_its_steps_and_at_no_other(step: Step, name: str) -> None:
    before = state(step)

    transition = apply(before, INPUTS[name])

    acts = transition.state != before or transition.outputs != ()
    assert acts == (name in ACTS[step])


@pytest.mark.parametrize(
    ("why", "before", "given"),
    [
        ("the timer runs already", state(PREVOTE, prevote_timer=True), PrevotesForAny()),
        ("the timer runs already", state(PRECOMMIT, precommit_timer=True), PrecommitsForAny()),
        ("not the first time", locked(A, 2, PRECOMMIT), PrevotesForBlock(block_id=A)),
        ("a valid round must be earlier", state(), repeated(A, 2)),
        ("the same round is not higher", state(), HigherRound(round=Round(2))),
        ("a lower round is not higher", state(), HigherRound(round=Round(1))),
        ("a timer of an earlier round", state(), elapsed(PROPOSE, 1)),
        ("a timer of a later round", state(PREVOTE), elapsed(PREVOTE, 3)),
        ("the last round", state(PRECOMMIT, ROUND_MAX), elapsed(PRECOMMIT, ROUND_MAX)),
        ("the last round", state(PRECOMMIT, ROUND_MAX), NothingProposed()),
    ],
)
def test_nothing_happens_because(why: str, before: RoundState, given: RoundInput) -> None:
    transition = apply(before, given)

    assert (transition.state, transition.outputs) == (before, ()), why
