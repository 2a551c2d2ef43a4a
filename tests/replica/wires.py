"""A wire that notes what is said over it, and the views of peers."""

from collections.abc import Sequence

from node.network import PeerView, Role, WireMessage


def view(name: str, *, height: int = 0, role: Role = Role.VALIDATOR) -> PeerView:
    return PeerView(
        name=name,
        role=role,
        connected=True,
        dialled=True,
        address="",
        height=height,
        earliest=1,
        software="",
        connected_s=0.0,
        waiting=(),
        waiting_bytes=0,
        dropped=(),
        sent={},
        received={},
        throttled=0,
        ignored=0,
        penalty=0.0,
        banned_s=0.0,
        links=1,
        dials_failed=0,
        last_drop="",
    )


class NotedWire:
    """The twin of the network for tests of one part."""

    def __init__(self, *names: str) -> None:
        self.views = [view(name) for name in names]
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
