"""What this validator says at a height: durable in its log first, then signed.

`seat` holds the log and the key; here is what of the engine's effects goes into them, and in which
order.
"""

from consensus.effects import Effect, Persist, SignProposal, SignVote
from consensus.engine import Engine
from consensus.inputs import BlockBuilt, BlockValidated, ProposalSigned, VoteSigned
from consensus.messages import Proposal, SignedProposal, SignedVote, Vote
from consensus.types import Signature
from node.log import Logger
from node.metrics import Metrics
from node.replica.bodies import Bodies
from node.replica.errors import SigningRefused
from node.replica.seat import Seat


class Sealing:
    """The effects that need this node's log and key."""

    def __init__(
        self, seat: Seat | None, *, engine: Engine, bodies: Bodies, metrics: Metrics, log: Logger
    ) -> None:
        """Store what is given.

        Args:
            seat: this node's key and log; without one no height is begun, and so nothing is asked
                of this.
        """
        self._seat = seat
        self._engine = engine
        self._bodies = bodies
        self._metrics = metrics
        self._log = log

    async def persist(self, effect: Persist, following: Effect | None) -> None:
        """Make inputs durable, with the blocks that they rest on and what is to be signed next.

        Args:
            following: the effect after it, if there is one.
        """
        assert self._seat is not None
        blocks = []
        for event in effect.entries:
            if isinstance(event, BlockBuilt) or (isinstance(event, BlockValidated) and event.valid):
                body = self._bodies.get(event.block_id)
                if body is not None and not self._seat.has_body(body.block_id):
                    blocks.append((body.block_id, body.encode()))
        next_signed: Vote | Proposal | None = None
        match following:
            case SignVote(vote=vote):
                next_signed = vote
            case SignProposal(proposal=proposal):
                next_signed = proposal
            case _:
                pass
        await self._seat.persist(
            self._engine.height, inputs=effect.entries, blocks=blocks, next_signed=next_signed
        )
        # Now, when all that the engine has taken is in the log: a replay knows the same blocks.
        await self._seat.keep_bodies(self._engine.blocks)

    async def sign_proposal(self, effect: SignProposal) -> ProposalSigned | None:
        """Sign a proposal; None: the guard refuses it."""
        signature = await self._signature(effect.proposal)
        if signature is None:
            return None
        signed = SignedProposal(proposal=effect.proposal, signature=signature, polka=effect.polka)
        return ProposalSigned(signed=signed)

    async def sign_vote(self, effect: SignVote) -> VoteSigned | None:
        """Sign a vote; None: the guard refuses it."""
        signature = await self._signature(effect.vote)
        if signature is None:
            return None
        return VoteSigned(signed=SignedVote(vote=effect.vote, signature=signature))

    async def reach(self, height: int) -> None:
        """Bring the log to a height that is decided, before its block is committed."""
        assert self._seat is not None
        await self._seat.reach(height)

    async def _signature(self, message: Vote | Proposal) -> Signature | None:
        assert self._seat is not None
        try:
            signature = await self._seat.sign(message)
        except SigningRefused as error:
            self._metrics.signatures_refused.inc()
            self._log.warning("signature refused", message=error.what, reason=error.reason)
            return None
        kind = message.kind.name.lower() if isinstance(message, Vote) else "proposal"
        self._metrics.signatures.labels(kind=kind).inc()
        return signature
