"""What a genesis says. These records are both the form of the file and what is hashed.

Everything that must be the same at every node stands here and nowhere else: who founds the network,
what a quorum is, how large blocks are, how fast they come, how long a transaction may wait. The
genesis hash names the network: every signature covers it, so a network that starts again from
another genesis shares nothing with the first.
"""

from typing import Annotated, Final, Literal

import msgspec

from consensus.types import FaultModel
from node.blocks.records import BLOCK_SIZE_MAX, BLOCK_TRANSACTIONS_MAX
from node.codec import Record
from node.ledger.founding import FoundingAccount as GenesisAccount
from node.ledger.founding import FoundingParameter as GenesisParameter
from node.ledger.founding import FoundingParticipant as GenesisParticipant
from node.ledger.powers import PowerRow
from node.ledger.tables import VALIDATORS_MAX, ValidatorRecord, Version
from node.ledger.units import Milliseconds

__all__ = [
    "ENTRIES_MAX",
    "FORMAT",
    "BlocksSection",
    "ConsensusSection",
    "GenesisAccount",
    "GenesisParameter",
    "GenesisParticipant",
    "GenesisRecord",
    "TransactionsSection",
]

FORMAT: Final = "khz-genesis/1"
ENTRIES_MAX: Final = 100_000
"""Participants or accounts in one genesis."""

_TimeoutMs = Annotated[int, msgspec.Meta(ge=1, le=3_600_000)]
_Rounds = Annotated[int, msgspec.Meta(ge=1, le=1_000)]


class ConsensusSection(Record):
    """Timeouts of agreement and the limits on what one height holds; see `ConsensusParams`."""

    timeout_propose_ms: _TimeoutMs
    timeout_prevote_ms: _TimeoutMs
    timeout_precommit_ms: _TimeoutMs
    timeout_growth_ms: _TimeoutMs
    timeout_max_ms: _TimeoutMs
    rounds_kept_max: _Rounds
    rounds_ahead_max: _Rounds
    early_messages_max: _Rounds


class BlocksSection(Record):
    """How large blocks are, how often they come, and how far their time may be off."""

    transactions_max: Annotated[int, msgspec.Meta(ge=1, le=BLOCK_TRANSACTIONS_MAX)]
    size_bytes_max: Annotated[int, msgspec.Meta(ge=1 << 17, le=BLOCK_SIZE_MAX)]
    """At least 128 KiB: the largest transaction fits, with room to spare."""
    gather_ms: Annotated[int, msgspec.Meta(ge=0, le=60_000)]
    """How long a proposer waits for more, once the first transaction waits; under load, longer:
    see `node.replica.pace`."""
    heartbeat_ms: Annotated[int, msgspec.Meta(ge=100, le=3_600_000)]
    """An idle network makes a block this long after the last one, so that dates pass."""
    clock_ahead_max_ms: Annotated[int, msgspec.Meta(ge=100, le=60_000)]
    """A new block later than a validator's clock by more gets no vote of it."""
    clock_behind_max_ms: Annotated[int, msgspec.Meta(ge=100, le=3_600_000)]
    """A new block earlier than a validator's clock by more gets no vote of it."""


class TransactionsSection(Record):
    """How long a transaction may wait."""

    window_ms: Annotated[int, msgspec.Meta(ge=1_000, le=3_600_000)]
    """How far ahead of block time the end of its validity may lie: at most an hour."""


class GenesisRecord(Record):
    """The whole genesis. Lists are in ascending order of name in the canonical form."""

    format: Literal["khz-genesis/1"]
    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?\Z")]
    """Of the network, for people: 1 to 32 of a-z, 0-9 and inner hyphens."""
    test_network: bool
    """Addresses begin with `tkhz` and are refused on a network that is none."""
    development: bool
    """Keys that everybody knows are accepted here, and nowhere else."""
    time_ms: Milliseconds
    """The first block is later than this."""
    fault_model: FaultModel
    protocol_version: Version
    """Rules from the first block on; governance schedules the next one."""
    consensus: ConsensusSection
    blocks: BlocksSection
    transactions: TransactionsSection
    validators: Annotated[
        tuple[ValidatorRecord, ...], msgspec.Meta(min_length=1, max_length=VALIDATORS_MAX)
    ]
    participants: Annotated[
        tuple[GenesisParticipant, ...], msgspec.Meta(min_length=1, max_length=ENTRIES_MAX)
    ]
    accounts: Annotated[tuple[GenesisAccount, ...], msgspec.Meta(max_length=ENTRIES_MAX)]
    powers: Annotated[tuple[PowerRow, ...], msgspec.Meta(max_length=1_000)]
    parameters: Annotated[tuple[GenesisParameter, ...], msgspec.Meta(max_length=1_000)]
