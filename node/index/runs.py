"""Records that come in any order, wanted in that of their bytes: sorted on disk, in bounded memory.

So many as memory has room for are sorted and written as a run; in the end the runs are merged.
Where there are many, they are merged into one of the next level first, so that no more files are
open than have a buffer each. The files have no names: whatever ends the process, nothing is left.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final, TypeAlias

Piece: TypeAlias = Sequence[bytes]

GATHERED_MAX: Final = 400_000
"""Records in memory, before they are a run: some 40 MiB."""
RUNS_MAX: Final = 64
"""Of one level."""
BUFFERED: Final = 4_096
"""Records in memory of each run that is merged."""


class Runs:
    """Records of one size. `add` them all, then go through what is `merged`, once."""

    def __init__(self, folder: Path, size: int) -> None:
        """Begin with none.

        Args:
            folder: on whose disk they are kept.
            size: of a record, in bytes.
        """
        self._folder = folder
        self._size = size
        self._gathered: list[bytes] = []
        self._levels: list[list[IO[bytes]]] = []

    def add(self, records: Iterable[bytes]) -> None:
        """Take some more, in any order.

        Raises:
            OSError: the disk's reasons.
        """
        self._gathered += records
        if len(self._gathered) >= GATHERED_MAX:
            self._spill()

    def merged(self) -> Iterator[Piece]:
        """Yield all of them in order, piece by piece.

        Raises:
            OSError: the disk's reasons.
        """
        self._spill()
        return self._merge([run for runs in self._levels for run in runs])

    def close(self) -> None:
        """Let go of the files."""
        for runs in self._levels:
            for run in runs:
                run.close()

    def _spill(self) -> None:
        gathered, self._gathered = self._gathered, []
        gathered.sort()
        self._keep(0, [gathered])

    def _keep(self, level: int, pieces: Iterable[Piece]) -> None:
        """Write a run of this level; where there are too many of it, make them one of the next."""
        run: IO[bytes] = TemporaryFile(dir=self._folder)  # noqa: SIM115  # closed by `close`
        if level == len(self._levels):
            self._levels.append([])
        runs = self._levels[level]
        runs.append(run)
        for piece in pieces:
            run.write(b"".join(piece))
        if len(runs) == RUNS_MAX:
            self._keep(level + 1, self._merge(runs))
            for run in runs:
                run.close()
            runs.clear()

    def _merge(self, runs: Sequence[IO[bytes]]) -> Iterator[Piece]:
        heads = [(rest, next(rest, [])) for rest in map(self._read, runs)]
        heads = [(rest, records) for rest, records in heads if records]
        while heads:
            # What is not above the least of the last records in memory is all in memory.
            bound = min(records[-1] for _, records in heads)
            taken: list[bytes] = []
            left: list[tuple[Iterator[Piece], Piece]] = []
            for rest, records in heads:
                cut = bisect_right(records, bound)
                taken += records[:cut]
                if remaining := records[cut:] or next(rest, []):
                    left.append((rest, remaining))
            heads = left
            taken.sort()  # which finds the runs in it, and merges them
            yield taken

    def _read(self, run: IO[bytes]) -> Iterator[Piece]:
        size = self._size
        run.seek(0)
        while data := run.read(BUFFERED * size):
            yield [data[at : at + size] for at in range(0, len(data), size)]
