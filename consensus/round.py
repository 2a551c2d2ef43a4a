"""The algorithm: arXiv:1807.04938, Algorithm 1, as a function of state and input.

`apply` is the whole of it. It knows one height of one validator: where it stands, what it is
locked on, what it holds to be valid. It does not know votes, quorums, proposers or messages: the
driver counts those, and says with an input that the condition of a line has come true. A pair of
step and input that the paper does not list changes nothing.

Comments name the paper's lines. "v" is a block id; -1 and nil of the paper are None.
"""

from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from consensus.types import ROUND_MAX, BlockId, Height, Round, Step, VoteType


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundState:
    """The variables of the algorithm for one height (L1-L9)."""

    height: Height
    round: Round
    step: Step

    locked_block_id: BlockId | None = None
    """The block we last precommitted: we prevote no other unless shown a later quorum."""

    locked_round: Round | None = None
    """The round in which we precommitted it."""

    valid_block_id: BlockId | None = None
    """The latest valid block that a quorum prevoted: what we propose when it is our turn."""

    valid_round: Round | None = None
    """The round in which the quorum did."""

    prevote_timer: bool = False
    """L34 "for the first time": the timer of this round's prevotes has been started."""

    precommit_timer: bool = False
    """L47 "for the first time": the timer of this round's precommits has been started."""


# What can happen, each input a condition of the paper come true.


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRound:
    """L10, L11: a round begins."""

    round: Round
    proposes: bool
    """proposer(height, round) is this validator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockReady:
    """L18: getValue() has returned."""

    block_id: BlockId


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshProposal:
    """L22: this round's proposal, without a valid round, has been judged."""

    block_id: BlockId
    valid: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatedProposal:
    """L28: this round's proposal, with a valid round and its quorum of prevotes, judged."""

    block_id: BlockId
    valid_round: Round
    valid: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PrevotesForAny:
    """L34: a quorum has prevoted in this round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrevotesForBlock:
    """L36: a quorum has prevoted this round's proposal, and it is valid."""

    block_id: BlockId


@dataclass(frozen=True, slots=True, kw_only=True)
class PrevotesForNil:
    """L44: a quorum has prevoted nil in this round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecommitsForAny:
    """L47: a quorum has precommitted in this round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingProposed:
    """L47, cut short: no proposal has come, a quorum has prevoted nil and one precommitted nil."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecommitsForBlock:
    """L49: a quorum has precommitted a block in any round, and it is valid."""

    round: Round
    block_id: BlockId


@dataclass(frozen=True, slots=True, kw_only=True)
class HigherRound:
    """L55: the honest threshold has voted in a higher round."""

    round: Round


@dataclass(frozen=True, slots=True, kw_only=True)
class Elapsed:
    """L57, L61, L65: a timer of this height has fired."""

    round: Round
    step: Step


RoundInput: TypeAlias = (
    StartRound
    | BlockReady
    | FreshProposal
    | RepeatedProposal
    | PrevotesForAny
    | PrevotesForBlock
    | PrevotesForNil
    | PrecommitsForAny
    | NothingProposed
    | PrecommitsForBlock
    | HigherRound
    | Elapsed
)

# What is to be done about it.


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """L21, L35, L48: start the timer of this step in the state's round."""

    step: Step


@dataclass(frozen=True, slots=True, kw_only=True)
class GetBlock:
    """L18: have a block built; answered by BlockReady."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Propose:
    """L19: propose this block in the state's round."""

    block_id: BlockId
    valid_round: Round | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CastVote:
    """L24-L63: vote in the state's round; None is nil."""

    kind: VoteType
    block_id: BlockId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GoToRound:
    """L56, L67: answered by StartRound, which says whether we propose."""

    round: Round


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideBlock:
    """L51: the block is decided."""

    round: Round
    block_id: BlockId


RoundOutput: TypeAlias = Wait | GetBlock | Propose | CastVote | GoToRound | DecideBlock


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """The state after an input, and what is to be done, in order."""

    state: RoundState
    outputs: tuple[RoundOutput, ...] = ()


_PREVOTE_NIL: Final = CastVote(kind=VoteType.PREVOTE, block_id=None)
_PRECOMMIT_NIL: Final = CastVote(kind=VoteType.PRECOMMIT, block_id=None)


def apply(state: RoundState, round_input: RoundInput) -> Transition:
    """Return what one input makes of the state."""
    if state.step is Step.DECIDED:
        return Transition(state=state)
    match round_input:
        # L11-L21. L54 and L10 too: a new height begins with the first round.
        case StartRound(round=round_, proposes=proposes):
            begun = replace(
                state,
                round=round_,
                step=Step.PROPOSE,
                prevote_timer=False,
                precommit_timer=False,
            )
            # L20: the proposer waits too, for its own block may never come (see README).
            wait = Wait(step=Step.PROPOSE)
            if not proposes:
                return Transition(state=begun, outputs=(wait,))
            if state.valid_block_id is None:
                return Transition(state=begun, outputs=(wait, GetBlock()))
            propose = Propose(block_id=state.valid_block_id, valid_round=state.valid_round)
            return Transition(state=begun, outputs=(wait, propose))

        # L18-L19.
        case BlockReady(block_id=block_id) if state.step is Step.PROPOSE:
            return Transition(state=state, outputs=(Propose(block_id=block_id, valid_round=None),))

        # L22-L27.
        case FreshProposal(block_id=block_id, valid=valid) if state.step is Step.PROPOSE:
            free = state.locked_round is None or state.locked_block_id == block_id
            return _prevote(state, block_id if valid and free else None)

        # L28-L33.
        case RepeatedProposal(block_id=block_id, valid_round=valid_round, valid=valid) if (
            state.step is Step.PROPOSE and valid_round < state.round
        ):
            free = (
                state.locked_round is None
                or state.locked_round <= valid_round
                or state.locked_block_id == block_id
            )
            return _prevote(state, block_id if valid and free else None)

        # L34-L35.
        case PrevotesForAny() if state.step is Step.PREVOTE and not state.prevote_timer:
            waiting = replace(state, prevote_timer=True)
            return Transition(state=waiting, outputs=(Wait(step=Step.PREVOTE),))

        # L36-L43, "for the first time": afterwards the valid round is this round.
        case PrevotesForBlock(block_id=block_id) if (
            state.step >= Step.PREVOTE and state.valid_round != state.round
        ):
            valid_now = replace(state, valid_block_id=block_id, valid_round=state.round)
            if state.step is not Step.PREVOTE:
                return Transition(state=valid_now)
            locked = replace(
                valid_now,
                step=Step.PRECOMMIT,
                locked_block_id=block_id,
                locked_round=state.round,
            )
            precommit = CastVote(kind=VoteType.PRECOMMIT, block_id=block_id)
            return Transition(state=locked, outputs=(precommit,))

        # L44-L46.
        case PrevotesForNil() if state.step is Step.PREVOTE:
            return _precommit_nil(state)

        # L47-L48.
        case PrecommitsForAny() if not state.precommit_timer:
            waiting = replace(state, precommit_timer=True)
            return Transition(state=waiting, outputs=(Wait(step=Step.PRECOMMIT),))

        # L47-L48, L65-L67 without the wait: no vote that it could bring decides or locks.
        case NothingProposed():
            return _next_round(state)

        # L49-L54. What L52-L54 reset is the engine's: it starts the next height when told to.
        case PrecommitsForBlock(round=round_, block_id=block_id):
            decided = replace(state, step=Step.DECIDED)
            return Transition(
                state=decided, outputs=(DecideBlock(round=round_, block_id=block_id),)
            )

        # L55-L56.
        case HigherRound(round=round_) if round_ > state.round:
            return Transition(state=state, outputs=(GoToRound(round=round_),))

        case Elapsed(round=round_, step=step) if round_ == state.round:
            return _elapsed(state, step)

        case _:
            return Transition(state=state)


def _elapsed(state: RoundState, step: Step) -> Transition:
    # L57-L60.
    if step is Step.PROPOSE and state.step is Step.PROPOSE:
        return _prevote(state, None)
    # L61-L64.
    if step is Step.PREVOTE and state.step is Step.PREVOTE:
        return _precommit_nil(state)
    # L65-L67.
    if step is Step.PRECOMMIT:
        return _next_round(state)
    return Transition(state=state)


def _next_round(state: RoundState) -> Transition:
    # No validator that keeps to the timeouts ever stands in the last round.
    if state.round == ROUND_MAX:
        return Transition(state=state)
    return Transition(state=state, outputs=(GoToRound(round=Round(state.round + 1)),))


def _prevote(state: RoundState, block_id: BlockId | None) -> Transition:
    vote = _PREVOTE_NIL if block_id is None else CastVote(kind=VoteType.PREVOTE, block_id=block_id)
    return Transition(state=replace(state, step=Step.PREVOTE), outputs=(vote,))


def _precommit_nil(state: RoundState) -> Transition:
    return Transition(state=replace(state, step=Step.PRECOMMIT), outputs=(_PRECOMMIT_NIL,))
