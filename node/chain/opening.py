"""Opening a chain: founding an empty database, and refusing one that contradicts itself.

At every start the head, its block, its certificate with all signatures, the validator set that
rules next and the root of the stored state tree are compared with each other: what one batch wrote
must be there together, or the database is damaged and the node signs nothing.
"""

from node.blocks import (
    CertificateError,
    Header,
    block_id,
    decode_block,
    verify_certificate,
)
from node.blocks.certificates import Verify
from node.chain.errors import AmendmentMissing, ChainDamaged, ForeignChain
from node.chain.execution import hash_of_validators
from node.chain.head import Head, HeadRecord
from node.chain.history import History
from node.codec import CodecError, RecordT, decode, encode
from node.genesis import AmendmentError, AmendmentFault, Genesis
from node.ledger import commitment
from node.ledger.founding import found
from node.ledger.state import LedgerState, MemoryRecords
from node.storage import KeyValueStore, layout
from node.storage.nodes import StoredNodes


def found_chain(store: KeyValueStore, genesis: Genesis) -> None:
    """Write the first state into an empty database: one synced batch."""
    state = LedgerState(MemoryRecords())
    found(state, genesis.ledger)
    changes = state.changes()
    tree = commitment.update(StoredNodes(store), changes)
    head = HeadRecord(
        height=0, block_id=genesis.hash, time_ms=genesis.time_ms, state_root=tree.root
    )
    batch: list[tuple[bytes, bytes | None]] = [
        (layout.Meta.FORMAT.value, layout.encode_number(layout.FORMAT_VERSION)),
        (layout.Meta.GENESIS.value, genesis.hash),
        (layout.Meta.HEAD.value, encode(head)),
        *((layout.state_key(key), value) for key, value in changes.items()),
        *((layout.hash_key(commitment.hash_of_key(key)), key) for key in changes),
        *((layout.node_key(path), branch) for path, branch in tree.nodes.items()),
    ]
    store.write(batch, sync=True)


def is_empty(store: KeyValueStore) -> bool:
    """Whether nothing was ever written to the database."""
    for _ in store.scan(b"", b"\xff" * 8, limit=1):
        return False
    return True


def check_belongs(store: KeyValueStore, genesis: Genesis) -> None:
    """Check that the database has our format and is of this network.

    Raises:
        ChainDamaged: it has another format.
        ForeignChain: it belongs to another genesis.
    """
    version = store.get(layout.Meta.FORMAT.value)
    if version != layout.encode_number(layout.FORMAT_VERSION):
        found_version = "none" if version is None else str(layout.decode_number(version))
        raise ChainDamaged(f"format version {found_version}, expected {layout.FORMAT_VERSION}")
    found_hash = store.get(layout.Meta.GENESIS.value)
    if found_hash is None:
        raise ChainDamaged(f"it belongs to genesis none, this is {genesis.hash.hex()}")
    if found_hash != genesis.hash:
        raise ForeignChain(found=found_hash, expected=genesis.hash)


def load_head(store: KeyValueStore, genesis: Genesis, verify: Verify) -> Head:
    """Return the head, after checking that everything its batch wrote agrees.

    Raises:
        ChainDamaged: something of it is missing or contradicts the rest.
    """
    record = _load(store, layout.Meta.HEAD.value, HeadRecord, "head")
    root = commitment.state_root(StoredNodes(store))
    _agree("state root of the tree", root, record.state_root)
    header, history = None, History(store, genesis)
    if record.height > 0:
        header = _load_header(store, genesis, record)
    check_amendments(history, genesis, record, header)
    if header is None:
        _agree("head", record.block_id, genesis.hash)
    else:
        _check_certificate(store, genesis, record, verify)
    rules_next = history.decided(record.height + 1)
    expected = (
        hash_of_validators(genesis.ledger.validators)
        if header is None
        else header.next_validators_hash
    )
    _agree("hash of the next validators", hash_of_validators(rules_next), expected)
    return Head(
        height=record.height,
        block_id=record.block_id,
        time_ms=record.time_ms,
        state_root=record.state_root,
        header=header,
    )


def check_amendments(
    history: History, genesis: Genesis, head: HeadRecord, header: Header | None
) -> None:
    """Check that the amendments in the state are those that this node was given, up to the head.

    Raises:
        AmendmentError: another is installed than the chain went through, or than it can go through.
        AmendmentMissing: the chain went through one that is not installed.
    """
    stored = history.amendments()
    for height, id_ in stored.items():
        installed = genesis.amendment_at(height)
        if installed is None:
            raise AmendmentMissing(height=height, amendment=id_)
        if installed.id != id_:
            raise AmendmentError(
                AmendmentFault.WRONG_BLOCK,
                f"amendment {installed.serial}, {installed.id.hex()}, is installed; this chain went"
                f" on by another at height {height}, {id_.hex()}",
            )
    for each in genesis.amendments:
        if each.rules_from <= head.height and each.rules_from not in stored:
            raise AmendmentError(
                AmendmentFault.WRONG_HEIGHT,
                f"amendment {each.serial} is installed for height {each.rules_from}; this chain has"
                f" that block without it, and {head.height} in all: `khazana amendment discard`",
            )
        if each.height == head.height and header is not None:
            elsewhere = genesis.why_elsewhere(header)
            if elsewhere is not None:
                raise AmendmentError(AmendmentFault.WRONG_BLOCK, elsewhere)


def _load_header(store: KeyValueStore, genesis: Genesis, head: HeadRecord) -> Header:
    data = store.get(layout.block_key(head.height))
    if data is not None:
        try:
            header = decode_block(data).header
        except CodecError as error:
            raise ChainDamaged(f"the block of the head is unreadable: {error}") from None
    elif (point := History(store, genesis).point()) is not None:
        # Right after joining by a snapshot, the header is there and the block is not.
        header = point.header
    else:
        raise ChainDamaged(f"the block of the head, height {head.height}, is missing")
    _agree("id of the head's block", block_id(header), head.block_id)
    _agree("state root in the header", header.state_root, head.state_root)
    _agree("time in the header", header.time_ms, head.time_ms)
    _agree("height in the header", header.height, head.height)
    return header


def _check_certificate(
    store: KeyValueStore, genesis: Genesis, head: HeadRecord, verify: Verify
) -> None:
    history = History(store, genesis)
    certificate = history.certificate(head.height)
    if certificate is None:
        raise ChainDamaged(f"the commit certificate of height {head.height} is missing")
    try:
        verify_certificate(
            certificate,
            history.validator_set(head.height),
            genesis.fault_model,
            genesis.domain(head.height),
            verify,
            height=head.height,
            block_id=head.block_id,
        )
    except CertificateError as error:
        raise ChainDamaged(f"the commit certificate of height {head.height}: {error}") from None


def _load(store: KeyValueStore, key: bytes, kind: type[RecordT], name: str) -> RecordT:
    data = store.get(key)
    if data is None:
        raise ChainDamaged(f"the {name} is missing")
    return _decode(data, kind, name)


def _decode(data: bytes, kind: type[RecordT], name: str) -> RecordT:
    try:
        return decode(data, kind)
    except CodecError as error:
        raise ChainDamaged(f"the {name} is unreadable: {error}") from None


def _agree(name: str, found: object, expected: object) -> None:
    if found != expected:
        raise ChainDamaged(f"the {name} is {_render(found)}, expected {_render(expected)}")


def _render(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
