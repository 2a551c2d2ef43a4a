"""How the blocks that the engine asks for are put together: from the pool first, then from peers.

A proposal overtakes the transactions it names: they were pushed before it, travel in a lower lane,
and have to be verified. So nobody is asked for them before they had a little time to come.

Whoever proposed is asked first, then the other validators in turn; a peer that answers without what
was asked for, or not in time, is followed by the next. It goes on while the block may count,
more slowly after each full turn: what nobody has does not keep the wires busy.
"""

import asyncio
from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import Final

from node.mempool import Mempool
from node.metrics import Metrics
from node.network import GetProposedBlock, GetTransactions, Role
from node.replica.bodies import Bodies, Body
from node.replica.wire import Wire

ROUNDS_MAX: Final = 4
"""The wait between two requests grows with each turn through the peers, up to this factor."""


@dataclass(slots=True, kw_only=True)
class Wanted:
    """A block that the engine waits for."""

    height: int
    proposer: str
    ignore_clock: bool
    asked: str | None = None
    """The peer that was asked last."""
    waiting: bool = False
    """Nobody is asked before an answer comes or the timer elapses."""
    was_patient: bool = False
    """Its transactions had their time to come by themselves."""
    attempts: int = 0
    peers: int = 1
    """How many peers there were to ask."""
    timer: asyncio.TimerHandle | None = None


class Obtaining:
    """The requests of one height."""

    def __init__(
        self,
        *,
        wire: Wire,
        mempool: Mempool,
        bodies: Bodies,
        retry: Callable[[bytes], None],
        timeout_s: float,
        patience_s: float,
        size_bytes_max: int,
        metrics: Metrics,
    ) -> None:
        """Store what is given.

        Args:
            retry: called with a block id when its peer has not answered in time.
            timeout_s: how long one peer may take to answer.
            patience_s: how long a transaction may be behind the proposal that names it.
            size_bytes_max: of a block: of one that is larger no more is asked for.
        """
        self._wire = wire
        self._mempool = mempool
        self._bodies = bodies
        self._retry = retry
        self._timeout_s = timeout_s
        self._patience_s = patience_s
        self._size_bytes_max = size_bytes_max
        self._fetches = metrics.fetches
        self._wanted: dict[bytes, Wanted] = {}

    @property
    def wanted(self) -> tuple[bytes, ...]:
        """The ids of the blocks that are waited for."""
        return tuple(self._wanted)

    def want(self, block_id: bytes, *, height: int, proposer: str, ignore_clock: bool) -> Wanted:
        """Note that the engine waits for this block; what was asked for before is kept."""
        wanted = self._wanted.get(block_id)
        if wanted is None:
            wanted = Wanted(height=height, proposer=proposer, ignore_clock=ignore_clock)
            self._wanted[block_id] = wanted
        wanted.ignore_clock = wanted.ignore_clock or ignore_clock
        self._bodies.pin(block_id)
        return wanted

    def get(self, block_id: bytes) -> Wanted | None:
        """Return what is known of a block that is waited for."""
        return self._wanted.get(block_id)

    def obtain(self, block_id: bytes) -> Body | None:
        """Return the wanted block if it is complete by now; ask a peer for the rest if not.

        Of a block that is too large it is enough to know so much: no honest peer is behind it, and
        the rest of it may be a hundred times what a block can be.
        """
        wanted = self._wanted[block_id]
        body = self._bodies.get(block_id)
        if body is not None:
            body.search(self._mempool.get)
            if body.is_whole or body.is_beyond(self._size_bytes_max):
                return body
            if not wanted.was_patient and self._patience_s > 0:
                wanted.was_patient = wanted.waiting = True
                self._retry_after(self._patience_s, block_id, wanted)
        if not wanted.waiting:
            self._ask(block_id, wanted, body)
        return None

    def answered(self, block_id: bytes, peer: str) -> None:
        """Note that a peer has answered, with or without what was asked for: the next may be.

        After a full turn nobody is asked before the timer elapses, however fast all say no.
        """
        wanted = self._wanted.get(block_id)
        if wanted is not None and wanted.asked == peer:
            wanted.waiting = wanted.attempts % wanted.peers == 0

    def elapsed(self, block_id: bytes) -> None:
        """Note that the peer that was asked has not answered in time."""
        wanted = self._wanted.get(block_id)
        if wanted is not None:
            wanted.waiting = False

    def done(self, block_id: bytes) -> None:
        """Stop wanting this block."""
        wanted = self._wanted.pop(block_id, None)
        if wanted is not None and wanted.timer is not None:
            wanted.timer.cancel()

    def keep(self, block_ids: Set[bytes]) -> None:
        """Stop wanting all but these: the rounds of the others are long past."""
        for block_id in self.wanted:
            if block_id not in block_ids:
                self.done(block_id)

    def clear(self) -> None:
        """Stop wanting anything: the height is over."""
        for block_id in self.wanted:
            self.done(block_id)

    # Private.

    def _ask(self, block_id: bytes, wanted: Wanted, body: Body | None) -> None:
        names = [peer.name for peer in self._wire.peers() if peer.role is Role.VALIDATOR]
        if wanted.proposer in names:
            names.remove(wanted.proposer)
            names.insert(0, wanted.proposer)
        wanted.peers = max(len(names), 1)
        turns, place = divmod(wanted.attempts, wanted.peers)
        wanted.attempts += 1
        wanted.waiting = True
        if names:
            request = (
                GetProposedBlock(height=wanted.height, block_id=block_id)
                if body is None
                else GetTransactions(block_id=block_id, ids=body.missing())
            )
            self._fetches.inc()
            self._wire.send(names[place], request)
            wanted.asked = names[place]
        self._retry_after(self._timeout_s * min(turns + 1, ROUNDS_MAX), block_id, wanted)

    def _retry_after(self, delay_s: float, block_id: bytes, wanted: Wanted) -> None:
        if wanted.timer is not None:
            wanted.timer.cancel()
        loop = asyncio.get_running_loop()
        wanted.timer = loop.call_later(delay_s, self._retry, block_id)
