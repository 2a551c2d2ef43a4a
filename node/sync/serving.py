"""Serving snapshots: requests of one peer are answered one after the other, off the event loop.

While a peer's request is being read for, nothing else is read from that peer; the others are not
held up. Nothing is prepared and nothing queues: a request costs what it reads, and its answer has
the bound of its kind.
"""

from collections.abc import Callable, Iterator
from typing import TypeAlias, TypeVar

from node.codec import encode
from node.metrics import Metrics
from node.network import (
    ChunkMessage,
    GetChunk,
    GetHandovers,
    GetRecentIds,
    GetSnapshots,
    Handovers,
    RecentIdsMessage,
    Snapshots,
)
from node.replica.wire import Wire
from node.snapshots import Pins, Snapshot, SnapshotGone
from node.storage import StorageThread

SnapshotRequest: TypeAlias = GetSnapshots | GetHandovers | GetChunk | GetRecentIds

ResultT = TypeVar("ResultT")


class Serving:
    """Answers for the snapshots that this node has pinned."""

    def __init__(
        self, pins: Pins, wire: Wire, *, thread: StorageThread | None, metrics: Metrics
    ) -> None:
        self._pins = pins
        self._wire = wire
        self._thread = thread
        self._parts = metrics.snapshot_parts

    async def received(self, peer: str, request: SnapshotRequest) -> None:
        """Answer a peer; the caller waits, and reads nothing more from it meanwhile.

        Raises:
            ChainDamaged, StorageError: what is stored here cannot be read.
        """
        match request:
            case GetSnapshots():
                pinned = [self._pins.of(height) for height in self._pins.heights]
                points = tuple(encode(each.point) for each in pinned if each is not None)
                self._wire.send(peer, Snapshots(points=points))
            case GetHandovers(height=height, above=above):
                page = await self._read(height, lambda each: iter([each.handovers(above)]))
                items, more = page or (None, False)
                self._wire.send(peer, Handovers(height=height, above=above, items=items, more=more))
            case GetChunk(height=height, path=path):
                chunk = await self._read(height, lambda each: each.chunk_steps(path))
                data = None if chunk is None else encode(chunk)
                self._wire.send(peer, ChunkMessage(height=height, path=path, chunk=data))
            case GetRecentIds(height=height, below=below):
                ids = await self._read(height, lambda each: each.ids_steps(below))
                self._wire.send(peer, RecentIdsMessage(height=height, below=below, items=ids))
        self._parts.labels(kind=type(request).__name__).inc()

    async def _read(
        self, height: int, reading: Callable[[Snapshot], Iterator[ResultT | None]]
    ) -> ResultT | None:
        """Read step by step, so that a commit waits for one step at most; None: not kept here."""
        snapshot = self._pins.of(height)
        if snapshot is None:
            return None
        steps = _until_gone(snapshot, reading)
        while True:
            result = await self._run(lambda: next(steps))
            if isinstance(result, SnapshotGone):
                return None
            if result is not None:
                return result

    async def _run(self, work: Callable[[], ResultT]) -> ResultT:
        return work() if self._thread is None else await self._thread.run(work)


def _until_gone(
    snapshot: Snapshot, reading: Callable[[Snapshot], Iterator[ResultT | None]]
) -> Iterator[ResultT | SnapshotGone | None]:
    """Yield the steps of reading, and at the end that the snapshot was let go, if it was.

    Not raised where it is read: the peer may be gone by then, and with it whoever waits for the
    step, and an error that nobody takes is one in the log.
    """
    try:
        yield from reading(snapshot)
    except SnapshotGone as gone:
        yield gone
