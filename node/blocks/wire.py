"""The canonical bytes of what consensus says, and the way back.

Consensus knows frozen values and what is signed of them; it does not know bytes of messages. Here
each of its values has one record. What a record says may still be impossible, such as a valid round
after the round: then there is no such value, and the bytes are refused like any others that are not
canonical. Nothing here verifies a signature.
"""

import dataclasses
from collections.abc import Callable
from typing import Annotated, Final, TypeAlias, TypeVar

import msgspec

from consensus.certificates import QuorumCertificate
from consensus.errors import InvalidValue
from consensus.evidence import Equivocation
from consensus.messages import Proposal, SignedMessage, SignedProposal, SignedVote, Vote
from consensus.types import BlockId, Height, Round, Signature, ValidatorId, VoteType
from node.blocks.merkle import Hash
from node.blocks.records import (
    EVIDENCE_SIZE_MAX,
    HeightNumber,
    Name,
    RoundNumber,
    SignatureBytes,
)
from node.codec import CodecError, Record, decode, encode
from node.ledger.tables import VALIDATORS_MAX

CERTIFICATE_SIZE_MAX: Final = 16 << 10
"""The certificate of `VALIDATORS_MAX` validators with the longest names takes about 10 KiB."""

_RecordT = TypeVar("_RecordT", bound=Record)
_ValueT = TypeVar("_ValueT")

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
    """The prevotes of `valid_round`; None where there is none, or where it takes no part."""


SignedRecord: TypeAlias = VoteRecord | ProposalRecord


class EvidenceRecord(Record):
    """Two messages that one validator signed and an honest one never signs both of."""

    first: SignedRecord
    second: SignedRecord


def record_of_certificate(certificate: QuorumCertificate) -> CertificateRecord:
    """Return the record of a certificate, signatures ascending by validator."""
    return CertificateRecord(
        kind=int(certificate.kind),
        height=certificate.height,
        round=certificate.round,
        block_id=certificate.block_id,
        signatures=tuple(
            SignatureRecord(validator=validator, signature=signature)
            for validator, signature in sorted(certificate.signatures)
        ),
    )


def certificate_of_record(record: CertificateRecord) -> QuorumCertificate:
    """Return the certificate as consensus knows it. It is not verified by this.

    Raises:
        CodecError: there is no such certificate.
    """
    return _made(record, _certificate)


def record_of_vote(signed: SignedVote) -> VoteRecord:
    """Return the record of a signed vote."""
    vote = signed.vote
    return VoteRecord(
        kind=int(vote.kind),
        height=vote.height,
        round=vote.round,
        block_id=vote.block_id,
        validator=vote.validator,
        signature=signed.signature,
    )


def vote_of_record(record: VoteRecord) -> SignedVote:
    """Return the signed vote as consensus knows it. It is not verified by this.

    Raises:
        CodecError: there is no such vote.
    """
    return _made(record, _vote)


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
    """Return the signed proposal as consensus knows it. It is not verified by this.

    Raises:
        CodecError: there is no such proposal.
    """
    return _made(record, _proposal)


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


def decode_evidence(data: bytes) -> Equivocation:
    """Return the equivocation of these bytes. Its signatures are not verified by this.

    Raises:
        CodecError: not the canonical encoding of two messages that conflict, without polkas and in
            the order of their bytes.
    """
    record = decode(data, EvidenceRecord, size_max=EVIDENCE_SIZE_MAX)
    equivocation = _made(record, _equivocation)
    if encode_evidence(equivocation) != data:
        raise CodecError("EvidenceRecord", "another spelling of the same evidence")
    return equivocation


def _bare_record(signed: SignedMessage) -> SignedRecord:
    match signed:
        case SignedVote():
            return record_of_vote(signed)
        case SignedProposal():
            return record_of_proposal(dataclasses.replace(signed, polka=None))


def _made(record: _RecordT, make: Callable[[_RecordT], _ValueT]) -> _ValueT:
    try:
        return make(record)
    except InvalidValue as error:
        raise CodecError(type(record).__name__, str(error)) from None


def _certificate(record: CertificateRecord) -> QuorumCertificate:
    return QuorumCertificate(
        kind=VoteType(record.kind),
        height=Height(record.height),
        round=Round(record.round),
        block_id=BlockId(record.block_id),
        signatures=tuple(
            (ValidatorId(item.validator), Signature(item.signature)) for item in record.signatures
        ),
    )


def _vote(record: VoteRecord) -> SignedVote:
    return SignedVote(
        vote=Vote(
            kind=VoteType(record.kind),
            height=Height(record.height),
            round=Round(record.round),
            block_id=None if record.block_id is None else BlockId(record.block_id),
            validator=ValidatorId(record.validator),
        ),
        signature=Signature(record.signature),
    )


def _proposal(record: ProposalRecord) -> SignedProposal:
    return SignedProposal(
        proposal=Proposal(
            height=Height(record.height),
            round=Round(record.round),
            block_id=BlockId(record.block_id),
            valid_round=None if record.valid_round is None else Round(record.valid_round),
            proposer=ValidatorId(record.proposer),
        ),
        signature=Signature(record.signature),
        polka=None if record.polka is None else _certificate(record.polka),
    )


def _equivocation(record: EvidenceRecord) -> Equivocation:
    return Equivocation(first=_signed(record.first), second=_signed(record.second))


def _signed(record: SignedRecord) -> SignedMessage:
    match record:
        case VoteRecord():
            return _vote(record)
        case ProposalRecord():
            return _proposal(record)
