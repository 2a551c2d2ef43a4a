"""What several nodes say of themselves, look after look: the latest, and rates between two looks.

Each node is asked by a client of its own, once a look, with a limit of time; one that does not
answer costs no other anything, and is asked again at the next look.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, Self

import msgspec

from node.client import Client, ClientError
from node.clock import Clock

ANSWER_S: Final = 2.0
RATES_KEPT: Final = 60
"""Of the bars: a minute at the usual pace."""
SMOOTHED: Final = 5
"""Looks that a rate is taken over: blocks come in steps."""


class Peer(msgspec.Struct, frozen=True):
    """Of `khz_status`, what is shown."""

    name: str
    connected: bool


class Pool(msgspec.Struct, frozen=True):
    """Of `khz_status`, what is shown."""

    transactions: int
    transactions_max: int


class Status(msgspec.Struct, frozen=True):
    """Of the answer to `khz_status`, what is shown."""

    node: str
    network_name: str
    genesis_hash: str
    height: int
    time: datetime
    clock: datetime
    development: bool
    state_root: str
    validators: int
    quorum: int
    faults_survived: int
    fault_model: str
    ready: bool
    not_ready: list[str]
    mempool: Pool
    peers: list[Peer]
    warnings: list[str] = []  # of an older release none


class Voter(msgspec.Struct, frozen=True):
    """A validator in `khz_consensus`."""

    name: str
    prevote: str | None
    precommit: str | None
    signed_last: int | None
    proposals_missed: int


class Consensus(msgspec.Struct, frozen=True):
    """Of the answer to `khz_consensus`, what is shown."""

    deciding: bool
    round: int | None
    step: str | None
    proposer: str
    validators: list[Voter]
    blocks: int
    transactions: int
    applied: int
    rounds_skipped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One node's answer, and when it came."""

    at_s: float
    status: Status
    consensus: Consensus

    def block_age_s(self, now_ms: int) -> float | None:
        """Return how old the last block was; None before the first."""
        # A development network may have travelled; elsewhere a node's word for the time is nothing.
        now_s = self.status.clock.timestamp() if self.status.development else now_ms / 1000
        return now_s - self.status.time.timestamp() if self.status.height else None


class Watched:
    """One node."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.looks: deque[Look] = deque(maxlen=SMOOTHED + 1)
        self.name = url
        """As it calls itself; its address before it has answered."""
        self.error: str | None = None
        """Why the last look failed; None if it did not."""
        self.silent_since_s: float | None = None

    @property
    def last(self) -> Look | None:
        """The answer to the last look; None: it did not answer it."""
        return self.looks[-1] if self.looks and self.error is None else None

    def take(self, look: Look) -> None:
        """Take an answer."""
        if self.looks and look.consensus.blocks < self.looks[-1].consensus.blocks:
            # It was started anew, and counts from nothing.
            self.looks.clear()
        self.looks.append(look)
        self.name = look.status.node
        self.error, self.silent_since_s = None, None

    def fail(self, reason: str, now_s: float) -> None:
        """Note that it did not answer."""
        self.error = reason
        self.looks.clear()
        if self.silent_since_s is None:
            self.silent_since_s = now_s

    def rate(self, counted: Literal["blocks", "transactions", "applied"]) -> float | None:
        """Return how many there are in a second; None: not known yet."""
        if len(self.looks) < 2 or self.error is not None:
            return None
        first, last = self.looks[0], self.looks[-1]
        elapsed_s = last.at_s - first.at_s
        more: int = getattr(last.consensus, counted) - getattr(first.consensus, counted)
        return more / elapsed_s if elapsed_s > 0 else None


class Poll:
    """All nodes that are watched. Used by `async with`."""

    def __init__(
        self, urls: Sequence[str], clock: Clock, settings: Mapping[str, Any] | None = None
    ) -> None:
        """Store what is given; nobody is asked yet.

        Args:
            settings: what a client is made with, beside the address.

        Raises:
            ValueError: a URL is none.
        """
        self._clock = clock
        self._stack = AsyncExitStack()
        self._waiting = {url: Client(url, **(settings or {})) for url in urls}
        """Those that no node has answered yet: a client begins with an answer."""
        self._clients: dict[str, Client] = {}
        self.nodes = [Watched(url) for url in dict.fromkeys(urls)]
        self.rates: deque[float] = deque(maxlen=RATES_KEPT)
        """Transactions a second of the furthest node, look by look."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def furthest(self) -> Watched | None:
        """The highest node that answers."""
        there = [node for node in self.nodes if node.last is not None]
        return max(there, key=_height, default=None)

    @property
    def now_s(self) -> float:
        """The time that the looks are stamped with."""
        return self._clock.monotonic()

    @property
    def now_ms(self) -> int:
        """By this machine's clock."""
        return self._clock.now_ms()

    async def look(self) -> None:
        """Ask every node once."""
        await asyncio.gather(*(self._ask(node) for node in self.nodes))
        furthest = self.furthest
        rate = None if furthest is None else furthest.rate("transactions")
        self.rates.append(rate or 0.0)

    async def _ask(self, node: Watched) -> None:
        try:
            async with asyncio.timeout(ANSWER_S):
                client = await self._client(node.url)
                status, consensus = await asyncio.gather(
                    client.call("khz_status"), client.call("khz_consensus")
                )
        except TimeoutError:
            node.fail(f"no answer in {ANSWER_S:.0f} s", self._clock.monotonic())
        except ClientError as error:
            node.fail(str(error), self._clock.monotonic())
        else:
            self._take(node, status, consensus)

    async def _client(self, url: str) -> Client:
        client = self._clients.get(url)
        if client is None:
            client = await self._stack.enter_async_context(self._waiting[url])
            self._clients[url] = client
        return client

    def _take(self, node: Watched, status: object, consensus: object) -> None:
        now_s = self._clock.monotonic()
        try:
            look = Look(
                at_s=now_s,
                status=msgspec.convert(status, Status),
                consensus=msgspec.convert(consensus, Consensus),
            )
        except msgspec.ValidationError as error:
            node.fail(f"what answers is no node of this interface: {error}", now_s)
        else:
            node.take(look)


def _height(node: Watched) -> int:
    look = node.last
    return -1 if look is None else look.status.height
