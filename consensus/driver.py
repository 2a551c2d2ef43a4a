"""One height: counts what comes, tells the algorithm what has come true, lifts what it answers.

After every input that changed something, `upon` is asked which line of the algorithm has come true,
until none has; `round` says what follows from each, and here that becomes effects.
"""

from collections.abc import Iterator, Set
from typing import Final, assert_never

from consensus.certificates import check_structure, votes_of
from consensus.effects import (
    Broadcast,
    BuildBlock,
    Decide,
    Effect,
    Persist,
    ReportEvidence,
    ScheduleTimeout,
    SignProposal,
    SignVote,
    ValidateBlock,
)
from consensus.errors import ConflictingQuorums
from consensus.evidence import Equivocation
from consensus.inputs import (
    BlockBuilt,
    BlockValidated,
    CertificateReceived,
    HeightInput,
    ProposalReceived,
    ProposalSigned,
    RoundCalled,
    TimeoutElapsed,
    VoteReceived,
    VoteSigned,
)
from consensus.messages import (
    Proposal,
    QuorumCertificate,
    SignedMessage,
    SignedProposal,
    SignedVote,
    Vote,
)
from consensus.params import ConsensusParams
from consensus.proposals import ProposalKeeper, Stored, Verdict
from consensus.round import (
    BlockReady,
    CastVote,
    DecideBlock,
    Elapsed,
    GetBlock,
    GoToRound,
    HigherRound,
    PrevotesForBlock,
    Propose,
    RoundInput,
    RoundOutput,
    RoundState,
    StartRound,
    Wait,
    apply,
)
from consensus.types import (
    BlockId,
    Height,
    Round,
    Step,
    Timeout,
    ValidatorId,
    VoteType,
)
from consensus.upon import Commit, Upon
from consensus.validators import ProposerRule, ValidatorSet
from consensus.votes import Added, Tally, VoteKeeper


class Driver:
    """One height of one validator, or of an observer."""

    def __init__(
        self,
        *,
        height: Height,
        validators: ValidatorSet,
        validator_id: ValidatorId | None,
        params: ConsensusParams,
        proposer: ProposerRule,
        witnesses: frozenset[ValidatorId] = frozenset(),
    ) -> None:
        """Stand before the first round.

        Args:
            height: The height to decide.
            validators: Who votes at it.
            validator_id: In whose name to propose and vote; None: only follow.
            params: The genesis' parameters.
            proposer: Whose turn a round is.
            witnesses: Who must have prevoted a block before this validator does.
        """
        self._validators = validators
        self._validator_id = validator_id
        self._params = params
        self._proposer = proposer
        self._witnesses = witnesses

        self._state = RoundState(height=height, round=Round(0), step=Step.PROPOSE)
        self._proposals = ProposalKeeper()
        self._votes = VoteKeeper(
            validators=validators,
            model=params.fault_model,
            rounds_kept_max=params.rounds_kept_max,
            rounds_ahead_max=params.rounds_ahead_max,
        )
        self._upon = Upon(votes=self._votes, proposals=self._proposals, witnesses=witnesses)

        self._commit: Commit | None = None
        self._building = False
        """A block was asked for in this round, and has not come."""
        self._valid_tally: Tally | None = None
        """The prevotes of the valid round; kept when the round is forgotten."""
        self._unsigned: list[Proposal | Vote] = []
        """Ours; the signature was asked for and has not come."""
        self._asked: tuple[Round, int] = (Round(0), -1)
        """Round and kind (a proposal is 0) of the latest signature asked for."""
        self._called: dict[ValidatorId, Round] = {}
        """Where validators that have forgotten this height are to come back, or did."""
        self._unpersisted: list[HeightInput] = []
        """Accepted since the last Persist; stays empty where nothing is signed."""
        self._effects: list[Effect] = []

    @property
    def called_round(self) -> Round | None:
        """The highest round that a validator has called to."""
        return max(self._called.values(), default=None)

    @property
    def awaits_proposal(self) -> bool:
        """Whether the step is propose, and this round's proposal has not come."""
        return self._state.step is Step.PROPOSE and self._proposals.get(self._state.round) is None

    @property
    def state(self) -> RoundState:
        """Where the algorithm stands."""
        return self._state

    @property
    def blocks(self) -> Set[BlockId]:
        """The blocks whose verdict was asked for, or is known, and may still count."""
        return self._proposals.blocks

    def votes(self, kind: VoteType) -> dict[ValidatorId, BlockId | None]:
        """Return who has voted for what in this round: for an operator's eyes."""
        tally = (
            self._votes.prevotes(self._state.round)
            if kind is VoteType.PREVOTE
            else self._votes.precommits(self._state.round)
        )
        return {name: signed.vote.block_id for name, signed in tally.votes.items()}

    def take_effects(self) -> tuple[Effect, ...]:
        """Return the effects since the last call, in order."""
        effects = tuple(self._effects)
        self._effects.clear()
        return effects

    def start(self, round_: Round) -> None:
        """Begin round 0 (L10), or a later one where this validator has forgotten those before."""
        self._go_to(round_)

    def handle(self, input_: HeightInput) -> None:
        """Take an input of this height. What is of no use is ignored."""
        match input_:
            case VoteReceived(signed=signed):
                self._take_vote(signed, input_)
            case ProposalReceived(signed=signed):
                self._take_proposal(signed, input_)
            case VoteSigned(signed=signed):
                if self._take_signature(signed.vote, signed, input_):
                    self._count(signed)
            case ProposalSigned(signed=signed_proposal):
                if self._take_signature(signed_proposal.proposal, signed_proposal, input_):
                    self._store(signed_proposal)
            case BlockValidated(block_id=block_id, valid=valid, ignore_clock=ignore_clock):
                if self._proposals.answer(block_id, valid=valid, ignore_clock=ignore_clock):
                    self._accept(input_)
                    self._settle()
            case BlockBuilt(round=round_, block_id=block_id):
                if self._awaits_block and round_ == self._state.round:
                    self._building = False
                    self._accept(input_)
                    self._proposals.mark_valid(block_id)
                    # First, for this very block may be decided already.
                    self._settle()
                    self._apply(BlockReady(block_id=block_id))
            case TimeoutElapsed(timeout=timeout):
                self._take_timeout(timeout, input_)
            case CertificateReceived(certificate=certificate):
                self._take_certificate(certificate, input_)
            case RoundCalled(round=round_, validator=validator):
                self._take_call(round_, validator, input_)
            case _:
                assert_never(input_)

    def resend(self) -> tuple[SignedMessage, ...]:
        """Return what a peer needs to get as far as this validator; see `Engine.resend`."""
        state = self._state
        messages: list[SignedMessage] = []
        proposal = self._proposals.get(state.round)
        if proposal is not None and proposal.proposal.proposer == self._validator_id:
            messages.append(proposal)
        if self._commit is not None:
            messages += votes_of(self._commit.certificate)
            return tuple(messages)
        messages += self._votes.precommits(Round(state.round - 1)).votes.values()
        if self._validator_id is not None:
            for tally in (self._votes.prevotes(state.round), self._votes.precommits(state.round)):
                own = tally.votes.get(self._validator_id)
                if own is not None:
                    messages.append(own)
        # Those who called to this round have led here by their votes: whoever has not heard these,
        # stands behind and may have no other way.
        for validator, round_ in self._called.items():
            if round_ == state.round and validator != self._validator_id:
                for tally in (self._votes.prevotes(round_), self._votes.precommits(round_)):
                    if validator in tally.votes:
                        messages.append(tally.votes[validator])
        return tuple(messages)

    def resume(self) -> tuple[Effect, ...]:
        """Return what a replay has to ask for anew, and take the log for what it is: durable."""
        self._unpersisted.clear()
        return tuple(self._outstanding())

    # What comes from peers.

    def _take_vote(self, signed: SignedVote, input_: HeightInput) -> None:
        added = self._votes.add(signed)
        match added:
            case Added.IGNORED | Added.PARKED:
                # A parked vote moves nothing yet. Were it logged, one validator who jumps from
                # round to round could fill the disk.
                pass
            case Added.COUNTED:
                self._accept(input_)
                if self._witnesses:
                    self._settle()
                self._follow(signed.vote.validator)
            case Added.PARKED_THRESHOLD:
                for parked in self._votes.parked:
                    self._accept(VoteReceived(signed=parked))
                self._settle()
            case Added.THRESHOLD:
                self._accept(input_)
                self._after_threshold(signed.vote)
                self._follow(signed.vote.validator)
            case Equivocation():
                self._accept(input_)
                self._effects.append(ReportEvidence(equivocation=added))
            case _:
                assert_never(added)

    def _take_proposal(self, signed: SignedProposal, input_: HeightInput) -> None:
        proposal, polka = signed.proposal, signed.polka
        # Unlike a vote, a proposal too far ahead is of no use: its proposer repeats it.
        ahead = proposal.round - self._state.round
        if not -self._params.rounds_kept_max <= ahead <= self._params.rounds_ahead_max:
            return
        turn = self._proposer(self._validators, proposal.height, proposal.round)
        if proposal.proposer != turn.id:
            return
        if polka is not None and check_structure(polka, self._validators, self._params.fault_model):
            return
        stored = self._proposals.add(signed)
        if stored is Stored.KNOWN:
            return
        self._accept(input_)
        self._after_proposal(signed, stored)

    def _take_certificate(self, certificate: QuorumCertificate, input_: HeightInput) -> None:
        if certificate.kind is not VoteType.PRECOMMIT or check_structure(
            certificate, self._validators, self._params.fault_model
        ):
            return
        if self._note_commit(certificate):
            self._accept(input_)
            self._settle()

    def _take_call(self, round_: Round, validator: ValidatorId, input_: HeightInput) -> None:
        if validator not in self._validators or round_ <= self._called.get(validator, 0):
            return
        if self._state.step is Step.DECIDED:
            return
        self._called[validator] = round_
        self._accept(input_)
        # At once: the caller signs there because this validator has taken note of it for good.
        self._persist()
        self._follow(validator)

    def _follow(self, validator: ValidatorId) -> None:
        """Go where a validator has come back that called (as L55, for one that tells why)."""
        round_ = self._called.get(validator, self._state.round)
        if round_ > self._state.round and any(
            validator in tally.votes
            for tally in (self._votes.prevotes(round_), self._votes.precommits(round_))
        ):
            self._apply(HigherRound(round=round_))
            self._settle()

    # What comes from ourselves.

    def _take_timeout(self, timeout: Timeout, input_: HeightInput) -> None:
        state = self._state
        # A timer of the step before is over; that of the precommits runs in whatever step.
        if timeout.round != state.round or (
            timeout.step is not Step.PRECOMMIT and timeout.step is not state.step
        ):
            return
        self._accept(input_)
        self._apply(Elapsed(round=timeout.round, step=timeout.step))
        self._settle()

    def _take_signature(
        self, unsigned: Proposal | Vote, signed: SignedMessage, input_: HeightInput
    ) -> bool:
        if unsigned not in self._unsigned:
            return False
        self._unsigned.remove(unsigned)
        self._accept(input_)
        self._effects.append(Broadcast(message=signed))
        return True

    def _store(self, signed: SignedProposal) -> None:
        """Take our own proposal as everybody else will."""
        self._after_proposal(signed, self._proposals.add(signed))

    def _count(self, signed: SignedVote) -> None:
        """Count a vote that is ours, or came inside a certificate."""
        added = self._votes.add(signed)
        if added is Added.THRESHOLD:
            self._after_threshold(signed.vote)
        elif isinstance(added, Equivocation):
            self._effects.append(ReportEvidence(equivocation=added))

    # What follows.

    @property
    def _awaits_block(self) -> bool:
        """Our own block can still be proposed: whoever has prevoted nil comes too late."""
        return self._building and self._state.step is Step.PROPOSE

    def _accept(self, input_: HeightInput) -> None:
        # What follows a decision rests on the commit, not on the log.
        if self._validator_id is not None and self._state.step is not Step.DECIDED:
            self._unpersisted.append(input_)

    def _after_threshold(self, vote: Vote) -> None:
        if vote.kind is VoteType.PRECOMMIT:
            precommits = self._votes.precommits(vote.round)
            if precommits.block_quorum is not None:
                self._note_commit(precommits.certificate())
        self._settle()

    def _after_proposal(self, signed: SignedProposal, stored: Stored | Equivocation) -> None:
        if isinstance(stored, Equivocation):
            self._effects.append(ReportEvidence(equivocation=stored))
        if signed.polka is not None:
            # The prevotes may be news, for a round ahead too, and may be evidence.
            for vote in votes_of(signed.polka):
                self._count(vote)
        self._settle()

    def _note_commit(self, certificate: QuorumCertificate) -> bool:
        """Keep the first quorum of precommits; say whether it is the first."""
        known = self._commit
        if known is None:
            self._commit = Commit(
                round=certificate.round, block_id=certificate.block_id, certificate=certificate
            )
            return True
        if known.block_id != certificate.block_id:
            raise ConflictingQuorums(certificate.height, known.block_id, certificate.block_id)
        return False

    def _settle(self) -> None:
        """Apply every line that has come true, until none is left."""
        upon = self._upon
        while (line := upon.next_input(self._state, self._commit, self._ask)) is not None:
            self._apply(line)

    def _apply(self, round_input: RoundInput) -> None:
        transition = apply(self._state, round_input)
        self._state = transition.state
        if isinstance(round_input, PrevotesForBlock):
            self._valid_tally = self._votes.prevotes(self._state.round)
        for output in transition.outputs:
            self._lift(output)

    def _lift(self, output: RoundOutput) -> None:
        """Turn what the algorithm wants into what the shell is asked for."""
        state = self._state
        match output:
            case Wait(step=step):
                self._effects.append(self._timer(step))
            case GetBlock():
                self._building = True
                self._effects.append(BuildBlock(height=state.height, round=state.round))
            case Propose(block_id=block_id, valid_round=valid_round):
                assert self._validator_id is not None
                self._sign(
                    Proposal(
                        height=state.height,
                        round=state.round,
                        block_id=block_id,
                        valid_round=valid_round,
                        proposer=self._validator_id,
                    )
                )
            case CastVote(kind=kind, block_id=block_id):
                if self._validator_id is not None:
                    self._sign(
                        Vote(
                            kind=kind,
                            height=state.height,
                            round=state.round,
                            block_id=block_id,
                            validator=self._validator_id,
                        )
                    )
            case GoToRound(round=round_):
                self._go_to(round_)
            case DecideBlock():
                self._effects.append(self._decision())
            case _:
                assert_never(output)

    def _go_to(self, round_: Round) -> None:
        """Begin a round, and forget what is too far behind it."""
        state = self._state
        keep = {state.locked_block_id, state.valid_block_id}
        if self._commit is not None:
            keep.add(self._commit.block_id)
        before = Round(round_ - self._params.rounds_kept_max)
        self._votes.go_to(round_)
        self._proposals.forget(before, keep)
        self._unsigned = [message for message in self._unsigned if message.round >= before]
        self._building = False
        turn = self._proposer(self._validators, state.height, round_)
        self._apply(StartRound(round=round_, proposes=turn.id == self._validator_id))

    def _ask(self, round_: Round, block_id: BlockId, *, ignore_clock: bool) -> None:
        if self._proposals.ask(block_id, ignore_clock=ignore_clock):
            self._effects.append(self._validation(round_, block_id, ignore_clock=ignore_clock))

    def _sign(self, message: Proposal | Vote) -> None:
        """Ask for a signature, once everything that it rests on is durable."""
        position = (message.round, int(message.kind) if isinstance(message, Vote) else 0)
        assert position > self._asked  # Never twice, and never back; the guard sees to it again.
        self._asked = position
        self._unsigned.append(message)
        self._persist()
        self._effects.append(self._signing(message))

    def _persist(self) -> None:
        if self._unpersisted:
            self._effects.append(Persist(entries=tuple(self._unpersisted)))
            self._unpersisted.clear()

    def _outstanding(self) -> Iterator[Effect]:
        """Yield what was asked for, is still of use, and was not answered."""
        state = self._state
        if state.step is Step.DECIDED:
            yield self._decision()
            return
        # The shell has lost the blocks it held in memory: it judges them once more, from its log
        # or its peers, and the verdict it gave before stands.
        for block_id, round_ in self._blocks_in_use().items():
            verdict = self._proposals.verdict(block_id)
            if verdict in _WANTED:
                ignore_clock = verdict is not Verdict.ASKED
                yield self._validation(round_, block_id, ignore_clock=ignore_clock)
        if state.step is Step.PROPOSE or (state.step is Step.PREVOTE and state.prevote_timer):
            yield self._timer(state.step)
        if state.precommit_timer:
            yield self._timer(Step.PRECOMMIT)
        if self._awaits_block:
            yield BuildBlock(height=state.height, round=state.round)
        for message in self._unsigned:
            if message.round == state.round:
                yield self._signing(message)

    def _blocks_in_use(self) -> dict[BlockId, Round]:
        """Return the blocks that may yet be voted for or decided, and where they turned up."""
        state = self._state
        blocks: dict[BlockId, Round] = {}
        if self._commit is not None:
            blocks[self._commit.block_id] = self._commit.round
        for block_id, round_ in (
            (state.valid_block_id, state.valid_round),
            (state.locked_block_id, state.locked_round),
        ):
            if block_id is not None and round_ is not None:
                blocks.setdefault(block_id, round_)
        signed = self._proposals.get(state.round)
        if signed is not None:
            blocks.setdefault(signed.proposal.block_id, state.round)
        for message in self._unsigned:
            if isinstance(message, Proposal) and message.round == state.round:
                blocks.setdefault(message.block_id, state.round)
        return blocks

    # Effects that are returned by a step, and again by a replay.

    def _timer(self, step: Step) -> ScheduleTimeout:
        state = self._state
        return ScheduleTimeout(
            timeout=Timeout(height=state.height, round=state.round, step=step),
            duration_ms=self._params.timeout_ms(step, state.round),
        )

    def _validation(self, round_: Round, block_id: BlockId, *, ignore_clock: bool) -> ValidateBlock:
        return ValidateBlock(
            height=self._state.height,
            round=round_,
            block_id=block_id,
            ignore_clock=ignore_clock,
        )

    def _signing(self, message: Proposal | Vote) -> SignProposal | SignVote:
        if isinstance(message, Vote):
            return SignVote(vote=message)
        if message.valid_round is None:
            return SignProposal(proposal=message, polka=None)
        assert self._valid_tally is not None  # A block is valid by the prevotes that it holds.
        return SignProposal(proposal=message, polka=self._valid_tally.certificate())

    def _decision(self) -> Decide:
        assert self._commit is not None
        return Decide(
            height=self._state.height,
            block_id=self._commit.block_id,
            certificate=self._commit.certificate,
        )


_WANTED: Final = (Verdict.ASKED, Verdict.ASKED_IGNORING_CLOCK, Verdict.VALID)
