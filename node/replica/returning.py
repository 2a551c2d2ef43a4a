"""Validators that come back without their memory: what this one asks when it is one of them, and
how far it lets the others draw it on (`join` says why either is safe).
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from consensus.types import Round
from node.chain import Chain
from node.network import Forgot
from node.replica.seat import Seat
from node.replica.wire import Wire

ASK_S: Final = 1.0
"""So often a validator that does not know what it has signed asks the others where they stand."""
CALLED_AHEAD_MAX: Final = 8
"""Rounds by which a validator that comes back may draw the others on at one time."""
CALLS_MAX: Final = 4
"""Times that one validator may do so in a height: it can have been wiped again meanwhile."""


class Asking:
    """The question of a validator that does not know what it has signed, now and then."""

    def __init__(
        self,
        *,
        chain: Chain,
        wire: Wire,
        claims: Callable[[], Mapping[str, int]],
        wake: Callable[[], None],
        heard: Callable[[], None],
    ) -> None:
        """Ask nothing yet.

        Args:
            claims: the height that each connected validator says it has committed.
            wake: makes the replica look again, and ask again if it still has to.
            heard: called once the others were heard as far as they had to be after a start.
        """
        self._chain = chain
        self._wire = wire
        self._claims = claims
        self._wake = wake
        self._heard = heard
        self._timer: asyncio.TimerHandle | None = None
        """Until it fires, the others have been asked."""

    def question(self, seat: Seat) -> Forgot:
        """Return what the others are asked, and told, by this seat at the head."""
        head = self._chain.head.height
        return Forgot(height=head, round=seat.calls_to(head + 1), begins=seat.begins(head))

    async def settle(self, seat: Seat) -> None:
        """Find out from where on the key may sign, as far as the others have said enough for it."""
        was_hearing, question = seat.is_hearing, self.question(seat)
        await seat.settle(
            head=self._chain.head.height,
            validators=self._chain.validators,
            claims=self._claims(),
            model=self._chain.genesis.fault_model,
        )
        if self.question(seat) != question:
            self.stop_waiting()
        if was_hearing and not seat.is_hearing:
            self._heard()

    def ask(self, seat: Seat) -> None:
        """Ask all others, unless they were asked a moment ago."""
        if self._timer is None:
            self._wire.broadcast(self.question(seat))
            # Not one of the height's timers: a node that catches up passes many in a second.
            self._timer = asyncio.get_running_loop().call_later(ASK_S, self._elapsed)

    def stop_waiting(self) -> None:
        """Ask at once when there is something to ask the next time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _elapsed(self) -> None:
        self._timer = None
        self._wake()


class Calls:
    """The rounds of the next height in which others come back, by validator."""

    def __init__(self) -> None:
        self._taken: dict[str, list[Round]] = {}

    def take(self, peer: str, called: Round, *, standing: Round) -> bool:
        """Return whether a call is new and within bounds; then it is taken note of.

        Args:
            standing: the round in which this node is.
        """
        before = self._taken.get(peer, [])
        if called > standing + CALLED_AHEAD_MAX or called in before or len(before) >= CALLS_MAX:
            return False
        self._taken[peer] = [*before, called]
        return True

    def clear(self) -> None:
        """Forget all calls: the height is over."""
        self._taken.clear()
