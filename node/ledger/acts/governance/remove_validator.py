"""Remove a validator: it rules no longer from the next height on. Its key is never used again."""

from typing import Final

from node.codec import Record
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.identifiers import Address, Name
from node.ledger.outcomes import Outcome, Reject
from node.ledger.parameters import parameter
from node.ledger.powers import ANY
from node.ledger.tables import VALIDATORS, name_key
from node.ledger.validators import validator_of, validators_of


class RemoveValidator(Record, tag=46):
    """Take the validator `name` out of the set."""

    account: Address
    approvers: Approvers
    name: Name


class ValidatorRemoved(Record, tag=46):
    """A validator leaves the set."""

    name: Name


def _apply(context: ActContext, operation: RemoveValidator) -> None:
    state, name = context.state, operation.name
    participants = context.authority.participants(operation.account, operation.approvers)
    context.authority.power(ACT.name, ANY, participants)
    validator_of(state, name)
    remaining = len(validators_of(state)) - 1
    least = parameter(state, "validators-min")
    if remaining < least:
        raise Reject(Outcome.VALIDATORS_TOO_FEW, found=remaining, expected=least)

    state.delete(VALIDATORS, name_key(name))
    context.events.append(ValidatorRemoved(name=name))


ACT: Final = define_act("remove_validator", RemoveValidator, _apply)
