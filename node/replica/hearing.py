"""What peers say: each message becomes an input of the engine, something to keep, an answer, or a
fault that is held against its sender.
"""

from node.log import Logger
from node.metrics import Metrics
from node.network import (
    BlockTransactions,
    CertificateMessage,
    Forgot,
    Memory,
    ProposalMessage,
    ProposedBlock,
    VoteMessage,
    WireMessage,
)
from node.replica.answers import Answers
from node.replica.gate import BadMessage, Fault
from node.replica.heights import HeightMessages
from node.replica.memories import Memories
from node.replica.wire import Wire


class Hearing:
    """The messages of peers, one after the other."""

    def __init__(
        self,
        *,
        heights: HeightMessages,
        answers: Answers,
        memories: Memories,
        wire: Wire,
        metrics: Metrics,
        log: Logger,
    ) -> None:
        self._heights = heights
        self._answers = answers
        self._memories = memories
        self._wire = wire
        self._metrics = metrics
        self._log = log

    async def hear(self, peer: str, message: WireMessage) -> None:
        """Take a peer's message; one that breaks a rule is counted and held against the peer."""
        try:
            match message:
                case VoteMessage() | ProposalMessage() | CertificateMessage():
                    await self._heights.hear(peer, message)
                case ProposedBlock():
                    await self._answers.take_block(peer, message)
                case BlockTransactions():
                    await self._answers.take_transactions(peer, message)
                case Forgot():
                    await self._memories.tell(peer, message)
                case Memory():
                    await self._memories.hear(peer, message)
                case _:
                    raise BadMessage(Fault.UNASKED, type(message).__name__)
        except BadMessage as error:
            self._metrics.messages_refused.labels(reason=error.fault.value).inc()
            self._log.info("message refused", peer=peer, fault=error.fault, detail=error.detail)
            self._wire.punish(peer, str(error))
