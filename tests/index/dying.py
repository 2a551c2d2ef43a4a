"""A database on which the n-th transaction is cut off."""

import contextlib
from typing import Any

from node.index.database import Database, ResultT, Session
from node.index.errors import IndexUnreachable


class Dying:
    """A database whose n-th transaction is cut off: before it is kept, or after it was."""

    def __init__(self, inner: Database, *, dies_at: int, after: bool) -> None:
        self._inner = inner
        self._left = dies_at
        self._after = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def write(self, work: Any) -> Any:
        self._left -= 1
        if self._left:
            return await self._inner.write(work)

        async def cut(session: Session) -> ResultT:
            await work(session)
            raise ConnectionResetError

        if self._after:
            await self._inner.write(work)
        else:
            with contextlib.suppress(ConnectionResetError, IndexUnreachable):
                await self._inner.write(cut)
        raise IndexUnreachable("cut off")

    @property
    def left(self) -> int:
        return self._left
