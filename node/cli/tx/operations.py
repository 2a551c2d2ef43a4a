"""Operations as people write them, in JSON: the form in which the interface shows them.

    {"type": "transfer", "account": "tkhz1…", "to": "tkhz1…", "asset": "PKR", "amount": "100.50"}

Derived from the operations' fields and annotations alone, so that an act that is added tomorrow can
be written without a line here. What a value is: `node.rpc.rendering` has the table, and this is its
inverse. Fields that may be absent, and lists of approvers, may be left out.
"""

import re
import types
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum, IntEnum
from typing import Annotated, Any, Final, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from node.addresses import ADDRESS_SIZE, AddressError
from node.amounts import AmountError, parse_amount
from node.codec import INTEGER_MAX, INTEGER_MIN, Record, encode
from node.ledger.catalogue import ACTS
from node.ledger.dates import DatesError, from_date, parse_date
from node.ledger.operations import Operation
from node.ledger.units import DAY_MAX, TIME_MS_MAX

_OPERATIONS: Final = {act.name: act.operation for act in ACTS}


class OperationError(Exception):
    """A text that is no operation.

    Attributes:
        place: dotted path of what is wrong.
    """

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}" if place else reason)
        self.place = place


class OperationReader:
    """Reads operations for one network."""

    def __init__(
        self,
        *,
        parse_address: Callable[[str], bytes],
        decimals_of: Callable[[str], int | None],
    ) -> None:
        """Make a reader.

        Args:
            parse_address: of the network; raises AddressError.
            decimals_of: of an asset by its code; None where there is no such asset.
        """
        self._parse_address = parse_address
        self._decimals_of = decimals_of

    def read(self, value: object, *, place: str = "") -> Operation:
        """Return the operation of a JSON object.

        Raises:
            OperationError: it is none; names the place and what was expected.
        """
        if not isinstance(value, dict):
            raise OperationError(place, "expected an object with a type")
        kind = _OPERATIONS.get(str(value.get("type")))
        if kind is None:
            known = ", ".join(_OPERATIONS)
            raise OperationError(
                _at(place, "type"), f"{value.get('type')!r} is no operation; there are {known}"
            )
        rest = {key: item for key, item in value.items() if key != "type"}
        return cast(Operation, self._record(kind, rest, place))

    def _record(self, kind: type[Record], value: Mapping[str, Any], place: str) -> Record:
        hints = get_type_hints(kind, include_extras=True)
        names = {key_of(name, hints[name]): name for name in hints}
        for key in value:
            if key not in names:
                raise OperationError(
                    _at(place, key), f"no such field; there are {', '.join(names)}"
                )
        decimals = self._decimals(value)
        fields: dict[str, object] = {}
        for key, name in names.items():
            hint, where = hints[name], _at(place, key)
            if key in value:
                fields[name] = self._value(hint, value[key], where, decimals)
            elif name == "approvers":
                fields[name] = ()
            elif optional(hint):
                fields[name] = None
            else:
                raise OperationError(where, "missing")
        return kind(**fields)

    def _decimals(self, value: Mapping[str, Any]) -> int | None:
        own, asset = value.get("decimals"), value.get("asset")
        if isinstance(own, int):
            return own
        return self._decimals_of(asset) if isinstance(asset, str) else None

    def _value(self, hint: object, value: Any, place: str, decimals: int | None) -> object:
        bare = unbounded(hint)
        if get_origin(bare) in (Union, types.UnionType):
            return self._union(bare, value, place, decimals)
        if get_origin(bare) is tuple:
            return self._tuple(get_args(bare), value, place, decimals)
        if bare is bytes:
            return self._bytes(hint, value, place)
        if hint is int:
            return _amount(value, place, decimals)
        if ranged(hint, TIME_MS_MAX):
            return _bounded(hint, _time(value, place), place)
        if ranged(hint, DAY_MAX):
            return _bounded(hint, _day(value, place), place)
        if isinstance(bare, type) and issubclass(bare, Record):
            if not isinstance(value, dict):
                raise OperationError(place, "expected an object")
            return self._record(bare, {k: v for k, v in value.items() if k != "type"}, place)
        if isinstance(bare, type) and issubclass(bare, Enum):
            return _member(bare, value, place)
        return _bounded(hint, value, place)

    def _union(self, bare: object, value: Any, place: str, decimals: int | None) -> object:
        members = [member for member in get_args(bare) if member is not types.NoneType]
        if value is None and len(members) < len(get_args(bare)):
            return None
        if len(members) == 1:
            return self._value(members[0], value, place, decimals)
        # A union of records: `type` is the class's name in snake case, or only its beginning.
        wanted = str(value.get("type")) if isinstance(value, dict) else ""
        for member in members:
            name = snake(member.__name__)
            if wanted and wanted in (name, name.rpartition("_")[0]):
                return self._value(member, value, place, decimals)
        names = ", ".join(snake(member.__name__) for member in members)
        raise OperationError(_at(place, "type"), f"expected one of {names}")

    def _tuple(
        self, hints: tuple[object, ...], value: Any, place: str, decimals: int | None
    ) -> tuple[object, ...]:
        if not isinstance(value, list):
            raise OperationError(place, "expected a list")
        if hints[1:] == (Ellipsis,):
            hints = (hints[0],) * len(value)
        if len(hints) != len(value):
            raise OperationError(place, f"expected a list of {len(hints)}, found {len(value)}")
        return tuple(
            self._value(hint, item, f"{place}.{index}", decimals)
            for index, (hint, item) in enumerate(zip(hints, value, strict=True))
        )

    def _bytes(self, hint: object, value: Any, place: str) -> bytes:
        if place.rpartition(".")[2] == "operations" and isinstance(value, list):
            inner = [self.read(item, place=f"{place}.{n}") for n, item in enumerate(value)]
            return encode(tuple(inner))
        if not isinstance(value, str):
            raise OperationError(place, "expected text")
        try:
            if length_of(hint) == ADDRESS_SIZE:
                return self._parse_address(value)
            return bytes.fromhex(value)
        except AddressError as error:
            raise OperationError(place, str(error)) from None
        except ValueError:
            raise OperationError(place, "expected hexadecimal digits") from None


def _bounded(hint: object, value: object, place: str) -> object:
    try:
        if isinstance(value, str):
            value.encode()
        return msgspec.convert(value, hint, strict=True)
    except UnicodeEncodeError:
        raise OperationError(place, "half of a surrogate pair is not a character") from None
    except msgspec.ValidationError as error:
        raise OperationError(place, str(error)) from None


def _amount(value: Any, place: str, decimals: int | None) -> int:
    if decimals is None:
        if type(value) is int and INTEGER_MIN <= value <= INTEGER_MAX:
            return value
        if isinstance(value, str):
            raise OperationError(
                place,
                "it is of an asset that is not defined: compare the code with `khazana query"
                " assets`; minor units are written as a number of at most 64 bits",
            )
        raise OperationError(place, "expected a number of at most 64 bits")
    if not isinstance(value, str):
        raise OperationError(place, 'expected an amount as text, such as "100.50"')
    try:
        return parse_amount(value, decimals=decimals)
    except AmountError as error:
        raise OperationError(place, str(error)) from None


def _time(value: Any, place: str) -> int:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise OperationError(place, "expected a time such as 2026-11-20T12:00:00Z") from None
    if moment.tzinfo is None:
        raise OperationError(place, "the time needs its offset, such as Z")
    return round(moment.timestamp() * 1000)


def _day(value: Any, place: str) -> int:
    try:
        return from_date(parse_date(str(value)))
    except DatesError as error:
        raise OperationError(place, str(error)) from None


def _member(kind: type[Enum], value: Any, place: str) -> Enum:
    for member in kind:
        name = member.name.lower() if issubclass(kind, IntEnum) else member.value
        if value == name:
            return member
    names = ", ".join(m.name.lower() if issubclass(kind, IntEnum) else m.value for m in kind)
    raise OperationError(place, f"found {value!r}, expected one of {names}")


def _at(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key


def key_of(name: str, hint: object) -> str:
    """Return the name under which a field is written: a time has no unit."""
    return name.removesuffix("_ms") if ranged(hint, TIME_MS_MAX) else name


def snake(name: str) -> str:
    """Return the name of a class as it stands under `type`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def unbounded(hint: object) -> Any:
    """Return an annotation without what bounds it."""
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def optional(hint: object) -> bool:
    """Tell whether a field may be absent."""
    bare = unbounded(hint)
    return get_origin(bare) in (Union, types.UnionType) and types.NoneType in get_args(bare)


def metas(hint: object) -> list[msgspec.Meta]:
    """Return what bounds a field, or the value of one that may be absent."""
    inner = next(
        (m for m in get_args(unbounded(hint)) if optional(hint) and m is not types.NoneType), hint
    )
    extras = get_args(inner)[1:] if get_origin(inner) is Annotated else ()
    return [extra for extra in extras if isinstance(extra, msgspec.Meta)]


def ranged(hint: object, highest: int) -> bool:
    """Tell whether a field is bounded by this: times and days are known by their ends."""
    return any(meta.le == highest for meta in metas(hint))


def length_of(hint: object) -> int | None:
    """Return the length that a field has, if it can have one alone."""
    return next((m.max_length for m in metas(hint) if m.max_length == m.min_length), None)
