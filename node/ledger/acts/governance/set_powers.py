"""Set a row of the powers matrix, or remove it. No row may let one institution decide alone."""

from typing import Final

from node.codec import Record
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.checks import check_name
from node.ledger.identifiers import Address, Name
from node.ledger.outcomes import Outcome, Reject
from node.ledger.powers import ANY, PowerRecord, fault_of, offices_decisive, offices_min
from node.ledger.tables import OFFICES, POWERS, name_key, power_key


class SetPowers(Record, tag=44):
    """Let `power` say who may do `operation` for `subject`.

    A power without offices and licences removes the row: what is asked then is the row for any
    subject, and where there is none, nobody may.
    """

    account: Address
    approvers: Approvers
    operation: Name
    subject: Name
    power: PowerRecord


class PowersSet(Record, tag=44):
    """A row of the powers matrix changed."""

    operation: Name
    subject: Name
    power: PowerRecord


def _apply(context: ActContext, operation: SetPowers) -> None:
    state, name, subject = context.state, operation.operation, operation.subject
    participants = context.authority.participants(operation.account, operation.approvers)
    context.authority.power(ACT.name, ANY, participants)
    if subject != ANY:
        check_name("subject", subject)
    if not context.catalogue.is_governed(name, context.block.version):
        raise Reject(Outcome.OPERATION_UNKNOWN, operation=name)
    fault = fault_of(operation.power)
    if fault is not None:
        raise Reject(Outcome.POWER_NOT_VALID, reason=fault)
    decisive, least = offices_decisive(operation.power), offices_min(name, subject)
    empty = not (operation.power.offices or operation.power.licences)
    if decisive < least and not (empty and least == 1):
        raise Reject(
            Outcome.POWER_TOO_WEAK,
            operation=name,
            subject=subject,
            found=decisive,
            expected=least,
        )
    for office in operation.power.offices:
        if state.get(OFFICES, name_key(office)) is None:
            raise Reject(Outcome.OFFICE_VACANT, office=office)

    if empty:
        state.delete(POWERS, power_key(name, subject))
    else:
        state.put(POWERS, power_key(name, subject), operation.power)
    context.events.append(PowersSet(operation=name, subject=subject, power=operation.power))


ACT: Final = define_act("set_powers", SetPowers, _apply)
