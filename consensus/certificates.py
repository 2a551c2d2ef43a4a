"""Quorum certificates: assembled from votes, checked for structure and count.

What is not checked here: the signatures. `votes_of` gives the shell the votes that were signed;
it verifies every one of them, or the certificate is worth nothing.
"""

from collections.abc import Iterable
from enum import Enum
from itertools import pairwise

from consensus.messages import QuorumCertificate, SignedVote, Vote
from consensus.quorum import quorum
from consensus.types import FaultModel
from consensus.validators import ValidatorSet

__all__ = ["CertificateFault", "QuorumCertificate", "assemble", "check_structure", "votes_of"]


class CertificateFault(Enum):
    """Why a certificate proves nothing; the value is the sentence's end."""

    NOT_ASCENDING = "its validators are not in ascending order, each once"
    UNKNOWN_VALIDATOR = "it names a validator that is not in the set of its height"
    TOO_FEW = "it holds fewer votes than a quorum"


def assemble(votes: Iterable[SignedVote]) -> QuorumCertificate:
    """Join votes of one kind, height, round and block (not nil), one a validator."""
    ordered = sorted(votes, key=lambda signed: signed.vote.validator)
    first = ordered[0].vote
    assert first.block_id is not None
    return QuorumCertificate(
        kind=first.kind,
        height=first.height,
        round=first.round,
        block_id=first.block_id,
        signatures=tuple((signed.vote.validator, signed.signature) for signed in ordered),
    )


def check_structure(
    certificate: QuorumCertificate, validators: ValidatorSet, model: FaultModel
) -> CertificateFault | None:
    """Return the first fault, or None if a quorum of this set is named, each member once.

    The caller has chosen the set of the certificate's height, and verifies the signatures.
    """
    names = [name for name, _ in certificate.signatures]
    # A name that came twice would have two votes: strictly ascending leaves no room for it.
    if any(low >= high for low, high in pairwise(names)):
        return CertificateFault.NOT_ASCENDING
    if any(name not in validators for name in names):
        return CertificateFault.UNKNOWN_VALIDATOR
    if len(names) < quorum(model, len(validators)):
        return CertificateFault.TOO_FEW
    return None


def votes_of(certificate: QuorumCertificate) -> tuple[SignedVote, ...]:
    """Return the votes that the certificate's validators signed, ascending by validator."""
    return tuple(
        SignedVote(
            vote=Vote(
                kind=certificate.kind,
                height=certificate.height,
                round=certificate.round,
                block_id=certificate.block_id,
                validator=name,
            ),
            signature=signature,
        )
        for name, signature in certificate.signatures
    )
