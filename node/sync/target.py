"""The snapshot that is being taken over, and what of it nobody has been asked for yet."""

from dataclasses import dataclass
from typing import TypeAlias

from node.network import ChunkMessage, RecentIdsMessage
from node.snapshots import Assembly, PointRecord, RecentIds

Key: TypeAlias = tuple[str, int, bytes]
"""What was asked: the answer's kind, the height it names, and the path or height within."""


@dataclass(slots=True, kw_only=True, eq=False)
class Target:
    """A snapshot that peers offer, with as much of it as has come."""

    point: PointRecord
    assembly: Assembly
    is_decided: bool = False
    """The trail leads to those who signed it."""
    recent: RecentIds | None = None
    """None until the trusted point carries it."""
    ids_asked: bool = False

    @property
    def height(self) -> int:
        """The height of its block."""
        return self.point.header.height

    def unanswered(self, key: Key) -> None:
        """Have a part asked for again that does not come from whoever was asked."""
        if key[0] == ChunkMessage.__name__:
            self.assembly.give_back(key[2])
        elif key[0] == RecentIdsMessage.__name__:
            self.ids_asked = False
