"""What validators say to each other, and the one definition of what they sign.

Every field that is used later is inside the signed bytes: network, kind, height, round, valid
round, block id and name. Signatures are made and verified by the shell; here they are 64 opaque
bytes. The quorum certificate is defined here because a proposal carries one; `certificates` is
where it is assembled and checked.
"""

import struct
from dataclasses import dataclass
from typing import Final, TypeAlias

from typing_extensions import override

from consensus.errors import InvalidValue
from consensus.types import (
    BLOCK_ID_SIZE,
    HEIGHT_MAX,
    NETWORK_SIZE,
    ROUND_MAX,
    SIGNATURE_SIZE,
    BlockId,
    Height,
    Round,
    Signature,
    ValidatorId,
    VoteType,
    is_validator_id,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """The proposer's word for its round (line 19). Raises InvalidValue."""

    height: Height
    round: Round
    block_id: BlockId

    valid_round: Round | None
    """The earlier round in which a quorum prevoted this block, if the proposer saw one."""

    proposer: ValidatorId

    def __post_init__(self) -> None:
        """Check ranges; a valid round must lie before the round (line 28)."""
        _check_position(self.height, self.round)
        _check_size("block_id", self.block_id, BLOCK_ID_SIZE)
        if self.valid_round is not None and not 0 <= self.valid_round < self.round:
            raise InvalidValue("valid_round", self.valid_round, f"0 to {self.round - 1}, or none")
        _check_name("proposer", self.proposer)

    @override
    def __str__(self) -> str:
        """Return e.g. `proposal 12/1 ab12cd34 valid-round=0 by crypto-council`."""
        valid_round = "" if self.valid_round is None else f" valid-round={self.valid_round}"
        block = render_block_id(self.block_id)
        return f"proposal {self.height}/{self.round} {block}{valid_round} by {self.proposer}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """A prevote or a precommit. Raises InvalidValue."""

    kind: VoteType
    height: Height
    round: Round

    block_id: BlockId | None
    """None is nil: a vote against every block of the round."""

    validator: ValidatorId

    def __post_init__(self) -> None:
        """Check ranges."""
        _check_position(self.height, self.round)
        if self.block_id is not None:
            _check_size("block_id", self.block_id, BLOCK_ID_SIZE)
        _check_name("validator", self.validator)

    @override
    def __str__(self) -> str:
        """Return e.g. `prevote 12/1 ab12cd34 by crypto-council`."""
        block = render_block_id(self.block_id)
        return f"{self.kind.name.lower()} {self.height}/{self.round} {block} by {self.validator}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedVote:
    """A vote whose signature has been verified by the shell."""

    vote: Vote
    signature: Signature

    def __post_init__(self) -> None:
        """Check the size."""
        _check_size("signature", self.signature, SIGNATURE_SIZE)

    @override
    def __str__(self) -> str:
        """Return the vote's line."""
        return str(self.vote)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuorumCertificate:
    """Votes of one kind and round for one block. Precommits: the commit certificate.

    Built of foreign bytes it may say anything: `certificates.check_structure` says whether it
    holds a quorum, and the shell verifies the signatures.
    """

    kind: VoteType
    height: Height
    round: Round
    block_id: BlockId
    signatures: tuple[tuple[ValidatorId, Signature], ...]
    """Sorted by validator, each once."""

    def __post_init__(self) -> None:
        """Check ranges."""
        _check_position(self.height, self.round)
        _check_size("block_id", self.block_id, BLOCK_ID_SIZE)
        for name, signature in self.signatures:
            _check_name("signatures", name)
            _check_size("signature", signature, SIGNATURE_SIZE)

    @override
    def __str__(self) -> str:
        """Return e.g. `precommit certificate 12/0 ab12cd34 of a,b,c`."""
        names = ",".join(name for name, _ in self.signatures)
        block = render_block_id(self.block_id)
        kind = self.kind.name.lower()
        return f"{kind} certificate {self.height}/{self.round} {block} of {names}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedProposal:
    """A proposal whose signature, and whose certificate's, have been verified by the shell."""

    proposal: Proposal
    signature: Signature

    polka: QuorumCertificate | None
    """The prevotes of the valid round: they show a lock that others may not have seen.

    Always there when an honest proposer names a valid round; without it the machine waits for
    the prevotes themselves. Not covered by the proposer's signature: it proves itself.
    """

    def __post_init__(self) -> None:
        """Check the size, and that the certificate is the one the proposal speaks of."""
        _check_size("signature", self.signature, SIGNATURE_SIZE)
        polka, proposal = self.polka, self.proposal
        if polka is not None and (
            polka.kind is not VoteType.PREVOTE
            or polka.height != proposal.height
            or polka.round != proposal.valid_round
            or polka.block_id != proposal.block_id
        ):
            raise InvalidValue("polka", str(polka), f"the prevotes that justify {proposal}")

    @override
    def __str__(self) -> str:
        """Return the proposal's line."""
        return str(self.proposal)


SignedMessage: TypeAlias = SignedProposal | SignedVote

# Permanent numbers; 1 and 2 are the vote types.
_KIND_PROPOSAL: Final = 3
_TAG: Final = b"khazana/consensus/1"
# Tag, network, kind, height, round, (1, valid round) or (0, 0), (1, block id) or (0, zeros), name
# padded with zeros. Every field has its place and size, so no two messages share their bytes.
_LAYOUT: Final = struct.Struct(">19s32sBQIBIB32s32s")


def sign_bytes(message: Proposal | Vote, network: bytes) -> bytes:
    """Return the bytes a validator signs.

    The layout is part of the protocol: a change breaks every signature ever made.

    Args:
        message: What is signed.
        network: The genesis hash, 32 bytes: no signature is good on another network.
    """
    assert len(network) == NETWORK_SIZE
    valid_round: Round | None = None
    if isinstance(message, Vote):
        kind, name = int(message.kind), message.validator
    else:
        kind, name, valid_round = _KIND_PROPOSAL, message.proposer, message.valid_round
    block_id = message.block_id
    return _LAYOUT.pack(
        _TAG,
        network,
        kind,
        message.height,
        message.round,
        valid_round is not None,
        valid_round or 0,
        block_id is not None,
        block_id or b"",
        name.encode("ascii"),
    )


def render_block_id(block_id: BlockId | None) -> str:
    """Return the first eight hexadecimal digits, or `nil`: for people, not for comparing."""
    return "nil" if block_id is None else block_id[:4].hex()


def _check_position(height: int, round_: int) -> None:
    if not 1 <= height <= HEIGHT_MAX:
        raise InvalidValue("height", height, f"1 to {HEIGHT_MAX}")
    if not 0 <= round_ <= ROUND_MAX:
        raise InvalidValue("round", round_, f"0 to {ROUND_MAX}")


def _check_size(field: str, found: bytes, size: int) -> None:
    if len(found) != size:
        raise InvalidValue(field, f"{len(found)} bytes", f"{size} bytes")


def _check_name(field: str, found: str) -> None:
    # Longer names would be cut when signed, and two of them would share a signature.
    if not is_validator_id(found):
        raise InvalidValue(field, found, "1 to 32 of a-z, 0-9 and hyphen")
