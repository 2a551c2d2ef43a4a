"""Ways to spoil an encoded record: what a hostile or broken peer would send in its place."""

from collections.abc import Iterator
from typing import Any

import msgpack

# Null, wrong types, the largest and least integers, empty and large bytes, nesting, floats, maps,
# extension types, timestamps.
INTRUDERS: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1,
    2**63,
    2**64 - 1,
    -(2**63),
    0.0,
    1.5,
    float("nan"),
    float("inf"),
    "",
    "text",
    "\ud7ff\x00",
    "é" * 300,
    b"",
    b"\0" * 32,
    b"\xff" * 300,
    [],
    [[]],
    [None] * 40,
    {},
    {"a": 1},
    {1: 2},
    msgpack.ExtType(5, b"x"),
    msgpack.Timestamp(1, 0),
)


def spoiled(data: bytes) -> Iterator[bytes]:
    """Yield encodings in which one node of the tree is missing, doubled, or something else."""
    tree = msgpack.unpackb(data, raw=False, strict_map_key=False)
    for variant in _variants(tree):
        yield msgpack.packb(variant)


def _variants(tree: Any) -> Iterator[Any]:
    yield from INTRUDERS
    if isinstance(tree, list):
        yield [*tree, None]
        yield [*tree, *tree]
        for at, child in enumerate(tree):
            yield tree[:at] + tree[at + 1 :]
            yield [*tree[:at], child, *tree[at:]]
            for variant in _variants(child):
                yield [*tree[:at], variant, *tree[at + 1 :]]


def altered(data: bytes) -> Iterator[bytes]:
    """Yield the bytes cut at every place, continued, and with every bit changed."""
    for size in range(len(data)):
        yield data[:size]
    yield data + b"\0"
    yield data + data
    for at in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[at] ^= 1 << bit
            yield bytes(changed)
