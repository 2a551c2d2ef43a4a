"""The blocks of the height being decided: compact forms as proposed, and what they name.

A proposal brings a header and ids. The transactions are in the pool already, but for those that
are still under way; the missing ones are asked for by id. A compact block is authenticated by the
block id: the header hashes to it, and the ids hash to the root in the header, so a peer that passes
on a wrong list is found out before anything is fetched (adversarial 44).
"""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field
from typing import Final

from node.blocks import (
    Block,
    Header,
    block_id,
    decode_header,
    encode_block,
    evidence_root,
    transactions_root,
)
from node.codec import CodecError, encode
from node.mempool import AdmittedTransaction
from node.network import ProposalMessage, ProposedBlock
from node.replica.gate import BadMessage, Fault

BODIES_MAX: Final = 16
"""Of one height. A round brings one, or two if its proposer equivocates; the oldest that nobody
waits for goes."""


@dataclass(slots=True, kw_only=True)
class Body:
    """A block in compact form, and what has been found of its transactions."""

    block_id: bytes
    header: Header
    transaction_ids: tuple[bytes, ...]
    evidence: tuple[bytes, ...]
    found: dict[bytes, AdmittedTransaction] = field(default_factory=dict)
    _in_order: Sequence[AdmittedTransaction] | None = field(default=None, init=False)
    """All its transactions, once they have been asked for."""

    @property
    def is_whole(self) -> bool:
        """Whether every transaction has been found."""
        # Only what is named is found, and no id is named twice.
        return len(self.found) == len(self.transaction_ids)

    def missing(self) -> tuple[bytes, ...]:
        """Return the ids still to be found, in block order."""
        found = self.found
        return (
            ()
            if self.is_whole
            else tuple([each for each in self.transaction_ids if each not in found])
        )

    def search(self, pool: Callable[[bytes], AdmittedTransaction | None]) -> None:
        """Take from the pool what it holds by now."""
        self.found |= {
            each: transaction for each in self.missing() if (transaction := pool(each)) is not None
        }

    def transactions(self) -> Sequence[AdmittedTransaction]:
        """Return what is found of the transactions, in block order."""
        if self._in_order is not None:
            return self._in_order
        found = self.found
        in_order = [found[each] for each in self.transaction_ids if each in found]
        if self.is_whole:
            self._in_order = in_order
        return in_order

    def is_beyond(self, size_bytes_max: int) -> bool:
        """Whether what is found by now is too large together, whatever else is to come."""
        return sum(each.size_bytes for each in self.found.values()) > size_bytes_max

    def encode(self) -> bytes:
        """Return the block's canonical bytes; nothing is missing."""
        raws = tuple([transaction.raw for transaction in self.transactions()])
        return encode_block(Block(header=self.header, transactions=raws, evidence=self.evidence))

    def compact(self) -> ProposedBlock:
        """Return the compact form as it is passed on."""
        return ProposedBlock(
            height=self.header.height,
            block_id=self.block_id,
            header=encode(self.header),
            transaction_ids=self.transaction_ids,
            evidence=self.evidence,
        )


def body_of(message: ProposalMessage | ProposedBlock) -> Body:
    """Return the compact block that a message carries.

    Raises:
        BadMessage: it is not the block that the message says it is.
    """
    try:
        header = decode_header(message.header)
    except CodecError as error:
        raise BadMessage(Fault.BAD_BLOCK, str(error)) from None
    ids, evidence = message.transaction_ids, message.evidence
    if block_id(header) != message.block_id:
        raise BadMessage(Fault.BAD_BLOCK, "the header has another block id")
    if header.height != message.height:
        raise BadMessage(Fault.BAD_BLOCK, f"the header is of height {header.height}")
    if len(set(ids)) != len(ids):
        raise BadMessage(Fault.BAD_BLOCK, "a transaction id is listed twice")
    if len(ids) != header.transaction_count or transactions_root(ids) != header.transactions_root:
        raise BadMessage(Fault.BAD_BLOCK, "the ids are not those of the header")
    if evidence_root(evidence) != header.evidence_root:
        raise BadMessage(Fault.BAD_BLOCK, "the evidence is not that of the header")
    return Body(block_id=message.block_id, header=header, transaction_ids=ids, evidence=evidence)


class Bodies:
    """The bodies of one height, by block id; the latest few, and those somebody waits for.

    Whoever pins them says with `keep` which of those still count: a height has no last round.
    """

    def __init__(self) -> None:
        self._by_id: dict[bytes, Body] = {}
        self._pinned: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, wanted: bytes) -> Body | None:
        """Return the body of this block id, complete or not."""
        return self._by_id.get(wanted)

    def add(self, body: Body) -> Body:
        """Keep a body; return the one kept before for the same block, if there is one."""
        known = self._by_id.setdefault(body.block_id, body)
        if len(self._by_id) > BODIES_MAX:
            for oldest in self._by_id:
                if oldest not in self._pinned and oldest != body.block_id:
                    del self._by_id[oldest]
                    break
        return known

    def pin(self, wanted: bytes) -> None:
        """Keep this block's body whatever comes: it was voted for."""
        self._pinned.add(wanted)

    def keep(self, wanted: Set[bytes]) -> None:
        """Drop what was to be kept whatever comes, but for these: its round is long past."""
        for gone in self._pinned - wanted:
            self._pinned.discard(gone)
            self._by_id.pop(gone, None)

    def raws(self, wanted: bytes, ids: Sequence[bytes]) -> list[bytes]:
        """Return the raw bytes of those transactions of a block that are at hand."""
        body = self._by_id.get(wanted)
        if body is None:
            return []
        return [body.found[each].raw for each in ids if each in body.found]

    def clear(self) -> None:
        """Forget all: the height is decided."""
        self._by_id.clear()
        self._pinned.clear()
