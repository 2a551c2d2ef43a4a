"""Builders for the tests of this room: small values with defaults, and signatures one can check.

Validators are a, b, c, …; blocks are `A`, `B`, … ; nil is None. At height 1 of four validators
the proposers of rounds 0, 1, 2, 3 are b, c, d, a.
"""

import hashlib
from collections.abc import Iterable
from typing import TypeVar

from consensus import (
    BlockBuilt,
    BlockId,
    BlockValidated,
    CertificateReceived,
    ConsensusParams,
    Effect,
    Engine,
    FaultModel,
    Height,
    Input,
    Proposal,
    ProposalReceived,
    ProposalSigned,
    QuorumCertificate,
    Round,
    Signature,
    SignedProposal,
    SignedVote,
    SignProposal,
    SignVote,
    StartHeight,
    Step,
    Timeout,
    TimeoutElapsed,
    Validator,
    ValidatorId,
    ValidatorSet,
    Vote,
    VoteReceived,
    VoteSigned,
    VoteType,
    sign_bytes,
)
from consensus.certificates import assemble

NETWORK = bytes(range(32))
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def block(name: str) -> BlockId:
    """The id of a block with a name of one letter."""
    return BlockId(name.encode().ljust(32, name.encode()))


A, B, C = block("A"), block("B"), block("C")


def make_validators(n: int = 4, *, first: int = 0) -> ValidatorSet:
    """n validators called a, b, c, …"""
    return ValidatorSet(
        tuple(
            Validator(id=ValidatorId(name), public_key=name.encode() * 32)
            for name in LETTERS[first : first + n]
        )
    )


def sign(message: Proposal | Vote) -> Signature:
    """What stands for a signature: nobody else's, and of nothing else."""
    return Signature(hashlib.sha512(sign_bytes(message, NETWORK)).digest())


def is_signed(signed: SignedVote | SignedProposal) -> bool:
    """Verify what `sign` made."""
    message = signed.vote if isinstance(signed, SignedVote) else signed.proposal
    return signed.signature == sign(message)


def vote(
    kind: VoteType,
    validator: str,
    block_id: BlockId | None,
    *,
    round_: int = 0,
    height: int = 1,
) -> SignedVote:
    """A signed vote."""
    message = Vote(
        kind=kind,
        height=Height(height),
        round=Round(round_),
        block_id=block_id,
        validator=ValidatorId(validator),
    )
    return SignedVote(vote=message, signature=sign(message))


def prevote(
    validator: str, block_id: BlockId | None, *, round_: int = 0, height: int = 1
) -> SignedVote:
    """A signed prevote."""
    return vote(VoteType.PREVOTE, validator, block_id, round_=round_, height=height)


def precommit(
    validator: str, block_id: BlockId | None, *, round_: int = 0, height: int = 1
) -> SignedVote:
    """A signed precommit."""
    return vote(VoteType.PRECOMMIT, validator, block_id, round_=round_, height=height)


def certificate(
    block_id: BlockId,
    names: Iterable[str] = "abc",
    *,
    kind: VoteType = VoteType.PRECOMMIT,
    round_: int = 0,
    height: int = 1,
) -> QuorumCertificate:
    """A certificate with the votes of these."""
    return assemble(vote(kind, name, block_id, round_=round_, height=height) for name in names)


def polka(
    block_id: BlockId, names: Iterable[str] = "abc", *, round_: int = 0, height: int = 1
) -> QuorumCertificate:
    """The prevotes of these."""
    return certificate(block_id, names, kind=VoteType.PREVOTE, round_=round_, height=height)


def proposal(
    block_id: BlockId,
    *,
    round_: int = 0,
    height: int = 1,
    valid_round: int | None = None,
    shown: QuorumCertificate | None = None,
    by: str | None = None,
) -> SignedProposal:
    """A signed proposal, by whose turn it is among four."""
    message = Proposal(
        height=Height(height),
        round=Round(round_),
        block_id=block_id,
        valid_round=None if valid_round is None else Round(valid_round),
        proposer=ValidatorId(LETTERS[(height + round_) % 4] if by is None else by),
    )
    return SignedProposal(proposal=message, signature=sign(message), polka=shown)


def receive(signed: SignedVote | SignedProposal) -> VoteReceived | ProposalReceived:
    """The input that a message makes."""
    if isinstance(signed, SignedVote):
        return VoteReceived(signed=signed)
    return ProposalReceived(signed=signed)


def start(
    height: int = 1,
    validators: ValidatorSet | None = None,
    *,
    round_: int = 0,
    witnesses: Iterable[str] = (),
) -> StartHeight:
    """The input that starts a height, of four validators."""
    return StartHeight(
        height=Height(height),
        validators=validators or make_validators(),
        round=Round(round_),
        witnesses=frozenset(map(ValidatorId, witnesses)),
    )


def elapsed(step: Step, round_: int = 0, height: int = 1) -> TimeoutElapsed:
    """The input of a timer that fired."""
    timeout = Timeout(height=Height(height), round=Round(round_), step=step)
    return TimeoutElapsed(timeout=timeout)


def built(block_id: BlockId, round_: int = 0, height: int = 1) -> BlockBuilt:
    """The input of a block that was built."""
    return BlockBuilt(height=Height(height), round=Round(round_), block_id=block_id)


def validated(
    block_id: BlockId, valid: bool = True, *, height: int = 1, ignore_clock: bool = False
) -> BlockValidated:
    """The input of a block that was judged."""
    return BlockValidated(
        height=Height(height), block_id=block_id, valid=valid, ignore_clock=ignore_clock
    )


def decided_by(*args: object, **kwargs: object) -> CertificateReceived:
    """The input of a commit certificate; arguments as for `certificate`."""
    return CertificateReceived(certificate=certificate(*args, **kwargs))  # type: ignore[arg-type]


def signed(effect: SignProposal | SignVote) -> ProposalSigned | VoteSigned:
    """The input that answers a request for a signature."""
    if isinstance(effect, SignVote):
        return VoteSigned(signed=SignedVote(vote=effect.vote, signature=sign(effect.vote)))
    return ProposalSigned(
        signed=SignedProposal(
            proposal=effect.proposal, signature=sign(effect.proposal), polka=effect.polka
        )
    )


def make_engine(
    validator: str | None = "a",
    *,
    model: FaultModel = FaultModel.BYZANTINE,
    rounds_kept_max: int = 16,
    rounds_ahead_max: int = 8,
    early_messages_max: int = 16,
) -> Engine:
    """An engine with the default parameters."""
    return Engine(
        None if validator is None else ValidatorId(validator),
        NETWORK,
        ConsensusParams(
            fault_model=model,
            rounds_kept_max=rounds_kept_max,
            rounds_ahead_max=rounds_ahead_max,
            early_messages_max=early_messages_max,
        ),
    )


E = TypeVar("E", bound=Effect)


def only(kind: type[E], effects: Iterable[Effect]) -> list[E]:
    """The effects of one kind, in order."""
    return [effect for effect in effects if isinstance(effect, kind)]


class Bench:
    """An engine on the bench: takes inputs, signs what it is asked to, keeps the effects."""

    def __init__(self, validator: str | None = "a", **limits: object) -> None:
        self.engine = make_engine(validator, **limits)  # type: ignore[arg-type]
        self.effects: list[Effect] = []
        """Of the last `feed`, those that follow from answered signatures among them."""
        self.votes: list[Vote] = []
        """Everything signed so far."""
        self.proposals: list[Proposal] = []

    def start(self, height: int = 1, validators: ValidatorSet | None = None) -> "Bench":
        """Start a height, of four validators."""
        return self.feed(start(height, validators))

    def feed(self, *inputs: Input | SignedVote | SignedProposal) -> "Bench":
        """Step with each, and at once with every signature asked for."""
        self.effects = []
        for given in inputs:
            queue: list[Input] = [
                receive(given) if isinstance(given, SignedVote | SignedProposal) else given
            ]
            while queue:
                effects = self.engine.step(queue.pop(0))
                self.effects += effects
                for effect in effects:
                    if isinstance(effect, SignVote):
                        self.votes.append(effect.vote)
                        queue.append(signed(effect))
                    elif isinstance(effect, SignProposal):
                        self.proposals.append(effect.proposal)
                        queue.append(signed(effect))
        return self

    def did(self, kind: type[E]) -> list[E]:
        """Effects of one kind in the last `feed`."""
        return only(kind, self.effects)

    def prevoted(self, round_: int = 0) -> list[BlockId | None]:
        """What it prevoted in the round."""
        return [v.block_id for v in self.votes if (v.kind, v.round) == (VoteType.PREVOTE, round_)]

    def precommitted(self, round_: int = 0) -> list[BlockId | None]:
        """What it precommitted in the round."""
        kind = VoteType.PRECOMMIT
        return [v.block_id for v in self.votes if (v.kind, v.round) == (kind, round_)]
