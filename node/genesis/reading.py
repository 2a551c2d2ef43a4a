"""Records from JSON objects: every fault found, each with its path.

A JSON object becomes the record whose fields it names, each exactly once; bytes are lower-case
hexadecimal; what each field may hold is what its annotation says, so that the file and the bytes
that are hashed have one definition.
"""

import types
import typing
from collections.abc import Callable
from enum import Enum
from typing import Annotated, Final, TypeAlias, TypeVar, Union, get_args, get_origin

import msgspec

from node.codec import Record
from node.genesis.located import JsonValue, Path

RecordT = TypeVar("RecordT", bound=Record)
Report: TypeAlias = Callable[[Path, str], None]

_HINTS: Final[dict[type[Record], dict[str, object]]] = {}
"""Fields of each kind of record with their annotations: as many entries as there are kinds."""


class _Unreadable(Exception):
    """A value could not be made; what was wrong has been reported."""


def read_record(kind: type[RecordT], value: JsonValue, report: Report) -> RecordT | None:
    """Return the record, or None after each fault has been reported."""
    try:
        result = _record(kind, value, (), report)
    except _Unreadable:
        return None
    assert isinstance(result, kind)
    return result


def render_record(value: object) -> JsonValue:
    """Return the JSON form of a record, or of a value inside one: the inverse of reading."""
    match value:
        case Record():
            return {name: render_record(getattr(value, name)) for name in _hints(type(value))}
        case tuple():
            return [render_record(item) for item in value]
        case bytes():
            return value.hex()
        case Enum():
            return render_record(value.value)
        case bool() | int() | str() | None:
            return value
        case _:
            raise AssertionError(f"{type(value).__name__} has no JSON form")


def _record(kind: type[Record], value: JsonValue, path: Path, report: Report) -> Record:
    if not isinstance(value, dict):
        raise _report(report, path, f"expected an object, found {_found(value)}")
    hints = _hints(kind)
    good = True
    for key in value:
        if key not in hints:
            report((*path, key), f"no such key here; known are {', '.join(hints)}")
            good = False
    fields: dict[str, object] = {}
    for name in hints:
        if name not in value:
            report(path, f"the key {name!r} is missing")
            good = False
            continue
        try:
            fields[name] = _value(hints[name], value[name], (*path, name), report)
        except _Unreadable:
            good = False
    if not good:
        raise _Unreadable
    return kind(**fields)


def _hints(kind: type[Record]) -> dict[str, object]:
    hints = _HINTS.get(kind)
    if hints is None:
        # In the order of declaration: a record inherits no field.
        hints = _HINTS[kind] = dict(typing.get_type_hints(kind, include_extras=True))
    return hints


def _value(hint: object, value: JsonValue, path: Path, report: Report) -> object:
    bare = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    if get_origin(bare) in (Union, types.UnionType) and type(None) in get_args(bare):
        if value is None:
            return None
        (bare,) = (member for member in get_args(bare) if member is not type(None))
        return _value(bare, value, path, report)
    if isinstance(bare, type) and issubclass(bare, Record):
        return _record(bare, value, path, report)
    if get_origin(bare) is tuple:
        return _list(hint, get_args(bare), value, path, report)
    if bare is bytes:
        value = typing.cast(JsonValue, _bytes(value, path, report))
    return _leaf(hint, value, path, report)


def _list(
    hint: object, members: tuple[object, ...], value: JsonValue, path: Path, report: Report
) -> tuple[object, ...]:
    if not isinstance(value, list):
        raise _report(report, path, f"expected a list, found {_found(value)}")
    if members[1:] == (Ellipsis,):
        members = (members[0],) * len(value)
    elif len(value) != len(members):
        raise _report(report, path, f"expected {len(members)} items, found {len(value)}")
    items: list[object] = []
    good = True
    for index, (member, item) in enumerate(zip(members, value, strict=True)):
        try:
            items.append(_value(member, item, (*path, index), report))
        except _Unreadable:
            good = False
    if not good:
        raise _Unreadable
    # The items have been judged; what remains is how many there may be.
    for meta in get_args(hint)[1:] if get_origin(hint) is Annotated else ():
        if isinstance(meta, msgspec.Meta):
            _leaf(Annotated[tuple[typing.Any, ...], meta], tuple(items), path, report)
    return tuple(items)


def _bytes(value: JsonValue, path: Path, report: Report) -> bytes:
    if not isinstance(value, str):
        raise _report(report, path, f"expected hexadecimal digits, found {_found(value)}")
    try:
        data = bytes.fromhex(value)
    except ValueError:
        raise _report(report, path, "expected pairs of hexadecimal digits") from None
    if data.hex() != value:
        raise _report(report, path, "expected lower-case hexadecimal digits without spaces")
    return data


def _leaf(hint: object, value: object, path: Path, report: Report) -> object:
    try:
        return msgspec.convert(value, hint, strict=True, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise _report(report, path, str(error)) from None


def _report(report: Report, path: Path, message: str) -> _Unreadable:
    report(path, message)
    return _Unreadable()


def _found(value: JsonValue) -> str:
    match value:
        case dict():
            return "an object"
        case list():
            return "a list"
        case str():
            return f"the text {value[:40]!r}"
        case None:
            return "null"
        case _:
            return str(value).lower()
