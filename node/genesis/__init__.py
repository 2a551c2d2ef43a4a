"""The genesis: what a network is founded from, read with every fault at once, and its hash."""

from node.genesis.amendment import (
    AMENDMENT_FORMAT,
    Amendment,
    AmendmentBody,
    AmendmentError,
    AmendmentFault,
    amendment_of,
    decode_amendment,
    encode_amendment,
    missing_sentence,
    signed_by,
)
from node.genesis.genesis import Genesis, explain_quorum, genesis_of
from node.genesis.installed import read_amendment, with_installed
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
    "AMENDMENT_FORMAT",
    "FORMAT",
    "Amendment",
    "AmendmentBody",
    "AmendmentError",
    "AmendmentFault",
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
    "amendment_of",
    "decode_amendment",
    "encode_amendment",
    "explain_quorum",
    "genesis_of",
    "load_genesis",
    "missing_sentence",
    "parse_genesis",
    "read_amendment",
    "signed_by",
    "with_installed",
]
