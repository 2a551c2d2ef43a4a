"""Plays published traces of a model of the algorithm against our engine, and compares.

The traces stand outside the repository, in `../shared/data/tendermint_traces`, with a README. The
model queues what follows from an input as inputs of their own (`StepChangeDInput`,
`PendingDInput`), which our engine does at once: so the two are compared whenever the model has
nothing queued for the validator. Its heights begin at 0, ours at 1; it decides when it has the
proposal, so here the shell has a block once a proposal has named it.
"""

import gzip
import hashlib
import json
from collections import defaultdict
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest

from consensus import (
    BlockBuilt,
    BlockId,
    BlockValidated,
    CertificateReceived,
    ConsensusParams,
    Decide,
    Engine,
    Height,
    Input,
    InvalidValue,
    Proposal,
    ProposalSigned,
    Round,
    ScheduleTimeout,
    SignedProposal,
    SignedVote,
    SignProposal,
    SignVote,
    StartHeight,
    Step,
    Timeout,
    TimeoutElapsed,
    ValidateBlock,
    Validator,
    ValidatorId,
    ValidatorSet,
    Vote,
    VoteReceived,
    VoteSigned,
    VoteType,
)
from consensus.certificates import assemble
from tests.consensus.builders import NETWORK, receive, sign

TRACES: Final = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tendermint_traces"

Json: TypeAlias = dict[str, Any]
Said: TypeAlias = tuple[object, ...]

STEPS: Final = {
    "ProposeStep": Step.PROPOSE,
    "PrevoteStep": Step.PREVOTE,
    "PrecommitStep": Step.PRECOMMIT,
    "CommitStep": Step.DECIDED,
}
TIMERS: Final = {
    "ProposeTimeout": Step.PROPOSE,
    "PrevoteTimeout": Step.PREVOTE,
    "PrecommitTimeout": Step.PRECOMMIT,
}
QUEUED: Final = {"StepChangeDInput", "PendingDInput"}


def load(path: Path) -> Json:
    """Read one trace."""
    loaded: Json = json.loads(gzip.decompress(path.read_bytes()))
    return loaded


def block_of(value: str) -> BlockId:
    """The block that stands for the model's value."""
    return BlockId(hashlib.sha256(value.encode()).digest())


def tag_of(what: str | Json) -> tuple[str, Any]:
    """The name of a variant of the model, and what it holds."""
    return (what, None) if isinstance(what, str) else next(iter(what.items()))


def round_of(number: int) -> Round | None:
    """The model's -1 is none."""
    return None if number < 0 else Round(number)


def value_of(value: str | Json) -> BlockId | None:
    """The model's `Nil`, or a value."""
    return None if isinstance(value, str) else block_of(value["Val"])


def vote_of(vote: Json) -> SignedVote:
    """The model's vote, signed."""
    made = Vote(
        kind=VoteType[vote["voteType"].upper()],
        height=Height(vote["height"] + 1),
        round=Round(vote["round"]),
        block_id=value_of(vote["valueId"]),
        validator=ValidatorId(vote["srcAddress"]),
    )
    return SignedVote(vote=made, signature=sign(made))


def proposal_of(proposal: Json) -> SignedProposal:
    """The model's proposal, signed; it never shows the prevotes."""
    made = Proposal(
        height=Height(proposal["height"] + 1),
        round=Round(proposal["round"]),
        block_id=block_of(proposal["proposal"]),
        valid_round=round_of(proposal["validRound"]),
        proposer=ValidatorId(proposal["srcAddress"]),
    )
    return SignedProposal(proposal=made, signature=sign(made), polka=None)


def proposer(validators: ValidatorSet, _: Height, round_: Round) -> Validator:
    """The model's rule: the same at every height."""
    return validators.validators[(round_ + 1) % len(validators)]


class Player:
    """Our engine in the place of one validator of the model."""

    def __init__(self, name: str, validators: ValidatorSet) -> None:
        self.name = name
        self.engine = Engine(ValidatorId(name), NETWORK, ConsensusParams(), proposer=proposer)
        self.validators = validators
        self.said: list[Said] = []
        """Votes, proposals and decisions, as `said_by_model` tells them."""
        self.timers: set[Said] = set()
        self.turns = {
            (round_, Step.PROPOSE)
            for round_ in range(10)
            if proposer(validators, Height(1), Round(round_)).id == name
        }
        """The timers of the rounds in which it proposes."""
        self._proposed: set[BlockId] = set()
        self._wanted: list[ValidateBlock] = []
        self._unsigned: set[Vote | Proposal] = set()

    def play(self, given: str | Json) -> None:
        """Take one input of the model."""
        engine = self.engine
        tag, held = tag_of(given)
        match tag:
            case "StartDInput":
                height = Height(engine.height + 1)
                self._step(StartHeight(height=height, validators=self.validators))
            case "ProposeValueDInput":
                built = BlockBuilt(
                    height=engine.height, round=engine.round, block_id=block_of(held)
                )
                self._step(built)
            case "ProposalDInput" if held["validRound"] >= held["round"]:
                # A liar's: refused where foreign bytes become messages.
                with pytest.raises(InvalidValue):
                    proposal_of(held)
            case "ProposalDInput":
                signed = proposal_of(held)
                self._proposed.add(signed.proposal.block_id)
                ours = signed.proposal in self._unsigned
                self._step(ProposalSigned(signed=signed) if ours else receive(signed))
            case "VoteDInput":
                self._vote(vote_of(held))
            case "TimeoutDInput":
                timeout = Timeout(height=engine.height, round=engine.round, step=TIMERS[held])
                self._step(TimeoutElapsed(timeout=timeout))
            case "CertificateDInput":
                votes = [vote_of(vote) for vote in held]
                if votes[0].vote.kind is VoteType.PRECOMMIT:
                    self._step(CertificateReceived(certificate=assemble(votes)))
                else:
                    for vote in votes:
                        self._vote(vote)
            case _:
                assert tag in QUEUED, tag
        self._judge()

    def stands(self) -> Said:
        """Where the engine stands, as `stands_in_model` tells it."""
        state = self.engine.state
        return (
            state.height,
            state.round,
            state.step,
            state.locked_block_id,
            state.locked_round,
            state.valid_block_id,
            state.valid_round,
        )

    def _vote(self, signed: SignedVote) -> None:
        ours = signed.vote in self._unsigned
        self._step(VoteSigned(signed=signed) if ours else VoteReceived(signed=signed))

    def _step(self, input_: Input) -> None:
        for effect in self.engine.step(input_):
            match effect:
                case SignVote(vote=vote):
                    self._unsigned.add(vote)
                    self.said.append((vote.kind, vote.height, vote.round, vote.block_id))
                case SignProposal(proposal=made):
                    self._unsigned.add(made)
                    self.said.append(
                        ("proposal", made.height, made.round, made.block_id, made.valid_round)
                    )
                case Decide(block_id=block_id, certificate=certificate):
                    self.said.append(("decided", certificate.round, block_id))
                case ScheduleTimeout(timeout=timeout):
                    self.timers.add((timeout.round, timeout.step))
                case ValidateBlock():
                    self._wanted.append(effect)
                case _:
                    pass

    def _judge(self) -> None:
        """Answer for the blocks that a proposal has named; the rest cannot be had."""
        while answerable := [ask for ask in self._wanted if ask.block_id in self._proposed]:
            ask = answerable[0]
            self._wanted.remove(ask)
            self._step(
                BlockValidated(
                    height=ask.height,
                    block_id=ask.block_id,
                    valid=ask.block_id != block_of("invalid"),
                    ignore_clock=ask.ignore_clock,
                )
            )


def said_by_model(output: str | Json) -> Said | None:
    """A vote, a proposal or a decision of the model; None: something else."""
    tag, held = tag_of(output)
    match tag:
        case "VoteOutput":
            vote = vote_of(held).vote
            return (vote.kind, vote.height, vote.round, vote.block_id)
        case "ProposalOutput":
            made = proposal_of(held).proposal
            return ("proposal", made.height, made.round, made.block_id, made.valid_round)
        case "DecidedOutput":
            return ("decided", held[0], block_of(held[1]))
        case _:
            return None


def timer_of_model(output: str | Json) -> Said | None:
    """Round and step of a timer that the model starts; None: something else."""
    tag, held = tag_of(output)
    match tag:
        case "TimeoutOutput":
            return (held[0], TIMERS[held[1]])
        case "GetValueAndScheduleTimeoutOutput":
            return (held[1], TIMERS[held[2]])
        case _:
            return None


def stands_in_model(state: Json) -> Said:
    """The model's variables, in our words."""
    return (
        state["height"] + 1,
        state["round"],
        STEPS[state["step"]],
        value_of(state["lockedValue"]),
        round_of(state["lockedRound"]),
        value_of(state["validValue"]),
        round_of(state["validRound"]),
    )


def moves(steps: list[Json]) -> dict[str, list[Json]]:
    """The steps of each validator, pauses left out."""
    by_validator: dict[str, list[Json]] = defaultdict(list)
    before: Json | None = None
    for step in steps:
        if step != before and step["input"] != "NoDInput":
            by_validator[step["validator"]].append(step)
        before = step
    return by_validator
