"""When and how this node begins a height: what must be known before it signs there, the cadence,
and what its log holds of the height already.

The seat says whether the key may sign, and in which round it comes back after a loss; the pace says
when. A node that may not sign begins nothing.
"""

from collections.abc import Callable, Mapping, Set

from consensus.inputs import StartHeight
from consensus.types import Height
from node.blocks import decode_block
from node.chain import Chain
from node.clock import Clock
from node.log import Logger
from node.mempool import Mempool
from node.replica.contents import Contents
from node.replica.deciding import Deciding
from node.replica.events import Woken
from node.replica.pace import Pace
from node.replica.returning import Asking
from node.replica.seat import Seat
from node.replica.timers import Timers
from node.replica.workshop import Workshop


class Entering:
    """The way into the height after the head."""

    def __init__(
        self,
        *,
        chain: Chain,
        mempool: Mempool,
        seat: Seat | None,
        claims: Callable[[], Mapping[str, int]],
        asking: Asking,
        deciding: Deciding,
        contents: Contents,
        workshop: Workshop,
        timers: Timers,
        heard: Callable[[], None],
        clock: Clock,
        log: Logger,
    ) -> None:
        """Store what is given; `start` comes first.

        Args:
            seat: this node's key and log; None: it observes, and begins nothing.
            claims: the height that each connected validator says it has committed.
            heard: called once the others were heard as far as they had to be after a start.
        """
        self._chain = chain
        self._mempool = mempool
        self._seat = seat
        self._claims = claims
        self._asking = asking
        self._deciding = deciding
        self._contents = contents
        self._workshop = workshop
        self._timers = timers
        self._heard = heard
        self._clock = clock
        self._log = log
        self._pace: Pace | None = None
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

    def start(self) -> None:
        """Take up the cadence, at the head that the node was started with."""
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
        """Note that a block of so many transactions was committed."""
        assert self._pace is not None
        self._is_abreast = not synced
        self._pace.committed(now_s, synced=synced, count=count)

    def at_hand(self) -> None:
        """Note that a block of this height is at hand: built here, or proposed by another."""
        assert self._pace is not None
        self._pace.at_hand(self._clock.monotonic())

    def build_delay_s(self) -> float:
        """Return how long the proposer still gathers transactions."""
        assert self._pace is not None
        return self._pace.build_delay_s(self._clock.monotonic(), waiting=len(self._mempool))

    async def begin_if_due(self, *, called: bool) -> None:
        """Begin the height after the head, if this node may sign there and it is time.

        Args:
            called: a validator speaks of that height.
        """
        seat = self._seat
        if seat is None:
            return
        await self._settle(seat)
        height, validators = self.height, self._chain.validators
        if self._deciding.is_open or not seat.may_vote(height, validators):
            return
        assert self._pace is not None
        entrance = await seat.enter(height, validators)
        delay_s = self._pace.start_delay_s(
            self._clock.monotonic(),
            waiting=len(self._mempool) > 0,
            called=called or seat.holds(height) or bool(entrance.witnesses),
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
        await self._deciding.open(start, inputs, lambda wanted: self._restore(blocks, wanted))

    async def _settle(self, seat: Seat) -> None:
        """Find out from where on the key may sign, as far as the others have said enough for it."""
        head = self._chain.head.height
        if not self._deciding.is_open and self.needs_claims:
            was_hearing, question = seat.is_hearing, self._asking.question(seat)
            await seat.settle(
                head=head,
                validators=self._chain.validators,
                claims=self._claims(),
                model=self._chain.genesis.fault_model,
            )
            if self._asking.question(seat) != question:
                self._asking.stop_waiting()
            if was_hearing and not seat.is_hearing:
                self._heard()
        if seat.asks(head):
            self._asking.ask(seat)

    async def _restore(self, blocks: Mapping[bytes, bytes], wanted: Set[bytes]) -> None:
        """Have those bodies again that the log holds, and that may still count."""
        for block_id, data in blocks.items():
            if block_id not in wanted:
                continue
            block = decode_block(data)
            transactions = await self._contents.authenticate(block.transactions)
            self._workshop.keep_whole(block, transactions)
