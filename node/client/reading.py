"""Answers of the interface become typed values, each with the block after which it was so; lists
are read page by page.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec

from node.client.errors import BadAnswer
from node.client.reads import Read
from node.client.transport import Transport

T = TypeVar("T")

PAGE_MAX: Final = 200
PAGES_MAX: Final = 50_000
"""Pages of one list: ten million entries. A node that always has another is no node of ours."""


class Reader:
    """Asks one transport, and believes nothing that it cannot decode."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def one(
        self, method: str, params: Mapping[str, Any], kind: type[T], *, member: str | None = None
    ) -> Read[T]:
        """Return the member of the result, or the result itself, with its place."""
        raw = await self._transport.call(method, params, msgspec.Raw)
        place = decoded(bytes(raw), _Place)
        if member is not None:
            raw = decoded(bytes(raw), dict[str, msgspec.Raw]).get(member, msgspec.Raw(b"null"))
        return Read(
            value=decoded(bytes(raw), kind),
            height=place.height,
            block_id=place.block_id,
            time=place.time,
        )

    async def all(
        self, method: str, params: Mapping[str, Any], member: str, kind: type[T]
    ) -> Read[tuple[T, ...]]:
        """Return all pages; the place is that of the last."""
        entries: list[T] = []
        after: str | None = None
        for _ in range(PAGES_MAX):
            raw = await self._transport.call(
                method, {**params, "limit": PAGE_MAX, "after": after}, msgspec.Raw
            )
            place = decoded(bytes(raw), _Place)
            page = decoded(bytes(raw), dict[str, msgspec.Raw]).get(member, msgspec.Raw(b"null"))
            entries += decoded(bytes(page), list[kind])  # type: ignore[valid-type]
            after = place.next
            if after is None:
                return Read(
                    value=tuple(entries),
                    height=place.height,
                    block_id=place.block_id,
                    time=place.time,
                )
        raise BadAnswer(f"{method} has not ended after {PAGES_MAX} pages")


class _Place(msgspec.Struct):
    height: int
    block_id: str
    time: datetime
    next: str | None = None


def decoded(data: bytes, kind: type[T]) -> T:
    """Return what JSON says, as a value of this kind.

    Raises:
        BadAnswer: it is none.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    # What was cut out of an answer has not been looked into yet, and texts not been decoded.
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadAnswer(f"unreadable: {error}") from None
