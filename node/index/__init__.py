"""The index: what the ledger itself does not need, derived from its blocks. See README.md."""

from node.index.errors import (
    IndexFailure,
    IndexOverrun,
    IndexUnreachable,
    IndexUnusable,
    RebuildNeeded,
)
from node.index.opening import INDEX_FILE, database_of, is_wanted

__all__ = [
    "INDEX_FILE",
    "IndexFailure",
    "IndexOverrun",
    "IndexUnreachable",
    "IndexUnusable",
    "RebuildNeeded",
    "database_of",
    "is_wanted",
]
