"""The commitment's branches in the database, with the ones in use kept in memory.

The cache has two halves. What is read or written goes into the young half; when that is full, it
becomes the old half and the old half is forgotten. So what was used lately stays, at the price of a
dictionary look-up, and memory is bounded.
"""

from collections.abc import Mapping
from typing import Final

from node.storage.layout import node_key
from node.storage.store import KeyValueStore

CACHE_SIZE_BYTES: Final = 24 << 20
_ENTRY_OVERHEAD_BYTES: Final = 200  # two bytes objects' headers and a place in a dictionary


class StoredNodes:
    """A `NodeSource` over a store. Reads may come from one thread at a time."""

    def __init__(self, store: KeyValueStore, *, cache_size_bytes: int = CACHE_SIZE_BYTES) -> None:
        self._store = store
        self._half_size_bytes = cache_size_bytes // 2
        self._young: dict[bytes, bytes] = {}
        self._young_size_bytes = 0
        self._old: dict[bytes, bytes] = {}
        self.reads = 0
        """How many branches came from the store since the start."""

    def node(self, path: bytes) -> bytes | None:
        node = self._young.get(path)
        if node is not None:
            return node
        node = self._old.get(path)
        if node is None:
            self.reads += 1
            node = self._store.get(node_key(path))
        if node is not None:
            self.accept({path: node})
        return node

    def accept(self, nodes: Mapping[bytes, bytes | None]) -> None:
        """Take over what has just been written to the store, None for deleted."""
        young, old, size_bytes = self._young, self._old, self._young_size_bytes
        for path, node in nodes.items():
            # It may stand in both halves, and the old one must not come to light again.
            if path in old:
                del old[path]
            former = young.get(path)
            if former is not None:
                size_bytes -= len(path) + len(former) + _ENTRY_OVERHEAD_BYTES
            if node is None:
                young.pop(path, None)
                continue
            young[path] = node
            size_bytes += len(path) + len(node) + _ENTRY_OVERHEAD_BYTES
            if size_bytes > self._half_size_bytes:
                self._old = old = young
                self._young = young = {}
                size_bytes = 0
        self._young_size_bytes = size_bytes
