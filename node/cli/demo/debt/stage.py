"""The network that the life of the debt is played on, its people, and what each must have.

A development network, because only one of those has dates that can pass. Whoever acts does so
through the public client. Beside the ledger stands a book kept by hand: how much cash and how much
of each security everybody has by the rules of the market. It is never read from the ledger, and
the ledger never from it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Final

from node.cli.demo.narrator import Narrator
from node.cli.demo.stage import Actor, first_failure
from node.client import Client
from node.client.reads import Payment, Receipt
from node.clock import Clock
from node.keys.development import development_signer
from node.ledger.dates import date_of, from_date, moment_ms
from node.ledger.operations import Operation
from node.ledger.tables import ParticipantKind
from node.ledger.units import local_day
from node.provision.acts import RUPEE, address_of_key, define_rupee, issue
from node.provision.description import Account, Participant
from node.provision.local import LocalNetwork, create_network
from node.provision.pakistan import PAKISTAN, define_pakistan
from node.provision.ports import free_ports
from node.provision.reference import INSTITUTIONS, reference_network
from node.provision.travelling import time_of, travel

PAISA: Final = 100
MILLION: Final = 1_000_000 * PAISA
"""Rupees, in paisa."""
OFFSET_MINUTES: Final = 300
MINUTE_MS: Final = 60_000
MORNING: Final = 9 * 60
"""The minute of the local day at which people come to work."""
WALLETS: Final = {
    "dealer-1": 5_000 * MILLION,
    "dealer-2": 5_000 * MILLION,
    "dealer-3": 5_000 * MILLION,
    "dealer-4": 0,
    "amina": 10 * MILLION,
    "bilal": 10 * MILLION,
}
"""What everybody begins with; the fourth dealer will not be able to pay for what it bids for."""
PEOPLE: Final = ("amina", "bilal")


@dataclass
class Book:
    """What everybody must have, kept by hand, in paisa."""

    cash: dict[str, int] = field(default_factory=dict)
    face: dict[str, dict[str, int]] = field(default_factory=dict)
    """By security, then by holder."""

    def give(self, asset: str, holder: str, amount: int) -> None:
        """Note that a holder has more of a security, or less."""
        holders = self.face.setdefault(asset, {})
        holders[holder] = holders.get(holder, 0) + amount

    def pay(self, payer: str, receiver: str | None, amount: int) -> None:
        """Note that cash went from one to another; None: to somebody who is not in the book."""
        self.cash[payer] -= amount
        if receiver is not None:
            self.cash[receiver] += amount


class DebtStage:
    """The running network and everybody on it."""

    def __init__(
        self,
        network: LocalNetwork,
        narrator: Narrator,
        client: Client,
        actors: dict[str, Actor],
        began: date,
    ) -> None:
        self.network = network
        self.narrator = narrator
        self.client = client
        self.actors = actors
        self.began = began
        self.bank = actors["central-bank"]
        self.ministry = actors["finance-ministry"]
        self.book = Book(cash=dict(WALLETS))
        self.rates: dict[str, Fraction] = {}
        """What each security pays a year, a share of one, in the period that runs."""

    @property
    def client_url(self) -> str:
        """Where a browser finds the first node."""
        return next(iter(self.network.nodes.values())).url

    def __getitem__(self, name: str) -> Actor:
        return self.actors[name]

    async def act(self, *operations: Operation, by: Sequence[Actor]) -> Receipt:
        """Submit a transaction and wait until it is applied.

        Raises:
            Refused: it was not.
        """
        builder = await self.client.transaction()
        draft = builder.add(*operations).sign(*(actor.signer for actor in by))
        return await self.client.submit(draft)

    async def now_ms(self) -> int:
        """Return the time of the network."""
        return (await time_of(self.network)).now_ms

    async def today(self) -> date:
        """Return the local day of the network."""
        return date_of(local_day(await self.now_ms(), OFFSET_MINUTES))

    async def until_ms(self, time_ms: int) -> None:
        """Let the dates pass until a time, and a block after it."""
        await travel(self.network, time_ms, utc_offset_minutes=OFFSET_MINUTES)
        # What fell due at that moment began in its block; work that is bounded goes on in the next.
        await travel(self.network, time_ms + 1_000, utc_offset_minutes=OFFSET_MINUTES)

    async def until(self, day: date | str, minute: int = MORNING) -> None:
        """Let the dates pass until a minute of a local day."""
        wanted = date.fromisoformat(day) if isinstance(day, str) else day
        with self.narrator.doing(f"the dates pass until {wanted}"):
            await self.until_ms(moment_ms(from_date(wanted), minute, OFFSET_MINUTES))

    async def payment(self, asset: str, number: int) -> Payment:
        """Return a row of a security's schedule."""
        return (await self.client.schedule(asset)).value[number - 1]

    async def check_book(self, when: str) -> None:
        """Compare what everybody has on the ledger with the book."""
        wrong: list[str] = []
        count = 0
        for name in self.book.cash:
            expected = {RUPEE: self.book.cash[name]} | {
                asset: holders[name] for asset, holders in self.book.face.items() if name in holders
            }
            held = (await self.client.holdings(self[name].address)).value
            found = {each.asset: round(each.total * PAISA) for each in held}
            for asset in sorted(expected.keys() | found.keys()):
                count += 1
                if expected.get(asset, 0) != found.get(asset, 0):
                    wrong.append(
                        f"{name} has {found.get(asset, 0)} paisa of {asset}, not"
                        f" {expected.get(asset, 0)}"
                    )
        self.narrator.check(
            f"everybody has what the book says {when}, to the paisa",
            holds=not wrong,
            found="; ".join(wrong) or f"{count} holdings of {len(self.book.cash)} people and banks",
        )


@contextlib.asynccontextmanager
async def set_stage(
    root: Path, narrator: Narrator, clock: Clock, *, validators: int
) -> AsyncIterator[DebtStage]:
    """Make a development network under this folder, with money; stop it whatever happens.

    Args:
        validators: how many of the four institutions run a node.
    """
    free = free_ports(2 * len(INSTITUTIONS))
    actors = {name: _institution(name) for name in INSTITUTIONS}
    actors |= {name: Actor.called(name) for name in WALLETS}
    description = reference_network(
        "debt",
        ports={name: (free[2 * n], free[2 * n + 1]) for n, name in enumerate(INSTITUTIONS)},
        development=True,
        participants=[
            Participant(
                id=name,
                kind=ParticipantKind.PERSON if name in PEOPLE else ParticipantKind.BANK,
            )
            for name in WALLETS
        ],
        accounts=[
            Account(owner=name, public_key=actors[name].signer.public_key.hex()) for name in WALLETS
        ],
    )
    fewer = description.model_copy(update={"validators": description.validators[:validators]})
    network = await asyncio.to_thread(create_network, root, fewer, now_ms=clock.now_ms())
    try:
        with narrator.doing("starting the validators, each a process"):
            network.start(leashed=True)
            await network.wait_ready()
        urls = [node.url for node in network.nodes.values()]
        async with Client(urls, network=network.genesis) as client:
            began = date_of(local_day((await time_of(network)).now_ms, OFFSET_MINUTES))
            stage = DebtStage(network, narrator, client, actors, began)
            await _found(stage)
            yield stage
    except ExceptionGroup as group:
        raise first_failure(group) from group
    finally:
        with narrator.doing("stopping every process"):
            await network.stop()


async def _found(stage: DebtStage) -> None:
    """Define rupee and calendar, give everybody cash, and come to a morning of business."""
    bank, ministry = stage.bank, stage.ministry
    await stage.act(
        define_rupee(central_bank=bank.address, approvers=(ministry.address,)),
        define_pakistan(central_bank=bank.address),
        *(
            issue(account=bank.address, asset=RUPEE, amount=amount, to=stage[name].address)
            for name, amount in WALLETS.items()
            if amount
        ),
        by=[bank, ministry],
    )
    tomorrow = await stage.today() + timedelta(days=1)
    on = (await stage.client.business_day(PAKISTAN, tomorrow)).value.following
    assert on is not None, "a calendar without a business day"
    await stage.until(on)


def _institution(name: str) -> Actor:
    signer = development_signer(f"{name}/account")
    return Actor(name=name, signer=signer, address=address_of_key(name, signer.public_key))
