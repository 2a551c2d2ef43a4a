"""What the fields of an operation are and how each is written: the reader's table, for people.

Derived from fields, annotations and the docstrings that stand below fields, as the reader is.
"""

import ast
import inspect
import textwrap
import types
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

from node.addresses import ADDRESS_SIZE
from node.cli.tx.operations import key_of, length_of, metas, optional, ranged, snake, unbounded
from node.codec import Record
from node.ledger.units import DAY_MAX


@dataclass(frozen=True, slots=True)
class Described:
    """One field."""

    path: str
    """Dotted, such as `plan.rates[].from_day`; `|` before the name of one of several forms."""
    written: str
    means: str
    """In the words of the ledger's code; may be empty."""


def describe(kind: type[Record], path: str = "") -> Iterator[Described]:
    """Yield the fields of a record, those of the records in it after the field that has them."""
    hints = get_type_hints(kind, include_extras=True)
    said = _docstrings(kind)
    counted = hints.keys() & {"asset", "decimals"}  # without either, nobody knows what a unit is
    for name, hint in hints.items():
        where = f"{path}{key_of(name, hint)}"
        written = _written(name, hint)
        if hint is int and not counted:
            written = "whole number"
        if optional(hint):
            written += " or null"
        yield Described(where, written, said.get(name, ""))
        yield from _inside(hint, where)


def _inside(hint: object, where: str) -> Iterator[Described]:
    plain = unbounded(hint)
    if get_origin(plain) in (Union, types.UnionType):
        members = [member for member in get_args(plain) if member is not types.NoneType]
        for member in members:
            form = where if len(members) == 1 else f"{where}|{snake(unbounded(member).__name__)}"
            yield from _inside(member, form)
    elif get_origin(plain) is tuple:
        if get_args(plain)[1:] == (Ellipsis,):
            yield from _inside(get_args(plain)[0], f"{where}[]")
    elif isinstance(plain, type) and issubclass(plain, Record):
        yield from describe(plain, f"{where}.")


def _written(name: str, hint: object) -> str:
    plain = unbounded(hint)
    if get_origin(plain) in (Union, types.UnionType):
        members = [member for member in get_args(plain) if member is not types.NoneType]
        if len(members) == 1:
            return _written(name, members[0])
        return "an object whose type is " + ", ".join(snake(unbounded(m).__name__) for m in members)
    if get_origin(plain) is tuple:
        return _list(name, get_args(plain))
    if plain is bytes:
        return _bytes(name, hint)
    if hint is int:
        return 'amount, such as "100.50"'
    if key_of("_ms", hint) == "":
        return "time, such as 2026-11-20T12:00:00Z"
    if ranged(hint, DAY_MAX):
        return "day, such as 2026-11-20"
    return _scalar(plain, hint)


def _scalar(plain: Any, hint: object) -> str:
    if plain is bool:
        return "true or false"
    if plain is int:
        return "whole number" + _range(hint)
    if plain is str:
        return "text" + _size(hint)
    if issubclass(plain, Enum):
        named = (m.name.lower() if issubclass(plain, IntEnum) else m.value for m in plain)
        return "one of " + ", ".join(named)
    return "an object"


def _list(name: str, hints: tuple[object, ...]) -> str:
    if hints[1:] == (Ellipsis,):
        return f"list, of each: {_written(name, hints[0])}"
    return f"[{', '.join(_written(name, hint) for hint in hints)}]"


def _bytes(name: str, hint: object) -> str:
    if name == "operations":
        return "list of operations"
    length = length_of(hint)
    if length == ADDRESS_SIZE:
        return "address"
    return "hexadecimal" if length is None else f"{2 * length} hexadecimal digits"


def _range(hint: object) -> str:
    lowest = next((meta.ge for meta in metas(hint) if meta.ge is not None), None)
    highest = next((meta.le for meta in metas(hint) if meta.le is not None), None)
    if lowest is None or highest is None:
        return ""
    return f", {lowest:,} to {highest:,}"


def _size(hint: object) -> str:
    longest = next((meta.max_length for meta in metas(hint) if meta.max_length is not None), None)
    return "" if longest is None else f" of at most {longest}"


def _docstrings(kind: type[Record]) -> dict[str, str]:
    """Return what stands below each field, by its name, on one line; inherited fields too."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if base is Record or not issubclass(base, Record):
            continue
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(tree, ast.ClassDef)
        for field, after in zip(tree.body, tree.body[1:], strict=False):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(after, ast.Expr)
                and isinstance(after.value, ast.Constant)
                and isinstance(after.value.value, str)
            ):
                found[field.target.id] = " ".join(after.value.value.split())
    return found
