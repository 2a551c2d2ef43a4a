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
from typing import Any, Final, TypeVar

from node.codec import Record, encode, replace
from node.ledger.acts.assets.define_asset import DefineAsset
from node.ledger.acts.assets.forced_transfer import ForcedTransfer
from node.ledger.acts.assets.issue import Issue
from node.ledger.acts.assets.place_hold import PlaceHold
from node.ledger.acts.assets.redeem import Redeem
from node.ledger.acts.assets.release_hold import ReleaseHold
from node.ledger.acts.assets.transfer import Transfer
from node.ledger.acts.governance.add_validator import AddValidator
from node.ledger.acts.governance.approve import Approve
from node.ledger.acts.governance.cancel_upgrade import CancelUpgrade
from node.ledger.acts.governance.propose import Propose
from node.ledger.acts.governance.remove_validator import RemoveValidator
from node.ledger.acts.governance.rotate_validator_key import RotateValidatorKey
from node.ledger.acts.governance.schedule_upgrade import ScheduleUpgrade
from node.ledger.acts.governance.set_parameter import SetParameter
from node.ledger.acts.governance.set_powers import SetPowers
from node.ledger.acts.governance.withdraw import Withdraw
from node.ledger.acts.registry.close_account import CloseAccount
from node.ledger.acts.registry.grant_licence import GrantLicence
from node.ledger.acts.registry.grant_office import GrantOffice
from node.ledger.acts.registry.hold_account import HoldAccount
from node.ledger.acts.registry.open_account import OpenAccount
from node.ledger.acts.registry.register_participant import RegisterParticipant
from node.ledger.acts.registry.release_account import ReleaseAccount
from node.ledger.acts.registry.revoke_licence import RevokeLicence
from node.ledger.acts.registry.set_account_policy import SetAccountPolicy
from node.ledger.acts.registry.update_participant_status import UpdateParticipantStatus
from node.ledger.identifiers import ADDRESS_SIZE, is_isin, is_lei
from node.ledger.policies import AccountPolicy, single_signer
from node.ledger.powers import (
    ANY,
    CRYPTO_COUNCIL,
    FINANCE_MINISTRY,
    OFFICE_HOLDER,
    REFERENCE_OFFICES,
    PowerRecord,
)
from node.ledger.protocol import DEBT_DESK, LATEST_VERSION
from node.ledger.tables import (
    ACCOUNTS,
    ASSETS,
    CONSENSUS_KEYS,
    HOLDINGS,
    HOLDS,
    LICENCES,
    OFFICES,
    PARTICIPANTS,
    POWERS,
    PROPOSALS,
    PROTOCOL,
    PROTOCOL_KEY,
    AccountRecord,
    AccountStatus,
    Activity,
    AssetIdentifiers,
    HoldingRecord,
    LicencePhase,
    ParticipantKind,
    ParticipantStatus,
    ValidatorRecord,
    name_key,
    power_key,
)
from node.ledger.terms import BillTerms, kind_of
from node.ledger.units import MS_PER_DAY, MS_PER_HOUR
from tests.chain.town import BANK, CASH, address_of, key
from tests.sim.auctions import AuctionLoad, Impossible
from tests.sim.calendars import CalendarLoad
from tests.sim.model import Model, split_key
from tests.sim.securities import SecurityLoad
from tests.sim.strips import StripLoad

ACCOUNTS_COUNT: Final = 8
"""Accounts of clients, `a0` and so on, all of one bank."""
FREE_ACCOUNTS: Final = 4
"""The first so many of them are never held, suspended or closed."""
FUNDS: Final = 1_000
"""Of each account: little, so that transfers meet empty accounts."""
SPOILED: Final = 1 / 8
WIDELY: Final = 1 / 4
"""How much of what is not a transfer gives securities holders, where days pass; and so much of the
rest is what happens to them then."""

_ACTIVITIES: Final = (Activity.EXCHANGE, Activity.CUSTODY)
_SAFE_PARAMETERS: Final = {
    "accounts-max-no-objection": (0, 5),
    "accounts-max-provisional": (5, 100),
    "accounts-max-full": (100, 1_000),
    "hold-lifetime-max-ms": (MS_PER_HOUR, 100 * MS_PER_HOUR),
    "proposal-lifetime-max-ms": (MS_PER_HOUR, 100 * MS_PER_HOUR),
    "proposals-open-max": (8, 100),
    "utc-offset-minutes": (-720, 840),
}

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a client is about to sign."""

    operations: tuple[Record, ...]
    signers: tuple[str, ...]
    """Names of keys."""


class Load:
    """Draws drafts. Everybody's keys are here."""

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
        self._model = model
        self._now_ms = now_ms
        self._made = 0
        names = [f"{letter}{n}" for letter in "abc" for n in range(ACCOUNTS_COUNT)]
        self._names = {key(name).public_key: name for name in (*REFERENCE_OFFICES, *names)}
        self._makers: dict[str, Callable[[random.Random], Sequence[Record]]] = {
            "register_participant": self._register_participant,
            "update_participant_status": self._update_participant_status,
            "grant_office": self._grant_office,
            "grant_licence": self._grant_licence,
            "revoke_licence": self._revoke_licence,
            "open_account": self._open_account,
            "set_account_policy": self._set_account_policy,
            "hold_account": self._hold_account,
            "release_account": self._release_account,
            "close_account": self._close_account,
            "define_asset": self._define_asset,
            "issue": self._issue,
            "place_hold": self._place_hold,
            "release_hold": self._release_hold,
            "forced_transfer": self._forced_transfer,
            "redeem": self._redeem,
            "propose": self._propose,
            "approve": self._approve,
            "withdraw": self._withdraw,
            "set_parameter": self._set_parameter,
            "set_powers": self._set_powers,
            "schedule_upgrade": self._schedule_upgrade,
            "cancel_upgrade": self._cancel_upgrade,
            "delivery_versus_payment": self._delivery_versus_payment,
        }
        calendars = CalendarLoad(model, now_ms, self._governed)
        desk = AuctionLoad(
            model,
            now_ms=now_ms,
            governed=self._governed,
            account_of=self._account_of,
            people=self._participants,
            busy=auctions,
            bad=bad,
        )
        securities = SecurityLoad(self, Impossible, bad=days and bad)
        self._issue_widely = securities.issue_widely if days else None
        self._going_on = (
            (*securities.going_on(), calendars.correct, calendars.correct) if days and bad else ()
        )
        self._debt_desk: dict[str, Callable[[random.Random], Sequence[Record]]] = {
            "define_calendar": calendars.define,
            "amend_calendar": calendars.amend,
            **desk.makers(),
            **securities.makers(),
            **StripLoad(self, Impossible).makers(),
        }
        self._auctions: dict[str, Callable[[random.Random], Sequence[Record]]] = {}
        if auctions:
            self._auctions = {
                "define_calendar": calendars.define,
                "define_line": securities.define_line,
                "fix_rate": securities.fix_awaited,
                "register_participant": self._register_participant,
                "open_account": self._open_account,
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
        signers = self.signers_of(operations)
        if chance.random() < SPOILED / 4:
            signers = signers[1:]
        elif chance.random() < SPOILED / 4:
            signers = (*signers, "stranger")
        return Draft(operations=tuple(operations), signers=signers or ("stranger",))

    def one_unit(self) -> Draft:
        """Return what can always be applied: one new unit of cash for the first account."""
        operation = self._governed(
            Issue, "issue", "cash", asset=CASH, amount=1, to=address_of(BANK, "a0")
        )
        return Draft(operations=(operation,), signers=self.signers_of([operation]))

    # What operators order.

    def upgrade(self, height: int) -> Draft:
        """Return the order to let the next version's rules rule from a height on."""
        ruling = self._model.rows(PROTOCOL).get(PROTOCOL_KEY)
        version = 2 if ruling is None else ruling.version + 1
        operation = self._governed(
            ScheduleUpgrade, "schedule_upgrade", ANY, version=version, height=height
        )
        return Draft(operations=(operation,), signers=self.signers_of([operation]))

    def rotation(self, name: str, *, public_key: bytes, tls_certificate: bytes) -> Draft:
        """Return the order to give a validator another key."""
        operation = self._governed(
            RotateValidatorKey,
            "rotate_validator_key",
            ANY,
            name=name,
            public_key=public_key,
            tls_certificate=tls_certificate,
        )
        return Draft(operations=(operation,), signers=self.signers_of([operation]))

    def removal(self, name: str) -> Draft:
        """Return the order to take a validator out of the set."""
        operation = self._governed(RemoveValidator, "remove_validator", ANY, name=name)
        return Draft(operations=(operation,), signers=self.signers_of([operation]))

    def addition(self, record: ValidatorRecord) -> Draft:
        """Return the order to put a validator into the set."""
        operation = self._governed(
            AddValidator,
            "add_validator",
            ANY,
            name=record.name,
            participant=record.participant,
            public_key=record.public_key,
            tls_certificate=record.tls_certificate,
        )
        return Draft(operations=(operation,), signers=self.signers_of([operation]))

    # Who signs.

    def signers_of(self, operations: Sequence[Record]) -> tuple[str, ...]:
        """Return all who sign for the accounts that act in these."""
        signers: dict[str, None] = {}
        accounts = self._model.rows(ACCOUNTS)
        for operation in operations:
            for address in _acting(operation):
                account = accounts.get(address)
                if account is not None:
                    known = (self._names.get(public) for public, _ in account.policy.signers)
                    signers.update((name, None) for name in known if name is not None)
        return tuple(signers)

    def _key(self, name: str) -> bytes:
        public_key = key(name).public_key
        self._names[public_key] = name
        return public_key

    # What there is.

    def _fresh(self, prefix: str) -> str:
        self._made += 1
        return f"{prefix}{self._made}"

    def fresh_isin(self) -> str:
        """Return an ISIN that nobody has."""
        self._made += 1
        return isin_of(self._made)

    def _usable(self, account: AccountRecord) -> bool:
        owner = self._model.rows(PARTICIPANTS).get(name_key(account.owner))
        return (
            account.status is AccountStatus.OPEN
            and account.hold is None
            and owner is not None
            and owner.status is ParticipantStatus.ACTIVE
        )

    def _accounts(self, accept: Callable[[bytes, AccountRecord], bool]) -> list[bytes]:
        rows = self._model.rows(ACCOUNTS)
        return [address for address, account in rows.items() if accept(address, account)]

    def _account_of(self, participant: str) -> bytes | None:
        found = self._accounts(lambda _, a: a.owner == participant and self._usable(a))
        return found[0] if found else None

    def _any_account(self, chance: random.Random) -> bytes:
        return _one(chance, self._accounts(lambda _, a: a.status is AccountStatus.OPEN))

    def _expendable(self, chance: random.Random) -> bytes:
        """Return an account whose loss the load survives."""
        keep = {address_of(BANK, f"a{n}") for n in range(FREE_ACCOUNTS)}
        return _one(
            chance,
            self._accounts(
                lambda address, a: (
                    address not in keep
                    and a.status is AccountStatus.OPEN
                    and not self._has_office(a.owner)
                )
            ),
        )

    def _has_office(self, participant: str) -> bool:
        record = self._model.rows(PARTICIPANTS).get(name_key(participant))
        return record is not None and record.office is not None

    def _participants(self, *kinds: ParticipantKind) -> list[str]:
        """Return those that hold no office and are not the clients' bank."""
        return [
            name.decode()
            for name, record in self._model.rows(PARTICIPANTS).items()
            if record.office is None and name != name_key(BANK) and record.kind in kinds
        ]

    def _subject(self, address: bytes) -> str:
        owner = self._model.rows(ACCOUNTS)[address].owner
        return self._subject_of(owner)

    def _subject_of(self, participant: str) -> str:
        record = self._model.rows(PARTICIPANTS)[name_key(participant)]
        return record.kind.value if record.office is None else OFFICE_HOLDER

    def holdings(self) -> Mapping[bytes, HoldingRecord]:
        """Return what accounts hold: what is being paid out stands at an address that is none's."""
        accounts = self._model.rows(ACCOUNTS)
        rows = self._model.rows(HOLDINGS)
        return {key: record for key, record in rows.items() if key[:ADDRESS_SIZE] in accounts}

    def _holding(self, chance: random.Random) -> tuple[bytes, str, int]:
        """Return an address, an asset, and how much of it is available there."""
        rows = self.holdings()
        found = _one(chance, [name for name, record in rows.items() if record.available])
        return *split_key(found), rows[found].available

    def _part(self, chance: random.Random, whole: int) -> int:
        return chance.choice((1, max(1, whole // 3), whole, whole + 1))

    # Who stands behind it.

    def _governed(
        self, make: Callable[..., Record], act: str, concerned: str, /, **fields: Any
    ) -> Record:
        """Return the operation with the offices behind it that the matrix asks for."""
        powers = self._model.rows(POWERS)
        power = powers.get(power_key(act, concerned))
        if power is None and concerned != OFFICE_HOLDER:
            power = powers.get(power_key(act, ANY))
        offices = REFERENCE_OFFICES[:1] if power is None else power.offices
        needed = 1 if power is None else power.required
        behind = [address for office in offices if (address := self._office(office)) is not None]
        if not behind:
            raise Impossible
        account, *approvers = behind[: max(needed, 1)]
        return make(account=account, approvers=tuple(approvers), **fields)

    def _office(self, office: str) -> bytes | None:
        holder = self._model.rows(OFFICES).get(name_key(office))
        return None if holder is None else self._account_of(holder.participant)

    def _any_office(self, chance: random.Random) -> bytes:
        return _one(
            chance, [found for office in REFERENCE_OFFICES if (found := self._office(office))]
        )

    # One maker an operation.

    def _some(self, chance: random.Random, number: int) -> Sequence[Record]:
        if chance.random() < 0.4:
            return [self._transfer(chance, number)]
        makers = self._makers
        ruling = self._model.rows(PROTOCOL).get(PROTOCOL_KEY)
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
        seller, asset, available = self._holding(chance)
        buyer = address_of(BANK, f"a{chance.randrange(ACCOUNTS_COUNT)}")
        amount = self._part(chance, available)
        return [
            Transfer(account=seller, to=buyer, asset=asset, amount=amount),
            Transfer(account=buyer, to=seller, asset=CASH, amount=1),
        ]

    def _register_participant(self, chance: random.Random) -> Sequence[Record]:
        kind = chance.choice(
            (ParticipantKind.BANK, ParticipantKind.COMPANY, ParticipantKind.PERSON)
        )
        name = self._fresh("p")
        lei = None
        if kind is not ParticipantKind.PERSON and chance.random() < 0.3:
            lei = lei_of(self._made)
        fields: dict[str, Any] = {
            "participant": name,
            "kind": kind,
            "jurisdiction": "PK",
            "lei": lei,
            "file_commitment": bytes(32),
        }
        if kind is ParticipantKind.PERSON and chance.random() < 0.5:
            licensee = self._licensee(chance)
            return [RegisterParticipant(account=licensee, approvers=(), **fields)]
        return [self._governed(RegisterParticipant, "register_participant", kind.value, **fields)]

    def _licensee(self, chance: random.Random) -> bytes:
        licensed = [
            address
            for name, licence in self._model.rows(LICENCES).items()
            if not licence.revoked
            and (address := self._account_of(name.partition(b"/")[0].decode())) is not None
        ]
        return _one(chance, licensed)

    def _update_participant_status(self, chance: random.Random) -> Sequence[Record]:
        # None for whom a validator stands or stood: it may have to come back.
        kinds = (ParticipantKind.BANK, ParticipantKind.COMPANY, ParticipantKind.PERSON)
        standing = {record.validator for record in self._model.rows(CONSENSUS_KEYS).values()}
        free = [each for each in self._participants(*kinds) if each not in standing]
        participant = _one(chance, free)
        record = self._model.rows(PARTICIPANTS)[name_key(participant)]
        active = record.status is ParticipantStatus.ACTIVE
        return [
            self._governed(
                UpdateParticipantStatus,
                "update_participant_status",
                self._subject_of(participant),
                participant=participant,
                status=ParticipantStatus.SUSPENDED if active else ParticipantStatus.ACTIVE,
                **_WHY,
            )
        ]

    def _grant_office(self, chance: random.Random) -> Sequence[Record]:
        heirs = [
            name
            for name in self._participants(ParticipantKind.COMPANY, ParticipantKind.INSTITUTION)
            if self._account_of(name) is not None
        ]
        return [
            self._governed(
                GrantOffice,
                "grant_office",
                ANY,
                participant=_one(chance, heirs),
                office=CRYPTO_COUNCIL,
            )
        ]

    def _grant_licence(self, chance: random.Random) -> Sequence[Record]:
        kinds = (ParticipantKind.COMPANY, ParticipantKind.BANK)
        activity = chance.choice(_ACTIVITIES)
        ends = chance.choice((None, self._now_ms() + chance.randrange(1_000, 60_000)))
        return [
            self._governed(
                GrantLicence,
                "grant_licence",
                activity.value,
                participant=_one(chance, self._participants(*kinds)),
                activity=activity,
                phase=chance.choice(list(LicencePhase)),
                expires_ms=ends,
            )
        ]

    def _revoke_licence(self, chance: random.Random) -> Sequence[Record]:
        rows = self._model.rows(LICENCES)
        found = _one(chance, [name for name, licence in rows.items() if not licence.revoked])
        participant, _, activity = found.decode().partition("/")
        return [
            self._governed(
                RevokeLicence,
                "revoke_licence",
                activity,
                participant=participant,
                activity=Activity(activity),
                **_WHY,
            )
        ]

    def _open_account(self, chance: random.Random) -> Sequence[Record]:
        owner = _one(chance, [*self._participants(*ParticipantKind), BANK])
        name = self._fresh("t")
        policy = single_signer(self._key(name))
        fields: dict[str, Any] = {"owner": owner, "policy": policy, "salt": name.encode().ljust(8)}
        registrar = self._model.rows(PARTICIPANTS)[name_key(owner)].registrar
        if not self._has_office(registrar) and (account := self._account_of(registrar)) is not None:
            return [OpenAccount(account=account, approvers=(), **fields)]
        return [self._governed(OpenAccount, "open_account", self._subject_of(owner), **fields)]

    def _set_account_policy(self, chance: random.Random) -> Sequence[Record]:
        number = chance.randrange(ACCOUNTS_COUNT)
        keys = sorted(self._key(f"{letter}{number}") for letter in "abc")
        if chance.random() < 0.5:
            policy = AccountPolicy(signers=tuple((each, 1) for each in keys), thresholds=(2, 2, 2))
        else:
            policy = single_signer(chance.choice(keys))
        return [SetAccountPolicy(account=address_of(BANK, f"a{number}"), policy=policy)]

    def _hold_account(self, chance: random.Random) -> Sequence[Record]:
        target = self._expendable(chance)
        subject = self._subject(target)
        return [self._governed(HoldAccount, "hold_account", subject, target=target, **_WHY)]

    def _release_account(self, chance: random.Random) -> Sequence[Record]:
        target = _one(chance, self._accounts(lambda _, a: a.hold is not None))
        subject = self._subject(target)
        return [self._governed(ReleaseAccount, "release_account", subject, target=target)]

    def _close_account(self, chance: random.Random) -> Sequence[Record]:
        first = {address_of(BANK, f"a{n}") for n in range(ACCOUNTS_COUNT)}
        full = {name[:20] for name in self._model.rows(HOLDINGS)}
        account = self._expendable(chance)
        if account in first or (account in full and chance.random() < 0.8):
            raise Impossible
        return [CloseAccount(account=account)]

    def _define_asset(self, chance: random.Random) -> Sequence[Record]:
        code = self._fresh("BILL-")
        today = self._now_ms() // MS_PER_DAY
        return [
            self._governed(
                DefineAsset,
                "define_asset",
                "bill",
                asset=code,
                name=f"Treasury bill {self._made}",
                issuer=FINANCE_MINISTRY,
                identifiers=AssetIdentifiers(isin=isin_of(self._made), currency="PKR", dti=None),
                terms=BillTerms(
                    issue_day=today - 100,
                    maturity_day=today + chance.choice((-10, -10, 90)),
                    face_currency="PKR",
                ),
                term_sheet_hash=bytes(32),
                decimals=2,
                multiple=chance.choice((1, 100)),
                ceiling=10_000,
                forced_transfer_allowed=chance.random() < 0.7,
            )
        ]

    def _issue(self, chance: random.Random) -> Sequence[Record]:
        asset, record = _one(chance, list(self._model.rows(ASSETS).items()))
        to = self._any_account(chance)
        if chance.random() < 0.5:
            to = self._account_of(record.issuer) or to
        return [
            self._governed(
                Issue,
                "issue",
                kind_of(record.terms).value,
                asset=asset.decode(),
                amount=record.multiple * chance.choice((1, 5, 20, 200)),
                to=to,
            )
        ]

    def _place_hold(self, chance: random.Random) -> Sequence[Record]:
        holder, asset, available = self._holding(chance)
        ends = chance.choice((None, self._now_ms() + chance.randrange(1_000, 20_000)))
        return [
            self._governed(
                PlaceHold,
                "place_hold",
                self._subject(holder),
                holder=holder,
                asset=asset,
                amount=self._part(chance, available),
                expires_ms=ends,
                **_WHY,
            )
        ]

    def _release_hold(self, chance: random.Random) -> Sequence[Record]:
        found = _one(chance, list(self._model.rows(HOLDS)))
        holder, hold = found[:20], found[20:]
        subject = self._subject(holder)
        return [self._governed(ReleaseHold, "release_hold", subject, holder=holder, hold=hold)]

    def _forced_transfer(self, chance: random.Random) -> Sequence[Record]:
        assets = self._model.rows(ASSETS)
        found = [
            name
            for name, record in self._model.rows(HOLDINGS).items()
            if record.available and assets[name[20:]].forced_transfer_allowed
        ]
        source, asset = split_key(_one(chance, found))
        available = self._model.rows(HOLDINGS)[source + asset.encode()].available
        return [
            self._governed(
                ForcedTransfer,
                "forced_transfer",
                "bill",
                source=source,
                to=self._any_account(chance),
                asset=asset,
                amount=self._part(chance, available),
                **_WHY,
            )
        ]

    def _redeem(self, chance: random.Random) -> Sequence[Record]:
        accounts, assets = self._model.rows(ACCOUNTS), self._model.rows(ASSETS)
        held = self.holdings()
        found = [
            name
            for name, record in held.items()
            if record.available and accounts[name[:20]].owner == assets[name[20:]].issuer
        ]
        holder, asset = split_key(_one(chance, found))
        record = assets[asset.encode()]
        return [
            self._governed(
                Redeem,
                "redeem",
                kind_of(record.terms).value,
                asset=asset,
                amount=self._part(chance, held[holder + asset.encode()].available),
                holder=holder,
            )
        ]

    def _propose(self, chance: random.Random) -> Sequence[Record]:
        proposer = self._any_office(chance)
        maker = chance.choice(
            (self._set_parameter, self._grant_licence, self._forced_transfer, self._issue)
        )
        operations = tuple(
            replace(operation, account=proposer, approvers=()) for operation in maker(chance)
        )
        return [
            Propose(
                account=proposer,
                operations=encode(operations),
                expires_ms=self._now_ms() + chance.randrange(2_000, 60_000),
            )
        ]

    def _approve(self, chance: random.Random) -> Sequence[Record]:
        proposal, record = _one(chance, list(self._model.rows(PROPOSALS).items()))
        offices = [found for office in REFERENCE_OFFICES if (found := self._office(office))]
        others = [address for address in offices if address not in record.approvals]
        return [Approve(account=_one(chance, others), proposal=proposal)]

    def _withdraw(self, chance: random.Random) -> Sequence[Record]:
        proposal, record = _one(chance, list(self._model.rows(PROPOSALS).items()))
        return [Withdraw(account=record.proposer, proposal=proposal)]

    def _set_parameter(self, chance: random.Random) -> Sequence[Record]:
        name = chance.choice(list(_SAFE_PARAMETERS))
        value = chance.randint(*_SAFE_PARAMETERS[name])
        return [self._governed(SetParameter, "set_parameter", ANY, parameter=name, value=value)]

    def _set_powers(self, chance: random.Random) -> Sequence[Record]:
        offices = tuple(sorted(chance.sample(REFERENCE_OFFICES, chance.randrange(1, 4))))
        power = PowerRecord(offices=offices, required=chance.randint(1, len(offices)), licences=())
        return [
            self._governed(
                SetPowers,
                "set_powers",
                ANY,
                operation=chance.choice(("grant_licence", "revoke_licence")),
                subject=chance.choice(_ACTIVITIES).value,
                power=power,
            )
        ]

    def _schedule_upgrade(self, chance: random.Random) -> Sequence[Record]:
        ruling = self._model.rows(PROTOCOL).get(PROTOCOL_KEY)
        if ruling is not None and (ruling.version == LATEST_VERSION or ruling.upgrade is not None):
            raise Impossible
        return self.upgrade(self._model.height + chance.randrange(0, 60)).operations

    def _cancel_upgrade(self, chance: random.Random) -> Sequence[Record]:
        ruling = self._model.rows(PROTOCOL).get(PROTOCOL_KEY)
        if ruling is None or ruling.upgrade is None or chance.random() < 0.5:
            raise Impossible
        return [
            self._governed(CancelUpgrade, "cancel_upgrade", ANY, version=ruling.upgrade.version)
        ]

    # What is wrong with it.

    def _spoiled(self, operation: Record, chance: random.Random) -> Record:
        # What an account may do to itself alone is not done to an institution's: without one its
        # office could act no more, and a run could not end with a fresh unit of cash.
        alone = isinstance(operation, CloseAccount | SetAccountPolicy)
        nobody = address_of(BANK, "nobody")
        another = nobody if alone else self._any_account(chance)
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
            "expires_ms": (1, self._now_ms() + 400 * MS_PER_DAY * 365),
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


_WHY: Final = {"reason": "an order", "legal_reference": "simulation 1"}


def _acting(operation: Record) -> tuple[bytes, ...]:
    account: bytes = getattr(operation, "account", b"")
    approvers: tuple[bytes, ...] = getattr(operation, "approvers", ())
    payer: bytes = getattr(operation, "cash_account", account)
    return (account, *approvers, payer)


def _one(chance: random.Random, found: Sequence[T]) -> T:
    if not found:
        raise Impossible
    return chance.choice(found)


def isin_of(number: int) -> str:
    """Return an ISIN with the right check digit."""
    return next(text for d in range(10) if is_isin(text := f"PK{number:09d}{d}"))


def lei_of(number: int) -> str:
    """Return a legal entity identifier with the right check digits."""
    return next(text for d in range(100) if is_lei(text := f"{number:018d}{d:02d}"))
