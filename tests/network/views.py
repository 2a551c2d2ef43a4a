"""A peer as the network sees it: linked, and with nothing held against it."""

from node.network import PeerView, Role


def peer_view(
    name: str,
    *,
    role: Role = Role.VALIDATOR,
    connected: bool = True,
    height: int = 0,
    earliest: int = 1,
) -> PeerView:
    return PeerView(
        name=name,
        role=role,
        connected=connected,
        dialled=True,
        address="",
        height=height,
        earliest=earliest,
        software="",
        waiting=(),
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
