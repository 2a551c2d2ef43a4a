"""What peers say of their height, and what that is worth.

A claim costs nothing to make: it moves what this node asks for, never what it believes. A claim
that its author could not substantiate is struck: for a while, or until the author serves a block,
it counts as no more than what this node has itself (adversarial 49).
"""

from collections.abc import Callable, Mapping
from typing import Final

from node.network import Role, Standing

STRUCK_S: Final = 10.0
"""Long enough to catch up from the others, short enough for a peer that was merely slow."""


class Claims:
    """The heights that connected peers claim."""

    def __init__(
        self,
        *,
        peers: Callable[[], tuple[Standing, ...]],
        head: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self._peers = peers
        self._head = head
        self._monotonic = monotonic
        self._struck: dict[str, float] = {}
        self.listeners: list[Callable[[], None]] = []
        """Called when a claim is worth something else than before."""

    def of_all(self) -> Mapping[str, int]:
        """Return every connected peer's claim by name, struck ones lowered to our own head."""
        return {peer.name: self._worth(peer) for peer in self._peers()}

    def of_validators(self) -> Mapping[str, int]:
        """Return the same for validators only."""
        return {
            peer.name: self._worth(peer) for peer in self._peers() if peer.role is Role.VALIDATOR
        }

    def earliest(self) -> Mapping[str, int]:
        """Return the first height that every connected peer says it can serve, by name."""
        return {peer.name: peer.earliest for peer in self._peers()}

    def strike(self, peer: str) -> None:
        """Note that a peer could not serve what it claimed."""
        self._struck[peer] = self._monotonic() + STRUCK_S
        for listener in self.listeners:
            listener()

    def served(self, peer: str) -> None:
        """Note that a peer served a block that this node did not have."""
        self._struck.pop(peer, None)

    def _worth(self, peer: Standing) -> int:
        until_s = self._struck.get(peer.name, 0.0)
        if until_s <= self._monotonic():
            return peer.height
        return min(peer.height, self._head())
