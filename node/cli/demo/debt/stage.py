"""The network that the life of the debt is played on, its people, and what each must have.

A development network, because only one of those has dates that can pass: one made for the play, or
one that runs already. Whoever acts does so through the public client, with a development key.
Beside the ledger stands a book kept by hand: how much cash and how much of each security everybody
has by the rules of the market. Its amounts are never read from the ledger, and the ledger never
from it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from node.cli.demo.narrator import Narrator
from node.cli.demo.stage import Actor, enrol_all, first_failure, has_account
from node.client import Client, NotFound
from node.client.reads import Payment, Receipt
from node.clock import Clock
from node.ledger.dates import date_of, from_date, moment_ms
from node.ledger.operations import Operation
from node.ledger.tables import ParticipantKind
from node.ledger.units import local_day
from node.provision.acts import RUPEE, define_rupee, issue
from node.provision.local import LocalNetwork, create_network
from node.provision.pakistan import PAKISTAN, define_pakistan
from node.provision.ports import Reservation
from node.provision.reference import INSTITUTIONS, reference_network
from node.provision.travelling import time_of, travel

PAISA: Final = 100
MILLION: Final = 1_000_000 * PAISA
"""Rupees, in paisa."""
OFFSET_MINUTES: Final = 300
MINUTE_MS: Final = 60_000
MORNING: Final = 9 * 60
"""The minute of the local day at which people come to work."""
LATE: Final = 50
"""Minutes later it is too late for what is to be done on that day."""
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
LABELS: Final = {"amina": "account-90", "bilal": "account-91"}
"""Of the keys of those who have none under their own name."""


@dataclass
class Book:
    """What everybody must have, kept by hand, in paisa."""

    cash: dict[str, int] = field(default_factory=dict)
    face: dict[str, dict[str, int]] = field(default_factory=dict)
    """By security, then by holder."""
    recorded: dict[str, dict[str, int]] = field(default_factory=dict)
    """Who had how much on the record day of a payment to come; by security."""

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
        *,
        is_alone: bool,
    ) -> None:
        """Store what is given.

        Args:
            is_alone: nobody but those of the play has anything on the network.
        """
        self.network = network
        self.narrator = narrator
        self.client = client
        self.is_alone = is_alone
        self.made: list[str] = []
        """Ids of the transactions that were applied, in order."""
        names = (*INSTITUTIONS, *WALLETS)
        actors = {name: Actor.known(name, LABELS.get(name)) for name in names}
        self.actors = actors
        self.bank = actors["central-bank"]
        self.ministry = actors["finance-ministry"]
        self.book = Book(cash=dict(WALLETS))
        self.closing: dict[str, Any] = {}
        """What the last step found."""
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
        receipt = await self.client.submit(draft)
        self.made.append(draft.id.hex())
        return receipt

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

    async def morning(self) -> date:
        """Let the dates pass until the next morning of a day of business; return the day."""
        now_ms = await self.now_ms()
        day = date_of(local_day(now_ms, OFFSET_MINUTES))
        if now_ms >= moment_ms(from_date(day), MORNING + LATE, OFFSET_MINUTES):
            day += timedelta(days=1)
        on = (await self.client.business_day(PAKISTAN, day)).value.following
        assert on is not None, "a calendar without a business day"
        await self.until(on)
        return on

    async def until(self, day: date | str, minute: int = MORNING) -> None:
        """Let the dates pass until a minute of a local day; if it is past, nothing."""
        wanted = date.fromisoformat(day) if isinstance(day, str) else day
        with self.narrator.doing(f"the dates pass until {wanted}"):
            await self.until_ms(moment_ms(from_date(wanted), minute, OFFSET_MINUTES))

    async def supply(self, asset: str) -> int:
        """Return how much of an asset there is, in paisa."""
        return round((await self.client.asset(asset)).value.supply * PAISA)

    async def has(self, name: str, asset: str) -> int:
        """Return what somebody can dispose of, in paisa."""
        return round(await self.client.holding(self[name].address, asset) * PAISA)

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
    """Make a development network under this folder; stop it whatever happens.

    Args:
        validators: how many of the four institutions run a node.
    """
    with Reservation() as reserved:
        async with _set_stage(root, narrator, clock, reserved, validators=validators) as stage:
            yield stage


@contextlib.asynccontextmanager
async def _set_stage(
    root: Path, narrator: Narrator, clock: Clock, reserved: Reservation, *, validators: int
) -> AsyncIterator[DebtStage]:
    free = reserved.find(2 * len(INSTITUTIONS))
    description = reference_network(
        "debt",
        ports={name: (free[2 * n], free[2 * n + 1]) for n, name in enumerate(INSTITUTIONS)},
        development=True,
    )
    fewer = description.model_copy(update={"validators": description.validators[:validators]})
    network = await asyncio.to_thread(create_network, root, fewer, now_ms=clock.now_ms())
    try:
        with narrator.doing("starting the validators, each a process"):
            network.start(leashed=True)
            await network.wait_ready()
        async with open_stage(network, narrator, is_alone=True) as stage:
            yield stage
    except ExceptionGroup as group:
        raise first_failure(group) from group
    finally:
        with narrator.doing("stopping every process"):
            await network.stop()


@contextlib.asynccontextmanager
async def open_stage(
    network: LocalNetwork, narrator: Narrator, *, is_alone: bool = False
) -> AsyncIterator[DebtStage]:
    """Come onto a development network that runs."""
    urls = [node.url for node in network.validators]
    async with Client(urls, network=network.genesis) as client:
        yield DebtStage(network, narrator, client, is_alone=is_alone)


async def gather(stage: DebtStage) -> None:
    """Give everybody an account with cash; rupee and calendar where there are none."""
    bank, ministry = stage.bank, stage.ministry
    founding: list[Operation] = []
    try:
        await stage.client.asset(RUPEE)
    except NotFound:
        founding.append(define_rupee(central_bank=bank.address, approvers=(ministry.address,)))
    if all(each.calendar != PAKISTAN for each in (await stage.client.calendars()).value):
        founding.append(define_pakistan(central_bank=bank.address))
    if founding:
        await stage.act(*founding, by=[bank, ministry])
    new = [stage[name] for name in WALLETS if not await has_account(stage.client, stage[name])]
    regulator = stage["virtual-asset-regulator"]
    kinds = {
        actor.name: ParticipantKind.PERSON if actor.name in PEOPLE else ParticipantKind.BANK
        for actor in new
    }
    await stage.act(
        *enrol_all(new, kinds=kinds, central_bank=bank, regulator=regulator),
        *(
            issue(account=bank.address, asset=RUPEE, amount=amount, to=actor.address)
            for actor in new
            if (amount := WALLETS[actor.name])
        ),
        by=[bank, regulator],
    )
    stage.narrator.tell(
        f"{len(new)} accounts, with Rs {sum(WALLETS.values()) // PAISA:,} of the central bank's"
    )


async def is_gathered(stage: DebtStage) -> bool:
    """Return whether everybody has an account."""
    return await has_account(stage.client, stage[list(WALLETS)[-1]])
