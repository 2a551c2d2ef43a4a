"""The network that the demonstration plays on, its actors, and how they act.

Everything goes through the public client, as it would for anybody else. Every key is new: the
network is no development network.
"""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from node.cli.demo.narrator import Narrator
from node.client import Client, ClientNetwork, Draft, NotFound
from node.client.reads import Receipt
from node.clock import Clock
from node.keys import LocalSigner
from node.ledger.operations import Operation
from node.ledger.tables import ParticipantKind
from node.provision.acts import address_of_key
from node.provision.description import Account, Participant
from node.provision.local import LocalNetwork, create_network
from node.provision.ports import free_ports
from node.provision.reference import INSTITUTIONS, reference_network

EXCHANGE: Final = "exchange"
DEALERS: Final = 9
POLL_S: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Somebody with an account."""

    name: str
    signer: LocalSigner
    address: bytes

    @classmethod
    def called(cls, name: str) -> "Actor":
        """Return an actor with a new key."""
        signer = LocalSigner.generate()
        return cls(name=name, signer=signer, address=address_of_key(name, signer.public_key))


class Stage:
    """The running network and everybody on it."""

    def __init__(
        self,
        network: LocalNetwork,
        narrator: Narrator,
        clock: Clock,
        clients: Sequence[Client],
        institutions: Sequence[Actor],
        dealers: Sequence[Actor],
        exchange: Actor,
    ) -> None:
        self.network = network
        self.narrator = narrator
        self.clock = clock
        self.clients = clients
        """One for each node, asking it first; validators, then the observer."""
        self.central_bank, self.ministry, self.council, self.regulator = institutions
        self.institutions = institutions
        self.dealers = dealers
        self.exchange = exchange
        self.people: list[Actor] = []
        self.final_at: dict[str, float] = {}
        """When the client learnt that a transaction is final, on the monotonic clock; by id."""
        self.block_at: list[float] = []
        """When it learnt of each block."""
        self.handed_in_at: dict[str, float] = {}
        """When each of the transfers was handed in; by id."""
        self.killed_at = 0.0
        self.outcomes: dict[str, int] = {}
        """Outcome of every transaction that a block holds; by id."""

    @property
    def client(self) -> Client:
        """Any client will do."""
        return self.clients[0]

    @property
    def known(self) -> ClientNetwork:
        """How addresses look, and what signatures cover."""
        return self.client.network

    def actors(self) -> Iterator[Actor]:
        """Yield everybody who has an account."""
        return itertools.chain(self.institutions, self.dealers, [self.exchange], self.people)

    async def draft(self, *operations: Operation, by: Sequence[Actor]) -> Draft:
        """Return a signed transaction of these operations."""
        builder = await self.client.transaction()
        return builder.add(*operations).sign(*(actor.signer for actor in by))

    async def act(self, *operations: Operation, by: Sequence[Actor]) -> Receipt:
        """Submit a transaction and wait until it is applied.

        Raises:
            Refused: it was not.
        """
        return await self.client.submit(await self.draft(*operations, by=by))

    async def follow(self) -> None:
        """Note what becomes final, and when, for as long as the play lasts."""
        async for item in self.client.subscribe("receipts", start="0-0"):
            now = self.clock.monotonic()
            self.block_at.append(now)
            for identifier, outcome in item.value["receipts"]:
                self.final_at[identifier] = now
                self.outcomes[identifier] = outcome


async def root_at(client: Client, height: int) -> str:
    """Return the state root that a node has at a height, once it is there."""
    while True:
        try:
            return (await client.block(height, transactions="none")).value.header.state_root
        except NotFound:
            # It is on its way: a block is final before the last node has it.
            await asyncio.sleep(POLL_S)


@contextlib.asynccontextmanager
async def set_stage(root: Path, narrator: Narrator, clock: Clock) -> AsyncIterator[Stage]:
    """Make a network under this folder, start it, and stop it at the end, whatever happens."""
    institutions = [Actor.called(name) for name in INSTITUTIONS]
    dealers = [Actor.called(f"dealer-{number}") for number in range(1, DEALERS + 1)]
    exchange = Actor.called(EXCHANGE)
    nodes = [*INSTITUTIONS, EXCHANGE]
    free = free_ports(2 * len(nodes))
    description = reference_network(
        "demonstration",
        ports={name: (free[2 * n], free[2 * n + 1]) for n, name in enumerate(nodes)},
        development=False,
        participants=[
            Participant(id=EXCHANGE, kind=ParticipantKind.COMPANY),
            *(Participant(id=dealer.name, kind=ParticipantKind.BANK) for dealer in dealers),
        ],
        accounts=[
            Account(owner=actor.name, public_key=actor.signer.public_key.hex())
            for actor in (*institutions, *dealers, exchange)
        ],
        parameters={"validators-min": len(INSTITUTIONS)},
    )
    with narrator.doing("making keys, certificates and the genesis"):
        # Deriving a keystore's key takes its time, and there are four.
        network = await asyncio.to_thread(create_network, root, description, now_ms=clock.now_ms())
    try:
        with narrator.doing("starting four validators and an observer, each a process"):
            network.start(leashed=True)
            await network.wait_ready()
        async with contextlib.AsyncExitStack() as stack:
            urls = [node.url for node in network.nodes.values()]
            clients = [
                await stack.enter_async_context(
                    Client([*urls[n:], *urls[:n]], network=network.genesis)
                )
                for n in range(len(urls))
            ]
            stage = Stage(network, narrator, clock, clients, institutions, dealers, exchange)
            async with asyncio.TaskGroup() as tasks:
                following = tasks.create_task(stage.follow(), name="demo-follow")
                yield stage
                following.cancel()
    except ExceptionGroup as group:
        raise first_failure(group) from group
    finally:
        with narrator.doing("stopping every process"):
            await network.stop()


def first_failure(group: ExceptionGroup[Exception]) -> Exception:
    """Return what went wrong first: the rest of a group followed from it."""
    first: Exception = group
    while isinstance(first, ExceptionGroup):
        first = first.exceptions[0]
    return first
