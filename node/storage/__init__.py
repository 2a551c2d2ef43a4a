"""The node's disk: the database behind a small seam, its layout, and the consensus log."""

from node.storage.consensus_log import ConsensusLog, open_consensus_log
from node.storage.errors import (
    StorageClosed,
    StorageDamaged,
    StorageError,
    StorageFailed,
    StorageFull,
    StorageLocked,
    StorageMissing,
    StorageReadOnly,
    storage_error,
)
from node.storage.files import FileSystem
from node.storage.leveldb import LevelDBStore, open_leveldb
from node.storage.nodes import StoredNodes
from node.storage.store import Batch, KeyValueStore, MemoryStore, ReadView
from node.storage.thread import StorageThread, ended
from node.storage.watched import WatchedStore

__all__ = [
    "Batch",
    "ConsensusLog",
    "FileSystem",
    "KeyValueStore",
    "LevelDBStore",
    "MemoryStore",
    "ReadView",
    "StorageClosed",
    "StorageDamaged",
    "StorageError",
    "StorageFailed",
    "StorageFull",
    "StorageLocked",
    "StorageMissing",
    "StorageReadOnly",
    "StorageThread",
    "StoredNodes",
    "WatchedStore",
    "ended",
    "open_consensus_log",
    "open_leveldb",
    "storage_error",
]
