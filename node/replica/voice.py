"""What this validator says to the others at a height, and says again while nothing changes.

Messages are lost with links. So whoever comes is told what was said before, and when a height has
stood still for a while everybody is, less often each time.
"""

from consensus.engine import Engine
from consensus.messages import SignedMessage, SignedVote
from node.metrics import Metrics
from node.network import WireMessage
from node.replica.bodies import Bodies
from node.replica.events import ResendDue
from node.replica.timers import Timers
from node.replica.wire import Wire, proposal_message, vote_message


class Voice:
    """The engine's messages on their way to peers."""

    def __init__(
        self,
        *,
        engine: Engine,
        wire: Wire,
        bodies: Bodies,
        timers: Timers,
        metrics: Metrics,
        resend_ms: int,
        resend_ms_max: int,
    ) -> None:
        """Store what is given.

        Args:
            resend_ms: how long a height stands still before all is said again; doubled each time.
            resend_ms_max: the longest that it grows to.
        """
        self._engine = engine
        self._wire = wire
        self._bodies = bodies
        self._timers = timers
        self._resends = metrics.resends
        self._first_ms = resend_ms
        self._longest_ms = resend_ms_max
        self._resend_ms = resend_ms

    def say(self, signed: SignedMessage) -> None:
        """Tell every validator."""
        message = self._message(signed)
        assert message is not None  # Our own proposal's block is pinned.
        self._wire.broadcast(message)

    def repeat_to(self, peer: str) -> None:
        """Tell one validator what was said at this height and still counts."""
        for message in self._said():
            self._wire.send(peer, message)

    def repeat(self) -> None:
        """Tell all validators so: nothing has changed for a while."""
        self._resends.inc()
        for message in self._said():
            self._wire.broadcast(message)
        self._resend_ms = min(2 * self._resend_ms, self._longest_ms)
        self._wait()

    def moved(self) -> None:
        """Note that the height did not stand still."""
        self._resend_ms = self._first_ms
        self._wait()

    def _wait(self) -> None:
        self._timers.set("resend", self._resend_ms / 1000, ResendDue())

    def _said(self) -> list[WireMessage]:
        messages = map(self._message, self._engine.resend())
        return [message for message in messages if message is not None]

    def _message(self, signed: SignedMessage) -> WireMessage | None:
        if isinstance(signed, SignedVote):
            return vote_message(signed)
        body = self._bodies.get(signed.proposal.block_id)
        return None if body is None else proposal_message(signed, body)
