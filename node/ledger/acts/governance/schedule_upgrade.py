"""Schedule an upgrade: from a height on, the next version of the protocol rules."""

from typing import Final

from node.codec import Record
from node.ledger import protocol
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.identifiers import Address
from node.ledger.outcomes import Outcome, Reject
from node.ledger.powers import ANY
from node.ledger.tables import Upgrade, UpgradeHeight, Version


class ScheduleUpgrade(Record, tag=51):
    """Let `version` rule from `height` on."""

    account: Address
    approvers: Approvers
    version: Version
    height: UpgradeHeight


class UpgradeScheduled(Record, tag=51):
    """Another version will rule from a height on, unless it is cancelled before."""

    version: int
    height: int


def _apply(context: ActContext, operation: ScheduleUpgrade) -> None:
    state, version, height = context.state, operation.version, operation.height
    participants = context.authority.participants(operation.account, operation.approvers)
    context.authority.power(ACT.name, ANY, participants)
    ruling = protocol.protocol_of(state)
    if ruling.upgrade is not None:
        raise Reject(
            Outcome.UPGRADE_ALREADY_SCHEDULED,
            version=ruling.upgrade.version,
            height=ruling.upgrade.height,
        )
    if version != ruling.version + 1:
        raise Reject(Outcome.VERSION_NOT_NEXT, found=version, expected=ruling.version + 1)
    earliest = context.block.height + 1
    latest = context.block.height + protocol.UPGRADE_AHEAD_MAX
    if not earliest <= height <= latest:
        raise Reject(
            Outcome.UPGRADE_HEIGHT_NOT_ACCEPTED, found=height, earliest=earliest, latest=latest
        )

    protocol.schedule(state, Upgrade(version=version, height=height))
    context.events.append(UpgradeScheduled(version=version, height=height))


ACT: Final = define_act("schedule_upgrade", ScheduleUpgrade, _apply)
