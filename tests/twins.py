"""What is fast in the node, written so that it is clearly right: the slow twins.

The tests of each room compare a fast piece with its twin; a process in which `install_twins` was
called runs on the twins alone, and must compute the same blocks.
"""

import msgpack
import msgspec

from node import codec


def pack(value: object) -> bytes:
    """Return what the package that defines the wire format makes of a value."""
    packed: bytes = msgpack.packb(msgspec.to_builtins(value, builtin_types=(bytes,)))
    return packed


def install_twins() -> None:
    """Put the twins in the place of what is fast, for the rest of the process."""
    codec._pack = pack
