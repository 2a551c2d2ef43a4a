"""A ledger built from the bottom up is the one that transactions make."""

import asyncio
from pathlib import Path

from node.chain import Chain
from node.ledger.acts.registry.open_account import OpenAccount
from node.ledger.policies import single_signer
from node.provision.acts import RUPEE, define_rupee, issue
from node.storage import MemoryStore
from node.upkeep.checking import check_database
from tests.bench.joining import OWNER, Builder, make_network
from tests.bench.population import (
    FUNDS_PAISA,
    OPENED_BY,
    address,
    office_address,
    owner_signer,
    populate,
)

ACCOUNTS = 2_000


async def open_all(builder: Builder) -> None:
    """Open and fund the same accounts by transactions."""
    bank, ministry = office_address("central-bank"), office_address("finance-ministry")
    define = define_rupee(central_bank=bank, approvers=(ministry,))
    await builder.decide("central-bank", [define], "finance-ministry")
    policy = single_signer(owner_signer().public_key)
    openings = [
        OpenAccount(
            account=office_address(OPENED_BY),
            approvers=(),
            owner=OWNER,
            policy=policy,
            salt=number.to_bytes(8),
        )
        for number in range(ACCOUNTS)
    ]
    issues = [
        issue(account=bank, asset=RUPEE, amount=FUNDS_PAISA, to=address(number))
        for number in range(ACCOUNTS)
    ]
    await builder.decide(OPENED_BY, openings)
    await builder.decide("central-bank", issues)


def test_planted_ledger_is_the_one_that_transactions_make(tmp_path: Path) -> None:
    genesis = make_network(tmp_path).genesis
    planted, grown = MemoryStore(), MemoryStore()

    root = populate(planted, genesis, ACCOUNTS)
    builder = Builder(Chain.open(grown, genesis))
    asyncio.run(open_all(builder))

    assert root == builder.chain.head.state_root
    for prefix in (b"S", b"K", b"N"):
        stop = bytes((prefix[0] + 1,))
        assert list(planted.scan(prefix, stop)) == list(grown.scan(prefix, stop))
    assert check_database(planted.view(), genesis).is_whole
    assert Chain.open(planted, genesis).head.state_root == root
