"""Putting a backup back: believed nothing, verified whole, and only then given the database's name.

The file is read twice. First its checksum: a damaged or cut file, or one of another network, is
refused before anything is written. Then each part is held to what it must be, from the genesis of
the home on: the trail of validators, the certificate of the height, every chunk against the root in
that header, every id against its block, every block against its certificate. What is being made
stands beside the database's place until it is whole; a restore that was killed is begun anew.

The consensus log is left alone. A restored validator does not know what its key has signed since,
or finds a log ahead of the chain: either way it is silent until it has heard the others.
"""

import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from dataclasses import replace as with_changes
from pathlib import Path
from typing import Final, TypeVar

from node.blocks import Block, block_id, decode_block
from node.blocks.certificates import Verify
from node.chain.head import KeptRecord
from node.chain.history import History
from node.codec import CodecError, decode, encode
from node.genesis import Amendment, AmendmentError, Genesis, decode_amendment
from node.keys import verify as verify_signature
from node.ledger.transactions import TransactionError, decode_transaction, transaction_id
from node.snapshots import (
    Assembly,
    BadPart,
    Installation,
    Leaves,
    PointRecord,
    RecentIds,
    SnapshotError,
    Trail,
    decode_block_ids,
    decode_chunk,
    decode_handover,
    decode_point,
)
from node.storage import KeyValueStore, layout, open_leveldb, storage_error
from node.storage.files import sync_directory
from node.upkeep.backup_file import About, BackupError, BackupReader, Kind, StoredBlock
from node.upkeep.checked_blocks import BlockCheck, Sets
from node.upkeep.faults import Faults

T = TypeVar("T")

RESTORING: Final = ".restoring"
_ORDER: Final = {
    Kind.POINT: 0,
    Kind.AMENDMENT: 1,
    Kind.HANDOVER: 2,
    Kind.CHUNK: 3,
    Kind.IDS: 4,
    Kind.BLOCK: 5,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A database that was put back."""

    about: About
    chunks: int
    blocks: int
    amendments: tuple[Amendment, ...]
    """Those of the file that the home did not have, and whose ids were named: to be installed."""


def restore(
    file: Path,
    chain: Path,
    genesis: Genesis,
    *,
    accepted: Collection[bytes] = (),
    verify: Verify = verify_signature,
    progress: Callable[[int], None] = lambda _: None,
) -> Restored:
    """Make the database of a backup in this directory, which must not be there.

    Args:
        accepted: ids of amendments of the validator set that may be taken from the file: somebody
            has compared them with the institutions'. No file is believed one for itself.
        progress: told how many parts have been verified.

    Raises:
        BackupError: the file is damaged, cut, forged or of another network, goes through an
            amendment that the home does not have, or the home has a chain; nothing is left behind.
        StorageError: the disk's reasons.
    """
    if chain.exists() and not chain.is_dir():
        raise BackupError(f"{chain} is a file, expected a directory or nothing: move it aside")
    if chain.exists() and any(chain.iterdir()):
        raise BackupError(
            f"{chain} holds a chain: restoring overwrites nothing. Move it aside if it is not to be"
            " used any more"
        )
    try:
        with file.open("rb") as source:
            reader = BackupReader(source)
            about = reader.check()
            if about.network != genesis.hash:
                raise BackupError(
                    f"the backup is of the network with genesis {about.network.hex()}, this home is"
                    f" of {genesis.hash.hex()}"
                )
            taken = _amendments(reader, genesis, accepted)
            genesis = genesis.amended((*genesis.amendments, *taken))
            restored = _restore(reader, about, chain, genesis, verify, progress)
            return with_changes(restored, amendments=taken)
    except AmendmentError as error:
        raise BackupError(str(error)) from None
    except OSError as error:
        raise BackupError(f"{file} cannot be read: {error.strerror}") from None


def _amendments(
    reader: BackupReader, genesis: Genesis, accepted: Collection[bytes]
) -> tuple[Amendment, ...]:
    """Return the amendments of the file that the home does not have.

    Raises:
        AmendmentError: one of them is none.
        BackupError: nobody has named its id.
    """
    known = {each.id for each in genesis.amendments}
    found: list[Amendment] = []
    for kind, payload in reader.frames():
        if kind not in (Kind.POINT, Kind.AMENDMENT):
            break
        if kind is not Kind.AMENDMENT:
            continue
        amendment = decode_amendment(payload)
        if amendment.id in known:
            continue
        # At once: so many frames as a file may hold are kept only of those that somebody named.
        if amendment.id not in accepted:
            raise BackupError(
                f"the backup goes through amendment {amendment.serial} of the validator set,"
                f" {amendment.id.hex()}, which is not installed here. Compare the id with the"
                " institutions; then restore with --amendment and this id"
            )
        known.add(amendment.id)
        found.append(amendment)
    return tuple(found)


def _restore(
    reader: BackupReader,
    about: About,
    chain: Path,
    genesis: Genesis,
    verify: Verify,
    progress: Callable[[int], None],
) -> Restored:
    making = chain.with_name(chain.name + RESTORING)
    shutil.rmtree(making, ignore_errors=True)
    store = open_leveldb(making, create=True)
    try:
        try:
            restored = _Restoring(store, about, genesis, verify).run(reader, progress)
        finally:
            store.close()
    except SnapshotError as error:
        shutil.rmtree(making)
        raise BackupError(f"the backup does not hold: {error}") from None
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    try:
        if chain.exists():
            chain.rmdir()
        making.rename(chain)
        sync_directory(chain.parent)
    except OSError as error:
        raise storage_error(chain, error) from error
    return restored


class _Restoring:
    """One pass over the parts of a file, into an empty store."""

    def __init__(
        self, store: KeyValueStore, about: About, genesis: Genesis, verify: Verify
    ) -> None:
        self._store = store
        self._about = about
        self._genesis = genesis
        self._verify = verify
        self._installation = Installation(store, genesis)
        self._trail = Trail(genesis, verify)
        self._point: PointRecord | None = None
        self._assembly: Assembly | None = None
        self._recent: RecentIds | None = None
        self._blocks = 0
        self._chunks = 0

    def run(self, reader: BackupReader, progress: Callable[[int], None]) -> Restored:
        """Take every part and make a chain of them.

        Raises:
            BackupError, SnapshotError: a part is not what it must be, or one is missing.
        """
        self._installation.begin()
        stage = 0
        for number, (kind, payload) in enumerate(reader.frames(), start=1):
            if kind is Kind.ABOUT or _ORDER[kind] < stage:
                raise BackupError(f"part {number} is not where it belongs")
            stage = _ORDER[kind]
            self._take(kind, payload)
            progress(number)
        return self._finish()

    def _take(self, kind: Kind, payload: bytes) -> None:
        match kind:
            case Kind.POINT:
                self._take_point(decode_point(payload))
            case Kind.AMENDMENT:
                pass  # It was looked at before anything else: the genesis has it.
            case Kind.HANDOVER:
                self._trail.extend(decode_handover(payload))
            case Kind.CHUNK:
                self._take_chunk(payload)
            case Kind.IDS:
                self._take_ids(payload)
            case _:
                self._take_block(payload)

    def _take_point(self, point: PointRecord) -> None:
        header, about = point.header, self._about
        if (header.height, block_id(header), header.state_root) != (
            about.height,
            about.block_id,
            about.state_root,
        ):
            raise BackupError("the header in it is not that of the height that it says it is of")
        self._point = point
        self._assembly = Assembly(header.state_root)
        self._recent = RecentIds(
            point,
            genesis=self._genesis,
            window_ms=self._genesis.transactions.window_ms,
        )

    def _take_chunk(self, payload: bytes) -> None:
        if self._chunks == 0:
            # All handovers are there: before the first record is written, the height is certified.
            self._trail.check_point(self._needed(self._point))
        self._chunks += 1
        assembly = self._needed(self._assembly)
        size = payload[0] if payload else 0
        path, data = payload[1 : 1 + size], payload[1 + size :]
        wanted = assembly.take()
        if wanted is None or wanted[0] != path:
            raise BadPart("chunk", f"of path {path.hex()[1::2] or '(root)'}, which is not next")
        chunk = decode_chunk(data)
        subtree = assembly.fill(path, chunk)
        if subtree is not None:
            assert isinstance(chunk, Leaves)
            records = zip(chunk.keys, chunk.values, strict=True)
            self._installation.place(path, subtree, records)

    def _take_ids(self, payload: bytes) -> None:
        recent = self._needed(self._recent)
        taken = recent.accept((decode_block_ids(payload),))
        if recent.walked is not None:
            self._installation.note_ids(taken, recent.walked)

    def _take_block(self, payload: bytes) -> None:
        """Put a block where it says it belongs; it is held to its certificate at the end."""
        first = self._needed(self._about.blocks_from)
        height = first + self._blocks
        if height > self._about.height:
            raise BackupError(f"there are blocks above height {self._about.height}")
        try:
            stored = decode(payload, StoredBlock, size_max=len(payload) + 1)
            block: Block = decode_block(stored.block)
            ids = [
                transaction_id(self._genesis.hash, decode_transaction(raw).body)
                for raw in block.transactions
            ]
        except (CodecError, TransactionError) as error:
            raise BackupError(f"block {height} in it is unreadable: {error}") from None
        batch: list[tuple[bytes, bytes | None]] = [
            (layout.block_key(height), stored.block),
            (layout.certificate_key(height), stored.certificate),
            (layout.receipts_key(height), stored.receipts),
        ]
        batch += [
            (layout.transaction_key(each), layout.encode_place(height, index))
            for index, each in enumerate(ids)
        ]
        self._store.write(batch, sync=False)
        self._blocks += 1

    def _needed(self, value: T | None) -> T:
        if value is None:
            raise BackupError("a part is missing")
        return value

    def _finish(self) -> Restored:
        point, assembly = self._needed(self._point), self._needed(self._assembly)
        if not assembly.is_complete:
            raise BackupError(f"{assembly.waiting} chunks of the state are missing")
        if not self._needed(self._recent).is_complete:
            raise BackupError("the ids of recent blocks are not all there")
        expected = 0
        if self._about.blocks_from is not None:
            expected = self._about.height - self._about.blocks_from + 1
        if self._blocks != expected:
            raise BackupError(f"{self._blocks} blocks are in it, it says {expected}")
        self._check_blocks(point)
        self._installation.finish(point, self._trail, assembly.crown)
        self._keep_blocks()
        return Restored(about=self._about, chunks=self._chunks, blocks=self._blocks, amendments=())

    def _check_blocks(self, point: PointRecord) -> None:
        """Hold every block to its certificate, its neighbours and the height's own header."""
        first = self._about.blocks_from
        if first is None:
            return
        history = History(self._store, self._genesis)
        heights = history.validator_changes(self._about.height + 1)
        sets = Sets([(height, history.decided(height)) for height in heights], self._genesis)
        faults = Faults()
        check = BlockCheck(self._store, self._genesis, sets, faults, self._verify)
        last = None
        for height in range(first, self._about.height + 1):
            last = check.check(height)
        if last is not None and block_id(last) != block_id(point.header):
            raise BackupError("the last block in it is not that of the height")
        for fault in faults.first:
            raise BackupError(f"{fault.place}: {fault.found}, expected {fault.expected}")

    def _keep_blocks(self) -> None:
        """Say that the blocks are here: the chain begins at the first of them."""
        first = self._about.blocks_from
        if first is None:
            return
        history = History(self._store, self._genesis)
        block = history.block(first)
        assert block is not None
        ids_after_ms = None if first == 1 else min(block.header.time_ms - 1, self._edge_ms())
        kept = KeptRecord(from_height=first, ids_after_ms=ids_after_ms)
        self._store.write([(layout.Meta.KEPT.value, encode(kept))], sync=True)

    def _edge_ms(self) -> int:
        return max(0, self._about.time_ms - self._genesis.transactions.window_ms)
