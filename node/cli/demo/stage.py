"""The network that the demonstration plays on, its actors, and how they act.

Everything goes through the public client, as it would for anybody else. On a network made for the
play every key is new: it is no development network. On one that runs already, and must be one for
development, everybody has a development key, so that whoever comes back is the same people.
"""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from node.cli.demo.narrator import Narrator
from node.client import Client, ClientNetwork, Draft, NotFound
from node.client.reads import Receipt
from node.clock import Clock
from node.keys import LocalSigner
from node.keys.development import DEVELOPMENT_LABELS, development_signer
from node.ledger.operations import OpenAccount, Operation, RegisterParticipant
from node.ledger.policies import single_signer
from node.ledger.tables import ParticipantKind
from node.provision.acts import SALT, address_of_key, document_hash, identify_person
from node.provision.description import Account
from node.provision.local import LocalNetwork, create_network
from node.provision.ports import Reservation
from node.provision.reference import INSTITUTIONS, reference_network

EXCHANGE: Final = "exchange"
DEALERS: Final = 9
PEOPLE: Final = 1_000
PEOPLE_KNOWN: Final = 40
"""On a network that runs already."""
FIRST_KNOWN: Final = {"bank": ("dealer", 10), "person": ("account", 20)}
"""From which development keys theirs are counted: those of the debt's people are others."""
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
        return cls._with(name, LocalSigner.generate())

    @classmethod
    def known(cls, name: str, label: str | None = None) -> "Actor":
        """Return an actor of a development network.

        Args:
            label: of its key; None: its account's, or its name.
        """
        if label is None:
            account = f"{name}/account"
            label = account if account in DEVELOPMENT_LABELS else name
        return cls._with(name, development_signer(label))

    @classmethod
    def _with(cls, name: str, signer: LocalSigner) -> "Actor":
        return cls(name=name, signer=signer, address=address_of_key(name, signer.public_key))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Everybody who plays."""

    institutions: Sequence[Actor]
    """Central bank, ministry, council, regulator."""
    dealers: Sequence[Actor]
    exchange: Actor
    people: Sequence[Actor]

    @classmethod
    def new(cls) -> "Cast":
        """Return a cast with new keys."""
        return cls(
            institutions=[Actor.called(name) for name in INSTITUTIONS],
            dealers=[Actor.called(f"bank-{number}") for number in range(1, DEALERS + 1)],
            exchange=Actor.called(EXCHANGE),
            people=[Actor.called(f"person-{number}") for number in range(PEOPLE)],
        )

    @classmethod
    def known(cls) -> "Cast":
        """Return the cast of a development network, smaller: there are a hundred keys of a kind."""

        def actor(kind: str, number: int) -> Actor:
            key, first = FIRST_KNOWN[kind]
            return Actor.known(f"{kind}-{number}", f"{key}-{first + number}")

        return cls(
            institutions=[Actor.known(name) for name in INSTITUTIONS],
            dealers=[actor("bank", number) for number in range(1, DEALERS + 1)],
            exchange=Actor.known(EXCHANGE),
            people=[actor("person", number) for number in range(PEOPLE_KNOWN)],
        )


class Stage:
    """The running network and everybody on it."""

    def __init__(
        self,
        network: LocalNetwork,
        narrator: Narrator,
        clock: Clock,
        clients: Sequence[Client],
        cast: Cast,
        *,
        folder: Path,
        is_alone: bool,
    ) -> None:
        """Store what is given.

        Args:
            folder: for files.
            is_alone: the network was made for the play and ends with it; nobody else has anything.
        """
        self.network = network
        self.narrator = narrator
        self.clock = clock
        self.clients = clients
        """One for each node, asking it first; validators, then the observer."""
        self.central_bank, self.ministry, self.council, self.regulator = cast.institutions
        self.institutions = cast.institutions
        self.dealers = cast.dealers
        self.exchange = cast.exchange
        self.people = cast.people
        self.folder = folder
        self.is_alone = is_alone
        self.made: list[str] = []
        """Ids of the transactions that were applied one by one, in order."""
        self.final_at: dict[str, float] = {}
        """When the client learnt that a transaction is final, on the monotonic clock; by id."""
        self.block_at: list[float] = []
        """When it learnt of each block."""
        self.handed_in_at: dict[str, float] = {}
        """When each of the transfers was handed in; by id."""
        self.killed_at = 0.0
        self.outcomes: dict[str, int] = {}
        """Outcome of every transaction that a block holds; by id."""
        self.closing: dict[str, Any] = {}
        """What the last step found."""

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
        draft = await self.draft(*operations, by=by)
        receipt = await self.client.submit(draft)
        self.made.append(draft.id.hex())
        return receipt

    async def follow(self) -> None:
        """Note what becomes final, and when, for as long as the play lasts."""
        start = "0-0" if self.is_alone else "now"
        async for item in self.client.subscribe("receipts", start=start):
            now = self.clock.monotonic()
            self.block_at.append(now)
            for identifier, outcome in item.value["receipts"]:
                self.final_at[identifier] = now
                self.outcomes[identifier] = outcome


async def has_account(client: Client, actor: Actor) -> bool:
    """Return whether the ledger knows an actor's account."""
    try:
        await client.account(actor.address)
    except NotFound:
        return False
    return True


def enrol_all(
    actors: Iterable[Actor],
    *,
    kinds: Mapping[str, ParticipantKind],
    central_bank: Actor,
    regulator: Actor,
    identified: bool = True,
) -> Iterator[Operation]:
    """Yield what makes somebody a holder: banks by the central bank, others by the regulator.

    Args:
        kinds: by name.
        identified: whether the regulator says who persons are, as the debt desk asks of bidders.
    """
    for actor in actors:
        kind = kinds[actor.name]
        office = central_bank if kind is ParticipantKind.BANK else regulator
        yield RegisterParticipant(
            account=office.address,
            approvers=(),
            participant=actor.name,
            kind=kind,
            jurisdiction="PK",
            lei=None,
            file_commitment=document_hash(f"file of {actor.name}"),
        )
        if identified and kind is ParticipantKind.PERSON:
            yield identify_person(registrar=office.address, participant=actor.name)
        yield OpenAccount(
            account=office.address,
            approvers=(),
            owner=actor.name,
            policy=single_signer(actor.signer.public_key),
            salt=SALT,
        )


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
    with Reservation() as reserved:
        async with _set_stage(root, narrator, clock, reserved) as stage:
            yield stage


@contextlib.asynccontextmanager
async def _set_stage(
    root: Path, narrator: Narrator, clock: Clock, reserved: Reservation
) -> AsyncIterator[Stage]:
    cast = Cast.new()
    nodes = [*INSTITUTIONS, EXCHANGE]
    free = reserved.find(2 * len(nodes))
    description = reference_network(
        "demonstration",
        ports={name: (free[2 * n], free[2 * n + 1]) for n, name in enumerate(nodes)},
        development=False,
        accounts=[
            Account(owner=actor.name, public_key=actor.signer.public_key.hex())
            for actor in cast.institutions
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
        async with open_stage(
            network, narrator, clock, cast=cast, folder=root, is_alone=True
        ) as stage:
            yield stage
    except ExceptionGroup as group:
        raise first_failure(group) from group
    finally:
        with narrator.doing("stopping every process"):
            await network.stop()


@contextlib.asynccontextmanager
async def open_stage(
    network: LocalNetwork,
    narrator: Narrator,
    clock: Clock,
    *,
    cast: Cast,
    folder: Path,
    is_alone: bool = False,
) -> AsyncIterator[Stage]:
    """Come onto a network that runs."""
    async with contextlib.AsyncExitStack() as stack:
        urls = [node.url for node in network.nodes.values()]
        clients = [
            await stack.enter_async_context(Client([*urls[n:], *urls[:n]], network=network.genesis))
            for n in range(len(urls))
        ]
        stage = Stage(network, narrator, clock, clients, cast, folder=folder, is_alone=is_alone)
        async with asyncio.TaskGroup() as tasks:
            following = tasks.create_task(stage.follow(), name="demo-follow")
            yield stage
            following.cancel()


async def gather(stage: Stage) -> None:
    """Give banks and exchange an account."""
    actors = [*stage.dealers, stage.exchange]
    new = [actor for actor in actors if not await has_account(stage.client, actor)]
    kinds = {actor.name: ParticipantKind.BANK for actor in stage.dealers}
    kinds[stage.exchange.name] = ParticipantKind.COMPANY
    receipt = await stage.act(
        *enrol_all(new, kinds=kinds, central_bank=stage.central_bank, regulator=stage.regulator),
        by=[stage.central_bank, stage.regulator],
    )
    stage.narrator.tell(
        f"the central bank opened accounts for {len(stage.dealers)} banks, the regulator one for"
        f" the exchange, in block {receipt.height}"
    )


async def is_gathered(stage: Stage) -> bool:
    """Return whether everybody has an account."""
    return await has_account(stage.client, stage.exchange)


def first_failure(group: ExceptionGroup[Exception]) -> Exception:
    """Return what went wrong first: the rest of a group followed from it."""
    first: Exception = group
    while isinstance(first, ExceptionGroup):
        first = first.exceptions[0]
    return first
