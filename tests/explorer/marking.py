"""Operations with markup in every text field, for pages that must show it as text."""

import types
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec

from node.codec import Record, encode
from node.ledger.catalogue import ACTS
from node.ledger.operations import Operation
from tests.chain.town import address_of

MARK: Final = "<b onclick=alert(1)>\"'&amp;</b><script>alert(2)</script>"
SHORT_MARK: Final = '"><img src=x onerror=alert(3)>'
"""The same in the 32 characters of a name."""
SHORTEST_MARK: Final = "<b>'\"&"
"""Where not even that has room, its beginning."""
FORMS_MAX: Final = 12
"""Members of a union of records."""


def mark_of(length: int | None) -> str:
    """Return the longest mark that a text of so many characters can be."""
    room = length or len(MARK)
    return next((mark for mark in (MARK, SHORT_MARK) if len(mark) <= room), SHORTEST_MARK[:room])


def marked_operations() -> Sequence[Operation]:
    """Return operations of every kind: a mark in every text, some value in all else.

    As many of a kind as there are forms of what it holds, such as the terms of an asset.
    """
    found: list[Any] = []
    for act in ACTS:
        if act.name == "propose":
            continue
        for form in range(FORMS_MAX):
            operation = marked(act.operation, form)
            if operation not in found:
                found.append(operation)
    (propose,) = (act.operation for act in ACTS if act.name == "propose")
    nested = encode(tuple(found[:20]))
    return [*found, msgspec.structs.replace(marked(propose), operations=nested)]


def marked(hint: Any, form: int = 0) -> Any:
    """Return a value of a field's type: a mark if it is text, filled likewise if it holds any.

    Args:
        form: which member of a union to take, from the first on.
    """
    bare = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    metas = [meta for meta in getattr(hint, "__metadata__", ()) if isinstance(meta, msgspec.Meta)]
    length = next((meta.max_length for meta in metas if meta.max_length), None)
    if get_origin(bare) in (Union, types.UnionType):
        members = [each for each in get_args(bare) if each is not type(None)]
        assert len(members) <= FORMS_MAX
        return marked(members[form % len(members)], form)
    if get_origin(bare) is tuple:
        inner = get_args(bare)
        if inner[-1] is Ellipsis:
            return (marked(inner[0], form),)
        return tuple(marked(each, form) for each in inner)
    if issubclass(bare, Enum):
        return next(iter(bare))
    if issubclass(bare, bytes):
        return address_of("bank", "a0")[:length].ljust(length or 0, b"\x01")
    if issubclass(bare, Record):
        hints = get_type_hints(bare, include_extras=True)
        return bare(**{name: marked(inner, form) for name, inner in hints.items()})
    if issubclass(bare, str):
        return mark_of(length)
    if bare is bool:
        return True
    return next((meta.ge for meta in metas if meta.ge is not None), 1)


def texts_of(value: Any) -> Iterator[str]:
    """Yield every text in a record, and in what it holds."""
    match value:
        case Enum():
            return
        case str():
            yield value
        case tuple():
            for each in value:
                yield from texts_of(each)
        case Record():
            for name in get_type_hints(type(value)):
                yield from texts_of(getattr(value, name))
        case _:
            return
