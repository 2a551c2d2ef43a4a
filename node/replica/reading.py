"""What a message of the height at hand is to the engine: an input, once it is verified."""

from consensus.inputs import CertificateReceived, Input, ProposalReceived, VoteReceived
from node.chain import Chain
from node.clock import Clock
from node.metrics import Metrics
from node.network import CertificateMessage, ProposalMessage, VoteMessage
from node.replica.bodies import Bodies, Body, body_of
from node.replica.gate import BadMessage, Fault, Gate
from node.replica.skew import Skew


class Reading:
    """Reads votes, proposals and certificates through the gate."""

    def __init__(
        self,
        *,
        chain: Chain,
        gate: Gate,
        bodies: Bodies,
        skew: Skew,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._chain = chain
        self._gate = gate
        self._bodies = bodies
        self._skew = skew
        self._clock = clock
        self._metrics = metrics

    def input_of(
        self, message: VoteMessage | ProposalMessage | CertificateMessage, *, is_timely: bool
    ) -> Input | None:
        """Return the engine's input, verified; None for what is known already.

        Args:
            is_timely: whether a proposal of this round would have been made just now.

        Raises:
            BadMessage: a rule is broken, or a signature does not hold.
        """
        match message:
            case VoteMessage():
                vote = self._gate.admit_vote(message)
                if vote is None:
                    return None
                self._metrics.votes.labels(kind=vote.vote.kind.name.lower()).inc()
                return VoteReceived(signed=vote)
            case ProposalMessage():
                if not self._gate.expects_proposal(message):
                    return None
                body = body_of(message)
                _check_round(message, body)
                proposal = self._gate.admit_proposal(message)
                self._bodies.add(body)
                if is_timely:
                    self._note_clock(message, body.header.time_ms)
                return ProposalReceived(signed=proposal)
            case CertificateMessage():
                certificate = self._gate.admit_certificate(message)
                return CertificateReceived(certificate=certificate)

    def _note_clock(self, message: ProposalMessage, time_ms: int) -> None:
        # One that is proposed again is old, and one right behind its parent may be pushed ahead.
        if message.valid_round is None and time_ms > self._chain.head.time_ms + 1:
            ahead_ms = self._skew.heard(
                message.proposer,
                time_ms=time_ms,
                now_ms=self._clock.now_ms(),
                now_s=self._clock.monotonic(),
            )
            self._metrics.clock_offset_seconds.labels(validator=message.proposer).set(
                ahead_ms / 1000
            )


def _check_round(message: ProposalMessage, body: Body) -> None:
    """Check that a new block says of itself that it is of this round.

    A later one would have it that others missed the turns between. Of a block that is proposed
    again, a quorum has prevoted it in its valid round, and it keeps the round of before.

    Raises:
        BadMessage: it is a block of another round.
    """
    if message.valid_round is None and body.header.round != message.round:
        raise BadMessage(
            Fault.BAD_BLOCK,
            f"a block of round {body.header.round} is new in round {message.round}",
        )
