"""The chain: decided blocks become state, one synced batch each. See README.md."""

from node.chain.candidates import Candidate
from node.chain.chain import Chain, Committed, Listener
from node.chain.errors import BlockFault, ChainDamaged, ChainError, InvalidBlock, NothingToProve
from node.chain.head import Head
from node.chain.receipts import BlockReceipts

__all__ = [
    "BlockFault",
    "BlockReceipts",
    "Candidate",
    "Chain",
    "ChainDamaged",
    "ChainError",
    "Committed",
    "Head",
    "InvalidBlock",
    "Listener",
    "NothingToProve",
]
