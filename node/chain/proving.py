"""Making proofs: from the committed state to a file that needs no node to be believed."""

from node.blocks import CertificateRecord, ValidatorKey, record_of_certificate
from node.chain.errors import ChainDamaged, NothingToProve
from node.chain.head import Head
from node.chain.history import History
from node.chain.records import CommittedRecords
from node.codec import Record, encode
from node.genesis import Genesis
from node.ledger import tables
from node.ledger.commitment import NodeSource, prove
from node.ledger.identifiers import ADDRESS_SIZE
from node.ledger.state import Table
from node.proofs import FORMAT, Entry, Handover, ProofRecord, Proven, statement_of


def make_proof(
    table: Table[Record],
    key: bytes,
    *,
    head: Head,
    genesis: Genesis,
    records: CommittedRecords,
    nodes: NodeSource,
    history: History,
) -> ProofRecord:
    """Return the proof of what the head's state holds under this key, or that it holds nothing.

    Raises:
        NothingToProve: no block has been decided yet.
        ChainDamaged: a block or certificate that should be here is not.
    """
    if head.header is None:
        raise NothingToProve
    places = [(table, key), *_context(table, key)]
    proven = [
        Proven(table=each, key=each_key, record=records.record(each, each_key))
        for each, each_key in places
    ]
    return ProofRecord(
        format=FORMAT,
        statement=statement_of(proven, head.header, genesis),
        genesis_hash=genesis.hash,
        entries=tuple(_entry(each, nodes) for each in proven),
        header=head.header,
        certificate=_certificate(head.height, history),
        handovers=tuple(
            _handover(height, history)
            for height in history.validator_changes(head.height)
            if height > 1
        ),
    )


def _context(table: Table[Record], key: bytes) -> list[tuple[Table[Record], bytes]]:
    # An amount in minor units says little without the asset's decimals.
    if table is tables.HOLDINGS:
        return [(tables.ASSETS, key[ADDRESS_SIZE:])]
    return []


def _entry(proven: Proven, nodes: NodeSource) -> Entry:
    return Entry(
        table=proven.table.name,
        key=proven.key,
        value=None if proven.record is None else encode(proven.record),
        proof=prove(nodes, proven.table.prefix + proven.key),
    )


def _handover(height: int, history: History) -> Handover:
    """Return how the validators that rule from this height were decided on, by those before."""
    decided = history.handover(height)
    return Handover(
        header=decided.header,
        certificate=decided.certificate,
        validators=tuple(
            ValidatorKey(name=validator.name, public_key=validator.public_key)
            for validator in history.decided(height)
        ),
    )


def _certificate(height: int, history: History) -> CertificateRecord:
    certificate = history.certificate(height)
    if certificate is None:
        raise ChainDamaged(f"the certificate of height {height} is missing")
    return record_of_certificate(certificate)
