"""The amendment of the validator set: what it does to the state, and what the state demands of it.

Where so many keys are lost that the rest are no quorum, nothing can be decided any more, a change
of the set neither. The institutions then decide together, outside the chain, who is to rule from a
height on; `node.genesis.amendment` is the document. The first block after it begins with this: so
the new set is under that block's state root, by a rule that everybody can compute again.
"""

from dataclasses import dataclass

from node.codec import Record
from node.ledger.authority import active_participant
from node.ledger.checks import check_name, check_validator_key
from node.ledger.identifiers import Hash
from node.ledger.state import LedgerState
from node.ledger.tables import (
    AMENDMENTS,
    VALIDATORS,
    AmendmentRecord,
    ValidatorRecord,
    height_key,
    name_key,
)
from node.ledger.validators import check_key_unused, validators_of, write_validator


class ValidatorsAmended(Record, tag=54):
    """Another set of validators rules from this block on, by a decision outside the chain."""

    amendment: Hash
    serial: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAmendment:
    """What is put in the place of the set."""

    record: AmendmentRecord
    validators: tuple[ValidatorRecord, ...]
    """All of the new set."""


def check_amendment(state: LedgerState, validators: tuple[ValidatorRecord, ...]) -> None:
    """Refuse a set that the ledger cannot have in the place of its own.

    Raises:
        Reject: a name or key is none; who runs a new one is no active participant; a key was used
            before, and is not that of the validator which has it.
    """
    present = {record.name: record for record in validators_of(state)}
    for record in validators:
        before = present.get(record.name)
        if before == record:
            continue
        check_name("name", record.name)
        check_validator_key(record.public_key)
        active_participant(state, record.participant)
        if before is None or before.public_key != record.public_key:
            check_key_unused(state, record.public_key)


def amend_set(state: LedgerState, height: int, amendment: SetAmendment) -> ValidatorsAmended:
    """Let another set rule from this height on, as the first thing that its block does.

    Raises:
        Reject: as for `check_amendment`.
    """
    check_amendment(state, amendment.validators)
    for record in validators_of(state):
        state.delete(VALIDATORS, name_key(record.name))
    for record in amendment.validators:
        write_validator(state, record)
    # The set of the next height is noted at the end of the block, as after every change.
    state.put(AMENDMENTS, height_key(height), amendment.record)
    return ValidatorsAmended(amendment=amendment.record.id, serial=amendment.record.serial)
