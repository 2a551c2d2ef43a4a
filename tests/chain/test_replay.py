"""A newcomer lives through the chain's history from bytes alone, and ends where the others are."""

import pytest

from node.blocks import CertificateError, decode_block, decode_certificate, verify_certificate
from node.chain import InvalidBlock
from node.codec import replace
from node.keys import verify
from node.ledger.outcomes import Outcome
from tests.chain.stores import contents
from tests.chain.town import Town, make_record, make_town


async def lived(*, window_ms: int = 600_000) -> tuple[Town, list[bytes]]:
    """A town with some history, and the transfers in it."""
    town = make_town(record=make_record(window_ms=window_ms))
    await town.settle(6)
    raws = [town.transfer(f"a{each}", "a5", each + 1) for each in range(5)]
    await town.decide(*raws[:3])
    await town.decide(town.remove_validator("crypto-council"))
    await town.decide()
    await town.decide(town.rotate_validator("central-bank"))
    await town.decide(*raws[3:])
    return town, raws


async def replay(newcomer: Town, town: Town, height: int) -> None:
    """Take one block as a node that catches up takes it: every signature, every root."""
    data = town.chain.history.block_bytes(height)
    certificate_data = town.chain.history.certificate_bytes(height)
    assert data is not None
    assert certificate_data is not None
    block, certificate = decode_block(data), decode_certificate(certificate_data)
    verify_certificate(
        certificate,
        newcomer.chain.validators,
        newcomer.genesis.fault_model,
        newcomer.genesis.hash,
        verify,
        height=height,
    )
    transactions = await newcomer.admission.verify_block(block.transactions)
    candidate = newcomer.chain.check(
        block.header, transactions, block.evidence, now_ms=None, certified=True
    )
    assert candidate.block_id == certificate.block_id
    await newcomer.chain.commit(candidate, certificate)


async def test_newcomer_ends_with_the_same_bytes() -> None:
    town, _ = await lived()
    newcomer = make_town()

    for height in range(1, town.chain.head.height + 1):
        await replay(newcomer, town, height)

    assert newcomer.chain.head == town.chain.head
    assert contents(newcomer.store) == contents(town.store)


@pytest.mark.adversarial(56, 57)
async def test_newcomer_refuses_what_was_applied_before_it_came() -> None:
    town, raws = await lived()
    newcomer = make_town()
    for height in range(1, town.chain.head.height + 1):
        await replay(newcomer, town, height)

    results = newcomer.admission.verify_batch(raws)

    assert {getattr(each, "outcome", None) for each in results} == {Outcome.DUPLICATE}


@pytest.mark.adversarial(50)
async def test_certificate_of_the_set_before_the_change_is_refused() -> None:
    """Block 5 is the first that the smaller set decides; the one that left has no say in it."""
    town, _ = await lived()
    newcomer = make_town()
    for height in range(1, 5):
        await replay(newcomer, town, height)
    block = town.chain.block(5)
    assert block is not None
    genuine = town.chain.certificate(5)
    assert genuine is not None
    old_names = ["central-bank", "crypto-council", "finance-ministry"]
    elder = make_town()
    by_old_set = elder.certificate(5, genuine.block_id, names=old_names)

    with pytest.raises(CertificateError, match="unknown-validator"):
        verify_certificate(
            by_old_set,
            newcomer.chain.validators,
            newcomer.genesis.fault_model,
            newcomer.genesis.hash,
            verify,
        )
    await replay(newcomer, town, 5)


@pytest.mark.adversarial(51, 52)
async def test_block_that_is_committed_already_changes_nothing() -> None:
    town, _ = await lived()
    newcomer = make_town()
    await replay(newcomer, town, 1)
    before = contents(newcomer.store)

    with pytest.raises(InvalidBlock, match="wrong-height"):
        await replay(newcomer, town, 1)
    with pytest.raises(InvalidBlock, match="wrong-height"):
        await replay(newcomer, town, 3)

    assert contents(newcomer.store) == before
    await replay(newcomer, town, 2)


async def test_newcomer_is_not_bothered_by_its_clock() -> None:
    town, _ = await lived(window_ms=60_000)
    newcomer = make_town(record=make_record(window_ms=60_000))
    newcomer.clock.advance(10 * 365 * 86_400_000)

    for height in range(1, town.chain.head.height + 1):
        await replay(newcomer, town, height)

    assert newcomer.chain.head == town.chain.head


async def test_other_network_replays_nothing() -> None:
    town, _ = await lived()
    record = make_record()
    stranger = make_town(record=replace(record, time_ms=record.time_ms - 1))

    with pytest.raises(CertificateError, match="bad-signature"):
        await replay(stranger, town, 1)
