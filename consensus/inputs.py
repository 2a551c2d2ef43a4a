"""Everything that can happen to the engine: the closed union `Input`.

What an input says has been checked by its type: messages and certificates reach the engine only
after the shell has verified every signature in them, against the validator set of their height.
Who delivered a message does not matter: votes are passed on by others too (`Engine.resend`).
"""

from dataclasses import dataclass
from typing import TypeAlias

from typing_extensions import override

from consensus.certificates import QuorumCertificate
from consensus.messages import SignedProposal, SignedVote, render_block_id
from consensus.types import ROUND_FIRST, BlockId, Height, Round, Timeout, ValidatorId
from consensus.validators import ValidatorSet


@dataclass(frozen=True, slots=True, kw_only=True)
class StartHeight:
    """Begin a height, higher than the one before: after a decision, or after catching up."""

    height: Height
    validators: ValidatorSet
    """The set that rules this height."""

    round: Round = ROUND_FIRST
    """The first round to stand in: above 0 where this validator may have signed in the rounds
    before and does not know what."""

    witnesses: frozenset[ValidatorId] = frozenset()
    """Who remembers this height, where this validator does not: it prevotes a block only after all
    of them have, in the same round."""

    @override
    def __str__(self) -> str:
        """Return e.g. `start height 12 of a,b,c,d`."""
        names = ",".join(validator.id for validator in self.validators)
        later = f" in round {self.round}" if self.round else ""
        after = f" after {','.join(sorted(self.witnesses))}" if self.witnesses else ""
        return f"start height {self.height} of {names}{later}{after}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalReceived:
    """A proposal has come; signature and certificate are good."""

    signed: SignedProposal

    @override
    def __str__(self) -> str:
        """Return e.g. `received proposal …`."""
        return f"received {self.signed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteReceived:
    """A vote has come; its signature is good."""

    signed: SignedVote

    @override
    def __str__(self) -> str:
        """Return e.g. `received prevote …`."""
        return f"received {self.signed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateReceived:
    """A commit certificate has come, in place of the votes; all its signatures are good."""

    certificate: QuorumCertificate

    @override
    def __str__(self) -> str:
        """Return e.g. `received precommit certificate …`."""
        return f"received {self.certificate}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeoutElapsed:
    """The time of a ScheduleTimeout is over."""

    timeout: Timeout

    @override
    def __str__(self) -> str:
        """Return e.g. `elapsed propose 12/0`."""
        return f"elapsed {self.timeout}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundCalled:
    """A validator that has forgotten this height is to come back in a later round, and signs in no
    earlier one: its first vote there draws whoever was called. The shell says so a bounded number
    of times in a height."""

    height: Height
    round: Round
    validator: ValidatorId

    @override
    def __str__(self) -> str:
        """Return e.g. `called 12/4 by b`."""
        return f"called {self.height}/{self.round} by {self.validator}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockBuilt:
    """Answers BuildBlock. The block is valid, and its bytes are at hand."""

    height: Height
    round: Round
    block_id: BlockId

    @override
    def __str__(self) -> str:
        """Return e.g. `built 12/0 ab12cd34`."""
        return f"built {self.height}/{self.round} {render_block_id(self.block_id)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockValidated:
    """Answers ValidateBlock."""

    height: Height
    block_id: BlockId
    valid: bool
    """If true, the block's bytes are at hand: it can be decided, and given to others."""

    ignore_clock: bool = False
    """As in the ValidateBlock that this answers."""

    @override
    def __str__(self) -> str:
        """Return e.g. `validated 12 ab12cd34 valid`."""
        verdict = "valid" if self.valid else "invalid"
        clock = " ignoring the clock" if self.ignore_clock else ""
        return f"validated {self.height} {render_block_id(self.block_id)} {verdict}{clock}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalSigned:
    """Answers SignProposal."""

    signed: SignedProposal

    @override
    def __str__(self) -> str:
        """Return e.g. `signed proposal …`."""
        return f"signed {self.signed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteSigned:
    """Answers SignVote."""

    signed: SignedVote

    @override
    def __str__(self) -> str:
        """Return e.g. `signed prevote …`."""
        return f"signed {self.signed}"


HeightInput: TypeAlias = (
    ProposalReceived
    | VoteReceived
    | CertificateReceived
    | TimeoutElapsed
    | RoundCalled
    | BlockBuilt
    | BlockValidated
    | ProposalSigned
    | VoteSigned
)
"""What happens within a height; this is what a log holds."""

Input: TypeAlias = StartHeight | HeightInput
