"""What was read or committed lately, within a fixed number of bytes.

Two generations: an entry is put into the young one; when the young one holds half the budget it
becomes the old one, and what the old one still held is forgotten. A hit in the old generation moves
the entry to the young one. So whatever was used during the last half budget of traffic is still
there, a hit costs one or two look-ups, and nothing is ever sorted or relinked.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Generic, TypeVar

ValueT = TypeVar("ValueT")

ENTRY_OVERHEAD_BYTES: Final = 300
"""A dictionary slot, the key, the entry and a small record's objects; measured on CPython 3.11."""


class GenerationCache(Generic[ValueT]):
    """A bounded map from keys to values whose size the caller states."""

    def __init__(self, size_bytes_max: int) -> None:
        self._half_bytes = size_bytes_max // 2
        self.young: dict[bytes, tuple[ValueT, int]] = {}
        """What was used lately: value and size by key. For whoever looks up thousands, to read."""
        self._old: dict[bytes, tuple[ValueT, int]] = {}
        self._young_bytes = 0
        self._old_bytes = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self.young) + len(self._old)

    def __contains__(self, key: bytes) -> bool:
        return key in self.young or key in self._old

    @property
    def old(self) -> Mapping[bytes, tuple[ValueT, int]]:
        """The same of what was used before that."""
        return self._old

    @property
    def size_bytes(self) -> int:
        """What is held, by the callers' own estimates and the overhead of each entry."""
        return self._young_bytes + self._old_bytes

    def get(self, key: bytes, default: ValueT) -> ValueT:
        """Return the value, or the default; where a value may be None, pass a default that is not.

        An entry of the old generation moves to the young one.
        """
        entry = self.young.get(key)
        if entry is not None:
            return entry[0]
        entry = self._old.get(key)
        if entry is None:
            self.misses += 1
            return default
        self.put(key, entry[0], entry[1] - ENTRY_OVERHEAD_BYTES)
        return entry[0]

    def put(self, key: bytes, value: ValueT, size_bytes: int) -> None:
        """Keep a value of this size, in place of an earlier one."""
        size_bytes += ENTRY_OVERHEAD_BYTES
        earlier = self.young.get(key)
        if earlier is not None:
            self._young_bytes -= earlier[1]
        elif key in self._old:
            self._old_bytes -= self._old.pop(key)[1]
        if self._young_bytes + size_bytes > self._half_bytes and self.young:
            self.young.pop(key, None)
            self._old, self._old_bytes = self.young, self._young_bytes
            self.young, self._young_bytes = {}, 0
        self.young[key] = (value, size_bytes)
        self._young_bytes += size_bytes

    def put_all(
        self, keys: Iterable[bytes], values: Iterable[ValueT], sizes_bytes: Iterable[int]
    ) -> None:
        """Keep values of these sizes, in place of earlier ones: as `put` each, a little faster."""
        young, old, young_bytes = self.young, self._old, self._young_bytes
        for key, value, size_bytes in zip(keys, values, sizes_bytes, strict=True):
            entry = (value, size_bytes + ENTRY_OVERHEAD_BYTES)
            earlier = young.get(key)
            if earlier is not None:
                young_bytes -= earlier[1]
            elif key in old:
                self._old_bytes -= old.pop(key)[1]
            if young_bytes + entry[1] > self._half_bytes and young:
                young.pop(key, None)
                self._old = old = young
                self._old_bytes = young_bytes
                self.young = young = {}
                young_bytes = 0
            young[key] = entry
            young_bytes += entry[1]
        self._young_bytes = young_bytes

    def clear(self) -> None:
        """Forget everything."""
        self.young, self._old = {}, {}
        self._young_bytes = self._old_bytes = 0
