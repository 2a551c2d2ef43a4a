"""Agreement on the next block: the Tendermint algorithm as a pure state machine.

Theory of operation. Validators, one vote each, decide one block after another. A height takes
one or more rounds. In each, the proposer whose turn it is proposes a block; everybody prevotes it,
or nil; whoever sees a quorum of prevotes for it locks on it and precommits it; a quorum of
precommits decides. If messages or validators fail, timers bring everybody to precommit nil and to
the next round, with longer timers. Two quorums share an honest validator, and an honest validator
that is locked prevotes nothing else unless shown a later quorum: so no two blocks are decided.

The room is sans-IO: `Engine.step(input)` returns effects, which the shell executes in the order
returned and answers with further inputs. No clock (a timeout is an effect, its end an input), no
chance, no files (Persist is an effect), no keys (signing is an effect; messages arrive verified),
no blocks (32-byte ids; building and validating are effects). The same inputs give the same effects:
that is how a log of inputs brings a crashed validator back to its lock.

Quorums follow the genesis' fault model: see `quorum`. What peers can make it hold is bounded: see
`votes`. Hostile messages are ignored, equivocation is reported, and a broken invariant stops the
node: see `errors`. The algorithm itself is `round.apply`, line by line. README.md holds the state
table, the index of the paper's lines, and where we leave the paper and why.
"""

from consensus.certificates import CertificateFault, check_structure, votes_of
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
from consensus.engine import Engine
from consensus.errors import (
    ConsensusError,
    EngineMisuse,
    InvalidValue,
    InvariantViolation,
)
from consensus.evidence import Equivocation
from consensus.inputs import (
    BlockBuilt,
    BlockValidated,
    CertificateReceived,
    HeightInput,
    Input,
    ProposalReceived,
    ProposalSigned,
    RoundCalled,
    StartHeight,
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
    sign_bytes,
)
from consensus.params import ConsensusParams
from consensus.quorum import faults_survived, quorum, skip
from consensus.round import RoundState
from consensus.types import (
    BlockId,
    FaultModel,
    Height,
    Round,
    Signature,
    Step,
    Timeout,
    ValidatorId,
    VoteType,
)
from consensus.validators import Validator, ValidatorSet

__all__ = [
    "BlockBuilt", "BlockId", "BlockValidated", "Broadcast", "BuildBlock", "CertificateFault",
    "CertificateReceived", "ConsensusError", "ConsensusParams", "Decide", "Effect", "Engine",
    "EngineMisuse", "Equivocation", "FaultModel", "Height", "HeightInput", "Input", "InvalidValue",
    "InvariantViolation", "Persist", "Proposal", "ProposalReceived", "ProposalSigned",
    "QuorumCertificate", "ReportEvidence", "Round", "RoundCalled", "RoundState", "ScheduleTimeout",
    "SignProposal", "SignVote", "Signature", "SignedMessage", "SignedProposal", "SignedVote",
    "StartHeight", "Step", "Timeout", "TimeoutElapsed", "ValidateBlock", "Validator",
    "ValidatorId", "ValidatorSet", "Vote", "VoteReceived", "VoteSigned", "VoteType",
    "check_structure", "faults_survived", "quorum", "sign_bytes", "skip", "votes_of",
]  # fmt: skip
