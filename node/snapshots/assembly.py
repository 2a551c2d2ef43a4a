"""Which parts of a state are needed, and what each must be: pure, from the root downwards.

Only the root is known at first, from a header under a certificate. Asked for the whole state, a
source answers with the records, or, where they are too many, with the branch: its bytes must have
the digest that is known, and they tell the digests of the sixteen parts below, which are asked for
in their turn. So nothing is ever taken that was not expected, whoever sends it; a part of another
snapshot is good where its digest is the same; and whatever the keys are, even chosen so that many
lie beneath one path, no chunk is larger than the limit.

The deepest place is asked for first, so that few wait: at most fifteen for each level of the tree.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

from node.hashing import HASH_SIZE
from node.ledger.commitment import CommitmentError, Path, Subtree, plant, slots_of
from node.snapshots.errors import BadPart
from node.snapshots.parts import Chunk, Leaves

SPLITS_MAX: Final = 1 << 16
"""Branches above the chunks: at 64 MiB of them, a state of 4,000 million records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A verified branch above the chunks."""

    data: bytes
    slots: tuple[bytes, ...]


Verdict: TypeAlias = Subtree | Branch


class Assembly:
    """The parts of one state: those that are there, under way, and still to be asked for."""

    def __init__(self, root: bytes) -> None:
        self._waiting: list[tuple[Path, bytes]] = [(b"", root)]
        self._asked: dict[Path, bytes] = {}
        self.crown: dict[Path, bytes] = {}
        """The branches above the chunks, by path; complete once all parts are there."""

    @property
    def is_complete(self) -> bool:
        """Whether every part is there."""
        return not self._waiting and not self._asked

    @property
    def waiting(self) -> int:
        """How many places are known and have not been asked for."""
        return len(self._waiting)

    def take(self) -> tuple[Path, bytes] | None:
        """Return the next place to fill and the slot above it, which says what must be there.

        The caller answers with `fill`, `skip` or `give_back`.
        """
        if not self._waiting:
            return None
        path, slot = self._waiting.pop()
        self._asked[path] = slot
        return path, slot

    def skip(self, path: Path) -> None:
        """Note that what belongs at the path is there already."""
        del self._asked[path]

    def give_back(self, path: Path) -> None:
        """Note that nobody answered for the path: it is asked for again."""
        self._waiting.append((path, self._asked.pop(path)))

    def fill(self, path: Path, chunk: Chunk) -> Subtree | None:
        """Take what came for the path; return what to install there, None for a branch.

        Raises:
            BadPart: it is not what belongs there. The path is still asked for: give it back.
        """
        verdict = judge(path, self._asked[path], chunk)
        self.settle(path, verdict)
        return verdict if isinstance(verdict, Subtree) else None

    def slot(self, path: Path) -> bytes:
        """Return what must stand above a path that is asked for."""
        return self._asked[path]

    def settle(self, path: Path, verdict: Verdict) -> None:
        """Take what `judge` made of a chunk, on another thread for instance.

        Raises:
            BadPart: as `fill`.
        """
        if isinstance(verdict, Branch):
            self._split(path, verdict)
        else:
            del self._asked[path]

    def _split(self, path: Path, branch: Branch) -> None:
        if len(self.crown) >= SPLITS_MAX:
            raise BadPart(_name(path), f"more than {SPLITS_MAX} branches above the chunks")
        del self._asked[path]
        self.crown[path] = branch.data
        # The last is taken first: ascending order of paths, which is that of the keys' hashes.
        self._waiting += [
            (path + bytes((index,)), branch.slots[index]) for index in reversed(range(16))
        ]


def judge(path: Path, slot: bytes, chunk: Chunk) -> Verdict:
    """Return what a chunk makes at the path: its subtree, or its branch.

    Args:
        slot: what stands above the path, known already.

    Raises:
        BadPart: the chunk makes something else.
    """
    try:
        if not isinstance(chunk, Leaves):
            if len(slot) != HASH_SIZE:
                raise BadPart(_name(path), "a branch where at most one record belongs")
            return Branch(data=chunk.branch, slots=slots_of(path, chunk.branch, slot))
        subtree = plant(path, zip(chunk.keys, chunk.values, strict=True))
    except CommitmentError as error:
        raise BadPart(_name(path), str(error)) from None
    if subtree.slot != slot:
        raise BadPart(
            _name(path),
            f"{len(chunk.keys)} records make {subtree.slot.hex() or 'nothing'}, expected"
            f" {slot.hex() or 'nothing'}",
        )
    return subtree


def _name(path: Path) -> str:
    return f"chunk {path.hex()[1::2] or '(root)'}"
