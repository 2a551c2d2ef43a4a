"""Rotate a validator's keys: from the next height on it signs and connects with new ones."""

from typing import Annotated, Final

import msgspec

from node.codec import Record, replace
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.checks import check_validator_key
from node.ledger.identifiers import Address, Name, PublicKey
from node.ledger.outcomes import Outcome, Reject
from node.ledger.powers import ANY
from node.ledger.tables import TLS_CERTIFICATE_SIZE_MAX
from node.ledger.validators import (
    check_key_unused,
    validator_of,
    validators_of,
    write_validator,
)


class RotateValidatorKey(Record, tag=47):
    """Give the validator `name` a new consensus key, and the TLS certificate to go with it."""

    account: Address
    approvers: Approvers
    name: Name
    public_key: PublicKey
    tls_certificate: Annotated[
        bytes, msgspec.Meta(min_length=1, max_length=TLS_CERTIFICATE_SIZE_MAX)
    ]
    """May be the one it has."""


class ValidatorKeyRotated(Record, tag=47):
    """A validator has new keys."""

    name: Name
    public_key: PublicKey


def _apply(context: ActContext, operation: RotateValidatorKey) -> None:
    state, name = context.state, operation.name
    participants = context.authority.participants(operation.account, operation.approvers)
    context.authority.power(ACT.name, ANY, participants)
    check_validator_key(operation.public_key)
    validator = validator_of(state, name)
    for other in validators_of(state):
        if other.name != name and other.tls_certificate == operation.tls_certificate:
            raise Reject(Outcome.VALIDATOR_EXISTS, validator=other.name, field="tls_certificate")
    check_key_unused(state, operation.public_key)

    write_validator(
        state,
        replace(
            validator,
            public_key=operation.public_key,
            tls_certificate=operation.tls_certificate,
        ),
    )
    context.events.append(ValidatorKeyRotated(name=name, public_key=operation.public_key))


ACT: Final = define_act("rotate_validator_key", RotateValidatorKey, _apply)
