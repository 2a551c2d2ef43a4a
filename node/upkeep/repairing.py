"""`khazana repair`: a database that is not whole makes room for one built from its good blocks.

Nothing is mended in place. The good blocks are replayed from the genesis into a new database, each
checked as if a peer had sent it: certificate with all signatures, transactions with theirs, every
root computed anew. Then the old directory is renamed, and kept, and the new one takes its place. A
node that was killed anywhere in between has one of the two, whole; repairing again goes on.

The consensus log is never touched: what this node may have signed stays known, and where the log is
ahead of the database the node signs nothing before it has caught up.

A state cannot be computed from blocks that are not there: where blocks were pruned, or the first
one is lost, the old directory is only moved aside, and the node gets the chain from its peers.
"""

import asyncio
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from consensus.errors import InvalidValue
from node.admission import Admission, AdmissionError
from node.blocks import (
    Block,
    CertificateError,
    block_id,
    decode_block,
    decode_certificate,
    verify_certificate,
)
from node.chain import Chain, ChainError
from node.clock import SystemClock
from node.codec import CodecError
from node.genesis import Genesis
from node.keys import verify
from node.ledger.errors import InvariantViolation
from node.mempool import Mempool
from node.storage import (
    Batch,
    KeyValueStore,
    ReadView,
    StorageError,
    StorageMissing,
    layout,
    open_leveldb,
    storage_error,
)
from node.storage.files import sync_directory
from node.storage.lock import DirectoryLock
from node.storage.shadow import open_shadow
from node.upkeep.checking import Report

REBUILDING: Final = ".rebuilding"
ASIDE: Final = ".damaged-"
ASIDE_MAX: Final = 1_000


class RepairRefused(Exception):
    """What was asked for cannot be done; nothing was changed."""


class Done(StrEnum):
    """What a repair did."""

    NOTHING = "nothing"
    """The database is whole."""
    REBUILT = "rebuilt"
    """A new database, of the good blocks, has taken its place."""
    MOVED = "moved"
    """The old one was moved aside, and there is none now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """What a repair did, and what the node does next."""

    done: Done
    height: int
    """Up to which block the new database goes; 0: none."""
    moved_to: Path | None
    """Where the old directory is kept."""
    stopped_by: str
    """Why no further block could be taken; empty where all were, or no more were asked for."""

    @property
    def next(self) -> str:
        """What the node does when it is started."""
        match self.done:
            case Done.NOTHING:
                return "the database is whole: nothing had to be done to it"
            case Done.REBUILT:
                return (
                    f"start the node: it goes on from height {self.height}, fetches the rest from"
                    " its peers, and signs nothing that its consensus log has passed"
                )
            case Done.MOVED:
                return (
                    "start the node: it copies the chain from peers that keep all blocks, or joins"
                    " by a snapshot, or restore a backup first; it signs nothing before it has"
                    " caught up"
                )


def repair(
    chain: Path,
    genesis: Genesis,
    report: Report | None,
    *,
    to_height: int | None = None,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Repaired:
    """Put a sound database in the place of the one in this directory.

    Args:
        chain: the directory of the database.
        report: what a check has just found; None where there is no database to check.
        to_height: go back to this block even if all is well, or no further than to it.
        progress: told how many blocks were replayed, and of how many.

    Raises:
        RepairRefused: the height is not to be had.
        StorageError: the disk's reasons; the old directory is where it was.
    """
    rebuilding = chain.with_name(chain.name + REBUILDING)
    if report is None:
        return _finish_interrupted(chain, rebuilding, genesis)
    if report.database_is_whole and to_height is None:
        return Repaired(done=Done.NOTHING, height=report.height or 0, moved_to=None, stopped_by="")
    _check_wanted(report, to_height)
    if report.from_height > 1:
        return _moved(chain, f"blocks below {report.from_height} are not here to be replayed")
    last = to_height if to_height is not None else report.height
    shutil.rmtree(rebuilding, ignore_errors=True)
    with open_shadow(chain, salvage=True) as source:
        height, stopped_by = asyncio.run(_rebuild(source, rebuilding, genesis, last, progress))
    if to_height is not None and height < to_height:
        shutil.rmtree(rebuilding)
        raise RepairRefused(
            f"good blocks end at height {height}: {stopped_by}. Repair to that height or below"
        )
    if height == 0 and to_height is None:
        shutil.rmtree(rebuilding)
        return _moved(chain, stopped_by)
    moved_to = _aside(chain)
    _rename(rebuilding, chain)
    return Repaired(done=Done.REBUILT, height=height, moved_to=moved_to, stopped_by=stopped_by)


def _check_wanted(report: Report, to_height: int | None) -> None:
    if to_height is None:
        return
    if report.from_height > 1:
        raise RepairRefused(
            f"the blocks below {report.from_height} are pruned, so that no earlier state can be"
            " computed here; restore a backup, or leave --to-height out to start from the peers"
        )
    if report.height is not None and to_height > report.height:
        raise RepairRefused(f"the head is at height {report.height}, below {to_height}")


def _finish_interrupted(chain: Path, rebuilding: Path, genesis: Genesis) -> Repaired:
    """Go on where an earlier repair was killed between its two renames."""
    if chain.exists() or not rebuilding.exists():
        raise StorageMissing(chain, "no database in it")
    store = open_leveldb(rebuilding, create=False)
    try:
        height = Chain.open(store, genesis).head.height
    finally:
        store.close()
    _rename(rebuilding, chain)
    return Repaired(
        done=Done.REBUILT, height=height, moved_to=_last_aside(chain), stopped_by="interrupted"
    )


# Replaying.


class _Unusable(Exception):
    """A block that is not there, or not to be believed."""


async def _rebuild(
    source: ReadView,
    path: Path,
    genesis: Genesis,
    last: int | None,
    progress: Callable[[int, int], None],
) -> tuple[int, str]:
    """Build a database of the good blocks; return up to where they go, and what ended them."""
    store = open_leveldb(path, create=True)
    try:
        chain = Chain.open(_Unsynced(store), genesis)
        clock = SystemClock()
        admission = Admission(chain, Mempool(clock), clock)
        stopped_by = ""
        while last is None or chain.head.height < last:
            height = chain.head.height + 1
            try:
                await _replay(source, height, chain, admission)
            except (_Unusable, ChainError, AdmissionError, InvariantViolation) as error:
                stopped_by = f"block {height}: {error}"
                break
            progress(height, last or height)
        # One synced write makes all before it durable.
        head = store.get(layout.Meta.HEAD.value)
        store.write([(layout.Meta.HEAD.value, head)], sync=True)
    finally:
        store.close()
    return chain.head.height, stopped_by


async def _replay(source: ReadView, height: int, chain: Chain, admission: Admission) -> None:
    try:
        block_data = source.get(layout.block_key(height))
        certificate_data = source.get(layout.certificate_key(height))
        if block_data is None or certificate_data is None:
            raise _Unusable("it is not there")
        block: Block = decode_block(block_data)
        certificate = decode_certificate(certificate_data)
        verify_certificate(
            certificate,
            chain.validators,
            chain.genesis.fault_model,
            chain.genesis.domain(height),
            verify,
            height=height,
            block_id=block_id(block.header),
        )
    except (StorageError, CodecError, InvalidValue, CertificateError) as error:
        raise _Unusable(str(error)) from None
    transactions = await admission.verify_block(block.transactions)
    candidate = chain.check(block.header, transactions, block.evidence, now_ms=None, certified=True)
    await chain.commit(candidate, certificate)


class _Unsynced:
    """A store whose batches are made durable once, at the end: until then it is nobody's chain."""

    def __init__(self, inner: KeyValueStore) -> None:
        self._inner = inner

    @property
    def writes_synced(self) -> int:
        return self._inner.writes_synced

    def get(self, key: bytes) -> bytes | None:
        return self._inner.get(key)

    def seek(self, key: bytes) -> bytes | None:
        return self._inner.seek(key)

    def seek_each(self, keys: Sequence[bytes]) -> list[bytes | None]:
        return self._inner.seek_each(keys)

    def scan(
        self, start: bytes, stop: bytes, *, reverse: bool = False, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        return self._inner.scan(start, stop, reverse=reverse, limit=limit)

    def write(self, batch: Batch, *, sync: bool) -> None:
        del sync
        self._inner.write(batch, sync=False)

    def view(self) -> ReadView:
        return self._inner.view()

    def close(self) -> None:
        self._inner.close()


# Directories.


def _moved(chain: Path, why: str) -> Repaired:
    return Repaired(done=Done.MOVED, height=0, moved_to=_aside(chain), stopped_by=why)


def _asides(chain: Path) -> Iterator[Path]:
    return (chain.with_name(f"{chain.name}{ASIDE}{number}") for number in range(1, ASIDE_MAX))


def _last_aside(chain: Path) -> Path | None:
    there = [path for path in _asides(chain) if path.exists()]
    return there[-1] if there else None


def _aside(chain: Path) -> Path:
    """Rename the directory, which nobody else has open, to the first free name."""
    free = next((path for path in _asides(chain) if not path.exists()), None)
    if free is None:
        raise RepairRefused(f"{ASIDE_MAX} damaged databases stand beside {chain}: remove some")
    lock = DirectoryLock(chain)
    try:
        _rename(chain, free)
    finally:
        lock.close()
    return free


def _rename(old: Path, new: Path) -> None:
    try:
        old.rename(new)
        sync_directory(new.parent)
    except OSError as error:
        raise storage_error(old, error) from error
