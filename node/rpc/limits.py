"""Every limit of the interface with its name, and the token buckets that count callers.

A bucket refuses at once and says when to come back; it never makes a caller wait, because waiting
callers are what a flood is made of.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from node.clock import Clock
from node.network.arrivals import source_of
from node.rpc.errors import Limited

ADDRESSES_MAX: Final = 10_000
"""Callers counted at one time; the one heard from longest ago is forgotten first."""
OWED_S_MAX: Final = 8
"""For how long a debt may shut a caller out, whatever its rate: what an address may take at once is
paid off in that time, and `node.client` waits a little longer by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcLimits:
    """What one node serves, and no more. The defaults are for a node on two cores."""

    body_max_bytes: int = 1 << 20
    """Of one JSON-RPC request or WebSocket message."""
    batch_max: int = 100
    """Calls in one JSON-RPC batch."""
    body_small_bytes: int = 1 << 16
    """Bodies up to this are not counted: a connection has buffers of that size anyway."""
    bodies_max_bytes: int = 16 << 20
    """Of larger ones, what has come of all that are under way, until they are answered."""
    bodies_per_caller_max_bytes: int = 4 << 20
    body_patience_ms: int = 1_000
    """A body that has been on its way for longer is given up where another needs its room."""
    answer_max_bytes: int = 4 << 20
    """Of the answer to one JSON-RPC body or message."""
    answers_max_bytes: int = 32 << 20
    """Of answers above `body_small_bytes`, all that nobody has read yet."""
    answers_per_caller_max_bytes: int = 12 << 20
    answer_timeout_ms: int = 30_000
    """In which such an answer must have been read."""
    submission_max_bytes: int = 4 << 20
    """Of one `POST /transactions`."""
    submission_max: int = 5_000
    """Transactions in one `POST /transactions`."""
    submissions_at_once_max: int = 64
    """Bodies of `POST /transactions` that are here whole and worked on at one time."""
    submissions_max_bytes: int = 64 << 20
    """What has come of those above `body_small_bytes`, half of that of one caller; a
    `submission_max_bytes` at least."""
    body_timeout_ms: int = 10_000
    """In which a body must have arrived: against senders of one byte a second."""
    idle_timeout_ms: int = 30_000
    """A connection without a complete request for that long is closed, headers in part too."""
    wait_max_ms: int = 60_000
    """The longest a caller may wait for a transaction to be final."""
    connections_max: int = 2_048
    """Open connections in all."""
    connections_per_address_max: int = 512
    calls_per_second: int | None = 500
    """Calls of one address, each member of a batch counted; `None` counts nothing."""
    calls_burst: int = 1_000
    work_ms_per_second: int | None = 250
    """Processor time of the loop that calls and pages of one address may take; `None` counts
    nothing. A quarter of the loop: consensus has the rest, and others have theirs."""
    work_burst_ms: int = 2_000
    """Of it at once: a hundred of the dearest pages, thousands of calls that read a few records."""
    transactions_per_second: int | None = None
    """Transactions of one address through `POST /transactions`. Without a figure the pool's own
    limit speaks: it says busy and when to retry."""
    transactions_burst: int = 10_000
    subscribers_max: int = 1_024
    """WebSocket connections in all."""
    subscribers_per_address_max: int = 256
    subscriptions_max: int = 8
    """Subscriptions on one connection."""
    socket_calls_max: int = 16
    """Calls under way on one WebSocket; after that it is not read until one is answered."""
    heartbeat_ms: int = 15_000
    """A subscription is told the newest cursor at least that often."""
    stall_ms: int = 10_000
    """A subscriber whose socket takes nothing for that long is told `lagged` and closed."""
    send_buffer_bytes: int = 1 << 18
    """What is held for one subscriber that does not read; beyond it the sender waits."""
    cursor_ahead_max: int = 1_000
    """Heights by which a cursor from another node may be ahead of this one."""
    stream_blocks_max: int = 8
    """Blocks kept readable for subscribers; older ones are read from the store again."""
    stream_items_max: int = 20_000
    """Items of the stream in those blocks together."""


class TokenBucket:
    """Counts what may pass: `per_second` on average, `burst` at once."""

    __slots__ = ("_burst", "_filled_at", "_per_second", "_tokens")

    def __init__(self, *, per_second: int, burst: int, now: float) -> None:
        self._per_second = per_second
        self._burst = burst
        self._tokens = float(burst)
        self._filled_at = now

    def take(self, count: int, now: float) -> int:
        """Take this many and return 0, or take none and return the milliseconds to wait."""
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._per_second)
        self._filled_at = now
        # More than the whole bucket at once passes when it is full and leaves a debt.
        if self._tokens >= min(count, self._burst):
            self._tokens -= count
            return 0
        return math.ceil((min(count, self._burst) - self._tokens) / self._per_second * 1000)

    def owe(self, count: int, now: float) -> None:
        """Take this many, also where there are not so many: the rest is a debt, of one burst and of
        `OWED_S_MAX` at most."""
        self.take(0, now)
        most = min(self._burst, OWED_S_MAX * self._per_second)
        self._tokens = max(self._tokens - count, min(self._tokens, -most))


ASKS_OFTEN: Final = "may ask {rate} times a second"
TAKES_LONG: Final = "may take {rate} microseconds of the node's processor a second, and has"


class RateLimiter:
    """One bucket for each caller: an address, or a key."""

    def __init__(
        self,
        clock: Clock,
        *,
        per_second: int | None,
        burst: int,
        addresses_max: int = ADDRESSES_MAX,
        sentence: str = ASKS_OFTEN,
    ) -> None:
        self._clock = clock
        self._per_second = per_second
        self._burst = burst
        self._addresses_max = addresses_max
        self._sentence = sentence
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def take(self, address: str, count: int = 1, *, per_second: int | None = None) -> None:
        """Count this many of the address.

        Args:
            per_second: the rate of this one, always the same; None: that of all. It may bring two
                seconds' worth at once, or what all may if that is more.

        Raises:
            Limited: more than it may; with the time after which it may again.
        """
        rate = per_second or self._per_second
        if rate is None or count == 0:
            return
        now = self._clock.monotonic()
        wait_ms = self._bucket(address, rate, per_second, now).take(count, now)
        if wait_ms:
            raise Limited(
                f"this {_kind(address)} {self._sentence.format(rate=rate)}; ask again in"
                f" {wait_ms} ms",
                retry_after_ms=wait_ms,
            )

    def owe(self, address: str, count: int, *, per_second: int | None = None) -> None:
        """Count so many of the address for what it was given already. It may ask again once it
        would have been allowed as many, or after `OWED_S_MAX`: a bucket in debt lets nothing pass.
        """
        rate = per_second or self._per_second
        if rate is None or count <= 0:
            return
        now = self._clock.monotonic()
        self._bucket(address, rate, per_second, now).owe(count, now)

    def _bucket(self, address: str, rate: int, per_second: int | None, now: float) -> TokenBucket:
        bucket = self._buckets.get(address)
        if bucket is None:
            burst = self._burst if per_second is None else max(self._burst, 2 * per_second)
            bucket = TokenBucket(per_second=rate, burst=burst, now=now)
            self._buckets[address] = bucket
            if len(self._buckets) > self._addresses_max:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(address)
        return bucket


def _kind(address: str) -> str:
    return "key" if address.startswith("key ") else "address"


def caller(remote: str | None) -> str:
    """Return the name under which a remote address is counted.

    Headers such as X-Forwarded-For are not believed: anyone can write them.
    """
    return "unknown" if remote is None else source_of(remote)
