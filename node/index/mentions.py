"""Whom a record names, and what text it holds: found by the annotations of its type, once a type.

So an act that is added tomorrow is in the history of whom it names, and its text is found, without
a line here.
"""

import types
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from operator import attrgetter
from typing import Annotated, Any, Final, TypeAlias, Union, get_args, get_origin, get_type_hints

import msgspec

from node.codec import Record
from node.ledger.identifiers import ADDRESS_SIZE

_Find: TypeAlias = Callable[[Any], Iterator[Any]]
_Flat: TypeAlias = Callable[[Any], tuple[bytes, ...]]

# Made once for each type of record: as many entries as the program has types.
_ACCOUNTS: Final[dict[type, _Flat]] = {}
_TEXTS: Final[dict[type, _Find]] = {}


def accounts_of(record: Record) -> tuple[bytes, ...]:
    """Return the addresses that a record names, itself or within, each once, as they come."""
    return accounts_in(type(record))(record)


def accounts_in(kind: type[Record]) -> Callable[[Any], tuple[bytes, ...]]:
    """Return `accounts_of` of records of this type: for whoever asks for thousands."""
    find = _ACCOUNTS.get(kind)
    if find is None:
        find = _ACCOUNTS[kind] = _accounts(kind)
    return find


def texts_of(record: Record) -> tuple[str, ...]:
    """Return the text that a record holds, itself or within: names, codes, what people wrote."""
    kind = type(record)
    find = _TEXTS.get(kind)
    if find is None:
        find = _TEXTS[kind] = _of_record(kind, _is_text)
    return tuple(text for text in find(record) if text)


def _accounts(kind: type) -> _Flat:
    hints = get_type_hints(kind, include_extras=True)
    inside = [name for name, hint in hints.items() if _finder(hint, _is_address) is not None]
    if not all(_is_address(hints[name]) for name in inside):
        walk = _of_record(kind, _is_address)
        return lambda record: tuple(dict.fromkeys(walk(record)))
    # Most records have them in fields of their own, and there are thousands a second.
    if not inside:
        return lambda _: ()
    if len(inside) == 1:
        only: Callable[[Any], bytes] = attrgetter(inside[0])
        return lambda record: (only(record),)
    read = attrgetter(*inside)
    if len(inside) == 2:

        def two(record: Any) -> tuple[bytes, ...]:
            one, other = read(record)
            return (one,) if one == other else (one, other)

        return two
    return lambda record: tuple(dict.fromkeys(read(record)))


def _of_record(kind: type, wanted: Callable[[object], bool]) -> _Find:
    hints = get_type_hints(kind, include_extras=True)
    found: list[tuple[str, _Find]] = []
    for name, hint in hints.items():
        find = _finder(hint, wanted)
        if find is not None:
            found.append((name, find))

    def walk(record: Any) -> Iterator[Any]:
        for name, find in found:
            yield from find(getattr(record, name))

    return walk


def _finder(hint: object, wanted: Callable[[object], bool]) -> _Find | None:
    """Return what finds the wanted values in a value of this type; None: there can be none."""
    if wanted(hint):
        return lambda value: iter((value,))
    bare = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    arguments = get_args(bare)
    if get_origin(bare) in (Union, types.UnionType):
        members = [member for member in arguments if member is not type(None)]
        if all(isinstance(member, type) and issubclass(member, Record) for member in members):
            return _of_any(members, wanted)
        finds = [_finder(member, wanted) for member in members]
        if not any(finds):
            return None
        if len(members) > 1:
            return _of_plain(members, finds)
        (find,) = finds
        return None if find is None else lambda value: iter(()) if value is None else find(value)
    if get_origin(bare) is tuple:
        return _of_tuple(arguments, wanted)
    if isinstance(bare, type) and issubclass(bare, Record):
        return _of_any([bare], wanted)
    return None


def _of_any(kinds: Sequence[Any], wanted: Callable[[object], bool]) -> _Find | None:
    walks = {kind: _of_record(kind, wanted) for kind in kinds}
    return lambda value: iter(()) if value is None else walks[type(value)](value)


def _of_plain(members: Sequence[object], finds: Sequence[_Find | None]) -> _Find:
    """Return what finds plain values of the wanted types among others: a refusal's details."""
    bare = [
        get_args(member)[0] if get_origin(member) is Annotated else member
        for member, find in zip(members, finds, strict=True)
        if find is not None
    ]
    kinds = tuple(kind for kind in bare if isinstance(kind, type))
    assert len(kinds) == len(bare), "what is neither plain nor a record stands in no union"
    return lambda value: iter((value,) if isinstance(value, kinds) else ())


def _of_tuple(arguments: tuple[object, ...], wanted: Callable[[object], bool]) -> _Find | None:
    if arguments[1:] == (Ellipsis,):
        find = _finder(arguments[0], wanted)
        if find is None:
            return None
        return lambda values: (found for value in values for found in find(value))
    finds = [_finder(argument, wanted) for argument in arguments]
    if not any(finds):
        return None
    return lambda values: (
        found
        for find, value in zip(finds, values, strict=True)
        if find is not None
        for found in find(value)
    )


def _is_address(hint: object) -> bool:
    if get_origin(hint) is not Annotated:
        return False
    bare, *metas = get_args(hint)
    return bare is bytes and any(
        isinstance(meta, msgspec.Meta) and meta.min_length == meta.max_length == ADDRESS_SIZE
        for meta in metas
    )


def _is_text(hint: object) -> bool:
    bare = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    return isinstance(bare, type) and issubclass(bare, str) and not issubclass(bare, Enum)
