"""The validator set on the ledger: who rules, who ruled at each height, and every key ever used.

Sets of the past are part of the state, so that whoever starts from a state knows all of them: a
certificate or an accusation of any height is judged by the set of that height.
"""

from node.ledger.outcomes import Outcome, Reject
from node.ledger.state import LedgerState
from node.ledger.tables import (
    CONSENSUS_KEYS,
    VALIDATOR_SETS,
    VALIDATORS,
    VALIDATORS_MAX,
    ConsensusKeyRecord,
    RulingKey,
    ValidatorRecord,
    ValidatorSetRecord,
    height_key,
    name_key,
)


def validators_of(state: LedgerState) -> tuple[ValidatorRecord, ...]:
    """Return the set in ascending order of name."""
    return tuple(record for _, record in state.scan(VALIDATORS, b"", VALIDATORS_MAX))


def validator_of(state: LedgerState, name: str) -> ValidatorRecord:
    """Return a validator of the set.

    Raises:
        Reject: VALIDATOR_UNKNOWN.
    """
    record = state.get(VALIDATORS, name_key(name))
    if record is None:
        raise Reject(Outcome.VALIDATOR_UNKNOWN, validator=name)
    return record


def check_key_unused(state: LedgerState, public_key: bytes) -> None:
    """Refuse a consensus key that any validator has or had.

    Raises:
        Reject: KEY_ALREADY_USED.
    """
    record = state.get(CONSENSUS_KEYS, public_key)
    if record is not None:
        raise Reject(Outcome.KEY_ALREADY_USED, key=public_key, validator=record.validator)


def write_validator(state: LedgerState, record: ValidatorRecord) -> None:
    """Put a validator into the set, or change it, and note its key for ever."""
    state.put(VALIDATORS, name_key(record.name), record)
    state.put(CONSENSUS_KEYS, record.public_key, ConsensusKeyRecord(validator=record.name))


def note_set(state: LedgerState, height: int) -> None:
    """Note that the present set rules from this height on."""
    keys = tuple(
        RulingKey(name=record.name, public_key=record.public_key) for record in validators_of(state)
    )
    state.put(VALIDATOR_SETS, height_key(height), ValidatorSetRecord(validators=keys))


def note_changed_set(state: LedgerState, height: int) -> None:
    """Note the set that rules from this height on, if the block before it changed the set."""
    if state.changed(VALIDATORS):
        note_set(state, height)
