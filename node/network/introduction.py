"""What a node says of itself when a link opens."""

from collections.abc import Callable
from dataclasses import dataclass

from node.network.messages import PROTOCOL_VERSION, Hello


@dataclass(frozen=True, slots=True, kw_only=True)
class Introduction:
    """Who this node is to its peers, and how far."""

    name: str
    """Ours, as in the validator set or the others' observer lists."""
    genesis_hash: bytes
    """32 bytes; peers of another genesis are refused."""
    height: Callable[[], int]
    """Our last committed height, asked at each Hello."""
    earliest: Callable[[], int] = lambda: 1
    """The first height whose block we can serve, asked at each Hello."""
    software: str = "khazana"
    """For the other operators' eyes; printable ASCII, 64 characters at most."""

    def hello(self, instance: int) -> Hello:
        """Return our Hello as it is now.

        Args:
            instance: drawn by chance when this process started.
        """
        return Hello(
            version=PROTOCOL_VERSION,
            network=self.genesis_hash,
            name=self.name,
            instance=instance,
            height=self.height(),
            earliest=self.earliest(),
            software=self.software,
        )
