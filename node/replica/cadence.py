"""The cadence of this node: its `pace` from its head on, by its clock and what its pool holds."""

from node.chain import Chain
from node.clock import Clock
from node.mempool import Mempool
from node.replica.pace import Pace


class Cadence:
    """When the next height begins here, and when its block is built."""

    def __init__(self, *, chain: Chain, mempool: Mempool, clock: Clock) -> None:
        """Store what is given; `start` comes first."""
        self._chain = chain
        self._mempool = mempool
        self._clock = clock
        self._pace: Pace | None = None

    def start(self) -> None:
        """Take up the pace, at the head that the node was started with."""
        head, blocks = self._chain.head, self._chain.genesis.blocks
        # The first block of all is not overdue: it comes with the first transaction, or when the
        # validators have had the time to find each other.
        idle_ms = max(0, self._clock.now_ms() - head.time_ms) if head.height > 0 else 0
        self._pace = Pace(
            gather_ms=blocks.gather_ms,
            heartbeat_ms=blocks.heartbeat_ms,
            timeout_ms=self._chain.genesis.params.timeout_propose_ms,
            transactions_max=blocks.transactions_max,
            now_s=self._clock.monotonic(),
            idle_ms=idle_ms,
        )

    def beat(self) -> None:
        """Take the heartbeat for due: the clock has been set ahead."""
        if self._pace is not None:
            self._pace.beat(self._clock.monotonic())

    def committed(self, now_s: float, *, synced: bool, count: int) -> None:
        """Note that a block of so many transactions was committed.

        Args:
            now_s: by the monotonic clock.
            synced: it was copied from a peer, not decided here.
        """
        assert self._pace is not None
        self._pace.committed(now_s, synced=synced, count=count)

    def at_hand(self) -> None:
        """Note that a block of this height is at hand: built here, or proposed by another."""
        assert self._pace is not None
        self._pace.at_hand(self._clock.monotonic())

    def start_delay_s(self, *, called: bool) -> float:
        """Return after how many seconds the next height begins, as things stand; 0 is now.

        Args:
            called: a validator has spoken of the height, or the log holds some of it.
        """
        assert self._pace is not None
        waiting = len(self._mempool) > 0
        return self._pace.start_delay_s(self._clock.monotonic(), waiting=waiting, called=called)

    def build_delay_s(self) -> float:
        """Return for how many seconds the proposer still gathers transactions; 0: it builds."""
        assert self._pace is not None
        return self._pace.build_delay_s(self._clock.monotonic(), waiting=len(self._mempool))
