"""The bounds that record types declare, found by inspection along a good value of each kind.

For every integer, text, byte string and list in a record that has an upper bound there are two
encodings: with the value at its bound, and one beyond.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgpack
from msgspec import inspect

ROOM: Final = 1 << 16
"""Items that a list is filled up with; beyond it the size of the whole would speak."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """One bound of one kind of record, and the encodings on both sides of it."""

    path: str
    highest: int
    within: bytes
    beyond: bytes


def bounds_of(kind: object, data: bytes) -> Iterator[Bound]:
    """Yield every upper bound that is met on the way through this encoding of a kind."""
    tree = msgpack.unpackb(data, raw=False, strict_map_key=False)
    for path, highest, within, beyond in _walk(inspect.type_info(kind), tree, ""):
        yield Bound(
            path=path or "whole",
            highest=highest,
            within=msgpack.packb(within),
            beyond=msgpack.packb(beyond),
        )


_Met = tuple[str, int, Any, Any]


def _walk(kind: inspect.Type, tree: Any, path: str) -> Iterator[_Met]:
    match kind:
        case inspect.IntType(le=int(highest)) if isinstance(tree, int) and highest < 1 << 63:
            yield path, highest, highest, highest + 1
        case inspect.StrType(max_length=int(highest), pattern=None) if isinstance(tree, str):
            yield path, highest, "x" * highest, "x" * (highest + 1)
        case inspect.BytesType(max_length=int(highest)) if isinstance(tree, bytes):
            if highest <= ROOM * 16:
                yield path, highest, b"x" * highest, b"x" * (highest + 1)
        case inspect.VarTupleType(item_type=item, max_length=highest) if isinstance(tree, list):
            if highest is not None and tree and highest <= ROOM:
                filled = [tree[0]] * highest
                yield f"{path}[]", highest, filled, [*filled, tree[0]]
            if tree:
                for where, top, within, beyond in _walk(item, tree[0], f"{path}[0]"):
                    yield where, top, [within, *tree[1:]], [beyond, *tree[1:]]
        case inspect.TupleType(item_types=items) if isinstance(tree, list):
            yield from _fields(list(enumerate(items)), tree, path, start=0)
        case inspect.StructType() if isinstance(tree, list):
            named = [(field.name, field.type) for field in kind.fields]
            yield from _fields(named, tree, path, start=0 if kind.tag is None else 1)
        case inspect.UnionType(types=members):
            for member in members:
                if _fits(member, tree):
                    yield from _walk(member, tree, path)
                    return
        case _:
            return


def _fields(
    named: list[tuple[Any, inspect.Type]], tree: list[Any], path: str, *, start: int
) -> Iterator[_Met]:
    for place, (name, kind) in enumerate(named, start=start):
        for where, highest, within, beyond in _walk(kind, tree[place], f"{path}.{name}"):
            yield (
                where,
                highest,
                [*tree[:place], within, *tree[place + 1 :]],
                [*tree[:place], beyond, *tree[place + 1 :]],
            )


def _fits(kind: inspect.Type, tree: Any) -> bool:
    match kind:
        case inspect.StructType(tag=tag):
            return isinstance(tree, list) and bool(tree) and (tag is None or tree[0] == tag)
        case inspect.BytesType():
            return isinstance(tree, bytes)
        case inspect.IntType():
            return isinstance(tree, int)
        case inspect.StrType():
            return isinstance(tree, str)
        case _:
            return False
