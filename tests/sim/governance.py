"""What the load asks of governance: proposals, parameters, powers, upgrades."""

import random
from collections.abc import Sequence
from typing import Final

from node.codec import Record, encode, replace
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
from node.ledger.powers import ANY, REFERENCE_OFFICES, PowerRecord
from node.ledger.protocol import LATEST_VERSION
from node.ledger.tables import PROPOSALS, PROTOCOL, PROTOCOL_KEY, ValidatorRecord
from node.ledger.units import MS_PER_HOUR
from tests.sim.standing import ACTIVITIES, Impossible, Maker, Standing, one

_SAFE_PARAMETERS: Final = {
    "accounts-max-no-objection": (0, 5),
    "accounts-max-provisional": (5, 100),
    "accounts-max-full": (100, 1_000),
    "hold-lifetime-max-ms": (MS_PER_HOUR, 100 * MS_PER_HOUR),
    "proposal-lifetime-max-ms": (MS_PER_HOUR, 100 * MS_PER_HOUR),
    "proposals-open-max": (8, 100),
    "utc-offset-minutes": (-720, 840),
}


class GovernanceLoad:
    """Draws what institutions decide together."""

    def __init__(self, standing: Standing, proposable: Sequence[Maker]) -> None:
        """Take the ledger that it is about.

        Args:
            proposable: what is proposed, besides parameters.
        """
        self._standing = standing
        self._proposable = proposable

    def makers(self) -> dict[str, Maker]:
        """Return what draws each act, by the act's name."""
        return {
            "propose": self.propose,
            "approve": self.approve,
            "withdraw": self.withdraw,
            "set_parameter": self.set_parameter,
            "set_powers": self.set_powers,
            "schedule_upgrade": self.schedule_upgrade,
            "cancel_upgrade": self.cancel_upgrade,
        }

    def propose(self, chance: random.Random) -> Sequence[Record]:
        proposer = self._standing.any_office(chance)
        maker = chance.choice((self.set_parameter, *self._proposable))
        operations = tuple(
            replace(operation, account=proposer, approvers=()) for operation in maker(chance)
        )
        return [
            Propose(
                account=proposer,
                operations=encode(operations),
                expires_ms=self._standing.now_ms() + chance.randrange(2_000, 60_000),
            )
        ]

    def approve(self, chance: random.Random) -> Sequence[Record]:
        proposal, record = one(chance, list(self._standing.model.rows(PROPOSALS).items()))
        offices = [
            found for office in REFERENCE_OFFICES if (found := self._standing.office(office))
        ]
        others = [address for address in offices if address not in record.approvals]
        return [Approve(account=one(chance, others), proposal=proposal)]

    def withdraw(self, chance: random.Random) -> Sequence[Record]:
        proposal, record = one(chance, list(self._standing.model.rows(PROPOSALS).items()))
        return [Withdraw(account=record.proposer, proposal=proposal)]

    def set_parameter(self, chance: random.Random) -> Sequence[Record]:
        name = chance.choice(list(_SAFE_PARAMETERS))
        value = chance.randint(*_SAFE_PARAMETERS[name])
        return [
            self._standing.governed(SetParameter, "set_parameter", ANY, parameter=name, value=value)
        ]

    def set_powers(self, chance: random.Random) -> Sequence[Record]:
        offices = tuple(sorted(chance.sample(REFERENCE_OFFICES, chance.randrange(1, 4))))
        power = PowerRecord(offices=offices, required=chance.randint(1, len(offices)), licences=())
        return [
            self._standing.governed(
                SetPowers,
                "set_powers",
                ANY,
                operation=chance.choice(("grant_licence", "revoke_licence")),
                subject=chance.choice(ACTIVITIES).value,
                power=power,
            )
        ]

    def schedule_upgrade(self, chance: random.Random) -> Sequence[Record]:
        ruling = self._standing.model.rows(PROTOCOL).get(PROTOCOL_KEY)
        if ruling is not None and (ruling.version == LATEST_VERSION or ruling.upgrade is not None):
            raise Impossible
        return [self.upgrade(self._standing.model.height + chance.randrange(0, 60))]

    def cancel_upgrade(self, chance: random.Random) -> Sequence[Record]:
        ruling = self._standing.model.rows(PROTOCOL).get(PROTOCOL_KEY)
        if ruling is None or ruling.upgrade is None or chance.random() < 0.5:
            raise Impossible
        return [
            self._standing.governed(
                CancelUpgrade, "cancel_upgrade", ANY, version=ruling.upgrade.version
            )
        ]

    # What operators order.

    def upgrade(self, height: int) -> Record:
        """Return the order to let the next version's rules rule from a height on."""
        ruling = self._standing.model.rows(PROTOCOL).get(PROTOCOL_KEY)
        version = 2 if ruling is None else ruling.version + 1
        return self._standing.governed(
            ScheduleUpgrade, "schedule_upgrade", ANY, version=version, height=height
        )

    def rotation(self, name: str, *, public_key: bytes, tls_certificate: bytes) -> Record:
        """Return the order to give a validator another key."""
        return self._standing.governed(
            RotateValidatorKey,
            "rotate_validator_key",
            ANY,
            name=name,
            public_key=public_key,
            tls_certificate=tls_certificate,
        )

    def removal(self, name: str) -> Record:
        """Return the order to take a validator out of the set."""
        return self._standing.governed(RemoveValidator, "remove_validator", ANY, name=name)

    def addition(self, record: ValidatorRecord) -> Record:
        """Return the order to put a validator into the set."""
        return self._standing.governed(
            AddValidator,
            "add_validator",
            ANY,
            name=record.name,
            participant=record.participant,
            public_key=record.public_key,
            tls_certificate=record.tls_certificate,
        )
