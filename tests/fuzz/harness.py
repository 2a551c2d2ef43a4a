"""What it means that a decoder holds: one question, asked of every target in the same way.

Bytes from outside are either refused with an error of the class that the decoder documents, whose
sentence says something and does not repeat all that came, or they become a value; and where a value
has one spelling, it encodes to those bytes again. Anything else is a finding: another exception,
another spelling, a refusal without a word.
"""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Final, TypeAlias

REFUSAL_SIZE_MAX: Final = 16 << 10
"""Characters in a refusal. A genesis names a hundred faults at once; nothing says more."""

Read: TypeAlias = Callable[[bytes], bytes | None]
"""Decode; return the bytes that the value encodes to, None where a value has many spellings."""


class Form(Enum):
    """How the bytes of a target are built: what a mutation understands of them."""

    MESSAGEPACK = "messagepack"
    JSON = "json"
    TEXT = "text"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A decoder, or a whole door made of several, that bytes from outside reach."""

    name: str
    form: Form
    opened: Callable[[], AbstractContextManager[Read]]
    """What reads, and whatever has to be up for it while the context lasts."""
    refusals: tuple[type[Exception], ...]
    """The documented ones."""
    seeds: Callable[[], tuple[bytes, ...]]
    """Good inputs, made of real objects."""
    doors: tuple[str, ...]
    """The functions of the code base that it goes through, as `module.function`."""
    size_max: int = 1 << 16
    """Bytes of an input that is still worth trying."""
    examples: int = 60
    """Altered inputs tried by the suite."""


class Finding(Exception):
    """A decoder that does not hold; the cause is the exception that escaped, if one did."""

    def __init__(self, target: str, data: bytes, what: str) -> None:
        shown = data.hex() if len(data) <= 200 else f"{data[:200].hex()}... ({len(data)} bytes)"
        super().__init__(f"{target}: {what}; input {shown}")
        self.data = data


def reading(read: Read) -> Callable[[], AbstractContextManager[Read]]:
    """Return how to open a target that needs nothing to be up."""

    @contextlib.contextmanager
    def opened() -> Iterator[Read]:
        yield read

    return opened


def seeds_of(make: Callable[[], tuple[bytes, ...]]) -> Callable[[], tuple[bytes, ...]]:
    """Return the same, made once."""
    return cache(make)


def examine(target: Target, read: Read, data: bytes) -> str:
    """Return "read", or the name of the refusal.

    Raises:
        Finding: neither.
    """
    try:
        again = read(data)
    except target.refusals as refusal:
        if not 0 < len(str(refusal)) <= REFUSAL_SIZE_MAX:
            what = f"a refusal of {len(str(refusal))} characters"
            raise Finding(target.name, data, what) from refusal
        return type(refusal).__name__
    except Exception as error:
        raise Finding(target.name, data, f"{type(error).__name__} escaped: {error}") from error
    if again is not None and again != data:
        raise Finding(target.name, data, f"read, and spelled otherwise: {again[:200].hex()}")
    return "read"
