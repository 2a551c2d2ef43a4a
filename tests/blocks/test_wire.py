"""The bytes of what consensus says: there and back, and nothing that no message can say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.certificates import QuorumCertificate
from consensus.evidence import Equivocation
from consensus.messages import SignedProposal, SignedVote
from consensus.types import VoteType
from node.blocks import (
    CertificateRecord,
    EvidenceRecord,
    ProposalRecord,
    SignatureRecord,
    VoteRecord,
    certificate_of_record,
    decode_certificate,
    decode_evidence,
    encode_certificate,
    encode_evidence,
    proposal_of_record,
    record_of_certificate,
    record_of_proposal,
    record_of_vote,
    vote_of_record,
)
from node.codec import CodecError, decode, encode, replace
from tests.blocks.builders import OTHER, make_certificate, make_proposal, make_vote

kinds = st.sampled_from(VoteType)
heights = st.integers(1, 2**63 - 1)
rounds = st.integers(0, 2**31 - 1)
ids = st.binary(min_size=32, max_size=32)
votes = st.builds(make_vote, kind=kinds, height=heights, round_=rounds, block=st.none() | ids)


@given(votes)
def test_vote_survives_its_bytes(vote: SignedVote) -> None:
    assert vote_of_record(decode(encode(record_of_vote(vote)), VoteRecord)) == vote


@given(st.builds(make_certificate, kind=kinds, height=heights, round_=rounds, block=ids))
def test_certificate_survives_its_bytes(certificate: QuorumCertificate) -> None:
    assert decode_certificate(encode_certificate(certificate)) == certificate


@pytest.mark.parametrize(
    "proposal",
    [
        make_proposal(),
        make_proposal(valid_round=1),
        make_proposal(valid_round=1, polka=make_certificate(kind=VoteType.PREVOTE, round_=1)),
    ],
)
def test_proposal_survives_its_bytes(proposal: SignedProposal) -> None:
    record = decode(encode(record_of_proposal(proposal)), ProposalRecord)

    assert proposal_of_record(record) == proposal


def test_proposal_whose_valid_round_is_not_before_its_round_is_refused() -> None:
    record = record_of_proposal(make_proposal(round_=2, valid_round=1))

    with pytest.raises(CodecError, match="valid_round"):
        proposal_of_record(replace(record, valid_round=2))


def test_proposal_with_a_polka_of_another_block_is_refused() -> None:
    record = record_of_proposal(make_proposal(valid_round=1))
    polka = record_of_certificate(make_certificate(kind=VoteType.PREVOTE, round_=1, block=OTHER))

    with pytest.raises(CodecError, match="polka"):
        proposal_of_record(replace(record, polka=polka))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", 0),
        ("kind", 3),
        ("height", 0),
        ("height", 2**64 - 1),
        ("round", 2**31),
        ("block_id", b""),
        ("signatures", ()),
        ("signatures", (SignatureRecord(validator="A", signature=bytes(64)),)),
        ("signatures", (SignatureRecord(validator="a", signature=bytes(63)),)),
    ],
)
def test_certificate_out_of_range_is_refused(field: str, value: object) -> None:
    record = record_of_certificate(make_certificate())

    with pytest.raises(CodecError):
        decode_certificate(encode(replace(record, **{field: value})))


def test_certificate_keeps_an_order_that_is_not_ascending() -> None:
    """Whether it counts is for `verify_certificate` to say, which sees what was sent."""
    certificate = make_certificate(("b", "a", "c"))
    unsorted = CertificateRecord(
        kind=2,
        height=7,
        round=2,
        block_id=certificate.block_id,
        signatures=tuple(
            SignatureRecord(validator=name, signature=signature)
            for name, signature in certificate.signatures
        ),
    )

    assert certificate_of_record(unsorted) == certificate


@pytest.mark.parametrize(
    "evidence",
    [
        Equivocation(first=make_vote(), second=make_vote(block=OTHER)),
        Equivocation(first=make_vote(block=None), second=make_vote()),
        Equivocation(first=make_proposal(), second=make_proposal(block=OTHER)),
    ],
)
def test_evidence_has_one_spelling_whoever_saw_what_first(evidence: Equivocation) -> None:
    swapped = Equivocation(first=evidence.second, second=evidence.first)
    encoded = encode_evidence(evidence)

    assert encode_evidence(swapped) == encoded
    assert decode_evidence(encoded) in (evidence, swapped)
    record = decode(encoded, EvidenceRecord)
    with pytest.raises(CodecError, match="spelling"):
        decode_evidence(encode(EvidenceRecord(first=record.second, second=record.first)))


def test_evidence_leaves_out_the_polka_that_nobody_signed() -> None:
    polka = make_certificate(kind=VoteType.PREVOTE, round_=1)
    with_polka = Equivocation(
        first=make_proposal(valid_round=1, polka=polka), second=make_proposal(block=OTHER)
    )
    without = Equivocation(first=make_proposal(valid_round=1), second=make_proposal(block=OTHER))

    assert encode_evidence(with_polka) == encode_evidence(without)
    bare = record_of_proposal(make_proposal(block=OTHER))
    loaded = EvidenceRecord(
        first=record_of_proposal(make_proposal(valid_round=1, polka=polka)), second=bare
    )
    with pytest.raises(CodecError):
        decode_evidence(encode(loaded))


def test_two_messages_that_do_not_conflict_are_no_evidence() -> None:
    vote = record_of_vote(make_vote())
    later = record_of_vote(make_vote(round_=3, block=OTHER))

    for second in (vote, later, record_of_proposal(make_proposal())):
        with pytest.raises(CodecError):
            decode_evidence(encode(EvidenceRecord(first=vote, second=second)))
