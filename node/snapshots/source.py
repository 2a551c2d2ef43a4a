"""Reading the parts of one snapshot from a pinned view: no copy, nothing prepared.

A chunk is all records beneath a path, found over the index from key hash to key, or the branch
there when they are too many. Reading a full chunk takes some 60 ms; it is done in steps, so that
the thread it shares with commits is free again after each.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final, TypeVar

from consensus.certificates import QuorumCertificate
from node.blocks import Header, ValidatorKey, decode_block, record_of_certificate
from node.chain.errors import ChainDamaged
from node.chain.head import Head
from node.chain.history import History
from node.codec import CodecError, encode
from node.genesis import Genesis
from node.ledger.commitment import Path
from node.ledger.transactions import decode_transaction, transaction_id
from node.proofs import Handover
from node.snapshots.errors import SnapshotGone
from node.snapshots.parts import (
    CHUNK_BYTES_MAX,
    CHUNK_RECORDS_MAX,
    PAGE_ITEMS_MAX,
    PAGE_SIZE_TARGET,
    BlockIds,
    Chunk,
    Leaves,
    PointRecord,
    Split,
)
from node.storage import ReadView, layout

ResultT = TypeVar("ResultT")

STEP_RECORDS: Final = 512
"""Records read at one step: some 4 ms."""


class Snapshot:
    """One height of the chain. Reads block; each part has its bound."""

    def __init__(
        self, view: ReadView, header: Header, certificate: QuorumCertificate, genesis: Genesis
    ) -> None:
        """Take over a view at the height of this header."""
        self._view = view
        self._history = History(view, genesis)
        self._genesis = genesis
        self._edge_ms = header.time_ms - genesis.transactions.window_ms
        self._is_gone = False
        self.point = PointRecord(header=header, certificate=record_of_certificate(certificate))

    @property
    def height(self) -> int:
        """Of the block after which the state was this."""
        return self.point.header.height

    def let_go(self) -> None:
        """Refuse every read from now on; close after the reads under way."""
        self._is_gone = True

    def close(self) -> None:
        """Let go of the view; on the thread that reads."""
        self._is_gone = True
        self._view.close()

    # Parts.

    def chunk(self, path: Path) -> Chunk:
        """Return what is beneath a path.

        Raises:
            SnapshotGone: it was let go.
            ChainDamaged: index, records and tree contradict each other.
        """
        chunk = finish(self.chunk_steps(path))
        assert chunk is not None
        return chunk

    def chunk_steps(self, path: Path) -> Iterator[Chunk | None]:
        """Yield the same at last, and None after each step of a bounded number of reads."""
        self._check()
        start, stop = layout.hash_range(path)
        pairs = islice(self._view.scan(start, stop), CHUNK_RECORDS_MAX + 1)
        # In the order in which the records lie on the disk: a chunk touches all of the database,
        # and only so many tables are open at one time.
        keys = tuple(sorted(key for _, key in pairs))
        if len(keys) > CHUNK_RECORDS_MAX:
            yield self._split(path)
            return
        values: list[bytes] = []
        size_bytes = sum(map(len, keys))
        for key in keys:
            if values and len(values) % STEP_RECORDS == 0:
                yield None
                self._check()
            value = self._view.get(layout.state_key(key))
            if value is None:
                raise ChainDamaged(f"the record {key.hex()} is indexed and missing")
            values.append(value)
            size_bytes += len(value)
            if size_bytes > CHUNK_BYTES_MAX and len(keys) > 1:
                yield self._split(path)
                return
        yield Leaves(keys=keys, values=tuple(values))

    def chunks(self) -> Iterator[tuple[Path, Chunk]]:
        """Yield every chunk of the state, a branch before what is beneath it, by ascending path.

        What `Assembly` asks for in turn; the content of a backup.
        """
        waiting: list[Path] = [b""]
        while waiting:
            path = waiting.pop()
            chunk = self.chunk(path)
            yield path, chunk
            if isinstance(chunk, Split):
                waiting += [path + bytes((index,)) for index in reversed(range(16))]

    def handovers(self, above: int) -> tuple[tuple[bytes, ...], bool]:
        """Return changes of validators in blocks above a height, ascending and encoded.

        As many as fit a page, at least one if there is one; and whether there are more. The change
        that the snapshot's own block makes is not among them: its header and the state tell it.
        """
        self._check()
        heights = [
            height
            for height in self._history.validator_changes(self.height)
            if height > max(above + 1, 1)
        ]
        page: list[bytes] = []
        size = 0
        for height in heights[:PAGE_ITEMS_MAX]:
            data = encode(self._handover(height))
            size += len(data)
            if page and size > PAGE_SIZE_TARGET:
                break
            page.append(data)
        return tuple(page), len(page) < len(heights)

    def ids(self, below: int) -> tuple[bytes, ...]:
        """Return header and ids of the blocks below a height, descending and encoded.

        As many as fit a page, at least one if there is one, down to the first at or before the edge
        of the window.
        """
        page = finish(self.ids_steps(below))
        assert page is not None
        return page

    def ids_steps(self, below: int) -> Iterator[tuple[bytes, ...] | None]:
        """Yield the same at last, and None after each block."""
        page: list[bytes] = []
        size = 0
        for block in self._blocks(min(below - 1, self.height)):
            data = encode(block)
            size += len(data)
            if page and (size > PAGE_SIZE_TARGET or len(page) == PAGE_ITEMS_MAX):
                break
            page.append(data)
            yield None
        yield tuple(page)

    def has_all_ids(self) -> bool:
        """Whether all blocks that `ids` may be asked for are here."""
        earliest = self._history.earliest
        if earliest == 1:
            return True
        data = self._history.block_bytes(earliest)
        return data is not None and decode_block(data).header.time_ms <= self._edge_ms

    # Private.

    def _check(self) -> None:
        if self._is_gone:
            raise SnapshotGone(self.height)

    def _split(self, path: Path) -> Split:
        branch = self._view.get(layout.node_key(path))
        if branch is None:
            raise ChainDamaged(f"the branch at path {path.hex()[1::2] or '(root)'} is missing")
        return Split(branch=branch)

    def _handover(self, height: int) -> Handover:
        decided = self._history.handover(height)
        return Handover(
            header=decided.header,
            certificate=decided.certificate,
            validators=tuple(
                ValidatorKey(name=each.name, public_key=each.public_key)
                for each in self._history.decided(height)
            ),
        )

    def _blocks(self, height: int) -> Iterator[BlockIds]:
        while height >= 1:
            self._check()
            data = self._history.block_bytes(height)
            if data is None:
                return
            try:
                block = decode_block(data)
            except CodecError as error:
                raise ChainDamaged(f"the block of height {height} is unreadable: {error}") from None
            yield BlockIds(
                header=block.header,
                ids=tuple(
                    transaction_id(self._genesis.hash, decode_transaction(raw).body)
                    for raw in block.transactions
                ),
            )
            if block.header.time_ms <= self._edge_ms:
                return
            height -= 1


def finish(steps: Iterator[ResultT]) -> ResultT:
    """Take all steps at once; return what comes at last."""
    *_, last = steps
    return last


def pin(view: ReadView, head: Head, genesis: Genesis) -> Snapshot | None:
    """Return the snapshot of a view taken at the head; None before the first block.

    Raises:
        ChainDamaged: the head's certificate is missing.
    """
    if head.header is None:
        return None
    certificate = History(view, genesis).certificate(head.height)
    if certificate is None:
        raise ChainDamaged(f"the commit certificate of height {head.height} is missing")
    return Snapshot(view, head.header, certificate, genesis)
