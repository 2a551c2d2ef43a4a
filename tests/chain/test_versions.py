"""The version of the protocol on the chain: each block under its own, none that is unknown."""

import json

import pytest

from node.chain import (
    BlockFault,
    Chain,
    InvalidBlock,
    UpgradeRequired,
    describe_versions,
    is_ready_for_upgrade,
)
from node.codec import replace
from node.genesis import GenesisError, genesis_of, parse_genesis
from node.genesis.reading import render_record
from node.ledger.acts.assets.place_hold import PlaceHold
from node.ledger.outcomes import Outcome
from node.ledger.protocol import LATEST_VERSION
from node.ledger.tables import (
    HOLDINGS,
    HOLDS_PER_ACCOUNT_MAX,
    PROTOCOL,
    PROTOCOL_KEY,
    Upgrade,
    holding_key,
)
from node.proofs import ProofError, ProofFault, render_proof, verify_proof_file
from node.storage import MemoryStore
from tests.chain.stores import contents
from tests.chain.town import BANK, CASH, Town, address_of, make_record, make_town

OLD = frozenset({1})
FUTURE = LATEST_VERSION + 1


def version_of(town: Town, height: int) -> int:
    block = town.chain.block(height)
    assert block is not None
    return block.header.version


async def upgraded(*, before: int = 2, after: int = 2) -> Town:
    """Return a town that was founded at version 1 and went on by version 2."""
    town = make_town()
    await town.settle(3)
    await town.decide(town.schedule_upgrade(2, town.chain.head.height + before + 2))
    for _ in range(before + after):
        await town.decide(town.transfer("a0", "a1"))
    return town


@pytest.mark.adversarial(67)
async def test_each_block_says_the_version_that_it_was_applied_by() -> None:
    town = await upgraded()
    head = town.chain.head.height

    versions = [version_of(town, height) for height in range(1, head + 1)]

    assert versions == [1] * (head - 2) + [2, 2]
    assert (town.chain.version, town.chain.upgrade) == (2, None)


async def test_block_of_another_version_than_rules_is_refused_on_both_sides_of_the_gate() -> None:
    town = make_town()
    gate = town.chain.head.height + 3
    await town.decide(town.schedule_upgrade(2, gate))
    for expected in (1, 2):
        candidate = town.build()
        header = candidate.header
        assert header.version == expected
        for wrong in {0, 1, 2, 3} - {expected}:
            with pytest.raises(InvalidBlock) as refused:
                town.chain.check(replace(header, version=wrong), (), now_ms=None, certified=True)
            assert refused.value.fault is BlockFault.WRONG_VERSION
        await town.chain.commit(candidate, town.certify(candidate))


@pytest.mark.adversarial(67)
async def test_old_blocks_are_applied_by_their_own_rules_for_ever() -> None:
    """More holds than version 2 allows were placed under version 1: a copy computes the same."""
    town = make_town(record=make_record())
    await town.settle(2)
    central = address_of("central-bank", "central-bank")
    hold = PlaceHold(
        account=central,
        approvers=(),
        holder=address_of(BANK, "a0"),
        asset=CASH,
        amount=1,
        reason="Inquiry",
        legal_reference="1/2026",
        expires_ms=None,
    )
    for _ in range(3):
        await town.decide(town.transaction([hold] * 100, ["central-bank"]))
    assert HOLDS_PER_ACCOUNT_MAX < 3 * 100
    await town.decide(town.schedule_upgrade(2, town.chain.head.height + 2))
    refused = await town.decide(town.transaction([hold], ["central-bank"]))
    assert [receipt.outcome for receipt in refused.candidate.receipts] == [Outcome.HOLDS_FULL]

    copy = make_town(record=make_record())
    for height in range(1, town.chain.head.height + 1):
        block, certificate = town.chain.block(height), town.chain.certificate(height)
        assert block is not None
        assert certificate is not None
        transactions = await copy.admission.verify_block(block.transactions)
        candidate = copy.chain.check(block.header, transactions, now_ms=None, certified=True)
        await copy.chain.commit(candidate, certificate)

    assert contents(copy.store) == contents(town.store)


@pytest.mark.adversarial(67)
async def test_database_is_refused_by_an_old_release_and_left_as_it_is() -> None:
    town = make_town(versions=OLD)
    gate = town.chain.head.height + 4
    await town.decide(town.schedule_upgrade(2, gate))
    assert town.chain.upgrade == Upgrade(version=2, height=gate)
    assert not is_ready_for_upgrade(town.chain)
    assert describe_versions(town.chain) == (
        f"version 1 rules, version 2 from height {gate} on. THIS SOFTWARE KNOWS ONLY VERSION 1 and"
        f" will stop after height {gate - 1}: install a release of khazana that knows version 2"
        " before"
    )
    await town.decide()
    town.chain.check_supported()
    await town.decide()
    with pytest.raises(UpgradeRequired):
        town.chain.check_supported()
    before = contents(town.store)

    with pytest.raises(UpgradeRequired) as refused:
        Chain.open(town.store, town.genesis, versions=OLD)

    error = refused.value
    assert (error.version, error.height, error.supported) == (2, gate, (1,))
    assert contents(town.store) == before
    assert make_town(town.store).chain.version == 2


def test_network_of_a_later_version_is_refused_before_its_first_block() -> None:
    genesis = genesis_of(make_record(protocol_version=2))

    with pytest.raises(UpgradeRequired, match="from height 1 on, version 2"):
        Chain.open(MemoryStore(), genesis, versions=OLD)
    assert Chain.open(MemoryStore(), genesis).version == 2


def test_genesis_of_a_version_that_is_not_known_is_a_fault_with_its_line() -> None:
    text = json.dumps(render_record(make_record(protocol_version=FUTURE)), indent=2)

    with pytest.raises(GenesisError) as refused:
        parse_genesis(text)

    [fault] = refused.value.faults
    assert fault.key == "protocol_version"
    assert "Install a release of khazana that knows it" in fault.message


async def test_proof_holds_on_both_sides_of_the_gate() -> None:
    for after in (0, 2):
        town = await upgraded(after=after)
        key = holding_key(address_of(BANK, "a0"), CASH)

        record = town.chain.prove(HOLDINGS, key)

        assert record.header.version == (2 if after else 1)
        assert verify_proof_file(render_proof(record), town.genesis).height


async def test_version_that_rules_can_be_proven() -> None:
    town = await upgraded()

    record = town.chain.prove(PROTOCOL, PROTOCOL_KEY)

    statement = verify_proof_file(render_proof(record), town.genesis).statement
    assert "protocol" in statement


async def test_proof_of_a_version_that_is_not_known_is_refused_with_what_to_do() -> None:
    """By a release that knows less than the validators: what records mean there it cannot say."""
    town = make_town(
        record=make_record(protocol_version=LATEST_VERSION), versions=range(1, FUTURE + 1)
    )
    await town.settle(1)
    await town.decide(town.schedule_upgrade(FUTURE, town.chain.head.height + 2))
    await town.decide()
    record = town.chain.prove(HOLDINGS, holding_key(address_of(BANK, "a0"), CASH))

    with pytest.raises(ProofError, match="Install a newer release") as refused:
        verify_proof_file(render_proof(record), town.genesis)

    assert refused.value.fault is ProofFault.UNKNOWN_VERSION
