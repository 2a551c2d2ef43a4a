"""The one door to MessagePack: canonical bytes of records, and strict decoding of them.

A value has exactly one encoding: arrays only, shortest forms, nil for absence, no maps, floats or
extension types. Whatever decodes must encode again to the same bytes, or it is refused, so that
nothing hashed or signed has a second spelling.

Records are `msgspec.Struct`s derived from `Record`: frozen, positional, typed, without defaults. A
closed union of records gives each member its own integer tag, which then leads its array.

Limits: the size is checked before anything is parsed; an array or string cannot claim more than
the input holds. What is built while parsing is bounded by the types, because the parser follows
them and stops at the first byte that does not fit: an untyped parse would build a list of 64 bytes
for each input byte of nested empty arrays before anybody looked at it. So a kind is never recursive
and never untyped, and an array field says how long it may be. What this module does not do:
versions, hashing, meaning.

The bytes are those of the `msgpack` package. msgspec spells the same ones at a fifth of the cost,
and does so for every record. That they agree is held by the tests, and at every start by
`encode_twice` on what all else hangs on: the genesis.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar, dataclass_transform

import msgpack
import msgspec

RECORD_SIZE_MAX: Final = 1 << 24  # 16 MiB: no record, frame or block is larger
INTEGER_MIN: Final = -(1 << 63)
INTEGER_MAX: Final = (1 << 64) - 1
"""What MessagePack can spell."""

_pack = msgspec.msgpack.Encoder().encode

# Compiled once for each kind, as many entries as the program has kinds.
_READERS: Final[dict[object, Callable[[bytes], Any]]] = {}


class CodecError(Exception):
    """Bytes that are not the canonical encoding of the expected kind.

    Attributes:
        expected: the name of the kind that was asked for.
        reason: what was found instead.
    """

    def __init__(self, expected: str, reason: str) -> None:
        super().__init__(f"not a canonical {expected}: {reason}")
        self.expected = expected
        self.reason = reason


if TYPE_CHECKING:

    @dataclass_transform(frozen_default=True, kw_only_default=True)
    class Record:
        """What a type checker sees: options are inherited, which msgspec's own stub cannot say."""

        def __init_subclass__(cls, *, tag: int | None = None) -> None:  # type: ignore[explicit-override]
            ...

else:

    class Record(
        msgspec.Struct,
        frozen=True,
        array_like=True,
        forbid_unknown_fields=True,
        kw_only=True,
        gc=False,
    ):
        """A value with canonical bytes: its fields in order of declaration, as an array.

        Fields have no defaults: a missing one would otherwise be a second spelling. Integers are
        those of MessagePack, `INTEGER_MIN` to `INTEGER_MAX`; a bound given in `Meta` must fit into
        63 bits.

        The garbage collector does not look at them: what is frozen and made of what was there
        before cannot lead back to itself, and a node keeps some hundred thousand.
        """


RecordT = TypeVar("RecordT")


def replace(record: RecordT, **changes: object) -> RecordT:
    """Return the record with these fields changed. The caller answers for their types."""
    replaced: RecordT = msgspec.structs.replace(record, **changes)  # type: ignore[type-var]
    return replaced


def encode(value: object) -> bytes:
    """Return the canonical bytes of a record, or of a tuple of records, integers, strings, bytes.

    Raises:
        CodecError: the value holds something without a canonical form, such as an integer beyond
            64 bits. That records hold no float and no map is the business of their field types.
    """
    try:
        return _pack(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise CodecError(type(value).__name__, str(error)) from None


def encode_each(values: Iterable[object]) -> list[bytes]:
    """Return `encode` of each of these: for whoever encodes thousands.

    Raises:
        CodecError: as `encode`, of the first that has no canonical form.
    """
    values = tuple(values)
    try:
        return list(map(_pack, values))
    except (TypeError, ValueError, OverflowError):
        return [encode(value) for value in values]  # One of them says what is wrong with it.


def encode_twice(value: object) -> bytes:
    """Return `encode(value)` after both packages have spelled it.

    Raises:
        CodecError: as `encode`, or they differ: with a release of either that spells otherwise,
            this node would compute other hashes than everybody else.
    """
    spelled = encode(value)
    if msgpack.packb(msgspec.to_builtins(value, builtin_types=(bytes,))) != spelled:
        raise CodecError(
            type(value).__name__,
            "msgspec and msgpack spell it differently, expected the same bytes: install the"
            " versions that requirements.lock names",
        )
    return spelled


def decode(data: bytes, kind: type[RecordT], *, size_max: int = RECORD_SIZE_MAX) -> RecordT:
    """Return the record of this kind whose canonical bytes these are.

    Args:
        kind: a `Record`, a tagged union of records, or a tuple type of them.
        size_max: the largest input accepted, in bytes.

    Raises:
        CodecError: too large, truncated, trailing bytes, another type, a value out of the bounds
            that its field declares, or a spelling that is not the canonical one.
    """
    if len(data) > size_max:
        raise CodecError(_name(kind), f"{len(data)} bytes where at most {size_max} are allowed")
    return reader(kind)(data)


def reader(kind: type[RecordT]) -> Callable[[bytes], RecordT]:
    """Return `decode` of one kind, which does not look at the size: for whoever decodes thousands
    of what is known to be small.
    """
    read: Callable[[bytes], RecordT] | None = _READERS.get(kind)
    if read is None:
        read = _READERS[kind] = _compiled(kind)
    return read


def _compiled(kind: type[RecordT]) -> Callable[[bytes], RecordT]:
    parse = msgspec.msgpack.Decoder(kind, strict=True).decode
    spell = _pack

    def read(data: bytes) -> RecordT:
        try:
            value: RecordT = parse(data)
            spelled = spell(value)
        except (
            msgspec.MsgspecError,
            ValueError,
            TypeError,
            OverflowError,
            RecursionError,
        ) as error:
            raise CodecError(_name(kind), str(error) or type(error).__name__) from None
        if spelled != data:
            raise CodecError(_name(kind), "another spelling of the same value")
        return value

    return read


def reader_of_each(kind: type[RecordT]) -> Callable[[Sequence[bytes]], list[RecordT]]:
    """Return what reads each of some inputs, in the order given: `reader`, without its calls.

    It raises CodecError where one of them is not canonical, and does not say which.
    """
    parse = msgspec.msgpack.Decoder(kind, strict=True).decode
    spell = _pack

    def read_each(inputs: Sequence[bytes]) -> list[RecordT]:
        try:
            values: list[RecordT] = list(map(parse, inputs))
            spelled = list(map(spell, values))
        except (
            msgspec.MsgspecError,
            ValueError,
            TypeError,
            OverflowError,
            RecursionError,
        ) as error:
            raise CodecError(_name(kind), str(error) or type(error).__name__) from None
        if spelled != list(inputs):
            raise CodecError(_name(kind), "another spelling of the same value")
        return values

    return read_each


def _name(kind: object) -> str:
    return str(getattr(kind, "__name__", kind))
