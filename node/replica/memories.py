"""What is said of heights that somebody has forgotten: to those who have, and by the others.

`join` has the argument, `returning` what a validator without its memory asks.
"""

from consensus.engine import Engine
from consensus.inputs import RoundCalled
from consensus.types import Round, ValidatorId
from node.chain import Chain
from node.network import Forgot, Memory
from node.replica.deciding import Deciding
from node.replica.entering import Entering
from node.replica.returning import Calls
from node.replica.seat import Seat
from node.replica.service import Service


class Memories:
    """Answers those who have forgotten, and hears those who remember."""

    def __init__(
        self,
        *,
        chain: Chain,
        engine: Engine,
        seat: Seat | None,
        deciding: Deciding,
        entering: Entering,
        service: Service,
    ) -> None:
        """Store what is given.

        Args:
            seat: this node's key and log; None: it observes, and remembers nothing of its own.
        """
        self._chain = chain
        self._engine = engine
        self._seat = seat
        self._deciding = deciding
        self._entering = entering
        self._service = service
        self._calls = Calls()

    async def tell(self, peer: str, message: Forgot) -> None:
        """Tell a validator that has forgotten where this one stands, and take note of its return.

        One that has not recalled its log yet says nothing: it does not know its round, and is asked
        again.
        """
        seat, entering, height = self._seat, self._entering, self._entering.height
        if seat is None:
            return
        if message.round > 0 and message.height + 1 == height and entering.may_vote:
            await entering.begin_if_due(called=True)
            await self._take_call(peer, Round(message.round))
        if height == entering.height and not seat.holds(height):
            round_ = 0
            if self._deciding.is_open:
                round_ = max(self._engine.round, self._engine.called_round or 0)
            if message.begins:
                await seat.note_begun(peer, head=height - 1, validators=self._chain.validators)
            self._service.send_memory(
                peer,
                remembers=entering.is_witness,
                round_=round_,
                begun=seat.has_begun(peer, head=height - 1),
            )

    async def hear(self, peer: str, memory: Memory) -> None:
        """Hear what another validator knows of its own past, and begin if that was waited for."""
        if self._seat is not None:
            self._seat.heard(peer, memory, self._chain.validators)
            await self._entering.begin_if_due(called=False)

    def end_height(self) -> None:
        """Forget who has come back in which round: the height is over."""
        self._calls.clear()

    async def _take_call(self, peer: str, called: Round) -> None:
        """Let a validator that has forgotten the height come back in this round, within bounds."""
        if self._deciding.is_open and self._calls.take(peer, called, standing=self._engine.round):
            await self._deciding.drive(
                RoundCalled(height=self._entering.height, round=called, validator=ValidatorId(peer))
            )
