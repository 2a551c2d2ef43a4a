"""The Python client: reads, submits, subscribes; builds and signs without a node. See README.md."""

from node.client.bulk import BulkResult
from node.client.client import Client
from node.client.drafts import Draft, TransactionBuilder, transaction
from node.client.errors import (
    BadAnswer,
    CallFailed,
    Changing,
    ClientError,
    DraftError,
    Expired,
    Forbidden,
    Forgotten,
    Limited,
    NoBidAccepted,
    NoIndex,
    NoResult,
    NotFound,
    NotReady,
    Pruned,
    Refused,
    Stale,
    Unproven,
    Unreachable,
    WaitTimeout,
    WrongNetwork,
)
from node.client.network import ClientNetwork
from node.client.reads import Read, Receipt
from node.client.subscriptions import StreamItem

__all__ = [
    "BadAnswer",
    "BulkResult",
    "CallFailed",
    "Changing",
    "Client",
    "ClientError",
    "ClientNetwork",
    "Draft",
    "DraftError",
    "Expired",
    "Forbidden",
    "Forgotten",
    "Limited",
    "NoBidAccepted",
    "NoIndex",
    "NoResult",
    "NotFound",
    "NotReady",
    "Pruned",
    "Read",
    "Receipt",
    "Refused",
    "Stale",
    "StreamItem",
    "TransactionBuilder",
    "Unproven",
    "Unreachable",
    "WaitTimeout",
    "WrongNetwork",
    "transaction",
]
