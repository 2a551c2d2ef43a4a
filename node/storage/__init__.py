"""The node's disk: the database behind a small seam, its layout, and the consensus log."""

from node.storage.errors import (
    StorageDamaged,
    StorageError,
    StorageFailed,
    StorageFull,
    StorageLocked,
    StorageMissing,
    StorageReadOnly,
)
from node.storage.leveldb import LevelDBStore, open_leveldb
from node.storage.store import Batch, KeyValueStore, MemoryStore
from node.storage.thread import StorageThread

__all__ = [
    "Batch",
    "KeyValueStore",
    "LevelDBStore",
    "MemoryStore",
    "StorageDamaged",
    "StorageError",
    "StorageFailed",
    "StorageFull",
    "StorageLocked",
    "StorageMissing",
    "StorageReadOnly",
    "StorageThread",
    "open_leveldb",
]
