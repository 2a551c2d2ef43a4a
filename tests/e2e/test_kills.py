"""Nodes as processes, killed as a power cut kills them: nothing acknowledged is lost.

Acknowledged is what the network called final: for this, a client that pays without pause writes
down every receipt it gets, while the nodes that it talks to die under it.
"""

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from node.app import CHAIN_FOLDER, LOG_FOLDER
from node.client import Client, Receipt, transaction
from node.clock import SystemClock
from node.provision.acts import RUPEE
from node.provision.funding import FUNDS_PAISA, development_accounts, founders, fund
from node.provision.local import LocalNetwork, NodeFailed, create_network
from node.provision.ports import free_ports
from node.provision.reference import INSTITUTIONS, reference_network
from tests.damage import damage_database

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]

BANK, MINISTRY, COUNCIL, REGULATOR = INSTITUTIONS
PAYERS = 8
VALID_FOR_MS = 300_000
CLOCK = SystemClock()


@asynccontextmanager
async def running_network(root: Path) -> AsyncIterator[LocalNetwork]:
    """Give four validators as processes, with the rupee and ten funded accounts."""
    free = free_ports(2 * len(INSTITUTIONS))
    ports = {name: (free[2 * n], free[2 * n + 1]) for n, name in enumerate(INSTITUTIONS)}
    participants, accounts = founders()
    description = reference_network(
        "kills", ports=ports, development=True, participants=participants, accounts=accounts
    )
    network = create_network(root, description, now_ms=CLOCK.now_ms())
    try:
        network.start()
        await network.wait_ready()
        async with client_of(network) as client:
            await fund(client)
            height = (await client.status()).height
        # A node one block behind would refuse at its door what the funds are not there for yet.
        for name in network.nodes:
            async with client_of(network, name) as client:
                await until_height(client, height)
        yield network
    finally:
        await network.stop()


def client_of(network: LocalNetwork, *names: str) -> Client:
    nodes = [network.nodes[name] for name in names or network.nodes]
    return Client([node.url for node in nodes], network=network.genesis)


class Payers:
    """Pay without pause, each from an account of its own, and keep every receipt."""

    def __init__(self, network: LocalNetwork) -> None:
        self.receipts: dict[str, Receipt] = {}
        self._network = network
        self._accounts = development_accounts()
        self._paid = asyncio.Event()
        self._stopping = False

    async def pay(self, number: int) -> None:
        payer, payee = self._accounts[number], self._accounts[-1]
        # Each begins at another node, so that every kill takes one from somebody.
        turn = number % len(INSTITUTIONS)
        async with client_of(self._network, *INSTITUTIONS[turn:], *INSTITUTIONS[:turn]) as client:
            while not self._stopping:
                # Built without a node: when all are dead, `submit` is what waits for them.
                draft = (
                    transaction(client.network, valid_until_ms=CLOCK.now_ms() + VALID_FOR_MS)
                    .transfer(account=payer.address, to=payee.address, asset=RUPEE, amount=1)
                    .sign(payer.signer)
                )
                self.receipts[draft.id.hex()] = await client.submit(draft)
                self._paid.set()

    async def more(self, count: int) -> None:
        """Wait until so many more payments are acknowledged."""
        wanted = len(self.receipts) + count
        async with asyncio.timeout(40):
            while len(self.receipts) < wanted:
                self._paid.clear()
                await self._paid.wait()

    def stop(self) -> None:
        """Let each finish the payment that it is at."""
        self._stopping = True


async def check_nothing_lost(network: LocalNetwork, receipts: dict[str, Receipt]) -> None:
    """Assert that every node has every receipt, the money is all there, and the roots are equal."""
    height = max(receipt.height for receipt in receipts.values())
    for node in network.nodes.values():
        async with client_of(network, node.name) as client:
            await until_height(client, height)
            for identifier, receipt in receipts.items():
                found = (await client.transaction_state(identifier)).value
                assert found.receipt == receipt, f"{identifier} at {node.name}"
    blocks = set()
    for node in network.nodes.values():
        async with client_of(network, node.name) as client:
            header = (await client.block(height)).value.header
            blocks.add((header.state_root, header.parent))
    assert len(blocks) == 1
    async with client_of(network) as client:
        held = [await client.holding(each.address, RUPEE) for each in development_accounts()]
        assert sum(held) == (await client.asset(RUPEE)).value.supply
        # One paisa for each receipt: nothing was applied twice, or without one.
        assert held[-1] - Decimal(FUNDS_PAISA) / 100 == Decimal(len(receipts)) / 100


async def until_height(client: Client, height: int) -> None:
    """Wait, by the stream of blocks, until the node has this one."""
    async with asyncio.timeout(30):
        if (await client.status()).height >= height:
            return
        async for item in client.subscribe("blocks", start=f"{height - 1}-0"):
            if int(item.cursor.partition("-")[0]) >= height:
                return


@pytest.mark.adversarial(28, 65)
async def test_killed_under_load_one_by_one_and_all_at_once_loses_nothing(tmp_path: Path) -> None:
    async with running_network(tmp_path / "network") as network:
        payers = Payers(network)
        async with asyncio.TaskGroup() as tasks:
            for number in range(PAYERS):
                tasks.create_task(payers.pay(number), name=f"payer-{number}")
            await payers.more(20)

            # One validator: the other three go on, and it comes back into the load.
            assert await network.kill(MINISTRY)
            await payers.more(20)
            network.start(MINISTRY)
            await network.wait_ready(MINISTRY)
            await payers.more(20)

            # All four in one moment.
            processes = [process for _, process in network.running()]
            await asyncio.gather(*(process.kill() for process in processes))
            assert list(network.running()) == []
            network.start()
            await network.wait_ready()
            await payers.more(20)
            payers.stop()

        await check_nothing_lost(network, payers.receipts)
        assert set((await network.stop()).values()) == {True}


@pytest.mark.adversarial(69)
async def test_damaged_database_is_named_starts_no_vote_and_the_advice_helps(
    tmp_path: Path,
) -> None:
    async with running_network(tmp_path / "network") as network:
        home = network.nodes[COUNCIL].home
        process = network.process(COUNCIL)
        assert process is not None
        assert await process.stop()
        database, signed = home / "data" / CHAIN_FOLDER, home / "data" / LOG_FOLDER
        damage_database(database)
        before = contents(signed)

        network.start(COUNCIL)
        with pytest.raises(NodeFailed) as failed:
            await network.wait_ready(COUNCIL)

        log = "\n".join(failed.value.log)
        assert f"{database} is damaged" in log
        assert "khazana start" in log
        assert contents(signed) == before
        async with client_of(network, BANK) as client:
            receipt = await pay_once(client)

        # What the sentence says helps: put it aside, start again.
        database.rename(database.with_name("damaged"))
        network.start(COUNCIL)
        await network.wait_ready(COUNCIL)
        async with client_of(network, COUNCIL) as client:
            await until_height(client, receipt.height)
            receipt = await pay_once(client)
        assert receipt.outcome.applied


@pytest.mark.adversarial(68)
async def test_another_validators_log_is_refused_in_one_sentence(tmp_path: Path) -> None:
    """A signature made from it could contradict what this key has signed."""
    async with running_network(tmp_path / "network") as network:
        await network.stop()
        own = network.nodes[COUNCIL].home / "data" / LOG_FOLDER
        shutil.rmtree(own)
        shutil.copytree(network.nodes[BANK].home / "data" / LOG_FOLDER, own)

        network.start(COUNCIL)
        with pytest.raises(NodeFailed) as failed:
            await network.wait_ready(COUNCIL)

        assert f"the consensus log was made for {BANK}" in failed.value.log[-1]
        assert not any("Traceback" in line for line in failed.value.log)


async def pay_once(client: Client) -> Receipt:
    payer, payee = development_accounts()[:2]
    builder = await client.transaction()
    draft = builder.transfer(account=payer.address, to=payee.address, asset=RUPEE, amount=1)
    return await client.submit(draft.sign(payer.signer))


def contents(folder: Path) -> dict[str, str]:
    """Return the hash of every file: that nothing was signed, nothing was written."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.is_file()
    }
