import json
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from consensus import (
    BlockId,
    Height,
    InvalidValue,
    Proposal,
    QuorumCertificate,
    Round,
    Signature,
    SignedProposal,
    SignedVote,
    ValidatorId,
    Vote,
    VoteType,
    sign_bytes,
)
from consensus.types import HEIGHT_MAX, ROUND_MAX
from tests.consensus.builders import NETWORK, A, B, certificate, polka, prevote, proposal, sign

VECTORS = Path(__file__).parent / "sign_bytes.json"

names = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=32).map(ValidatorId)
blocks = st.binary(min_size=32, max_size=32).map(BlockId)
heights = st.integers(1, HEIGHT_MAX).map(Height)
rounds = st.integers(0, ROUND_MAX).map(Round)
votes = st.builds(
    Vote,
    kind=st.sampled_from(VoteType),
    height=heights,
    round=rounds,
    block_id=st.none() | blocks,
    validator=names,
)


@st.composite
def proposals(draw: st.DrawFn) -> Proposal:
    round_ = draw(rounds)
    valid_rounds = st.integers(0, round_ - 1).map(Round) if round_ else st.nothing()
    return Proposal(
        height=draw(heights),
        round=round_,
        block_id=draw(blocks),
        valid_round=draw(st.none() | valid_rounds),
        proposer=draw(names),
    )


messages = votes | proposals()


def test_sign_bytes_are_those_of_the_published_vectors() -> None:
    """A change here breaks every signature ever made: it is a change of the protocol."""
    for vector in json.loads(VECTORS.read_text()):
        fields = dict(vector["message"])
        for name in ("block_id",):
            if fields[name] is not None:
                fields[name] = bytes.fromhex(fields[name])
        kind = fields.pop("type")
        message = (
            Proposal(**fields)
            if kind == "proposal"
            else Vote(kind=VoteType[kind.upper()], **fields)
        )

        assert sign_bytes(message, bytes.fromhex(vector["network"])).hex() == vector["sign_bytes"]


@pytest.mark.adversarial(17, 18)
@given(one=messages, other=messages)
def test_no_two_messages_share_their_sign_bytes(
    one: Vote | Proposal, other: Vote | Proposal
) -> None:
    assume(one != other)

    assert sign_bytes(one, NETWORK) != sign_bytes(other, NETWORK)


@pytest.mark.adversarial(17)
@given(message=messages, network=st.binary(min_size=32, max_size=32))
def test_a_message_is_signed_for_one_network(message: Vote | Proposal, network: bytes) -> None:
    assume(network != NETWORK)

    assert sign_bytes(message, network) != sign_bytes(message, NETWORK)


@pytest.mark.adversarial(17, 18)
@given(message=votes, name=names, block_id=st.none() | blocks, height=heights, round_=rounds)
def test_every_field_of_a_vote_is_signed(
    message: Vote, name: ValidatorId, block_id: BlockId | None, height: Height, round_: Round
) -> None:
    other_kind = VoteType(3 - message.kind)
    fields = {
        "kind": message.kind,
        "height": message.height,
        "round": message.round,
        "block_id": message.block_id,
        "validator": message.validator,
    }
    for field, value in (
        ("kind", other_kind),
        ("height", height),
        ("round", round_),
        ("block_id", block_id),
        ("validator", name),
    ):
        changed = Vote(**{**fields, field: value})  # type: ignore[arg-type]
        same = sign_bytes(changed, NETWORK) == sign_bytes(message, NETWORK)

        assert same == (changed == message)


@pytest.mark.adversarial(5)
@pytest.mark.parametrize("valid_round", [-1, -2, 2, 3, 2**63])
def test_a_valid_round_that_is_not_earlier_cannot_be_built(valid_round: int) -> None:
    with pytest.raises(InvalidValue, match="valid_round"):
        proposal(A, round_=2, valid_round=valid_round)


@pytest.mark.adversarial(15, 19)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("height", 0),
        ("height", -1),
        ("height", 2**63),
        ("round", -1),
        ("round", 2**31),
        ("round", 2**63),
        ("block_id", b""),
        ("block_id", bytes(31)),
        ("block_id", bytes(33)),
        ("validator", ""),
        ("validator", "A"),
        ("validator", "-1\n"),
        ("validator", "x" * 33),
    ],
)
def test_a_message_out_of_range_cannot_be_built(field: str, value: object) -> None:
    fields: dict[str, object] = {
        "height": 1,
        "round": 0,
        "block_id": A,
        "validator": "a",
        field: value,
    }
    with pytest.raises(InvalidValue):
        Vote(kind=VoteType.PREVOTE, **fields)  # type: ignore[arg-type]
    fields["proposer"] = fields.pop("validator")
    with pytest.raises(InvalidValue):
        Proposal(valid_round=None, **fields)  # type: ignore[arg-type]


def test_a_signature_has_sixty_four_bytes() -> None:
    body, made = prevote("a", A).vote, proposal(A).proposal

    with pytest.raises(InvalidValue):
        SignedVote(vote=body, signature=Signature(bytes(63)))
    with pytest.raises(InvalidValue):
        SignedProposal(proposal=made, signature=Signature(bytes(65)), polka=None)
    with pytest.raises(InvalidValue):
        QuorumCertificate(
            kind=VoteType.PREVOTE,
            height=Height(1),
            round=Round(0),
            block_id=A,
            signatures=((ValidatorId("a"), Signature(b"")),),
        )


@pytest.mark.parametrize(
    "shown",
    [
        certificate(A, round_=1),
        polka(A, round_=0),
        polka(B, round_=1),
        polka(A, round_=1, height=2),
    ],
    ids=["precommits", "another round", "another block", "another height"],
)
def test_a_proposal_shows_the_prevotes_it_speaks_of_or_none(shown: QuorumCertificate) -> None:
    with pytest.raises(InvalidValue, match="polka"):
        proposal(A, round_=2, valid_round=1, shown=shown)
    with pytest.raises(InvalidValue, match="polka"):
        proposal(A, round_=2, shown=shown)


def test_messages_read_as_one_line() -> None:
    assert str(prevote("a", None, round_=3)) == "prevote 1/3 nil by a"
    assert str(prevote("a", A)) == "prevote 1/0 41414141 by a"
    assert str(proposal(A)) == "proposal 1/0 41414141 by b"
    assert str(proposal(A, round_=2, valid_round=0)) == "proposal 1/2 41414141 valid-round=0 by d"
    assert str(certificate(A)) == "precommit certificate 1/0 41414141 of a,b,c"
    assert sign(prevote("a", A).vote) != sign(prevote("b", A).vote)
