"""Many transactions at once: handed in as MessagePack lists, followed to the end as one stream.

One subscription to the receipts tells what became of all of them, and block time; nothing is asked
for each transaction, and there is no task for each. What a node has no room for waits as long as
the node says; what was not seen in a block for a while is handed in again.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from node.client.drafts import Draft
from node.client.errors import CallFailed, Limited, NotReady, Unreachable, wait_ms
from node.client.finality import INTERNAL, PAUSE_MAX_S, PAUSE_MIN_S, milliseconds
from node.client.reads import Receipt
from node.client.subscriptions import StreamItem, follow
from node.client.transport import SubmittedItem, Transport
from node.ledger.outcomes import Outcome

LIST_MAX: Final = 1_000
"""Transactions in one list: a node verifies them in some 50 ms."""
LIST_BYTES_MAX: Final = 3 << 20
AGAIN_S: Final = 5.0
"""After which a transaction that no block has is handed in again, perhaps at another node."""
LOOK_UP_MAX: Final = 1_000

PENDING, FINAL, REFUSED, BUSY, FORGOTTEN = range(5)
"""Status of an item in the answer to a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkResult:
    """The final word on one of many transactions."""

    id: str
    code: int | None
    """Of the outcome; None where no endpoint keeps the blocks that could tell: see `forgotten`."""
    name: str
    """Of the outcome; `khz_transaction` has its sentence and numbers. FORGOTTEN without one."""
    height: int | None
    """Of the block that says so; None where no block has it: refused at the door, or expired."""

    @property
    def applied(self) -> bool:
        """Whether the transaction took effect."""
        return self.code == Outcome.APPLIED

    @property
    def forgotten(self) -> bool:
        """Whether this is no final word: it may have been applied, in a block that is pruned."""
        return self.code is None


@dataclass(slots=True)
class _Pending:
    raw: bytes
    valid_until_ms: int
    taken: bool = False
    """Whether a node may hold it: then a refusal at a door is not final."""
    forgetful: set[str] = field(default_factory=set)
    """Endpoints that have deleted the blocks that could hold it."""
    asked_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Status:
    id: str
    receipt: Receipt | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _StatusList:
    time: datetime
    transactions: tuple[_Status, ...]
    forgotten_until: datetime | None = None


async def submit_all(transport: Transport, drafts: Sequence[Draft]) -> list[BulkResult]:
    """Return the final word on each, in order. One that comes twice is handed in once.

    Raises:
        CallFailed: a node does not understand the lists or the subscription.
    """
    bulk = _Bulk(transport, drafts)
    return await bulk.run() if drafts else []


class _Finished(Exception):
    """Everything is final: ends the tasks."""


class _Bulk:
    def __init__(self, transport: Transport, drafts: Sequence[Draft]) -> None:
        self._transport = transport
        self._ids = [draft.id for draft in drafts]
        self._results: dict[bytes, BulkResult] = {}
        self._pending = {
            draft.id: _Pending(draft.raw(), draft.body.valid_until_ms) for draft in drafts
        }
        self._following = asyncio.Event()
        self._changed = asyncio.Event()

    async def run(self) -> list[BulkResult]:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow(), name="bulk-follow")
                group.create_task(self._hand_in(), name="bulk-hand-in")
        except* _Finished:
            pass
        return [self._results[identifier] for identifier in self._ids]

    # What blocks say.

    async def _follow(self) -> None:
        stream = follow(
            self._transport, topics=["receipts"], accounts=None, assets=None, start="now"
        )
        async with aclosing(stream) as told:
            async for seen in told:
                if isinstance(seen, StreamItem):
                    await self._take_block(seen)
                self._following.set()
                self._check_finished()

    async def _take_block(self, item: StreamItem) -> None:
        height = item.value["height"]
        for text, code in item.value["receipts"]:
            self._finish(bytes.fromhex(text), code, height)
        time_ms = milliseconds(datetime.fromisoformat(item.value["time"]))
        expired = [
            identifier
            for identifier, pending in self._pending.items()
            if pending.valid_until_ms < time_ms
        ]
        # One that was in a block before this began is not expired but final.
        if expired:
            asked_ms, forgotten_until_ms = await self._take_final(expired)
            for identifier in expired if asked_ms >= time_ms else []:
                pending = self._pending.get(identifier)
                if pending is not None and pending.valid_until_ms > forgotten_until_ms:
                    self._finish(identifier, Outcome.EXPIRED, None)
                elif pending is not None:
                    self._forget(identifier, pending)

    def _forget(self, identifier: bytes, pending: _Pending) -> None:
        """Note that the preferred endpoint cannot know, and turn to the next."""
        pending.forgetful.add(self._transport.preferred)
        if pending.forgetful.issuperset(self._transport.endpoints):
            self._finish(identifier, None, None)

    def _finish(self, identifier: bytes, code: int | None, height: int | None) -> None:
        if self._pending.pop(identifier, None) is not None:
            self._results[identifier] = BulkResult(
                id=identifier.hex(), code=code, name=_name(code), height=height
            )
            self._changed.set()

    def _check_finished(self) -> None:
        if not self._pending:
            raise _Finished

    # Handing in.

    async def _hand_in(self) -> None:
        await self._following.wait()
        loop = asyncio.get_running_loop()
        waiting = deque(self._pending)
        pause_s = PAUSE_MIN_S
        while True:
            batch = self._next_list(waiting)
            if not batch:
                await self._wait_for_change()
                late = loop.time() - AGAIN_S
                waiting += [key for key, each in self._pending.items() if each.asked_at <= late]
                continue
            try:
                items = await self._transport.submit_list([self._pending[key].raw for key in batch])
            except (Limited, NotReady) as error:
                waiting.extendleft(reversed(batch))
                self._transport.pass_over()
                await asyncio.sleep(error.retry_after_ms / 1000)
                continue
            except (CallFailed, Unreachable) as error:
                if isinstance(error, CallFailed) and error.code != INTERNAL:
                    raise
                for key in batch:
                    self._asked(key, loop.time(), taken=True)
                waiting.extendleft(reversed(batch))
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, PAUSE_MAX_S)
                continue
            pause_s = PAUSE_MIN_S
            busy, said_ms, final = self._take_answers(batch, items, loop.time())
            if any(status == FORGOTTEN for _, status, _, _ in items):
                self._transport.pass_over()
            if final:
                await self._take_final(final)
            self._check_finished()
            if busy:
                waiting.extendleft(reversed(busy))
                await asyncio.sleep(wait_ms(said_ms) / 1000)

    def _next_list(self, waiting: deque[bytes]) -> list[bytes]:
        batch: list[bytes] = []
        size = 0
        while waiting and len(batch) < LIST_MAX and size < LIST_BYTES_MAX:
            key = waiting.popleft()
            pending = self._pending.get(key)
            if pending is not None:
                batch.append(key)
                size += len(pending.raw)
        return batch

    def _asked(self, key: bytes, now: float, *, taken: bool) -> None:
        pending = self._pending.get(key)
        if pending is not None:
            pending.asked_at = now
            pending.taken |= taken

    def _take_answers(
        self, batch: Sequence[bytes], items: Sequence[SubmittedItem], now: float
    ) -> tuple[list[bytes], int, list[bytes]]:
        """Return what found no room, for how long to wait with it, and what is final already."""
        busy: list[bytes] = []
        final: list[bytes] = []
        said_ms = 0
        for key, (_, status, outcome, retry_after_ms) in zip(batch, items, strict=True):
            pending = self._pending.get(key)
            if pending is None:
                continue  # a block was faster than the answer
            if status == BUSY:
                busy.append(key)
                said_ms = max(said_ms, retry_after_ms or 0)
            elif status == FINAL:
                self._asked(key, now, taken=True)
                final.append(key)
            elif status == FORGOTTEN:
                self._asked(key, now, taken=True)
                self._forget(key, pending)
            elif status == REFUSED and not pending.taken and outcome is not None:
                self._finish(key, outcome, None)
            else:
                self._asked(key, now, taken=status == PENDING)
        return busy, said_ms, final

    async def _take_final(self, keys: Sequence[bytes]) -> tuple[int, int]:
        """Take over which of these are in a block; return up to which block time that was asked,
        and until when the end of a transaction must be for the node to know nothing of it."""
        time_ms = forgotten_until_ms = 0
        for start in range(0, len(keys), LOOK_UP_MAX):
            texts = [key.hex() for key in keys[start : start + LOOK_UP_MAX]]
            try:
                found = await self._transport.call("khz_transactions", {"ids": texts}, _StatusList)
            except (CallFailed, Unreachable):
                return 0, 0  # asked again with the next block, or when it is handed in again
            for status in found.transactions:
                if status.receipt is not None:
                    outcome = status.receipt.outcome
                    self._finish(bytes.fromhex(status.id), outcome.code, status.receipt.height)
            time_ms = milliseconds(found.time)
            if found.forgotten_until is not None:
                forgotten_until_ms = milliseconds(found.forgotten_until)
        return time_ms, forgotten_until_ms

    async def _wait_for_change(self) -> None:
        self._changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(AGAIN_S / 5):
                await self._changed.wait()


_NAMES: Final = {outcome.value: outcome.name for outcome in Outcome}


def _name(code: int | None) -> str:
    return "FORGOTTEN" if code is None else _NAMES.get(code, f"OUTCOME_{code}")
