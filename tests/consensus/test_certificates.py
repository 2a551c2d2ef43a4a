import dataclasses

import pytest

from consensus import (
    CertificateFault,
    FaultModel,
    QuorumCertificate,
    Signature,
    ValidatorId,
    VoteType,
    check_structure,
    votes_of,
)
from consensus.certificates import assemble
from tests.consensus.builders import A, certificate, is_signed, make_validators, precommit

FOUR = make_validators(4)


def named(*names: str) -> QuorumCertificate:
    """A certificate that says it holds these, in this order."""
    signatures = tuple((ValidatorId(name), Signature(bytes(64))) for name in names)
    return dataclasses.replace(certificate(A), signatures=signatures)


def test_a_certificate_joins_votes_in_the_order_of_names() -> None:
    votes = [precommit(name, A, round_=2, height=7) for name in "cab"]

    joined = assemble(votes)

    assert (joined.kind, joined.height, joined.round) == (VoteType.PRECOMMIT, 7, 2)
    assert [name for name, _ in joined.signatures] == ["a", "b", "c"]
    assert check_structure(joined, FOUR, FaultModel.BYZANTINE) is None


def test_the_votes_of_a_certificate_are_what_was_signed() -> None:
    votes = tuple(precommit(name, A) for name in "abd")

    assert votes_of(assemble(votes)) == votes
    assert all(is_signed(vote) for vote in votes_of(assemble(votes)))


@pytest.mark.adversarial(19, 20, 41)
@pytest.mark.parametrize(
    ("names", "fault"),
    [
        ("abc", None),
        ("abcd", None),
        ("ab", CertificateFault.TOO_FEW),
        ("", CertificateFault.TOO_FEW),
        ("aab", CertificateFault.NOT_ASCENDING),
        ("aaabcd", CertificateFault.NOT_ASCENDING),
        ("acb", CertificateFault.NOT_ASCENDING),
        ("abe", CertificateFault.UNKNOWN_VALIDATOR),
        ("abcde", CertificateFault.UNKNOWN_VALIDATOR),
    ],
)
def test_a_certificate_names_a_quorum_of_the_set_each_once(
    names: str, fault: CertificateFault | None
) -> None:
    assert check_structure(named(*names), FOUR, FaultModel.BYZANTINE) is fault


@pytest.mark.adversarial(12, 20)
@pytest.mark.parametrize(
    ("model", "n", "names", "enough"),
    [
        (FaultModel.BYZANTINE, 6, "abcd", False),
        (FaultModel.BYZANTINE, 6, "abcde", True),
        (FaultModel.CRASH, 4, "ab", False),
        (FaultModel.CRASH, 4, "abc", True),
        (FaultModel.CRASH, 3, "ac", True),
    ],
)
def test_a_certificate_with_exactly_two_thirds_or_one_half_proves_nothing(
    model: FaultModel, n: int, names: str, enough: bool
) -> None:
    fault = check_structure(named(*names), make_validators(n), model)

    assert fault is (None if enough else CertificateFault.TOO_FEW)


@pytest.mark.adversarial(20)
def test_votes_for_nil_or_another_block_cannot_be_hidden_in_a_certificate() -> None:
    """It names one block: a signature made for anything else is a signature of other bytes."""
    honest = [precommit("a", A), precommit("b", A)]
    nil = precommit("c", None)
    signatures = [(signed.vote.validator, signed.signature) for signed in (*honest, nil)]

    forged = dataclasses.replace(certificate(A), signatures=tuple(signatures))

    assert check_structure(forged, FOUR, FaultModel.BYZANTINE) is None
    assert [is_signed(vote) for vote in votes_of(forged)] == [True, True, False]
