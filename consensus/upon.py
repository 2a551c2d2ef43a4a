"""Which `upon` of the algorithm has come true, by what is known of a height.

`Upon.next_input` is this table, read from the top; each line is true at most once for one state:

    what is known                                              step        round input       line
    a quorum of precommits for a valid block, any round        any         PrecommitsForBlock  49
    the honest threshold of votes in a higher round            any         HigherRound         55
    a judged proposal without valid round                      propose     FreshProposal       22
    a judged proposal, and the prevotes of its valid round     propose     RepeatedProposal    28
      (a valid one, at a height that was forgotten, waits for the prevotes of its witnesses)
    a valid proposal and a quorum of prevotes for it           >= prevote  PrevotesForBlock    36
    a quorum of prevotes for nil                               prevote     PrevotesForNil      44
    a quorum of prevotes                                       prevote     PrevotesForAny      34
    no proposal, a quorum of prevotes and of precommits for nil  any       NothingProposed     47
    a quorum of precommits                                     any         PrecommitsForAny    47

Line 49 stands first, so that no input asks for a signature and decides as well: what follows a
decision is never in the log. Proposals, votes and verdicts of the round are looked up when they
are needed; so it does not matter in which order they came.

The paper decides when it has the proposal of the decided round. Here the block itself is enough:
a quorum of precommits names it, the shell obtains it, the application judges it.
"""

from dataclasses import dataclass
from typing import Final, Protocol

from consensus.errors import DecidedBlockInvalid
from consensus.messages import QuorumCertificate, SignedProposal
from consensus.proposals import ProposalKeeper, Verdict
from consensus.round import (
    FreshProposal,
    HigherRound,
    NothingProposed,
    PrecommitsForAny,
    PrecommitsForBlock,
    PrevotesForAny,
    PrevotesForBlock,
    PrevotesForNil,
    RepeatedProposal,
    RoundInput,
    RoundState,
)
from consensus.types import ROUND_MAX, BlockId, Round, Step, ValidatorId
from consensus.votes import VoteKeeper


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A quorum of precommits: what will be decided as soon as its block is at hand."""

    round: Round
    block_id: BlockId
    certificate: QuorumCertificate


class Ask(Protocol):
    """What asks the application for its verdict on a block, unless it was asked already."""

    def __call__(self, round_: Round, block_id: BlockId, *, ignore_clock: bool) -> None:
        """Ask for the verdict on a block that turned up in this round."""
        ...


class Upon:
    """The votes and proposals of one height, held against the lines of the algorithm."""

    def __init__(
        self,
        *,
        votes: VoteKeeper,
        proposals: ProposalKeeper,
        witnesses: frozenset[ValidatorId],
    ) -> None:
        """Store what is given; whoever fills it asks after each change.

        Args:
            votes: Who has voted what.
            proposals: What was proposed, and the verdicts on it.
            witnesses: Who must have prevoted a block before this validator does.
        """
        self._votes = votes
        self._proposals = proposals
        self._witnesses = witnesses

    def next_input(self, state: RoundState, commit: Commit | None, ask: Ask) -> RoundInput | None:
        """Return the first line of the table that is true, or None.

        Args:
            state: Where the algorithm stands.
            commit: The quorum of precommits, if there is one.
            ask: Called for each block whose verdict a line needs.

        Raises:
            DecidedBlockInvalid: a quorum decided what the application found invalid.
        """
        if state.step is Step.DECIDED:
            return None
        if commit is not None and self._can_decide(state, commit, ask):
            return PrecommitsForBlock(round=commit.round, block_id=commit.block_id)
        if self._votes.skip_round > state.round:
            return HigherRound(round=self._votes.skip_round)
        signed = self._proposals.get(state.round)
        if signed is not None:
            # The time of a block that is proposed again has been judged when it was new.
            again = signed.proposal.valid_round is not None
            ask(state.round, signed.proposal.block_id, ignore_clock=again)
        if state.step is Step.PROPOSE:
            round_input = None if signed is None else self._judged(state, signed)
        else:
            round_input = self._prevoted(state, signed)
        if round_input is not None:
            return round_input
        precommits = self._votes.precommits(state.round)
        if (
            signed is None
            and precommits.nil_quorum
            and self._votes.prevotes(state.round).nil_quorum
            and state.round < ROUND_MAX
        ):
            return NothingProposed()
        if precommits.any_quorum and not state.precommit_timer:
            return PrecommitsForAny()
        return None

    def _can_decide(self, state: RoundState, commit: Commit, ask: Ask) -> bool:
        verdict = self._proposals.verdict(commit.block_id)
        if verdict is Verdict.INVALID:
            raise DecidedBlockInvalid(state.height, commit.block_id)
        ask(commit.round, commit.block_id, ignore_clock=True)
        return verdict is Verdict.VALID

    def _judged(self, state: RoundState, signed: SignedProposal) -> RoundInput | None:
        """Lines 22 and 28: the proposal of this round, at step propose."""
        proposal = signed.proposal
        verdict = self._proposals.verdict(proposal.block_id)
        if verdict not in _JUDGED:
            return None
        valid = verdict is Verdict.VALID
        if valid and not self._is_witnessed(state.round, proposal.block_id):
            return None
        if proposal.valid_round is None:
            return FreshProposal(block_id=proposal.block_id, valid=valid)
        prevoted = self._votes.prevotes(proposal.valid_round).block_quorum
        if signed.polka is None and prevoted != proposal.block_id:
            return None
        return RepeatedProposal(
            block_id=proposal.block_id, valid_round=proposal.valid_round, valid=valid
        )

    def _is_witnessed(self, round_: Round, block_id: BlockId) -> bool:
        """Whether every witness has prevoted this block in this round.

        A validator that has lost its memory has lost its lock too. One of the witnesses, at least,
        shares any lock that a decision may rest on, and prevotes nothing that contradicts it.
        """
        prevotes = self._votes.prevotes(round_).votes
        return all(
            name in prevotes and prevotes[name].vote.block_id == block_id
            for name in self._witnesses
        )

    def _prevoted(self, state: RoundState, signed: SignedProposal | None) -> RoundInput | None:
        """Lines 36, 44 and 34: the prevotes of this round, after step propose."""
        prevotes = self._votes.prevotes(state.round)
        block_id = prevotes.block_quorum
        if (
            block_id is not None
            and state.valid_round != state.round
            and signed is not None
            and signed.proposal.block_id == block_id
            and self._proposals.verdict(block_id) is Verdict.VALID
        ):
            return PrevotesForBlock(block_id=block_id)
        if state.step is Step.PREVOTE:
            if prevotes.nil_quorum:
                return PrevotesForNil()
            if prevotes.any_quorum and not state.prevote_timer:
                return PrevotesForAny()
        return None


_JUDGED: Final = (Verdict.VALID, Verdict.REFUSED, Verdict.INVALID)
