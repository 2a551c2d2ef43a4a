"""What the load asks of the registry: participants, offices, licences and accounts."""

import hashlib
import random
from collections.abc import Sequence
from typing import Any, Final

from node.codec import Record
from node.ledger.acts.registry.close_account import CloseAccount
from node.ledger.acts.registry.grant_licence import GrantLicence
from node.ledger.acts.registry.grant_office import GrantOffice
from node.ledger.acts.registry.hold_account import HoldAccount
from node.ledger.acts.registry.identify_person import IdentifyPerson
from node.ledger.acts.registry.open_account import OpenAccount
from node.ledger.acts.registry.register_participant import RegisterParticipant
from node.ledger.acts.registry.release_account import ReleaseAccount
from node.ledger.acts.registry.revoke_licence import RevokeLicence
from node.ledger.acts.registry.set_account_policy import SetAccountPolicy
from node.ledger.acts.registry.update_participant_status import UpdateParticipantStatus
from node.ledger.policies import AccountPolicy, single_signer
from node.ledger.powers import ANY, CRYPTO_COUNCIL
from node.ledger.protocol import DEBT_DESK
from node.ledger.tables import (
    CONSENSUS_KEYS,
    HOLDINGS,
    IDENTITIES,
    LICENCES,
    PARTICIPANTS,
    PROTOCOL,
    PROTOCOL_KEY,
    Activity,
    LicencePhase,
    ParticipantKind,
    ParticipantStatus,
    name_key,
)
from tests.chain.town import BANK, address_of
from tests.sim.standing import (
    ACCOUNTS_COUNT,
    ACTIVITIES,
    WHY,
    Impossible,
    Maker,
    Standing,
    lei_of,
    one,
)

TWICE: Final = 5
"""One in so many persons is registered a second time, and of one in so many nobody says who it is.
"""


class RegistryLoad:
    """Draws what the registry is about."""

    def __init__(self, standing: Standing, *, bad: bool = False) -> None:
        """Take the ledger as it is at every moment.

        Args:
            bad: of those of whom it is said who they are, all but the first are there already.
        """
        self._standing = standing
        self._bad = bad

    def makers(self) -> dict[str, Maker]:
        """Return what draws each act, by the act's name."""
        return {
            "register_participant": self.register_participant,
            "update_participant_status": self.update_participant_status,
            "grant_office": self.grant_office,
            "grant_licence": self.grant_licence,
            "revoke_licence": self.revoke_licence,
            "open_account": self.open_account,
            "set_account_policy": self.set_account_policy,
            "hold_account": self.hold_account,
            "release_account": self.release_account,
            "close_account": self.close_account,
        }

    def register_participant(self, chance: random.Random) -> Sequence[Record]:
        kind = chance.choice(
            (ParticipantKind.BANK, ParticipantKind.COMPANY, ParticipantKind.PERSON)
        )
        name = self._standing.fresh("p")
        lei = None
        if kind is not ParticipantKind.PERSON and chance.random() < 0.3:
            lei = lei_of(self._standing.made)
        fields: dict[str, Any] = {
            "participant": name,
            "kind": kind,
            "jurisdiction": "PK",
            "lei": lei,
            "file_commitment": bytes(32),
        }
        if kind is ParticipantKind.PERSON and chance.random() < 0.5:
            licensee = self._licensee(chance)
            return [
                RegisterParticipant(account=licensee, approvers=(), **fields),
                *self._identified(name, licensee),
            ]
        return [
            self._standing.governed(
                RegisterParticipant, "register_participant", kind.value, **fields
            ),
            *(self._identified(name, None) if kind is ParticipantKind.PERSON else ()),
        ]

    def _identified(self, name: str, licensee: bytes | None) -> Sequence[Record]:
        """Say who a new person is; some are there already, and of some nobody says it."""
        ruling = self._standing.model.rows(PROTOCOL).get(PROTOCOL_KEY)
        if ruling is None or ruling.version < DEBT_DESK:
            return []
        number = self._standing.made
        known = sorted(self._standing.model.rows(IDENTITIES).items())
        if number % TWICE == 1:
            return []
        if known and (self._bad or number % TWICE == 0):
            token = known[0][1].token
        else:
            token = hashlib.sha256(name.encode()).digest()
        fields: dict[str, Any] = {"participant": name, "token": token}
        if licensee is not None:
            return [IdentifyPerson(account=licensee, approvers=(), **fields)]
        return [
            self._standing.governed(
                IdentifyPerson, "identify_person", ParticipantKind.PERSON.value, **fields
            )
        ]

    def _licensee(self, chance: random.Random) -> bytes:
        licensed = [
            address
            for name, licence in self._standing.model.rows(LICENCES).items()
            if not licence.revoked
            and (address := self._standing.account_of(name.partition(b"/")[0].decode())) is not None
        ]
        return one(chance, licensed)

    def update_participant_status(self, chance: random.Random) -> Sequence[Record]:
        # None for whom a validator stands or stood: it may have to come back.
        kinds = (ParticipantKind.BANK, ParticipantKind.COMPANY, ParticipantKind.PERSON)
        standing = {
            record.validator for record in self._standing.model.rows(CONSENSUS_KEYS).values()
        }
        free = [each for each in self._standing.participants(*kinds) if each not in standing]
        participant = one(chance, free)
        record = self._standing.model.rows(PARTICIPANTS)[name_key(participant)]
        active = record.status is ParticipantStatus.ACTIVE
        return [
            self._standing.governed(
                UpdateParticipantStatus,
                "update_participant_status",
                self._standing.subject_of(participant),
                participant=participant,
                status=ParticipantStatus.SUSPENDED if active else ParticipantStatus.ACTIVE,
                **WHY,
            )
        ]

    def grant_office(self, chance: random.Random) -> Sequence[Record]:
        heirs = [
            name
            for name in self._standing.participants(
                ParticipantKind.COMPANY, ParticipantKind.INSTITUTION
            )
            if self._standing.account_of(name) is not None
        ]
        return [
            self._standing.governed(
                GrantOffice,
                "grant_office",
                ANY,
                participant=one(chance, heirs),
                office=CRYPTO_COUNCIL,
            )
        ]

    def grant_licence(self, chance: random.Random) -> Sequence[Record]:
        kinds = (ParticipantKind.COMPANY, ParticipantKind.BANK)
        activity = chance.choice(ACTIVITIES)
        ends = chance.choice((None, self._standing.now_ms() + chance.randrange(1_000, 60_000)))
        return [
            self._standing.governed(
                GrantLicence,
                "grant_licence",
                activity.value,
                participant=one(chance, self._standing.participants(*kinds)),
                activity=activity,
                phase=chance.choice(list(LicencePhase)),
                expires_ms=ends,
            )
        ]

    def revoke_licence(self, chance: random.Random) -> Sequence[Record]:
        rows = self._standing.model.rows(LICENCES)
        found = one(chance, [name for name, licence in rows.items() if not licence.revoked])
        participant, _, activity = found.decode().partition("/")
        return [
            self._standing.governed(
                RevokeLicence,
                "revoke_licence",
                activity,
                participant=participant,
                activity=Activity(activity),
                **WHY,
            )
        ]

    def open_account(self, chance: random.Random) -> Sequence[Record]:
        owner = one(chance, [*self._standing.participants(*ParticipantKind), BANK])
        name = self._standing.fresh("t")
        policy = single_signer(self._standing.key_of(name))
        fields: dict[str, Any] = {"owner": owner, "policy": policy, "salt": name.encode().ljust(8)}
        registrar = self._standing.model.rows(PARTICIPANTS)[name_key(owner)].registrar
        if (
            not self._standing.has_office(registrar)
            and (account := self._standing.account_of(registrar)) is not None
        ):
            return [OpenAccount(account=account, approvers=(), **fields)]
        return [
            self._standing.governed(
                OpenAccount, "open_account", self._standing.subject_of(owner), **fields
            )
        ]

    def set_account_policy(self, chance: random.Random) -> Sequence[Record]:
        number = chance.randrange(ACCOUNTS_COUNT)
        keys = sorted(self._standing.key_of(f"{letter}{number}") for letter in "abc")
        if chance.random() < 0.5:
            policy = AccountPolicy(signers=tuple((each, 1) for each in keys), thresholds=(2, 2, 2))
        else:
            policy = single_signer(chance.choice(keys))
        return [SetAccountPolicy(account=address_of(BANK, f"a{number}"), policy=policy)]

    def hold_account(self, chance: random.Random) -> Sequence[Record]:
        target = self._standing.expendable(chance)
        subject = self._standing.subject(target)
        return [self._standing.governed(HoldAccount, "hold_account", subject, target=target, **WHY)]

    def release_account(self, chance: random.Random) -> Sequence[Record]:
        target = one(chance, self._standing.accounts(lambda _, a: a.hold is not None))
        subject = self._standing.subject(target)
        return [self._standing.governed(ReleaseAccount, "release_account", subject, target=target)]

    def close_account(self, chance: random.Random) -> Sequence[Record]:
        first = {address_of(BANK, f"a{n}") for n in range(ACCOUNTS_COUNT)}
        full = {name[:20] for name in self._standing.model.rows(HOLDINGS)}
        account = self._standing.expendable(chance)
        if account in first or (account in full and chance.random() < 0.8):
            raise Impossible
        return [CloseAccount(account=account)]
