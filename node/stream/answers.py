"""What a server answers to a message that was published: stored where, or why not. Pure.

The codes are those of NATS' own list (server/errors.json of nats-server).
"""

from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias

import msgspec

ANSWER_SIZE_MAX: Final = 4_096
"""Bytes; a real one has some 60, and one that refuses some 150."""
REASON_MAX: Final = 200
"""Characters of the server's own words that are told."""

_WRONG_LAST: Final = frozenset({10_070, 10_071})
"""By its id, by its sequence."""
_NO_ROOM: Final = frozenset({10_023, 10_028, 10_047, 10_077})
"""Insufficient resources, of memory, of storage; and the stream's own limits."""


@dataclass(frozen=True, slots=True)
class Stored:
    """It is in the stream."""

    sequence: int
    """Where."""
    duplicate: bool
    """It was there before."""


@dataclass(frozen=True, slots=True)
class Passed:
    """The message before it is not the last one of the stream: somebody else has published, or one
    of ours was lost. Nothing was stored."""


@dataclass(frozen=True, slots=True)
class Full:
    """There is no room. Nothing was stored."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Anything else. Nothing was stored."""

    reason: str


Answer: TypeAlias = Stored | Passed | Full | Refused


class _Error(msgspec.Struct, frozen=True):
    err_code: int = 0
    description: str = ""


class _Told(msgspec.Struct, frozen=True):
    seq: Annotated[int, msgspec.Meta(ge=0)] = 0
    duplicate: bool = False
    error: _Error | None = None


def parse_answer(data: bytes, status: str | None = None) -> Answer:
    """Return what an answer says; one that says nothing is a refusal that says so.

    Args:
        status: of the answer's header, which is how a server says that nobody listens.
    """
    if status is not None:
        return Refused(f"no stream takes it: status {status[:REASON_MAX]!r}")
    if len(data) > ANSWER_SIZE_MAX:
        return Refused(f"an answer of {len(data)} bytes, more than {ANSWER_SIZE_MAX}")
    try:
        told = msgspec.json.decode(data, type=_Told)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Refused(f"an answer that is none: {error}")
    if told.error is None:
        if not told.seq:
            return Refused("an answer that names no place in the stream")
        return Stored(told.seq, told.duplicate)
    reason = f"{told.error.description[:REASON_MAX]} ({told.error.err_code})"
    if told.error.err_code in _WRONG_LAST:
        return Passed()
    return Full(reason) if told.error.err_code in _NO_ROOM else Refused(reason)
