"""Votes, proposals and certificates, by the height that they speak of: those of the height at hand
go into the engine, those of the next wait, and whoever speaks of a decided one is helped on.
"""

from node.network import CertificateMessage, ProposalMessage, VoteMessage
from node.replica.deciding import Deciding
from node.replica.early import Early
from node.replica.entering import Entering
from node.replica.events import Heard
from node.replica.reading import Reading
from node.replica.service import Service
from node.replica.turn import Turn


class HeightMessages:
    """What peers say of heights, one message after the other."""

    def __init__(
        self,
        *,
        reading: Reading,
        entering: Entering,
        deciding: Deciding,
        early: Early,
        turn: Turn,
        service: Service,
    ) -> None:
        self._reading = reading
        self._entering = entering
        self._deciding = deciding
        self._early = early
        self._turn = turn
        self._service = service

    async def hear(
        self, peer: str, message: VoteMessage | ProposalMessage | CertificateMessage
    ) -> None:
        """Take a message of some height.

        Raises:
            BadMessage: it is of the height at hand and breaks a rule.
        """
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
