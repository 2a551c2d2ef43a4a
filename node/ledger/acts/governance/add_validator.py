"""Add a validator: it rules from the next height on, with one vote."""

from typing import Annotated, Final

import msgspec

from node.codec import Record
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.authority import active_participant
from node.ledger.checks import check_name, check_validator_key
from node.ledger.identifiers import Address, Name, PublicKey
from node.ledger.outcomes import Outcome, Reject
from node.ledger.powers import ANY
from node.ledger.tables import (
    TLS_CERTIFICATE_SIZE_MAX,
    VALIDATORS_MAX,
    ValidatorRecord,
)
from node.ledger.validators import check_key_unused, validators_of, write_validator


class AddValidator(Record, tag=45):
    """Let `participant` run the validator `name`."""

    account: Address
    approvers: Approvers
    name: Name
    participant: Name
    public_key: PublicKey
    tls_certificate: Annotated[
        bytes, msgspec.Meta(min_length=1, max_length=TLS_CERTIFICATE_SIZE_MAX)
    ]


class ValidatorAdded(Record, tag=45):
    """A validator joins the set."""

    name: Name
    participant: Name
    public_key: PublicKey


def _apply(context: ActContext, operation: AddValidator) -> None:
    state, name = context.state, operation.name
    participants = context.authority.participants(operation.account, operation.approvers)
    active_participant(state, operation.participant)
    context.authority.power(ACT.name, ANY, participants)
    check_name("name", name)
    check_validator_key(operation.public_key)
    validators = validators_of(state)
    for other in validators:
        for field in ("name", "participant", "tls_certificate"):
            if getattr(other, field) == getattr(operation, field):
                raise Reject(Outcome.VALIDATOR_EXISTS, validator=other.name, field=field)
    check_key_unused(state, operation.public_key)
    if len(validators) >= VALIDATORS_MAX:
        raise Reject(Outcome.VALIDATORS_TOO_MANY, found=len(validators))

    write_validator(
        state,
        ValidatorRecord(
            name=name,
            participant=operation.participant,
            public_key=operation.public_key,
            tls_certificate=operation.tls_certificate,
        ),
    )
    context.events.append(
        ValidatorAdded(
            name=name, participant=operation.participant, public_key=operation.public_key
        )
    )


ACT: Final = define_act("add_validator", AddValidator, _apply)
