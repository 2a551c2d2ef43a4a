"""What a certificate is worth: nothing, unless everything in it is right."""

from collections.abc import Callable

import pytest

from consensus.certificates import QuorumCertificate
from consensus.evidence import Equivocation
from consensus.types import FaultModel, VoteType
from node.blocks import CertificateError, EvidenceError, verify_certificate, verify_evidence
from node.blocks.certificates import CertificateReason
from node.keys import verify
from tests.blocks.builders import (
    BLOCK,
    NETWORK,
    OTHER,
    make_certificate,
    make_proposal,
    make_validators,
    make_vote,
)

BYZANTINE, CRASH = FaultModel.BYZANTINE, FaultModel.CRASH
Make = Callable[[], QuorumCertificate]


def check(
    certificate: QuorumCertificate, model: FaultModel = BYZANTINE, names: str = "abcd"
) -> None:
    verify_certificate(
        certificate, make_validators(names), model, NETWORK, verify, height=7, block_id=BLOCK
    )


@pytest.mark.parametrize(
    ("signers", "model", "names"),
    [
        ("abc", BYZANTINE, "abcd"),
        ("bcd", BYZANTINE, "abcd"),
        ("abcd", BYZANTINE, "abcd"),
        ("ab", CRASH, "abc"),
        ("a", BYZANTINE, "a"),
    ],
)
def test_certificate_of_a_quorum_holds(signers: str, model: FaultModel, names: str) -> None:
    check(make_certificate(signers), model, names)


@pytest.mark.adversarial(20)
@pytest.mark.parametrize(
    ("why", "make", "reason"),
    [
        ("too few", lambda: make_certificate("ab"), CertificateReason.NO_QUORUM),
        ("one twice", lambda: make_certificate("aab"), CertificateReason.NOT_ASCENDING),
        ("a quorum, one twice", lambda: make_certificate("abbc"), CertificateReason.NOT_ASCENDING),
        ("unordered", lambda: make_certificate("bac"), CertificateReason.NOT_ASCENDING),
        ("a stranger", lambda: make_certificate("abx"), CertificateReason.UNKNOWN_VALIDATOR),
        (
            "a stranger besides a quorum",
            lambda: make_certificate("abcx"),
            CertificateReason.UNKNOWN_VALIDATOR,
        ),
        (
            "one bad signature of four",
            lambda: make_certificate("abcd", forged="d"),
            CertificateReason.BAD_SIGNATURE,
        ),
        (
            "the first signature bad",
            lambda: make_certificate("abc", forged="a"),
            CertificateReason.BAD_SIGNATURE,
        ),
        (
            "signed for another network",
            lambda: make_certificate(network=bytes(32)),
            CertificateReason.BAD_SIGNATURE,
        ),
        (
            "prevotes",
            lambda: make_certificate(kind=VoteType.PREVOTE),
            CertificateReason.WRONG_KIND,
        ),
        ("another height", lambda: make_certificate(height=8), CertificateReason.WRONG_HEIGHT),
        ("another block", lambda: make_certificate(block=OTHER), CertificateReason.WRONG_BLOCK),
        ("nobody", lambda: make_certificate(""), CertificateReason.NO_QUORUM),
    ],
)
def test_certificate_is_refused_whole(why: str, make: Make, reason: CertificateReason) -> None:
    with pytest.raises(CertificateError) as caught:
        check(make())

    assert caught.value.reason is reason, why


@pytest.mark.adversarial(20)
def test_votes_for_nil_cannot_be_passed_off_as_votes_for_the_block() -> None:
    """A certificate has no place for nil; a nil vote's signature does not cover the block."""
    honest = make_certificate("abc")
    nil = make_vote("c", block=None)
    signatures = (*honest.signatures[:2], (nil.vote.validator, nil.signature))
    mixed = QuorumCertificate(
        kind=honest.kind,
        height=honest.height,
        round=honest.round,
        block_id=honest.block_id,
        signatures=signatures,
    )

    with pytest.raises(CertificateError) as caught:
        check(mixed)

    assert caught.value.reason is CertificateReason.BAD_SIGNATURE


@pytest.mark.adversarial(20)
def test_every_signature_is_verified_also_beyond_the_quorum() -> None:
    verified: list[bytes] = []

    def counting(key: bytes, message: bytes, signature: bytes) -> bool:
        verified.append(key)
        return verify(key, message, signature)

    certificate = make_certificate("abcd")
    verify_certificate(certificate, make_validators(), BYZANTINE, NETWORK, counting)

    assert len(verified) == len(set(verified)) == 4


def test_prevotes_can_be_asked_for() -> None:
    certificate = make_certificate(kind=VoteType.PREVOTE)

    verify_certificate(
        certificate, make_validators(), BYZANTINE, NETWORK, verify, kind=VoteType.PREVOTE
    )


@pytest.mark.parametrize(
    "evidence",
    [
        Equivocation(first=make_vote(), second=make_vote(block=OTHER)),
        Equivocation(first=make_proposal(), second=make_proposal(block=OTHER)),
    ],
)
def test_evidence_of_a_validator_holds(evidence: Equivocation) -> None:
    verify_evidence(evidence, make_validators(), NETWORK, verify)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (make_vote("x"), make_vote("x", block=OTHER)),
        (make_vote(), make_vote(block=OTHER, signer="b")),
        (make_vote(signer="b"), make_vote(block=OTHER)),
        (make_vote(), make_vote(block=OTHER, network=bytes(32))),
    ],
    ids=["a stranger", "second forged", "first forged", "another network"],
)
def test_evidence_that_nobody_signed_is_refused(first: object, second: object) -> None:
    evidence = Equivocation(first=first, second=second)  # type: ignore[arg-type]

    with pytest.raises(EvidenceError):
        verify_evidence(evidence, make_validators(), NETWORK, verify)
