"""What the replica answers to peers without asking the engine: blocks that are being decided, and
certificates for those who stand at a height that is decided here.
"""

from typing import Final

from node.chain import Chain
from node.clock import Clock
from node.network import BlockTransactions, GetProposedBlock, GetTransactions, Memory, Status
from node.replica.bodies import Bodies
from node.replica.wire import Wire, certificate_message

HELP_AFTER_S: Final = 0.1
"""Votes that arrive this soon after the decision were under way: their senders need no help."""
HELP_PAUSE_S: Final = 0.25
"""A peer that is behind is helped at most once in so long, however many votes it sends."""


class Service:
    """Answers to peers, each cheap and bounded by the peer's own budget."""

    def __init__(self, *, wire: Wire, bodies: Bodies, chain: Chain, clock: Clock) -> None:
        self._wire = wire
        self._bodies = bodies
        self._chain = chain
        self._clock = clock
        self._committed_s = 0.0
        self._helped_s: dict[str, float] = {}

    def send_status(self, peer: str) -> None:
        """Tell a peer where this node stands."""
        self._wire.send(peer, self._status())

    def tell_status(self) -> None:
        """Tell all peers, observers too, where this node stands."""
        self._wire.broadcast(self._status(), observers=True)

    def send_memory(self, peer: str, *, remembers: bool, round_: int, begun: bool) -> None:
        """Tell a validator that has forgotten what this one knows of its own past."""
        height = self._chain.head.height
        self._wire.send(peer, Memory(height=height, remembers=remembers, round=round_, begun=begun))

    def send_transactions(self, peer: str, request: GetTransactions) -> None:
        """Send what is at hand of a proposed block; an empty answer says to ask another."""
        raws = tuple(self._bodies.raws(request.block_id, request.ids))
        self._wire.send(peer, BlockTransactions(block_id=request.block_id, raws=raws))

    def send_block(self, peer: str, request: GetProposedBlock) -> None:
        """Send the compact form of a block, if it is at hand."""
        body = self._bodies.get(request.block_id)
        if body is not None and body.header.height == request.height:
            self._wire.send(peer, body.compact())
        elif request.height <= self._chain.head.height:
            self.send_status(peer)

    def help(self, peer: str, height: int) -> None:
        """Send a peer that speaks of a decided height its certificate, and where we stand.

        With the certificate it decides at once if it has the block; if not, it fetches.
        """
        now_s = self._clock.monotonic()
        if height >= self._chain.head.height and now_s - self._committed_s <= HELP_AFTER_S:
            return
        if now_s - self._helped_s.get(peer, -HELP_PAUSE_S) < HELP_PAUSE_S:
            return
        self._helped_s[peer] = now_s
        certificate = self._chain.certificate(height) if height >= 1 else None
        if certificate is not None:
            self._wire.send(peer, certificate_message(certificate))
        self.send_status(peer)

    def end_height(self, now_s: float) -> None:
        """Note that a block has just been committed."""
        self._committed_s = now_s

    def forget(self, peer: str) -> None:
        """Forget a peer that is gone."""
        self._helped_s.pop(peer, None)

    def _status(self) -> Status:
        head, earliest = self._chain.head, self._chain.history.earliest
        return Status(height=head.height, block_id=head.block_id, earliest=earliest)
