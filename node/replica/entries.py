"""What the consensus log holds: one tagged record an entry, and the way back to engine inputs.

The log of a height lets a restarted node stand where it stood: the inputs that the engine took, in
order; the body of every block that this node voted for, so that a lock survives the restart of all
(adversarial 28); and a seal for every message that it was about to sign. `Born` and `Reached` say
what a log is worth in which nothing else stands yet (see `journal`); `Begun` who has begun on a new
network (see `begin`); `Floored`, `Returned` and `Resumed` say how a validator that had lost its
memory came to sign again (see `join`); `Under` says which amendment of the validator set the rest
was signed under.

The tags are permanent: an older node's log must stay readable, or be refused as a whole.
"""

from typing import Annotated, Final, TypeAlias

import msgspec

from consensus.inputs import (
    BlockBuilt,
    BlockValidated,
    CertificateReceived,
    Input,
    ProposalReceived,
    ProposalSigned,
    RoundCalled,
    StartHeight,
    TimeoutElapsed,
    VoteReceived,
    VoteSigned,
)
from consensus.types import BlockId, Height, Round, Step, Timeout, ValidatorId
from node.blocks import (
    CertificateRecord,
    ProposalRecord,
    VoteRecord,
    certificate_of_record,
    proposal_of_record,
    record_of_certificate,
    record_of_proposal,
    record_of_vote,
    vote_of_record,
)
from node.codec import Record, decode, encode

ENTRY_SIZE_MAX: Final = 9 << 20  # a block of the largest size, and its frame

_Height = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
_Round = Annotated[int, msgspec.Meta(ge=0, le=(1 << 32) - 1)]
_Hash = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]


class Born(Record, tag=1):
    """First entry of a log made by `khazana init`: nothing was ever signed before it."""

    name: str
    public_key: bytes
    network: _Hash | None
    """Hash of the genesis; None where the key was made first, and is on no network yet."""


class Reached(Record, tag=2):
    """The log was brought to this height without anything of it to say."""

    height: _Height


class Sealed(Record, tag=3):
    """A message that is about to be signed. Durable before the signature exists."""

    height: _Height
    round: _Round
    kind: Annotated[int, msgspec.Meta(ge=0, le=2)]
    """0 a proposal, 1 a prevote, 2 a precommit: their order within a round."""
    sign_bytes: Annotated[bytes, msgspec.Meta(max_length=256)]
    """Everything the signature covers."""


class Body(Record, tag=4):
    """A block that this node votes for."""

    block_id: _Hash
    block: bytes
    """Canonical bytes."""


class Returned(Record, tag=5):
    """This height is entered in a later round, because of the earlier ones nothing is known."""

    height: _Height
    round: _Round
    """The first in which this key signs."""
    witnesses: tuple[str, ...]
    """Who must have prevoted a block before this validator does; empty: nobody."""


class Resumed(Record, tag=6):
    """An operator has said that nothing was decided above a height, and answers for it."""

    above: _Height
    at_ms: Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
    reason: Annotated[str, msgspec.Meta(max_length=256)]


class Floored(Record, tag=7):
    """Nothing at or below a height is signed any more: it may have been before the log was lost."""

    above: _Height


class Begun(Record, tag=8):
    """A validator begins to sign on a network without a block: this one, or one that said so."""

    validator: str


class Under(Record, tag=9):
    """What follows was signed under an amendment of the validator set, or under none.

    One log may hold both for one height: votes of the former set, and of the one that was put in
    its place. They are no votes of each other's, and each are found again if an amendment is
    installed, discarded and installed again.
    """

    domain: _Hash
    """What the signatures cover: the id of the amendment, or the hash of the genesis. A log begins
    under the genesis."""


class ProposalEntry(Record, tag=11):
    """The engine took a proposal; an own one when it answers a request to sign."""

    own: bool
    proposal: ProposalRecord


class VoteEntry(Record, tag=12):
    """The engine took a vote; an own one when it answers a request to sign."""

    own: bool
    vote: VoteRecord


class CertificateEntry(Record, tag=13):
    """The engine took a commit certificate."""

    certificate: CertificateRecord


class TimeoutEntry(Record, tag=14):
    """A timeout elapsed."""

    height: _Height
    round: _Round
    step: Annotated[int, msgspec.Meta(ge=1, le=3)]
    """1 propose, 2 prevote, 3 precommit."""


class BuiltEntry(Record, tag=15):
    """A block was built for the engine's own proposal."""

    height: _Height
    round: _Round
    block_id: _Hash


class ValidatedEntry(Record, tag=16):
    """A block was checked."""

    height: _Height
    block_id: _Hash
    valid: bool
    ignore_clock: bool


class CalledEntry(Record, tag=17):
    """Another validator, which has lost its memory, is to come back in this round."""

    height: _Height
    round: _Round
    validator: str


InputEntry: TypeAlias = (
    ProposalEntry
    | VoteEntry
    | CertificateEntry
    | TimeoutEntry
    | BuiltEntry
    | ValidatedEntry
    | CalledEntry
)
Entry: TypeAlias = (
    Born | Reached | Sealed | Body | Returned | Resumed | Floored | Begun | Under | InputEntry
)


def encode_entry(entry: Entry) -> bytes:
    """Return the canonical bytes of an entry."""
    return encode(entry)


def decode_entry(data: bytes) -> Entry:
    """Return the entry of these bytes.

    Raises:
        CodecError: not an entry; the log's own checksums held, so another program wrote it.
    """
    # mypy does not take a union for a type.
    return decode(data, Entry, size_max=ENTRY_SIZE_MAX)  # type: ignore[arg-type]


def entry_of_input(event: Input) -> InputEntry:
    """Return what the log keeps of an engine input."""
    match event:
        case StartHeight():
            raise AssertionError("a height's start is not in its log")
        case ProposalReceived():
            return ProposalEntry(own=False, proposal=record_of_proposal(event.signed))
        case ProposalSigned():
            return ProposalEntry(own=True, proposal=record_of_proposal(event.signed))
        case VoteReceived():
            return VoteEntry(own=False, vote=record_of_vote(event.signed))
        case VoteSigned():
            return VoteEntry(own=True, vote=record_of_vote(event.signed))
        case CertificateReceived():
            return CertificateEntry(certificate=record_of_certificate(event.certificate))
        case TimeoutElapsed():
            timeout = event.timeout
            return TimeoutEntry(height=timeout.height, round=timeout.round, step=int(timeout.step))
        case BlockBuilt():
            return BuiltEntry(height=event.height, round=event.round, block_id=event.block_id)
        case BlockValidated():
            return ValidatedEntry(
                height=event.height,
                block_id=event.block_id,
                valid=event.valid,
                ignore_clock=event.ignore_clock,
            )
        case RoundCalled():
            return CalledEntry(height=event.height, round=event.round, validator=event.validator)


def input_of_entry(entry: InputEntry) -> Input:
    """Return the engine input that this entry was.

    Raises:
        InvalidValue: an entry that this program never wrote.
    """
    match entry:
        case ProposalEntry():
            proposal = proposal_of_record(entry.proposal)
            return (
                ProposalSigned(signed=proposal) if entry.own else ProposalReceived(signed=proposal)
            )
        case VoteEntry():
            vote = vote_of_record(entry.vote)
            return VoteSigned(signed=vote) if entry.own else VoteReceived(signed=vote)
        case CertificateEntry():
            return CertificateReceived(certificate=certificate_of_record(entry.certificate))
        case TimeoutEntry():
            return TimeoutElapsed(
                timeout=Timeout(
                    height=Height(entry.height), round=Round(entry.round), step=Step(entry.step)
                )
            )
        case BuiltEntry():
            return BlockBuilt(
                height=Height(entry.height),
                round=Round(entry.round),
                block_id=BlockId(entry.block_id),
            )
        case CalledEntry():
            return RoundCalled(
                height=Height(entry.height),
                round=Round(entry.round),
                validator=ValidatorId(entry.validator),
            )
        case ValidatedEntry():
            return BlockValidated(
                height=Height(entry.height),
                block_id=BlockId(entry.block_id),
                valid=entry.valid,
                ignore_clock=entry.ignore_clock,
            )
