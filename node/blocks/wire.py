"""The canonical bytes of what consensus says, and the way back.

Consensus knows frozen values and what is signed of them; it does not know bytes of messages. Here
each of its values has one record. Decoding checks form and ranges; nothing here verifies a
signature.
"""

from typing import Annotated, Final, TypeAlias

import msgspec

from consensus.certificates import QuorumCertificate
from consensus.evidence import Equivocation
from consensus.messages import Proposal, SignedProposal, SignedVote, Vote
from consensus.types import BlockId, Height, Round, Signature, ValidatorId, VoteType
from node.blocks.merkle import Hash
from node.blocks.records import (
    EVIDENCE_SIZE_MAX,
    VALIDATORS_MAX,
    HeightNumber,
    Name,
    RoundNumber,
    SignatureBytes,
)
from node.codec import Record, decode, encode

CERTIFICATE_SIZE_MAX: Final = 16 << 10
"""The certificate of `VALIDATORS_MAX` validators with the longest names takes about 10 KiB."""

_KINDS: Final = {VoteType.PREVOTE: 1, VoteType.PRECOMMIT: 2}
_VOTE_TYPES: Final = {number: kind for kind, number in _KINDS.items()}

KindNumber = Annotated[int, msgspec.Meta(ge=1, le=2)]
"""1 a prevote, 2 a precommit."""


class SignatureRecord(Record):
    """One validator's signature inside a certificate."""

    validator: Name
    signature: SignatureBytes


class CertificateRecord(Record):
    """A quorum of votes of one kind for one block."""

    kind: KindNumber
    height: HeightNumber
    round: RoundNumber
    block_id: Hash
    signatures: Annotated[
        tuple[SignatureRecord, ...], msgspec.Meta(min_length=1, max_length=VALIDATORS_MAX)
    ]
    """Ascending by validator, each once: the order is part of the one spelling."""


class VoteRecord(Record, tag=1):
    """A signed prevote or precommit; without a block id it is a vote for nil."""

    kind: KindNumber
    height: HeightNumber
    round: RoundNumber
    block_id: Hash | None
    validator: Name
    signature: SignatureBytes


class ProposalRecord(Record, tag=2):
    """A signed proposal, with the prevotes that show its valid round."""

    height: HeightNumber
    round: RoundNumber
    block_id: Hash
    valid_round: RoundNumber | None
    proposer: Name
    signature: SignatureBytes
    polka: CertificateRecord | None
    """Present exactly when `valid_round` is."""


SignedRecord: TypeAlias = VoteRecord | ProposalRecord


class EvidenceRecord(Record):
    """Two messages that one validator signed and an honest one never signs both of."""

    first: SignedRecord
    second: SignedRecord


def record_of_certificate(certificate: QuorumCertificate) -> CertificateRecord:
    """Return the record of a certificate, signatures ascending by validator."""
    return CertificateRecord(
        kind=_KINDS[certificate.kind],
        height=certificate.height,
        round=certificate.round,
        block_id=certificate.block_id,
        signatures=tuple(
            SignatureRecord(validator=validator, signature=signature)
            for validator, signature in sorted(certificate.signatures)
        ),
    )


def certificate_of_record(record: CertificateRecord) -> QuorumCertificate:
    """Return the certificate as consensus knows it. It is not verified by this."""
    return QuorumCertificate(
        kind=_VOTE_TYPES[record.kind],
        height=Height(record.height),
        round=Round(record.round),
        block_id=BlockId(record.block_id),
        signatures=tuple(
            (ValidatorId(item.validator), Signature(item.signature)) for item in record.signatures
        ),
    )


def record_of_vote(signed: SignedVote) -> VoteRecord:
    """Return the record of a signed vote."""
    vote = signed.vote
    return VoteRecord(
        kind=_KINDS[vote.kind],
        height=vote.height,
        round=vote.round,
        block_id=vote.block_id,
        validator=vote.validator,
        signature=signed.signature,
    )


def vote_of_record(record: VoteRecord) -> SignedVote:
    """Return the signed vote as consensus knows it. It is not verified by this."""
    return SignedVote(
        vote=Vote(
            kind=_VOTE_TYPES[record.kind],
            height=Height(record.height),
            round=Round(record.round),
            block_id=None if record.block_id is None else BlockId(record.block_id),
            validator=ValidatorId(record.validator),
        ),
        signature=Signature(record.signature),
    )


def record_of_proposal(signed: SignedProposal) -> ProposalRecord:
    """Return the record of a signed proposal."""
    proposal = signed.proposal
    return ProposalRecord(
        height=proposal.height,
        round=proposal.round,
        block_id=proposal.block_id,
        valid_round=proposal.valid_round,
        proposer=proposal.proposer,
        signature=signed.signature,
        polka=None if signed.polka is None else record_of_certificate(signed.polka),
    )


def proposal_of_record(record: ProposalRecord) -> SignedProposal:
    """Return the signed proposal as consensus knows it. It is not verified by this."""
    return SignedProposal(
        proposal=Proposal(
            height=Height(record.height),
            round=Round(record.round),
            block_id=BlockId(record.block_id),
            valid_round=None if record.valid_round is None else Round(record.valid_round),
            proposer=ValidatorId(record.proposer),
        ),
        signature=Signature(record.signature),
        polka=None if record.polka is None else certificate_of_record(record.polka),
    )


def encode_certificate(certificate: QuorumCertificate) -> bytes:
    """Return the canonical bytes of a certificate."""
    return encode(record_of_certificate(certificate))


def decode_certificate(data: bytes) -> QuorumCertificate:
    """Return the certificate of these bytes. It is not verified by this.

    Raises:
        CodecError: not the canonical encoding of a certificate.
    """
    return certificate_of_record(decode(data, CertificateRecord, size_max=CERTIFICATE_SIZE_MAX))


def encode_evidence(equivocation: Equivocation) -> bytes:
    """Return the canonical bytes of an equivocation: the two messages in the order of their bytes.

    The polka of a proposal is not signed and takes no part in the conflict: it is left out.
    """
    first, second = sorted(
        (_bare_record(equivocation.first), _bare_record(equivocation.second)), key=encode
    )
    return encode(EvidenceRecord(first=first, second=second))


def decode_evidence(data: bytes) -> EvidenceRecord:
    """Return the record of an equivocation. It is not verified by this.

    Raises:
        CodecError: not the canonical encoding of an equivocation.
    """
    return decode(data, EvidenceRecord, size_max=EVIDENCE_SIZE_MAX)


def signed_of_record(record: SignedRecord) -> SignedVote | SignedProposal:
    """Return the signed message as consensus knows it. It is not verified by this."""
    match record:
        case VoteRecord():
            return vote_of_record(record)
        case ProposalRecord():
            return proposal_of_record(record)


def _bare_record(signed: SignedVote | SignedProposal) -> SignedRecord:
    match signed:
        case SignedVote():
            return record_of_vote(signed)
        case SignedProposal():
            return msgspec.structs.replace(record_of_proposal(signed), polka=None)
