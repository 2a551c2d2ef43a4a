"""When and how this node begins a height: what must be known before it signs there, the cadence,
and what its log holds of the height already.

The seat says whether the key may sign, and in which round it comes back after a loss; the cadence
says when. A node that may not sign begins nothing.
"""

import functools

from consensus.inputs import StartHeight
from consensus.types import Height
from node.chain import Chain
from node.log import Logger
from node.replica.cadence import Cadence
from node.replica.deciding import Deciding
from node.replica.events import Woken
from node.replica.proposed import ProposedBlocks
from node.replica.returning import Asking
from node.replica.seat import Seat
from node.replica.timers import Timers


class Entering:
    """The way into the height after the head."""

    def __init__(
        self,
        *,
        chain: Chain,
        seat: Seat | None,
        asking: Asking,
        cadence: Cadence,
        deciding: Deciding,
        blocks: ProposedBlocks,
        timers: Timers,
        log: Logger,
    ) -> None:
        """Store what is given.

        Args:
            seat: this node's key and log; None: it observes, and begins nothing.
        """
        self._chain = chain
        self._seat = seat
        self._asking = asking
        self._cadence = cadence
        self._deciding = deciding
        self._blocks = blocks
        self._timers = timers
        self._log = log
        self._is_abreast = False

    @property
    def height(self) -> Height:
        """The height after the head."""
        return Height(self._chain.head.height + 1)

    @property
    def may_vote(self) -> bool:
        """Whether this node may sign at that height."""
        seat = self._seat
        return seat is not None and seat.may_vote(self.height, self._chain.validators)

    @property
    def is_witness(self) -> bool:
        """Whether this validator knows all that its key has signed above its head."""
        return self._seat is not None and self._seat.remembers(self._chain.head.height)

    @property
    def is_hearing(self) -> bool:
        """Whether the others are still to be heard before any height is begun: what they say first
        is what is being heard."""
        return self._seat is not None and self._seat.is_hearing

    @property
    def is_abreast(self) -> bool:
        """Whether this node has seen the height before it end, and so this one begin: not one that
        has just been started, or has copied that block. What it hears first may be old.
        """
        return self._is_abreast

    @property
    def needs_claims(self) -> bool:
        """Whether what peers claim matters still before this validator signs."""
        return self._seat is not None and not (self.is_witness and self._seat.is_compared)

    def committed(self, *, synced: bool) -> None:
        """Note that the height has ended: decided here, or taken from a peer's store."""
        self._is_abreast = not synced

    async def begin_if_due(self, *, called: bool) -> None:
        """Begin the height after the head, if this node may sign there and it is time.

        Args:
            called: a validator speaks of that height.
        """
        seat = self._seat
        if seat is None:
            return
        if not self._deciding.is_open and self.needs_claims:
            await self._asking.settle(seat)
        if seat.asks(self._chain.head.height):
            self._asking.ask(seat)
        height, validators = self.height, self._chain.validators
        if self._deciding.is_open or not seat.may_vote(height, validators):
            return
        entrance = await seat.enter(height, validators)
        delay_s = self._cadence.start_delay_s(
            called=called or seat.holds(height) or bool(entrance.witnesses)
        )
        if delay_s > 0:
            self._timers.set("begin", delay_s, Woken())
            return
        inputs, blocks = seat.recall(height)
        if inputs:
            self._log.info("height resumed from the log", height=height, inputs=len(inputs))
        start = StartHeight(
            height=height,
            validators=validators,
            round=entrance.round,
            witnesses=entrance.witnesses,
        )
        await self._deciding.open(start, inputs, functools.partial(self._blocks.restore, blocks))
