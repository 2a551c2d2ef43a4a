"""The snapshots that this node serves: pinned at fixed heights, the newest few kept.

Every node pins at multiples of the same interval, so that several serve the same snapshot and one
can take over from another; and once where it starts, so that a node that was just restarted has
something to give. What parts of two snapshots have in common counts for both.
"""

from typing import Final

from node.blocks import block_id
from node.chain import Chain, Committed
from node.log import Logger
from node.metrics import Metrics
from node.snapshots.source import Snapshot, pin
from node.storage import KeyValueStore, StorageThread

PINS_MAX: Final = 2
"""The newest, and the one before it for those who have begun with it."""


class Pins:
    """The pinned snapshots of one node. On the event loop; reading is for the storage thread."""

    def __init__(
        self,
        chain: Chain,
        store: KeyValueStore,
        *,
        interval: int,
        thread: StorageThread | None,
        metrics: Metrics,
        log: Logger,
    ) -> None:
        """Pin the head, and follow the chain from here on.

        Args:
            interval: heights from one snapshot to the next; 0 serves none.
        """
        self._chain = chain
        self._store = store
        self._interval = interval
        self._thread = thread
        self._metrics = metrics
        self._log = log.bind(part="snapshots")
        self._by_height: dict[int, Snapshot] = {}
        if interval:
            self._pin()
            # Blocks that are copied in a run are told of together: it has to end where we pin.
            chain.durable_every = interval
            chain.listeners.append(self._committed)

    @property
    def heights(self) -> tuple[int, ...]:
        """Those that can be served, ascending."""
        return tuple(sorted(self._by_height))

    def of(self, height: int) -> Snapshot | None:
        """Return the snapshot of this height, if it is kept."""
        return self._by_height.get(height)

    def points(self) -> tuple[tuple[int, bytes], ...]:
        """Return height and block id of each, ascending."""
        return tuple(
            (height, block_id(self._by_height[height].point.header)) for height in self.heights
        )

    def close(self) -> None:
        """Let go of all; before the store is closed."""
        for height in list(self._by_height):
            self._drop(height)

    def _committed(self, committed: Committed) -> None:
        if committed.candidate.height % self._interval == 0:
            assert committed.candidate.height == self._chain.head.height
            self._pin()

    def _pin(self) -> None:
        view = self._store.view()
        snapshot = pin(view, self._chain.head, self._chain.genesis)
        if snapshot is None or not snapshot.has_all_ids():
            view.close()
            return
        self._by_height[snapshot.height] = snapshot
        for height in self.heights[:-PINS_MAX]:
            self._drop(height)
        self._metrics.snapshot_height.set(snapshot.height)
        self._log.info("snapshot pinned", height=snapshot.height)

    def _drop(self, height: int) -> None:
        snapshot = self._by_height.pop(height)
        # Before the thread comes to closing it, whoever reads step by step is told.
        snapshot.let_go()
        if self._thread is None:
            snapshot.close()
        else:
            self._thread.run(snapshot.close)
