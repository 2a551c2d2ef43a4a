"""The genesis: what a network is founded from, read with every fault at once, and its hash."""

from node.genesis.genesis import Genesis, explain_quorum, genesis_of
from node.genesis.loading import Fault, GenesisError, load_genesis, parse_genesis
from node.genesis.model import (
    FORMAT,
    BlocksSection,
    ConsensusSection,
    GenesisAccount,
    GenesisParameter,
    GenesisParticipant,
    GenesisRecord,
    TransactionsSection,
)

__all__ = [
    "FORMAT",
    "BlocksSection",
    "ConsensusSection",
    "Fault",
    "Genesis",
    "GenesisAccount",
    "GenesisError",
    "GenesisParameter",
    "GenesisParticipant",
    "GenesisRecord",
    "TransactionsSection",
    "explain_quorum",
    "genesis_of",
    "load_genesis",
    "parse_genesis",
]
