"""The open loop: orders at a fixed rate, whatever becomes of those before."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from tests.bench.clients import Poster
from tests.bench.orders import Order

TICK_S: Final = 0.025
"""Orders that fall due within so long are sent together, to the validators in turn."""


class Load:
    """Sends at a fixed rate and remembers when each order was due."""

    def __init__(self, posters: Sequence[Poster], rate: int) -> None:
        self._posters = posters
        self._rate = rate
        self.due: dict[bytes, float] = {}
        """Moment on the monotonic clock, by id."""
        self.answers: Counter[str] = Counter()
        """By status and outcome."""
        self.late_s = 0.0
        """The furthest that a batch left behind its time."""

    async def send(self, stock: Iterator[Order], count: int) -> None:
        """Send so many; returns when each has been answered."""
        began = time.monotonic()
        sent = tick = 0
        async with asyncio.TaskGroup() as tasks:
            while sent < count:
                due = began + tick * TICK_S
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                self.late_s = max(self.late_s, time.monotonic() - due)
                tick += 1
                wanted = min(count, int(tick * TICK_S * self._rate))
                batch = [next(stock) for _ in range(wanted - sent)]
                sent = wanted
                self.due |= {order.id: due for order in batch}
                poster = self._posters[tick % len(self._posters)]
                raws = [order.raw for order in batch]
                tasks.create_task(self._post(poster, raws), name=f"post-{tick}")

    async def _post(self, poster: Poster, raws: list[bytes]) -> None:
        if not raws:
            return
        try:
            items = await poster.transactions(raws)
        except OSError as error:
            self.answers[type(error).__name__] += len(raws)
            return
        for _, status, outcome, _ in items:
            self.answers[f"{status}" if outcome is None else f"{status}/{outcome}"] += 1
