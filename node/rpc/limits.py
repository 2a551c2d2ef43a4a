"""Every limit of the interface with its name, and the token buckets that count callers.

A bucket refuses at once and says when to come back; it never makes a caller wait, because waiting
callers are what a flood is made of.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final

from node.clock import Clock
from node.rpc.errors import Limited

ADDRESSES_MAX: Final = 10_000
"""Callers counted at one time; the one heard from longest ago is forgotten first."""


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
    submissions_at_once_max: int = 16
    """Bodies of `POST /transactions` held in memory at one time: at most 64 MiB with the above."""
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


class RateLimiter:
    """One bucket for each caller: an address, or a key."""

    def __init__(
        self,
        clock: Clock,
        *,
        per_second: int | None,
        burst: int,
        addresses_max: int = ADDRESSES_MAX,
    ) -> None:
        self._clock = clock
        self._per_second = per_second
        self._burst = burst
        self._addresses_max = addresses_max
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
        bucket = self._buckets.get(address)
        if bucket is None:
            burst = self._burst if per_second is None else max(self._burst, 2 * per_second)
            bucket = TokenBucket(per_second=rate, burst=burst, now=now)
            self._buckets[address] = bucket
            if len(self._buckets) > self._addresses_max:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(address)
        wait_ms = bucket.take(count, now)
        if wait_ms:
            raise Limited(
                f"this {_kind(address)} may ask {rate} times a second; ask again in {wait_ms} ms",
                retry_after_ms=wait_ms,
            )


def _kind(address: str) -> str:
    return "key" if address.startswith("key ") else "address"


@lru_cache(ADDRESSES_MAX)
def caller(remote: str | None) -> str:
    """Return the name under which a remote address is counted.

    An IPv6 caller owns a whole /64 and could otherwise be 2^64 callers. Headers such as
    X-Forwarded-For are not believed: anyone can write them.
    """
    if remote is None:
        return "unknown"
    try:
        address = ip_address(remote.partition("%")[0])
    except ValueError:
        return remote
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return f"{IPv6Address(int(address) >> 64 << 64)}/64"
    return str(address)
