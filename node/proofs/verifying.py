"""Is it true? A proof file against a genesis, and nothing else: no node, no network, no clock.

What is checked, in this order; the first failure refuses the whole file:

1. the text is the one spelling of its content, so that nothing in it can be changed unnoticed,
2. it speaks of the network of this genesis, by a version of the protocol that is known here,
3. each handover: decided by a quorum of the validators before it, all signatures verified, and
   naming the validators after it; from the height of an amendment on, by those whom it put in. The
   reader has its file, as he has the genesis: a proof cannot bring it,
4. the header: decided by a quorum of the validators that the handovers lead to,
5. each entry: in the state whose root the header carries, or absent from it,
6. the sentence is what the entries say.

What a proof cannot say: that nothing changed since. And like every signature it is worth what the
keys were worth when it is read: validators of the past, together, could sign another past.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from consensus.errors import InvalidValue
from consensus.types import ValidatorId
from consensus.validators import Validator, ValidatorSet
from node.blocks import (
    CertificateError,
    CertificateRecord,
    Header,
    ValidatorKey,
    block_id,
    certificate_of_record,
    validators_hash,
    verify_certificate,
)
from node.blocks.certificates import Verify
from node.codec import CodecError, Record, decode
from node.genesis import AmendmentError, Genesis, missing_sentence
from node.genesis.located import LocatedError, Path, parse_located
from node.genesis.reading import read_record
from node.keys import verify as verify_signature
from node.ledger import tables
from node.ledger.commitment import verify_proof
from node.ledger.protocol import SUPPORTED
from node.ledger.state import Table
from node.proofs.model import Entry, ProofRecord
from node.proofs.rendering import render_proof
from node.proofs.sentences import Proven, statement_of


class ProofFault(StrEnum):
    """Why a proof file proves nothing, in the order of the checks."""

    UNREADABLE = "unreadable"
    NOT_CANONICAL = "not-canonical"
    WRONG_NETWORK = "wrong-network"
    UNKNOWN_VERSION = "unknown-version"
    """Of the protocol: what the records mean is not known here."""
    WRONG_VALIDATORS = "wrong-validators"
    NOT_DECIDED = "not-decided"
    NOT_IN_STATE = "not-in-state"
    WRONG_STATEMENT = "wrong-statement"


class ProofError(Exception):
    """A proof file that proves nothing.

    Attributes:
        fault: which check it fails.
        detail: what was found and what was expected.
    """

    def __init__(self, fault: ProofFault, detail: str) -> None:
        super().__init__(f"proof refused ({fault}): {detail}")
        self.fault = fault
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a proof file proves."""

    statement: str
    """In words."""
    height: int
    time_ms: int
    block_id: bytes
    signers: tuple[str, ...]
    """The validators whose precommits decided the block."""
    entries: tuple[Proven, ...]
    """The first is what is proven."""


def verify_proof_file(
    content: bytes | str, genesis: Genesis, *, verify: Verify = verify_signature
) -> Verified:
    """Return what the file proves.

    Args:
        content: the file as it is. Bytes are better: reading a file as text changes line ends.

    Raises:
        ProofError: it proves nothing.
    """
    record = _read(_text(content))
    if record.genesis_hash != genesis.hash:
        raise ProofError(
            ProofFault.WRONG_NETWORK,
            f"it is of the network {record.genesis_hash.hex()}, this is {genesis.hash.hex()}",
        )
    validators, height = _follow_handovers(record, genesis, verify)
    _check_decided(record.header, record.certificate, validators, height, genesis, verify)
    entries = tuple(_check_entry(entry, record.header.state_root) for entry in record.entries)
    statement = statement_of(entries, record.header, genesis)
    if statement != record.statement:
        raise ProofError(ProofFault.WRONG_STATEMENT, f"the entries say: {statement}")
    return Verified(
        statement=statement,
        height=record.header.height,
        time_ms=record.header.time_ms,
        block_id=block_id(record.header),
        signers=tuple(item.validator for item in record.certificate.signatures),
        entries=entries,
    )


def read_entries(content: bytes | str) -> tuple[Proven, ...]:
    """Return the entries of a file that are in the state whose root its header carries.

    Who decided that header is not looked at: whoever has no genesis takes the node's word for it.

    Raises:
        ProofError: UNREADABLE, NOT_CANONICAL, NOT_IN_STATE.
    """
    record = _read(_text(content))
    return tuple(_check_entry(entry, record.header.state_root) for entry in record.entries)


def table_of(name: str) -> Table[Record] | None:
    """Return the ledger's table of this name."""
    for table in _tables():
        if table.name == name:
            return table
    return None


def _tables() -> Iterator[Table[Record]]:
    yield from tables.TABLES


def _text(content: bytes | str) -> str:
    try:
        return content.decode() if isinstance(content, bytes) else content
    except UnicodeDecodeError:
        raise ProofError(ProofFault.UNREADABLE, "not UTF-8 text") from None


def _read(text: str) -> ProofRecord:
    faults: list[str] = []

    def report(path: Path, message: str) -> None:
        faults.append(f"{'.'.join(str(step) for step in path)}: {message}")

    try:
        record = read_record(ProofRecord, parse_located(text).value, report)
    except LocatedError as error:
        raise ProofError(ProofFault.UNREADABLE, str(error)) from None
    if record is None:
        raise ProofError(ProofFault.UNREADABLE, faults[0])
    if render_proof(record) != text:
        raise ProofError(
            ProofFault.NOT_CANONICAL, "the file is not spelled as it was written; get it anew"
        )
    return record


def _follow_handovers(
    record: ProofRecord, genesis: Genesis, verify: Verify
) -> tuple[ValidatorSet, int]:
    """Return the set that was handed over to last, and at which height."""
    validators = genesis.validators
    height = 0
    for handover in record.handovers:
        if not height < handover.header.height < record.header.height:
            raise ProofError(
                ProofFault.WRONG_VALIDATORS,
                f"the handover at height {handover.header.height} is out of order",
            )
        _check_decided(handover.header, handover.certificate, validators, height, genesis, verify)
        height = handover.header.height
        if validators_hash(handover.validators) != handover.header.next_validators_hash:
            raise ProofError(
                ProofFault.WRONG_VALIDATORS,
                f"those after height {height} are not the ones that its header names",
            )
        validators = _validator_set(handover.validators)
    return validators, height


def _check_decided(
    header: Header,
    certificate: CertificateRecord,
    decided: ValidatorSet,
    after: int,
    genesis: Genesis,
    verify: Verify,
) -> None:
    """Check that a quorum decided a header, where these were the last to be handed over to."""
    try:
        validators = genesis.ruling(decided, after, header.height)
    except AmendmentError as error:
        raise ProofError(ProofFault.WRONG_VALIDATORS, str(error)) from None
    elsewhere = genesis.why_elsewhere(header)
    if elsewhere is not None:
        raise ProofError(ProofFault.WRONG_VALIDATORS, elsewhere)
    keys = (
        ValidatorKey(name=validator.id, public_key=validator.public_key) for validator in validators
    )
    if header.network != genesis.network:
        raise ProofError(ProofFault.WRONG_NETWORK, f"header of network {header.network.hex()}")
    if header.version not in SUPPORTED:
        raise ProofError(
            ProofFault.UNKNOWN_VERSION,
            f"height {header.height} is of version {header.version} of the protocol; this software"
            f" knows {', '.join(map(str, sorted(SUPPORTED)))}. Install a newer release of khazana",
        )
    if validators_hash(keys) != header.validators_hash:
        raise ProofError(
            ProofFault.WRONG_VALIDATORS,
            f"height {header.height} was decided by others than the handovers lead to. If the"
            " institutions have amended the set of validators,"
            f" {missing_sentence(header.height, header.parent)}",
        )
    try:
        verify_certificate(
            certificate_of_record(certificate),
            validators,
            genesis.fault_model,
            genesis.domain(header.height),
            verify,
            height=header.height,
            block_id=block_id(header),
        )
    except (CertificateError, CodecError) as error:
        raise ProofError(ProofFault.NOT_DECIDED, f"height {header.height}: {error}") from None


def _check_entry(entry: Entry, root: bytes) -> Proven:
    table = table_of(entry.table)
    if table is None:
        raise ProofError(ProofFault.NOT_IN_STATE, f"the ledger has no table {entry.table!r}")
    if not verify_proof(root, table.prefix + entry.key, entry.value, entry.proof):
        raise ProofError(
            ProofFault.NOT_IN_STATE, f"the proof for {entry.table} {entry.key.hex()} does not hold"
        )
    try:
        record = None if entry.value is None else decode(entry.value, table.record)
    except CodecError as error:
        raise ProofError(ProofFault.NOT_IN_STATE, str(error)) from None
    return Proven(table=table, key=entry.key, record=record)


def _validator_set(validators: tuple[ValidatorKey, ...]) -> ValidatorSet:
    try:
        return ValidatorSet(
            tuple(
                Validator(id=ValidatorId(validator.name), public_key=validator.public_key)
                for validator in validators
            )
        )
    except InvalidValue as error:
        raise ProofError(ProofFault.WRONG_VALIDATORS, str(error)) from None
