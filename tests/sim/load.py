"""What clients ask of the ledger: every operation of its catalogue, most of them sound, some not.

A draft is drawn from the seed and from what the ledger holds (`Model`), so that most of them can be
applied: there is a hold before one is released, a proposal before it is approved. By the time it
reaches a block, others may have come first. One in eight is spoiled on purpose: an amount of
nothing or of everything, an unknown name, an approval left out, a signer too few or too many.

What could end the run for good is left to the faults, which know how many validators may be out:
the set of validators. What could end the load for good is not drawn at all: the bank of the
clients is never suspended, their first accounts are never held or closed.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from node.codec import Record, replace
from node.ledger.acts.assets.issue import Issue
from node.ledger.acts.assets.transfer import Transfer
from node.ledger.acts.registry.close_account import CloseAccount
from node.ledger.acts.registry.set_account_policy import SetAccountPolicy
from node.ledger.protocol import DEBT_DESK
from node.ledger.tables import PROTOCOL, PROTOCOL_KEY, ValidatorRecord
from node.ledger.units import MS_PER_DAY
from tests.chain.town import BANK, CASH, address_of
from tests.sim.assets import AssetLoad
from tests.sim.auctions import AuctionLoad
from tests.sim.calendars import CalendarLoad
from tests.sim.governance import GovernanceLoad
from tests.sim.model import Model
from tests.sim.registry import RegistryLoad
from tests.sim.securities import SecurityLoad
from tests.sim.standing import ACCOUNTS_COUNT, Impossible, Maker, Standing
from tests.sim.strips import StripLoad

FUNDS: Final = 1_000
"""Of each account: little, so that transfers meet empty accounts."""
SPOILED: Final = 1 / 8
WIDELY: Final = 1 / 4
"""How much of what is not a transfer gives securities holders, where days pass; and so much of the
rest is what happens to them then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a client is about to sign."""

    operations: tuple[Record, ...]
    signers: tuple[str, ...]
    """Names of keys."""


class Load:
    """Draws drafts, of all desks."""

    def __init__(
        self,
        model: Model,
        now_ms: Callable[[], int],
        *,
        auctions: bool = False,
        days: bool = False,
        bad: bool = False,
    ) -> None:
        """Take the ledger as it is at every moment.

        Args:
            now_ms: the true time.
            auctions: draw little else.
            days: they pass, so that securities had better have holders.
            bad: much is bad on purpose, and with it comes what goes wrong when payments are due.
        """
        self._standing = standing = Standing(model, now_ms)
        registry, assets = RegistryLoad(standing, bad=bad), AssetLoad(standing)
        self._governance = governance = GovernanceLoad(
            standing, (registry.grant_licence, assets.forced_transfer, assets.issue)
        )
        self._makers: dict[str, Maker] = {
            **registry.makers(),
            **assets.makers(),
            **governance.makers(),
            "delivery_versus_payment": self._delivery_versus_payment,
        }
        calendars = CalendarLoad(model, now_ms, standing.governed)
        desk = AuctionLoad(
            model,
            now_ms=now_ms,
            governed=standing.governed,
            account_of=standing.account_of,
            people=standing.participants,
            busy=auctions,
            bad=bad,
        )
        securities = SecurityLoad(standing, bad=days and bad)
        self._issue_widely = securities.issue_widely if days else None
        self._going_on = (
            (*securities.going_on(), calendars.correct, calendars.correct) if days and bad else ()
        )
        self._debt_desk: dict[str, Maker] = {
            "define_calendar": calendars.define,
            "amend_calendar": calendars.amend,
            **desk.makers(),
            **securities.makers(),
            **StripLoad(standing).makers(),
        }
        self._auctions: dict[str, Maker] = {}
        if auctions:
            self._auctions = {
                "define_calendar": calendars.define,
                "define_line": securities.define_line,
                "fix_rate": securities.fix_awaited,
                "register_participant": registry.register_participant,
                "open_account": registry.open_account,
                **desk.makers(),
            }

    def draw(self, chance: random.Random, number: int) -> Draft:
        """Return what the client of this number wants next."""
        operations: list[Record] = []
        for _ in range(chance.choice((1, 1, 1, 1, 1, 2, 3))):
            operations += self._some(chance, number)
        if chance.random() < SPOILED:
            place = chance.randrange(len(operations))
            operations[place] = self._spoiled(operations[place], chance)
        signers = self._standing.signers_of(operations)
        if chance.random() < SPOILED / 4:
            signers = signers[1:]
        elif chance.random() < SPOILED / 4:
            signers = (*signers, "stranger")
        return Draft(operations=tuple(operations), signers=signers or ("stranger",))

    def one_unit(self) -> Draft:
        """Return what can always be applied: one new unit of cash for the first account."""
        return self._ordered(
            self._standing.governed(
                Issue, "issue", "cash", asset=CASH, amount=1, to=address_of(BANK, "a0")
            )
        )

    # What operators order.

    def upgrade(self, height: int) -> Draft:
        """Return the order to let the next version's rules rule from a height on."""
        return self._ordered(self._governance.upgrade(height))

    def rotation(self, name: str, *, public_key: bytes, tls_certificate: bytes) -> Draft:
        """Return the order to give a validator another key."""
        return self._ordered(
            self._governance.rotation(name, public_key=public_key, tls_certificate=tls_certificate)
        )

    def removal(self, name: str) -> Draft:
        """Return the order to take a validator out of the set."""
        return self._ordered(self._governance.removal(name))

    def addition(self, record: ValidatorRecord) -> Draft:
        """Return the order to put a validator into the set."""
        return self._ordered(self._governance.addition(record))

    def _ordered(self, operation: Record) -> Draft:
        return Draft(operations=(operation,), signers=self._standing.signers_of([operation]))

    # One draft.

    def _some(self, chance: random.Random, number: int) -> Sequence[Record]:
        if chance.random() < 0.4:
            return [self._transfer(chance, number)]
        makers = self._makers
        ruling = self._standing.model.rows(PROTOCOL).get(PROTOCOL_KEY)
        if ruling is not None and ruling.version >= DEBT_DESK:
            makers = self._auctions or {**makers, **self._debt_desk}
        try:
            if self._issue_widely is not None and chance.random() < WIDELY:
                return self._issue_widely(chance)
            if self._going_on and chance.random() < WIDELY:
                return chance.choice(self._going_on)(chance)
            return makers[chance.choice(list(makers))](chance)
        except Impossible:
            return [self._transfer(chance, number)]

    def _transfer(self, chance: random.Random, number: int) -> Record:
        other = (number + chance.randrange(1, ACCOUNTS_COUNT)) % ACCOUNTS_COUNT
        return Transfer(
            account=address_of(BANK, f"a{number}"),
            to=address_of(BANK, f"a{other}"),
            asset=CASH,
            amount=chance.choice((1, 10, 100, FUNDS)),
        )

    def _delivery_versus_payment(self, chance: random.Random) -> Sequence[Record]:
        seller, asset, available = self._standing.holding(chance)
        buyer = address_of(BANK, f"a{chance.randrange(ACCOUNTS_COUNT)}")
        amount = self._standing.part(chance, available)
        return [
            Transfer(account=seller, to=buyer, asset=asset, amount=amount),
            Transfer(account=buyer, to=seller, asset=CASH, amount=1),
        ]

    # What is wrong with it.

    def _spoiled(self, operation: Record, chance: random.Random) -> Record:
        # What an account may do to itself alone is not done to an institution's: without one its
        # office could act no more, and a run could not end with a fresh unit of cash.
        alone = isinstance(operation, CloseAccount | SetAccountPolicy)
        nobody = address_of(BANK, "nobody")
        another = nobody if alone else self._standing.any_account(chance)
        wrong: Mapping[str, tuple[object, ...]] = {
            "approvers": ((),),
            "account": (nobody, another),
            "amount": (0, -1, 1 << 62, 7 * FUNDS),
            "asset": ("NOPE", CASH),
            "to": (nobody, getattr(operation, "account", b"")),
            "holder": (nobody,),
            "target": (nobody,),
            "participant": ("nobody", "central-bank"),
            "owner": ("nobody",),
            "lei": ("PK",),
            "jurisdiction": ("pk",),
            "office": ("No Name",),
            "reason": ("", "a\u202eb"),
            "expires_ms": (1, self._standing.now_ms() + 400 * MS_PER_DAY * 365),
            "proposal": (bytes(32),),
            "hold": (bytes(32),),
            "operations": (b"\x90", b"\xff"),
            "parameter": ("no-such",),
            "value": (-(1 << 40),),
            "operation": ("no-such",),
            "ceiling": (0, 10_001),
            "decimals": (8,),
            "calendar": ("nowhere",),
            "withdrawn": ((1,),),
            "version": (7,),
            "height": (1,),
            "auction": ("no-such",),
            "number": (99,),
            "face": (0, -1, 7),
            "price_e4": (1,),
            "cut_off_e4": (1,),
        }
        fields = [name for name in wrong if hasattr(operation, name)]
        field = chance.choice(fields)
        return replace(operation, **{field: chance.choice(wrong[field])})
