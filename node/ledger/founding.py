"""The first state: what a genesis says about the ledger, checked whole and written at once."""

from collections.abc import Iterator

from node.codec import Record
from node.ledger.catalogue import GOVERNED_NAMES
from node.ledger.errors import FoundingError
from node.ledger.explaining import explain
from node.ledger.identifiers import (
    Hash,
    Name,
    is_curve_key,
    is_jurisdiction,
    is_lei,
    is_name,
)
from node.ledger.outcomes import Reject
from node.ledger.parameters import LIMITS
from node.ledger.policies import AccountPolicy, Salt, account_address, check_policy
from node.ledger.powers import (
    ANY,
    PowerRow,
    fault_of,
    offices_decisive,
    offices_min,
)
from node.ledger.protocol import found_version
from node.ledger.registers import Scheme, claim
from node.ledger.state import LedgerState
from node.ledger.tables import (
    ACCOUNTS,
    OFFICES,
    PARAMETERS,
    PARTICIPANTS,
    POWERS,
    VALIDATORS_MAX,
    AccountRecord,
    AccountStatus,
    OfficeRecord,
    ParameterRecord,
    ParticipantKind,
    ParticipantRecord,
    ParticipantStatus,
    ValidatorRecord,
    Version,
    name_key,
    power_key,
)
from node.ledger.validators import note_set, write_validator


class FoundingParticipant(Record):
    """A founder. Nobody else was there to register it: it is its own registrar."""

    id: Name
    kind: ParticipantKind
    jurisdiction: str
    """ISO 3166-1 alpha-2."""
    lei: str | None
    file_commitment: Hash
    office: Name | None


class FoundingAccount(Record):
    """An account of a founder; its address follows from these three."""

    owner: Name
    policy: AccountPolicy
    salt: Salt


class FoundingParameter(Record):
    """A parameter that does not begin at its default."""

    name: Name
    value: int


class GenesisLedger(Record):
    """What a genesis says about the ledger."""

    participants: tuple[FoundingParticipant, ...]
    accounts: tuple[FoundingAccount, ...]
    validators: tuple[ValidatorRecord, ...]
    powers: tuple[PowerRow, ...]
    parameters: tuple[FoundingParameter, ...]
    protocol_version: Version
    """Rules from the first block on."""


def found(state: LedgerState, genesis: GenesisLedger) -> None:
    """Write the first state.

    Args:
        state: empty.

    Raises:
        FoundingError: the genesis contradicts itself; names every fault. Nothing was written.
    """
    faults = genesis_faults(genesis)
    if faults:
        raise FoundingError(faults)
    for participant in genesis.participants:
        state.put(
            PARTICIPANTS,
            name_key(participant.id),
            ParticipantRecord(
                kind=participant.kind,
                jurisdiction=participant.jurisdiction,
                lei=participant.lei,
                file_commitment=participant.file_commitment,
                registrar=participant.id,
                office=participant.office,
                status=ParticipantStatus.ACTIVE,
            ),
        )
        if participant.lei is not None:
            claim(state, Scheme.LEI, participant.lei, participant.id)
        if participant.office is not None:
            office = OfficeRecord(participant=participant.id)
            state.put(OFFICES, name_key(participant.office), office)
    for account in genesis.accounts:
        state.put(
            ACCOUNTS,
            account_address(account.owner, account.policy, account.salt),
            AccountRecord(
                owner=account.owner,
                policy=account.policy,
                opened_by=account.owner,
                status=AccountStatus.OPEN,
                hold=None,
            ),
        )
    for validator in genesis.validators:
        write_validator(state, validator)
    note_set(state, 1)
    for row in genesis.powers:
        state.put(POWERS, power_key(row.operation, row.subject), row.power)
    for parameter in genesis.parameters:
        state.put(PARAMETERS, name_key(parameter.name), ParameterRecord(value=parameter.value))
    found_version(state, genesis.protocol_version)


def genesis_faults(genesis: GenesisLedger) -> tuple[str, ...]:
    """Return a sentence for everything that contradicts itself, in the order of the fields."""
    return (
        *_participant_faults(genesis),
        *_account_faults(genesis),
        *_validator_faults(genesis),
        *_power_faults(genesis),
        *_parameter_faults(genesis),
    )


def _participant_faults(genesis: GenesisLedger) -> Iterator[str]:
    ids, leis, offices = set[str](), set[str](), set[str]()
    for participant in genesis.participants:
        name = f"participant '{participant.id}'"
        if not is_name(participant.id):
            yield f"{name}: the id is not a name"
        if participant.id in ids:
            yield f"{name}: listed twice"
        ids.add(participant.id)
        if not is_jurisdiction(participant.jurisdiction):
            yield f"{name}: '{participant.jurisdiction}' is not an ISO 3166-1 alpha-2 code"
        if participant.lei is not None:
            if not is_lei(participant.lei):
                yield f"{name}: '{participant.lei}' is not a LEI with valid check digits"
            if participant.lei in leis:
                yield f"{name}: the LEI {participant.lei} already belongs to another"
            leis.add(participant.lei)
        if participant.office is not None:
            if not is_name(participant.office):
                yield f"{name}: the office '{participant.office}' is not a name"
            if participant.office in offices:
                yield f"{name}: the office {participant.office} is already held by another"
            offices.add(participant.office)


def _account_faults(genesis: GenesisLedger) -> Iterator[str]:
    participants = {participant.id for participant in genesis.participants}
    addresses = set[bytes]()
    for account in genesis.accounts:
        name = f"account of '{account.owner}'"
        if account.owner not in participants:
            yield f"{name}: no such participant"
        try:
            check_policy(account.policy)
        except Reject as reject:
            yield f"{name}: {explain(reject.outcome, reject.details)}"
        address = account_address(account.owner, account.policy, account.salt)
        if address in addresses:
            yield f"{name}: a second account with the same policy and salt"
        addresses.add(address)
    owners = {account.owner for account in genesis.accounts}
    for participant in genesis.participants:
        if participant.office is not None and participant.id not in owners:
            yield f"participant '{participant.id}': holds an office and has no account to act with"


def _validator_faults(genesis: GenesisLedger) -> Iterator[str]:
    participants = {participant.id for participant in genesis.participants}
    if not 1 <= len(genesis.validators) <= VALIDATORS_MAX:
        yield f"{len(genesis.validators)} validators: there must be 1 to {VALIDATORS_MAX}"
    taken = set[tuple[str, str | bytes]]()
    for validator in genesis.validators:
        name = f"validator '{validator.name}'"
        if not is_name(validator.name):
            yield f"{name}: not a name"
        if validator.participant not in participants:
            yield f"{name}: no participant '{validator.participant}'"
        if not is_curve_key(validator.public_key):
            yield f"{name}: {validator.public_key.hex()} is not a usable Ed25519 public key"
        for field in ("name", "participant", "public_key", "tls_certificate"):
            unique = (field, getattr(validator, field))
            if unique in taken:
                yield f"{name}: another validator has the same {field}"
            taken.add(unique)


def _power_faults(genesis: GenesisLedger) -> Iterator[str]:
    offices = {participant.office for participant in genesis.participants}
    rows = set[tuple[str, str]]()
    for row in genesis.powers:
        name = f"power to {row.operation} for {row.subject}"
        if row.operation not in GOVERNED_NAMES:
            yield f"{name}: no such operation under the powers matrix"
        if row.subject != ANY and not is_name(row.subject):
            yield f"{name}: the subject is neither a name nor '{ANY}'"
        if (row.operation, row.subject) in rows:
            yield f"{name}: listed twice"
        rows.add((row.operation, row.subject))
        fault = fault_of(row.power)
        if fault is not None:
            yield f"{name}: {fault}"
        decisive, least = offices_decisive(row.power), offices_min(row.operation, row.subject)
        if decisive < least:
            yield f"{name}: lets {decisive} decide, at least {least} offices must"
        for office in row.power.offices:
            if office not in offices:
                yield f"{name}: nobody holds the office {office}"


def _parameter_faults(genesis: GenesisLedger) -> Iterator[str]:
    names = set[str]()
    for parameter in genesis.parameters:
        name = f"parameter '{parameter.name}'"
        if parameter.name in names:
            yield f"{name}: listed twice"
        names.add(parameter.name)
        if parameter.name not in LIMITS:
            yield f"{name}: no such parameter"
            continue
        lowest, highest = LIMITS[parameter.name]
        if not lowest <= parameter.value <= highest:
            yield f"{name}: {parameter.value} is not in {lowest} to {highest}"
