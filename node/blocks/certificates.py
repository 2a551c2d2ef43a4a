"""What a certificate and an accusation are worth: every signature verified, nothing taken on trust.

A certificate is refused whole when anything in it is wrong, also when a quorum of good signatures
would remain: whoever assembled it did not follow the protocol, and a reader that skips what it
does not like would accept two spellings of one decision (adversarial 20).
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Final, TypeAlias

from consensus.certificates import CertificateFault, QuorumCertificate, check_structure, votes_of
from consensus.evidence import Equivocation
from consensus.messages import Proposal, SignedMessage, SignedVote, Vote, sign_bytes
from consensus.types import FaultModel, VoteType
from consensus.validators import ValidatorSet

Verify: TypeAlias = Callable[[bytes, bytes, bytes], bool]
"""(public key, message, signature) -> whether it holds: `node.keys.verify`."""


class CertificateReason(StrEnum):
    """Why a certificate proves nothing, in the order in which it is looked at."""

    WRONG_KIND = "wrong-kind"
    WRONG_HEIGHT = "wrong-height"
    WRONG_BLOCK = "wrong-block"
    NOT_ASCENDING = "not-ascending"
    UNKNOWN_VALIDATOR = "unknown-validator"
    NO_QUORUM = "no-quorum"
    BAD_SIGNATURE = "bad-signature"


_STRUCTURE: Final[dict[CertificateFault, CertificateReason]] = {
    CertificateFault.NOT_ASCENDING: CertificateReason.NOT_ASCENDING,
    CertificateFault.UNKNOWN_VALIDATOR: CertificateReason.UNKNOWN_VALIDATOR,
    CertificateFault.TOO_FEW: CertificateReason.NO_QUORUM,
}


class CertificateError(Exception):
    """A certificate that proves nothing.

    Attributes:
        reason: which check it fails.
        detail: what was found and what was expected.
    """

    def __init__(self, reason: CertificateReason, detail: str) -> None:
        super().__init__(f"certificate refused ({reason}): {detail}")
        self.reason = reason
        self.detail = detail


class EvidenceError(Exception):
    """An accusation that does not hold. `reason` says why, in a sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"evidence refused: {reason}")
        self.reason = reason


def verify_certificate(
    certificate: QuorumCertificate,
    validators: ValidatorSet,
    model: FaultModel,
    network: bytes,
    verify: Verify,
    *,
    kind: VoteType = VoteType.PRECOMMIT,
    height: int | None = None,
    block_id: bytes | None = None,
) -> None:
    """Check that a quorum of these validators voted for the block: all signatures, no exception.

    Args:
        validators: the set that rules the certificate's height.
        network: the 32-byte genesis hash that every signature covers.
        kind: precommits for a commit certificate; prevotes for what a proposal cites.
        height: the height the certificate must be of, where the caller knows it.
        block_id: the block it must be for, where the caller knows it.

    Raises:
        CertificateError: anything in it is wrong.
    """
    if certificate.kind is not kind:
        raise CertificateError(
            CertificateReason.WRONG_KIND,
            f"{certificate.kind.name.lower()}s, expected {kind.name.lower()}s",
        )
    if height is not None and certificate.height != height:
        raise CertificateError(
            CertificateReason.WRONG_HEIGHT, f"{certificate.height}, expected {height}"
        )
    if block_id is not None and certificate.block_id != block_id:
        raise CertificateError(
            CertificateReason.WRONG_BLOCK,
            f"{certificate.block_id.hex()}, expected {block_id.hex()}",
        )
    fault = check_structure(certificate, validators, model)
    if fault is not None:
        raise CertificateError(_STRUCTURE[fault], fault.value)
    for signed in votes_of(certificate):
        key = validators[signed.vote.validator].public_key
        if not verify(key, sign_bytes(signed.vote, network), signed.signature):
            raise CertificateError(
                CertificateReason.BAD_SIGNATURE, f"that of {signed.vote.validator} does not hold"
            )


def verify_evidence(
    equivocation: Equivocation, validators: ValidatorSet, network: bytes, verify: Verify
) -> None:
    """Check that a validator of the height signed both messages. That they conflict, the type says.

    Raises:
        EvidenceError: their author is not in the set, or a signature does not hold.
    """
    author = equivocation.validator
    if author not in validators:
        raise EvidenceError(f"{author} was no validator at height {equivocation.height}")
    key = validators[author].public_key
    for signed in (equivocation.first, equivocation.second):
        if not verify(key, sign_bytes(_said(signed), network), signed.signature):
            raise EvidenceError(f"a signature of {author} does not hold")


def _said(signed: SignedMessage) -> Vote | Proposal:
    return signed.vote if isinstance(signed, SignedVote) else signed.proposal
