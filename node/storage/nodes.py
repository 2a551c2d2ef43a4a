"""The commitment's branches in the database, with the ones in use kept in memory.

The crown of the tree, its upper levels, stays: every change goes through it, and it has a bound by
itself. Of the rest, which in a large tree is read anew for nearly every change, what was used
lately stays. That cache has two halves. What is read or written goes into the young half; when that
is full, it becomes the old half and the old half is forgotten. So memory is bounded, at the price
of a dictionary look-up.
"""

from collections.abc import Callable, Mapping
from typing import Final

from node.storage.layout import node_key, range_of
from node.storage.store import KeyValueStore

CROWN_DEPTH: Final = 4
"""The last level of the crown: 69,905 branches in all, 50 MB with their places in a large tree, 86
where each of them has sixteen leaves."""
CACHE_SIZE_BYTES: Final = 16 << 20
"""Of branches below the crown."""
AHEAD_MAX: Final = 1 << 14
"""Branches that are read ahead: some 8 MB, until the block is committed."""
_ENTRY_OVERHEAD_BYTES: Final = 200  # two bytes objects' headers and a place in a dictionary


class _Ahead:
    """Branches of one state, read before they are asked for.

    Another thread than the one that asks may fill it: what is in it is of that state for good, and
    no step of it leaves a dictionary or a list in between.
    """

    __slots__ = ("_stretches", "branches")

    def __init__(self) -> None:
        self.branches: dict[bytes, bytes] = {}
        self._stretches: list[tuple[bytes, bytes]] = []
        """From which path to whose last branch."""

    def read(
        self,
        store: KeyValueStore,
        first: bytes,
        last: bytes,
        unwritten: Mapping[bytes, bytes | None],
    ) -> None:
        """Read all branches from a path to another's last one, unless they have been.

        Args:
            unwritten: what the store may not hold yet, None for branches that are gone.
        """
        branches = self.branches
        if len(branches) >= AHEAD_MAX or any(
            begin <= first and (last <= end or last.startswith(end))
            for begin, end in self._stretches
        ):
            return
        start, stop = node_key(first), range_of(node_key(last))[1]
        begins = len(node_key(b""))
        pairs = store.scan(start, stop, limit=AHEAD_MAX - len(branches))
        branches.update([(key[begins:], node) for key, node in pairs])
        for path, node in unwritten.items():
            if not start <= node_key(path) < stop:
                continue
            if node is not None and len(branches) < AHEAD_MAX:
                branches[path] = node
            else:
                branches.pop(path, None)
        for begin, end in self._stretches:
            if begin <= first <= end:
                first = begin  # Together with that one it is one stretch.
        self._stretches.append((first, last))


class StoredNodes:
    """A `NodeSource` over a store. Reads may come from one thread at a time."""

    def __init__(
        self,
        store: KeyValueStore,
        *,
        crown_depth: int = CROWN_DEPTH,
        cache_size_bytes: int = CACHE_SIZE_BYTES,
    ) -> None:
        """Store what is given; nothing is read before it is asked for.

        Args:
            crown_depth: down to which depth branches stay in memory; -1: to none.
            cache_size_bytes: for the others.
        """
        self._store = store
        self._crown: dict[bytes, bytes] = {}
        self._crown_depth = crown_depth
        self._half_size_bytes = cache_size_bytes // 2
        self._young: dict[bytes, bytes] = {}
        self._young_size_bytes = 0
        self._old: dict[bytes, bytes] = {}
        self._ahead = _Ahead()
        self._unwritten: Mapping[bytes, bytes | None] = {}
        """Accepted and not in the store yet. Replaced as a whole, by whoever has written it."""
        self.reads = 0
        """How many branches came from the store since the start."""

    def node(self, path: bytes) -> bytes | None:
        if len(path) <= self._crown_depth:
            node = self._crown.get(path)
            if node is not None:
                return node
            node = self._ahead.branches.get(path) or self._read(path)
            if node is not None:
                self._crown[path] = node
            return node
        node = self._ahead.branches.get(path)
        if node is not None:
            return node  # What is kept of it is what comes to be changed.
        node = self._young.get(path)
        if node is not None:
            return node
        node = self._old.pop(path, None)
        if node is None:
            node = self._read(path)
        if node is not None:
            self._keep(path, node)
        return node

    def read_ahead(self, first: bytes, last: bytes) -> None:
        """Read all branches from a path to another's last one in one go, until the next `accept`.

        One after another costs a tenth of looking for each. Beyond the bound each is looked for.
        """
        self._ahead.read(self._store, first, last, self._unwritten)

    def ahead(self) -> "NodesAhead":
        """Return what another thread may fill for the next block, and for no later one, once what
        was accepted is in the store.
        """
        return NodesAhead(self._store, self._crown, self._ahead, self.are_stored)

    def accept(self, nodes: Mapping[bytes, bytes | None], *, are_stored: bool = True) -> None:
        """Take over what has just been written to the store, None for deleted.

        What was read ahead of a block alone is not kept: the next one is about others.

        Args:
            are_stored: False where they are yet to be written; until `caught_up` they are answered
                from memory. Nobody changes them.
        """
        assert not self._unwritten
        if not are_stored:
            self._unwritten = nodes
        ahead, self._ahead = self._ahead.branches, _Ahead()
        for path, node in nodes.items():
            if len(path) <= self._crown_depth:
                if node is None:
                    self._crown.pop(path, None)
                else:
                    self._crown[path] = node
                continue
            if path in ahead and path not in self._young and path not in self._old:
                continue
            # It may stand in both halves, and the old one must not come to light again.
            self._old.pop(path, None)
            former = self._young.pop(path, None)
            if former is not None:
                self._young_size_bytes -= len(path) + len(former) + _ENTRY_OVERHEAD_BYTES
            if node is not None:
                self._keep(path, node)

    def caught_up(self) -> None:
        """Know that what was accepted is in the store now. From any thread."""
        self._unwritten = {}

    def are_stored(self) -> bool:
        """Whether all that was accepted is in the store. From any thread."""
        return not self._unwritten

    def _read(self, path: bytes) -> bytes | None:
        unwritten = self._unwritten
        if path in unwritten:
            return unwritten[path]
        self.reads += 1
        return self._store.seek(node_key(path))

    def _keep(self, path: bytes, node: bytes) -> None:
        """Put a branch that is in neither half into the young one."""
        self._young[path] = node
        self._young_size_bytes += len(path) + len(node) + _ENTRY_OVERHEAD_BYTES
        if self._young_size_bytes > self._half_size_bytes:
            self._old, self._young, self._young_size_bytes = self._young, {}, 0


class NodesAhead:
    """What another thread than the one that asks sees of one state, and reads ahead of it."""

    def __init__(
        self,
        store: KeyValueStore,
        crown: Mapping[bytes, bytes],
        ahead: _Ahead,
        are_stored: Callable[[], bool],
    ) -> None:
        """Take the crown, which is only looked into."""
        self.are_stored = are_stored
        """Whether the state is in the store. Unless it is, nothing may be asked for."""
        self._store = store
        self._crown = crown
        self._ahead = ahead

    def node(self, path: bytes) -> bytes | None:
        branches = self._ahead.branches
        node = branches.get(path) or self._crown.get(path)
        if node is None:
            node = self._store.get(node_key(path))
            if node is not None and len(branches) < AHEAD_MAX:
                branches[path] = node
        return node

    def read_ahead(self, first: bytes, last: bytes) -> None:
        """Read all branches from a path to another's last one in one go."""
        self._ahead.read(self._store, first, last, {})
