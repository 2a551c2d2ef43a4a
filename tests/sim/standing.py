"""What there is on the ledger to ask something of, and who stands behind it: all that the makers of
a load draw from. Everybody's keys are here.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from node.codec import Record
from node.ledger.identifiers import ADDRESS_SIZE, is_isin, is_lei
from node.ledger.powers import ANY, OFFICE_HOLDER, REFERENCE_OFFICES
from node.ledger.tables import (
    ACCOUNTS,
    HOLDINGS,
    OFFICES,
    PARTICIPANTS,
    POWERS,
    AccountRecord,
    AccountStatus,
    Activity,
    HoldingRecord,
    ParticipantKind,
    ParticipantStatus,
    name_key,
    power_key,
)
from tests.chain.town import BANK, address_of, key
from tests.sim.model import Model, split_key

ACCOUNTS_COUNT: Final = 8
"""Accounts of clients, `a0` and so on, all of one bank."""
FREE_ACCOUNTS: Final = 4
"""The first so many of them are never held, suspended or closed."""
ACTIVITIES: Final = (Activity.EXCHANGE, Activity.CUSTODY)
WHY: Final = {"reason": "an order", "legal_reference": "simulation 1"}

T = TypeVar("T")
Maker: TypeAlias = Callable[[random.Random], Sequence[Record]]
"""Draws the operations of one act."""


class Impossible(Exception):
    """The ledger holds nothing that this operation could be about."""


class Standing:
    """The ledger as it is at every moment, with the eyes of those who ask something of it."""

    def __init__(self, model: Model, now_ms: Callable[[], int]) -> None:
        """Take the ledger.

        Args:
            now_ms: the true time.
        """
        self.model = model
        self.now_ms = now_ms
        self.made = 0
        """How many names were made up."""
        names = [f"{letter}{n}" for letter in "abc" for n in range(ACCOUNTS_COUNT)]
        self._names = {key(name).public_key: name for name in (*REFERENCE_OFFICES, *names)}

    # Who signs.

    def signers_of(self, operations: Sequence[Record]) -> tuple[str, ...]:
        """Return all who sign for the accounts that act in these."""
        signers: dict[str, None] = {}
        accounts = self.model.rows(ACCOUNTS)
        for operation in operations:
            for address in _acting(operation):
                account = accounts.get(address)
                if account is not None:
                    known = (self._names.get(public) for public, _ in account.policy.signers)
                    signers.update((name, None) for name in known if name is not None)
        return tuple(signers)

    def key_of(self, name: str) -> bytes:
        public_key = key(name).public_key
        self._names[public_key] = name
        return public_key

    # What there is.

    def fresh(self, prefix: str) -> str:
        self.made += 1
        return f"{prefix}{self.made}"

    def fresh_isin(self) -> str:
        """Return an ISIN that nobody has."""
        self.made += 1
        return isin_of(self.made)

    def _usable(self, account: AccountRecord) -> bool:
        owner = self.model.rows(PARTICIPANTS).get(name_key(account.owner))
        return (
            account.status is AccountStatus.OPEN
            and account.hold is None
            and owner is not None
            and owner.status is ParticipantStatus.ACTIVE
        )

    def accounts(self, accept: Callable[[bytes, AccountRecord], bool]) -> list[bytes]:
        rows = self.model.rows(ACCOUNTS)
        return [address for address, account in rows.items() if accept(address, account)]

    def account_of(self, participant: str) -> bytes | None:
        found = self.accounts(lambda _, a: a.owner == participant and self._usable(a))
        return found[0] if found else None

    def any_account(self, chance: random.Random) -> bytes:
        return one(chance, self.accounts(lambda _, a: a.status is AccountStatus.OPEN))

    def expendable(self, chance: random.Random) -> bytes:
        """Return an account whose loss the load survives."""
        keep = {address_of(BANK, f"a{n}") for n in range(FREE_ACCOUNTS)}
        return one(
            chance,
            self.accounts(
                lambda address, a: (
                    address not in keep
                    and a.status is AccountStatus.OPEN
                    and not self.has_office(a.owner)
                )
            ),
        )

    def has_office(self, participant: str) -> bool:
        record = self.model.rows(PARTICIPANTS).get(name_key(participant))
        return record is not None and record.office is not None

    def participants(self, *kinds: ParticipantKind) -> list[str]:
        """Return those that hold no office and are not the clients' bank."""
        return [
            name.decode()
            for name, record in self.model.rows(PARTICIPANTS).items()
            if record.office is None and name != name_key(BANK) and record.kind in kinds
        ]

    def subject(self, address: bytes) -> str:
        owner = self.model.rows(ACCOUNTS)[address].owner
        return self.subject_of(owner)

    def subject_of(self, participant: str) -> str:
        record = self.model.rows(PARTICIPANTS)[name_key(participant)]
        return record.kind.value if record.office is None else OFFICE_HOLDER

    def holdings(self) -> Mapping[bytes, HoldingRecord]:
        """Return what accounts hold: what is being paid out stands at an address that is none's."""
        accounts = self.model.rows(ACCOUNTS)
        rows = self.model.rows(HOLDINGS)
        return {key: record for key, record in rows.items() if key[:ADDRESS_SIZE] in accounts}

    def holding(self, chance: random.Random) -> tuple[bytes, str, int]:
        """Return an address, an asset, and how much of it is available there."""
        rows = self.holdings()
        found = one(chance, [name for name, record in rows.items() if record.available])
        return *split_key(found), rows[found].available

    def part(self, chance: random.Random, whole: int) -> int:
        return chance.choice((1, max(1, whole // 3), whole, whole + 1))

    # Who stands behind it.

    def governed(
        self, make: Callable[..., Record], act: str, concerned: str, /, **fields: Any
    ) -> Record:
        """Return the operation with the offices behind it that the matrix asks for."""
        powers = self.model.rows(POWERS)
        power = powers.get(power_key(act, concerned))
        if power is None and concerned != OFFICE_HOLDER:
            power = powers.get(power_key(act, ANY))
        offices = REFERENCE_OFFICES[:1] if power is None else power.offices
        needed = 1 if power is None else power.required
        behind = [address for office in offices if (address := self.office(office)) is not None]
        if not behind:
            raise Impossible
        account, *approvers = behind[: max(needed, 1)]
        return make(account=account, approvers=tuple(approvers), **fields)

    def office(self, office: str) -> bytes | None:
        holder = self.model.rows(OFFICES).get(name_key(office))
        return None if holder is None else self.account_of(holder.participant)

    def any_office(self, chance: random.Random) -> bytes:
        return one(
            chance, [found for office in REFERENCE_OFFICES if (found := self.office(office))]
        )


def _acting(operation: Record) -> tuple[bytes, ...]:
    account: bytes = getattr(operation, "account", b"")
    approvers: tuple[bytes, ...] = getattr(operation, "approvers", ())
    payer: bytes = getattr(operation, "cash_account", account)
    return (account, *approvers, payer)


def one(chance: random.Random, found: Sequence[T]) -> T:
    """Return one of what was found.

    Raises:
        Impossible: nothing was.
    """
    if not found:
        raise Impossible
    return chance.choice(found)


def isin_of(number: int) -> str:
    """Return an ISIN with the right check digit."""
    return next(text for d in range(10) if is_isin(text := f"PK{number:09d}{d}"))


def lei_of(number: int) -> str:
    """Return a legal entity identifier with the right check digits."""
    return next(text for d in range(100) if is_lei(text := f"{number:018d}{d:02d}"))
