"""One queue of transactions to verify, and one task that does it, job by job.

Verifying is most of a node's work. Were every link and every request to verify its own, votes would
wait behind all of them at each of their steps; were a link to wait for its own, votes would wait
behind the transactions that came before them. So peers leave theirs here and go on, and the task
gives way while consensus has something at hand.

A job is as much of what waits as it may hold, whoever brought it: what a job costs besides its
transactions is paid the less often the more there is to do. Pooling, passing on and waking up are
done once for all of them; only their signatures take several turns of the loop, between which the
task gives way again. Three jobs of peers go before one of clients: with four validators under even
load that is how they come in. What peers pushed is dropped when too much of it waits: they keep it,
and whoever proposes it is asked for it. Clients wait, each with one chunk at a time.

Where there is a process that verifies, a job is begun, given to it, and finished when its verdicts
are here, in the order of beginning; meanwhile the loop begins the next.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from node.admission import Admission, AdmissionResult, Batch
from node.signatures import JOBS_MAX, HelperLost, Signatures, Verdicts

CHUNK_MAX: Final = 128
"""Transactions of a job: some two milliseconds without their signatures."""
CHUNK_BYTES_MAX: Final = 32 << 10
"""Raw bytes of the same, but for a transaction that is larger and goes alone: with a hundred
operations, sixteen signers and a dry run, one of 64 KiB can take 25 ms."""
TURN_MAX: Final = 64
"""Signatures verified in one turn of the loop: some four milliseconds."""
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
    """What one job may hold of what one peer pushed or one client brings."""

    raws: Sequence[bytes]
    size_bytes: int
    peer: str | None
    """None for a client."""
    done: asyncio.Future[list[AdmissionResult]] | None
    """The client's answers."""


@dataclass(frozen=True, slots=True)
class _Job:
    """What is being verified."""

    batch: Batch
    chunks: Sequence[_Chunk]
    verdicts: asyncio.Future[Verdicts]


class CrowdedOut(Exception):
    """So many requests wait that one more would not be answered in time."""


class Verifier:
    """The queue and its task."""

    def __init__(
        self,
        admission: Admission,
        *,
        take: Take,
        gives_way_to: Callable[[], bool],
        signatures: Signatures | None = None,
    ) -> None:
        """Store what is given; nothing is verified before `run`.

        Args:
            signatures: where they can be verified besides the loop.
            take: told the results before the loop is given up: it pools what was admitted.
            gives_way_to: whether consensus has something at hand.
        """
        self._admission = admission
        self._take = take
        self._gives_way_to = gives_way_to
        self._signatures = signatures
        self._under_way: deque[_Job] = deque()
        self._pushed: deque[_Chunk] = deque()
        self._pushed_bytes = 0
        self._brought: deque[_Chunk] = deque()
        self.pushed_count = 0
        """Transactions of peers that wait for their turn."""
        self.brought_count = 0
        """Those of clients."""
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
            self.pushed_count += len(chunk)
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
            self.brought_count += len(chunk)
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
                    if self._under_way:
                        await self._end_oldest()
                        continue
                    self._filled.clear()
                    await self._filled.wait()
                await self._give_way()
                turn += 1
                await self._begin(clients_turn=turn % (PEERS_TURNS + 1) == 0)
                while self._under_way and (
                    len(self._under_way) >= JOBS_MAX or self._under_way[0].verdicts.done()
                ):
                    await self._end_oldest()
                await asyncio.sleep(0)
        finally:
            for job in self._under_way:
                self._admission.abandon(job.batch)
                _give_up(job.chunks)
            _give_up(self._brought)

    async def _give_way(self) -> None:
        """Leave some turns to consensus, if it has something at hand."""
        for _ in range(GIVE_WAY_MAX):
            if not self._gives_way_to():
                break
            await asyncio.sleep(0)

    async def _begin(self, *, clients_turn: bool) -> None:
        """Begin a job; where it is verified here, and none is under way, end it too."""
        of_clients = bool(self._brought) and (clients_turn or not self._pushed)
        chunks = _take_job(self._brought if of_clients else self._pushed)
        count = sum(len(chunk.raws) for chunk in chunks)
        if of_clients:
            self.brought_count -= count
        else:
            self.pushed_count -= count
            self._pushed_bytes -= sum(chunk.size_bytes for chunk in chunks)
        # Where nobody waits for the answer any more, the transactions were not taken.
        chunks = [chunk for chunk in chunks if chunk.done is None or not chunk.done.cancelled()]
        raws = [raw for chunk in chunks for raw in chunk.raws]
        with _answering(chunks):
            batch = self._admission.begin(raws, dry_run=of_clients)
        verdicts = None if self._signatures is None else self._signatures.start(batch.checks)
        if verdicts is None:
            here = await self._verify_here(batch, chunks)
            if not self._under_way:
                self._end(batch, chunks, here)
                return
            verdicts = asyncio.get_running_loop().create_future()
            verdicts.set_result(here)
        self._under_way.append(_Job(batch, chunks, verdicts))

    async def _verify_here(self, batch: Batch, chunks: Sequence[_Chunk]) -> list[bool]:
        """Return the verdicts on the signatures of a job, so many a turn."""
        verdicts: list[bool] = []
        try:
            for start in range(0, len(batch.checks), TURN_MAX):
                if start:
                    await asyncio.sleep(0)
                    await self._give_way()
                verdicts += self._admission.verdicts(batch.checks[start : start + TURN_MAX])
        except BaseException:
            self._admission.abandon(batch)
            _give_up(chunks)
            raise
        return verdicts

    async def _end_oldest(self) -> None:
        job = self._under_way[0]
        verdicts: Verdicts
        try:
            verdicts = await job.verdicts
        except HelperLost:
            verdicts = self._admission.verdicts(job.batch.checks)
        self._under_way.popleft()
        self._end(job.batch, job.chunks, verdicts)

    def _end(self, batch: Batch, chunks: Sequence[_Chunk], verdicts: Verdicts) -> None:
        with _answering(chunks):
            results = self._admission.finish(batch, verdicts)
            first = 0
            for chunk in chunks:
                answers = self._take(chunk.peer, results[first : first + len(chunk.raws)])
                first += len(chunk.raws)
                if chunk.done is not None and not chunk.done.done():
                    chunk.done.set_result(answers)


@contextlib.contextmanager
def _answering(chunks: Sequence[_Chunk]) -> Iterator[None]:
    """Give up those who wait for these where the disk fails under them: nobody else knows of them,
    and the node that ends for it must not leave them waiting."""
    try:
        yield
    except BaseException:
        _give_up(chunks)
        raise


def _give_up(chunks: Iterable[_Chunk]) -> None:
    for chunk in chunks:
        if chunk.done is not None:
            chunk.done.cancel()


def _take_job(waiting: deque[_Chunk]) -> list[_Chunk]:
    """Return the oldest chunks that may be in a job together, at least one."""
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
    """Yield transactions and their size in bytes, no more of them than one job may hold."""
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
