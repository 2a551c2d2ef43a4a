"""Handing in transactions: one, several, or thousands as MessagePack.

The same bytes are answered the same: a transaction that is in a block is answered with its receipt,
whether it was applied or refused there, for as long as the block is kept. What is refused at the
door was not taken: nothing of it stays.

`POST /transactions` is the path of load: a MessagePack list of byte strings in, a list of
`[id, status, outcome, retry_after_ms]` out. Nothing on it is JSON, and nothing makes a task for
each transaction.
"""

import asyncio
import base64
import re
from collections.abc import Sequence
from enum import IntEnum
from typing import Final, TypeAlias, assert_never

import msgspec

from node.admission import Forgotten, Refusal
from node.codec import CodecError, decode, encode
from node.intake import Behind
from node.ledger.outcomes import Outcome, Reject
from node.ledger.transactions import (
    TRANSACTION_SIZE_MAX,
    TransactionBody,
    decode_body,
    decode_signed,
    transaction_id,
)
from node.mempool import AdmittedTransaction, Full, Known
from node.rpc import results
from node.rpc.errors import InvalidParams, Limited, NotReady, Pruned, RpcError, WaitTimeout
from node.rpc.limits import RpcLimits
from node.rpc.places import Places
from node.rpc.results import at_head
from node.rpc.services import RpcServices
from node.rpc.views import Views
from node.telling import AMOUNTS

MESSAGEPACK_TYPES: Final = frozenset(
    {"application/msgpack", "application/vnd.msgpack", "application/x-msgpack"}
)
WAIT_SLICE_S: Final = 1.0
"""How often who waits is told that it waits in vain: block time has passed the end."""
WAIT_AGAIN_MS: Final = 500
"""When to ask again after too many waited: most do not wait longer than this."""

FORGOTTEN: Final = "the transaction's time is over, and what became of it is not known here"

_HEX: Final = re.compile(r"(?:[0-9a-f]{2})+\Z")


class ItemStatus(IntEnum):
    """The second member of an item in the answer of `POST /transactions`; permanent."""

    PENDING = 0
    """Taken, or had been: it waits for a block."""
    FINAL = 1
    """It is in a block; the third member is the number of its outcome."""
    REFUSED = 2
    """Not taken; the third member is the number of the outcome."""
    BUSY = 3
    """Not taken for want of room; the fourth member is when to try again."""
    FORGOTTEN = 4
    """Not taken: its time is over, and the block that may hold it is no longer kept here."""


Item: TypeAlias = tuple[bytes | None, ItemStatus, Outcome | None, int | None]
"""Id, `ItemStatus`, number of the outcome, milliseconds to wait."""


class ReadableItem(msgspec.Struct, frozen=True, kw_only=True):
    """The same as JSON, for people and small programs."""

    id: str | None
    status: str
    outcome: str | None
    code: int | None
    retry_after_ms: int | None


class Submissions:
    """Takes transactions for one node."""

    def __init__(
        self, services: RpcServices, views: Views, places: Places, limits: RpcLimits
    ) -> None:
        self._services = services
        self._chain = services.chain
        self._views = views
        self._places = places
        self._limits = limits
        self._simulating = asyncio.Lock()

    # One, or several by name.

    async def submit(self, text: str, *, wait: bool, timeout_ms: int) -> results.SubmissionResult:
        """Take one transaction; wait for its receipt if asked to.

        Raises:
            Rejected: refused at the door.
            Pruned: its time is over, and what became of it is not known here.
            Limited: no room; says when to try again.
            WaitTimeout: taken, and not final in this time.
        """
        refused = self._turned_away(1)
        if refused is not None:
            raise refused
        raw = decode_text(text, "transaction")
        (taken,) = await self._take([raw])
        if isinstance(taken, RpcError):
            raise taken
        identifier, receipt = taken
        if wait and receipt is None:
            receipt = await self._receipt_of(identifier, raw, timeout_ms)
        return results.SubmissionResult(
            **at_head(self._chain.head),
            id=identifier.hex(),
            status="pending" if receipt is None else "final",
            receipt=receipt,
        )

    async def _receipt_of(
        self, identifier: bytes, raw: bytes, timeout_ms: int
    ) -> results.ReceiptView | None:
        timeout_s = min(timeout_ms, self._limits.wait_max_ms) / 1000
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        _, body = decode_signed(raw)
        while (left_s := deadline - loop.time()) > 0:
            began = loop.time()
            slice_s = min(left_s, WAIT_SLICE_S)
            if await self._services.intake.wait(identifier, slice_s):
                return self._places.status(identifier, self._services.mempool)[1]
            time_ms = self._chain.head.time_ms
            if body.valid_until_ms < time_ms:
                if self._chain.is_forgotten(body.valid_until_ms):
                    raise self._places.pruned(FORGOTTEN)
                expired = (("found", body.valid_until_ms), ("expected", time_ms))
                raise self._views.rejected(Outcome.EXPIRED, expired, identifier)
            if loop.time() < began + slice_s:
                raise Limited(
                    "the transaction was taken, but too many are waited for here; ask again by"
                    " its id",
                    retry_after_ms=WAIT_AGAIN_MS,
                )
        raise WaitTimeout(
            f"not final within {timeout_s:g} s; ask again by its id, or submit it again",
            {"id": identifier.hex()},
        )

    async def submit_many(
        self, texts: Sequence[str], *, wait: bool, timeout_ms: int
    ) -> results.SubmissionsResult:
        """Take several transactions; each has its own answer.

        With `wait`, those that are not final in this time are answered `pending`.
        """
        refused = self._turned_away(len(texts))
        if refused is not None:
            return results.SubmissionsResult(
                **at_head(self._chain.head), results=[self._submitted(refused)] * len(texts)
            )
        raws = [decode_text(text, f"transactions[{i}]") for i, text in enumerate(texts)]
        taken = await self._take(raws)
        if wait:
            waiting = [item[0] for item in taken if not isinstance(item, RpcError) and not item[1]]
            await self._wait_all(waiting, min(timeout_ms, self._limits.wait_max_ms) / 1000)
        return results.SubmissionsResult(
            **at_head(self._chain.head), results=[self._submitted(item) for item in taken]
        )

    async def _wait_all(self, identifiers: Sequence[bytes], timeout_s: float) -> None:
        deadline = asyncio.get_running_loop().time() + timeout_s
        for identifier in identifiers:
            left_s = deadline - asyncio.get_running_loop().time()
            if left_s <= 0 or not await self._services.intake.wait(identifier, left_s):
                return

    def _submitted(
        self, taken: "tuple[bytes, results.ReceiptView | None] | RpcError"
    ) -> results.SubmittedItem:
        if isinstance(taken, RpcError):
            known = taken.data.get("id")
            return results.SubmittedItem(
                id=known if isinstance(known, str) else None,
                status="refused",
                receipt=None,
                error=results.ErrorView(code=taken.code, message=taken.message, data=taken.data),
            )
        identifier, receipt = taken
        status = "final"
        if receipt is None:
            status, receipt = self._places.status(identifier, self._services.mempool)
        return results.SubmittedItem(
            id=identifier.hex(),
            status="final" if status == "final" else "pending",
            receipt=receipt,
            error=None,
        )

    def _turned_away(self, count: int) -> Limited | None:
        """Return the error by which so many are refused unread; None: they are not."""
        retry_after_ms = self._services.intake.turn_away()
        if retry_after_ms is None:
            return None
        self._services.metrics.submissions.labels(answer="full").inc(count)
        return busy(retry_after_ms)

    async def _take(
        self, raws: Sequence[bytes]
    ) -> "list[tuple[bytes, results.ReceiptView | None] | RpcError]":
        """Return for each its id and, where it is final already, its receipt; or why not."""
        answers: list[tuple[bytes, results.ReceiptView | None] | RpcError] = []
        for raw, result in zip(raws, await self._services.intake.submit(raws), strict=True):
            match result:
                case AdmittedTransaction() | Known():
                    answers.append((result.id, None))
                case Full():
                    answers.append(busy(result.retry_after_ms))
                case Behind():
                    answers.append(_behind(result.retry_after_ms))
                case Refusal():
                    answers.append(self._refused(result, raw))
                case Forgotten():
                    answers.append(self._places.pruned(FORGOTTEN))
                case _ as unreachable:
                    assert_never(unreachable)
        return answers

    def _refused(
        self, refusal: Refusal, raw: bytes
    ) -> "tuple[bytes, results.ReceiptView | None] | RpcError":
        if refusal.id is not None:
            # In a block already: the answer to the same bytes stays the same.
            try:
                _, receipt = self._places.status(refusal.id, self._services.mempool)
            except Pruned as error:
                return error
            if receipt is not None:
                return refusal.id, receipt
        body = None
        if refusal.of_state and refusal.outcome.name in AMOUNTS:  # amounts are of its assets
            _, body = decode_signed(raw)
        return self._views.rejected(
            refusal.outcome, refusal.details, refusal.id, operation=refusal.operation, body=body
        )

    # Thousands.

    def decode_list(self, body: bytes) -> tuple[bytes, ...]:
        """Return the transactions in a body.

        Raises:
            InvalidParams: it is not such a list, or too long a one.
        """
        try:
            raws = decode(body, tuple[bytes, ...], size_max=self._limits.submission_max_bytes)
        except CodecError as error:
            raise InvalidParams(
                f"the body must be a canonical MessagePack array of byte strings: {error.reason}"
            ) from None
        if not 1 <= len(raws) <= self._limits.submission_max:
            raise InvalidParams(
                f"{len(raws)} transactions; 1 to {self._limits.submission_max} are taken at once",
                {"submission_max": self._limits.submission_max},
            )
        return raws

    async def submit_items(self, raws: Sequence[bytes]) -> list[Item]:
        """Take transactions; one item for each, in order."""
        items: list[Item] = []
        for result in await self._services.intake.submit(raws):
            match result:
                case AdmittedTransaction() | Known():
                    items.append((result.id, ItemStatus.PENDING, None, None))
                case Full() | Behind():
                    items.append((None, ItemStatus.BUSY, None, result.retry_after_ms))
                case Refusal():
                    items.append(self._refused_item(result))
                case Forgotten():
                    items.append((result.id, ItemStatus.FORGOTTEN, None, None))
                case _ as unreachable:
                    assert_never(unreachable)
        return items

    def _refused_item(self, refusal: Refusal) -> Item:
        if refusal.id is not None:
            place = self._chain.transaction(refusal.id)
            if place is not None:
                try:
                    receipt = self._places.block(place[0]).receipts.receipt(place[1])
                except Pruned:
                    return refusal.id, ItemStatus.FORGOTTEN, None, None
                return refusal.id, ItemStatus.FINAL, receipt.outcome, None
        return refusal.id, ItemStatus.REFUSED, refusal.outcome, None

    # Trying.

    async def simulate(self, text: str) -> results.SimulationResult:
        """Say what would become of a transaction, signed or not, in the next block.

        One in one turn of the loop, whoever asks: a hundred operations that nobody had to sign can
        take 25 ms, a request can hold eight of them, and votes must not wait behind all.

        Raises:
            Rejected: the bytes are no transaction.
        """
        async with self._simulating:
            await asyncio.sleep(0)
            return self._simulate(text)

    def _simulate(self, text: str) -> results.SimulationResult:
        encoded_body, body = self._body(decode_text(text, "transaction"))
        receipt = self._chain.simulate(body, now_ms=self._services.clock.now_ms())
        return results.SimulationResult(
            **at_head(self._chain.head),
            id=transaction_id(self._services.genesis.hash, encoded_body).hex(),
            outcome=self._views.receipt_outcome(receipt, body),
            events=self._views.events(receipt.events),
        )

    def _body(self, data: bytes) -> tuple[bytes, TransactionBody]:
        try:
            signed, body = decode_signed(data)
        except Reject as refused:
            try:
                return data, decode_body(data)
            except Reject:
                raise self._views.rejected(refused.outcome, refused.details, None) from None
        return signed.body, body


def busy(retry_after_ms: int) -> Limited:
    """Return the error for a pool without room."""
    return Limited(
        f"this node's pool is full; try again in {retry_after_ms} ms, or at another node",
        retry_after_ms=retry_after_ms,
    )


def _behind(retry_after_ms: int) -> NotReady:
    return NotReady(
        "this node would refuse this, but the others may have a block that it has not; try again in"
        f" {retry_after_ms} ms, or at another node",
        {"retry_after_ms": retry_after_ms},
    )


def encode_items(items: list[Item]) -> bytes:
    """Return the MessagePack answer of `POST /transactions`."""
    return encode(tuple(items))


def readable_items(items: list[Item]) -> list[ReadableItem]:
    """Return the same for readers of JSON."""
    return [
        ReadableItem(
            id=None if identifier is None else identifier.hex(),
            status=status.name.lower(),
            outcome=None if outcome is None else outcome.name,
            code=outcome,
            retry_after_ms=retry_after_ms,
        )
        for identifier, status, outcome, retry_after_ms in items
    ]


def decode_text(text: str, name: str) -> bytes:
    """Return the bytes written in lower-case hexadecimal or base64.

    No transaction is both: its first byte is 0x92, which base64 begins with a `k`.

    Raises:
        InvalidParams: it is neither.
    """
    if len(text) > 2 * TRANSACTION_SIZE_MAX + 2:
        raise InvalidParams(f"{name}: more than any transaction, {TRANSACTION_SIZE_MAX} bytes")
    if _HEX.match(text):
        return bytes.fromhex(text)
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise InvalidParams(f"{name}: neither lower-case hexadecimal nor base64") from None
