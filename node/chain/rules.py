"""What a block must be before it is worth applying: header, bounds, ids, envelopes, evidence; and
what applying it must have made.

Each check has a name and raises `InvalidBlock`. Their order is that of `BlockFault`: the cheap ones
first, so that a hostile proposer costs little. Nothing here reads the wall clock: `now_ms` is the
caller's, and None where a block is not to be judged by it.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from consensus.types import Height, Round
from consensus.validators import ValidatorSet
from node.blocks import (
    Header,
    evidence_root,
    transactions_root,
)
from node.chain.errors import BlockFault, InvalidBlock
from node.genesis import Genesis
from node.ledger.outcomes import Outcome
from node.ledger.transactions import (
    TRANSACTION_VERSION,
    TransactionBody,
    TransactionError,
    check_envelope,
)
from node.ledger.transition import always_in_force, check_in_force, is_in_force
from node.mempool import AdmittedTransaction

BLOCK_OVERHEAD_BYTES = 1024
"""Room in a block for header and framing; evidence is counted at its size."""
ITEM_OVERHEAD_BYTES = 5
"""The longest frame of one byte string inside an array."""
_PART_SIZE = 256
"""Transactions of a block that are looked at twice in a row: so many are still in the processor's
cache the second time, all of a large block are not."""
_RESULTS = (
    "state_root",
    "receipts_root",
    "next_validators_hash",
    "parameters_hash",
)
"""What a header says of the block's application, in the order in which it is compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """What the next block stands on."""

    height: int
    block_id: bytes
    """What the next header names as its parent; after an amendment, that one's id."""
    time_ms: int
    validators: ValidatorSet
    """Of the next height."""
    validators_hash: bytes
    version: int
    """Of the protocol: it rules the next height."""


def check_header(header: Header, parent: Parent, genesis: Genesis, now_ms: int | None) -> None:
    """Check all that the header says by itself.

    Raises:
        InvalidBlock: it is not the next block, not its proposer's to build, or not of this time.
    """
    _expect(BlockFault.WRONG_VERSION, header.version, parent.version)
    _expect(BlockFault.WRONG_NETWORK, header.network, genesis.network)
    _expect(BlockFault.WRONG_HEIGHT, header.height, parent.height + 1)
    _expect(BlockFault.WRONG_PARENT, header.parent, parent.block_id)
    proposer = parent.validators.proposer(Height(header.height), Round(header.round))
    _expect(BlockFault.WRONG_PROPOSER, header.proposer, proposer.id)
    _expect(BlockFault.WRONG_VALIDATORS, header.validators_hash, parent.validators_hash)
    elsewhere = genesis.why_elsewhere(header)
    if elsewhere is not None:
        raise InvalidBlock(BlockFault.NOT_AS_AMENDED, elsewhere)
    _check_time(header.time_ms, parent.time_ms, genesis, now_ms)
    if header.transaction_count > genesis.blocks.transactions_max:
        raise InvalidBlock(
            BlockFault.TOO_MANY_TRANSACTIONS,
            f"{header.transaction_count}, at most {genesis.blocks.transactions_max}",
        )


def check_contents(
    header: Header,
    transactions: Sequence[AdmittedTransaction],
    evidence: Sequence[bytes],
    genesis: Genesis,
) -> None:
    """Check that these are the transactions and the evidence that the header commits to.

    Raises:
        InvalidBlock: they are others, or too large together.
    """
    size_bytes = contents_size(transactions, evidence)
    if size_bytes > genesis.blocks.size_bytes_max:
        raise InvalidBlock(
            BlockFault.TOO_LARGE, f"{size_bytes} bytes, at most {genesis.blocks.size_bytes_max}"
        )
    _expect(BlockFault.WRONG_TRANSACTIONS, len(transactions), header.transaction_count)
    ids = [transaction.id for transaction in transactions]
    _expect(BlockFault.WRONG_TRANSACTIONS, transactions_root(ids), header.transactions_root)
    _expect(BlockFault.WRONG_EVIDENCE, evidence_root(evidence), header.evidence_root)


def check_transactions(
    transactions: Sequence[AdmittedTransaction],
    header: Header,
    genesis: Genesis,
    doubted_of: Callable[[Sequence[AdmittedTransaction]], Collection[bytes]],
    was_applied: Callable[[bytes], bool],
) -> None:
    """Check that the block may hold each transaction: once, for the first time, valid.

    Args:
        doubted_of: the ids of those of these that may have been applied before; all others
            certainly were not.
        was_applied: whether one of them was.

    Raises:
        InvalidBlock: one is there twice, was applied before, or is refused by its envelope.
    """
    if len({transaction.id for transaction in transactions}) != len(transactions):
        raise InvalidBlock(BlockFault.TRANSACTION_TWICE, "a transaction stands in it twice")
    envelope = BlockEnvelope(header.time_ms, header.version, genesis)
    applied: set[bytes] = set()
    are_good = True
    for start in range(0, len(transactions), _PART_SIZE):
        part = transactions[start : start + _PART_SIZE]
        applied.update(filter(was_applied, doubted_of(part)))
        are_good = are_good and envelope.accepts_each(part)
    if are_good and not applied:
        return
    for transaction in transactions:
        if transaction.id in applied:
            raise InvalidBlock(
                BlockFault.TRANSACTION_SEEN, f"{transaction.id.hex()} was applied before"
            )
        refusal = envelope.refusal(transaction.body)
        if refusal is not None:
            raise InvalidBlock(
                BlockFault.TRANSACTION_REFUSED, f"{transaction.id.hex()}: {refusal.name}"
            )


def check_result(computed: Header, header: Header) -> None:
    """Check what a block says that applying it makes; everything else has been compared before.

    Raises:
        InvalidBlock: applying it here made something else; both are in the message.
    """
    for name in _RESULTS:
        ours, theirs = getattr(computed, name), getattr(header, name)
        if ours != theirs:
            raise InvalidBlock(
                BlockFault.WRONG_RESULT,
                f"{name} of height {header.height} is {theirs.hex()} in the header,"
                f" {ours.hex()} computed here",
            )
    assert computed == header


class BlockEnvelope:
    """What the envelope of every transaction of one block has to be."""

    def __init__(self, time_ms: int, version: int, genesis: Genesis) -> None:
        """Take time and version of the block."""
        self._time_ms = time_ms
        self._version = version
        self._network = genesis.network
        self._window_ms = genesis.transactions.window_ms
        self._always_in_force = always_in_force(version)
        self._latest_ms = time_ms + genesis.transactions.window_ms

    def accepts(self, body: TransactionBody) -> bool:
        """Return whether the block can hold a transaction with this body: what `check` says.

        Almost all are good, and need nobody to say why not.
        """
        operations, always = body.operations, self._always_in_force
        return (
            body.version == TRANSACTION_VERSION
            and body.network == self._network
            and self._time_ms <= body.valid_until_ms <= self._latest_ms
            and (
                (len(operations) == 1 and type(operations[0]) in always)
                or always.issuperset(map(type, operations))
                or is_in_force(body, self._version)
            )
        )

    def accepts_each(self, transactions: Iterable[AdmittedTransaction]) -> bool:
        """Return whether `accepts` is true of each of these: of the many of a block in one go."""
        network, always, accepts = self._network, self._always_in_force, self.accepts
        earliest_ms, latest_ms = self._time_ms, self._latest_ms
        for transaction in transactions:
            body = transaction.body
            operations = body.operations
            if (
                len(operations) != 1
                or type(operations[0]) not in always
                or body.version != TRANSACTION_VERSION
                or body.network != network
                or not earliest_ms <= body.valid_until_ms <= latest_ms
            ) and not accepts(body):
                return False
        return True

    def check(self, body: TransactionBody) -> None:
        """Refuse a body that no transaction of the block can have.

        Raises:
            TransactionError: as `check_envelope` and then `check_in_force` raise it.
        """
        check_envelope(body, network=self._network, now_ms=self._time_ms, window_ms=self._window_ms)
        check_in_force(body, self._version)

    def refusal(self, body: TransactionBody) -> Outcome | None:
        """Return why the block cannot hold a transaction with this body, or None."""
        if self.accepts(body):
            return None
        try:
            self.check(body)
        except TransactionError as error:
            return error.outcome
        return None


def contents_size(transactions: Sequence[AdmittedTransaction], evidence: Sequence[bytes]) -> int:
    """Return an upper bound of the block's bytes."""
    return (
        BLOCK_OVERHEAD_BYTES
        + sum([transaction.size_bytes for transaction in transactions])
        + sum(map(len, evidence))
        + ITEM_OVERHEAD_BYTES * (len(transactions) + len(evidence))
    )


def _check_time(time_ms: int, parent_ms: int, genesis: Genesis, now_ms: int | None) -> None:
    if time_ms <= parent_ms:
        raise InvalidBlock(
            BlockFault.TIME_NOT_AFTER_PARENT, f"{time_ms} ms, the parent's is {parent_ms} ms"
        )
    if now_ms is None:
        return
    blocks = genesis.blocks
    # A parent ahead of every clock, within the bound, leaves no earlier time to the next block.
    latest_ms = max(now_ms + blocks.clock_ahead_max_ms, parent_ms + 1)
    if time_ms > latest_ms:
        raise InvalidBlock(
            BlockFault.TIME_TOO_FAR_AHEAD, f"{time_ms} ms, at most {latest_ms} ms here and now"
        )
    earliest_ms = now_ms - blocks.clock_behind_max_ms
    if time_ms < earliest_ms:
        raise InvalidBlock(
            BlockFault.TIME_TOO_FAR_BEHIND, f"{time_ms} ms, at least {earliest_ms} ms here and now"
        )


def _expect(fault: BlockFault, found: object, expected: object) -> None:
    if found != expected:
        raise InvalidBlock(fault, f"{_render(found)}, expected {_render(expected)}")


def _render(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
