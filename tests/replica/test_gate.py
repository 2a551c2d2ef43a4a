"""The gate: cheap checks first, every signature that counts verified once."""

import pytest

from consensus.messages import QuorumCertificate, SignedProposal, SignedVote
from consensus.types import BlockId, FaultModel, Height, VoteType
from node.blocks import encode_certificate
from node.codec import replace
from node.keys import verify
from node.metrics import Metrics
from node.network import CertificateMessage, ProposalMessage, VoteMessage
from node.replica.gate import KNOWN_MAX, BadMessage, Fault, Gate
from node.replica.wire import certificate_message, vote_message
from tests.replica.builders import (
    BLOCK,
    NETWORK,
    OTHER,
    certificate,
    make_validators,
    proposal,
    sign_proposal,
    sign_vote,
    vote,
)


class Counted:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self, key: bytes, message: bytes, signature: bytes) -> bool:
        self.count += 1
        return verify(key, message, signature)


def make_gate(height: int = 1) -> tuple[Gate, Counted]:
    counted = Counted()
    gate = Gate(
        domain=lambda _height: NETWORK,
        model=FaultModel.BYZANTINE,
        verify=counted,
        metrics=Metrics(),
    )
    gate.open_height(Height(height), make_validators())
    return gate, counted


def message_of(signed: SignedProposal) -> ProposalMessage:
    unsigned = signed.proposal
    return ProposalMessage(
        height=unsigned.height,
        round=unsigned.round,
        block_id=unsigned.block_id,
        valid_round=unsigned.valid_round,
        proposer=unsigned.proposer,
        signature=signed.signature,
        polka=None if signed.polka is None else encode_certificate(signed.polka),
        header=b"not looked at here",
        transaction_ids=(),
        evidence=(),
    )


def fault_of(call: object, *arguments: object) -> Fault:
    with pytest.raises(BadMessage) as caught:
        call(*arguments)  # type: ignore[operator]
    return caught.value.fault


def test_a_true_vote_is_admitted_once() -> None:
    gate, counted = make_gate()
    signed = sign_vote(vote("c"))

    assert gate.admit_vote(vote_message(signed)) == signed
    assert gate.admit_vote(vote_message(signed)) is None
    assert counted.count == 1


@pytest.mark.adversarial(17, 18, 19)
@pytest.mark.parametrize(
    ("signed", "fault"),
    [
        (sign_vote(vote("c"), key="d"), Fault.BAD_SIGNATURE),
        (sign_vote(vote("c"), network=bytes(32)), Fault.BAD_SIGNATURE),
        (sign_vote(vote("g")), Fault.UNKNOWN_VALIDATOR),
    ],
)
def test_a_vote_that_its_author_did_not_sign_for_this_network_is_refused(
    signed: SignedVote, fault: Fault
) -> None:
    gate, _ = make_gate()

    assert fault_of(gate.admit_vote, vote_message(signed)) is fault


@pytest.mark.adversarial(17)
def test_a_signature_of_another_kind_of_message_is_refused() -> None:
    gate, _ = make_gate()
    prevote = vote_message(sign_vote(vote("c")))
    message = VoteMessage(
        vote_type=2,
        height=prevote.height,
        round=prevote.round,
        block_id=prevote.block_id,
        validator=prevote.validator,
        signature=prevote.signature,
    )

    assert fault_of(gate.admit_vote, message) is Fault.BAD_SIGNATURE


def test_a_forged_vote_does_not_make_the_true_one_a_duplicate() -> None:
    gate, _ = make_gate()
    fault_of(gate.admit_vote, vote_message(sign_vote(vote("c"), key="d")))

    assert gate.admit_vote(vote_message(sign_vote(vote("c")))) is not None


@pytest.mark.adversarial(2)
def test_two_votes_for_one_place_pass_as_evidence_and_a_third_adds_nothing() -> None:
    gate, counted = make_gate()
    third = BlockId(b"T" * 32)

    assert gate.admit_vote(vote_message(sign_vote(vote("c", block=BLOCK)))) is not None
    assert gate.admit_vote(vote_message(sign_vote(vote("c", block=OTHER)))) is not None
    assert gate.admit_vote(vote_message(sign_vote(vote("c", block=third)))) is None
    assert counted.count == 2


def test_what_is_remembered_is_bounded_and_ends_with_the_height() -> None:
    gate, _ = make_gate()
    signed = sign_vote(vote("c"))
    gate.admit_vote(vote_message(signed))
    gate._known.update({("x", 1, number): [] for number in range(KNOWN_MAX)})

    gate.admit_vote(vote_message(sign_vote(vote("d"))))
    assert len(gate._known) == 1

    gate.open_height(Height(2), make_validators())
    assert not gate._known


def test_a_true_proposal_is_admitted_once() -> None:
    gate, counted = make_gate()
    signed = sign_proposal(proposal("b"))
    message = message_of(signed)

    assert gate.expects_proposal(message)
    assert gate.admit_proposal(message) == signed
    assert not gate.expects_proposal(message)
    assert counted.count == 1


def test_a_proposal_out_of_turn_is_refused_before_anything_is_verified() -> None:
    gate, counted = make_gate()

    assert (
        fault_of(gate.expects_proposal, message_of(sign_proposal(proposal("c"))))
        is Fault.WRONG_PROPOSER
    )
    assert counted.count == 0


def test_a_forged_proposal_is_refused() -> None:
    gate, _ = make_gate()

    assert (
        fault_of(gate.admit_proposal, message_of(sign_proposal(proposal("b"), key="c")))
        is Fault.BAD_SIGNATURE
    )


def test_a_proposal_shows_the_prevotes_of_its_valid_round() -> None:
    gate, counted = make_gate()
    polka = certificate("abd", kind=VoteType.PREVOTE)
    signed = sign_proposal(proposal("c", round_=1, valid_round=0), polka=polka)
    for name in "ab":
        gate.admit_vote(vote_message(sign_vote(vote(name))))

    assert gate.admit_proposal(message_of(signed)) == signed
    # The votes of a and b came by themselves; the proposal and the vote of d are new.
    assert counted.count == 4


@pytest.mark.adversarial(4, 5, 20)
@pytest.mark.parametrize(
    "polka",
    [
        certificate("ab", kind=VoteType.PREVOTE),
        certificate("abd", kind=VoteType.PREVOTE, forged="d"),
        certificate("abg", kind=VoteType.PREVOTE),
    ],
    ids=["too few", "forged", "stranger"],
)
def test_a_proposal_with_prevotes_that_prove_nothing_is_refused(polka: QuorumCertificate) -> None:
    gate, _ = make_gate()
    signed = sign_proposal(proposal("c", round_=1, valid_round=0), polka=polka)

    assert fault_of(gate.admit_proposal, message_of(signed)) is Fault.BAD_CERTIFICATE


def test_a_known_vote_under_a_forged_signature_spoils_the_certificate() -> None:
    """The vote itself was verified; these bytes were not, and would be passed on."""
    gate, _ = make_gate()
    for name in "abd":
        gate.admit_vote(vote_message(sign_vote(vote(name))))
    polka = certificate("abd", kind=VoteType.PREVOTE, forged="d")
    signed = sign_proposal(proposal("c", round_=1, valid_round=0), polka=polka)

    assert fault_of(gate.admit_proposal, message_of(signed)) is Fault.BAD_CERTIFICATE


def test_prevotes_for_another_block_are_no_reason() -> None:
    gate, _ = make_gate()
    good = message_of(
        sign_proposal(
            proposal("c", round_=1, valid_round=0),
            polka=certificate("abd", kind=VoteType.PREVOTE),
        )
    )
    other = certificate("abd", kind=VoteType.PREVOTE, block=OTHER)
    message = replace(good, polka=encode_certificate(other))

    assert fault_of(gate.admit_proposal, message) is Fault.OUT_OF_RANGE


def test_a_commit_certificate_is_admitted_whole_or_not_at_all() -> None:
    gate, _ = make_gate()

    assert gate.admit_certificate(certificate_message(certificate())) == certificate()


@pytest.mark.adversarial(20)
@pytest.mark.parametrize(
    "bad",
    [
        certificate("ab"),
        certificate("abc", forged="c"),
        certificate("abcd", forged="d"),
        certificate("abg"),
        certificate("abc", kind=VoteType.PREVOTE),
    ],
    ids=["too few", "one forged", "one forged of four", "stranger", "prevotes"],
)
def test_a_certificate_that_proves_nothing_is_refused(bad: QuorumCertificate) -> None:
    gate, _ = make_gate()

    assert fault_of(gate.admit_certificate, certificate_message(bad)) is Fault.BAD_CERTIFICATE


def test_a_certificate_for_another_block_than_it_says_is_refused() -> None:
    gate, _ = make_gate()
    message = CertificateMessage(
        height=1, block_id=OTHER, certificate=encode_certificate(certificate())
    )

    assert fault_of(gate.admit_certificate, message) is Fault.BAD_CERTIFICATE
