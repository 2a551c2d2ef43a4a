"""Evidence in blocks: shown once, for ever, and only what holds."""

import pytest

from consensus.certificates import QuorumCertificate
from consensus.evidence import Equivocation
from consensus.types import VoteType
from node.blocks import CertificateError, encode_evidence, evidence_root, verify_certificate
from node.chain import BlockFault, Chain, InvalidBlock
from node.chain.evidence import evidence_id
from node.codec import encode, replace
from node.keys import verify
from node.ledger.tables import ACCUSATIONS, AccusationRecord, AccusedKind
from tests.chain.town import Town, make_town

A, B, C = b"A" * 32, b"B" * 32, b"C" * 32
CULPRIT = "crypto-council"


def double_vote(
    town: Town,
    *,
    name: str = CULPRIT,
    height: int = 1,
    round_: int = 0,
    blocks: tuple[bytes | None, bytes | None] = (A, B),
    kind: VoteType = VoteType.PRECOMMIT,
) -> Equivocation:
    first, second = (town.vote(name, height, block, round_=round_, kind=kind) for block in blocks)
    return Equivocation(first=first, second=second)


async def test_evidence_is_shown_in_a_block_and_remembered() -> None:
    town = make_town()
    evidence = double_vote(town)

    committed = await town.decide(evidence=[encode_evidence(evidence)])

    assert committed.candidate.block.evidence == (encode_evidence(evidence),)
    made = AccusationRecord(
        validator=CULPRIT, height=1, round=0, kind=AccusedKind.PRECOMMIT, shown=1
    )
    assert town.chain.history.accusation(evidence_id(evidence)) == made
    assert town.chain.validators == town.genesis.validators
    assert town.chain.history.accusations() == (made,)
    proof = town.chain.prove(ACCUSATIONS, evidence_id(evidence))
    assert proof.entries[0].value == encode(made), "the root covers what was accused"
    again = Chain.open(town.store, town.genesis)
    assert again.history.accusation(evidence_id(evidence)) == made


async def test_evidence_of_proposals_is_shown_too() -> None:
    town = make_town()
    evidence = Equivocation(first=town.proposal(CULPRIT, 1, A), second=town.proposal(CULPRIT, 1, B))

    committed = await town.decide(evidence=[encode_evidence(evidence)])

    assert committed.candidate.evidence_ids == (evidence_id(evidence),)


async def test_voter_accepts_what_the_proposer_shows() -> None:
    proposer, voter = make_town(), make_town()
    evidence = encode_evidence(double_vote(proposer))
    candidate = proposer.build(evidence=[evidence])

    assert voter.chain.check(candidate.header, (), [evidence], now_ms=None) == candidate


async def test_place_is_accused_once() -> None:
    """A validator that signs a hundred blocks in one round fills no blocks with its pairs."""
    town = make_town()
    first, other = double_vote(town), double_vote(town, blocks=(A, C))
    nil = double_vote(town, blocks=(None, B))
    elsewhere = [
        double_vote(town, kind=VoteType.PREVOTE),
        double_vote(town, round_=1),
        double_vote(town, name="central-bank"),
    ]

    candidate = town.build(evidence=[encode_evidence(each) for each in (first, other, nil)])
    assert candidate.block.evidence == (encode_evidence(first),)
    await town.chain.commit(candidate, town.certify(candidate))
    later = town.build(evidence=[encode_evidence(each) for each in (other, *elsewhere)])

    assert later.block.evidence == tuple(encode_evidence(each) for each in elsewhere)


@pytest.mark.parametrize(
    "make",
    [
        lambda town: encode_evidence(double_vote(town))[:-1] + b"\0",
        lambda town: encode_evidence(double_vote(town, name="nobody")),
        lambda town: encode_evidence(double_vote(town, height=3)),
        lambda _: b"not evidence",
    ],
    ids=["forged", "a stranger", "of a later height", "unreadable"],
)
async def test_evidence_that_does_not_hold_is_refused(make: object) -> None:
    town, voter = make_town(), make_town()
    evidence = make(town)  # type: ignore[operator]
    candidate = town.build(evidence=[evidence])
    assert candidate.block.evidence == ()
    header = replace(candidate.header, evidence_root=evidence_root([evidence]))

    with pytest.raises(InvalidBlock) as caught:
        voter.chain.check(header, (), [evidence], now_ms=None)

    assert caught.value.fault is BlockFault.EVIDENCE_REFUSED


async def test_evidence_shown_before_is_refused() -> None:
    town = make_town()
    evidence = encode_evidence(double_vote(town))
    await town.decide(evidence=[evidence])
    candidate = town.build(evidence=[evidence])
    assert candidate.block.evidence == ()
    header = replace(candidate.header, evidence_root=evidence_root([evidence]))

    with pytest.raises(InvalidBlock, match="already shown in block 1"):
        town.chain.check(header, (), [evidence], now_ms=None)


async def test_evidence_twice_in_one_block_is_refused() -> None:
    town = make_town()
    items = [encode_evidence(double_vote(town, blocks=each)) for each in ((A, B), (A, C))]
    candidate = town.build()
    header = replace(candidate.header, evidence_root=evidence_root(items))

    with pytest.raises(InvalidBlock, match="twice"):
        town.chain.check(header, (), items, now_ms=None)


async def test_evidence_against_a_validator_that_left_is_still_accepted() -> None:
    town = make_town()
    await town.decide(town.remove_validator(CULPRIT))
    assert CULPRIT not in town.chain.validators

    before = await town.decide(evidence=[encode_evidence(double_vote(town, height=1))])
    assert len(before.candidate.evidence_ids) == 1
    after = town.build(evidence=[encode_evidence(double_vote(town, height=2))])

    assert after.evidence_ids == ()


@pytest.mark.adversarial(71)
async def test_old_key_counts_up_to_its_rotation_and_accuses_its_owner_for_ever() -> None:
    town = make_town()
    old_key = double_vote(town, height=1)
    too_late = double_vote(town, height=2)
    everybody = [validator.id for validator in town.chain.validators]
    certificate_of_old_keys = town.certificate(2, A, names=everybody)
    await town.decide(town.rotate_validator(CULPRIT))
    certificate_of_new_keys = town.certificate(2, A, names=everybody)

    def check(certificate: QuorumCertificate) -> None:
        ruling = town.chain.history.validator_set(2)
        verify_certificate(certificate, ruling, town.genesis.fault_model, town.genesis.hash, verify)

    check(certificate_of_new_keys)
    with pytest.raises(CertificateError, match=f"that of {CULPRIT}"):
        check(certificate_of_old_keys)
    assert town.build(evidence=[encode_evidence(too_late)]).block.evidence == ()
    assert len(town.build(evidence=[encode_evidence(old_key)]).block.evidence) == 1


async def test_evidence_in_a_block_is_bounded() -> None:
    town = make_town()
    many = [encode_evidence(double_vote(town, round_=round_)) for round_ in range(70)]

    assert len(town.build(evidence=many).block.evidence) == 64
