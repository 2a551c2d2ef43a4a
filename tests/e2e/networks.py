"""Four validators as processes, clients that pay them without pause, and what must hold afterwards.

Acknowledged is what the network called final: each payer writes down every receipt that it gets,
while the nodes that it talks to die, stop or lose their wires under it. Some answers are lost on
purpose: the client gives up at a random moment and hands in the same transaction again.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from decimal import Decimal
from pathlib import Path
from random import Random

from node.client import Client, Receipt, transaction
from node.clock import SystemClock
from node.provision.acts import RUPEE
from node.provision.description import NetworkDescription
from node.provision.funding import FUNDS_PAISA, development_accounts, founders, fund
from node.provision.local import LocalNetwork, create_network
from node.provision.reference import INSTITUTIONS, reference_network
from tests.e2e.signatures import signatures_in
from tests.ports import own_ports

BANK, MINISTRY, COUNCIL, REGULATOR = INSTITUTIONS
PAYERS = 8
VALID_FOR_MS = 300_000
POLL_S = 0.05
PATIENCE_S = 90.0
"""Against what hangs: for how long a state is waited for, on a machine that others load too."""
LOST_ANSWERS = 0.2
"""The part of all payments whose first answer nobody waits for."""
LOST_WITHIN_S = 0.2
CLOCK = SystemClock()


@asynccontextmanager
async def running_network(root: Path) -> AsyncIterator[LocalNetwork]:
    """Give four validators as processes, with the rupee and ten funded accounts."""
    network = make_network(root)
    try:
        network.start(leashed=True)
        await network.wait_ready()
        await endow(network)
        yield network
    finally:
        await network.stop()


def make_network(root: Path) -> LocalNetwork:
    """Write the homes of four validators and ten accounts; nothing runs yet."""
    description = describe(dict.fromkeys(INSTITUTIONS, "127.0.0.1"))
    return create_network(root, description, now_ms=CLOCK.now_ms())


def describe(hosts: Mapping[str, str]) -> NetworkDescription:
    """Return the network of the four institutions on these machines, with ten accounts."""
    free = own_ports(2 * len(INSTITUTIONS))
    ports = {name: (free[2 * n], free[2 * n + 1]) for n, name in enumerate(INSTITUTIONS)}
    participants, accounts = founders()
    description = reference_network(
        "processes", ports=ports, development=True, participants=participants, accounts=accounts
    )
    validators = []
    for validator in description.validators:
        peers, clients = (f"{hosts[validator.name]}:{port}" for port in ports[validator.name])
        places = {"listen": peers, "dial": peers, "rpc_listen": clients}
        validators.append(validator.model_copy(update=places))
    return description.model_copy(update={"validators": tuple(validators)})


async def endow(network: LocalNetwork) -> None:
    """Make the rupee, fund the ten accounts, and wait until every node knows it."""
    async with client_of(network) as client:
        await fund(client)
        height = (await client.status()).height
    # A node one block behind would refuse at its door what the funds are not there for yet.
    for name in network.nodes:
        async with client_of(network, name) as client:
            await until_height(client, height)


def client_of(network: LocalNetwork, *names: str) -> Client:
    nodes = [network.nodes[name] for name in names or network.nodes]
    return Client([node.url for node in nodes], network=network.genesis)


async def until_height(client: Client, height: int, *, timeout_s: float = PATIENCE_S) -> None:
    """Wait, by the stream of blocks, until the node has this one."""
    async with asyncio.timeout(timeout_s):
        if (await client.status()).height >= height:
            return
        async with aclosing(client.subscribe("blocks", start=f"{height - 1}-0")) as stream:
            async for item in stream:
                if int(item.cursor.partition("-")[0]) >= height:
                    return


async def until(true: Callable[[], Awaitable[bool]], *, timeout_s: float = PATIENCE_S) -> None:
    """Wait until this is so of another process."""
    async with asyncio.timeout(timeout_s):
        while not await true():  # noqa: ASYNC110 - nothing tells of a process's state but asking.
            await asyncio.sleep(POLL_S)


async def exit_code(network: LocalNetwork, name: str, *, timeout_s: float = PATIENCE_S) -> int:
    """Wait until a node has ended by itself, and return with which code."""
    process = network.process(name)
    assert process is not None
    async with asyncio.timeout(timeout_s):
        while process.is_alive():  # noqa: ASYNC110 - nothing tells of another process's end.
            await asyncio.sleep(POLL_S)
    _, status = os.waitpid(process.pid, 0)  # noqa: ASYNC222 - it has ended.
    return os.waitstatus_to_exitcode(status)


async def pay_once(client: Client) -> Receipt:
    payer, payee = development_accounts()[:2]
    builder = await client.transaction()
    draft = builder.transfer(account=payer.address, to=payee.address, asset=RUPEE, amount=1)
    return await client.submit(draft.sign(payer.signer))


class Payers:
    """Pay without pause, each from an account of its own, and keep every receipt."""

    def __init__(
        self,
        network: LocalNetwork,
        *,
        seed: int,
        pause_s: float = 0.0,
        through: Sequence[str] = INSTITUTIONS,
    ) -> None:
        """Store what is given; `paying` begins.

        Args:
            pause_s: the longest pause of a payer between two payments.
            through: the nodes that are asked.
        """
        self.receipts: dict[str, Receipt] = {}
        self.answers_lost = 0
        self._network = network
        self._seed = seed
        self._pause_s = pause_s
        self._through = tuple(through)
        self._accounts = development_accounts()
        self._paid = asyncio.Event()
        self._stopping = False

    @asynccontextmanager
    async def paying(self) -> AsyncIterator[None]:
        """Pay while the body runs; at its end each payer finishes the payment that it is at."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(PAYERS):
                tasks.create_task(self._pay(number), name=f"payer-{number}")
            yield
            self._stopping = True

    async def more(self, count: int, *, timeout_s: float = PATIENCE_S) -> None:
        """Wait until so many more payments are acknowledged."""
        wanted = len(self.receipts) + count
        async with asyncio.timeout(timeout_s):
            while len(self.receipts) < wanted:
                self._paid.clear()
                await self._paid.wait()

    async def _pay(self, number: int) -> None:
        random = Random(f"{self._seed} payer {number}")
        payer, payee = self._accounts[number], self._accounts[-1]
        # Each begins at another node, so that every kill takes one from somebody.
        turn = number % len(self._through)
        nodes = (*self._through[turn:], *self._through[:turn])
        async with client_of(self._network, *nodes) as client:
            while not self._stopping:
                # Built without a node: when all are dead, `submit` is what waits for them.
                draft = (
                    transaction(client.network, valid_until_ms=CLOCK.now_ms() + VALID_FOR_MS)
                    .transfer(account=payer.address, to=payee.address, asset=RUPEE, amount=1)
                    .sign(payer.signer)
                )
                if random.random() < LOST_ANSWERS:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(random.uniform(0, LOST_WITHIN_S)):
                            await client.submit(draft)
                    self.answers_lost += 1
                self.receipts[draft.id.hex()] = await client.submit(draft)
                self._paid.set()
                # Load is not to be the fastest there is, but to be there whenever a node dies.
                await asyncio.sleep(random.uniform(0, self._pause_s))


async def check_nothing_lost(network: LocalNetwork, receipts: dict[str, Receipt]) -> None:
    """Assert that every node has every receipt once, the money is all there, and roots are equal.

    A part of the receipts is asked for one by one; all are looked for in the whole history.
    """
    height = max(receipt.height for receipt in receipts.values())
    histories = []
    for name in network.nodes:
        async with client_of(network, name) as client:
            await until_height(client, height)
            histories.append(await _history(client, height))
            for identifier in list(receipts)[:: len(receipts) // 100 + 1]:
                found = (await client.transaction_state(identifier)).value
                assert found.receipt == receipts[identifier], f"{identifier} at {name}"
            assert (await client.call("khz_evidence"))["evidence"] == []
    assert all(history == histories[0] for history in histories)
    blocks, places = histories[0]
    assert list(blocks) == list(range(1, height + 1))
    missing = [
        identifier
        for identifier, receipt in receipts.items()
        if places.get(identifier) != (receipt.height, receipt.index, receipt.outcome.code)
    ]
    assert missing == []
    roots = set()
    for name in network.nodes:
        async with client_of(network, name) as client:
            header = (await client.block(height)).value.header
            roots.add((header.state_root, header.parent))
    assert len(roots) == 1
    async with client_of(network) as client:
        held = [await client.holding(each.address, RUPEE) for each in development_accounts()]
        assert sum(held) == (await client.asset(RUPEE)).value.supply
        # One paisa for each receipt: nothing was applied twice, or without one.
        assert held[-1] - Decimal(FUNDS_PAISA) / 100 == Decimal(len(receipts)) / 100


def signatures_agree(network: LocalNetwork) -> None:
    """Assert that no log shows two signatures of one validator in one place."""
    assert signatures_in(network.nodes.values()).contradictions() == []


async def _history(
    client: Client, height: int
) -> tuple[dict[int, str], dict[str, tuple[int, int, int]]]:
    """Return the block at each height up to this one, and where each transaction stands."""
    blocks: dict[int, str] = {}
    places: dict[str, tuple[int, int, int]] = {}
    async with asyncio.timeout(120), aclosing(client.subscribe("receipts", start="0-0")) as stream:
        async for item in stream:
            at = int(item.value["height"])
            assert at not in blocks
            blocks[at] = str(item.value["block_id"])
            for index, (identifier, outcome) in enumerate(item.value["receipts"]):
                assert identifier not in places, f"{identifier} stands in two places"
                places[identifier] = (at, index, outcome)
            if at >= height:
                return blocks, places
    raise AssertionError("a subscription ended")


def seconds(values: Sequence[float]) -> str:
    """Return least, median, nine in ten, and most."""
    if not values:
        return "none"
    ordered = sorted(values)
    at = [ordered[0], ordered[len(ordered) // 2], ordered[len(ordered) * 9 // 10], ordered[-1]]
    return "least {:.2f}, median {:.2f}, p90 {:.2f}, most {:.2f} s".format(*at)
