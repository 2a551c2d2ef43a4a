"""A wire that notes what is said over it, and the views of peers."""

from collections.abc import Sequence

from node.network import PeerView, WireMessage
from tests.network.views import peer_view


class NotedWire:
    """The twin of the network for tests of one part."""

    def __init__(self, *names: str) -> None:
        self.views = [peer_view(name) for name in names]
        self.sent: list[tuple[str, WireMessage]] = []
        self.said: list[WireMessage] = []
        self.gossiped: list[bytes] = []
        self.punished: list[tuple[str, str]] = []
        self.takes = True

    def broadcast(self, message: WireMessage, *, observers: bool = False) -> int:
        del observers
        self.said.append(message)
        return len(self.views)

    def send(self, peer: str, message: WireMessage) -> bool:
        self.sent.append((peer, message))
        return self.takes

    def gossip(self, raws: Sequence[bytes]) -> int:
        self.gossiped += raws
        return len(self.views)

    def peers(self) -> tuple[PeerView, ...]:
        return tuple(self.views)

    def punish(self, peer: str, reason: str) -> None:
        self.punished.append((peer, reason))
