"""The chain: decided blocks become state, one synced batch each. See README.md."""

from node.chain.candidates import Candidate
from node.chain.chain import Chain, Committed, Listener
from node.chain.errors import (
    AmendmentMissing,
    BlockFault,
    ChainDamaged,
    ChainError,
    ForeignChain,
    InvalidBlock,
    NothingToProve,
    UpgradeRequired,
)
from node.chain.head import Head
from node.chain.receipts import BlockReceipts
from node.chain.rules import BlockEnvelope
from node.chain.trial import Trial
from node.chain.versions import describe_versions, is_ready_for_upgrade

__all__ = [
    "AmendmentMissing",
    "BlockEnvelope",
    "BlockFault",
    "BlockReceipts",
    "Candidate",
    "Chain",
    "ChainDamaged",
    "ChainError",
    "Committed",
    "ForeignChain",
    "Head",
    "InvalidBlock",
    "Listener",
    "NothingToProve",
    "Trial",
    "UpgradeRequired",
    "describe_versions",
    "is_ready_for_upgrade",
]
