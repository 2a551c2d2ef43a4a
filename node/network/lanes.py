"""What waits to be sent to one peer: three queues, each with its own limit and its own overflow.

=============  ==========================================================================
lane           when full
=============  ==========================================================================
CONSENSUS      `LaneOverflow`: a peer that far behind is of no use; the link is dropped and
               both sides say everything again when they meet
SYNC           the new frame is refused: whoever asked will ask again, or somebody else
TRANSACTIONS   the oldest batches go: the newest are the likeliest to be still wanted
=============  ==========================================================================

Frames are shared between peers, not copied.
"""

from collections import deque

from node.network.messages import Lane
from node.network.settings import LaneLimits, NetworkSettings


class LaneOverflow(Exception):
    """The consensus lane is full."""


class Lanes:
    """The queues of one peer; knows nothing of tasks or links."""

    def __init__(self, settings: NetworkSettings) -> None:
        self._limits: dict[Lane, LaneLimits] = {
            Lane.CONSENSUS: settings.consensus_lane,
            Lane.SYNC: settings.sync_lane,
            Lane.TRANSACTIONS: settings.transactions_lane,
        }
        self._queues: tuple[deque[bytes], ...] = tuple(deque() for _ in Lane)
        self._sizes = [0 for _ in Lane]
        self.dropped = [0 for _ in Lane]
        """Frames that a full lane refused or let go, by lane."""

    def put(self, lane: Lane, frame: bytes) -> bool:
        """Queue a frame; return whether it will be sent if the link lives.

        Raises:
            LaneOverflow: the consensus lane is full.
        """
        queue = self._queues[lane]
        limits = self._limits[lane]
        if lane is Lane.TRANSACTIONS:
            while queue and not self._fits(lane, limits, frame):
                self._sizes[lane] -= len(queue.popleft())
                self.dropped[lane] += 1
        elif queue and not self._fits(lane, limits, frame):
            self.dropped[lane] += 1
            if lane is Lane.CONSENSUS:
                raise LaneOverflow
            return False
        queue.append(frame)
        self._sizes[lane] += len(frame)
        return True

    def take(self) -> tuple[Lane, bytes] | None:
        """Return the oldest frame of the first lane that has one, or None."""
        for lane in Lane:
            queue = self._queues[lane]
            if queue:
                frame = queue.popleft()
                self._sizes[lane] -= len(frame)
                return lane, frame
        return None

    def waiting(self, lane: Lane) -> int:
        """Frames in a lane."""
        return len(self._queues[lane])

    @property
    def size_bytes(self) -> int:
        """Bytes in all lanes."""
        return sum(self._sizes)

    def _fits(self, lane: Lane, limits: LaneLimits, frame: bytes) -> bool:
        return (
            len(self._queues[lane]) < limits.count_max
            and self._sizes[lane] + len(frame) <= limits.size_max
        )
