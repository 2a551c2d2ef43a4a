"""What peers say of the height after the next, kept until it is the next.

Only then is the set known whose keys it is signed with. A node that still has to hear the others
before it begins a height keeps what they say of that one here, too.
"""

from typing import Final

from node.replica.events import Heard

HELD_MAX: Final = 16
"""Messages of one peer that wait. A validator says a proposal and two votes in a round; what does
not fit is repeated by its sender."""


class Early:
    """Messages that came a height too soon, by peer."""

    def __init__(self) -> None:
        self._held: dict[str, list[Heard]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._held.values()))

    def hold(self, heard: Heard) -> None:
        """Keep a message, if its peer has room left."""
        held = self._held.setdefault(heard.peer, [])
        if len(held) < HELD_MAX:
            held.append(heard)

    def forget(self, peer: str) -> None:
        """Drop what a peer said that is gone."""
        self._held.pop(peer, None)

    def release(self) -> list[Heard]:
        """Return all that was kept, peer by peer, and keep it no longer."""
        held, self._held = self._held, {}
        return [heard for messages in held.values() for heard in messages]
