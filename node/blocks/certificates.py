"""What a certificate and an accusation are worth: every signature verified, nothing taken on trust.

A certificate is refused whole when anything in it is wrong, also when a quorum of good signatures
would remain: whoever assembled it did not follow the protocol, and a reader that skips what it
does not like would accept two spellings of one decision (adversarial 20).
"""

import itertools
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from consensus.certificates import QuorumCertificate
from consensus.messages import Proposal, SignedProposal, SignedVote, Vote, sign_bytes
from consensus.quorum import quorum
from consensus.types import FaultModel, VoteType
from node.blocks.wire import EvidenceRecord, signed_of_record

Verify: TypeAlias = Callable[[bytes, bytes, bytes], bool]
"""(public key, message, signature) -> whether it holds: `node.keys.verify`."""

REASONS: Final = frozenset(
    {
        "not-precommits",
        "wrong-height",
        "wrong-block",
        "not-ascending",
        "unknown-validator",
        "no-quorum",
        "bad-signature",
    }
)


class CertificateError(Exception):
    """A commit certificate that proves nothing.

    Attributes:
        reason: one of `REASONS`.
        detail: what was found and what was expected.
    """

    def __init__(self, reason: str, detail: str) -> None:
        assert reason in REASONS
        super().__init__(f"commit certificate refused ({reason}): {detail}")
        self.reason = reason
        self.detail = detail


class EvidenceError(Exception):
    """An accusation that does not hold. `reason` says why, in a sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"evidence refused: {reason}")
        self.reason = reason


def verify_certificate(
    certificate: QuorumCertificate,
    validators: Mapping[str, bytes],
    model: FaultModel,
    network: bytes,
    verify: Verify,
    *,
    height: int | None = None,
    block_id: bytes | None = None,
) -> None:
    """Check that a quorum of these validators precommitted the block.

    Args:
        validators: public key by name, of the set that rules the certificate's height.
        network: the 32-byte genesis hash that every signature covers.
        height: the height the certificate must be of, where the caller knows it.
        block_id: the block it must be for, where the caller knows it.

    Raises:
        CertificateError: anything in it is wrong.
    """
    if certificate.kind is not VoteType.PRECOMMIT:
        raise CertificateError("not-precommits", f"it holds {certificate.kind.name} votes")
    if height is not None and certificate.height != height:
        raise CertificateError("wrong-height", f"{certificate.height}, expected {height}")
    if block_id is not None and certificate.block_id != block_id:
        raise CertificateError(
            "wrong-block", f"{certificate.block_id.hex()}, expected {block_id.hex()}"
        )
    names = [name for name, _ in certificate.signatures]
    if any(later <= earlier for earlier, later in itertools.pairwise(names)):
        raise CertificateError("not-ascending", "each validator once, in ascending order")
    for name in names:
        if name not in validators:
            raise CertificateError(
                "unknown-validator", f"{name} is not one of {', '.join(sorted(validators))}"
            )
    needed = quorum(model, len(validators))
    if len(names) < needed:
        raise CertificateError("no-quorum", f"{len(names)} signatures, {needed} needed")
    for name, signature in certificate.signatures:
        vote = Vote(
            kind=certificate.kind,
            height=certificate.height,
            round=certificate.round,
            block_id=certificate.block_id,
            validator=name,
        )
        if not verify(validators[name], sign_bytes(vote, network), signature):
            raise CertificateError("bad-signature", f"of {name}")


def verify_evidence(
    record: EvidenceRecord, validators: Mapping[str, bytes], network: bytes, verify: Verify
) -> tuple[str, int]:
    """Check that one validator signed both messages and that they conflict.

    Returns:
        The validator's name and the height of its two messages.

    Raises:
        EvidenceError: the messages do not conflict, their author is not in the set, or a signature
            does not hold.
    """
    first, second = signed_of_record(record.first), signed_of_record(record.second)
    author, height = _conflict(_message(first), _message(second))
    key = validators.get(author)
    if key is None:
        raise EvidenceError(f"{author} was not a validator at height {height}")
    for signed in (first, second):
        if not verify(key, sign_bytes(_message(signed), network), signed.signature):
            raise EvidenceError(f"a signature of {author} does not hold")
    return author, height


def _message(signed: SignedVote | SignedProposal) -> Vote | Proposal:
    return signed.vote if isinstance(signed, SignedVote) else signed.proposal


def _conflict(first: Vote | Proposal, second: Vote | Proposal) -> tuple[str, int]:
    match first, second:
        case Vote(), Vote():
            same_place = (first.kind, first.height, first.round, first.validator) == (
                second.kind,
                second.height,
                second.round,
                second.validator,
            )
            author = first.validator
        case Proposal(), Proposal():
            same_place = (first.height, first.round, first.proposer) == (
                second.height,
                second.round,
                second.proposer,
            )
            author = first.proposer
        case _:
            raise EvidenceError("a vote and a proposal do not conflict")
    if not same_place:
        raise EvidenceError("the two messages are of different places or authors")
    if first == second:
        raise EvidenceError("the two messages say the same")
    return author, first.height
