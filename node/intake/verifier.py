"""One queue of transactions to verify, and one task that does it: a chunk in one turn of the loop.

Verifying is most of a node's work. Were every link and every request to verify its own, votes would
wait behind all of them at each of their steps; were a link to wait for its own, votes would wait
behind the transactions that came before them. So peers leave theirs here and go on, and the task
gives way while consensus has something at hand.

Three chunks of peers go before one of clients: with four validators under even load that is how
they come in. What peers pushed is dropped when too much of it waits: they keep it, and whoever
proposes it is asked for it. Clients wait, each with one chunk at a time.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from node.admission import Admission, AdmissionResult

CHUNK_MAX: Final = 16
"""Transactions verified in one turn of the loop: about 1.5 ms."""
CHUNK_BYTES_MAX: Final = 16 << 10
"""Raw bytes of the same, but for a transaction that is larger and goes alone: with a hundred
operations, sixteen signers and a dry run, one of 64 KiB can take 25 ms."""
PUSHED_BYTES_MAX: Final = 2 << 20
"""Of peers' pushes that wait: some 10,000 transfers, a second of work."""
CLIENTS_MAX: Final = 4_096
"""Requests that wait for their chunk."""
PEERS_TURNS: Final = 3
"""Chunks of peers for one of clients, while both wait."""
GIVE_WAY_MAX: Final = 8
"""Turns in a row left to consensus: transactions must come in, too, when votes are flooding."""

Take: TypeAlias = Callable[[str | None, Sequence[AdmissionResult]], list[AdmissionResult]]
"""(peer, or None for a client; results) -> answers. Called in the same turn as the verification."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    peer: str
    raws: Sequence[bytes]
    size_bytes: int


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
        self._brought: deque[tuple[Sequence[bytes], asyncio.Future[list[AdmissionResult]]]] = (
            deque()
        )
        self._filled = asyncio.Event()

    def push(self, peer: str, raws: Sequence[bytes]) -> int:
        """Leave what a peer pushed; return how many transactions found no room."""
        dropped = 0
        for chunk in _chunks(raws):
            size_bytes = sum(map(len, chunk))
            if self._pushed_bytes + size_bytes > PUSHED_BYTES_MAX:
                dropped += len(chunk)
                continue
            self._pushed.append(_Chunk(peer, chunk, size_bytes))
            self._pushed_bytes += size_bytes
        self._filled.set()
        return dropped

    async def bring(self, raws: Sequence[bytes]) -> list[AdmissionResult]:
        """Return the answers to what a client brings, in order, once all are verified.

        Raises:
            CrowdedOut: too many wait already; nothing further of these is looked at.
        """
        answers: list[AdmissionResult] = []
        for chunk in _chunks(raws):
            if len(self._brought) >= CLIENTS_MAX:
                raise CrowdedOut
            done: asyncio.Future[list[AdmissionResult]] = asyncio.get_running_loop().create_future()
            self._brought.append((chunk, done))
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
                self._verify_one(clients_turn=turn % (PEERS_TURNS + 1) == 0)
                await asyncio.sleep(0)
        finally:
            for _, done in self._brought:
                done.cancel()

    def _verify_one(self, *, clients_turn: bool) -> None:
        if self._brought and (clients_turn or not self._pushed):
            raws, done = self._brought.popleft()
            # Nobody waits for the answer any more: the transactions were not taken.
            if not done.cancelled():
                done.set_result(self._take(None, self._admission.verify_batch(raws, dry_run=True)))
        elif self._pushed:
            chunk = self._pushed.popleft()
            self._pushed_bytes -= chunk.size_bytes
            self._take(chunk.peer, self._admission.verify_batch(chunk.raws))


def _chunks(raws: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    chunk: list[bytes] = []
    left_bytes = CHUNK_BYTES_MAX
    for raw in raws:
        if chunk and (len(chunk) == CHUNK_MAX or left_bytes < len(raw)):
            yield chunk
            chunk, left_bytes = [], CHUNK_BYTES_MAX
        chunk.append(raw)
        left_bytes -= len(raw)
    if chunk:
        yield chunk
