"""A chain that goes on by an amendment: who follows it, who refuses, and what everybody can see."""

from collections.abc import Callable
from dataclasses import replace as with_changes

import pytest

from consensus.evidence import Equivocation
from consensus.types import Height
from node.blocks import (
    CertificateError,
    block_id,
    encode_evidence,
    verify_certificate,
)
from node.chain import AmendmentMissing, BlockFault, Chain, InvalidBlock
from node.codec import replace
from node.genesis import Amendment, AmendmentError, AmendmentFault, amendment_of
from node.keys import verify
from node.ledger.amending import ValidatorsAmended
from node.ledger.events import Event
from node.ledger.tables import AMENDMENTS, VALIDATORS, height_key, name_key
from node.proofs import ProofError, ProofFault, render_proof, verify_proof_file
from node.snapshots import BadPart, Trail, TrustedPoint, TrustRefused, check_trust, decode_handover
from node.snapshots.source import pin
from node.storage import MemoryStore
from node.upkeep import check_database
from tests.chain.amending import (
    CENTRAL,
    COUNCIL,
    LOST,
    MINISTRY,
    SURVIVORS,
    amended,
    body_of,
    go_on,
    new_records,
    old_town,
    signed,
)
from tests.chain.town import Town, make_town, validator_record
from tests.snapshots.test_installation import join

pytestmark = pytest.mark.adversarial(23)


async def follow(town: Town, *amendments: Amendment, to: int | None = None) -> Town:
    """Another node of the town, given these amendments, that copies the blocks of the first."""
    other = make_town(amendments=amendments)
    for height in range(1, (to or town.chain.head.height) + 1):
        block, certificate = town.chain.block(height), town.chain.certificate(height)
        assert block is not None
        assert certificate is not None
        verify_certificate(
            certificate,
            other.chain.validators,
            other.genesis.fault_model,
            other.genesis.domain(height),
            verify,
            height=height,
            block_id=block_id(block.header),
        )
        admitted = other.admit(*block.transactions)
        candidate = other.chain.check(
            block.header, admitted, block.evidence, now_ms=None, certified=True
        )
        await other.chain.commit(candidate, certificate)
    return other


def fault_of(act: Callable[[], object]) -> AmendmentFault:
    with pytest.raises(AmendmentError) as caught:
        act()
    return caught.value.fault


@pytest.mark.parametrize("changed_last", [False, True], ids=["plain", "T changed the set"])
async def test_new_set_rules_from_the_next_height_on(changed_last: bool) -> None:
    town = await old_town(changed_last=changed_last)
    last = town.chain.head
    amendment = signed(town)
    before = town.chain.history.validators(last.height + 1)

    town = await go_on(town, amendment, blocks=3)

    history, first = town.chain.history, town.chain.block(amendment.rules_from)
    assert first is not None
    assert first.header.parent == amendment.id, "the amendment stands between the two"
    assert first.header.validators_hash == amendment.validators_hash
    assert first.header.next_validators_hash == amendment.validators_hash
    assert last.header is not None
    assert last.header.next_validators_hash != amendment.validators_hash
    for height in (amendment.rules_from, amendment.rules_from + 1, amendment.rules_from + 2):
        assert history.validators(height) == amendment.ruling_keys != before
        assert town.chain.validators_at(height) == amendment.validator_set
    assert town.chain.validator_records == amendment.validators
    record = town.chain.record(AMENDMENTS, height_key(amendment.rules_from))
    assert record is not None
    assert (record.id, record.serial, record.reason) == (
        amendment.id,
        1,
        amendment.body.reason,
    )
    receipts = town.chain.receipts(amendment.rules_from)
    assert receipts is not None
    event: Event = ValidatorsAmended(amendment=amendment.id, serial=1)
    assert receipts.block_events()[0] == event


async def test_who_has_the_amendment_copies_the_chain_and_opens_it_again() -> None:
    town = await old_town()
    amendment = signed(town)
    town = await go_on(town, amendment, blocks=3)

    other = await follow(town, amendment)

    assert other.chain.head == town.chain.head
    again = Chain.open(other.store, town.genesis)
    assert again.validators == town.chain.validators
    report = check_database(other.store.view(), town.genesis)
    assert report.faults == ()
    assert report.good_to == town.chain.head.height


async def test_who_has_it_and_stands_before_its_block_is_ruled_by_the_former_set() -> None:
    town = await old_town()
    amendment = signed(town)
    town = await go_on(town, amendment, blocks=1)

    behind = await follow(town, amendment, to=amendment.height - 1)
    assert behind.chain.validators == behind.genesis.validators
    at_it = await follow(town, amendment, to=amendment.height)
    assert at_it.chain.validators == amendment.validator_set
    again = Chain.open(at_it.store, town.genesis)
    assert again.validators == amendment.validator_set


async def test_who_lacks_it_refuses_the_next_block_and_names_what_it_lacks() -> None:
    town = await old_town()
    amendment = signed(town)
    town = await go_on(town, amendment, blocks=2)
    first = town.chain.block(amendment.rules_from)
    assert first is not None

    other = await follow(town, to=amendment.height)

    with pytest.raises(InvalidBlock, match=amendment.id.hex()) as caught:
        other.chain.check(
            first.header, other.admit(*first.transactions), now_ms=None, certified=True
        )
    assert caught.value.fault is BlockFault.WRONG_PARENT
    with pytest.raises(CertificateError):
        await follow(town)
    with pytest.raises(AmendmentMissing, match=amendment.id.hex()) as missing:
        Chain.open(town.store, other.genesis)
    assert missing.value.height == amendment.rules_from
    assert "khazana amendment install" in str(missing.value)


async def test_a_chain_that_cannot_go_on_by_it_refuses_it() -> None:
    town = await old_town()
    body = body_of(town)
    central = validator_record(CENTRAL)
    unknown = validator_record("nobody-known")
    table = [
        ("another block", replace(body, block_id=bytes(32)), AmendmentFault.WRONG_BLOCK),
        ("blocks above it", replace(body, height=body.height - 1), AmendmentFault.WRONG_HEIGHT),
        (
            "a survivor of another set",
            replace(
                body,
                survivors=tuple(
                    replace(each, public_key=validator_record(COUNCIL, 2).public_key)
                    if each.name == CENTRAL
                    else each
                    for each in body.survivors
                ),
            ),
            AmendmentFault.NO_SURVIVOR,
        ),
        (
            "the same set",
            replace(body, validators=town.chain.validator_records),
            AmendmentFault.NOTHING_CHANGED,
        ),
        (
            "a key under another name",
            replace(body, validators=(replace(new_records()[0], public_key=central.public_key),)),
            AmendmentFault.NOT_BORNE,
        ),
        (
            "a participant nobody knows",
            replace(body, validators=(unknown,)),
            AmendmentFault.NOT_BORNE,
        ),
    ]
    for why, each, fault in table:
        genesis = with_changes(town.genesis, amendments=(amendment_of(each),))
        assert fault_of(lambda genesis=genesis: Chain.open(town.store, genesis)) is fault, why  # type: ignore[misc]


async def test_a_key_that_was_used_and_removed_cannot_come_back() -> None:
    town = await old_town()
    await town.decide(town.rotate_validator(COUNCIL))
    body = body_of(town, added=[validator_record(COUNCIL, 0), validator_record(MINISTRY, 1)])

    fault = fault_of(lambda: amended(town, signed(town, body)))

    assert fault is AmendmentFault.NOT_BORNE


async def test_another_amendment_than_the_chain_went_on_by_is_refused() -> None:
    town = await old_town()
    other = signed(town, replace(body_of(town), reason="another decision"))
    founded = town.genesis
    town = await go_on(town, signed(town), blocks=1)

    fault = fault_of(lambda: Chain.open(town.store, founded.amended([other])))

    assert fault is AmendmentFault.WRONG_BLOCK


async def test_a_block_at_its_height_that_is_not_its_own_is_refused() -> None:
    town = await old_town()
    amendment = signed(town, replace(body_of(town), block_id=bytes(32)))
    with pytest.raises(InvalidBlock) as caught:
        await follow(town, amendment)
    assert caught.value.fault is BlockFault.NOT_AS_AMENDED


async def test_votes_of_the_former_set_are_no_votes_of_the_new_one() -> None:
    town = await old_town()
    former = town
    height = town.chain.head.height + 1
    town = amended(town, signed(town))
    candidate = town.build()
    names = [each.id for each in town.chain.validators][:3]
    for voter, holds in ((former, False), (town, True)):
        certificate = voter.certificate(height, candidate.block_id, names=names)

        def check(certificate: object = certificate) -> None:
            verify_certificate(
                certificate,  # type: ignore[arg-type]
                town.chain.validators,
                town.genesis.fault_model,
                town.genesis.domain(height),
                verify,
            )

        if holds:
            check()
        else:
            with pytest.raises(CertificateError):
                check()


async def test_a_survivor_that_voted_before_and_after_is_not_accused_of_it() -> None:
    town = await old_town()
    height, former = town.chain.head.height + 1, town
    town = amended(town, signed(town))
    a, b = b"A" * 32, b"B" * 32
    both = Equivocation(first=former.vote(CENTRAL, height, a), second=town.vote(CENTRAL, height, b))
    truly = Equivocation(first=town.vote(CENTRAL, height, a), second=town.vote(CENTRAL, height, b))
    shown = [encode_evidence(both), encode_evidence(truly)]

    committed = await town.decide(evidence=shown)

    assert committed.candidate.block.evidence == (shown[1],)
    # What was signed twice before the amendment is still found out under the set of then.
    early = Equivocation(
        first=former.vote(COUNCIL, Height(2), a), second=former.vote(COUNCIL, Height(2), b)
    )
    later = await town.decide(evidence=[encode_evidence(early)])
    assert later.candidate.block.evidence == (encode_evidence(early),)


@pytest.mark.parametrize("blocks", [1, 2, 4])
async def test_proof_across_it_needs_the_amendment_and_says_which(blocks: int) -> None:
    town = await old_town(changed_last=True)
    founded, amendment = town.genesis, signed(town)
    town = await go_on(town, amendment, blocks=blocks)
    content = render_proof(town.chain.prove(VALIDATORS, name_key(MINISTRY)))

    verified = verify_proof_file(content, town.genesis)

    assert set(verified.signers) <= {each.name for each in amendment.validators}
    with pytest.raises(ProofError, match=amendment.id.hex()) as caught:
        verify_proof_file(content, founded)
    assert caught.value.fault is ProofFault.WRONG_VALIDATORS
    assert "--amendment" in str(caught.value)
    other = signed(town, replace(amendment.body, reason="another"))
    with pytest.raises(ProofError, match=r"expected amendment 1"):
        verify_proof_file(content, founded.amended([other]))


async def test_proof_from_before_needs_none() -> None:
    town = await old_town()
    content = render_proof(town.chain.prove(VALIDATORS, name_key(MINISTRY)))
    assert verify_proof_file(content, town.genesis).height == town.chain.head.height
    with_it = amended(town, signed(town)).genesis
    assert verify_proof_file(content, with_it).height == town.chain.head.height


@pytest.mark.parametrize("blocks", [0, 1, 2, 4])
@pytest.mark.parametrize("changed_last", [False, True], ids=["plain", "T changed the set"])
async def test_a_snapshot_is_joined_by_across_it(blocks: int, changed_last: bool) -> None:
    town = await old_town(changed_last=changed_last)
    founded, amendment = town.genesis, signed(town)
    town = await go_on(town, amendment, blocks=blocks)
    snapshot = pin(town.store.view(), town.chain.head, town.genesis)
    assert snapshot is not None
    store = MemoryStore()

    join(snapshot, store, town.genesis)

    chain = Chain.open(store, town.genesis)
    assert chain.head == town.chain.head
    assert chain.validators == town.chain.validators
    assert check_database(store.view(), town.genesis).faults == ()
    if blocks:
        with pytest.raises(BadPart, match=amendment.id.hex()):
            join(snapshot, MemoryStore(), founded)


async def test_trusted_block_right_before_it_carries_a_snapshot_after_it() -> None:
    town = await old_town()
    last, amendment = town.chain.head, signed(town)
    town = await go_on(town, amendment, blocks=3)
    snapshot = pin(town.store.view(), town.chain.head, town.genesis)
    assert snapshot is not None
    assert last.header is not None
    trail = Trail(town.genesis, verify)
    for item in snapshot.handovers(0)[0]:
        trail.extend(decode_handover(item))
    trail.check_point(snapshot.point)
    trusted = TrustedPoint(height=last.height, block_id=last.block_id, period_ms=10**9)

    check_trust(trusted, last.header, trail, snapshot.point, last.time_ms)

    forged = replace(last.header, validators_hash=bytes(32))
    trusted = with_changes(trusted, block_id=block_id(forged))
    with pytest.raises(TrustRefused):
        check_trust(trusted, forged, trail, snapshot.point, last.time_ms)


async def test_the_new_set_changes_itself_as_the_former_did_and_may_be_amended_again() -> None:
    town = await old_town()
    amendment = signed(town)
    town = await go_on(town, amendment, blocks=1)
    await town.decide(town.rotate_validator(CENTRAL))
    await town.decide()
    lost_again = [validator_record(name, 2) for name in LOST]
    town.generations |= dict.fromkeys(LOST, 2)
    second = signed(town, body_of(town, serial=2, added=lost_again))
    town = await go_on(town, second, blocks=2)

    other = await follow(town, amendment, second)

    assert other.chain.head == town.chain.head
    assert check_database(other.store.view(), town.genesis).faults == ()
    assert {each.name for each in town.chain.validator_records} == {*SURVIVORS, *LOST}
    content = render_proof(town.chain.prove(VALIDATORS, name_key(CENTRAL)))
    assert verify_proof_file(content, town.genesis).height == town.chain.head.height
    snapshot = pin(town.store.view(), town.chain.head, town.genesis)
    assert snapshot is not None
    join(snapshot, MemoryStore(), town.genesis)
