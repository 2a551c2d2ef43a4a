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
from node.replica.deciding import Deciding
from node.replica.early import Early
from node.replica.entering import Entering
from node.replica.events import Heard
from node.replica.gate import BadMessage, Fault
from node.replica.memories import Memories
from node.replica.reading import Reading
from node.replica.service import Service
from node.replica.turn import Turn
from node.replica.wire import Wire


class Hearing:
    """The messages of peers, one after the other."""

    def __init__(
        self,
        *,
        reading: Reading,
        answers: Answers,
        memories: Memories,
        entering: Entering,
        deciding: Deciding,
        early: Early,
        turn: Turn,
        service: Service,
        wire: Wire,
        metrics: Metrics,
        log: Logger,
    ) -> None:
        self._reading = reading
        self._answers = answers
        self._memories = memories
        self._entering = entering
        self._deciding = deciding
        self._early = early
        self._turn = turn
        self._service = service
        self._wire = wire
        self._metrics = metrics
        self._log = log

    async def hear(self, peer: str, message: WireMessage) -> None:
        """Take a peer's message; one that breaks a rule is counted and held against the peer."""
        try:
            match message:
                case VoteMessage() | ProposalMessage() | CertificateMessage():
                    await self._hear_of_height(peer, message)
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

    async def _hear_of_height(
        self, peer: str, message: VoteMessage | ProposalMessage | CertificateMessage
    ) -> None:
        entering, height = self._entering, self._entering.height
        # What it says of the last height too: whose votes come late is there.
        if message.height >= height - 1:
            self._turn.heard(peer)
        if message.height < height:
            self._service.help(peer, message.height)
        elif message.height == height + 1 or (message.height == height and entering.is_hearing):
            self._early.hold(Heard(peer, message))
        elif message.height == height and entering.may_vote:
            event = self._reading.input_of(
                message,
                is_timely=isinstance(message, ProposalMessage)
                and entering.is_abreast
                and self._deciding.awaits_proposal(message.round),
            )
            if event is not None:
                await entering.begin_if_due(called=True)
                await self._deciding.drive(event)
