"""Everything the engine asks of the shell: the closed union `Effect`.

Effects are executed strictly in the order in which they are returned. An effect that has an
answer is answered by an input, at once or much later or never: the engine waits for none.
"""

from dataclasses import dataclass
from typing import TypeAlias

from typing_extensions import override

from consensus.certificates import QuorumCertificate
from consensus.evidence import Equivocation
from consensus.inputs import HeightInput
from consensus.messages import Proposal, SignedMessage, Vote, render_block_id
from consensus.types import BlockId, Height, Round, Timeout


@dataclass(frozen=True, slots=True, kw_only=True)
class Persist:
    """Append these inputs to the consensus log; durable before the next effect starts.

    Always stands before a signature is asked for: what a signature rests on survives a crash, so
    that the same state asks for the same signature again, and never for another. Together with
    a BlockBuilt, or a BlockValidated that says valid, the bytes of that block must be made
    durable: if all validators restart, a lock on a block that nobody has would stop the chain.
    """

    entries: tuple[HeightInput, ...]
    """All inputs accepted since the Persist before, in order; not empty."""

    @override
    def __str__(self) -> str:
        """Return e.g. `persist 3`."""
        return f"persist {len(self.entries)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignProposal:
    """Sign our proposal, unless the guard forbids it; answered by ProposalSigned."""

    proposal: Proposal

    polka: QuorumCertificate | None
    """Goes into the SignedProposal as it is."""

    @override
    def __str__(self) -> str:
        """Return e.g. `sign proposal …`."""
        return f"sign {self.proposal}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignVote:
    """Sign our vote, unless the guard forbids it; answered by VoteSigned."""

    vote: Vote

    @override
    def __str__(self) -> str:
        """Return e.g. `sign prevote …`."""
        return f"sign {self.vote}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Broadcast:
    """Send our message to every peer; with a proposal, what peers need to rebuild its block."""

    message: SignedMessage

    @override
    def __str__(self) -> str:
        """Return e.g. `broadcast prevote …`."""
        return f"broadcast {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleTimeout:
    """Start a timer; answered by TimeoutElapsed. One that fires late or needlessly does no harm.

    Nor does one that fires early: timeouts are local, and safety rests on none. Progress needs that
    from some round of a height on none does; before it a proposer who is known to be away need not
    be waited for.
    """

    timeout: Timeout
    duration_ms: int

    @override
    def __str__(self) -> str:
        """Return e.g. `schedule propose 12/0 in 1000 ms`."""
        return f"schedule {self.timeout} in {self.duration_ms} ms"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildBlock:
    """Build a block to propose; answered by BlockBuilt, in vain once the round is over."""

    height: Height
    round: Round

    @override
    def __str__(self) -> str:
        """Return e.g. `build 12/0`."""
        return f"build {self.height}/{self.round}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateBlock:
    """Obtain this block and judge it; answered by BlockValidated, or never if it cannot be had.

    Keep trying while the height lasts. The same block may be asked for twice, the second time
    with `ignore_clock`.
    """

    height: Height
    round: Round
    """The round in which the block turned up: it says whom to ask for the bytes."""

    block_id: BlockId

    ignore_clock: bool = False
    """Judge the block's time by its parent only, never by the wall clock.

    Set where others, or we before a crash, have judged the time already: the block is decided, or
    was proposed again with a valid round, or stands in our own log.
    """

    @override
    def __str__(self) -> str:
        """Return e.g. `validate 12/0 ab12cd34`."""
        clock = " ignoring the clock" if self.ignore_clock else ""
        return f"validate {self.height}/{self.round} {render_block_id(self.block_id)}{clock}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide:
    """The block is final: commit it with its certificate, then StartHeight of the next.

    Its bytes are at hand, for it was built or found valid; after a replay they may still be on
    their way, by the ValidateBlock that the replay returned.
    """

    height: Height
    block_id: BlockId
    certificate: QuorumCertificate

    @override
    def __str__(self) -> str:
        """Return e.g. `decide 12 ab12cd34 by precommit certificate …`."""
        return f"decide {self.height} {render_block_id(self.block_id)} by {self.certificate}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportEvidence:
    """Keep this for a block to carry; reported once while the engine lives, again by a replay."""

    equivocation: Equivocation

    @override
    def __str__(self) -> str:
        """Return e.g. `evidence …`."""
        return f"evidence {self.equivocation}"


Effect: TypeAlias = (
    Persist
    | SignProposal
    | SignVote
    | Broadcast
    | ScheduleTimeout
    | BuildBlock
    | ValidateBlock
    | Decide
    | ReportEvidence
)
