"""The load rule of `tests.bench.cluster` for any chain that speaks JSON-RPC over HTTP.

Calls are made beforehand and sent in an open loop at a fixed rate, to the nodes in turn. While the
load runs only heights are asked for; what the blocks held is read afterwards, from one node. A
transaction counts at the moment when the last node said that its block is final there.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import aiohttp
import msgspec

from tests.bench import tally
from tests.bench.load import TICK_S
from tests.bench.machine import cpu_seconds

POLL_S: Final = 0.05
READY_S: Final = 60.0
DRAIN_S: Final = 30.0
"""After the last call. What a chain has taken and not confirmed by then is not waited for."""
ANY_HEIGHT: Final = 1_000
BATCH_MAX: Final = 500
"""Calls in one request; servers have limits."""


@dataclass(frozen=True, slots=True)
class Call:
    """One transaction to send."""

    id: str
    """As its chain names it in a block."""
    request: bytes
    """A JSON-RPC call."""


class Rival(Protocol):
    """A network of another chain, running on this machine."""

    urls: Sequence[str]
    pids: Sequence[int]
    begins_at: int
    """The height that every node reaches before the load begins: that blocks come shows that the
    nodes have found each other."""

    def calls(self, count: int) -> list[Call]:
        """Return so many transactions; number n is for node n modulo the nodes."""
        ...

    async def prepare(self, client: "Client") -> None:
        """Do what has to be done once the nodes answer."""
        ...

    async def height(self, client: "Client", url: str) -> int:
        """Return the height up to which everything is final at this node."""
        ...

    async def ids(self, client: "Client", height: int) -> list[str]:
        """Return the transactions of the block."""
        ...


class Client:
    """JSON-RPC over kept connections."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def call(self, url: str, method: str, *params: object, **named: object) -> Any:
        """Return the result of a call.

        Raises:
            RuntimeError: it was answered with an error.
        """
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": named or params}
        answer = await self.post(url, msgspec.json.encode(body))
        if "result" not in answer:
            raise RuntimeError(f"{method}: {answer.get('error')}")
        return answer["result"]

    async def post(self, url: str, body: bytes) -> Any:
        """Return the decoded answer to a body."""
        headers = {"Content-Type": "application/json"}
        async with self._session.post(url, data=body, headers=headers) as response:
            return msgspec.json.decode(await response.read())


@dataclass(slots=True)
class _Seen:
    """When each node said that each height was final."""

    heights: list[int]
    moments: list[dict[int, float]] = field(default_factory=list)

    def note(self, node: int, height: int) -> None:
        for each in range(self.heights[node] + 1, height + 1):
            self.moments[node][each] = time.monotonic()
        self.heights[node] = max(self.heights[node], height)


async def measure(rival: Rival, *, rate: int, warm_up_s: float, window_s: float) -> dict[str, Any]:
    """Send at this rate for warm-up and window; return what came of it."""
    calls = rival.calls(int(rate * (warm_up_s + window_s)))
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        client = Client(session)
        async with asyncio.timeout(READY_S):
            for url in rival.urls:
                await _reached(rival, client, url, -ANY_HEIGHT)
            await rival.prepare(client)
            for url in rival.urls:
                await _reached(rival, client, url, rival.begins_at)
        seen = _Seen([await rival.height(client, url) for url in rival.urls])
        seen.moments = [{} for _ in rival.urls]
        first = min(seen.heights) + 1
        due: dict[str, float] = {}
        answers: Counter[str] = Counter()
        used_s = sum(map(cpu_seconds, rival.pids))
        began = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            watching = [
                tasks.create_task(_watch(rival, client, node, seen), name=f"watch-{node}")
                for node in range(len(rival.urls))
            ]
            await _send(rival, client, calls, rate, due, answers)
            places = await _read(rival, client, seen, first, set(due))
            for task in watching:
                task.cancel()
        used_s = sum(map(cpu_seconds, rival.pids)) - used_s
    final = {
        call_id: max(moments[height] for moments in seen.moments)
        for call_id, height in places.items()
        if call_id in due and all(height in moments for moments in seen.moments)
    }
    start, end = began + warm_up_s, began + warm_up_s + window_s
    found = tally.window(due, final, start, end)
    each = 1e6 / max(len(final), 1) / len(rival.urls)
    return found | {
        "submitted": len(calls),
        "final_on_all": len(final),
        "drained": len(final) == len(calls),
        "drained_in_s": round(max(0.0, max(final.values(), default=end) - end), 2),
        "blocks": len(set(places.values())),
        "answers": dict(answers),
        "nodes": len(rival.urls),
        "cpu_us_per_transaction_and_node": round(used_s * each, 1),
    }


async def _reached(rival: Rival, client: Client, url: str, height: int) -> None:
    while True:
        with contextlib.suppress(aiohttp.ClientError, RuntimeError, msgspec.DecodeError):
            if await rival.height(client, url) >= height:
                return
        await asyncio.sleep(POLL_S)


async def _send(
    rival: Rival,
    client: Client,
    calls: Sequence[Call],
    rate: int,
    due: dict[str, float],
    answers: Counter[str],
) -> None:
    lanes = len(rival.urls)
    began, sent, tick = time.monotonic(), 0, 0
    async with asyncio.TaskGroup() as tasks:
        while sent < len(calls):
            moment = began + tick * TICK_S
            await asyncio.sleep(max(0.0, moment - time.monotonic()))
            tick += 1
            wanted = min(len(calls), int(tick * TICK_S * rate))
            due |= {call.id: moment for call in calls[sent:wanted]}
            for lane, url in enumerate(rival.urls):
                # Number n is of lane n modulo the lanes.
                batch = calls[sent + (lane - sent) % lanes : wanted : lanes]
                for start in range(0, len(batch), BATCH_MAX):
                    part = batch[start : start + BATCH_MAX]
                    tasks.create_task(_post(client, url, part, answers), name=f"post-{tick}")
            sent = wanted


async def _post(client: Client, url: str, batch: Sequence[Call], answers: Counter[str]) -> None:
    body = b"[%b]" % b",".join(call.request for call in batch)
    try:
        found = await client.post(url, body)
    except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as error:
        answers[type(error).__name__] += len(batch)
        return
    for answer in found if isinstance(found, list) else [found] * len(batch):
        answers["taken" if _is_taken(answer) else _complaint(answer)] += 1


def _is_taken(answer: Any) -> bool:
    result = answer.get("result")
    return isinstance(result, str) or (isinstance(result, dict) and result.get("code") == 0)


def _complaint(answer: Any) -> str:
    return str(answer.get("error") or answer.get("result"))[:80]


async def _watch(rival: Rival, client: Client, node: int, seen: _Seen) -> None:
    while True:
        seen.note(node, await rival.height(client, rival.urls[node]))
        await asyncio.sleep(POLL_S)


async def _read(
    rival: Rival, client: Client, seen: _Seen, first: int, wanted: set[str]
) -> dict[str, int]:
    """Return the height of each transaction, once all are in blocks that are final everywhere, or
    some time after the load."""
    places: dict[str, int] = {}
    missing = set(wanted)
    height, deadline = first, time.monotonic() + DRAIN_S
    while missing:
        if height > min(seen.heights):
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(POLL_S)
            continue
        if max(moments.get(height, 0.0) for moments in seen.moments) > deadline:
            break  # Blocks went on coming while those before were read.
        ids = await rival.ids(client, height)
        places |= dict.fromkeys(ids, height)
        missing.difference_update(ids)
        height += 1
    return places
