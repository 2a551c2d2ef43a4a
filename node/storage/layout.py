"""Where everything is in a node's database: one table, one function for each kind of key.

    prefix  key after it                       value
    M       name of a fact about the database  see `Meta`
    B       height, 8 bytes                    the block's bytes
    C       height, 8 bytes                    its commit certificate
    R       height, 8 bytes                    the receipts of all its transactions
    T       transaction id, 32 bytes           height, 8 bytes, and index in the block, 4 bytes
    S       state key: table's byte and key    a state record
    K       hash of a state key, 32 bytes      the state key: the records in the order of the tree
    N       path, one byte for each nibble     a node of the state commitment
    V       height, 8 bytes                    header and certificate of the block before, which
                                               decided the validators that rule from this height

Numbers are big-endian, so that the order of the keys is the order of the heights and new blocks go
to the end of their range. A change of this table is a new `FORMAT_VERSION`: a node refuses a
database of another version and names it.
"""

import struct
from collections.abc import Callable, Iterator
from enum import Enum
from itertools import repeat
from typing import Final

FORMAT_VERSION: Final = 2


class Meta(Enum):
    """Facts about the database as a whole, under the prefix M."""

    FORMAT = b"Mformat"
    """`FORMAT_VERSION`, 8 bytes; written once, with the genesis."""

    GENESIS = b"Mgenesis"
    """The genesis hash: a database belongs to one network."""

    JOIN = b"Mjoin"
    """While a snapshot is being taken over: how far it is. Without a head this is no chain yet."""

    POINT = b"Mpoint"
    """Header and certificate of the block that this node began at, if not at the genesis."""

    HEAD = b"Mhead"
    """What the last committed block left behind; rewritten in each block's batch."""

    BEHIND = b"Mbehind"
    """While the branches of the head are not written yet: what it changed."""

    KEPT = b"Mkept"
    """From where blocks are kept; absent while every block is."""


def encode_number(number: int) -> bytes:
    """Return a height or version as 8 bytes."""
    return number.to_bytes(8)


def decode_number(data: bytes) -> int:
    return int.from_bytes(data)


def block_key(height: int) -> bytes:
    return b"B" + height.to_bytes(8)


def certificate_key(height: int) -> bytes:
    return b"C" + height.to_bytes(8)


def receipts_key(height: int) -> bytes:
    return b"R" + height.to_bytes(8)


def handover_key(height: int) -> bytes:
    return b"V" + height.to_bytes(8)


# Asked for thousands in each block: a prefix that adds itself is no call of Python.

transaction_key: Final[Callable[[bytes], bytes]] = b"T".__add__
"""Returns where the place of the transaction of this id is noted."""

_PLACE: Final = struct.Struct(">QI")


def encode_place(height: int, index: int) -> bytes:
    """Return where a transaction stands, as the value of its key."""
    return _PLACE.pack(height, index)


def encode_places(height: int, count: int) -> Iterator[bytes]:
    """Yield the places of a whole block's transactions, in order."""
    return map(_PLACE.pack, repeat(height), range(count))


def decode_place(data: bytes) -> tuple[int, int]:
    """Return the height and the index."""
    height, index = _PLACE.unpack(data)
    return height, index


state_key: Final[Callable[[bytes], bytes]] = b"S".__add__
"""Returns where the record of a full state key (table's prefix and key) lives."""

hash_key: Final[Callable[[bytes], bytes]] = b"K".__add__
"""Returns where the full state key of this hash is noted."""

node_key: Final[Callable[[bytes], bytes]] = b"N".__add__
"""Returns where the branch of the commitment at this path lives."""


def hash_range(path: bytes) -> tuple[bytes, bytes]:
    """Return start and stop of the key hashes that begin with a path, a byte for each nibble."""
    whole = bytes(high << 4 | low for high, low in zip(path[::2], path[1::2], strict=False))
    if len(path) % 2 == 0:
        return range_of(hash_key(whole))
    start = hash_key(whole + bytes((path[-1] << 4,)))
    if path[-1] == 15:
        return start, range_of(hash_key(whole))[1]
    return start, hash_key(whole + bytes((path[-1] + 1 << 4,)))


def range_of(prefix: bytes) -> tuple[bytes, bytes]:
    """Return start and stop for a scan of all keys with this prefix.

    The prefix is not empty and does not consist of 0xff alone.
    """
    cut = prefix.rstrip(b"\xff")
    return prefix, cut[:-1] + bytes((cut[-1] + 1,))
