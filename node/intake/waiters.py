"""Who waits for which transaction to be final, and until when."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from node.metrics import Metrics

WAITERS_MAX: Final = 100_000
EXPIRY_SCAN_S: Final = 1.0
"""How often those who wait are looked through for what has expired."""


@dataclass(slots=True, kw_only=True)
class _Waiter:
    """All who wait for one transaction."""

    future: asyncio.Future[bool]
    valid_until_ms: int | None
    """None where the transaction is not here: it may be on its way."""
    callers: int = 0


class Waiters:
    """A bounded number of transactions, each waited for by any number of callers."""

    def __init__(
        self, *, monotonic: Callable[[], float], metrics: Metrics, transactions_max: int
    ) -> None:
        self._monotonic = monotonic
        self._gauge = metrics.waiters
        self._transactions_max = transactions_max
        self._by_id: dict[bytes, _Waiter] = {}
        self._scanned_s = 0.0

    def __len__(self) -> int:
        return len(self._by_id)

    async def wait(
        self, transaction_id: bytes, timeout_s: float, *, valid_until_ms: int | None
    ) -> bool:
        """Return whether the transaction became final within this time; False at once when too
        many are waited for.
        """
        waiter = self._by_id.get(transaction_id)
        if waiter is None:
            if len(self._by_id) >= self._transactions_max:
                return False
            waiter = self._by_id[transaction_id] = _Waiter(
                future=asyncio.get_running_loop().create_future(), valid_until_ms=valid_until_ms
            )
            self._gauge.set(len(self._by_id))
        waiter.callers += 1
        try:
            async with asyncio.timeout(timeout_s):
                # Shielded: others may wait for the same, with more patience.
                return await asyncio.shield(waiter.future)
        except TimeoutError:
            return False
        finally:
            waiter.callers -= 1
            if waiter.callers == 0 and not waiter.future.done():
                del self._by_id[transaction_id]
                self._gauge.set(len(self._by_id))

    def committed(self, transaction_ids: Iterable[bytes], time_ms: int) -> None:
        """Tell those who wait for these, and now and then those whose time is over.

        Args:
            time_ms: of the committed block; no later block can hold what was valid until then.
        """
        by_id = self._by_id
        for transaction_id in transaction_ids if by_id else ():
            if transaction_id in by_id:
                self._resolve(transaction_id, final=True)
        now_s = self._monotonic()
        if now_s - self._scanned_s >= EXPIRY_SCAN_S:
            self._scanned_s = now_s
            expired = [
                transaction_id
                for transaction_id, waiter in self._by_id.items()
                if waiter.valid_until_ms is not None and waiter.valid_until_ms <= time_ms
            ]
            for transaction_id in expired:
                self._resolve(transaction_id, final=False)
        self._gauge.set(len(self._by_id))

    def _resolve(self, transaction_id: bytes, *, final: bool) -> None:
        waiter = self._by_id.pop(transaction_id, None)
        if waiter is not None and not waiter.future.done():
            waiter.future.set_result(final)
