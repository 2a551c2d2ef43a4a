"""One queue of transactions to verify, and one task that does it: a job in one turn of the loop.

Verifying is most of a node's work. Were every link and every request to verify its own, votes would
wait behind all of them at each of their steps; were a link to wait for its own, votes would wait
behind the transactions that came before them. So peers leave theirs here and go on, and the task
gives way while consensus has something at hand.

A job is as much of what waits as one turn may hold, whoever brought it: what a job costs besides
its transactions is paid the less often the more there is to do. Three jobs of peers go before one
of clients: with four validators under even load that is how they come in. What peers pushed is
dropped when too much of it waits: they keep it, and whoever proposes it is asked for it. Clients
wait, each with one chunk at a time.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from node.admission import Admission, AdmissionResult

CHUNK_MAX: Final = 64
"""Transactions verified in one turn of the loop: some five milliseconds."""
CHUNK_BYTES_MAX: Final = 16 << 10
"""Raw bytes of the same, but for a transaction that is larger and goes alone: with a hundred
operations, sixteen signers and a dry run, one of 64 KiB can take 25 ms."""
PUSHED_BYTES_MAX: Final = 2 << 20
"""Of peers' pushes that wait: some 10,000 transfers, a second of work."""
CLIENTS_MAX: Final = 4_096
"""Requests that wait for their chunk."""
PEERS_TURNS: Final = 3
"""Jobs of peers for one of clients, while both wait."""
GIVE_WAY_MAX: Final = 8
"""Turns in a row left to consensus: transactions must come in, too, when votes are flooding."""

Take: TypeAlias = Callable[[str | None, Sequence[AdmissionResult]], list[AdmissionResult]]
"""(peer, or None for a client; results) -> answers. Called in the same turn as the verification."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    """What one turn may hold of what one peer pushed or one client brings."""

    raws: Sequence[bytes]
    size_bytes: int
    peer: str | None
    """None for a client."""
    done: asyncio.Future[list[AdmissionResult]] | None
    """The client's answers."""


class CrowdedOut(Exception):
    """So many requests wait that one more would not be answered in time."""


class Verifier:
    """The queue and its task."""

    def __init__(
        self, admission: Admission, *, take: Take, gives_way_to: Callable[[], bool]
    ) -> None:
        """Store what is given; nothing is verified before `run`.

        Args:
            take: told the results before the loop is given up: it pools what was admitted.
            gives_way_to: whether consensus has something at hand.
        """
        self._admission = admission
        self._take = take
        self._gives_way_to = gives_way_to
        self._pushed: deque[_Chunk] = deque()
        self._pushed_bytes = 0
        self._brought: deque[_Chunk] = deque()
        self._filled = asyncio.Event()

    def push(self, peer: str, raws: Sequence[bytes]) -> int:
        """Leave what a peer pushed; return how many transactions found no room."""
        dropped = 0
        for chunk, size_bytes in _chunks(raws):
            if self._pushed_bytes + size_bytes > PUSHED_BYTES_MAX:
                dropped += len(chunk)
                continue
            self._pushed.append(_Chunk(chunk, size_bytes, peer, None))
            self._pushed_bytes += size_bytes
        self._filled.set()
        return dropped

    async def bring(self, raws: Sequence[bytes]) -> list[AdmissionResult]:
        """Return the answers to what a client brings, in order, once all are verified.

        Raises:
            CrowdedOut: too many wait already; nothing further of these is looked at.
        """
        answers: list[AdmissionResult] = []
        for chunk, size_bytes in _chunks(raws):
            if len(self._brought) >= CLIENTS_MAX:
                raise CrowdedOut
            done: asyncio.Future[list[AdmissionResult]] = asyncio.get_running_loop().create_future()
            self._brought.append(_Chunk(chunk, size_bytes, None, done))
            self._filled.set()
            answers += await done
        return answers

    async def run(self) -> None:
        """Verify until cancelled.

        Raises:
            StorageError: the committed state cannot be read.
        """
        turn = 0
        try:
            while True:
                if not self._pushed and not self._brought:
                    self._filled.clear()
                    await self._filled.wait()
                for _ in range(GIVE_WAY_MAX):
                    if not self._gives_way_to():
                        break
                    await asyncio.sleep(0)
                turn += 1
                self._verify(clients_turn=turn % (PEERS_TURNS + 1) == 0)
                await asyncio.sleep(0)
        finally:
            for chunk in self._brought:
                if chunk.done is not None:
                    chunk.done.cancel()

    def _verify(self, *, clients_turn: bool) -> None:
        of_clients = bool(self._brought) and (clients_turn or not self._pushed)
        job = _take_job(self._brought if of_clients else self._pushed)
        if not of_clients:
            self._pushed_bytes -= sum(chunk.size_bytes for chunk in job)
        # Where nobody waits for the answer any more, the transactions were not taken.
        job = [chunk for chunk in job if chunk.done is None or not chunk.done.cancelled()]
        raws = [raw for chunk in job for raw in chunk.raws]
        results = self._admission.verify_batch(raws, dry_run=of_clients)
        first = 0
        for chunk in job:
            answers = self._take(chunk.peer, results[first : first + len(chunk.raws)])
            first += len(chunk.raws)
            if chunk.done is not None:
                chunk.done.set_result(answers)


def _take_job(waiting: deque[_Chunk]) -> list[_Chunk]:
    """Return the oldest chunks that one turn may hold together, at least one."""
    job = [waiting.popleft()]
    count, size_bytes = len(job[0].raws), job[0].size_bytes
    while waiting:
        count += len(waiting[0].raws)
        size_bytes += waiting[0].size_bytes
        if count > CHUNK_MAX or size_bytes > CHUNK_BYTES_MAX:
            break
        job.append(waiting.popleft())
    return job


def _chunks(raws: Sequence[bytes]) -> Iterator[tuple[Sequence[bytes], int]]:
    """Yield transactions and their size in bytes, no more of them than one turn may hold."""
    chunk: list[bytes] = []
    size_bytes = 0
    for raw in raws:
        if chunk and (len(chunk) == CHUNK_MAX or size_bytes + len(raw) > CHUNK_BYTES_MAX):
            yield chunk, size_bytes
            chunk, size_bytes = [], 0
        chunk.append(raw)
        size_bytes += len(raw)
    if chunk:
        yield chunk, size_bytes
