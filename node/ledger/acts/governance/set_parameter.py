"""Set a parameter of the ledger, within its limits. It rules from the next operation on."""

from typing import Final

from node.codec import Record
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.identifiers import Address, Name
from node.ledger.outcomes import Outcome, Reject
from node.ledger.parameters import LIMITS
from node.ledger.powers import ANY
from node.ledger.tables import PARAMETERS, ParameterRecord, name_key


class SetParameter(Record, tag=43):
    """Set the parameter of this name."""

    account: Address
    approvers: Approvers
    parameter: Name
    value: int


class ParameterSet(Record, tag=43):
    """A parameter has another value."""

    parameter: Name
    value: int


def _apply(context: ActContext, operation: SetParameter) -> None:
    name, value = operation.parameter, operation.value
    participants = context.authority.participants(operation.account, operation.approvers)
    context.authority.power(ACT.name, ANY, participants)
    if name not in LIMITS:
        raise Reject(Outcome.PARAMETER_UNKNOWN, parameter=name)
    lowest, highest = LIMITS[name]
    if not lowest <= value <= highest:
        raise Reject(
            Outcome.PARAMETER_OUT_OF_RANGE,
            parameter=name,
            found=value,
            lowest=lowest,
            highest=highest,
        )

    context.state.put(PARAMETERS, name_key(name), ParameterRecord(value=value))
    context.events.append(ParameterSet(parameter=name, value=value))


ACT: Final = define_act("set_parameter", SetParameter, _apply)
