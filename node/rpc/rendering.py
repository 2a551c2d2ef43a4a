"""Ledger records as JSON, derived from their fields and annotations alone.

An act that is added tomorrow renders without a line here, because the ledger's types say what a
value is:

==============================  ====================================================================
bytes of 20 (`Address`)         bech32m
other bytes                     lower-case hexadecimal
`Milliseconds`, named `x_ms`    `x`: RFC 3339 in UTC with milliseconds
`Day`                           YYYY-MM-DD
a bare `int`                    an amount of the record's `asset`: a decimal string; in a record
                                that names no asset, a number
`int` with a range              a number: heights, counts, decimals
text enumerations               their text
number enumerations             their name in lower case; outcomes keep their capitals
a record with a tag             an object with `type`: the class's name in snake case, without the
                                name of the field it stands in (`terms: BillTerms` is `bill`)
`operations: bytes`             the operations that they encode
==============================  ====================================================================

Amounts of an asset that this node does not know (a refused definition) are minor units.
"""

import re
import types
from collections.abc import Callable, Iterator
from enum import Enum, IntEnum
from functools import lru_cache
from typing import Annotated, Any, Final, TypeAlias, Union, get_args, get_origin, get_type_hints

import msgspec

from node.addresses import ADDRESS_SIZE, render_address
from node.amounts import render_amount
from node.codec import CodecError, Record
from node.ledger.explaining import ADDRESS_DETAILS
from node.ledger.outcomes import Details, Outcome
from node.ledger.units import DAY_MAX, TIME_MS_MAX
from node.rpc.errors import JsonValue
from node.telling import render_day as render_day
from node.telling import render_time as render_time

ADDRESSES_CACHED: Final = 16_384
"""Rendering an address takes some 25 µs; the same ones come again and again."""

_Render: TypeAlias = Callable[[Any], JsonValue]
"""From one value of a record to JSON."""


def snake(name: str) -> str:
    """Return a class's name as JSON writes it: `ForcedTransfer` is `forced_transfer`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Renderer:
    """Renders the records of one network."""

    def __init__(
        self,
        *,
        test: bool,
        decimals_of: Callable[[str], int | None],
        decode_operations: Callable[[bytes], tuple[Record, ...]],
    ) -> None:
        """Make a renderer.

        Args:
            test: whether addresses have the prefix of test networks.
            decimals_of: of an asset by its code; `None` where there is no such asset.
            decode_operations: what the operations of a proposal are.
        """
        self._decimals_of = decimals_of
        self._decode_operations = decode_operations
        self.address: Callable[[bytes], str] = lru_cache(ADDRESSES_CACHED)(
            lambda address: render_address(address, test=test)
        )
        self._fields: dict[type[Record], tuple[_Field, ...]] = {}

    def record(self, record: Record, *, of: str = "") -> dict[str, JsonValue]:
        """Return a record as an object.

        Args:
            of: the field it stands in, whose name the `type` then need not repeat.
        """
        kind = type(record)
        fields = self._fields.get(kind)
        if fields is None:
            fields = self._fields[kind] = tuple(self._compile(kind))
        result: dict[str, JsonValue] = {}
        if _is_tagged(kind):
            result["type"] = snake(kind.__name__).removesuffix(f"_{of}")
        decimals = self._decimals(record)
        for name, key, render in fields:
            value = getattr(record, name)
            if render is None:
                result[key] = self.amount(value, decimals)
            else:
                result[key] = render(value)
        return result

    def amount(self, minor: int, decimals: int | None) -> JsonValue:
        """Return an amount as text; as a number where it is not known to be one."""
        if decimals is None:
            return minor if abs(minor) < 1 << 53 else str(minor)
        sign = "-" if minor < 0 else ""
        return sign + render_amount(abs(minor), decimals=decimals)

    def details(self, details: Details) -> dict[str, JsonValue]:
        """Return the details of a refusal, by name; integers beyond 2^53 as text."""
        return {name: self._detail(name, value) for name, value in details}

    def _detail(self, name: str, value: int | str) -> JsonValue:
        if isinstance(value, int):
            return self.amount(value, None)
        if name in ADDRESS_DETAILS and len(value) == 2 * ADDRESS_SIZE:
            return self.address(bytes.fromhex(value))
        return value

    def mention(self, value: object, accounts: set[str], assets: set[str]) -> None:
        """Add the addresses and the asset codes that a record names, itself or within."""
        if isinstance(value, Record):
            asset = getattr(value, "asset", None)
            if isinstance(asset, str):
                assets.add(asset)
            for name in _names(type(value)):
                self.mention(getattr(value, name), accounts, assets)
        elif isinstance(value, bytes):
            if len(value) == ADDRESS_SIZE:
                accounts.add(self.address(value))
        elif isinstance(value, tuple):
            for item in value:
                self.mention(item, accounts, assets)

    def _decimals(self, record: Record) -> int | None:
        own = getattr(record, "decimals", None)
        if isinstance(own, int):
            return own
        asset = getattr(record, "asset", None)
        return self._decimals_of(asset) if isinstance(asset, str) else None

    def _compile(self, kind: type[Record]) -> Iterator["_Field"]:
        hints = get_type_hints(kind, include_extras=True)
        for name in _names(kind):
            hint = hints[name]
            if name == "operations" and _bare(hint) is bytes:
                yield name, name, self._operations
            elif hint is int:
                yield name, name, None
            elif _is_time(hint):
                yield name, name.removesuffix("_ms"), self._of_hint(hint, name)
            else:
                yield name, name, self._of_hint(hint, name)

    def _of_hint(self, hint: object, name: str) -> _Render:
        bare = _bare(hint)
        arguments = get_args(bare)
        if hint == Details:
            return self.details
        if get_origin(bare) in (Union, types.UnionType):
            return self._optional([item for item in arguments if item is not type(None)], name)
        if get_origin(bare) is tuple:
            return self._tuple(arguments, name)
        if _is_time(hint) and name.endswith("_ms"):
            return render_time  # counts may have the same range
        if _is_day(hint):
            return render_day
        if isinstance(bare, type):
            if issubclass(bare, Record):
                return lambda record: self.record(record, of=name)
            if issubclass(bare, bytes):
                return self.address if _length(hint) == ADDRESS_SIZE else bytes.hex
            if issubclass(bare, Outcome):
                return lambda outcome: str(outcome.name)
            if issubclass(bare, IntEnum):
                return lambda member: str(member.name.lower())
            if issubclass(bare, Enum):
                return lambda member: str(member.value)
        return lambda value: value  # text, flags, and numbers with a range

    def _optional(self, members: list[object], name: str) -> _Render:
        if all(isinstance(member, type) and issubclass(member, Record) for member in members):
            render: _Render = lambda record: self.record(record, of=name)  # noqa: E731
        else:
            (member,) = members
            render = self._of_hint(member, name)
        return lambda value: None if value is None else render(value)

    def _tuple(self, arguments: tuple[object, ...], name: str) -> _Render:
        if arguments[1:] == (Ellipsis,):
            item = self._of_hint(arguments[0], name)
            return lambda values: [item(value) for value in values]
        items = [self._of_hint(argument, name) for argument in arguments]
        return lambda values: [render(value) for render, value in zip(items, values, strict=True)]

    def _operations(self, encoded: bytes) -> JsonValue:
        try:
            return [self.record(operation) for operation in self._decode_operations(encoded)]
        except CodecError:
            return encoded.hex()  # a proposal that cannot be read is refused, and still shown


_Field: TypeAlias = tuple[str, str, _Render | None]
"""Name in the record, name in JSON, and how to render; None: an amount."""


def _names(kind: type[Record]) -> tuple[str, ...]:
    names: tuple[str, ...] = kind.__struct_fields__  # type: ignore[attr-defined]  # of msgspec
    return names


def _is_tagged(kind: type[Record]) -> bool:
    return kind.__struct_config__.tag is not None  # type: ignore[attr-defined]  # of msgspec


def _bare(hint: object) -> object:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def _metas(hint: object) -> Iterator[msgspec.Meta]:
    if get_origin(hint) is Annotated:
        yield from (meta for meta in get_args(hint)[1:] if isinstance(meta, msgspec.Meta))
    elif get_origin(hint) in (Union, types.UnionType):
        for member in get_args(hint):
            yield from _metas(member)


def _is_time(hint: object) -> bool:
    return any(meta.le == TIME_MS_MAX for meta in _metas(hint))


def _is_day(hint: object) -> bool:
    return any(meta.le == DAY_MAX for meta in _metas(hint))


def _length(hint: object) -> int | None:
    for meta in _metas(hint):
        if meta.min_length == meta.max_length:
            return meta.max_length
    return None
