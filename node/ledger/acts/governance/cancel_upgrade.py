"""Cancel an upgrade before its height: the version that rules goes on."""

from typing import Final

from node.codec import Record
from node.ledger import protocol
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.identifiers import Address
from node.ledger.outcomes import Outcome, Reject
from node.ledger.powers import ANY
from node.ledger.tables import Version


class CancelUpgrade(Record, tag=52):
    """Let the upgrade to `version` not take place."""

    account: Address
    approvers: Approvers
    version: Version


class UpgradeCancelled(Record, tag=52):
    """An upgrade will not take place."""

    version: int
    height: int


def _apply(context: ActContext, operation: CancelUpgrade) -> None:
    state, version = context.state, operation.version
    participants = context.authority.participants(operation.account, operation.approvers)
    context.authority.power(ACT.name, ANY, participants)
    upgrade = protocol.protocol_of(state).upgrade
    if upgrade is None or upgrade.version != version:
        raise Reject(Outcome.UPGRADE_NOT_SCHEDULED, version=version)

    protocol.cancel(state)
    context.events.append(UpgradeCancelled(version=version, height=upgrade.height))


ACT: Final = define_act("cancel_upgrade", CancelUpgrade, _apply)
