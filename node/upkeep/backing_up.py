"""Writing a backup: one pinned moment of the database, read in small steps, into one file.

The database may be in use: a view does not change under whoever reads it, and each step is some
milliseconds of reading, after which the storage thread is free for a commit. The file is written
beside its name, synced and renamed: what has the name is whole.
"""

import asyncio
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from node.blocks import block_id
from node.chain import Chain
from node.chain.behind import catch_up
from node.chain.errors import ChainDamaged
from node.chain.history import History
from node.chain.opening import check_belongs, load_head
from node.clock import Clock
from node.codec import encode
from node.genesis import Genesis, encode_amendment
from node.keys import verify
from node.snapshots import RecentIds, Snapshot, Split, decode_block_ids, decode_handover
from node.snapshots.source import pin
from node.storage import KeyValueStore, ReadView, StorageThread, layout
from node.storage.files import sync_directory
from node.storage.shadow import open_shadow
from node.upkeep.backup_file import (
    MAGIC,
    About,
    BackupError,
    Kind,
    StoredBlock,
    decode_about,
    frame,
)

Progress = Callable[[int], None]
"""How many bytes have been written."""

PARTIAL: Final = ".partial"
STEPS_S: Final = 0.004
"""On a running node, for how long the storage thread is kept at one time; a step takes as long."""
REST: Final = 1.0
"""On a running node, how long to rest after each step, for each second that it took."""


NOTHING_YET: Final = "there is no block yet: a backup would hold no more than the genesis"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A backup that is there."""

    about: About
    size_bytes: int
    chunks: int
    blocks: int


def frames_of(
    snapshot: Snapshot, view: ReadView, genesis: Genesis, *, blocks: bool, software: str
) -> Iterator[tuple[Kind, bytes] | None]:
    """Yield the frames of a backup in order, without the end; None after a step without one.

    Args:
        view: the one that the snapshot reads.
        blocks: with the blocks that are kept.

    Raises:
        BackupError: this node cannot make a whole backup yet.
        ChainDamaged, BadPart: what is stored contradicts itself.
        StorageError: the disk's reasons.
    """
    if not snapshot.has_all_ids():
        raise BackupError(
            "this node has joined by a snapshot a short while ago and does not hold every block"
            " whose transactions may come again; try again when a window of validity has passed"
        )
    header = snapshot.point.header
    history = History(view, genesis)
    first = history.earliest
    with_blocks = blocks and first <= snapshot.height
    about = About(
        network=genesis.hash,
        height=snapshot.height,
        block_id=block_id(header),
        time_ms=header.time_ms,
        state_root=header.state_root,
        blocks_from=first if with_blocks else None,
        software=software,
    )
    yield Kind.ABOUT, encode(about)
    yield Kind.POINT, encode(snapshot.point)
    for amendment in genesis.amendments_between(0, snapshot.height):
        yield Kind.AMENDMENT, encode_amendment(amendment)
    yield from _handovers(snapshot)
    yield from _chunks(snapshot)
    yield from _ids(snapshot, genesis)
    if with_blocks:
        for height in range(first, snapshot.height + 1):
            yield Kind.BLOCK, encode(_block(view, height))


def _handovers(snapshot: Snapshot) -> Iterator[tuple[Kind, bytes]]:
    above, more = 0, True
    while more:
        page, more = snapshot.handovers(above)
        for data in page:
            above = decode_handover(data).header.height
            yield Kind.HANDOVER, data


def _chunks(snapshot: Snapshot) -> Iterator[tuple[Kind, bytes] | None]:
    """Yield the chunks as `Snapshot.chunks` orders them, and None between their steps."""
    waiting = [b""]
    while waiting:
        path = waiting.pop()
        for chunk in snapshot.chunk_steps(path):
            if chunk is None:
                yield None
                continue
            yield Kind.CHUNK, bytes((len(path),)) + path + encode(chunk)
            if isinstance(chunk, Split):
                waiting += [path + bytes((index,)) for index in reversed(range(16))]


def _ids(snapshot: Snapshot, genesis: Genesis) -> Iterator[tuple[Kind, bytes] | None]:
    """Yield the blocks whose ids may come again, held to their headers."""
    recent = RecentIds(snapshot.point, genesis=genesis, window_ms=genesis.transactions.window_ms)
    while not recent.is_complete:
        page: tuple[bytes, ...] = ()
        for step in snapshot.ids_steps(recent.below):
            if step is None:
                yield None
            else:
                page = step
        recent.accept(tuple(decode_block_ids(data) for data in page))
        for data in page:
            yield Kind.IDS, data


def _block(view: ReadView, height: int) -> StoredBlock:
    parts = [
        view.get(key(height))
        for key in (layout.block_key, layout.certificate_key, layout.receipts_key)
    ]
    block, certificate, receipts = parts
    if block is None or certificate is None or receipts is None:
        raise ChainDamaged(f"block {height} is not whole")
    return StoredBlock(block=block, certificate=certificate, receipts=receipts)


class BackupWriter:
    """One file in the making."""

    def __init__(self, to: Path) -> None:
        """Begin beside the file's place.

        Raises:
            BackupError: the place is taken, or cannot be written.
        """
        self._to = to
        self._partial = to.with_name(to.name + PARTIAL)
        if to.exists():
            raise BackupError(f"{to} is there already: a backup overwrites nothing")
        try:
            descriptor = os.open(self._partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            raise BackupError(f"{to} cannot be written: {error.strerror}") from None
        self._file: BinaryIO = os.fdopen(descriptor, "wb")
        self._digest = hashlib.sha256()
        self._about: About | None = None
        self._size_bytes = 0
        self._counts: dict[Kind, int] = dict.fromkeys(Kind, 0)
        self._put(MAGIC)

    @property
    def size_bytes(self) -> int:
        """How much has been written."""
        return self._size_bytes

    def add(self, kind: Kind, payload: bytes) -> None:
        """Add a frame.

        Raises:
            BackupError: the disk's reasons.
        """
        if kind is Kind.ABOUT:
            self._about = decode_about(payload)
        self._counts[kind] += 1
        self._put(frame(kind, payload))

    def finish(self) -> Written:
        """End the file, make it durable and give it its name.

        Raises:
            BackupError: the disk's reasons.
        """
        assert self._about is not None
        self._put(frame(Kind.END, self._digest.digest()))
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._partial.rename(self._to)
            sync_directory(self._to.absolute().parent)
        except OSError as error:
            raise self._failed(error) from None
        return Written(
            about=self._about,
            size_bytes=self._size_bytes,
            chunks=self._counts[Kind.CHUNK],
            blocks=self._counts[Kind.BLOCK],
        )

    def give_up(self) -> None:
        """Leave nothing behind, unless it is finished."""
        with suppress(OSError):
            self._file.close()
        self._partial.unlink(missing_ok=True)

    def _put(self, data: bytes) -> None:
        self._digest.update(data)
        self._size_bytes += len(data)
        try:
            self._file.write(data)
        except OSError as error:
            raise self._failed(error) from None

    def _failed(self, error: OSError) -> BackupError:
        return BackupError(f"{self._to} cannot be written: {error.strerror}")


def back_up_stopped(
    chain: Path,
    genesis: Genesis,
    to: Path,
    *,
    blocks: bool,
    software: str,
    progress: Progress = lambda _: None,
) -> Written:
    """Back up the database in this directory, which no node has open; it is not written to.

    Raises:
        BackupError: there is nothing to back up yet, or the file cannot be written.
        ChainDamaged: it is not sound: check and repair it first.
        StorageError: the disk's reasons.
    """
    with open_shadow(chain) as store:
        check_belongs(store, genesis)
        catch_up(store)
        view = store.view()
        try:
            snapshot = pin(view, load_head(store, genesis, verify), genesis)
            if snapshot is None:
                raise BackupError(NOTHING_YET)
            writer = BackupWriter(to)
            try:
                for made in frames_of(snapshot, view, genesis, blocks=blocks, software=software):
                    if made is not None:
                        writer.add(*made)
                        progress(writer.size_bytes)
                return writer.finish()
            except BaseException:
                writer.give_up()
                raise
        finally:
            view.close()


async def back_up_running(
    chain: Chain,
    store: KeyValueStore,
    thread: StorageThread,
    clock: Clock,
    to: Path,
    *,
    blocks: bool,
    software: str,
    progress: Progress = lambda _: None,
) -> Written:
    """Back up a node that goes on working: at the height where it stands now.

    Reads step by step in the storage thread and rests as long as it has read, so that a commit
    waits for one step at most; the file is written in a thread of its own.

    Raises:
        BackupError, ChainDamaged, StorageError: as for a stopped one.
    """
    await chain.settled()
    # Before the loop is given up: view and head are of one moment.
    view = store.view()
    try:
        snapshot = pin(view, chain.head, chain.genesis)
        if snapshot is None:
            raise BackupError(NOTHING_YET)
        writer = await asyncio.to_thread(BackupWriter, to)
        try:
            steps = frames_of(snapshot, view, chain.genesis, blocks=blocks, software=software)
            while True:
                began_s = clock.monotonic()
                made, ended = await thread.run(lambda: _read(steps, clock))
                await asyncio.sleep(REST * (clock.monotonic() - began_s))
                await asyncio.to_thread(_add_all, writer, made)
                progress(writer.size_bytes)
                if ended:
                    break
            return await asyncio.to_thread(writer.finish)
        except BaseException:
            writer.give_up()
            raise
    finally:
        # After the step that may be under way.
        thread.run(view.close)


def _read(
    steps: Iterator[tuple[Kind, bytes] | None], clock: Clock
) -> tuple[list[tuple[Kind, bytes]], bool]:
    """Take steps for a few milliseconds; return the frames that came of them, and if it was all."""
    made: list[tuple[Kind, bytes]] = []
    until_s = clock.monotonic() + STEPS_S
    while clock.monotonic() < until_s:
        try:
            frame_made = next(steps)
        except StopIteration:
            return made, True
        if frame_made is not None:
            made.append(frame_made)
    return made, False


def _add_all(writer: BackupWriter, made: Sequence[tuple[Kind, bytes]]) -> None:
    for kind, payload in made:
        writer.add(kind, payload)
