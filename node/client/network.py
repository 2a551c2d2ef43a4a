"""Which network a client speaks for: what signatures cover, and how addresses look."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from node.addresses import parse_address, render_address
from node.hashing import HASH_SIZE

if TYPE_CHECKING:
    from node.genesis import Genesis


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientNetwork:
    """A network as its clients know it."""

    genesis_hash: bytes
    """32 bytes; every transaction id covers it."""
    test: bool
    """Whether addresses begin with `tkhz`."""

    def __post_init__(self) -> None:
        assert len(self.genesis_hash) == HASH_SIZE

    @classmethod
    def of(cls, genesis: "Genesis") -> Self:
        """Return the network of a genesis."""
        return cls(genesis_hash=genesis.hash, test=genesis.test_network)

    def parse_address(self, text: str) -> bytes:
        """Return the address.

        Raises:
            AddressError: it is not an address of this network.
        """
        return parse_address(text, test=self.test)

    def render_address(self, address: bytes) -> str:
        """Return the text of an address."""
        return render_address(address, test=self.test)
