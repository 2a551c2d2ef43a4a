"""The way from the genesis to a snapshot: what is left out, forged or out of order is found."""

from collections.abc import Mapping

import pytest

from node.blocks import ValidatorKey
from node.chain.execution import hash_of_validators
from node.codec import encode, replace
from node.keys import verify
from node.ledger.powers import REFERENCE_OFFICES
from node.proofs import Handover
from node.snapshots import BadPart, PointRecord, Trail, TrailIncomplete, decode_handover
from node.snapshots.source import pin
from tests.chain.town import Town, make_record, make_town

COMES, ROTATES = REFERENCE_OFFICES[3], REFERENCE_OFFICES[1]


async def changed_town() -> Town:
    """A town whose validators changed three times; the third undoes the first."""
    town = make_town(record=make_record(3))
    await town.decide(town.add_validator(COMES))
    await town.decide()
    await town.decide(town.rotate_validator(ROTATES))
    await town.decide(town.remove_validator(COMES))
    await town.decide()
    return town


def way_of(town: Town) -> tuple[PointRecord, list[Handover]]:
    snapshot = pin(town.store.view(), town.chain.head, town.genesis)
    assert snapshot is not None
    page, more = snapshot.handovers(0)
    assert not more
    return snapshot.point, [decode_handover(item) for item in page]


def sets_of(town: Town) -> Mapping[int, bytes]:
    history = town.chain.history
    return {
        height: hash_of_validators(history.validators(height))
        for height in history.validator_changes(town.chain.head.height + 1)
    }


async def test_trail_leads_from_the_genesis_to_the_snapshot() -> None:
    town = await changed_town()
    point, handovers = way_of(town)
    trail = Trail(town.genesis, verify)

    for each in handovers:
        trail.extend(each)
    trail.check_point(point)
    trail.check_complete(point, sets_of(town))

    assert [each.header.height for each in trail.handovers] == [1, 3, 4]
    assert trail.hash_at(1) == trail.handovers[0].header.validators_hash
    assert trail.hash_at(4) == trail.handovers[1].header.next_validators_hash


async def test_snapshot_at_a_change_of_validators_is_complete_too() -> None:
    town = make_town(record=make_record(3))
    await town.decide(town.add_validator(COMES))
    point, handovers = way_of(town)
    trail = Trail(town.genesis, verify)

    assert handovers == []
    trail.check_point(point)
    trail.check_complete(point, sets_of(town))


@pytest.mark.adversarial(53, 50)
async def test_forged_handovers_are_refused() -> None:
    town = await changed_town()
    _, (first, second, third) = way_of(town)
    keys = tuple(
        ValidatorKey(name=each.name, public_key=bytes(31) + bytes([index]))
        for index, each in enumerate(first.validators)
    )
    signatures = first.certificate.signatures
    broken = replace(signatures[0], signature=bytes(64))
    forged = [
        (replace(first, validators=keys), "validators"),
        (replace(first, validators=first.validators[:2]), "validators"),
        (replace(first, header=replace(first.header, state_root=bytes(32))), "handover"),
        (replace(first, header=replace(first.header, network=bytes(8))), "of network"),
        (
            replace(
                first,
                certificate=replace(first.certificate, signatures=(broken, *signatures[1:])),
            ),
            "does not hold",
        ),
        (
            replace(first, certificate=replace(first.certificate, signatures=signatures[:2])),
            "handover",
        ),
        (replace(first, certificate=second.certificate), "handover"),
        (second, "decided by"),
        (third, "decided by"),
    ]
    for each, named in forged:
        trail = Trail(town.genesis, verify)
        with pytest.raises(BadPart, match=named):
            trail.extend(each)
        assert trail.handovers == []
        trail.extend(first)


async def test_handover_comes_once_and_in_order() -> None:
    town = await changed_town()
    _, handovers = way_of(town)
    trail = Trail(town.genesis, verify)
    trail.extend(handovers[0])

    with pytest.raises(BadPart, match="not above height 1"):
        trail.extend(handovers[0])


@pytest.mark.adversarial(53)
async def test_change_that_was_undone_cannot_be_left_out() -> None:
    """Every signature holds without it, and evidence of its heights would be judged otherwise."""
    town = make_town(record=make_record(3))
    await town.decide(town.add_validator(COMES))
    await town.decide(town.remove_validator(COMES))
    await town.decide()
    point, _ = way_of(town)
    trail = Trail(town.genesis, verify)

    trail.check_point(point)

    with pytest.raises(TrailIncomplete, match=r"\[1\], the state has them from \[1, 2, 3\]"):
        trail.check_complete(point, sets_of(town))


async def test_snapshot_that_the_trail_does_not_lead_to_is_refused() -> None:
    town = await changed_town()
    point, handovers = way_of(town)
    trail = Trail(town.genesis, verify)
    with pytest.raises(BadPart, match="decided by"):
        trail.check_point(point)
    for each in handovers:
        trail.extend(each)
    forged = replace(point, header=replace(point.header, state_root=bytes(32)))
    below = PointRecord(header=handovers[0].header, certificate=handovers[0].certificate)

    with pytest.raises(BadPart, match="snapshot of height 5"):
        trail.check_point(forged)
    with pytest.raises(BadPart, match="goes on to height 4"):
        trail.check_point(below)


async def test_pages_of_the_trail_follow_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.snapshots.source.PAGE_SIZE_TARGET", 1)
    town = await changed_town()
    snapshot = pin(town.store.view(), town.chain.head, town.genesis)
    assert snapshot is not None

    pages = [snapshot.handovers(above) for above in (0, 1, 2, 3, 4)]

    heights = [[decode_handover(item).header.height for item in page] for page, _ in pages]
    assert heights == [[1], [3], [3], [4], []]
    assert [more for _, more in pages] == [True, True, True, False, False]


def test_bytes_that_are_no_handover_are_refused() -> None:
    for data in (b"", b"\xc1", encode((1, 2, 3))):
        with pytest.raises(BadPart):
            decode_handover(data)
