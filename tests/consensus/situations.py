"""Which situations of the adversarial list arise in an engine, seen from outside it.

A situation is where a wrong engine would go wrong. A test that only holds agreement may never have
been there: here each step of every engine is looked at, before and after, and what it was is
counted by its number on the list.
"""

from collections import Counter
from collections.abc import Callable
from typing import Final

import pytest

from consensus import (
    BlockValidated,
    Decide,
    Effect,
    Engine,
    Input,
    ProposalReceived,
    ReportEvidence,
    RoundState,
    SignedProposal,
    SignVote,
    Step,
    VoteReceived,
    VoteType,
)

EQUIVOCAL: Final = {VoteType.PREVOTE: 2, VoteType.PRECOMMIT: 3}


def watch(monkeypatch: pytest.MonkeyPatch) -> Counter[int]:
    """Look at every step of every engine from here on; return the count, by number of the case."""
    seen: Counter[int] = Counter()
    step: Callable[[Engine, Input], tuple[Effect, ...]] = Engine.step

    def watched(engine: Engine, input_: Input) -> tuple[Effect, ...]:
        height = engine.height
        before = engine.state if height else None
        effects = step(engine, input_)
        if before is not None and engine.height == height:
            seen.update(situations(before, input_, effects, engine))
        return effects

    monkeypatch.setattr(Engine, "step", watched)
    return seen


def situations(
    before: RoundState, input_: Input, effects: tuple[Effect, ...], engine: Engine
) -> list[int]:
    """Return the cases that this step was, by number."""
    found = [case for effect in effects for case in _of_effect(before, input_, effect)]
    after = engine.state
    if isinstance(input_, VoteReceived):
        vote = input_.signed.vote
        if vote.height != before.height:
            found.append(16)
        elif vote.round > before.round + engine.params.rounds_ahead_max:
            found.append(15)
        if vote.height == before.height and before.round < after.round == vote.round:
            found.append(14)  # Moved by votes of a higher round, not by a timer.
    locked_here = after.locked_round == after.round
    if before.step is Step.PRECOMMIT and after.valid_round == after.round and not locked_here:
        found.append(7)
    return found


def _of_effect(before: RoundState, input_: Input, effect: Effect) -> list[int]:
    match effect:
        case ReportEvidence(equivocation=equivocation):
            if isinstance(equivocation.first, SignedProposal):
                return [1]
            return [EQUIVOCAL[equivocation.first.vote.kind]]
        case SignVote(vote=vote) if vote.kind is VoteType.PREVOTE and vote.block_id is None:
            # Locked, and what is proposed is another block, or shows no newer polka.
            judged = isinstance(input_, ProposalReceived | BlockValidated)
            return [4] if before.locked_block_id is not None and judged else []
        case Decide(certificate=certificate):
            found = [8] if certificate.round < before.round else []
            if isinstance(input_, ProposalReceived | BlockValidated):
                found.append(9)  # The quorum was known; the block was not.
            if certificate.round >= 3:
                found.append(10)
            if before.locked_round is not None and before.locked_round < certificate.round:
                found.append(11)  # What it was locked on long ago, shown again and decided.
            return found
        case _:
            return []
